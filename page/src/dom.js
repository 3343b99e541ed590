export const MOST = 10000; // what may be entered, up or down

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

// A select of texts by name; its parent is the label.
export function select(label, texts, choose) {
  const options = Object.entries(texts).map(([value, text]) => element("option", { value }, text));
  const made = element("select", { onchange: () => choose(made.value) }, ...options);
  element("label", {}, `${label} `, made);
  return made;
}

// A number to type and to slide. `set` gets what is entered; `refresh` shows what `get` returns.
export function numberField(label, slider, get, set, disabled = false) {
  const entered = ({ target }) => {
    const value = target.valueAsNumber;
    if (Number.isFinite(value)) set(Math.max(-MOST, Math.min(MOST, value)));
  };
  const common = { "aria-label": label, oninput: entered, disabled };
  const typed = element("input", { type: "number", step: "any", ...common });
  const slid = element("input", { type: "range", ...slider, ...common });
  const show = () => (typed.value = Number(get().toFixed(4)));
  typed.addEventListener("blur", show);
  const refresh = () => {
    slid.value = get();
    if (document.activeElement !== typed) show();
  };
  return { field: element("span", { className: "field" }, typed, slid), refresh };
}
