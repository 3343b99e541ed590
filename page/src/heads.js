// A linear head per step ahead, as utils/series/heads.py has it: ridge regression on the train
// part; the validation part chooses strength and scaling.
const [FITTED, JUDGED, FEW_WINDOWS] = [5000, 2048, 500]; // windows
const STRENGTHS = [3, 30, 300, 3e3, 3e4, 3e5];
const READ = { 24: 168, 7: 168, 6: 144, 5: 120, 12: 36, 52: 104 }; // steps, by season
const YEAR = 365.2425; // days
const SCALINGS = [
  { way: "plain" }, { way: "plain", byWindow: true }, { way: "plain", level: true },
  { way: "logs", byWindow: true },
];

// What the calendar says of a step: waves of the day and the year, weekdays.
function calendarOf({ timeAt, end, horizon }) {
  if (!timeAt) return () => [];
  const times = upTo(end + horizon).map(timeAt);
  const usual = medianOf(times.slice(1).map((time, k) => time - times[k]));
  const span = times.at(-1) - times[0];
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
function readerOf(panel, calendar, { way, byWindow, level }) {
  const steps = Math.min(READ[panel.season] ?? (panel.season ? 7 * panel.season : 48),
    Math.floor(panel.end / 4), panel.inputSteps);
  const { inward, unit: usual } = panel[way];
  const unit = usual || 1e-6 * (way === "logs" ? 1 : panel.size) + 1e-300;
  return (origin) => {
    const x = inward(panel.window(origin, Math.max(steps, 1)));
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
async function ridges(x, y, pause) {
  const [means, middle] = [x, y].map((rows) => transposed(rows).map(mean));
  const less = (row, center) => row.map((value, k) => value - center[k]);
  const [X, Y] = [[x, means], [y, middle]].map(([rows, center]) =>
    Float64Array.from(rows.flatMap((row) => less(row, center))));
  const products = (column) => [product(column, X), product(column, Y)];
  const columns = transposed(x).map((column, k) => column.map((value) => value - means[k]));
  const [gram, moments] = transposed(await each(columns, products, pause));
  return each(STRENGTHS, (strength) => {
    const penalised = gram.map((row, k) => row.with(k, row[k] + strength));
    const kernel = Float64Array.from(solved(penalised, moments).flat());
    return { kernel, bias: less(middle, product(means, kernel)) };
  }, pause);
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
  const scalings = SCALINGS.filter(({ way }) => panel.positive || way === "plain");
  const readers = new Map(scalings.map((scaling) =>
    [scaling, remembered(readerOf(panel, calendar, scaling))]));
  const say = ({ scaling, kernel, bias, median }) => (origin) => {
    if (!kernel) return new Array(panel.horizon).fill(median);
    const { inputs, middle, size } = readers.get(scaling)(origin);
    const found = add(product(inputs, kernel), bias).map((value) => value * size + middle);
    return panel[scaling.way].outward(found).map((value) => Math.max(value, panel.lowest));
  };
  const learnFrom = (train) => async (scaling) => {
    const read = await each(train, readers.get(scaling), pause);
    const came = read.map(({ middle, size }, k) =>
      panel[scaling.way].inward(panel.targets(train[k])).map((value) =>
        (known(value) ? (value - middle) / size : 0)));
    const heads = await ridges(read.map(({ inputs }) => inputs), came, pause);
    return heads.map((head) => ({ scaling, ...head }));
  };
  const judged = await each(foldsOf(panel), async ([train, val]) => {
    const median = medianOf(train.map((origin) => panel.values[origin]).filter(known)) || 0;
    const heads = [...(await each(scalings, learnFrom(train), pause)).flat(), { median }];
    const came = val.map(panel.targets);
    const missed = await each(heads, (head) => total(val.flatMap((origin, k) =>
      say(head)(origin).map((value, step) => Math.abs(value - came[k][step]) || 0))), pause);
    return { heads, errors: missed.map((error) => error / (mean(missed) || 1)) };
  }, pause);
  const errors = add(...judged.map((fold) => fold.errors));
  return say(judged[0].heads[argmin(errors)]);
}
