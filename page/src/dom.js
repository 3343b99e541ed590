const part = (id) => document.getElementById(id);

// An element with properties or attributes ("aria-label"), and children; texts are never markup.
function element(tag, properties = {}, ...children) {
  const drawn = ["path", "text"].includes(tag); // in an svg
  const space = `http://www.w3.org/${drawn ? "2000/svg" : "1999/xhtml"}`;
  const made = document.createElementNS(space, tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made && !drawn) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// Rows of a table: its head, with an empty corner, and one with a label.
const head = (scope) => (content) => element("th", { scope }, ...[content].flat());
const topRow = (heads) => element("tr", {}, element("td"), ...heads.map(head("col")));
const row = (label, cells) => element("tr", {}, head("row")(label), ...cells);

// Fill a select with options, [value, text] each: one is chosen, or the first; its label is hidden
// where there is no choice.
function offer(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) =>
    element("option", { value, selected: value === chosen }, text)));
  select.parentElement.hidden = options.length < 2;
}

// Put a value into an input, as if it were typed.
function enter(input, value) {
  input.value = value;
  for (const kind of ["input", "change"]) input.dispatchEvent(new Event(kind, { bubbles: true }));
}
