// One LSTM cell with three inputs. Its weights in one row: those of x1, x2, x3, the bias and the
// fed-back output a, each to z, z_i, z_f, z_o; and the peepholes from c to z_i, z_f, z_o.
const GATES = ["z", "z_i", "z_f", "z_o"];
const ROWS = ["x1", "x2", "x3", "bias", "a"];
const cell = (rows) => [...ROWS.flatMap((name) => rows[name] ?? [0, 0, 0, 0]), 0, 0, 0];
const [DATA, WRITING, READING] = [[1, 0, 0, 0], [0, 100, 0, 0], [0, 0, 0, 100]];
const KEEPING = { x1: DATA, x2: WRITING, x3: READING, bias: [0, -10, 10, -10] };
const LECTURE = cell({ ...KEEPING, x2: [0, 100, 100, 0] });
const ADDING = cell({ x1: DATA, bias: [0, 10, 10, 10] });
const LEAKING = cell({ ...KEEPING, bias: [0, -10, 2.1972, 10] });
const NOTHING = [0, 0, 0, 0, 0];
const UNREAD = [[3, 4, 2, 1, 3], [1, 1, 0, 0, -1], NOTHING];
const BOARD = [...UNREAD.slice(0, 2), [0, 0, 0, 1, 0]];
const MARKED = [[3, 5, 4, 2, 6], [1, 0, 1, 0, 1], [0, 0, 0, 0, 1]];
const SUMS = [[3, 5, 4, 2, 1], [1, 0, 1, 1, 0], [0, 0, 1, 0, 1]];
const ONCE = [[8, 0, 0, 0, 0], [1, 0, 0, 0, 0], NOTHING];
const series = (...numbers) => [numbers, NOTHING, NOTHING];

// In a task, `output` (a or c) at each step is to be wanted(x1, x2, x3), the inputs so far: the
// task's own, unless they are `free` to be moved, and `others`.
const SUM = (x1, x2, x3) => (x3.at(-1) === 1 ? total(x1.filter((_, k) => x2[k] === 1)) : 0);
const EXAMPLES = {
  lecture: { x: BOARD, w: LECTURE },
  counter: { x: series(1, 0, 1, 1, 0), w: ADDING },
  adder: { x: MARKED, w: cell(KEEPING) },
  leak: { x: ONCE, w: LEAKING },
  never: { x: BOARD, w: cell(KEEPING) },
  task_1: { x: UNREAD, w: LECTURE, output: "a", wanted: (x) => 7 * (x.length === 4), free: true },
  task_2: { x: BOARD, w: LECTURE, output: "c", wanted: (x) => (x.length === 1 ? 3 : 7) },
  task_3: { x: ONCE, w: LECTURE, output: "c", wanted: (x) => 8 / 2 ** (x.length - 1) },
  task_4: { x: BOARD, w: cell({}), output: "a", wanted: (x) => x.length, others: [MARKED, ONCE] },
  task_5: { x: SUMS, w: cell({}), output: "a", wanted: SUM, others: [MARKED] },
  task_6: { x: series(3, 5, 2, -4, 1), w: ADDING, output: "c", wanted: ([x]) => x, others: [ONCE] },
};

function solved({ output, wanted, x, free, others = [] }, moved, run) {
  return output && [free ? moved : x, ...others].every((rows) => run(rows).every((step, k) => {
    const soFar = rows.map((row) => row.slice(0, k + 1));
    return Math.abs(wanted(...soFar) - step[output][0]) < 0.05;
  }));
}

// "4·1 + 100·1 − 10": a weighted sum, but for weights of 0, and what is added to it.
function sumOf(weights, values, ...more) {
  const terms = weights.flatMap((weight, k) =>
    weight ? `${written(weight)}·${written(values[k])}` : []);
  return [...terms, ...more.map(written)].join(" + ").replaceAll("+ −", "− ") || "0";
}

function word({ i: [i], f: [f], o: [o] }) {
  const words = [f < 0.5 && t("reset"), i > 0.5 && t("write"), o > 0.5 && t("read")];
  return words.filter(Boolean).join(" ") || t("hold");
}

function runLstm(w, x, g, h) {
  const keras = (row) => [1, 2, 0, 3].map((column) => w[4 * row + column]);
  const [W, b, U, P] = [[0, 1, 2].flatMap(keras), keras(3), keras(4), w.slice(20)];
  return lstm(x, { W, U, b, P }, g, h);
}

function lstmArithmetic(w, x, steps, k) {
  const now = steps[k];
  const before = steps[k - 1] ?? { a: [0], c: [0] };
  const lines = GATES.map((name, column) => {
    const [x1, x2, x3, bias, a] = ROWS.map((_, row) => w[4 * row + column]);
    const c = name === "z" ? 0 : w[19 + column];
    const seen = [...x[k], before.a[0], (name === "z_o" ? now : before).c[0]];
    const [f, after] = name === "z" ? ["g", now.gz] : ["f", now[name.at(-1)]];
    const [value, gate] = [now[name], after].map(([first]) => written(first));
    const sum = sumOf([x1, x2, x3, a, c], seen, bias);
    return `${name} = ${sum} = ${value}, ${f}(${name}) = ${gate}`;
  });
  const memory = sumOf([now.gz[0], before.c[0]], [now.i[0], now.f[0]]);
  return [
    ...lines, `c′ = g(z) f(z_i) + c f(z_f) = ${memory} = ${written(now.c[0])}`,
    `a = h(c′) f(z_o) = ${sumOf(now.hc, now.o)} = ${written(now.a[0])}`,
  ];
}

// A row of the picture: one unit of what each step has by this name.
const unit = (kind, label, name, k = 0) =>
  ({ kind, label, values: (steps) => steps.map((step) => step[name][k]) });

const LSTM_BOARD = {
  least: 5, examples: EXAMPLES, solved, functions: ["g", "h"], run: runLstm,
  arithmetic: lstmArithmetic, slider: { min: -100, max: 100, step: 0.5 },
  rows: () => [
    { kind: "word", label: "", values: (steps) => steps.map(word) },
    unit("number", t("output"), "a"), unit("bar", t("memory"), "c"),
    ...["i", "f", "o"].map((gate) => unit("gate", t(gate), gate)),
  ],
  tables: () => [
    { title: "weights", rows: ROWS.slice(0, 4), columns: GATES, open: true },
    { title: "fedBack", rows: ["a"], columns: GATES },
    { title: "peepholes", rows: ["c"], columns: GATES.slice(1) },
  ],
};
