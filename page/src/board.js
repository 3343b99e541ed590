const [MOST_STEPS, MOST] = [12, 1e4];
const FUNCTIONS = { linear, tanh: Math.tanh };
const number = (text) => Math.max(-MOST, Math.min(MOST, Number(text) || 0));

// How a step's value of each kind is shown; a bar needs those of all steps.
const CELLS = {
  word: (word) => element("td", { class: "word" }, word),
  number: (value) => element("td", { class: "number" }, written(value)),
  gate: (value) => element("td", { class: "gate", style: `--open: ${value}` },
    element("i"), written(value)),
  bar(value, _, values) { // from 0 up or down, on a scale that all steps share
    const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
    const share = (level) => `${(100 * (high - level)) / (high - low || 1)}%`;
    const [top, bottom] = [share(Math.max(value, 0)), share(Math.min(value, 0))];
    const style = `inset: ${top} 0 calc(100% - ${bottom})`;
    const bar = element("i", { class: value < 0 ? "below" : "", style });
    const label = element("span", { style: `top: ${top}` }, written(value));
    return element("td", { class: "bar" }, element("div", {}, bar, label));
  },
};

// A number to type, by this name, and to slide.
function numberField(name, label, slider, value) {
  const slid = element("input", { type: "range", "aria-label": label, ...slider, value });
  const typed = element("input", { type: "number", "aria-label": label, step: "any", name, value });
  slid.oninput = () => (typed.value = slid.value);
  typed.oninput = () => (slid.value = number(typed.value));
  return element("td", {}, element("span", { class: "field" }, typed, slid));
}

// A network to move, in the section of this id: a note, a picture, its arithmetic, its weights. It
// has `least` (steps), `examples` (by the key of a text: x, a row of numbers for each input, and w,
// all weights), `functions` (names of selects), the weights' `slider`, and may be `swappable`.
// run(w, x, ...functions) gives an object per step, rows() what is shown above the inputs: kind,
// label, values(steps); arithmetic(w, x, steps, step) lines of text, tables() groups of weights:
// title, rows, columns, open; and solved(example, x, run) whether a task is done.
function board(id, network) {
  const [note, solved] = [element("span"), element("strong", { role: "status" })];
  const table = element("div", { class: "wide" });
  const arithmetic = element("div", { class: "arithmetic", id: `${id}-arithmetic` });
  const weights = element("div");
  const sides = element("div", { class: "sides" }, table, element("div", {}, arithmetic, weights));
  part(id).append(element("p", {}, note, " ", solved), sides);
  const [names, length] = [inputs[id], inputs[`${id}_steps`]];
  const example = () => network.examples[names.value];
  let [drawn, columns, chosen] = [null, null, 0];

  const numbers = (name) => [...inputs[`${id}_${name}`]].map(({ value }) => number(value));
  const rows = () => split(numbers("x"), example().x.length);
  const run = (x) => {
    const functions = network.functions.map((name) => FUNCTIONS[inputs[name].value]);
    return network.run(numbers("w"), transposed(x), ...functions);
  };

  function show(step = chosen) {
    const x = rows();
    const steps = run(x);
    chosen = Math.min(step, steps.length - 1);
    columns.forEach((column, k) => (column.className = k === chosen + 1 ? "chosen" : ""));
    drawn.replaceChildren(...network.rows().map(({ kind, label, values }) =>
      row(label, values(steps).map(CELLS[kind]))));
    const lines = network.arithmetic(numbers("w"), transposed(x), steps, chosen);
    const shown = lines.map((line) => element("div", {}, line));
    arithmetic.replaceChildren(element("strong", {}, t("step", chosen + 1)), ...shown);
    note.textContent = t(names.value);
    solved.textContent = network.solved(example(), x, run) ? t("solved") : "";
  }

  // Show the arithmetic of a step that is pointed at, clicked or focused.
  const point = ({ target }) => {
    const step = (target.closest("td, th")?.cellIndex ?? 0) - 1;
    if (step >= 0 && step !== chosen) show(step);
  };
  for (const event of ["pointerover", "click", "focusin"]) table.addEventListener(event, point);

  // Change the inputs of a step and of the next one.
  function swapButton(_, step) {
    const onclick = () => rows().forEach(({ [step]: one, [step + 1]: other, length: count }, k) => {
      const place = k * count + step;
      enter(inputs[`${id}_x`][place], other);
      enter(inputs[`${id}_x`][place + 1], one);
    });
    const button = { type: "button", onclick, "aria-label": t("swap", step + 1, step + 2) };
    return element("td", {}, element("button", button, "⇄"));
  }

  // Inputs that hold these numbers, below a picture of the network.
  function layOut(x) {
    Object.assign(length, { min: network.least, max: MOST_STEPS });
    length.value = x[0].length;
    const slider = { min: -10, max: 10, step: 1 };
    const field = (k) => (value, step) =>
      numberField(`${id}_x`, t("inputAt", k + 1, step + 1), slider, value);
    const own = x.map((values, k) => row(`x${k + 1}`, values.map(field(k))));
    if (network.swappable) own.push(row("", [...x[0].slice(1).map(swapButton), element("td")]));
    const describe = { type: "button", "aria-describedby": arithmetic.id };
    const heads = x[0].map((_, step) => element("button", describe, t("step", step + 1)));
    columns = ["", ...heads].map(() => element("col"));
    drawn = element("tbody");
    const style = `min-width: ${4.4 + 2.8 * heads.length}rem`; // narrower, it scrolls
    const all = [element("colgroup", {}, ...columns), topRow(heads), drawn, ...own];
    table.replaceChildren(element("table", { class: "picture", style }, ...all));
  }

  function weigh(w) {
    const left = [...w];
    weights.replaceChildren(...network.tables().map(({ title, rows: names, columns, open }) => {
      const body = names.map((name) => row(name, columns.map((column) => {
        const label = t("weight", name, column);
        return numberField(`${id}_w`, label, network.slider, left.shift());
      })));
      const all = element("table", {}, topRow(columns), ...body);
      return element("details", { open: Boolean(open) }, element("summary", {}, t(title)), all);
    }));
  }

  // What the address holds, where it fits the example.
  function build(settings) {
    const options = Object.keys(network.examples).map((key) => [key, t(key).split(/[:：]/)[0]]);
    offer(names, options, settings[id]);
    const [x, w] = ["x", "w"].map((name) => settings[`${id}_${name}`]?.split(" ").map(number));
    const own = example();
    const steps = x?.length / own.x.length;
    const fits = steps % 1 === 0 && steps >= network.least && steps <= MOST_STEPS;
    layOut(fits ? split(x, own.x.length) : own.x);
    weigh(w?.length === own.w.length ? w : own.w);
    show();
  }

  function changed(input) {
    part(id).hidden = inputs.tab.value !== id;
    if (input === names) build({ [id]: names.value });
    const resized = (values) => upTo(Number(length.value)).map((k) => values[k] ?? 0);
    if (input === length) layOut(rows().map(resized));
    show();
  }

  return { build, changed };
}
