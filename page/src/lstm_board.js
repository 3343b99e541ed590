// One LSTM cell with three inputs. Its weights in one row: those of x1, x2, x3, the bias and the
// fed-back output a, each to z, z_i, z_f, z_o; and the peepholes from c to z_i, z_f, z_o.
const GATES = ["z", "z_i", "z_f", "z_o"];
const ROWS = ["x1", "x2", "x3", "bias", "a"];
const cell = (gates) =>
  [...ROWS.flatMap((from) => GATES.map((gate) => gates[gate]?.[from] ?? 0)), 0, 0, 0];
const [WRITE, READ] = [{ x2: 100, bias: -10 }, { x3: 100, bias: -10 }];
const OPEN = { bias: 10 };
const LECTURE = cell({ z: { x1: 1 }, z_i: WRITE, z_f: { x2: 100, bias: 10 }, z_o: READ });
const KEEPING = cell({ z: { x1: 1 }, z_i: WRITE, z_f: OPEN, z_o: READ });
const LEAKING = cell({ z: { x1: 1 }, z_i: WRITE, z_f: { bias: 2.1972 }, z_o: OPEN });
const ADDING = cell({ z: { x1: 1 }, z_i: OPEN, z_f: OPEN, z_o: OPEN });
const NOTHING = [0, 0, 0, 0, 0];
const BOARD = [[3, 4, 2, 1, 3], [1, 1, 0, 0, -1], [0, 0, 0, 1, 0]];
const MARKED = [[3, 5, 4, 2, 6], [1, 0, 1, 0, 1], [0, 0, 0, 0, 1]];
const SUMS = [[3, 5, 4, 2, 1], [1, 0, 1, 1, 0], [0, 0, 1, 0, 1]];
const ONCE = [[8, 0, 0, 0, 0], [1, 0, 0, 0, 0], NOTHING];
const FIRST = [[3, 5, 2, -4, 1], NOTHING, NOTHING];
const COUNT = [1, 2, 3, 4, 5];

// A task wants the output a or the memory c to be this, of these inputs, or of any (null).
const EXAMPLES = {
  lecture: { x: BOARD, w: LECTURE },
  counter: { x: [[1, 0, 1, 1, 0], NOTHING, NOTHING], w: ADDING },
  adder: { x: MARKED, w: KEEPING },
  leak: { x: ONCE, w: LEAKING },
  never: { x: BOARD, w: KEEPING },
  task_1: { x: BOARD.with(2, NOTHING), w: LECTURE, a: [[null, [0, 0, 0, 7, 0]]] },
  task_2: { x: BOARD, w: LECTURE, c: [[BOARD, [3, 7, 7, 7, 7]]] },
  task_3: { x: ONCE, w: LECTURE, c: [[ONCE, [8, 4, 2, 1, 0.5]]] },
  task_4: { x: BOARD, w: cell({}), a: [[BOARD, COUNT], [MARKED, COUNT], [ONCE, COUNT]] },
  task_5: { x: SUMS, w: cell({}), a: [[SUMS, [0, 0, 7, 0, 9]], [MARKED, [0, 0, 0, 0, 13]]] },
  task_6: { x: FIRST, w: ADDING, c: [[FIRST, [3, 3, 3, 3, 3]], [ONCE, [8, 8, 8, 8, 8]]] },
};

// "4·1 + 100·1 − 10": a weighted sum, but for weights of 0, and what is added to it.
function sumOf(weights, values, ...more) {
  const terms = weights.flatMap((weight, k) =>
    weight ? `${written(weight)}·${written(values[k])}` : []);
  return [...terms, ...more.map(written)].join(" + ").replaceAll("+ −", "− ") || "0";
}

function word({ i, f, o }) {
  const [reset, write, read, hold] = t("words").split(" ");
  return [f < 0.5 && reset, i > 0.5 && write, o > 0.5 && read].filter(Boolean).join(" ") || hold;
}

// To each of z, z_i, z_f, z_o: the weights from x1, x2, x3, the bias and the weight from a.
const toGates = (w) => transposed(split(w.slice(0, 20), 5));

const LSTM_BOARD = {
  least: 5, examples: EXAMPLES, slider: { min: -100, max: 100, step: 0.5 },
  tables: [
    { title: "weights", rows: ROWS.slice(0, 4), columns: GATES, open: true },
    { title: "fedBack", rows: ["a"], columns: GATES },
    { title: "peepholes", rows: ["c"], columns: GATES.slice(1) },
  ],
  run(w, x) {
    const [z, z_i, z_f, z_o] = toGates(w);
    const [x1, x2, x3, b, U] = transposed([z_i, z_f, z, z_o]);
    const [g, h] = [inputs.g, inputs.h].map(({ value }) => (value === "tanh" ? Math.tanh : linear));
    const steps = lstm(x, { W: [...x1, ...x2, ...x3], U, b, P: w.slice(20) }, g, h);
    const only = ([name, [value]]) => [name, value]; // of the one cell
    return steps.map((step) => Object.fromEntries(Object.entries(step).map(only)));
  },
  picture: (steps) => [
    ["word", "", steps.map(word)],
    ["number", t("output"), steps.map(({ a }) => a)], ["bar", t("memory"), steps.map(({ c }) => c)],
    ...["i", "f", "o"].map((gate) => ["gate", t(gate), steps.map((step) => step[gate])]),
  ],
  arithmetic(w, x, now, before = { a: 0, c: 0 }) {
    const gates = toGates(w).map(([x1, x2, x3, bias, a], k) => {
      const name = GATES[k];
      const seen = [...x, before.a, (name === "z_o" ? now : before).c];
      const sum = sumOf([x1, x2, x3, a, k && w[19 + k]], seen, bias);
      const [f, gate] = name === "z" ? ["g", now.gz] : ["f", now[name.at(-1)]];
      return `${name} = ${sum} = ${written(now[name])}, ${f}(${name}) = ${written(gate)}`;
    });
    const memory = sumOf([now.gz, before.c], [now.i, now.f]);
    return [
      ...gates, `c′ = g(z) f(z_i) + c f(z_f) = ${memory} = ${written(now.c)}`,
      `a = h(c′) f(z_o) = ${sumOf([now.hc], [now.o])} = ${written(now.a)}`,
    ];
  },
};
