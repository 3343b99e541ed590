"""What a network has to beat: simple forecasters, each (panel, origins) -> (windows, horizon)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from utils.series.panel import Panel, evenly

import numpy as np
import pandas as pd


def persistence(panel: Panel, origins: np.ndarray) -> np.ndarray:
    """Repeat the last known value."""
    return np.repeat(panel.filled[origins - 1, :1], panel.horizon, axis=1)


def seasonal_naive(panel: Panel, origins: np.ndarray) -> np.ndarray:
    """Repeat the last season, a missing value being that of the season before."""
    season = panel.season
    padded = np.full(-(-len(panel.values) // season) * season, np.nan)
    padded[: len(panel.values)] = panel.values[:, 0]
    filled = pd.DataFrame(padded.reshape(-1, season)).ffill().to_numpy().ravel()
    source = origins[:, None] - season + np.arange(panel.horizon) % season
    young = source < panel.start[panel.series_of(origins)][:, None]
    return np.where(young, persistence(panel, origins), filled[source])


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


# ------------------------------------------------------------------ linear


class Scaling(NamedTuple):
    """How a window's level and size are taken out before anything is learned from it."""

    log: bool
    by_window: bool  # divided by the window's own standard deviation, or else by its series' spread
    level: bool = False  # whether the level is an input, too: of one series, it may revert

    def apply(self, panel: Panel, origins: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return windows (windows, input_steps), 0 where missing, and their middle and size."""
        x = panel.inner[origins[:, None] + np.arange(-panel.input_steps, 0), 0]
        spread = (panel.log_spread if self.log else panel.spread)[panel.series_of(origins), None]
        x = np.log(np.maximum(x, 1e-6)) if self.log else x
        seen = np.isfinite(x)
        count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
        middle = np.where(seen, x, 0).sum(axis=1, keepdims=True) / count
        rest = np.where(seen, x - middle, 0)
        size = np.sqrt(np.square(rest).sum(axis=1, keepdims=True) / count)
        size = size + 0.01 if self.log else size + 0.05 * spread if self.by_window else spread
        return rest / size, middle, size

    def forward(self, inner: np.ndarray, middle: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Return inner values as the window's scale sees them."""
        return ((np.log(np.maximum(inner, 1e-6)) if self.log else inner) - middle) / size

    def back(self, normal: np.ndarray, middle: np.ndarray, size: np.ndarray) -> np.ndarray:
        """Return scaled values as inner ones."""
        values = normal * size + middle
        return np.exp(np.minimum(values, 60)) if self.log else values


class Linear:
    """A linear head per step ahead: ridge regression on the scaled window and what is known.

    Args:
        panel: the series; it learns from the train part, the validation part chooses.
        scalings: among which it chooses; None for all.
        power: of the errors by which it chooses: 1 for absolute ones, 2 for squares.
    """

    FITTED = 10_000  # windows to learn from
    JUDGED = 4096  # windows to choose by
    FEW = 500  # validation windows: below, windows of the train part help to choose
    STRENGTHS = (1.0, 30.0, 1e3, 3e4)

    def __init__(self, panel: Panel, scalings: list[Scaling] | None = None, power: int = 1):
        errors, heads = [], []
        for train, val in self._folds(panel):
            fitted = [
                (scaling, *weights)
                for scaling in scalings or self._scalings(panel)
                for weights in _ridge(*self._examples(panel, train, scaling), self.STRENGTHS)
            ]
            if len(panel.names) == 1:
                fitted.append(self._median(panel, train))
            heads, found = heads or fitted, []
            scale = panel.mase_scale[panel.series_of(val), None]
            for self.scaling, self.kernel, self.bias in fitted:
                error = np.abs(panel.targets(val) - self(panel, val)) / scale
                found.append(np.nanmean(error**power))
            errors.append(np.array(found) / np.mean(found))
        best = int(np.nanargmin(np.mean(errors, axis=0)))
        self.scaling, self.kernel, self.bias = heads[best]

    def __call__(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts, (windows, horizon)."""
        forecasts = []
        for some in np.array_split(origins, -(-len(origins) // self.FITTED)):
            _, middle, size = self.scaling.apply(panel, some)
            ahead = self.inputs(panel, some, self.scaling) @ self.kernel + self.bias
            inner = self.scaling.back(ahead, middle, size)
            forecasts.append(panel.outer(inner, panel.series_of(some)))
        return np.maximum(np.concatenate(forecasts), panel.lowest)

    @staticmethod
    def inputs(panel: Panel, origins: np.ndarray, scaling: Scaling) -> np.ndarray:
        """Return what the heads read, (windows, inputs).

        It is the scaled window, the calendar of the first step ahead, the known columns of window
        and steps ahead, the features' windows and, where the scaling says so, the level.
        """
        x, middle, _ = scaling.apply(panel, origins)
        past = origins[:, None] + np.arange(-panel.input_steps, 0)
        both = origins[:, None] + np.arange(-panel.input_steps, panel.horizon)
        known = panel.known[both].reshape(len(both), -1)
        features = np.nan_to_num(panel.inner[past][..., 1:]).reshape(len(past), -1)
        calendar = panel.calendar[panel.moment[origins]]
        level = middle * panel.unit / panel.mase_scale[panel.series_of(origins), None]
        return np.column_stack([x, calendar, known, features, level[:, : scaling.level]])

    def _examples(self, panel, origins, scaling):
        _, middle, size = scaling.apply(panel, origins)
        inner = panel.inner[origins[:, None] + np.arange(panel.horizon), 0]
        inner = np.where(np.isfinite(panel.targets(origins)), inner, np.nan)
        target = np.nan_to_num(scaling.forward(inner, middle, size))
        return self.inputs(panel, origins, scaling), target

    def _median(self, panel, origins):
        """Return the head that says the median, whatever the window: best of rare demands."""
        scaling = Scaling(False, False, True)
        kernel = np.zeros((self.inputs(panel, origins[:1], scaling).shape[1], panel.horizon))
        kernel[-1] = -panel.mase_scale[0] / panel.unit / panel.spread[0]  # takes the level out
        median = np.nanmedian(panel.inner[origins, 0]) / panel.spread[0]
        return scaling, kernel, np.full(panel.horizon, median)

    @staticmethod
    def _scalings(panel):
        found = [Scaling(False, False), Scaling(False, True)]
        single = len(panel.names) == 1
        found += [Scaling(False, False, True)] * single
        if panel.positive and not panel.level.any():
            found += [Scaling(True, True)] + [Scaling(True, True, True)] * single
        return found

    def _folds(self, panel):
        """Yield origins to learn from and to judge by; first, train and validation part."""
        train, val = (panel.origins(part, panel.horizon) for part in ("train", "val"))
        if not len(val):  # a short one: what there is of it
            val = panel.origins("val")
        yield evenly(train, self.FITTED), evenly(val, self.JUDGED)
        time = train - panel.end[panel.series_of(train)]
        for share in (0.5, 0.7, 0.85) if len(val) < self.FEW else ():
            begin, end = np.quantile(time, [share, min(share + 0.2, 1)])
            before = train[time <= begin - panel.horizon]
            if len(before):
                yield before, train[(begin <= time) & (time <= end)]


def _ridge(x, target, strengths):
    """Yield the kernel and the bias of a ridge regression for each strength.

    With x' x = V diag(s) V', one decomposition serves all: V diag(1 / (s + strength)) V' x' y.
    """
    mean, middle = x.mean(axis=0, dtype=float), target.mean(axis=0, dtype=float)
    x = x - mean
    eigenvalues, vectors = np.linalg.eigh(x.T @ x)
    moments = vectors.T @ (x.T @ (target - middle))
    for strength in strengths:
        kernel = vectors @ (moments / (np.maximum(eigenvalues, 0) + strength)[:, None])
        yield kernel, middle - mean @ kernel
