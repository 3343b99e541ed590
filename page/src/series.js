import { Said } from "./i18n.js";

const DAY = 8.64e7; // milliseconds
const SEASON_OF = { D: 7, B: 5, W: 52, M: 12, "2M": 6, "3M": 4, "4M": 3, "6M": 2 };

// The series of a table by name: { times, values, step, season }, values NaN where missing. The step
// is "rows" (no times), "B" (Monday to Friday), months ("M", "3M") or milliseconds ("D" and "W" too).
export function seriesOf({ columns, time, lines }, column, group) {
  const rows = Map.groupBy(lines.keys(), (row) => (group ? columns[group].texts[row] : ""));
  return new Map([...rows].map(([name, places]) => {
    const values = places.map((row) => columns[column].values[row]);
    if (!time) return [name, { values, step: "rows", season: 0 }];
    const times = places.map((row) => columns[time].values[row]);
    const back = times.findIndex((each, k) => k > 0 && each <= times[k - 1]);
    if (back >= 0) throw new Said("notRising", lines[places[back]]);
    return [name, regular(times, values, (k) => lines[places[k]])];
  }));
}

// A series without breaks in its times; where a row is missing, so is a value.
function regular(times, values, lineOf) {
  if (times.length < 3) throw new Said("fewTimes");
  const steps = times.slice(1).map((each, k) => each - times[k]).sort((a, b) => a - b);
  const usual = steps[Math.floor(steps.length / 2)];
  const monthly = usual >= 28 * DAY;
  const weekday = (each) => (Math.floor(each / DAY) + 4) % 7; // Sunday is 0
  const weekdays = times.every((each) => weekday(each) % 6 !== 0);
  if (usual === DAY && weekdays && times.at(-1) - times[0] >= 7 * DAY) {
    return { times, values, step: "B", season: 5 };
  }
  const months = (each) => new Date(each).getUTCFullYear() * 12 + new Date(each).getUTCMonth();
  const size = monthly ? Math.max(1, Math.round(usual / (30.44 * DAY))) : usual;
  const since = (each) => (monthly ? months(each) - months(times[0]) : each - times[0]);
  const places = times.map((each) => since(each) / size);
  const day = (each) => new Date(each).getUTCDate();
  const wrong = places.findIndex((place, k) => {
    return place % 1 || (monthly && day(times[k]) !== day(times[0])) || place === places[k - 1];
  });
  if (wrong >= 0) throw new Said("unevenStep", lineOf(wrong));
  const length = places.at(-1) + 1;
  if (length > 1.1 * times.length) throw new Said("manyGaps", length - times.length);
  const filled = new Array(length).fill(NaN);
  places.forEach((place, k) => (filled[place] = values[k]));
  const step = monthly ? `${size === 1 ? "" : size}M` : { [DAY]: "D", [7 * DAY]: "W" }[usual] ?? usual;
  const ofDay = usual < DAY && DAY % usual === 0 ? DAY / usual : 0;
  const month = (k) => Date.UTC(2000, months(times[0]) - 24000 + k * size, day(times[0]));
  const at = (_, k) => (monthly ? month(k) : times[0] + k * usual);
  return { times: filled.map(at), values: filled, step, season: SEASON_OF[step] ?? ofDay };
}
