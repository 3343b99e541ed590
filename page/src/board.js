import { button, element, MOST, numberField, row, select, topRow } from "./dom.js";
import { t } from "./i18n.js";
import { linear } from "./maths.js";
import { picture } from "./picture.js";
import { numbersIn } from "./state.js";

const MOST_STEPS = 12;
const FUNCTIONS = { linear, tanh: Math.tanh };
const INPUT = { min: -10, max: 10, step: 1 };

// A network to move, in `place`: picture, arithmetic, weights. It has `width` (numbers a step),
// `least` (steps), `presets` (inputs and weights w, by name), `functions` (names to choose from)
// and whether steps are `swappable`; run(w, inputs, ...functions) gives an object per step, rows()
// what `picture` shows above the inputs, arithmetic(state, steps, step) lines of text, and tables()
// the weights: title, rows, columns, first (place in w), slider, folded. The state's task, if any,
// locks inputs that aren't free.
export function board(place, network, changed) {
  const state = {};
  const arithmetic = element("div", { className: "arithmetic", id: `${place.id}-arithmetic` });
  const note = element("p");
  let refreshes, drawn, steps, presets;
  let chosen = 0;

  function take({ inputs, w }, names = {}, task = null) {
    Object.assign(state, { inputs: inputs.map((x) => [...x]), w: [...w], task });
    for (const f of network.functions) state[f] = names[f] === "tanh" ? "tanh" : "linear";
  }

  const locked = () => Boolean(state.task && !state.task.free);
  const run = (inputs) => {
    return network.run(state.w, inputs, ...network.functions.map((f) => FUNCTIONS[state[f]]));
  };

  function show() {
    steps = run(state.inputs);
    refreshes.forEach((refresh) => refresh());
    const same = Object.entries(network.presets).find(([, { inputs, w }]) => {
      return !state.task && `${inputs} ${w}` === `${state.inputs} ${state.w}`;
    });
    presets.value = same ? same[0] : "";
    note.textContent = same ? t(`note_${same[0]}`) : "";
    point(chosen);
    changed();
  }

  function point(step) {
    chosen = Math.min(step, steps.length - 1);
    drawn.draw(steps, chosen);
    const lines = network.arithmetic(state, steps, chosen).map((line) => element("div", {}, line));
    arithmetic.replaceChildren(element("strong", {}, t("step", chosen + 1)), ...lines);
  }

  function field(label, slider, numbers, k, disabled) {
    const made = numberField(label, slider, numbers, k, show, disabled);
    refreshes.push(made.refresh);
    return made.field;
  }

  function inputRow(_, k) {
    const label = (step) => t("inputAt", k + 1, step + 1);
    const cell = (step) => field(label(step), INPUT, state.inputs[step], k, locked());
    return { label: `x${k + 1}`, kind: "input", cell };
  }

  function swapButton(step) {
    const swap = () => {
      const [one, other] = state.inputs.slice(step, step + 2);
      [...one].forEach((value, k) => ([one[k], other[k]] = [other[k], value]));
      show();
    };
    const last = step === state.inputs.length - 1;
    return last ? "" : button("⇄", swap, { "aria-label": t("swap", step + 1, step + 2) });
  }

  function weightTable({ title, rows, columns, first, slider, folded }) {
    const body = rows.map((name, r) => row(name, columns.map((column, k) => {
      const place = first + r * columns.length + k;
      return element("td", {}, field(t("weight", name, column), slider, state.w, place));
    })));
    const table = element("table", { className: "weights" }, topRow(columns), ...body);
    return element("details", { open: !folded }, element("summary", {}, title), table);
  }

  function build() {
    refreshes = [];
    const names = Object.keys(network.presets).map((name) => [name, t(`preset_${name}`)]);
    presets = select(t("preset"), [["", t("own")], ...names], "", (name) => {
      if (name) take(network.presets[name]);
      build();
      presets.focus();
    });
    const swap = network.swappable ? [{ label: "", kind: "swap", cell: swapButton }] : [];
    const rows = [...network.rows(), ...state.inputs[0].map(inputRow), ...swap];
    const describe = { "aria-describedby": arithmetic.id };
    const heads = state.inputs.map((_, step) => button(t("step", step + 1), null, describe));
    drawn = picture(heads, rows, point);
    const choices = network.functions.map((f) => {
      const both = [["linear", t("linear")], ["tanh", "tanh"]];
      return select(f, both, state[f], (name) => show((state[f] = name))).parentElement;
    });
    const count = state.inputs.length;
    const fewer = () => build(state.inputs.pop());
    const more = () => build(state.inputs.push(state.inputs[0].map(() => 0)));
    const left = element("div", {}, presets.parentElement, note,
      element("div", { className: "wide" }, drawn.table),
      element("p", {},
        button(t("fewer"), fewer, { disabled: locked() || count <= network.least }), " ",
        button(t("more"), more, { disabled: locked() || count >= MOST_STEPS }), " ",
        ...choices));
    place.replaceChildren(left,
      element("div", {}, arithmetic, ...network.tables().map(weightTable)));
    show();
  }

  // What the address holds of this network, and back; what doesn't fit is taken from `start`.
  const settings = () => ({
    x: state.inputs.flat().join(" "), w: state.w.join(" "),
    ...Object.fromEntries(network.functions.map((f) => [f, state[f]])),
  });

  function read({ x, w, ...names }, start, task) {
    const { width, least } = network;
    const flat = numbersIn(x, { least: least * width, most: MOST_STEPS * width, limit: MOST });
    const fits = flat && flat.length % width === 0 && (!task || task.free);
    const inputs = fits
      ? flat.flatMap((_, k) => (k % width ? [] : [flat.slice(k, k + width)])) : start.inputs;
    const weights = numbersIn(w, { least: start.w.length, limit: MOST }) ?? start.w;
    take({ inputs, w: weights }, names, task);
  }

  return { state, run, take, build, settings, read };
}
