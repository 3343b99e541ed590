// The pretrained network, as utils/series/pretrained.py runs it; weights by "layer/weight".
const HALF = 5; // quantiles on either side of the median: 5, 10, 20, ... 90, 95 %

// Abramowitz & Stegun 7.1.26, off by less than 2e-7.
function erf(x) {
  const k = 1 / (1 + 0.3275911 * Math.abs(x));
  const series = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  return Math.sign(x) * (1 - Math.exp(-x * x) * series.reduce((sum, each) => (sum + each) * k, 0));
}

const gelu = (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2));
const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

function normal(x, gamma, beta) {
  const middle = mean(x);
  const rest = x.map((value) => value - middle);
  const std = Math.sqrt(mean(rest.map((value) => value ** 2)) + 1e-3);
  return rest.map((value, k) => (value / std) * gamma[k] + beta[k]);
}

// The next `horizon` steps of a window's values (NaN where missing): `quantiles` of each, and how
// much it heeds each simple forecast.
function forecast(weights, values, seasons, horizon) {
  const dense = (name, x) => add(product(x, weights[`${name}/kernel`]), weights[`${name}/bias`]);
  const ahead = Math.ceil(horizon / PATCH);
  const before = new Array((PATCH - (values.length % PATCH)) % PATCH).fill(NaN);
  const window = [...before, ...values, ...new Array((ahead - 1) * PATCH).fill(NaN)];
  const { cut, change, level, std } = patches(window, seasons);
  const read = cut.map((each) => [...each.values, ...each.simple.map(Math.asinh), ...each.known]);
  let x = read.map((each) =>
    add(dense("straight", each), dense("embed", dense("hidden", each).map(gelu))));
  for (let layer = 0; `memory_${layer}/kernel` in weights; layer++) {
    const of = (names, kind) => names.map((name) => weights[`${kind}_${layer}/${name}`]);
    const normed = x.map((each) => normal(each, ...of(["gamma", "beta"], "normal")));
    const remembered = gru(normed, of(["kernel", "recurrent_kernel", "bias"], "memory"));
    x = x.map((each, patch) => add(each, remembered[patch]));
  }
  const steps = cut.slice(-ahead).flatMap((patch, k) => {
    const place = cut.length - ahead + k;
    const head = dense("head", [...x[place], ...read[place]]).map(gelu);
    const [heed, correction] = [dense("heed", head), dense("correction", head)];
    const apart = dense("apart", head).map((each) => softplus(each) * Math.exp(patch.blind / 2));
    const bySteps = [heed, patch.simple, patch.known, apart].map((all) => split(all, PATCH));
    return correction.map((more, step) => {
      const [told, simple, can, further] = bySteps.map((rows) => rows[step]);
      const trust = softmax(told.map((each, j) => each - 1e4 * (1 - can[j])));
      const middle = more + total(trust.map((each, j) => each * can[j] * simple[j]));
      const [below, above] = split(further, 2);
      const lower = cumulated(below.reverse()).reverse().map((each) => -each);
      const outer = (each) => (patch.last + change * (middle + each)) * std + level;
      return { quantiles: [...lower, 0, ...cumulated(above)].map(outer), heed: trust };
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
  const near = upTo(2 * NEARBY + 1).map((k) => season - NEARBY + k);
  const changes = near.map((lag) => changeOver(values, lag, 2 * lag, Infinity));
  const least = Math.min(...changes);
  return least < CLEARLY * changes[NEARBY] ? [near[changes.indexOf(least)], 0] : usual;
}
