// What a series is to forecast.py, see utils/series/panel.py: its parts, 70 % to train, 15 % to
// choose, 15 % to score once; its sizes, from the train part; and forecasts that learn nothing.
const [TRAIN, VAL, TEST] = [0, 1, 2];

function panelOf({ values, length, season, timeAt }, horizon) {
  const ahead = Math.min(Math.ceil(horizon / PATCH), TAUGHT);
  const inputSteps = Math.min(length, (MOST_PATCHES - ahead) * PATCH);
  const end = values.length;
  const share = Math.max(rint(0.15 * end), horizon);
  const borders = [0, Math.max(end - 2 * share, 0), Math.max(end - share, 0), end];
  const least = Math.min(inputSteps >> 1, Math.max(Math.floor(borders[VAL] / 3), 2));
  const train = values.slice(0, Math.max(borders[VAL], 2));
  const there = train.filter(known);
  const scale = changeOver(train, season || 1, 1, 0) || changeOver(train, 1, 1, 0)
    || mean(there.map(Math.abs)) || 1; // a typical change
  const still = there.every((value) => value === there[0]);
  const size = mean(there.map(Math.abs));
  const errorSize = still ? 0 : scale;
  const scored = values.filter(known).length >= 4 * horizon && borders[VAL] - horizon + 1 > least
    && values.slice(borders[VAL], borders[TEST]).some(known);
  return {
    values, season, timeAt, horizon, inputSteps, end, size,
    lowest: lowestOf(scored ? there : values),
    positive: there.every((value) => value > 0),
    whole: there.every(Number.isInteger),
    scored,
    mostlyZero: there.filter((value) => value === 0).length >= there.length / 3,
    // The origins of a part from which so many steps lie in it, and values from one on.
    origins(part, steps = 1) {
      const begin = Math.max(borders[part], least);
      return upTo(Math.max(borders[part + 1] - steps + 1 - begin, 0)).map((k) => begin + k);
    },
    targets(origin) {
      const stop = borders.find((border) => border > origin);
      return upTo(horizon).map((k) => (origin + k < stop ? values[origin + k] : NaN));
    },
    window(origin, steps = inputSteps) {
      const before = new Array(Math.max(steps - origin, 0)).fill(NaN);
      return [...before, ...values.slice(Math.max(origin - steps, 0), origin)];
    },
    // Values as they are learned from, and back; and the size of their errors.
    plain: { inward: (x) => x, outward: (x) => x, unit: errorSize },
    logs: {
      inward: (x) => x.map((value) => Math.log(Math.max(value, 1e-6 * size))),
      outward: (x) => x.map((value) => Math.exp(Math.min(value, 700))),
      unit: errorSize / size,
    },
  };
}

// Simple forecasts of the steps after an origin, by name.
function simpleOf({ values, season, horizon, mostlyZero, window }) {
  const persistence = (origin) =>
    new Array(horizon).fill(values.slice(0, origin).findLast(known));
  const seasonal = (origin) => persistence(origin).map((last, k) => {
    let source = origin - season + (k % season);
    while (source >= 0 && !known(values[source])) source -= season;
    return source >= 0 ? values[source] : last;
  });
  const meanOfWindow = (origin) => new Array(horizon).fill(meanOf(window(origin)));
  const zero = () => new Array(horizon).fill(0);
  return {
    persistence, ...(season > 1 && { "seasonal naive": seasonal }),
    ...(mostlyZero && { zero, mean: meanOfWindow }),
  };
}

// What no forecast lies below.
const lowestOf = (values) => (values.some((value) => value < 0) ? -Infinity : 0);

// At most so many origins, evenly taken, of four phases of the season or more.
function evenly(origins, most, season = 0) {
  const shared = (a, b) => (b ? shared(b, a % b) : a); // the greatest common divisor
  let every = Math.ceil(origins.length / most);
  while (season && shared(every, season) > Math.max(season >> 2, 1)) every++;
  return origins.filter((_, k) => k % every === 0);
}
