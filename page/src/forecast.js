import { backtest } from "./backtest.js";
import { drawChart, svgElement } from "./chart.js";
import { readTable } from "./csv.js";
import { element, part, row, select, topRow } from "./dom.js";
import { FORECAST_TEXTS } from "./forecast_texts.js";
import { goOn } from "./forecaster.js";
import { begin, Said, spoken, t } from "./i18n.js";
import { written } from "./maths.js";
import { seriesOf } from "./series.js";
import { readAddress, writeAddress } from "./state.js";
import { readSafetensors } from "./weights.js";

const HORIZONS = { 24: 48, 7: 28, 6: 24, 5: 20, 12: 12, 52: 13 };
const FEWEST = 8; // values
const MOST_BYTES = 2e7;
const carried = (id) => part(id).textContent;
const weights = readSafetensors(carried("forecaster")).arrays;
const SOURCES = { greensboro: () => atob(carried("weather_greensboro")), sine: noisySine, pencil };

let source; // the text of a CSV, and its name among SOURCES, if any
let chosen = {}; // column, group, series, horizon, origin; undefined: by default
let series, found, place, scoring;

function noisySine() {
  let seed = 1; // of a small generator of chance (Park & Miller, 1988)
  const chance = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const values = Array.from({ length: 400 }, (_, k) => {
    return Math.sin((2 * Math.PI * k) / 40) + 0.3 * (chance() + chance() + chance() - 1.5);
  });
  return `sine\n${values.map((value) => value.toFixed(3)).join("\n")}\n`;
}

const drawing = new Array(96).fill(0);
function pencil() {
  return `drawing\n${drawing.map((value) => value.toFixed(3)).join("\n")}\n`;
}

// ------------------------------------------------------------------ reading

function complain(error) {
  if (!(error instanceof Said)) throw error;
  part("said").textContent = t(error.message, ...error.values);
  part("result").hidden = true;
}

const timeText = (time) => new Date(time).toISOString().replace("T", " ").replace(/( 00:00)?:00\.000Z/, "");
const at = (step) => (series.times ? timeText(timeAt(step)) : String(step + 1));

// The time of a step, also past the end.
function timeAt(k) {
  const { times, step } = series;
  if (k < times.length) return times[k];
  const last = new Date(times.at(-1));
  const more = k - times.length + 1;
  const months = String(step).match(/^(\d*)M$/);
  if (months) return last.setUTCMonth(last.getUTCMonth() + more * (Number(months[1]) || 1));
  if (step !== "B") return last.getTime() + more * (times[1] - times[0]);
  for (let left = more; left > 0; left -= last.getUTCDay() % 6 ? 1 : 0) last.setUTCDate(last.getUTCDate() + 1);
  return last.getTime();
}

function stepText(step) {
  const months = String(step).match(/^(\d*)M$/);
  if (months) return t("step_months", months[1] || 1);
  return typeof step === "number" ? t("step_hours", written(step / 3.6e6)) : t(`step_${step}`);
}

function read() {
  clearTimeout(scoring);
  const table = readTable(source.text, part("comma").checked ? "," : ".");
  const names = (kind) => Object.keys(table.columns).filter((name) => table.columns[name].kind === kind);
  const [numbers, texts] = [names("number"), names("text")];
  if (!numbers.length) throw new Said("noNumbers");
  const column = numbers.includes(chosen.column) ? chosen.column : numbers[0];
  const group = texts.includes(chosen.group) ? chosen.group : "";
  const all = new Map();
  const pick = (key, label, options, value) => select(label, options, value, (name) => {
    chosen = { ...chosen, horizon: undefined, origin: undefined, [key]: name };
    start();
  }).parentElement;
  const same = (list) => list.map((name) => [name, name]);
  part("choices").replaceChildren(pick("column", t("column"), same(numbers), column));
  if (texts.length) part("choices").append(pick("group", t("group"), [["", t("one")], ...same(texts)], group));
  part("result").hidden = false;
  seriesOf(table, column, group).forEach((one, name) => all.set(name, one));
  const name = all.has(chosen.series) ? chosen.series : [...all.keys()][0];
  if (group) part("choices").append(pick("series", t("name"), same([...all.keys()]), name));
  series = all.get(name);
  const count = series.values.filter(Number.isFinite).length;
  if (count < FEWEST) throw new Said("tooFew", count);
  const { values } = series;
  const most = Math.max(1, Math.min(values.length, 1000));
  chosen.horizon = Math.min(Number(chosen.horizon) || HORIZONS[series.season] || 12, most);
  chosen.origin = Math.min(Number(chosen.origin) || values.length, values.length);
  Object.assign(part("horizon"), { max: most, value: chosen.horizon });
  Object.assign(part("origin"), { min: FEWEST, max: values.length, value: chosen.origin });
  const told = [values.length.toLocaleString(), stepText(series.step), at(0), at(values.length - 1)];
  part("said").textContent = t("understood", ...told);
}

// ------------------------------------------------------------------ drawing

const predict = (origin) => goOn(weights, series.values, origin, chosen.horizon, series.season);

