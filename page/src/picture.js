import { element, row, topRow } from "./dom.js";
import { written } from "./maths.js";

// How a cell of each kind of row shows its value; a bar needs those of all steps.
const DRAW = {
  word: (cell, word) => (cell.textContent = word),
  number: (cell, value) => (cell.textContent = written(value)),
  gate(cell, value) {
    cell.replaceChildren(element("i"), written(value));
    cell.style.setProperty("--open", value);
  },
  bar(cell, value, values) { // from 0 up or down, on a scale that all steps share
    const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
    const share = (level) => `${(100 * (high - level)) / (high - low || 1)}%`;
    const bar = element("i", { className: value < 0 ? "below" : "" });
    bar.style.inset = `${share(Math.max(value, 0))} 0 calc(100% - ${share(Math.min(value, 0))})`;
    const label = element("span", {}, written(value));
    label.style.top = share(Math.max(value, 0));
    cell.replaceChildren(element("div", {}, bar, label));
  },
};

// A table of a network over its steps, a column each, and a function that draws steps, one chosen.
// A row has a label, a kind, and either `values(steps)`, what to `DRAW`, or `cell(step)`, what to
// put there for good. A step that is pointed at, clicked or focused is given to `choose`.
export function picture(heads, rows, choose) {
  const cells = rows.map(({ kind, cell }) => heads.map((_, step) => {
    return element("td", { className: kind }, cell?.(step) ?? "");
  }));
  const lines = [topRow(heads), ...rows.map(({ label }, k) => row(label, cells[k]))];
  const table = element("table", { className: "picture" }, ...lines);
  table.style.minWidth = `${4.4 + 2.8 * heads.length}rem`; // narrower, it scrolls
  for (const event of ["pointerover", "click", "focusin"]) {
    table.addEventListener(event, ({ target }) => {
      const step = target.closest("td, th").cellIndex - 1;
      if (step >= 0) choose(step);
    });
  }
  const draw = (steps, chosen) => {
    rows.forEach(({ kind, values }, k) => values && steps.forEach((_, step) => {
      DRAW[kind](cells[k][step], values(steps)[step], values(steps));
    }));
    lines.forEach((line) => [...line.cells].forEach((cell, k) => {
      cell.classList.toggle("chosen", k === chosen + 1);
    }));
  };
  return { table, draw };
}
