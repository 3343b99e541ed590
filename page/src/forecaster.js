import { gru } from "./gru.js";
import { add, product, softmax, split } from "./maths.js";
import { PATCH, patches } from "./patches.js";

// The pretrained network, as utils/series/pretrained.py runs it; weights by "layer/weight".
export const QUANTILES = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
const HALF = 5; // quantiles on either side of the median
const SIMPLE = 8;

// By a series below 2, by a continued fraction above (Abramowitz & Stegun 7.1.6 and 7.1.14).
function erf(x) {
  const size = Math.abs(x);
  let [sum, term] = [size, size];
  for (let n = 1; n < 40; n++) sum += term *= (2 * size * size) / (2 * n + 1);
  const result = size > 4 ? 1 : (2 / Math.sqrt(Math.PI)) * Math.exp(-size * size) * sum;
  return x < 0 ? -result : result;
}

const gelu = (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2));
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

function normal(x, gamma, beta) {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const rest = x.map((value) => value - mean);
  const std = Math.sqrt(rest.reduce((sum, value) => sum + value * value, 0) / x.length + 1e-3);
  return rest.map((value, k) => (value / std) * gamma[k] + beta[k]);
}

// The next `horizon` steps of a window's values (NaN where missing): `quantiles` of each, and how
// much it heeds each simple forecast.
export function forecast(weights, values, seasons, horizon) {
  const dense = (name, x) => add(product(x, weights[`${name}/kernel`]), weights[`${name}/bias`]);
  const ahead = Math.ceil(horizon / PATCH);
  const before = new Array((PATCH - (values.length % PATCH)) % PATCH).fill(NaN);
  const window = [...before, ...values, ...new Array((ahead - 1) * PATCH).fill(NaN)];
  const { cut, change, mean, std } = patches(window, seasons);
  const read = cut.map((each) => [...each.values, ...each.simple.map(Math.asinh), ...each.known]);
  let x = read.map((each) => {
    return add(dense("straight", each), dense("embed", dense("hidden", each).map(gelu)));
  });
  for (let layer = 0; `memory_${layer}/kernel` in weights; layer++) {
    const [gamma, beta] = ["gamma", "beta"].map((name) => weights[`normal_${layer}/${name}`]);
    const parts = ["kernel", "recurrent_kernel", "bias"];
    const memory = parts.map((name) => weights[`memory_${layer}/${name}`]);
    const remembered = gru(x.map((each) => normal(each, gamma, beta)), memory);
    x = x.map((each, patch) => add(each, remembered[patch]));
  }
  const steps = cut.slice(-ahead).flatMap((patch, k) => {
    const place = cut.length - ahead + k;
    const head = dense("head", [...x[place], ...read[place]]).map(gelu);
    const [heed, correction] = [dense("heed", head), dense("correction", head)];
    const apart = dense("apart", head).map((each) => softplus(each) * Math.exp(patch.blind / 2));
    return correction.map((more, step) => {
      const at = (all, number) => all.slice(step * number, (step + 1) * number);
      const can = at(patch.known, SIMPLE);
      const trust = softmax(at(heed, SIMPLE).map((each, j) => each - 1e4 * (1 - can[j])));
      const simple = at(patch.simple, SIMPLE);
      const middle = trust.reduce((sum, each, j) => sum + each * can[j] * simple[j], more);
      const [below, above] = split(at(apart, 2 * HALF), 2);
      const sums = (all) => all.map((_, j) => all.slice(0, j + 1).reduce((a, b) => a + b));
      const around = [...sums(below.reverse()).reverse().map((each) => -each), 0, ...sums(above)];
      const outer = (each) => (patch.last + change * (middle + each)) * std + mean;
      return { quantiles: around.map(outer), heed: trust };
    });
  });
  return steps.slice(0, horizon);
}

const LONGER = { 24: 168, 7: 364, 48: 336, 96: 672 }; // a second season, by the first
const [NEARBY, CLEARLY] = [2, 0.6]; // a season that differs from the calendar's, and how clearly
const [MOST_PATCHES, TAUGHT] = [64, 12]; // in all, and to come, that the network was taught

// The season and a longer one; not the calendar's where values change far less over another.
function seasonsOf(values, season) {
  const usual = [season, LONGER[season] ?? 0];
  if (season <= 2 * NEARBY) return usual;
  const near = Array.from({ length: 2 * NEARBY + 1 }, (_, k) => season - NEARBY + k);
  const changes = near.map((lag) => {
    const known = values.slice(lag).map((v, k) => Math.abs(v - values[k])).filter(Number.isFinite);
    return known.length >= 2 * lag ? known.reduce((a, b) => a + b, 0) / known.length : Infinity;
  });
  const least = Math.min(...changes);
  return least < CLEARLY * changes[NEARBY] ? [near[changes.indexOf(least)], 0] : usual;
}

// What comes after `origin` in a series, as forecast.py's network says it at once.
export function goOn(weights, values, origin, horizon, season) {
  const ahead = Math.min(Math.ceil(horizon / PATCH), TAUGHT);
  const length = Math.min(values.length, (MOST_PATCHES - ahead) * PATCH);
  const before = new Array(Math.max(length - origin, 0)).fill(NaN);
  const window = [...before, ...values.slice(Math.max(origin - length, 0), origin)];
  const lowest = values.some((value) => value < 0) ? -Infinity : 0;
  const steps = forecast(weights, window, seasonsOf(window, season), horizon);
  return steps.map(({ quantiles, heed }) => {
    return { heed, quantiles: quantiles.map((value) => Math.max(value, lowest)) };
  });
}
