import { t } from "./i18n.js";
import { lstm } from "./lstm.js";
import { written } from "./maths.js";

// One LSTM cell with three inputs. Its weights in one row: those of x1, x2, x3, the bias and the
// fed-back output a, each to z, z_i, z_f, z_o; and the peepholes from c to z_i, z_f, z_o.
const GATES = ["z", "z_i", "z_f", "z_o"];
const ROWS = ["x1", "x2", "x3", "bias", "a"];
const cell = (rows, peepholes = [0, 0, 0]) => {
  return [...ROWS.flatMap((name) => rows[name] ?? [0, 0, 0, 0]), ...peepholes];
};
const LECTURE = { x1: [1, 0, 0, 0], x2: [0, 100, 100, 0], x3: [0, 0, 0, 100], bias: [0, -10, 10, -10] };
const KEEPING = { ...LECTURE, x2: [0, 100, 0, 0] };
const ADDING = { x1: [1, 0, 0, 0], bias: [0, 10, 10, 10] };
const LEAKING = { ...KEEPING, bias: [0, -10, Math.log(9), 10] };
const DATA = [[3, 1, 0], [4, 1, 0], [2, 0, 0], [1, 0, 1], [3, -1, 0]];
const MARKED = [[3, 1, 0], [5, 0, 0], [4, 1, 0], [2, 0, 0], [6, 1, 1]];
const SUMS = [[3, 1, 0], [5, 0, 0], [4, 1, 1], [2, 1, 0], [1, 0, 1]];
const ONCE = [[8, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]];
const series = (...numbers) => numbers.map((number) => [number, 0, 0]);

const PRESETS = {
  lecture: { inputs: DATA, w: cell(LECTURE) },
  counter: { inputs: series(1, 0, 1, 1, 0), w: cell(ADDING) },
  adder: { inputs: MARKED, w: cell(KEEPING) },
  leak: { inputs: ONCE, w: cell(LEAKING) },
  never: { inputs: DATA, w: cell(KEEPING) },
};

// What is to be done: from this start, the outputs a or the memory c are to be as wanted, of the
// inputs shown and of `others`. Where the weights are the task, the inputs are locked.
const soFar = (wanted) => (inputs) => inputs.map((_, k) => wanted(inputs.slice(0, k + 1)));
const marked = (inputs) => inputs.reduce((sum, [x1, x2]) => sum + (x2 === 1 ? x1 : 0), 0);
export const TASKS = [
  {
    start: { inputs: DATA.map(([x1, x2]) => [x1, x2, 0]), w: cell(LECTURE) },
    output: "a", wanted: () => [0, 0, 0, 7, 0],
  },
  { start: PRESETS.lecture, locked: true, output: "c", wanted: () => [3, 7, 7, 7, 7] },
  {
    start: { inputs: ONCE, w: cell(LECTURE) }, locked: true,
    output: "c", wanted: soFar((inputs) => inputs[0][0] / 2 ** (inputs.length - 1)),
  },
  {
    start: { inputs: DATA, w: cell({}) }, locked: true, others: [MARKED, series(9, 0, -9, 1, 5)],
    output: "a", wanted: soFar((inputs) => inputs.length),
  },
  {
    start: { inputs: SUMS, w: cell({}) }, locked: true, others: [MARKED],
    output: "a", wanted: soFar((inputs) => (inputs.at(-1)[2] === 1 ? marked(inputs) : 0)),
  },
  {
    start: { inputs: series(3, 5, 2, -4, 1), w: cell(ADDING) }, locked: true,
    others: [series(7, 1, 9, 2, 2)], output: "c", wanted: soFar((inputs) => inputs[0][0]),
  },
];

export function solved({ start, locked, others = [], output, wanted }, { state, run }) {
  return [locked ? start.inputs : state.inputs, ...others].every((inputs) => {
    const found = run(inputs).map((step) => step[output][0]);
    return wanted(inputs).every((value, k) => Math.abs(value - found[k]) < 0.05);
  });
}

// "0·4 + 100·1 − 10": a weighted sum, and what is added to it.
export function sumOf(weights, values, ...more) {
  const terms = weights.map((weight, k) => `${written(weight)}·${written(values[k])}`);
  return [...terms, ...more.map(written)].join(" + ").replaceAll("+ −", "− ");
}

function word({ i, f, o }) {
  const does = { reset: f[0] < 0.5, write: i[0] > 0.5, read: o[0] > 0.5 };
  return Object.keys(does).filter((name) => does[name]).map((name) => t(name)).join(" ") || t("hold");
}

function run(w, inputs, functions) {
  const keras = (row) => [1, 2, 0, 3].map((column) => w[4 * row + column]);
  const [W, b, U, P] = [[0, 1, 2].flatMap(keras), keras(3), keras(4), w.slice(20)];
  return lstm(inputs, { W, U, b, P }, functions);
}

function arithmetic({ inputs, w }, { g, h }, steps, k) {
  const now = steps[k];
  const before = steps[k - 1] ?? { a: [0], c: [0] };
  const lines = GATES.map((name, column) => {
    const weights = ROWS.map((_, row) => w[4 * row + column]);
    const bias = weights.splice(3, 1)[0];
    const seen = [...inputs[k], before.a[0], (name === "z_o" ? now : before).c[0]];
    weights.push(name === "z" ? 0 : w[19 + column]);
    const there = [0, 1, 2, 3, 4].filter((row) => row < 3 || weights[row]); // fed back, if at all
    const sum = sumOf(there.map((row) => weights[row]), there.map((row) => seen[row]), bias);
    const after = name === "z" ? `g(z) = ${written(g(now.z[0]))}`
      : `f(${name}) = ${written(now[name.at(-1)][0])}`;
    return `${name} = ${sum} = ${written(now[name][0])},  ${after}`;
  });
  const memory = sumOf([g(now.z[0]), before.c[0]], [now.i[0], now.f[0]]);
  const output = sumOf([h(now.c[0])], [now.o[0]]);
  return [
    ...lines, `c′ = g(z) f(z_i) + c f(z_f) = ${memory} = ${written(now.c[0])}`,
    `a = h(c′) f(z_o) = ${output} = ${written(now.a[0])}`,
  ];
}

const row = (kind, label, name) => {
  return { kind, label: t(label), values: (steps) => steps.map((step) => step[name][0]) };
};
export const LSTM_BOARD = {
  width: 3, least: 5, presets: PRESETS, functions: ["g", "h"], run, arithmetic,
  rows: () => [
    { kind: "word", label: "", values: (steps) => steps.map(word) },
    row("number", "output", "a"), row("bar", "memory", "c"), row("gate", "inputGate", "i"),
    row("gate", "forgetGate", "f"), row("gate", "outputGate", "o"),
  ],
  tables: () => {
    const slider = { min: -100, max: 100, step: 0.5 };
    const folded = true;
    return [
      { title: t("weights"), rows: ROWS.slice(0, 4), columns: GATES, first: 0, slider },
      { title: t("fedBack"), rows: ["a"], columns: GATES, first: 16, slider, folded },
      { title: t("peepholes"), rows: ["c"], columns: GATES.slice(1), first: 20, slider, folded },
    ];
  },
};
