import { backtest } from "./backtest.js";
import { drawChart, svgElement } from "./chart.js";
import { readTable } from "./csv.js";
import { element, part, row, select, topRow } from "./dom.js";
import { FORECAST_TEXTS } from "./forecast_texts.js";
import { goOn } from "./forecaster.js";
import { begin, Said, spoken, t } from "./i18n.js";
import { written } from "./maths.js";
import { rowsOf, seriesOf } from "./series.js";
import { readAddress, writeAddress } from "./state.js";
import { readSafetensors } from "./weights.js";

const COLOURS = "#0072b2 #56b4e9 #8c8c8c #e69f00 #d55e00 #f0e442 #cc79a7 #009e73".split(" ");
const HORIZONS = { 24: 48, 7: 28, 6: 24, 5: 20, 12: 12, 52: 13 }; // by season
const [FEWEST, MOST_STEPS, MOST_BYTES] = [8, 1000, 2e7];
const { arrays: weights } = readSafetensors(part("forecaster").textContent);
const csv = (name, values) => [name, ...values.map((value) => value.toFixed(3))].join("\n");
const drawing = new Array(96).fill(0);
const SOURCES = {
  greensboro: () => atob(part("weather_greensboro").textContent),
  sine: () => csv("sine", noisySine()),
  pencil: () => csv("drawing", drawing),
};
let source; // { name of SOURCES or undefined, text }
let chosen = {}; // column, group, series, horizon, origin; what is undefined is chosen here
let series, found, pointedAt, scoring;

function noisySine() {
  let seed = 1;
  const chance = () => (seed = (seed * 48271) % 2147483647) / 2147483647; // Park & Miller (1988)
  const noise = () => 0.3 * (chance() + chance() + chance() - 1.5);
  return Array.from({ length: 400 }, (_, k) => Math.sin((2 * Math.PI * k) / 40) + noise());
}

// ------------------------------------------------------------------ reading

const second = (k) => new Date(series.timeAt(k)).toISOString().slice(0, 19).replace("T", " ");
const timeText = (k) => (series.timeAt ? second(k).slice(0, 16).replace(" 00:00", "") : String(k));

function stepText(step) {
  if (typeof step === "number") return t("step_hours", written(step / 3.6e6));
  return step.endsWith("M") ? t("step_months", step.slice(0, -1)) : t(`step_${step}`);
}

// Read the source; choose a column and a series, a horizon and an origin.
function read() {
  const table = readTable(source.text, part("comma").checked ? "," : ".");
  const [numbers, texts] = ["number", "text"].map((kind) => {
    return Object.keys(table.columns).filter((name) => table.columns[name].kind === kind);
  });
  const pick = (key, options, fallback) => {
    const value = options.includes(chosen[key]) ? chosen[key] : fallback;
    const choose = (name) => {
      chosen = { ...chosen, [key]: name, horizon: undefined, origin: undefined };
      start();
    };
    const all = options.map((name) => [name, name || t("one")]);
    const { parentElement } = select(t(key), all, value, choose);
    if (options.length > 1) part("choices").append(parentElement);
    return value;
  };
  part("choices").replaceChildren();
  if (!numbers.length) throw new Said("noNumbers");
  const column = pick("column", numbers, numbers[0]);
  const group = pick("group", ["", ...texts], "");
  const rows = rowsOf(table, group);
  series = seriesOf(table, column, rows.get(pick("series", [...rows.keys()], [...rows.keys()][0])));
  const { length } = series.values;
  const count = series.values.filter(Number.isFinite).length;
  if (count < FEWEST) throw new Said("tooFew", count);
  const most = Math.min(length, MOST_STEPS);
  const usual = HORIZONS[series.season] ?? (series.season > 1 ? series.season : 12);
  chosen.horizon = Math.min(Number(chosen.horizon) || usual, most);
  chosen.origin = Math.min(Number(chosen.origin) || length, length);
  Object.assign(part("horizon"), { max: most, value: chosen.horizon });
  Object.assign(part("origin"), { min: FEWEST, max: length, value: chosen.origin });
  const told = [length.toLocaleString(), stepText(series.step), timeText(0), timeText(length - 1)];
  part("said").textContent = t(source.name === "pencil" ? "drawHere" : "understood", ...told);
}

// ------------------------------------------------------------------ drawing

const predict = (origin) => goOn(weights, series.values, origin, chosen.horizon, series.season);

