"""What many-step forecasts are measured against, and how: baselines and scores.

A forecast is (windows, horizon), from origins of a `utils.series.panel.Panel`.
"""

from __future__ import annotations

from typing import NamedTuple

from utils.series.evaluation import mean_is_zero
from utils.series.panel import Panel, Parts, evenly, spread_within

import keras
import numpy as np
import pandas as pd


def last_value(panel: Panel, origins: np.ndarray) -> np.ndarray:
    """Repeat the last known value: (windows, horizon)."""
    filled = pd.Series(panel.values).ffill().to_numpy()
    return np.repeat(filled[origins - 1, None], panel.horizon, axis=1)


def seasonal_naive(panel: Panel, origins: np.ndarray) -> np.ndarray:
    """Repeat the last season, a missing value being that of the season before."""
    season = panel.season
    rows = -(-len(panel.values) // season) * season
    padded = np.full(rows, np.nan)
    padded[: len(panel.values)] = panel.values
    filled = pd.DataFrame(padded.reshape(-1, season)).ffill().to_numpy().ravel()
    source = origins[:, None] - season + np.arange(panel.horizon) % season
    young = source < panel.start[panel.series_of(origins)][:, None]
    return np.where(young, last_value(panel, origins), filled[source])


class Scaling(NamedTuple):
    """How a window's level and size are taken out before anything is learned from it."""

    log: bool
    by_window: bool  # divided by the window's own standard deviation, or else by its series' spread
    told: bool = False  # whether linear heads are told the level too: of one series, it may revert

    def apply(self, panel, origins):
        """Return windows (windows, input_steps), 0 where missing, and their middle and size."""
        x, spread = panel.windows(origins), panel.spread[panel.series_of(origins), None]
        if self.log:
            x = np.log(np.maximum(x, 1e-6))
        seen = np.isfinite(x)
        count = np.maximum(seen.sum(axis=1, keepdims=True), 1)
        middle = np.where(seen, x, 0).sum(axis=1, keepdims=True) / count
        rest = np.where(seen, x - middle, 0)
        size = np.sqrt(np.square(rest).sum(axis=1, keepdims=True) / count)
        size = size + 0.01 if self.log else size + 0.05 * spread if self.by_window else spread
        return rest / size, middle, size

    def forward(self, values, middle, size):
        """Return values as the window's scale sees them."""
        with np.errstate(invalid="ignore"):
            return ((np.log(np.maximum(values, 1e-6)) if self.log else values) - middle) / size

    def back(self, normal, middle, size):
        """Return scaled values in the series' unit."""
        values = normal * size + middle
        return np.exp(np.minimum(values, 60)) if self.log else values


class Linear:
    """A linear head per step ahead: ridge regression on the scaled window and what is known.

    Args:
        panel: the series.
        parts: origins; it learns from the train part, the validation part chooses.
        scalings: among which it chooses; None for all.
        power: of the errors by which it chooses: 1 for absolute ones, 2 for squares.
    """

    MOST = 10_000  # windows to learn from
    JUDGED = 4096  # windows to choose by
    FEW = 500  # validation windows: below, windows of the train part help to choose
    STRENGTHS = (1.0, 30.0, 1e3, 3e4)

    def __init__(
        self, panel: Panel, parts: Parts, scalings: list[Scaling] | None = None, power: int = 1
    ):
        scalings = scalings or self._scalings(panel)
        errors, heads = [], []
        for train, val in self._folds(panel, parts):
            fitted = [
                (scaling, *weights)
                for scaling in scalings
                for weights in _ridge(*self._inputs(panel, train, scaling), self.STRENGTHS)
            ]
            if len(panel.names) == 1:
                fitted.append(self._median(panel, train))
            heads, found = heads or fitted, []
            for self.scaling, self.kernel, self.bias in fitted:
                error = np.abs(panel.targets(val) - self.predict(panel, val))
                error = (error / panel.scale[panel.series_of(val), None]) ** power
                found.append(np.nanmean(error))
            errors.append(np.array(found) / np.mean(found))
        best = int(np.nanargmin(np.mean(errors, axis=0)))
        self.scaling, self.kernel, self.bias = heads[best]

    def _median(self, panel, origins):
        """Return the head that says the median, whatever the window: best of rare demands."""
        scaling = Scaling(False, False, True)
        inputs = self._inputs(panel, origins[:1], scaling)[0].shape[1]
        kernel = np.zeros((inputs, panel.horizon))
        kernel[-1] = -panel.scale[0] / panel.spread[0]  # takes the level out again
        median = np.nanmedian(panel.targets(origins)) / panel.spread[0]
        return scaling, kernel, np.full(panel.horizon, median)

    def _scalings(self, panel):
        found = [Scaling(False, False), Scaling(False, True)]
        single = len(panel.names) == 1
        found += [Scaling(False, False, True)] * single
        if np.nanmin(panel.values) > 0:
            found += [Scaling(True, True)] + [Scaling(True, True, True)] * single
        return found

    def _folds(self, panel, parts):
        """Yield origins to learn from and to judge by; first, train and validation part."""
        yield evenly(parts.train, self.MOST), evenly(parts.val, self.JUDGED)
        time = parts.train - panel.end[panel.series_of(parts.train)]
        for share in (0.5, 0.7, 0.85) if len(parts.val) < self.FEW else ():
            begin, end = np.quantile(time, [share, min(share + 0.2, 1)])
            before = parts.train[time <= begin - panel.horizon]
            if len(before):
                yield before, parts.train[(begin <= time) & (time <= end)]

    def predict(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts, (windows, horizon)."""
        forecasts = []
        for some in np.array_split(origins, -(-len(origins) // self.MOST)):
            _, middle, size = self.scaling.apply(panel, some)
            x, _ = self._inputs(panel, some, self.scaling)
            forecasts.append(self.scaling.back(x @ self.kernel + self.bias, middle, size))
        return np.concatenate(forecasts)

    def _inputs(self, panel, origins, scaling):
        x, middle, size = scaling.apply(panel, origins)
        target = np.nan_to_num(scaling.forward(panel.targets(origins), middle, size))
        rows = origins[:, None] + np.arange(-panel.input_steps, panel.horizon)
        given = panel.known[rows].reshape(len(rows), -1)
        of_time = panel.calendar[panel.moment[origins]]
        level = (middle / panel.scale[panel.series_of(origins), None])[:, : scaling.told]
        return np.column_stack([x, of_time, given, level]), target


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


def linear_inputs(panel: Panel, scaling: Scaling, normal, known, middle):
    """Return what the linear heads read, as a Keras tensor, in the order of `Linear`."""
    columns, waves = [normal], panel.calendar.shape[1]
    if waves:
        columns.append(known[:, panel.input_steps, :waves])
    given = known[:, :, waves:]
    if given.shape[-1]:
        columns.append(keras.ops.reshape(given, (-1, given.shape[1] * given.shape[2])))
    if scaling.told:
        columns.append(middle / panel.scale[0])
    return keras.ops.concatenate(columns, axis=-1)


def spread_of(panel: Panel, log: bool) -> np.ndarray:
    """Return each series' spread, that of its logarithm with `log`: (series,)."""
    if not log:
        return panel.spread
    rows = zip(panel.start, panel.borders[:, 0], strict=True)
    return np.array([
        spread_within(np.log(np.maximum(panel.values[start:end], 1e-6)), panel.input_steps) + 0.01
        for start, end in rows
    ])  # fmt: skip


class Boosting:
    """Gradient boosting of regression trees, one for all series and steps.

    It reads what an analyst would give it: the step, what is known of the day to be forecast, the
    same day of the last seasons and what was known of it, level and size of the window.
    """

    MOST = 100_000  # rows to learn from
    SEASONS = 4

    def __init__(self, panel: Panel, origins: np.ndarray):
        from sklearn.ensemble import HistGradientBoostingRegressor

        self.scaling = Scaling(False, False)
        x, target, _, _ = self._inputs(panel, evenly(origins, self.MOST // panel.horizon))
        known = np.isfinite(target)
        self.trees = HistGradientBoostingRegressor(loss="absolute_error", random_state=0)
        self.trees.fit(x[known], target[known])

    def predict(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts, (windows, horizon)."""
        forecasts = []
        for some in np.array_split(origins, -(-len(origins) * panel.horizon // self.MOST)):
            x, _, middle, size = self._inputs(panel, some)
            normal = self.trees.predict(x).reshape(len(some), panel.horizon)
            forecasts.append(self.scaling.back(normal, middle, size))
        return np.concatenate(forecasts)

    def _inputs(self, panel, origins):
        x, middle, size = self.scaling.apply(panel, origins)
        rows = origins[:, None] + np.arange(panel.horizon)
        step = np.broadcast_to(np.arange(panel.horizon), rows.shape)
        columns = [step, *np.moveaxis(panel.known_at(rows), -1, 0)]
        phase = np.arange(panel.horizon) % panel.season
        same = []
        for back in range(1, 1 + min(self.SEASONS, panel.input_steps // panel.season)):
            source = phase - back * panel.season
            same.append(x[:, source])
            columns += list(np.moveaxis(panel.known[origins[:, None] + source], -1, 0))
        columns += same
        for value in (
            x[:, -1],
            x[:, -panel.season :].mean(axis=1),
            x.mean(axis=1),
            (middle / size)[:, 0],
        ):
            columns.append(np.broadcast_to(value[:, None], rows.shape))
        target = self.scaling.forward(panel.targets(origins), middle, size)
        return np.stack(columns, -1).reshape(rows.size, -1), target.ravel(), middle, size


def scores(panel: Panel, origins: np.ndarray, forecasts: dict[str, np.ndarray]) -> dict[str, dict]:
    """Return mae and rmse (in the series' unit), mase, smape (in percent) and mae by step."""
    actual, scale = panel.targets(origins), panel.scale[panel.series_of(origins), None]
    result = {}
    for name, forecast in forecasts.items():
        error = np.abs(actual - forecast)
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = np.nan_to_num(200 * error / (np.abs(actual) + np.abs(forecast)), nan=0.0)
        relative = np.where(np.isfinite(error), relative, np.nan)
        result[name] = {
            "mae": float(np.nanmean(error)),
            "rmse": float(np.sqrt(np.nanmean(np.square(error)))),
            "mase": float(np.nanmean(error / scale)),
            "smape": float(np.nanmean(relative)),
            "by_step": mean_by_step(error),
        }
    return result


def mean_by_step(values):
    """Return the mean of each step, (windows, horizon) -> (horizon,), None where there is none."""
    known = np.isfinite(values)
    mean = np.where(known, values, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return [
        float(m) if any_known else None for m, any_known in zip(mean, known.any(0), strict=True)
    ]


def by_series(panel: Panel, origins: np.ndarray, forecasts: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return each forecast's MAE by series, the number of scored values, and MASE of the first."""
    actual, series = panel.targets(origins), panel.series_of(origins)
    errors = {name: np.nanmean(np.abs(actual - f), axis=1) for name, f in forecasts.items()}
    table = pd.DataFrame(errors).groupby(series).mean().reindex(range(len(panel.names)))
    table.insert(0, "values", panel.end - panel.start)
    table["mase"] = table.iloc[:, 1] / panel.scale
    return table.set_axis(pd.Index(panel.names, name="series"))


def baselines(
    panel: Panel, origins: np.ndarray, linear: Linear, trees: Boosting | None, whole: bool
) -> dict[str, np.ndarray]:
    """Return the baselines' forecasts by name, each (windows, horizon), `whole` numbers or not."""
    forecasts = {"persistence": last_value(panel, origins)}
    if panel.season > 1:
        forecasts["seasonal_naive"] = seasonal_naive(panel, origins)
    if mostly_zero(panel):
        windows = panel.windows(origins)
        count = np.maximum(np.isfinite(windows).sum(axis=1), 1)
        mean = np.nansum(windows, axis=1) / count
        forecasts["zero"] = np.zeros((len(origins), panel.horizon))
        forecasts["mean"] = np.repeat(mean[:, None], panel.horizon, axis=1)
    forecasts["linear"] = linear.predict(panel, origins)
    if trees:
        forecasts["boosting"] = trees.predict(panel, origins)
    if whole:
        learned = forecasts.keys() & {"linear", "boosting"}
        forecasts |= {name: np.rint(forecasts[name]) for name in learned}
    return forecasts


def mostly_zero(panel: Panel) -> bool:
    """Return whether a third or more of the train values are zero."""
    train = panel.values[panel.train_rows()]
    return bool(np.mean(train[np.isfinite(train)] == 0) >= 1 / 3)


def significance(
    panel: Panel, origins: np.ndarray, forecast_a: np.ndarray, forecast_b: np.ndarray
) -> float:
    """Return the p-value of "both have the same expected absolute error", two-sided."""
    actual, series = panel.targets(origins), panel.series_of(origins)
    difference = np.abs(actual - forecast_a) - np.abs(actual - forecast_b)
    table = pd.DataFrame({
        "difference": np.nanmean(difference / panel.scale[series, None], axis=1),
        "series": series,
        "time": origins - panel.borders[series, 1],
    })  # fmt: skip
    return no_difference(table, max(panel.horizon, panel.season))


def no_difference(windows: pd.DataFrame, overlap: int) -> float:
    """Return the p-value of "the mean difference of two forecasts' errors is 0", two-sided.

    Of 20 or more series by Student's t over series; else over origins, in whose windows the same
    steps ahead come again (`utils.series.evaluation.mean_is_zero`).

    Args:
        windows: columns difference, series and time, by which origins of several series are one.
        overlap: how many neighbouring origins share steps ahead, or a season.
    """
    from scipy import stats

    by_series = windows.groupby("series")["difference"].mean().dropna()
    if len(by_series) >= 20:
        p_value = stats.ttest_1samp(by_series, 0).pvalue
        return float(p_value) if np.isfinite(p_value) else 1.0
    means = windows.groupby("time")["difference"].mean().dropna().to_numpy()
    return mean_is_zero(means, overlap)
