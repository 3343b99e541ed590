// At most 20 origins whose horizon is known, in the last 15 % of a series, the newest first.
function originsOf({ values: { length } }, horizon) {
  const last = length - horizon;
  const first = Math.max(Math.ceil(0.85 * length) - horizon, 2 * horizon, 8);
  const count = Math.max(0, Math.min(20, last - first + 1));
  const apart = (last - first) / Math.max(count - 1, 1);
  return upTo(count).map((k) => Math.round(last - k * apart));
}

// What comes after an origin, a row for each known step: the absolute errors of a forecast (steps
// with quantiles), of the last value and of the last season, and whether the interval held.
function errorsOf({ values, season }, origin, forecast) {
  const last = values.slice(0, origin).findLast(Number.isFinite);
  return forecast.flatMap(({ quantiles }, step) => {
    const came = values[origin + step];
    const before = values[origin - season + (step % season)];
    const seasonal = Number.isFinite(before) ? before : last;
    const said = [quantiles[5], last, season ? seasonal : NaN];
    const held = Number(quantiles[0] <= came && came <= quantiles[10]);
    return Number.isFinite(came) ? [[...said.map((value) => Math.abs(value - came)), held]] : [];
  });
}
