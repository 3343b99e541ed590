"""Measures of forecasts, and whether two of them differ by more than chance.

A forecast is (windows, horizon), from origins of a `utils.series.panel.Panel`; errors are NaN where
what came is missing.
"""

from __future__ import annotations

from utils.series.panel import Panel

import numpy as np
import pandas as pd

MANY_SERIES = 20  # from which on series, not origins, are what is drawn by chance


def scores(panel: Panel, origins: np.ndarray, forecasts: dict[str, np.ndarray]) -> dict[str, dict]:
    """Score forecasts.

    Args:
        panel: the series.
        origins: (windows,) of one part.
        forecasts: by name, (windows, horizon) each.

    Returns:
        by name: mae and rmse, in the series' unit; mase, the mean of each series' absolute error
        over its mean change over a season in the train part (Hyndman & Koehler, 2006); smape, in
        percent; and mae and rmse by step, None where nothing is known.
    """
    actual, scale = panel.targets(origins), panel.mase_scale[panel.series_of(origins), None]
    result = {}
    for name, forecast in forecasts.items():
        error, size = np.abs(actual - forecast), np.abs(actual) + np.abs(forecast)
        relative = 200 * error / np.where(size == 0, 1, size)
        squares = mean_by_step(np.square(error))
        result[name] = {
            "mae": float(np.nanmean(error)),
            "rmse": float(np.sqrt(np.nanmean(np.square(error)))),
            "mase": float(np.nanmean(error / scale)),
            "smape": float(np.nanmean(relative)),
            "by_step": {
                "mae": mean_by_step(error),
                "rmse": [None if square is None else square**0.5 for square in squares],
            },
        }
    return result


def mean_by_step(values: np.ndarray) -> list[float | None]:
    """Return the mean of each step, (windows, horizon) -> (horizon,), None where there is none."""
    return [None if np.isnan(mean) else float(mean) for mean in pd.DataFrame(values).mean()]


def p_value(differences: np.ndarray, overlap: int) -> float:
    """Return the p-value of "these autocorrelated differences have the mean 0", two-sided.

    The variance of their mean is estimated from their slowest movements alone, the first B cosines
    that fit into the n windows, B = 0.41 n^(2/3), and compared with Student's t of B degrees of
    freedom. Only cosines slower than half of the overlap's pace are taken: what repeats within it
    is not the movement of the mean.

    Sources: Diebold & Mariano, "Comparing predictive accuracy" (1995); the variance: Lazarus,
    Lewis, Stock & Watson, "HAR inference: recommendations for practice" (2018), equal-weighted
    cosines, with the number of cosines that they recommend.

    Args:
        differences: (windows,) in time order; NaN is left out.
        overlap: steps within which errors resemble each other: the horizon, or the season.
    """
    from scipy.fft import dct
    from scipy.special import stdtr

    differences = differences[np.isfinite(differences)]
    n = len(differences)
    if n < 2:
        return 1.0
    terms = max(int(min(0.41 * n ** (2 / 3), n / (4 * overlap))), 1)
    variance = np.mean(dct(differences, norm="ortho")[1 : terms + 1] ** 2) / n
    if not variance > 0:  # the same forecasts
        return 1.0
    return float(2 * stdtr(terms, -abs(differences.mean()) / np.sqrt(variance)))


def same_error_p_value(
    panel: Panel, origins: np.ndarray, ours: np.ndarray, theirs: np.ndarray, steps: int
) -> float:
    """Return the p-value of "both have the same expected absolute error", two-sided.

    Of MANY_SERIES or more by Student's t over series; else over origins, see `p_value`.

    Args:
        panel: the series.
        origins: (windows,) of one part; those of several series are one where their time is.
        ours: forecasts, (windows, horizon).
        theirs: likewise.
        steps: that count, the first ones.
    """
    from scipy.special import stdtr

    actual, series = panel.targets(origins), panel.series_of(origins)
    errors = (np.abs(actual - ours) - np.abs(actual - theirs))[:, :steps]
    difference = pd.DataFrame(errors / panel.mase_scale[series, None]).mean(axis=1)
    of_series = difference.groupby(series).mean().dropna()
    if (n := len(of_series)) >= MANY_SERIES:
        error = of_series.std() / np.sqrt(n)
        return float(2 * stdtr(n - 1, -abs(of_series.mean()) / error)) if error > 0 else 1.0
    by_time = difference.groupby(origins - panel.borders[series, 1]).mean()
    return p_value(by_time.to_numpy(), max(steps, panel.season))
