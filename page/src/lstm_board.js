import { t } from "./i18n.js";
import { lstm } from "./lstm.js";
import { written } from "./maths.js";

// One LSTM cell with three inputs. Its weights in one row: those of x1, x2, x3, the bias and the
// fed-back output a, each to z, z_i, z_f, z_o; and the peepholes from c to z_i, z_f, z_o.
const GATES = ["z", "z_i", "z_f", "z_o"];
const ROWS = ["x1", "x2", "x3", "bias", "a"];
const cell = (rows) => [...ROWS.flatMap((name) => rows[name] ?? [0, 0, 0, 0]), 0, 0, 0];
const [DATA, WRITING, READING] = [[1, 0, 0, 0], [0, 100, 0, 0], [0, 0, 0, 100]];
const KEEPING = { x1: DATA, x2: WRITING, x3: READING, bias: [0, -10, 10, -10] };
const LECTURE = cell({ ...KEEPING, x2: [0, 100, 100, 0] });
const ADDING = cell({ x1: DATA, bias: [0, 10, 10, 10] });
const BOARD = [[3, 1, 0], [4, 1, 0], [2, 0, 0], [1, 0, 1], [3, -1, 0]];
const MARKED = [[3, 1, 0], [5, 0, 0], [4, 1, 0], [2, 0, 0], [6, 1, 1]];
const SUMS = [[3, 1, 0], [5, 0, 0], [4, 1, 1], [2, 1, 0], [1, 0, 1]];
const ONCE = [[8, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]];
const series = (...numbers) => numbers.map((number) => [number, 0, 0]);

const PRESETS = {
  lecture: { inputs: BOARD, w: LECTURE },
  counter: { inputs: series(1, 0, 1, 1, 0), w: ADDING },
  adder: { inputs: MARKED, w: cell(KEEPING) },
  leak: { inputs: ONCE, w: cell({ ...KEEPING, bias: [0, -10, Math.log(9), 10] }) },
  never: { inputs: BOARD, w: cell(KEEPING) },
};

// What is to be done: of these inputs, and `others`, the output a or the memory c is to be as
// `wanted`. The inputs are locked, but where they are `free`.
const soFar = (wanted) => (inputs) => inputs.map((_, k) => wanted(inputs.slice(0, k + 1)));
const marked = (inputs) => inputs.reduce((sum, [x1, x2]) => sum + (x2 === 1 ? x1 : 0), 0);
const unread = BOARD.map(([x1, x2]) => [x1, x2, 0]);
export const TASKS = [
  { inputs: unread, w: LECTURE, free: true, output: "a", wanted: () => [0, 0, 0, 7, 0] },
  { inputs: BOARD, w: LECTURE, output: "c", wanted: () => [3, 7, 7, 7, 7] },
  { inputs: ONCE, w: LECTURE, output: "c", wanted: soFar(({ length }) => 8 / 2 ** (length - 1)) },
  {
    inputs: BOARD, others: [MARKED, series(9, 0, -9, 1, 5)], w: cell({}),
    output: "a", wanted: soFar(({ length }) => length),
  },
  {
    inputs: SUMS, others: [MARKED], w: cell({}),
    output: "a", wanted: soFar((inputs) => (inputs.at(-1)[2] === 1 ? marked(inputs) : 0)),
  },
  {
    inputs: series(3, 5, 2, -4, 1), others: [series(7, 1, 9, 2, 2)], w: ADDING,
    output: "c", wanted: soFar(([first]) => first[0]),
  },
];

export function solved({ inputs, others = [], free, output, wanted }, { state, run }) {
  return [free ? state.inputs : inputs, ...others].every((tried) => {
    const found = run(tried).map((step) => step[output][0]);
    return wanted(tried).every((value, k) => Math.abs(value - found[k]) < 0.05);
  });
}

// "0·4 + 100·1 − 10": a weighted sum, and what is added to it.
export function sumOf(weights, values, ...more) {
  const terms = weights.map((weight, k) => `${written(weight)}·${written(values[k])}`);
  return [...terms, ...more.map(written)].join(" + ").replaceAll("+ −", "− ");
}

function word({ i, f, o }) {
  const does = { reset: f[0] < 0.5, write: i[0] > 0.5, read: o[0] > 0.5 };
  const happening = Object.keys(does).filter((name) => does[name]);
  return happening.map((name) => t(name)).join(" ") || t("hold");
}

function runLstm(w, inputs, g, h) {
  const keras = (row) => [1, 2, 0, 3].map((column) => w[4 * row + column]);
  const [W, b, U, P] = [[0, 1, 2].flatMap(keras), keras(3), keras(4), w.slice(20)];
  return lstm(inputs, { W, U, b, P }, g, h);
}

function arithmetic({ inputs, w }, steps, k) {
  const now = steps[k];
  const before = steps[k - 1] ?? { a: [0], c: [0] };
  const lines = GATES.map((name, column) => {
    const [x1, x2, x3, bias, a] = ROWS.map((_, row) => w[4 * row + column]);
    const c = name === "z" ? 0 : w[19 + column];
    const fedBack = [[a, before.a[0]], [c, (name === "z_o" ? now : before).c[0]]];
    const there = fedBack.filter(([weight]) => weight !== 0);
    const weights = [x1, x2, x3, ...there.map(([weight]) => weight)];
    const sum = sumOf(weights, [...inputs[k], ...there.map(([, value]) => value)], bias);
    const [f, after] = name === "z" ? ["g", now.gz] : ["f", now[name.at(-1)]];
    const [value, gate] = [now[name], after].map(([first]) => written(first));
    return `${name} = ${sum} = ${value},  ${f}(${name}) = ${gate}`;
  });
  const memory = sumOf([now.gz[0], before.c[0]], [now.i[0], now.f[0]]);
  return [
    ...lines, `c′ = g(z) f(z_i) + c f(z_f) = ${memory} = ${written(now.c[0])}`,
    `a = h(c′) f(z_o) = ${sumOf(now.hc, now.o)} = ${written(now.a[0])}`,
  ];
}

// A row of the picture: one unit of what each step has by this name.
export const unit = (kind, label, name, k = 0) => {
  return { kind, label, values: (steps) => steps.map((step) => step[name][k]) };
};

export const LSTM_BOARD = {
  width: 3, least: 5, presets: PRESETS, functions: ["g", "h"], run: runLstm, arithmetic,
  rows: () => [
    { kind: "word", label: "", values: (steps) => steps.map(word) },
    unit("number", t("output"), "a"), unit("bar", t("memory"), "c"),
    unit("gate", t("inputGate"), "i"), unit("gate", t("forgetGate"), "f"),
    unit("gate", t("outputGate"), "o"),
  ],
  tables: () => {
    const more = { slider: { min: -100, max: 100, step: 0.5 } };
    const folded = { ...more, folded: true };
    return [
      { title: t("weights"), rows: ROWS.slice(0, 4), columns: GATES, first: 0, ...more },
      { title: t("fedBack"), rows: ["a"], columns: GATES, first: 16, ...folded },
      { title: t("peepholes"), rows: ["c"], columns: GATES.slice(1), first: 20, ...folded },
    ];
  },
};
