// How a cell of each kind shows its value; a bar needs those of all steps.
const DRAW = {
  word: (cell, word) => (cell.textContent = word),
  number: (cell, value) => (cell.textContent = written(value)),
  gate(cell, value) {
    cell.replaceChildren(element("i", { style: `--open: ${value}` }), written(value));
  },
  bar(cell, value, values) { // from 0 up or down, on a scale that all steps share
    const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
    const share = (level) => `${(100 * (high - level)) / (high - low || 1)}%`;
    const [top, bottom] = [share(Math.max(value, 0)), share(Math.min(value, 0))];
    const style = `inset: ${top} 0 calc(100% - ${bottom})`;
    const bar = element("i", { class: value < 0 ? "below" : "", style });
    const label = element("span", { style: `top: ${top}` }, written(value));
    cell.replaceChildren(element("div", {}, bar, label));
  },
};

// A table of a network over its steps, a column each, and a function that draws steps, one chosen.
// A row has a label and either what to `draw`, and values(steps), or `cells`, which stay. A step
// that is pointed at, clicked or focused is given to `choose`.
function picture(heads, rows, choose) {
  const made = rows.map(({ cells = heads.map(() => ""), draw = "" }) =>
    cells.map((content) => element("td", { class: draw }, content)));
  const lines = [topRow(heads), ...rows.map(({ label }, k) => row(label, made[k]))];
  const style = `min-width: ${4.4 + 2.8 * heads.length}rem`; // narrower, it scrolls
  const table = element("table", { class: "picture", style }, ...lines);
  table.onpointerover = table.onclick = ({ target }) => {
    const step = target.closest("td, th").cellIndex - 1;
    if (step >= 0) choose(step);
  };
  table.addEventListener("focusin", table.onclick);
  const show = (steps, chosen) => {
    rows.forEach(({ draw, values }, k) => values?.(steps).forEach((value, step, all) => {
      DRAW[draw](made[k][step], value, all);
    }));
    lines.forEach((line) => [...line.cells].forEach((cell, k) => {
      cell.classList.toggle("chosen", k === chosen + 1);
    }));
  };
  return { table, show };
}
