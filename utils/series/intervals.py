"""Intervals that hold: widened by the newest errors, step by step.

A forecast's bounds are (windows, horizon, 2 * levels), in ascending order: the lower bounds of the
widest level first, the upper one of the widest last.
"""

from collections.abc import Sequence

from utils.series.panel import Panel

import numpy as np

POOLED = 300  # errors that the conformal quantile of a step should rest on
RENEWALS = 30  # of the corrections in a backtest, at most
ADAPTED = 0.1  # of how far coverage was off since the last renewal


class Conformal:
    """By how much intervals must widen to hold, as their newest errors say.

    Conformalized quantile regression (Romano, Patterson & Candès, 2019): a quantile of
    max(lower - y, y - upper), each over the size of its series' errors and pooled over series. With
    both bounds at the forecast itself, that is split conformal prediction on absolute errors.
    Two things differ, since time series are not exchangeable. Errors drift with the seasons and the
    level, so that at any time only the newest count: as many origins as the validation part has, of
    those whose step has come. And windows that overlap by h steps share what is in them, so that n
    of them count as fewer, n / h at worst; see `independent`.

    The first of these errors are those of the validation part, which chose the epoch and what is
    written: they are a little too small, until those of the test part have replaced them. And where
    a forecast has bounds of its own, what n windows say against them at step h counts n / (n + h).

    Args:
        panel: the series.
        origins: of the validation and the test part, and of the forecasts' bounds.
        bounds: (windows, horizon, 2 * levels).
        levels: of the intervals, the widest first.
        validated: how many of the origins, the first, are the validation part's.
        log: whether errors are those of logarithms.
    """

    def __init__(
        self,
        panel: Panel,
        origins: np.ndarray,
        bounds: np.ndarray,
        levels: Sequence[float],
        validated: int,
        log: bool = False,
    ):
        series, self.levels, self.validated = panel.series_of(origins), levels, validated
        self.steps = np.arange(1, panel.horizon + 1)
        self.time = origins - panel.end[series]  # steps before the end
        self.memory = 1 + np.ptp(self.time[:validated])
        self.apart = max(float(np.median(np.diff(self.time))), 1) if len(origins) > 1 else 1
        own = (bounds[..., 0] < bounds[..., -1]).any()
        self.weight = validated / (validated + own * self.steps)
        actual = _logs(panel, panel.values[origins[:, None] + self.steps - 1, 0], log)
        over = actual[..., None] - _logs(panel, bounds, log)
        misses = [np.maximum(-over[..., i], over[..., -1 - i]) for i in range(len(levels))]
        with np.errstate(divide="ignore", invalid="ignore"):  # of series that stand still
            self.misses = np.array(misses) / sizes(panel, series, log)[:, None]

    def at(self, now: int, shares: np.ndarray) -> np.ndarray:
        """Return the corrections as known `now`, so many steps from the end: (levels, horizon).

        Steps that have never come yet are taken to miss by more, see `extended`.

        Args:
            now: row to be forecast first, before the end: 0 is the first one after it.
            shares: (levels, horizon) of the newest errors that are to be held.
        """
        age = now - self.time[:, None] - self.steps  # since a step came: 0 for the newest
        known = np.where((age >= 0) & (age < self.memory), self.misses, np.nan)
        levels = [_quantiles(*level, self.apart) for level in zip(known, shares, strict=True)]
        return self.weight * extended(np.array(levels), len(self.steps))

    def rolling(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the corrections as known at each origin of the test part, and at the end.

        Where intervals have held too seldom of late, the share that they are to hold rises, and
        falls where they held too often (adaptive conformal inference, Gibbs & Candès, 2021).

        Returns:
            (levels, windows, horizon) and (levels, horizon).
        """
        time, misses = self.time[self.validated :], self.misses[:, self.validated :]
        every = -(-(np.ptp(time) + 1) // RENEWALS)
        renewal, before = (time - time.min()) // every, time.min() - every
        levels, came = np.array(self.levels)[:, None], time[:, None] + self.steps
        rates = ADAPTED * np.minimum(1, every / self.steps)  # errors that overlap are one
        shares, rolled = np.repeat(levels, len(self.steps), axis=1), np.full(misses.shape, np.nan)
        for number in range(renewal.max() + 2):
            now = before + every if number <= renewal.max() else 0
            known = (before < came) & (came <= now) & np.isfinite(misses)
            missed = (known & (misses > rolled)).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
            off = np.where(known.any(axis=1), missed - (1 - levels), 0.0)
            shares = np.clip(shares + rates * off, 0.01, 0.999)
            corrections, before = self.at(now, shares), now
            rolled[:, renewal == number] = corrections[:, None]
        return rolled, corrections


def _quantiles(misses, shares, apart):
    """Return a quantile of each step's misses, and neighbours' where they are few; else NaN."""
    result = np.full(misses.shape[1], np.nan)
    for step in range(len(result)):
        known = misses[np.isfinite(misses[:, step]), step]
        if not len(known):
            continue
        reach = min((POOLED // len(known)) // 2, (step + 1) // 8)  # further ones miss otherwise
        pool = misses[:, step - reach : step + reach + 1]
        pool = np.sort(pool[np.isfinite(pool)])
        overlap = max(round((step + 1) / apart), 1)
        share = shares[step] * (1 + 1 / independent(known, overlap))
        result[step] = pool[min(int(np.ceil(share * len(pool) - 1e-9)), len(pool)) - 1]
    return result


def independent(values: np.ndarray, overlap: int) -> float:
    """Return how many independent values these are worth, of which `overlap` neighbours share some.

    The variance of means of `overlap` neighbours, over what it would be were they independent, says
    how many count as one: from 1, where the overlap doesn't matter, to all of them.
    """
    n = len(values)
    blocks = n / overlap
    if blocks < 3 or values.std() == 0:
        return max(blocks, 1.0)
    sums = np.cumsum(np.concatenate([[0.0], values - values.mean()]))
    means = (sums[overlap:] - sums[:-overlap]) / overlap
    as_one = overlap * np.mean(means**2) / values.var() * blocks / (blocks - 1)
    return n / np.clip(as_one, 1, overlap)


def extended(corrections: np.ndarray, horizon: int) -> np.ndarray:
    """Return corrections (..., steps) for so many steps, (..., horizon).

    Beyond the steps that are known, they grow on as they did over the last doubling of the steps.
    """
    ahead = np.arange(1, horizon + 1)

    def extend(known):
        steps = np.flatnonzero(np.isfinite(known)) + 1
        if not len(steps):
            return np.zeros(horizon)
        known = known[steps - 1]
        half = np.interp(steps[-1] / 2, steps, known)
        growth = min(np.log2(known[-1] / half), 1.0) if known[-1] > half > 0 else 0.0
        return np.interp(ahead, steps, known) * np.maximum(ahead / steps[-1], 1) ** growth

    return np.apply_along_axis(extend, -1, corrections)


def widened(
    panel: Panel, origins: np.ndarray, bounds: np.ndarray, corrections: np.ndarray, log: bool
) -> np.ndarray:
    """Widen bounds by what `Conformal` measured, (levels, [windows,] horizon)."""
    size = sizes(panel, panel.series_of(origins), log)[:, None]
    result = _logs(panel, bounds, log).copy()
    for i, correction in enumerate(corrections):
        result[..., i] -= correction * size
        result[..., -1 - i] += correction * size
    result = np.exp(np.minimum(result, 700)) if log else result
    return np.maximum(np.sort(result, axis=-1), panel.lowest)


def sizes(panel: Panel, series: np.ndarray, log: bool) -> np.ndarray:
    """Return what errors of these series, or of their logarithms, are measured in: (windows,)."""
    return (panel.error_size / panel.size if log else panel.error_size)[series]


def _logs(panel, values, log):
    return np.log(np.maximum(values, 1e-6 * panel.size.min())) if log else values
