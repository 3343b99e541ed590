export const MOST = 10000; // what may be entered, up or down
export const part = (id) => document.getElementById(id);

// An element with properties, attributes ("aria-label") and children; texts are never markup.
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

export const button = (text, onclick, more = {}) => {
  return element("button", { type: "button", onclick, ...more }, text);
};

// Rows of a table: its head, with an empty corner, and one with a label.
export const topRow = (heads) => element("tr", {}, element("td"), ...heads.map((head) => {
  return element("th", { scope: "col" }, ...[head].flat());
}));
export const row = (label, cells) => element("tr", {},
  element("th", { scope: "row" }, ...[label].flat()), ...cells);

// A select of texts, each [value, text]; its parent is the label.
export function select(label, texts, value, choose) {
  const option = ([each, text]) => element("option", { value: each }, text);
  const made = element("select", {}, ...texts.map(option));
  made.onchange = () => choose(made.value);
  made.value = value;
  element("label", {}, `${label} `, made);
  return made;
}

// numbers[k], to type and to slide; `changed` is called after. `refresh` shows it anew.
export function numberField(label, slider, numbers, k, changed, disabled = false) {
  const entered = ({ target: { valueAsNumber } }) => {
    if (!Number.isFinite(valueAsNumber)) return;
    numbers[k] = Math.max(-MOST, Math.min(MOST, valueAsNumber));
    changed();
  };
  const common = { "aria-label": label, oninput: entered, disabled };
  const slid = element("input", { type: "range", ...slider, ...common });
  const show = () => (typed.value = Number(numbers[k].toFixed(4)));
  const typed = element("input", { type: "number", step: "any", ...common, onblur: show });
  const refresh = () => {
    slid.value = numbers[k];
    if (document.activeElement !== typed) show();
  };
  return { field: element("span", { className: "field" }, typed, slid), refresh };
}
