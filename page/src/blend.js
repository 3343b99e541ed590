// What forecast.py writes: a weighted mean of forecasters for which the validation part votes, see
// utils/series/blend.py, with intervals that hold.
const [VOTES, EVEN, AS_GOOD, SCORED_PATCHES] = [10, 0.5, 1.02, 8000];

// The p-value of "these differences, in time order, have the mean 0"; `overlap` neighbours resemble
// each other. Student's t, with a variance from the slowest cosines.
function pValueOf(differences, overlap) {
  const n = differences.length;
  const terms = Math.max(Math.floor(Math.min(0.41 * n ** (2 / 3), n / (4 * overlap))), 1);
  const power = mean(upTo(terms).map((term) => total(differences.map((value, k) =>
    value * Math.cos((Math.PI * (term + 1) * (2 * k + 1)) / (2 * n)))) ** 2)) * (2 / n);
  if (n < 2 || !(power > 0)) return 1;
  const t = Math.abs(mean(differences)) / Math.sqrt(power / n);
  const [odd, angle] = [terms % 2, Math.atan(t / Math.sqrt(terms))];
  let [term, sum] = [odd ? Math.cos(angle) : 1, 0];
  for (let k = 2 + odd; k <= terms; k += 2) {
    sum += term;
    term *= ((k - 1) / k) * Math.cos(angle) ** 2;
  }
  const inside = Math.sin(angle) * sum;
  return 1 - (odd ? (2 / Math.PI) * (angle + inside) : inside);
}

// The same of "both forecasts have the same expected absolute error" of what came.
function sameErrorOf(ours, theirs, came, { horizon, season }) {
  const differences = came.map((steps, k) => meanOf(steps.map((value, step) =>
    Math.abs(ours[k][step] - value) - Math.abs(theirs[k][step] - value))));
  return pValueOf(differences.filter(known), Math.max(horizon, season));
}

const medians = (steps) => steps.map(({ quantiles }) => quantiles[HALF]);
const within = (point, steps) => point.map((value, k) =>
  clip(value, steps[k].quantiles[0], steps[k].quantiles.at(-1)));

// Mean absolute error of forecasts (a list for each origin), NaN left out.
const errorOf = (forecasts, came) => meanOf(forecasts.flatMap((values, k) =>
  values.map((value, step) => Math.abs(value - came[k][step]))));

// The weights of parts, forecasters by name, that validation votes for; the last one is trusted.
function votesFor(parts, panel, voters, shapes) {
  const came = voters.map(panel.targets);
  const said = Object.entries(parts).map(([name, part]) =>
    ({ name, all: voters.map((origin, k) => within(part(origin), shapes[k])), votes: 0 }));
  const trusted = said.at(-1);
  trusted.votes = 1;
  let sums = trusted.all;
  for (let votes = 2; votes <= VOTES; votes++) {
    const sumsWith = said.map(({ all }) => sums.map((sum, k) => add(sum, all[k])));
    const errors = sumsWith.map((all) =>
      errorOf(all.map((row) => row.map((sum) => sum / votes)), came));
    const best = errors.indexOf(Math.min(...errors));
    sums = sumsWith[best];
    said[best].votes++;
  }
  const blend = sums.map((row) => row.map((sum) => sum / VOTES));
  const count = panel.origins(VAL, panel.horizon).length || voters.length;
  const heard = sameErrorOf(blend, trusted.all, came, panel) < EVEN
    ? count / (count + panel.horizon / 2) : 0;
  const weighted = said.map((part) =>
    [part.name, (heard * part.votes) / VOTES + (part === trusted ? 1 - heard : 0)]);
  return weighted.filter(([, weight]) => weight > 0);
}

// A forecaster of an origin: what the network says of each step, in logarithms or not.
const networkOf = (weights, panel, log) => remembered((origin) => {
  const window = panel.inward(panel.window(origin), log);
  const said = forecast(weights, window, seasonsOf(window, panel.season), panel.horizon);
  const above = (value) => Math.max(value, panel.lowest);
  return said.map(({ quantiles, heed }) => {
    const outward = panel.outward(quantiles, log);
    return { heed, mean: above(mean(outward)), quantiles: outward.map(above) };
  });
});

