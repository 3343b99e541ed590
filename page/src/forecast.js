const HORIZONS = { 24: 48, 7: 28, 6: 24, 5: 20, 12: 12, 52: 13 }; // by season
const [MOST_STEPS, MOST_BYTES] = [1000, 2e7];
const ALIKE = [0, 2, 5, 6, 7, 8, 9, 10, 12, 13]; // simple forecasts with one colour, by the edges
const { arrays: weights } = readSafetensors(part("forecaster").textContent);
const csv = (name, values) => [name, ...values.map((value) => value.toFixed(3))].join("\n");
const drawing = new Array(96).fill(0);
const sources = { // and the file, once there is one
  greensboro: () => atob(part("weather_greensboro").textContent),
  sine: () => csv("sine", upTo(400).map((k) => Math.sin(k / 6) + 0.4 * Math.sin(k ** 2))),
  drawing: () => csv("drawing", drawing),
};
let series, panel, forecastAt, found, pointedAt, drawnTo, opened;
let learning; // the newest run of `learnOn`

const shortly = (k) => series.textAt(k).replace(/^(.{10}) 00:00:00$|^(.{16}):00$/, "$1$2");

function stepText([count, unit]) {
  if (unit === "row" || unit === "weekday") return t(unit);
  const style = { style: "unit", unit, unitDisplay: "long" };
  return new Intl.NumberFormat(document.documentElement.lang, style).format(count);
}

// Read the source; offer its columns and series, horizon and origin: the settings' or the usual.
function read(settings) {
  if (!sources[inputs.data.value]) inputs.data.value = "greensboro";
  const table = readTable(sources[inputs.data.value](), inputs.decimal.value);
  const choice = (input, values, first = []) =>
    offer(input, [...first, ...values.map((value) => [value, value])], settings[input.name]);
  const named = (kind) =>
    Object.keys(table.columns).filter((name) => name && table.columns[name].kind === kind);
  choice(inputs.column, named("number"));
  const repeated = named("number").filter((name) => name !== inputs.column.value
    && new Set(table.columns[name].texts).size < table.lines.length / FEWEST);
  choice(inputs.group, [...named("text"), ...repeated], [["", t("one")]]);
  const rows = rowsOf(table, inputs.group.value);
  choice(inputs.series, [...rows.keys()]);
  if (!named("number").length) throw new Said(t("noNumbers"));
  series = seriesOf(table, inputs.column.value, rows.get(inputs.series.value));
  const { values, season, length, step } = series;
  const usual = HORIZONS[season] ?? (season || 12);
  inputs.horizon.max = Math.max(usual, Math.min(values.length, MOST_STEPS));
  inputs.origin.max = values.length;
  inputs.horizon.value = settings.horizon ?? usual;
  inputs.origin.value = settings.origin ?? values.length;
  const span = [shortly(0), shortly(values.length - 1)];
  const understood = t("understood", length.toLocaleString(), stepText(step), ...span);
  part("said").textContent = inputs.data.value === "drawing" ? t("drawHere") : understood;
}

async function open(file) {
  if (!file) return null;
  if (file.size > MOST_BYTES) return complain(t("tooLarge", Math.round(file.size / 1e6)));
  opened = file;
  const text = await file.text().catch(() => "\0"); // a folder
  if (file !== opened) return null; // another one came meanwhile
  sources.file = () => text;
  part("own").disabled = false;
  return enter(inputs.data, "file");
}

// Forecast by the network alone, until what it is blended with is there.
function ahead() {
  panel = panelOf(series, Number(inputs.horizon.value));
  forecastAt = alone(weights, panel);
  draw();
  learnOn();
}

