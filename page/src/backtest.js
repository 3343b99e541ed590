const MOST_ORIGINS = 20;

const lastKnown = (values, origin) => values.slice(0, origin).findLast(Number.isFinite) ?? NaN;

function seasonalNaive(values, origin, season, k) {
  for (let at = origin - season + (k % season); at >= 0; at -= season) {
    if (Number.isFinite(values[at])) return values[at];
  }
  return lastKnown(values, origin);
}

// Origins whose horizon is known, in the last 15 % of a series. predict(origin) gives quantiles by
// step; the outer ones are an interval. Yields, after each origin, how many there were of how many,
// the mean absolute error of each forecaster, and how often the interval held.
export function* backtest(values, horizon, season, predict) {
  const last = values.length - horizon;
  const first = Math.max(Math.ceil(0.85 * values.length) - horizon, 2 * horizon, 8);
  const count = Math.min(MOST_ORIGINS, last - first + 1);
  const errors = [];
  for (let k = 0; k < count; k++) {
    const origin = Math.round(last - (k * (last - first)) / Math.max(count - 1, 1));
    predict(origin).forEach(({ quantiles }, step) => {
      const came = values[origin + step];
      if (!Number.isFinite(came)) return;
      const naive = season > 1 && { seasonal_naive: seasonalNaive(values, origin, season, step) };
      const said = { network: quantiles[5], persistence: lastKnown(values, origin), ...naive };
      const off = Object.entries(said).map(([name, value]) => [name, Math.abs(value - came)]);
      const held = quantiles[0] <= came && came <= quantiles[10];
      errors.push({ ...Object.fromEntries(off), held });
    });
    const mean = (name) => errors.reduce((sum, each) => sum + each[name], 0) / errors.length;
    const names = Object.keys(errors[0] ?? {}).filter((name) => name !== "held");
    const means = names.map((name) => [name, mean(name)]);
    yield { origins: k + 1, count, held: mean("held"), errors: means };
  }
}
