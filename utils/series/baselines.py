"""What a network has to beat: simple forecasters, each (panel, origins) -> (windows, horizon)."""

from collections.abc import Callable, Iterator, Sequence

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
    there = source >= panel.start[panel.series_of(origins), None]
    found = np.where(there, filled.to_numpy()[np.maximum(source, 0)], np.nan)
    return np.where(np.isnan(found), persistence(panel, origins), found)


def simple(panel: Panel) -> dict[str, Callable]:
    """Return the forecasters that fit the series and learn nothing, by name."""
    found = {"persistence": persistence}
    return found | ({"seasonal_naive": seasonal_naive} if panel.season > 1 else {})


class Linear:
    """A weighted sum per step ahead, of the window and of what is known of the first step.

    Ridge regression on the train part; the validation part chooses its strength.

    Args:
        panel: one series.
    """

    FITTED = 20_000  # windows
    STRENGTHS = (0.01, 1.0, 30.0, 1000.0)

    def __init__(self, panel: Panel):
        first, val = panel.origins("train"), evenly(panel.known_origins("val"), self.FITTED)
        self.steps = min(panel.horizon, max(len(first) // 2, 1))  # later ones repeat the last
        origins = evenly(panel.origins("train", self.steps), self.FITTED)
        ahead = panel.z[origins[:, None] + np.arange(self.steps), 0]
        inputs, came = self._inputs(panel, val), panel.z[val, 0]

        def error(weights):
            kernel, bias = weights
            return np.mean(np.abs(inputs @ kernel[:, 0] + bias[0] - came))

        fitted = ridge(self.STRENGTHS, self._inputs(panel, origins), ahead)
        self.kernel, self.bias = min(fitted, key=error)

    def __call__(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts, (windows, horizon)."""
        z = self._inputs(panel, origins) @ self.kernel + self.bias
        z = z[:, np.minimum(np.arange(panel.horizon), self.steps - 1)]
        values = z * panel.std[0] + panel.mean[0]
        return np.maximum(np.exp(values) if panel.log else values, panel.lowest)

    @staticmethod
    def _inputs(panel, origins):
        windows = panel.z[origins[:, None] + np.arange(-panel.input_steps, 0)]
        return np.column_stack([windows.reshape(len(origins), -1), panel.coming(origins)])


def ridge(
    strengths: Sequence[float], x: np.ndarray, target: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the kernel (inputs, steps) and the bias (steps,) of a ridge regression by strength.

    With x' x = V diag(s) V', one decomposition serves all: V diag(1 / (s + strength)) V' x' y, for
    x (windows, inputs), y the target (windows, steps), and a strength of the penalty on weights.
    """
    mean, middle = x.mean(axis=0, dtype=float), target.mean(axis=0, dtype=float)
    x = x - mean
    eigenvalues, vectors = np.linalg.eigh(x.T @ x)
    moments = vectors.T @ (x.T @ (target - middle))
    for strength in strengths:
        kernel = vectors @ (moments / (np.maximum(eigenvalues, 0) + strength)[:, None])
        yield kernel, middle - mean @ kernel
