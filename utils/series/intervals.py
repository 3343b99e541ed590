"""Intervals of many-step forecasts: widened by the newest errors until they hold, and scored.

A forecast is (windows, horizon), from origins of a `utils.series.panel.Panel`.
"""

from __future__ import annotations

from utils.series.backtest import mean_by_step
from utils.series.panel import Panel

import numpy as np

POOLED = 300  # errors that the conformal quantile of a step should rest on
RENEWALS = 30  # of the corrections in a backtest, at most


def symmetric(quantiles: tuple[float, ...]) -> dict[str, tuple[int, int]]:
    """Return the intervals that quantiles make, by level: positions of lower and upper bound."""
    return {
        f"{1 - 2 * quantile:.6g}": (i, len(quantiles) - 1 - i)
        for i, quantile in enumerate(quantiles)
        if quantile < 0.5 and abs(quantiles[-1 - i] - (1 - quantile)) < 1e-9
    }


class Conformal:
    """By how much intervals must widen to hold, as their newest errors say.

    Conformalized quantile regression (Romano, Patterson & Candès, 2019): a quantile of
    max(lower - y, y - upper), each over the size of its series and pooled over series. Two things
    differ, since time series are not exchangeable. Errors drift with the seasons and the level, so
    that at any time only the newest count: as many origins as the validation part has, of those
    whose steps ahead have all come. And neighbouring windows share most of their values, so that
    the n of the n-th smallest counts only windows that don't overlap.

    Args:
        panel: the series.
        origins: of validation and test part.
        bounds: (windows, horizon, quantiles), the network's.
        quantiles: ascending.
        validated: how many of the origins, the first, are the validation part's.
        sizes: (series,), what an error is divided by.
        log: whether errors are those of logarithms.
    """

    def __init__(
        self,
        panel: Panel,
        origins: np.ndarray,
        bounds: np.ndarray,
        quantiles: tuple[float, ...],
        validated: int,
        sizes: np.ndarray,
        log: bool,
    ):
        self.horizon, self.series = panel.horizon, panel.series_of(origins)
        self.time = origins - panel.end[self.series]  # steps before the end
        self.memory = len(np.unique(self.time[:validated]))
        actual, size = panel.targets(origins)[..., None], sizes[self.series, None, None]
        over = _logs(actual, log) - _logs(bounds, log)
        self.misses = {  # (windows, horizon)
            level: np.maximum(-over[..., lower], over[..., upper]) / size[..., 0]
            for level, (lower, upper) in symmetric(quantiles).items()
        }

    def at(self, now: int) -> dict[str, np.ndarray]:
        """Return the corrections by level, (horizon,) each, as known `now`, so far from the end."""
        times = np.unique(self.time[self.time <= now - self.horizon])[-self.memory :]
        newest = np.flatnonzero(np.isin(self.time, times))
        blocks = np.stack([self.series[newest], self.time[newest] // self.horizon])
        apart = np.unique(blocks, axis=1).shape[1]
        return {
            level: _quantile(misses[newest], float(level) * (1 + 1 / max(apart, 1)))
            for level, misses in self.misses.items()
        }

    def rolling(self, validated: int) -> dict[str, np.ndarray]:
        """Return the corrections as known at each origin of the test part, (windows, horizon)."""
        time = self.time[validated:]
        every = max(self.horizon, -(-(time.max() - time.min() + 1) // RENEWALS))
        renewal = (time - time.min()) // every
        known = {number: self.at(time.min() + number * every) for number in np.unique(renewal)}
        return {
            level: np.array([known[number][level] for number in renewal]) for level in self.misses
        }


def _quantile(misses, share):
    """Return a quantile of each step's misses, of neighbouring steps' too where they are few."""
    reach = max(-(-POOLED // max(len(misses), 1)) - 1, 0) // 2
    result = np.zeros(misses.shape[1])
    for step in range(len(result)):
        pool = misses[:, max(step - reach, 0) : step + reach + 1]
        pool = np.sort(pool[np.isfinite(pool)])
        if len(pool):
            result[step] = pool[min(int(np.ceil(share * len(pool) - 1e-9)), len(pool)) - 1]
    return result


def _logs(values, log):
    return np.log(np.maximum(values, 1e-6)) if log else values


def corrected(
    bounds: np.ndarray,
    quantiles: tuple[float, ...],
    corrections: dict[str, np.ndarray],
    sizes: np.ndarray,
    log: bool,
    lowest: float,
) -> np.ndarray:
    """Widen the intervals by what `Conformal` measured; quantiles stay in order.

    Args:
        bounds: (windows, horizon, quantiles), the network's.
        quantiles: ascending.
        corrections: by level, (horizon,) or (windows, horizon) each, in units of `sizes`.
        sizes: (windows,)
        log: whether the corrections are those of logarithms.
        lowest: no bound lies below: 0 where the series never is.
    """
    bounds = _logs(bounds, log).copy()
    for level, (lower, upper) in symmetric(quantiles).items():
        wider = np.asarray(corrections[level]) * sizes[:, None]
        bounds[..., lower] -= wider
        bounds[..., upper] += wider
    bounds = np.exp(np.minimum(bounds, 60)) if log else bounds
    return np.maximum(np.sort(bounds, axis=-1), lowest)


def interval_scores(
    panel: Panel, origins: np.ndarray, lower: np.ndarray, upper: np.ndarray, level: float
) -> dict:
    """Return coverage, mean width and interval score (Winkler, 1972), altogether and by step.

    The interval score is the width plus 2 / (1 - level) times the distance of each value that lies
    outside (Gneiting & Raftery, 2007, equation 43); scaled, it is divided by the denominator of
    MASE, as in the M4 competition (MSIS).
    """
    actual = panel.targets(origins)
    known, scale = np.isfinite(actual), panel.scale[panel.series_of(origins), None]
    held = np.where(known, (lower <= actual) & (actual <= upper), np.nan)
    width = np.where(known, upper - lower, np.nan)
    outside = np.maximum(lower - actual, 0) + np.maximum(actual - upper, 0)
    score = width + 2 / (1 - level) * outside
    return {
        "coverage": {"all": float(np.nanmean(held)), "by_step": mean_by_step(held)},
        "width": {"all": float(np.nanmean(width)), "by_step": mean_by_step(width)},
        "interval_score": {
            "all": float(np.nanmean(score)),
            "scaled": float(np.nanmean(score / scale)),
            "by_step": mean_by_step(score),
        },
    }
