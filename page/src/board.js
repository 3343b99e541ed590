const MOST = 1e4;
const number = (text) => Math.max(-MOST, Math.min(MOST, Number(text) || 0));

// A row of the picture: of words, numbers, gates or bars, which share a scale from 0 up and down.
// The style sheet draws them.
function pictureRow([kind, label, values]) {
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const scale = `--high: ${high}; --range: ${high - low || 1}`;
  return row(label, values.map((value) => {
    const text = kind === "word" ? value : written(value);
    return element("td", { class: kind, style: `--value: ${value}; ${scale}` }, text);
  }));
}

// A number to type, by this name, and to slide.
function numberField(name, label, slider, value) {
  const slid = element("input", { type: "range", "aria-label": label, ...slider, value });
  const typed = element("input", { type: "number", "aria-label": label, step: "any", name, value });
  slid.oninput = () => (typed.value = slid.value);
  typed.oninput = () => (slid.value = number(typed.value));
  return element("td", {}, element("span", { class: "field" }, typed, slid));
}

// A network to move, of the chosen tab: a note, a picture, its arithmetic, its weights. It has
// `examples` by the key of a text: x (a row of numbers for each input), w (all weights), and of a
// task what is wanted; the `least` steps; the weights' `tables` (title, rows, columns, open) and
// `slider`; and may be `swappable`. run(w, x) gives an object per step, picture(steps) what is above
// the inputs: kind, label, values; arithmetic(w, x, now, before) lines of text for a step.
const network = () => NETWORKS[inputs.tab.value];
const [examples, stepCount, picture] = [part("examples"), part("steps"), part("picture")];
let chosen = 0; // the step whose arithmetic is shown

const nameOf = (what) => `${inputs.tab.value}_${what}`;
const numbers = (what) => [...inputs[nameOf(what)]].map(({ value }) => number(value));
const example = () => network().examples[examples.value];
const rows = () => split(numbers("x"), example().x.length);
const run = (x) => network().run(numbers("w"), transposed(x));

const isSolved = (task) => ["a", "c"].some((name) => task[name]?.every(([x, wanted]) =>
  run(x ?? rows()).every((step, k) => Math.abs(step[name] - (wanted[k] ?? 0)) < 0.05)));

function show(step = chosen) {
  const steps = run(rows());
  chosen = Math.min(step, steps.length - 1);
  picture.querySelector("col").span = chosen + 1; // those before it
  picture.tBodies[0].replaceChildren(...network().picture(steps).map(pictureRow));
  const x = transposed(rows())[chosen];
  const lines = network().arithmetic(numbers("w"), x, steps[chosen], steps[chosen - 1]);
  const title = element("strong", {}, t("step", chosen + 1));
  part("arithmetic").replaceChildren(title, ["", ...lines].join("\n"));
  part("note").textContent = t(examples.value);
  part("solved").textContent = isSolved(example()) ? t("solved") : "";
}

// Show the arithmetic of a step that is pointed at or focused.
for (const event of ["pointerover", "focusin"]) {
  picture.addEventListener(event, ({ target }) => {
    const step = target.closest("td, th")?.cellIndex - 1;
    if (step >= 0 && step !== chosen) show(step);
  });
}

// Change the inputs of a step and of the next one.
function swap(step) {
  const [these, next] = [step, step + 1].map((k) =>
    [...picture.querySelectorAll(`td:nth-child(${k + 2}) [name]`)]);
  const values = [...these, ...next].map(({ value }) => value);
  [...next, ...these].forEach((input, k) => enter(input, values[k]));
}

// Inputs that hold these numbers, below a picture of the network.
function layOut(x) {
  stepCount.value = x[0].length;
  const slider = { min: -10, max: 10, step: 1 };
  const field = (k) => (value, step) =>
    numberField(nameOf("x"), t("inputAt", k + 1, step + 1), slider, value);
  const own = x.map((values, k) => row(`x${k + 1}`, values.map(field(k))));
  const swapButton = (_, k) => element("td", {}, element("button",
    { type: "button", onclick: () => swap(k), "aria-label": t("swap", k + 1, k + 2) }, "⇄"));
  if (network().swappable) own.push(row("", [...x[0].slice(1).map(swapButton), element("td")]));
  const describe = { type: "button", "aria-describedby": "arithmetic" };
  const heads = x[0].map((_, step) => element("button", describe, t("step", step + 1)));
  picture.style.minWidth = `${4.4 + 2.8 * heads.length}rem`; // narrower, it scrolls
  const columns = [element("col"), element("col", { class: "chosen" })];
  picture.replaceChildren(...columns, topRow(heads), element("tbody"), ...own);
}

function weigh(w) {
  const left = [...w];
  const { tables, slider } = network();
  part("weights").replaceChildren(...tables.map(({ title, rows: names, columns, open }) => {
    const body = names.map((name) => row(name, columns.map((column) =>
      numberField(nameOf("w"), t("weight", name, column), slider, left.shift()))));
    const all = element("table", {}, topRow(columns), ...body);
    return element("details", { open: Boolean(open) }, element("summary", {}, t(title)), all);
  }));
}

// What the settings hold, where it fits the example.
function build(settings) {
  Object.assign(stepCount, { name: nameOf("steps"), min: network().least });
  examples.name = inputs.tab.value;
  const keys = Object.keys(network().examples);
  offer(examples, keys.map((key) => [key, t(key).split(/[:：]/)[0]]), settings[examples.name]);
  const [x, w] = ["x", "w"].map((what) => settings[nameOf(what)]?.split(" ").map(number));
  const own = example();
  stepCount.value = x?.length / own.x.length; // it takes what is within its bounds
  layOut(stepCount.value * own.x.length === x?.length ? split(x, own.x.length) : own.x);
  weigh(w?.length === own.w.length ? w : own.w);
  show();
}

function changed(input) {
  if (input.name === "tab") return build(held());
  if (input === examples) return build({ [examples.name]: examples.value });
  const resized = (values) => upTo(Number(stepCount.value)).map((k) => values[k] ?? 0);
  if (input === stepCount) layOut(rows().map(resized));
  return show();
}
