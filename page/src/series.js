const [HOUR, DAY] = [3.6e6, 8.64e7]; // milliseconds
const SEASONS = { day: { 1: 7, 7: 52 }, month: { 1: 12, 2: 6, 3: 4, 4: 3, 6: 2 } };
const FEWEST = 8; // values, as for forecast.py
const MOST_ROWS = 1.1; // for each one that is there
const CLOSED = 0.1; // share of an hour's rows: with fewer, it pauses
const monthOf = (time) => new Date(time).getUTCFullYear() * 12 + new Date(time).getUTCMonth();
const dayOf = (time) => new Date(time).getUTCDate();
const isWeekday = (time) => new Date(time).getUTCDay() % 6 > 0;

// The numbers of the rows of each series, by name.
function rowsOf({ columns, lines }, group) {
  return Map.groupBy(lines.keys(), (row) => (group ? columns[group].texts[row] : ""));
}

// A series: { values, length, step, season, textAt }. Its values go from the first that is known to
// the last one, NaN where missing; `length` counts all rows; `step` is a number and a unit; timeAt
// is the time of a place, also past the end, if there are times, and textAt says it as forecast.csv
// does, or the number of its row.
function seriesOf({ columns, time, lines }, column, rows) {
  if (columns[column].wrong) throw columns[column].wrong;
  const valuesOf = (name) => rows.map((row) => columns[name].values[row]);
  const known = valuesOf(column).filter(Number.isFinite).length;
  if (known < FEWEST) throw new Said(t("tooFew", FEWEST, known));
  const counted = { values: valuesOf(column), step: [1, "row"], season: 0 };
  const found = time === undefined ? counted
    : regular(valuesOf(time), valuesOf(column), (k) => lines[rows[k]]);
  const first = found.values.findIndex(Number.isFinite);
  const last = found.values.findLastIndex(Number.isFinite);
  const length = time === undefined ? last + 1 : found.values.length;
  const told = (ms) => new Date(ms).toISOString().slice(0, 19).replace("T", " ");
  const textAt = (k) => (time === undefined ? String(first + k)
    : told(found.timeAt(first + k)) + columns[time].zone);
  const timeAt = found.timeAt && ((k) => found.timeAt(first + k));
  return { ...found, values: found.values.slice(first, last + 1), length, timeAt, textAt };
}

// A series without breaks in its times; where a row is missing, so is a value.
function regular(times, values, lineOf) {
  const steps = times.slice(1).map((each, k) => each - times[k]).sort((one, other) => one - other);
  const usual = steps[steps.length >> 1];
  const months = usual >= 28 * DAY ? Math.round(usual / (30.44 * DAY)) : 0;
  const shift = months && dayOf(times[0] + DAY) === 1 ? DAY : 0; // last days become first ones
  const start = new Date(times[0] + shift);
  const monthAt = (k) => new Date(start).setUTCMonth(start.getUTCMonth() + k * months) - shift;
  const timeAt = months ? monthAt : (k) => times[0] + k * usual;
  const places = times.map((each) =>
    months ? (monthOf(each + shift) - monthOf(start)) / months : (each - times[0]) / usual);
  const wrong = times.findIndex((each, k) => {
    const rises = k === 0 || each > times[k - 1];
    return !rises || places[k] % 1 || timeAt(places[k]) !== each
      || (months && (dayOf(start) > 28 || months % 13 === 0)); // 2000-01, 2001-02: years
  });
  if (wrong >= 0) throw new Said(t("uneven", lineOf(wrong)));
  if (usual === DAY && times.every(isWeekday)) { // without holidays
    const weekday = (k) => times[k] ?? weekdayAfter(times.at(-1), k - times.length + 1);
    return { values, step: [1, "weekday"], season: 5, timeAt: weekday };
  }
  const size = places.at(-1) + 1;
  const present = new Set(places);
  const pauses = (cycle) => usual < DAY && [...Map.groupBy(upTo(size), (k) => timeAt(k) % cycle)]
    .some(([, at]) => at.length > 2 && at.filter((k) => present.has(k)).length < CLOSED * at.length);
  if (size > MOST_ROWS * times.length || pauses(DAY) || pauses(7 * DAY)) {
    throw new Said(t("manyGaps", size - times.length));
  }
  const filled = new Array(size).fill(NaN);
  places.forEach((place, k) => (filled[place] = values[k]));
  const unit = months ? "month" : usual < DAY ? "hour" : "day";
  const count = { month: months, day: usual / DAY, hour: usual / HOUR }[unit];
  const ofDay = DAY / usual <= Math.max(size, 1440) ? DAY / usual : 0; // a day must be held
  const season = unit === "hour" ? ofDay : SEASONS[unit][count];
  return { values: filled, step: [count, unit], season: season % 1 === 0 ? season : 0, timeAt };
}

const weekdayAfter = (time, days) =>
  (days ? weekdayAfter(time + DAY, days - isWeekday(time + DAY)) : time);