function draw() {
  const { values, season } = series;
  const { horizon, origin } = chosen;
  found = predict(origin);
  const quantile = (k) => found.map(({ quantiles }) => quantiles[k]);
  const band = (low, high) => ({ from: origin, lower: quantile(low), upper: quantile(high) });
  const first = Math.max(0, origin - Math.max(2 * horizon, 8 * season, 96));
  const last = origin + horizon - 1;
  pointedAt = drawChart(part("chart"), [first, last], {
    bands: [band(0, 10), band(2, 8)],
    lines: [
      { from: first, values: values.slice(first, origin), kind: "past" },
      { from: origin, values: values.slice(origin, last + 1), kind: "truth" },
      { from: origin, values: quantile(5), kind: "median" },
    ],
    marks: [first, last].map((k) => [k, timeText(k)]),
    range: source.name === "pencil" ? [-2, 2] : undefined,
  });
  const width = part("band").clientWidth / horizon;
  part("band").replaceChildren(...found.flatMap(({ heed }, step) => heed.map((share, k) => {
    const above = heed.slice(0, k).reduce((sum, each) => sum + each, 0);
    const place = { x: step * width, width: width + 0.5, y: 60 * above, height: 60 * share };
    return svgElement("rect", { ...place, fill: COLOURS[k] });
  })));
  part("horizon-label").textContent = t("horizon", horizon);
  part("origin-label").textContent = t("origin", timeText(origin - 1));
  const known = Object.entries(chosen).filter(([, value]) => value !== undefined);
  writeAddress({ lang: spoken(), data: source.name ?? "", ...Object.fromEntries(known) });
}

// Score the newest origins, one after the other, so that the page stays alive.
function score() {
  clearTimeout(scoring);
  const steps = backtest(series.values, chosen.horizon, series.season, predict);
  part("scores").replaceChildren();
  part("verdict").textContent = t("tooShort");
  const next = () => {
    const { value, done } = steps.next();
    if (done) return;
    const { errors, held, origins, count } = value;
    const rows = errors.map(([name, error]) => row(t(name), [element("td", {}, written(error))]));
    part("scores").replaceChildren(topRow([t("error")]), ...rows);
    const [network, best] = [errors[0][1], Math.min(...errors.slice(1).map(([, error]) => error))];
    const outcome = t(network < best ? "beats" : "loses");
    const told = [outcome, written(network), written(best), Math.round(100 * held)];
    part("verdict").textContent = origins < count ? "…" : t("verdict", count, ...told);
    scoring = setTimeout(next);
  };
  scoring = setTimeout(next);
}

function start() {
  clearTimeout(scoring);
  part("result").hidden = false;
  try {
    read();
    draw();
    score();
  } catch (error) {
    complain(error);
  }
}

function complain(error) {
  if (!(error instanceof Said)) throw error;
  part("said").textContent = t(error.message, ...error.values);
  part("result").hidden = true;
}

// ------------------------------------------------------------------ what a person does

function take(text, name) {
  [source, chosen] = [{ text, name }, {}];
  start();
}

async function open(file) {
  if (!file) return;
  if (file.size > MOST_BYTES) complain(new Said("tooLarge", Math.round(file.size / 1e6)));
  else take(await file.text());
}

function download() {
  const places = found.map((_, k) => chosen.origin + k);
  const times = series.timeAt ? places.map(second) : places;
  const days = times.every((time) => String(time).endsWith("00:00:00"));
  const lines = found.map(({ quantiles }, k) => {
    const time = days ? times[k].slice(0, 10) : times[k];
    return [time, quantiles[5], quantiles[0], quantiles[10]].join(",");
  });
  const text = ["time,forecast,lower,upper", ...lines, ""].join("\n");
  const href = `data:text/csv,${encodeURIComponent(text)}`;
  element("a", { href, download: "forecast.csv" }).click();
}

function sketch(event) {
  const [step, value] = pointedAt(event);
  if (source.name !== "pencil" || !event.buttons || !(step >= 0 && step < drawing.length)) return;
  drawing[step] = Math.max(-2, Math.min(2, value));
  source.text = SOURCES.pencil();
  start();
}

function readSettings() {
  const { data, column, group, series: name, horizon, origin } = readAddress();
  chosen = { column, group, series: name, horizon, origin };
  const known = Object.hasOwn(SOURCES, data) ? data : "greensboro";
  if (!source || (data && source.name !== known)) source = { name: known, text: SOURCES[known]() };
}

function drawAll() {
  part("legend").replaceChildren(...COLOURS.map((colour, k) => {
    return element("span", { className: "key", style: `--key: ${colour}` }, t(`simple_${k}`));
  }));
  for (const id of ["chart", "band"]) part(id).setAttribute("aria-label", t(id));
  start();
}

const on = (id, event, act) => part(id).addEventListener(event, act);
for (const name of Object.keys(SOURCES)) on(name, "click", () => take(SOURCES[name](), name));
for (const name of ["horizon", "origin"]) {
  on(name, "input", ({ target }) => draw((chosen[name] = Number(target.value))));
  on(name, "change", score);
}
on("file", "change", ({ target }) => open(target.files[0]));
on("comma", "change", start);
on("download", "click", download);
on("chart", "pointermove", sketch);
on("chart", "pointerdown", sketch);
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  open(event.dataTransfer.files[0]);
});
window.addEventListener("resize", draw);
begin(FORECAST_TEXTS, readSettings, drawAll);
