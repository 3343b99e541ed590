import { button, element, MOST, numberField, select } from "./dom.js";
import { t } from "./i18n.js";
import { linear } from "./maths.js";
import { picture } from "./picture.js";
import { numbersIn } from "./state.js";

const MOST_STEPS = 12;
const FUNCTIONS = { linear, tanh: Math.tanh };
const INPUT = { min: -10, max: 10, step: 1 };

// A network to move, in `place`: its picture, its arithmetic, its weights. The state is inputs
// (steps of numbers), weights w in one row, and names of functions. The network has
//     width, least            numbers per step; steps at least
//     presets                 by name, each inputs and w
//     functions               names of those to choose, such as ["g", "h"]
//     run(w, inputs, functions)             an object per step
//     rows()                                of the picture, above the inputs
//     arithmetic(state, functions, steps, step)   lines of text
//     tables()                of weights: title, rows, columns, first (place in w), slider, folded
//     swappable               whether buttons swap two steps
export function board(place, network, changed) {
  const state = { locked: false };
  const arithmetic = element("div", { className: "arithmetic", id: `${place.id}-arithmetic` });
  const note = element("p");
  let fields, draw, steps, presets;
  let chosen = 0;

  function take({ inputs, w }, names = {}, locked = false) {
    Object.assign(state, { inputs: inputs.map((x) => [...x]), w: [...w], locked });
    for (const f of network.functions) state[f] = names[f] === "tanh" ? "tanh" : "linear";
  }

  const functions = () => {
    return Object.fromEntries(network.functions.map((f) => [f, FUNCTIONS[state[f]]]));
  };
  const run = (inputs) => network.run(state.w, inputs, functions());

  function show() {
    steps = run(state.inputs);
    fields.forEach((refresh) => refresh());
    const same = Object.keys(network.presets).find((name) => ["inputs", "w"].every((part) => {
      return String(state[part]) === String(network.presets[name][part]);
    }));
    presets.value = state.locked ? "" : (same ?? "");
    note.textContent = presets.value ? t(`note_${same}`) : "";
    point(chosen);
    changed();
  }

  function point(step) {
    chosen = Math.min(step, steps.length - 1);
    draw(steps, chosen);
    const lines = network.arithmetic(state, functions(), steps, chosen);
    arithmetic.replaceChildren(
      element("strong", {}, t("step", chosen + 1)),
      ...lines.map((line) => element("div", {}, line)));
  }

  function field(label, slider, numbers, place, off) {
    const set = (value) => {
      numbers[place] = value;
      show();
    };
    const made = numberField(label, slider, () => numbers[place], set, off);
    fields.push(made.refresh);
    return made.field;
  }

  function inputRow(_, k) {
    const label = (step) => t("inputAt", k + 1, step + 1);
    const cell = (step) => field(label(step), INPUT, state.inputs[step], k, state.locked);
    return { label: `x${k + 1}`, kind: "input", cell };
  }

  function swapButton(step) {
    if (step === state.inputs.length - 1) return "";
    return button("⇄", () => {
      const [one, other] = [state.inputs[step], state.inputs[step + 1]].map((x) => [...x]);
      Object.assign(state.inputs[step], other);
      Object.assign(state.inputs[step + 1], one);
      show();
    }, { "aria-label": t("swap", step + 1, step + 2) });
  }

  function weightTable({ title, rows, columns, first, slider, folded }) {
    const body = rows.map((name, row) => element("tr", {},
      element("th", { scope: "row" }, name),
      ...columns.map((column, k) => {
        const number = first + row * columns.length + k;
        return element("td", {}, field(t("weight", name, column), slider, state.w, number));
      })));
    const top = columns.map((name) => element("th", { scope: "col" }, name));
    const table = element("table", { className: "weights" },
      element("tr", {}, element("td"), ...top), ...body);
    const moved = state.w.slice(first, first + rows.length * columns.length).some(Boolean);
    return element("details", { open: !folded || moved }, element("summary", {}, title), table);
  }

  function build() {
    fields = [];
    presets = select(t("preset"), { "": t("own"), ...Object.fromEntries(
      Object.keys(network.presets).map((name) => [name, t(`preset_${name}`)])) }, (name) => {
      if (name) take(network.presets[name]);
      build();
      presets.focus();
    });
    const table = element("table", { className: "picture" });
    const swap = network.swappable ? [{ label: "", kind: "swap", cell: swapButton }] : [];
    const rows = [...network.rows(), ...state.inputs[0].map(inputRow), ...swap];
    const describe = { "aria-describedby": arithmetic.id };
    const heads = state.inputs.map((_, step) => button(t("step", step + 1), () => {}, describe));
    draw = picture(table, heads, rows, point);
    const count = state.inputs.length;
    const fewer = () => build(state.inputs.pop());
    const more = () => build(state.inputs.push(state.inputs[0].map(() => 0)));
    const choices = network.functions.map((f) => {
      const names = { linear: t("linear"), tanh: "tanh" };
      const chooser = select(f, names, (name) => show((state[f] = name)));
      chooser.value = state[f];
      return chooser.parentElement;
    });
    const left = element("div", {}, presets.parentElement, note,
      element("div", { className: "wide" }, table),
      element("p", {},
        button(t("fewer"), fewer, { disabled: state.locked || count <= network.least }), " ",
        button(t("more"), more, { disabled: state.locked || count >= MOST_STEPS }), " ",
        ...choices));
    const right = element("div", {}, arithmetic, ...network.tables().map(weightTable));
    place.replaceChildren(left, right);
    show();
  }

  // What the address holds of this network, and back; what doesn't fit is left out.
  const settings = () => ({
    x: state.inputs.flat().join(" "), w: state.w.join(" "),
    ...Object.fromEntries(network.functions.map((f) => [f, state[f]])),
  });

  function read({ x, w, ...names }, start, locked) {
    const { width, least } = network;
    const flat = numbersIn(x, { least: least * width, most: MOST_STEPS * width, limit: MOST });
    const inputs = flat && flat.length % width === 0 && !locked
      ? flat.flatMap((_, k) => (k % width ? [] : [flat.slice(k, k + width)]))
      : start.inputs;
    take({ inputs, w: numbersIn(w, { least: start.w.length, limit: MOST }) ?? start.w }, names, locked);
  }

  return { state, run, take, build, settings, read };
}
