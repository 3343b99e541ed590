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

// Mean absolute error of forecasts (a list for each origin), NaN left out.
const errorOf = (forecasts, came) => meanOf(forecasts.flatMap((values, k) =>
  values.map((value, step) => Math.abs(value - came[k][step]))));

// The weights of parts that the validation part votes for, from what each `said` there, by name;
// the last one is trusted.
function votesFor(said, came, panel) {
  const parts = Object.entries(said).map(([name, all]) => ({ name, all, votes: 0 }));
  const trusted = parts.at(-1);
  trusted.votes = 1;
  let sums = trusted.all;
  for (let votes = 2; votes <= VOTES; votes++) {
    const sumsWith = parts.map(({ all }) => sums.map((sum, k) => add(sum, all[k])));
    const best = argmin(sumsWith.map((all) =>
      errorOf(all.map((row) => row.map((sum) => sum / votes)), came)));
    sums = sumsWith[best];
    parts[best].votes++;
  }
  const blend = sums.map((row) => row.map((sum) => sum / VOTES));
  const count = panel.origins(VAL, panel.horizon).length || came.length;
  const heard = sameErrorOf(blend, trusted.all, came, panel) < EVEN
    ? count / (count + panel.horizon / 2) : 0;
  const weighted = parts.map((part) =>
    [part.name, (heard * part.votes) / VOTES + (part === trusted ? 1 - heard : 0)]);
  return weighted.filter(([, weight]) => weight > 0);
}

// A forecaster of an origin: what the network says of each step, of values as they are or logs.
const networkOf = (weights, panel, { inward, outward }) => remembered((origin) => {
  const window = inward(panel.window(origin));
  const said = forecast(weights, window, seasonsOf(window, panel.season), panel.horizon);
  return said.map(({ quantiles, heed }) => {
    const own = outward(quantiles);
    const [point, lower, upper, middle] = [own[HALF], own[0], own.at(-1), mean(own)]
      .map((value) => Math.max(value, panel.lowest));
    return { heed, point, lower, upper, mean: middle };
  });
});

const points = (steps) => steps.map(({ point }) => point);
const within = (point, steps) => // the network's interval
  point.map((value, k) => clip(value, steps[k].lower, steps[k].upper));

// Steps as forecast.csv has them: intervals corrected, of whole numbers only such.
function finished(steps, corrections, { whole, lowest }, { inward, outward, unit }) {
  return steps.map((step, k) => {
    const [lower, middle, upper] = inward([step.lower, step.point, step.upper]);
    const moved = outward([lower - corrections[k] * unit, middle, upper + corrections[k] * unit]);
    const [low, , high] = moved.sort((a, b) => a - b).map((value) => Math.max(value, lowest));
    if (!whole) return { ...step, point: clip(step.point, low, high), lower: low, upper: high };
    const point = rint(clip(rint(step.point), low, high));
    const bounds = [Math.min(Math.ceil(low), point), Math.max(Math.floor(high), point)];
    return { ...step, point, lower: bounds[0], upper: bounds[1] };
  });
}

// The network alone, as forecast.py writes it where nothing can be held back.
function alone(weights, panel) {
  const network = networkOf(weights, panel, panel.plain);
  return (origin) => finished(network(origin), network(origin).map(() => 0), panel, panel.plain);
}

// What forecast.py makes of a series, in seconds; `pause` keeps the page alive. Returns the votes,
// [name, weight] each; at(origin), the steps; and of the test part: what each part, the blend first,
// said and its error; the best baseline; the p-value of "it is as good"; how often intervals held.
async function learn(weights, panel, pause) {
  const { horizon, origins, targets } = panel;
  const most = Math.floor((SCORED_PATCHES * PATCH) / (panel.inputSteps + horizon));
  const [val, test] = [VAL, TEST].map((part) => evenly(origins(part), most, panel.season));
  const networkIn = async (way) => {
    const network = networkOf(weights, panel, way);
    const said = await each(val, network, pause);
    return { way, network, error: errorOf(said.map(points), val.map(targets)) };
  };
  const plain = await networkIn(panel.plain);
  const logs = panel.positive && await networkIn(panel.logs);
  const { way, network } = logs && logs.error <= AS_GOOD * plain.error ? logs : plain;
  const parts = {
    ...simpleOf(panel), linear: await linearOf(panel, pause),
    "at once": (origin) => points(network(origin)),
  };
  const saidFrom = (some) => Object.fromEntries(Object.entries(parts).map(([name, part]) =>
    [name, some.map((origin) => within(part(origin), network(origin)))]));
  const judged = val.filter((origin) => origins(VAL, horizon).includes(origin));
  const voters = judged.length ? judged : val;
  const votes = votesFor(saidFrom(voters), voters.map(targets), panel);

  const blend = (origin) => {
    const steps = network(origin);
    if (panel.window(origin).filter(known).length < FEWEST) return steps;
    const mixed = add(...votes.map(([name, weight]) =>
      within(parts[name](origin), steps).map((value) => weight * value)));
    return steps.map((step, k) => {
      const moved = (bound) => Math.max(bound + mixed[k] - step.point, panel.lowest);
      return { ...step, point: mixed[k], lower: moved(step.lower), upper: moved(step.upper) };
    });
  };
  const bounds = (await each([...val, ...test], blend, pause)).map((steps) =>
    steps.map(({ lower, upper }) => [lower, upper]));
  const { rolled, corrections } = rolling(panel, way, [...val, ...test], bounds, val.length);

  const came = test.map(targets);
  const all = { blend: (origin) => points(blend(origin)), ...parts };
  const scored = Object.entries(all).map(([name, part]) => {
    const said = test.map((origin) => part(origin).map(panel.whole ? rint : (value) => value));
    return { name, said, error: errorOf(said, came) };
  });
  const [best] = scored.slice(1, -1).sort((one, other) => one.error - other.error);
  const held = meanOf(test.flatMap((origin, k) =>
    finished(blend(origin), rolled[k], { ...panel, whole: false }, way).map((step, ahead) => {
      const value = came[k][ahead];
      return known(value) ? Number(step.lower <= value && value <= step.upper) : NaN;
    })));
  const pValue = sameErrorOf(scored[0].said, best.said, came, panel);
  panel.lowest = lowestOf(panel.values); // from here on, all that is known counts
  const at = (origin) => finished(blend(origin), corrections, panel, way);
  return { votes, scored, best, pValue, held, at };
}
