// By how much intervals must widen to hold, as their newest errors say; utils/series/intervals.py
// says why.
const [LEVEL, POOLED, RENEWALS, ADAPTED] = [0.9, 300, 30, 0.1];

// How many independent values these are worth, of which `overlap` neighbours share some.
function independent(values, overlap) {
  const [middle, blocks] = [mean(values), values.length / overlap];
  const variance = mean(values.map((value) => (value - middle) ** 2));
  if (blocks < 3 || variance === 0) return Math.max(blocks, 1);
  let sum = 0;
  const sums = [0, ...values.map((value) => (sum += value - middle))];
  const means = sums.slice(overlap).map((value, k) => (value - sums[k]) / overlap);
  const asOne = overlap * mean(means.map((value) => value ** 2)) / variance;
  return values.length / clip(asOne * blocks / (blocks - 1), 1, overlap);
}

// `share` of a step's errors, and of neighbours' where they are few, are no larger; NaN of none.
function quantileOf(columns, step, share, apart) {
  const own = columns[step].filter(known);
  if (!own.length) return NaN;
  const reach = Math.min(Math.floor(POOLED / own.length) >> 1, (step + 1) >> 3);
  const pool = columns.slice(step - reach, step + reach + 1).flat().filter(known);
  pool.sort((one, other) => one - other);
  const overlap = Math.max(rint((step + 1) / apart), 1);
  const wanted = share * (1 + 1 / independent(own, overlap)) * pool.length;
  return pool[Math.min(Math.ceil(wanted - 1e-9), pool.length) - 1];
}

// Corrections, of steps too that have never come: between their neighbours', and beyond them growing
// as over the last doubling of the steps.
function extended(all) {
  const there = upTo(all.length).filter((k) => known(all[k]));
  if (!there.length) return all.map(() => 0);
  const last = there.at(-1);
  const at = (place) => {
    const right = there.find((k) => k >= place) ?? last;
    const left = there.findLast((k) => k <= place) ?? right;
    const share = right > left ? (place - left) / (right - left) : 0;
    return all[left] + (all[right] - all[left]) * share;
  };
  const [most, half] = [all[last], at((last - 1) / 2)];
  const growth = most > half && half > 0 ? Math.min(Math.log2(most / half), 1) : 0;
  return all.map((_, k) => at(Math.min(k, last)) * Math.max((k + 1) / (last + 1), 1) ** growth);
}

// The corrections as known at each origin of the test part, and at the end. Of all origins, first
// `validated` of the validation part, `bounds` are [lower, upper] by step.
function rolling({ horizon, end, values }, { inward, unit }, origins, bounds, validated) {
  const times = origins.map((origin) => origin - end);
  const apart = Math.max(medianOf(times.slice(1).map((time, k) => time - times[k])), 1);
  const memory = 1 + times[validated - 1] - times[0];
  const misses = origins.map((origin, i) => {
    const came = upTo(horizon).map((k) => values[origin + k] ?? NaN);
    const [actual, lower, upper] = [came, ...transposed(bounds[i])].map(inward);
    return actual.map((value, k) => Math.max(lower[k] - value, value - upper[k]) / unit);
  });
  const own = bounds.some((steps) => steps.some(([lower, upper]) => lower < upper));
  const heard = (k) => validated / (validated + own * (k + 1));
  const at = (now, shares) => {
    const columns = shares.map((_, k) => misses.map((row, i) => {
      const age = now - times[i] - k - 1;
      return age >= 0 && age < memory ? row[k] : NaN;
    }));
    const found = shares.map((share, k) => quantileOf(columns, k, share, apart));
    return extended(found).map((correction, k) => heard(k) * correction);
  };
  const [first, last] = [times[validated], times.at(-1)];
  const every = Math.ceil((last - first + 1) / RENEWALS);
  const renewals = Math.floor((last - first) / every);
  let shares = new Array(horizon).fill(LEVEL);
  let before = first - every;
  const rolled = [];
  for (let number = 0; number <= renewals + 1; number++) {
    const now = number <= renewals ? before + every : 0;
    shares = shares.map((share, k) => {
      const came = rolled.flatMap((correction, i) => {
        const [time, miss] = [times[validated + i] + k + 1, misses[validated + i][k]];
        return before < time && time <= now && known(miss) ? [Number(miss > correction[k])] : [];
      });
      const off = came.length ? mean(came) - (1 - LEVEL) : 0;
      return clip(share + ADAPTED * Math.min(1, every / (k + 1)) * off, 0.01, 0.999);
    });
    const corrections = at(now, shares);
    before = now;
    const renewed = times.slice(validated).filter((time) =>
      Math.floor((time - first) / every) === number);
    rolled.push(...renewed.map(() => corrections));
    if (number > renewals) return { rolled, corrections };
  }
}
