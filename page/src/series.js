import { Said } from "./i18n.js";

const DAY = 8.64e7; // milliseconds
const SEASON_OF = { D: 7, B: 5, W: 52, "1M": 12, "2M": 6, "3M": 4, "4M": 3, "6M": 2 };
const monthOf = (time) => new Date(time).getUTCFullYear() * 12 + new Date(time).getUTCMonth();
const dayOf = (time) => new Date(time).getUTCDate();
const isWeekday = (time) => new Date(time).getUTCDay() % 6 > 0;

// The numbers of the rows of each series, by name.
export function rowsOf({ columns, lines }, group) {
  return Map.groupBy(lines.keys(), (row) => (group ? columns[group].texts[row] : ""));
}

// A series: { values, step, season, timeAt }, values NaN where missing, timeAt the milliseconds of
// a place, also past the end. The step is "rows" (no times), "B" (Monday to Friday), months ("1M",
// "3M"), "D", "W", or milliseconds.
export function seriesOf({ columns, time, lines }, column, rows) {
  const values = rows.map((row) => columns[column].values[row]);
  if (!time) return { values, step: "rows", season: 0, timeAt: null };
  if (rows.length < 3) throw new Said("tooFew", rows.length);
  const times = rows.map((row) => columns[time].values[row]);
  const back = times.findIndex((each, k) => k > 0 && each <= times[k - 1]);
  if (back >= 0) throw new Said("notRising", lines[rows[back]]);
  return regular(times, values, (k) => lines[rows[k]]);
}

// A series without breaks in its times; where a row is missing, so is a value.
function regular(times, values, lineOf) {
  const steps = times.slice(1).map((each, k) => each - times[k]).sort((one, other) => one - other);
  const usual = steps[Math.floor(steps.length / 2)];
  if (usual === DAY && times.every(isWeekday) && times.at(-1) - times[0] >= 7 * DAY) {
    return { values, step: "B", season: 5, timeAt: (k) => times[k] ?? weekdayAfter(times, k) };
  }
  const months = usual >= 28 * DAY && Math.max(1, Math.round(usual / (30.44 * DAY)));
  const places = times.map((each) => {
    return months ? (monthOf(each) - monthOf(times[0])) / months : (each - times[0]) / usual;
  });
  const wrong = places.findIndex((place, k) => {
    return place % 1 || (months && dayOf(times[k]) !== dayOf(times[0])) || place === places[k - 1];
  });
  if (wrong >= 0) throw new Said("unevenStep", lineOf(wrong));
  const filled = new Array(places.at(-1) + 1).fill(NaN);
  if (filled.length > 1.1 * times.length) throw new Said("manyGaps", filled.length - times.length);
  places.forEach((place, k) => (filled[place] = values[k]));
  const month = (k) => Date.UTC(2000, monthOf(times[0]) - 24000 + k * months, dayOf(times[0]));
  const timeAt = (k) => (months ? month(k) : times[0] + k * usual);
  const step = months ? `${months}M` : { [DAY]: "D", [7 * DAY]: "W" }[usual] ?? usual;
  const ofDay = usual < DAY && DAY % usual === 0 ? DAY / usual : 0;
  return { values: filled, step, season: SEASON_OF[step] ?? ofDay, timeAt };
}

function weekdayAfter(times, k) {
  let time = times.at(-1);
  for (let more = k - times.length + 1; more > 0; more -= isWeekday(time)) time += DAY;
  return time;
}