// Steps as forecast.csv has them: intervals corrected, of whole numbers only such.
function finished(steps, corrections, panel, log) {
  const unit = log ? panel.errorSize / panel.size : panel.errorSize;
  return steps.map((step, k) => {
    const [lower, median, upper] = panel.inward([step.lower, step.point, step.upper], log);
    const moved = [lower - corrections[k] * unit, median, upper + corrections[k] * unit];
    const sorted = panel.outward(moved, log).sort((one, other) => one - other);
    const [low, , high] = sorted.map((value) => Math.max(value, panel.lowest));
    const point = clip(panel.whole ? rint(step.point) : step.point, low, high);
    if (!panel.whole) return { ...step, point, lower: low, upper: high };
    const near = rint(point);
    const [lowest, highest] = [Math.min(Math.ceil(low), near), Math.max(Math.floor(high), near)];
    return { ...step, point: near, lower: lowest, upper: highest };
  });
}

// The network alone, as forecast.py writes it where nothing can be held back.
function alone(weights, panel) {
  const network = networkOf(weights, panel, false);
  const steps = (origin) => network(origin).map(({ quantiles, ...step }) =>
    ({ ...step, point: quantiles[HALF], lower: quantiles[0], upper: quantiles.at(-1) }));
  const none = new Array(panel.horizon).fill(0);
  return (origin) => finished(steps(origin), none, panel, false);
}

// What forecast.py makes of a series, in seconds; `pause` keeps the page alive. Returns the votes,
// [name, weight] each; at(origin), the steps; and of the test part what is `scored`, the blend first
// (name, error), the `best` baseline, the p-value of "it is as good", the share that intervals held.
async function learn(weights, panel, pause) {
  const { horizon, origins, targets, lowest } = panel;
  const most = Math.max(Math.floor(SCORED_PATCHES * PATCH / (panel.inputSteps + horizon)), 16);
  const [val, test] = [VAL, TEST].map((part) => evenly(origins(part), most));
  const each = async (forecaster, some) => {
    const found = [];
    for (const origin of some) {
      await pause();
      found.push(forecaster(origin));
    }
    return found;
  };
  const networks = [false, true].map((log) => networkOf(weights, panel, log));
  const missed = async (network) =>
    errorOf((await each(network, val)).map(medians), val.map(targets));
  const log = panel.positive && await missed(networks[1]) <= AS_GOOD * await missed(networks[0]);
  const network = networks[Number(log)];
  const parts = {
    ...simpleOf(panel), linear: await linearOf(panel, pause),
    "at once": (origin) => medians(network(origin)),
  };
  const judged = val.filter((origin) => origins(VAL, horizon).includes(origin));
  const voters = judged.length ? judged : val;
  const votes = votesFor(parts, panel, voters, await each(network, voters));
  const blend = (origin) => {
    const steps = network(origin);
    const young = panel.window(origin).filter(known).length < FEWEST;
    const mixed = add(...votes.map(([name, weight]) =>
      within(parts[name](origin), steps).map((value) => weight * value)));
    return steps.map(({ quantiles, ...step }, k) => {
      const point = young ? quantiles[HALF] : mixed[k];
      const moved = (quantile) => Math.max(quantile + point - quantiles[HALF], lowest);
      return { ...step, point, lower: moved(quantiles[0]), upper: moved(quantiles.at(-1)) };
    });
  };
  const both = [...val, ...test];
  const bounds = (await each(blend, both)).map((steps) =>
    steps.map(({ lower, upper }) => [lower, upper]));
  const { rolled, corrections } = rolling(panel, both, bounds, val.length, log);

  const whole = (values) => (panel.whole ? values.map(rint) : values);
  const came = test.map(targets);
  const all = { blend: (origin) => blend(origin).map(({ point }) => point), ...parts };
  const scored = Object.entries(all).map(([name, part]) => {
    const forecasts = test.map((origin) => whole(part(origin)));
    return { name, forecasts, error: errorOf(forecasts, came) };
  });
  const baselines = scored.slice(1, -1).sort((one, other) => one.error - other.error);
  const held = meanOf(test.flatMap((origin, k) => {
    const steps = finished(blend(origin), rolled[k], { ...panel, whole: false }, log);
    return steps.map(({ lower, upper }, step) =>
      (known(came[k][step]) ? Number(lower <= came[k][step] && came[k][step] <= upper) : NaN));
  }));
  const pValue = sameErrorOf(scored[0].forecasts, baselines[0].forecasts, came, panel);
  const at = (origin) => finished(blend(origin), corrections, panel, log);
  return { votes, scored, best: baselines[0], pValue, held, at };
}