function draw() {
  const { values, season } = series;
  const { horizon, origin } = chosen;
  found = predict(origin);
  const quantile = (k) => found.map(({ quantiles }) => quantiles[k]);
  const from = Math.max(0, origin - Math.max(2 * horizon, 8 * season, 96));
  const end = origin + horizon;
  place = drawChart(part("chart"), [from, end - 1], {
    bands: [[0, 10, "wide"], [2, 8, "narrow"]].map(([low, high, kind]) => {
      return { from: origin, lower: quantile(low), upper: quantile(high), kind };
    }),
    lines: [
      { from, values: values.slice(from, origin), kind: "past" },
      { from: origin, values: values.slice(origin, end), kind: "truth" },
      { from: origin, values: quantile(5), kind: "median" },
    ],
    marks: [[from, at(from)], [origin, at(origin)], [end - 1, at(end - 1)]],
    range: source.name === "pencil" ? [-2, 2] : undefined,
  });
  part("horizon-label").textContent = t("horizon", horizon);
  part("origin-label").textContent = t("origin", at(origin - 1));
  drawHeed();
  writeAddress({ lang: spoken(), data: source.name ?? "", ...chosen });
}

function drawHeed() {
  const width = 800 / found.length;
  part("band").replaceChildren(...found.flatMap(({ heed }, step) => {
    let top = 0;
    return heed.map((share, k) => {
      const bar = { x: step * width, width: width + 0.5, y: top, height: 60 * share, class: `simple_${k}` };
      top += 60 * share;
      return svgElement("rect", bar);
    });
  }));
}

function score() {
  clearTimeout(scoring);
  const steps = backtest(series.values, chosen.horizon, series.season, predict);
  part("scores").replaceChildren();
  part("verdict").textContent = "";
  const next = () => {
    const { value, done } = steps.next();
    if (done) return;
    const { errors, held, origins, count } = value;
    const rows = Object.entries(errors).map(([name, mae]) => row(t(name), [element("td", {}, written(mae))]));
    part("scores").replaceChildren(topRow([t("error")]), ...rows);
    const best = Math.min(errors.persistence, errors.seasonal_naive ?? Infinity);
    const told = [written(errors.network), written(best), Math.round(100 * held)];
    const outcome = t(errors.network < best ? "beats" : "loses");
    if (origins === count) part("verdict").textContent = t("verdict", count, outcome, ...told);
    scoring = setTimeout(next, 0);
  };
  scoring = setTimeout(next, 0);
}

function start() {
  try {
    read();
    draw();
    score();
  } catch (error) {
    complain(error);
  }
}

// ------------------------------------------------------------------ what a person does

function take(name) {
  source = { name, text: SOURCES[name]() };
  chosen = {};
  start();
  if (name === "pencil") part("said").textContent = t("drawHere");
}

async function open(file) {
  try {
    if (file.size > MOST_BYTES) throw new Said("tooLarge", Math.round(file.size / 1e6));
    source = { text: await file.text() };
    chosen = {};
    start();
  } catch (error) {
    complain(error);
  }
}

function download() {
  const lines = found.map(({ quantiles }, k) => {
    return [at(chosen.origin + k), quantiles[5], quantiles[0], quantiles[10]].join(",");
  });
  const text = `time,forecast,lower,upper\n${lines.join("\n")}\n`;
  const link = element("a", { href: URL.createObjectURL(new Blob([text])), download: "forecast.csv" });
  link.click();
  URL.revokeObjectURL(link.href);
}

function sketch(event) {
  if (source.name !== "pencil" || !event.buttons) return;
  const [step, value] = place(event);
  if (!(step >= 0 && step < drawing.length)) return;
  drawing.fill(Math.max(-2, Math.min(2, value)), step, step + 1);
  source.text = pencil();
  start();
}

for (const name of Object.keys(SOURCES)) part(name).addEventListener("click", () => take(name));
part("file").addEventListener("change", ({ target }) => target.files[0] && open(target.files[0]));
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
});
part("comma").addEventListener("change", start);
part("download").addEventListener("click", download);
part("chart").addEventListener("pointermove", sketch);
part("chart").addEventListener("pointerdown", sketch);
for (const name of ["horizon", "origin"]) {
  part(name).addEventListener("input", ({ target }) => {
    chosen[name] = Number(target.value);
    draw();
  });
  part(name).addEventListener("change", score);
}

function readSettings() {
  const { data, column, group, series: name, horizon, origin } = readAddress();
  chosen = { column, group, series: name, horizon, origin };
  const known = Object.hasOwn(SOURCES, data) ? data : "greensboro";
  if (!source || source.name !== known) source = { name: known, text: SOURCES[known]() };
}

function drawAll() {
  part("legend").replaceChildren(...Array.from({ length: 8 }, (_, k) => {
    return element("span", { className: `key simple_${k}` }, t(`simple_${k}`));
  }));
  part("chart").setAttribute("aria-label", t("chart"));
  part("band").setAttribute("aria-label", t("heed"));
  start();
}

begin(FORECAST_TEXTS, readSettings, drawAll);
