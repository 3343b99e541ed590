"""What a network has to beat: simple forecasters, each (panel, origins) -> (windows, horizon)."""

from __future__ import annotations

from collections.abc import Callable

from utils.series.panel import Panel, evenly

import numpy as np
import pandas as pd


def persistence(panel: Panel, origins: np.ndarray) -> np.ndarray:
    """Repeat the last known value."""
    return np.repeat(panel.filled[origins - 1, :1], panel.horizon, axis=1)


def seasonal_naive(panel: Panel, origins: np.ndarray) -> np.ndarray:
    """Repeat the last season, a missing value being that of the season before."""
    season = panel.season
    phase = np.arange(len(panel.values)) % season
    filled = pd.Series(panel.values[:, 0]).groupby([panel.series_of_rows, phase]).ffill()
    source = origins[:, None] - season + np.arange(panel.horizon) % season
    found = np.where(
        source < panel.start[panel.series_of(origins), None], np.nan, filled.to_numpy()[source]
    )
    return np.where(np.isnan(found), persistence(panel, origins), found)


def window_mean(panel: Panel, origins: np.ndarray) -> np.ndarray:
    """Repeat the mean of the window."""
    mean = pd.DataFrame(panel.windows(origins)).mean(axis=1).fillna(0).to_numpy()
    return np.repeat(mean[:, None], panel.horizon, axis=1)


class Constant:
    """Forecasts one value, whatever comes."""

    def __init__(self, value: float):
        self.value = value

    def __call__(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return it, (windows, horizon)."""
        return np.full((len(origins), panel.horizon), self.value)


class Optimal:
    """The best possible forecast, where the law of the data is known.

    Args:
        law: from windows (windows, input_steps) and a number of steps to (windows, steps).
    """

    def __init__(self, law: Callable[[np.ndarray, int], np.ndarray]):
        self.law = law

    def __call__(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts, (windows, horizon)."""
        return self.law(panel.windows(origins), panel.horizon)


def simple(panel: Panel) -> dict[str, Callable]:
    """Return the forecasters that fit the series and learn nothing, by name."""
    found = {"persistence": persistence}
    if panel.season > 1:
        found["seasonal_naive"] = seasonal_naive
    if panel.mostly_zero:
        found |= {"zero": Constant(0.0), "mean": window_mean}
    return found


class Linear:
    """A weighted sum of the window per step ahead, and of what is known of its first step.

    Ridge regression, whose strength is chosen by leaving one window out at a time.

    Args:
        panel: one series; it learns from the train part.
    """

    FITTED = 20_000  # windows

    def __init__(self, panel: Panel):
        from sklearn.linear_model import RidgeCV

        first = panel.origins("train")
        self.steps = min(panel.horizon, max(len(first) // 2, 1))  # later ones repeat the last
        origins = evenly(panel.origins("train", self.steps), self.FITTED)
        ahead = panel.z[origins[:, None] + np.arange(self.steps), 0]
        ridge = RidgeCV(alphas=np.logspace(-2, 4, 7))
        self.ridge = ridge.fit(self._inputs(panel, origins), ahead)

    def __call__(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts, (windows, horizon)."""
        z = self.ridge.predict(self._inputs(panel, origins)).reshape(len(origins), -1)
        z = z[:, np.minimum(np.arange(panel.horizon), self.steps - 1)]
        values = z * panel.std[0] + panel.mean[0]
        return np.maximum(np.exp(values) if panel.log else values, panel.lowest)

    @staticmethod
    def _inputs(panel, origins):
        windows = panel.z[origins[:, None] + np.arange(-panel.input_steps, 0)]
        return np.column_stack([windows.reshape(len(origins), -1), panel.coming(origins)])
