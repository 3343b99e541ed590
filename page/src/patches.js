// What the pretrained network reads of a window, as utils/series/patches.py says.
const PATCH = 16; // steps
const AVERAGED = 4; // seasons that a mean takes
const FAR = 30; // deviations from the mean, at most
const STILL = 1e-12; // of the mean: what deviates less is rounding

const known = Number.isFinite;
const meanOf = (values) => mean(values.filter(known)); // NaN of none

// The mean absolute change over `lag` steps, where `least` of them are known.
function changeOver(values, lag, least, otherwise) {
  const changes = values.slice(lag).map((value, k) => Math.abs(value - values[k])).filter(known);
  return changes.length < least ? otherwise : mean(changes);
}

// values: a window of whole patches, NaN where missing or to come; seasons: two, 0 where there is
// none. Returns for each patch `values`, the `simple` forecasts of the next (step after step, in
// changes from the last value; 0 where not `known`) and `last`; and the scale: change, level, std.
function patches(values, seasons) {
  const middle = meanOf(values);
  const deviation = Math.sqrt(meanOf(values.map((value) => (value - middle) ** 2)));
  const still = !(deviation > STILL * Math.abs(middle)); // then that value is what is said
  const z = values.map((value) => clip((value - middle) / (still ? 1 : deviation), -FAR, FAR));
  const bySeason = seasons[0] > 1 ? changeOver(z, seasons[0], 4, 9) : 9;
  const change = Math.max(0.01, Math.min(2, changeOver(z, 1, 4, 1), bySeason));
  const scales = [Math.log(change), ...seasons.map((s) => s > 1), ...seasons.map(Math.log1p)];
  const errors = seasons.map((lag) => z.map((value, row) => // of the mean of four seasons
    value - meanOf(upTo(AVERAGED).map((k) => (lag > 1 ? z[row - (k + 1) * lag] : NaN)))));
  let front = -1; // the newest row that is known
  const cut = upTo(z.length / PATCH).map((patch) => {
    const own = z.slice(patch * PATCH, (patch + 1) * PATCH);
    own.forEach((value, k) => (front = known(value) ? patch * PATCH + k : front));
    const last = front < 0 ? 0 : z[front];
    const beside = own.map((value) => Math.asinh((value - last) / change));
    const blind = Math.log1p(((patch + 1) * PATCH - 1 - Math.max(front, 0)) / PATCH);
    const parts = [...own, ...beside, ...own.map(known), blind, ...scales];
    const all = simpleForecasts(z, errors, seasons, patch, front);
    const told = all.map((value) => (value - last) / change);
    return {
      last, blind, values: parts.map((value) => (Number.isNaN(value) ? 0 : Number(value))),
      simple: told.map((value) => (known(value) ? value : 0)),
      known: told.map((value) => Number(known(value))),
    };
  });
  const highest = Math.max(...values.filter(known));
  return { cut, change, level: still ? highest : middle, std: still ? 0 : deviation };
}

// Thirteen of each step of the next patch, in the order of SIMPLE, NaN where nothing is to be said.
function simpleForecasts(z, errors, seasons, patch, newest) {
  const front = Math.max(newest, 0);
  const season = seasons[0] > 1 ? seasons[0] : PATCH;
  const meanBefore = (all, row, steps, fewest) => {
    const some = all.slice(Math.max(row + 1 - steps, 0), Math.max(row + 1, 0)).filter(known);
    return some.length > fewest ? mean(some) : NaN;
  };
  const newestOf = (all) => meanBefore(all, front, Math.floor(season / 4) + 1, 0);
  const [flat, before, longBefore] =
    [0, 1, 3].map((back) => meanBefore(z, front - back * season, season, season / 2));
  const drift = known(longBefore) ? (flat - longBefore) / 3 : flat - before;
  const [last, zero] = newest < 0 ? [NaN, NaN] : [z[front], 0];
  return upTo(PATCH).flatMap((k) => {
    const ahead = (patch + 1) * PATCH + k - front;
    const [first, longer] = seasons.map((length) => upTo(AVERAGED).map((back) =>
      (length > 1 ? z[front + ahead - (Math.ceil(ahead / length) + back) * length] : NaN)));
    const drifting = first.map((value, back) => value + drift * (Math.ceil(ahead / season) + back));
    const [four, longerFour] = [meanOf(first), meanOf(longer)];
    return [
      last, last + (drift * ahead) / season, newestOf(z), flat, zero, first[0], longer[0], four,
      longerFour, meanOf(drifting), four + errors[0][front], four + newestOf(errors[0]),
      longerFour + newestOf(errors[1]),
    ];
  });
}