function draw() {
  const { values, season } = series;
  const [horizon, origin] = [panel.horizon, Number(inputs.origin.value)];
  found = forecastAt(origin);
  const from = origin - 1; // the forecast begins at the last value known
  const first = Math.max(0, origin - Math.max(2 * horizon, 8 * season, 96));
  const last = from + horizon;
  const of = (name) => [values[from], ...found.map((step) => step[name])];
  pointedAt = drawChart(part("chart"), [first, last], {
    bands: [{ from, lower: of("lower"), upper: of("upper") }],
    lines: [
      { from: first, values: values.slice(first, origin), kind: "past" },
      { from: origin, values: values.slice(origin, last + 1), kind: "truth" },
      { from, values: of("point"), kind: "median" },
    ],
    marks: [shortly(first), shortly(last)],
    range: inputs.data.value === "drawing" ? [-2, 2] : undefined,
  });
  const edges = transposed([...found, found.at(-1)].map(({ heed }) => cumulated([0, ...heed])));
  const bands = [...part("legend").children].map(({ style }, k) => {
    const [lower, upper] = ALIKE.slice(k, k + 2).map((edge) => edges[edge]);
    return { from: 0, lower, upper, fill: style.getPropertyValue("--key") };
  });
  drawChart(part("band"), [0, horizon], { bands, marks: [shortly(origin), shortly(last)] });
  part("ahead").textContent = t("ahead", horizon);
  part("newest").textContent = t("newest", shortly(from));
}

// Learn what forecast.py would, in pieces, so that the page stays alive; then draw that. What is out
// of date by then never goes on.
async function learnOn() {
  const mine = (learning = {});
  let rested = performance.now();
  const pause = async () => {
    if (performance.now() - rested < 20) return;
    await new Promise((done) => setTimeout(() => mine === learning && done()));
    rested = performance.now();
  };
  part("scores").replaceChildren();
  part("verdict").textContent = t(panel.scored ? "learning" : "tooShort");
  part("download").disabled = panel.scored;
  if (!panel.scored) return;
  const { votes, scored, best, pValue, held, at } = await learn(weights, panel, pause);
  forecastAt = at;
  draw();
  part("download").disabled = false;
  part("scores").replaceChildren(topRow([t("error")]), ...scored.map(({ name, error }) =>
    row(name, [element("td", {}, written(error))])));
  const word = pValue >= 0.05 ? "even" : scored[0].error < best.error ? "beats" : "loses";
  const blend = votes.map(([name, weight]) => `${weight.toFixed(1)} ${name}`).join(" + ");
  const told = [t(word), best.name, written(scored[0].error), written(best.error)];
  part("verdict").textContent = t("verdict", blend, ...told, Math.round(100 * held));
}

function complain(message) {
  learning = null;
  part("result").hidden = true;
  part("said").textContent = message;
}

function start(settings) {
  try {
    read(settings);
    part("result").hidden = false;
    ahead();
  } catch (error) {
    if (!(error instanceof Said)) throw error;
    complain(error.message);
  }
}

function download() {
  const origin = Number(inputs.origin.value);
  const texts = found.map((_, k) => series.textAt(origin + k));
  const size = texts.every((text) => text.endsWith(" 00:00:00")) ? 10 : undefined;
  const lines = found.map(({ point, lower, upper, mean: middle }, k) =>
    [texts[k].slice(0, size), point, lower, upper, ...(panel.mostlyZero ? [middle] : [])].join(","));
  const names = `time,forecast,lower,upper${panel.mostlyZero ? ",mean" : ""}`;
  const href = `data:text/csv,${encodeURIComponent([names, ...lines, ""].join("\n"))}`;
  element("a", { href, download: "forecast.csv" }).click();
}

// Draw into the chart, from the step where the pointer was to the one where it is.
function sketch(event) {
  const [step, value] = pointedAt(event);
  if (inputs.data.value !== "drawing" || !event.buttons || !(step in drawing)) return;
  const before = event.type === "pointerdown" ? step : drawnTo;
  const level = Math.max(-2, Math.min(2, value));
  drawing.fill(level, Math.min(step, before), Math.max(step, before) + 1);
  drawnTo = step;
  start(held());
}

part("download").onclick = download;
part("chart").onpointerdown = part("chart").onpointermove = sketch;
document.ondragover = (event) => event.preventDefault();
document.ondrop = (event) => {
  event.preventDefault();
  open(event.dataTransfer.files[0]);
};
window.onresize = () => part("result").hidden || draw();
begin(start, (input) => {
  if (input === part("file")) open(input.files[0]);
  else if (input === inputs.horizon) ahead();
  else if (input === inputs.origin) draw();
  else start({ ...held(), horizon: undefined, origin: undefined });
});
