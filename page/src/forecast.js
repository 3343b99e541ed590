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
let series, found, pointedAt, drawnTo, scoring;

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
  choice(inputs.group, named("text"), [["", t("one")]]);
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
  const text = await file.text().catch(() => "\0"); // a folder
  sources.file = () => text;
  part("own").disabled = false;
  return enter(inputs.data, "file");
}

const predict = (origin) => goOn(weights, series, origin, Number(inputs.horizon.value));

function draw() {
  const { values, season } = series;
  const [horizon, origin] = [inputs.horizon, inputs.origin].map(({ value }) => Number(value));
  found = predict(origin);
  const from = origin - 1; // the forecast begins at the last value known
  const first = Math.max(0, origin - Math.max(2 * horizon, 8 * season, 96));
  const last = from + horizon;
  const quantile = (k) => [values[from], ...found.map(({ quantiles }) => quantiles[k])];
  const interval = (low, high) => ({ from, lower: quantile(low), upper: quantile(high) });
  pointedAt = drawChart(part("chart"), [first, last], {
    bands: [interval(0, 10), interval(2, 8)],
    lines: [
      { from: first, values: values.slice(first, origin), kind: "past" },
      { from: origin, values: values.slice(origin, last + 1), kind: "truth" },
      { from, values: quantile(5), kind: "median" },
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

// Score the newest origins, one after the other, so that the page stays alive.
async function score() {
  const mine = (scoring = {});
  const [errors, origins] = [[], originsOf(series, found.length)];
  part("scores").hidden = !origins.length;
  part("verdict").textContent = origins.length ? "…" : t("tooShort");
  for (const origin of origins) {
    await new Promise((done) => setTimeout(done));
    if (scoring !== mine) return;
    errors.push(...errorsOf(series, origin, predict(origin)));
  }
  if (!errors.length) return;
  const means = transposed(errors).map(mean);
  const cells = [...part("scores").querySelectorAll("th + td")];
  cells.forEach((cell, k) => (cell.textContent = means[k] >= 0 ? written(means[k]) : "–"));
  const best = Math.min(...means.slice(1, 3).filter(Number.isFinite));
  const told = [t(means[0] < best ? "beats" : "loses"), written(means[0]), written(best)];
  part("verdict").textContent = t("verdict", origins.length, ...told, Math.round(100 * means[3]));
}

function complain(message) {
  scoring = null;
  part("result").hidden = true;
  part("said").textContent = message;
}

function start(settings) {
  try {
    read(settings);
    part("result").hidden = false;
    draw();
    score();
  } catch (error) {
    if (!(error instanceof Said)) throw error;
    complain(error.message);
  }
}

function download() {
  const origin = Number(inputs.origin.value);
  const texts = found.map((_, k) => series.textAt(origin + k));
  const days = texts.every((text) => text.endsWith(" 00:00:00"));
  const lines = found.map(({ quantiles, mean: middle }, k) => {
    const time = days ? texts[k].slice(0, 10) : texts[k];
    return [time, quantiles[5], quantiles[0], quantiles[10], middle ?? []].flat().join(",");
  });
  const names = `time,forecast,lower,upper${"mean" in found[0] ? ",mean" : ""}`;
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
inputs.horizon.onchange = score;
document.ondragover = (event) => event.preventDefault();
document.ondrop = (event) => {
  event.preventDefault();
  open(event.dataTransfer.files[0]);
};
window.onresize = () => part("result").hidden || draw();
begin(start, (input) => {
  if (input === part("file")) open(input.files[0]);
  else if (input.type === "range") draw();
  else start({ ...held(), horizon: undefined, origin: undefined });
});
