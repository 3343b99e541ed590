// Of the newest origins whose horizon is known: each forecaster's mean absolute error, and how often
// the interval held. `predict(origin)` gives quantiles by step; the lowest and highest are a 90 %
// interval. Yields what is known so far, after each origin.
const MOST_ORIGINS = 20;

const lastKnown = (values, origin) => values.slice(0, origin).findLast(Number.isFinite) ?? NaN;

export const persistence = (values, origin, horizon) => {
  return new Array(horizon).fill(lastKnown(values, origin));
};

export function seasonalNaive(values, origin, horizon, season) {
  return Array.from({ length: horizon }, (_, k) => {
    for (let at = origin - season + (k % season); at >= 0; at -= season) {
      if (Number.isFinite(values[at])) return values[at];
    }
    return lastKnown(values, origin);
  });
}

export function* backtest(values, horizon, season, predict) {
  const last = values.length - horizon;
  const first = Math.max(Math.ceil(0.85 * values.length) - horizon, 2 * horizon, 8);
  const count = Math.min(MOST_ORIGINS, last - first + 1);
  const sums = { network: 0, persistence: 0, ...(season > 1 ? { seasonal_naive: 0 } : {}) };
  let [held, number] = [0, 0];
  for (let k = 0; k < count; k++) {
    const origin = Math.round(last - (k * (last - first)) / Math.max(count - 1, 1));
    const found = predict(origin);
    const said = {
      network: found.map(({ quantiles }) => quantiles[Math.floor(quantiles.length / 2)]),
      persistence: persistence(values, origin, horizon),
      seasonal_naive: seasonalNaive(values, origin, horizon, season),
    };
    found.forEach(({ quantiles }, step) => {
      const came = values[origin + step];
      if (!Number.isFinite(came)) return;
      number += 1;
      held += quantiles[0] <= came && came <= quantiles.at(-1);
      for (const name of Object.keys(sums)) sums[name] += Math.abs(said[name][step] - came);
    });
    const errors = Object.entries(sums).map(([name, sum]) => [name, sum / number]);
    yield { errors: Object.fromEntries(errors), held: held / number, origins: k + 1, count };
  }
}
