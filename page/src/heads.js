// A linear head per step ahead, as utils/series/heads.py has it: ridge regression on the train
// part; the validation part chooses strength and scaling.
const [FITTED, JUDGED, FEW_WINDOWS] = [5000, 2048, 500]; // windows
const STRENGTHS = [3, 30, 300, 3e3, 3e4, 3e5];
const READ = { 24: 168, 7: 168, 6: 144, 5: 120, 12: 36, 52: 104 }; // steps, by season
const YEAR = 365.2425; // days
const SCALINGS = [{}, { byWindow: true }, { level: true }, { log: true, byWindow: true }];

// What the calendar says of a step: waves of the day and the year, weekdays.
function calendarOf({ timeAt, end, horizon }) {
  if (!timeAt) return () => [];
  const times = upTo(end + horizon).map(timeAt);
  const steps = times.slice(1).map((time, k) => time - times[k]).sort((one, other) => one - other);
  const [usual, span] = [steps[steps.length >> 1], times.at(-1) - times[0]];
  const waves = (turn) => [1, 2].flatMap((n) =>
    [Math.sin, Math.cos].map((wave) => Math.fround(wave(2 * Math.PI * n * turn))));
  return (step) => {
    const time = times[step];
    const day = (time - Date.UTC(new Date(time).getUTCFullYear(), 0)) / DAY;
    return [
      ...(usual < DAY && span >= 2 * DAY ? waves(day % 1) : []),
      ...(usual <= DAY && span >= 14 * DAY
        ? upTo(7).map((k) => Number((k + 1) % 7 === new Date(time).getUTCDay())) : []),
      ...(usual <= 31 * DAY && span >= 2 * YEAR * DAY ? waves(day / YEAR) : []),
    ];
  };
}

// What a scaling makes of the window before an origin: inputs, and its middle and size.
function readerOf(panel, calendar, { log, byWindow, level }) {
  const steps = Math.min(READ[panel.season] ?? (panel.season ? 7 * panel.season : 48),
    Math.floor(panel.end / 4), panel.inputSteps);
  const unit = (log ? panel.errorSize / panel.size : panel.errorSize)
    || 1e-6 * (log ? 1 : panel.size) + 1e-300;
  return (origin) => {
    const x = panel.inward(panel.window(origin, Math.max(steps, 1)), log);
    const count = x.filter(known).length;
    const middle = count ? meanOf(x) : 0;
    const rest = x.map((value) => (known(value) ? value - middle : 0));
    const spread = Math.sqrt(total(rest.map((value) => value ** 2)) / Math.max(count, 1));
    const own = byWindow ? spread + 0.05 * unit : unit;
    const size = count < FEWEST ? Math.max(own, unit) : own;
    const inputs = [...rest.map((value) => value / size), ...calendar(origin)];
    return { inputs: level ? [...inputs, middle / unit] : inputs, middle, size };
  };
}

// Solve G X = Y for a symmetric, positive G, all of them rows: Gauss and Jordan's elimination.
function solved(G, Y) {
  const all = G.map((row, k) => [...row, ...Y[k]]);
  all.forEach((row, pivot) => all.forEach((other, k) => {
    const factor = other[pivot] / row[pivot];
    for (let j = pivot; k !== pivot && j < row.length; j++) other[j] -= factor * row[j];
  }));
  return all.map((row, k) => row.slice(G.length).map((value) => value / row[k]));
}

// Kernels and biases by strength, of inputs and targets (rows).
function ridges(x, y) {
  const [means, middle] = [x, y].map((rows) => transposed(rows).map(mean));
  const columns = transposed(x).map((column, k) => column.map((value) => value - means[k]));
  const flat = (all) => Float64Array.from(transposed(all).flat());
  const [X, Y] = [flat(columns), flat(transposed(y).map((column, k) =>
    column.map((value) => value - middle[k])))];
  const gram = columns.map((column) => product(column, X));
  const moments = columns.map((column) => product(column, Y));
  return STRENGTHS.map((strength) => {
    const penalised = gram.map((row, k) => row.with(k, row[k] + strength));
    const kernel = Float64Array.from(solved(penalised, moments).flat());
    return { kernel, bias: add(middle, product(means, kernel).map((value) => -value)) };
  });
}

// Origins to learn from and to judge by: of the parts and, where these are short, of folds.
function foldsOf(panel) {
  const [train, validated] = [TRAIN, VAL].map((part) => panel.origins(part, panel.horizon));
  const val = validated.length ? validated : panel.origins(VAL);
  const at = (share) => train[0] + share * (train.length - 1);
  const folds = [0.5, 0.7, 0.85].map((share) => [
    train.filter((origin) => origin <= at(share) - panel.horizon),
    train.filter((origin) => origin >= at(share) && origin <= at(Math.min(share + 0.2, 1))),
  ]).filter(([before]) => before.length && val.length < FEW_WINDOWS);
  return [[evenly(train, FITTED), evenly(val, JUDGED)], ...folds];
}

// The head that judges itself best, a forecaster of an origin; `pause` keeps the page alive.
async function linearOf(panel, pause) {
  const calendar = remembered(calendarOf(panel));
  const scalings = SCALINGS.filter(({ log }) => panel.positive || !log);
  const readers = scalings.map((scaling) => remembered(readerOf(panel, calendar, scaling)));
  const say = ({ scaling, kernel, bias, median }) => (origin) => {
    if (!kernel) return new Array(panel.horizon).fill(median);
    const { inputs, middle, size } = readers[scaling](origin);
    const found = add(product(inputs, kernel), bias).map((value) => value * size + middle);
    const outward = panel.outward(found, scalings[scaling].log);
    return outward.map((value) => Math.max(value, panel.lowest));
  };
  const [fits, errors] = [[], []];
  for (const [train, val] of foldsOf(panel)) {
    const heads = [];
    for (const [scaling, { log }] of scalings.entries()) {
      await pause();
      const read = train.map(readers[scaling]);
      const came = read.map(({ middle, size }, k) => panel.inward(panel.targets(train[k]), log)
        .map((value) => (known(value) ? (value - middle) / size : 0)));
      heads.push(...ridges(read.map(({ inputs }) => inputs), came)
        .map((weights) => ({ scaling, ...weights })));
    }
    const there = train.map((origin) => panel.values[origin]).filter(known).sort((a, b) => a - b);
    const middle = [there.length - 1, there.length].map((double) => there[double >> 1]);
    heads.push({ median: there.length ? mean(middle) : 0 });
    const targets = val.map(panel.targets);
    const missed = [];
    for (const head of heads) {
      await pause();
      missed.push(total(val.flatMap((origin, k) => say(head)(origin).map((value, step) =>
        Math.abs(value - targets[k][step]) || 0))));
    }
    fits.push(heads);
    errors.push(missed.map((error) => error / (mean(missed) || 1)));
  }
  const judged = transposed(errors).map(mean);
  return say(fits[0][judged.indexOf(Math.min(...judged))]);
}
