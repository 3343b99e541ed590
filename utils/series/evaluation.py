"""Baselines, scores, significance: is the network better than what costs nothing?

Forecasts are (windows, steps) throughout: what each window says about each step to come.
"""

from __future__ import annotations

from collections.abc import Callable

from utils.series.windows import Parts, cut

import numpy as np

BASELINES = ("persistence", "seasonal_naive", "linear")
MOST_EQUAL = 0.3  # of the values, from which share on a constant is worth a try
MAX_FITTED = 60_000  # windows
PENALTIES = (0.001, 1.0, 30.0, 300.0)
ABSOLUTE = 10  # rounds of reweighted least squares

Forecast = Callable[[np.ndarray, np.ndarray, int], np.ndarray]


# ------------------------------------------------------------------ baselines


def persistence(values: np.ndarray, origins: np.ndarray, steps: int) -> np.ndarray:
    """Forecast the last value: (windows, steps) for values (time, columns), of column 0."""
    return np.repeat(values[origins - 1, :1], steps, axis=1)


def seasonal_naive(season: int) -> Forecast:
    """Return the forecaster that repeats the last season; no origin may come before its end."""

    def forecast(values, origins, steps):
        ahead = np.arange(steps)
        return values[origins[:, None] + ahead - season * (ahead // season + 1), 0]

    return forecast


def constant(value: float) -> Forecast:
    """Return the forecaster that says one value, whatever comes."""
    return lambda values, origins, steps: np.full((len(origins), steps), value)


class LinearAutoregression:
    """The next values as weighted sums of all that the window holds, by least absolute errors.

    That is what forecasts are judged by. The sum is found by least squares, reweighted by one over
    the errors of the round before (Schlossmacher, "An iterative technique for absolute deviations
    curve fitting", 1973); its ridge penalty is chosen on the validation part. A forecast of many
    steps is fed back, as the networks' are.

    Args:
        input_steps: past steps per window.
        targets: how many of the columns, the first ones, are series; of the rest, the calendar,
            only the last row is used.
    """

    def __init__(self, input_steps: int, targets: int):
        self.input_steps = input_steps
        self.targets = targets

    def fit(self, values: np.ndarray, parts: Parts) -> LinearAutoregression:
        """Fit on the train part of values (time, columns)."""
        rows = parts.train[:: -(-len(parts.train) // MAX_FITTED)]
        val_rows = parts.val[:: -(-len(parts.val) // MAX_FITTED)]
        x, x_val = (self._inputs(cut(values, part, self.input_steps)) for part in (rows, val_rows))
        centre, scale = x.mean(axis=0), x.std(axis=0) + 1e-9
        x, x_val = (x - centre) / scale, (x_val - centre) / scale
        fits = [
            _least_absolute(x, values[rows, i], x_val, values[val_rows, i])
            for i in range(self.targets)
        ]
        self.kernel = np.column_stack([weights / scale for weights, _ in fits])  # (inputs, targets)
        self.bias = np.array([bias for _, bias in fits]) - centre @ self.kernel
        return self

    def __call__(self, values: np.ndarray, origins: np.ndarray, steps: int) -> np.ndarray:
        """Return the forecasts of the target: (windows, steps)."""
        forecasts = []
        for part in np.array_split(origins, -(-len(origins) // MAX_FITTED)):
            windows, ahead = cut(values, part, self.input_steps), []
            for step in range(steps):
                if step:
                    calendar = values[part + step - 1, self.targets :]
                    newest = np.column_stack([ahead[-1], calendar])[:, None]
                    windows = np.concatenate([windows[:, 1:], newest], axis=1)
                ahead.append(self._inputs(windows) @ self.kernel + self.bias)
            forecasts.append(np.stack(ahead, axis=1)[:, :, 0])
        return np.concatenate(forecasts)

    def _inputs(self, windows):
        past = windows[:, :, : self.targets].reshape(len(windows), -1)
        return np.column_stack([past, windows[:, -1, self.targets :]])


def _least_absolute(x, y, x_val, y_val):
    """Return weights (inputs,) and bias of the weighted sum of least absolute errors."""
    from sklearn.linear_model import Ridge
    from sklearn.metrics import mean_absolute_error

    def fitted(penalty, sample_weight=None):
        return Ridge(penalty).fit(x, y, sample_weight)

    def val_error(penalty):
        return mean_absolute_error(y_val, fitted(penalty).predict(x_val))

    penalty = min(PENALTIES, key=val_error)
    line = fitted(penalty)
    for _ in range(ABSOLUTE):
        errors = np.abs(y - line.predict(x))
        weights = 1 / np.maximum(errors, max(0.3 * np.median(errors), 1e-9))
        line = fitted(penalty, weights / weights.mean())
    return line.coef_, line.intercept_


def baselines(
    values: np.ndarray, parts: Parts, linear: LinearAutoregression, season: int | None
) -> dict[str, Forecast]:
    """Return the forecasters that a network has to beat, by name.

    Args:
        values: (time, columns), the network's inputs; the target is column 0.
        parts: target rows.
        linear: fitted.
        season: steps of one season, or None where none is known.
    """
    known = values[: parts.val[0], 0]
    found = {"persistence": persistence}
    if season and season <= parts.val[0]:
        found["seasonal_naive"] = seasonal_naive(season)
    found["linear"] = linear
    if np.unique(known, return_counts=True)[1].max() > MOST_EQUAL * len(known):
        found["median"] = constant(float(np.median(known)))
    return found


# ------------------------------------------------------------------ scores


def mae(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Return the mean absolute error, of what is known (NaN is not)."""
    return float(np.nanmean(np.abs(actual - forecast)))


def rmse(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Return the root of the mean squared error, of what is known (NaN is not)."""
    return float(np.sqrt(np.nanmean(np.square(actual - forecast))))


def scores(
    actual: np.ndarray, forecasts: dict[str, np.ndarray], train_values: np.ndarray
) -> dict[str, dict[str, float | None]]:
    """Score one-step forecasts.

    Args:
        actual: (windows,)
        forecasts: by name, each (windows,); "persistence" must be among them, "optimal" may.
        train_values: (time,), the target's train part.

    Returns:
        by name: mae and rmse in the series' unit; mase, the MAE over the MAE of persistence in the
        train part (Hyndman & Koehler, "Another look at measures of forecast accuracy", 2006);
        skill, 1 - MAE / MAE of persistence; ratio_to_optimal, RMSE / RMSE of "optimal". None where
        one doesn't apply.
    """

    def ratio(a, b):
        return a / b if b > 0 else None

    naive = mae(train_values[1:], train_values[:-1])
    unskilled = mae(actual, forecasts["persistence"])
    best = rmse(actual, forecasts["optimal"]) if "optimal" in forecasts else None
    return {
        name: {
            "mae": mae(actual, forecast),
            "rmse": rmse(actual, forecast),
            "mase": ratio(mae(actual, forecast), naive),
            "skill": 1 - mae(actual, forecast) / unskilled if unskilled > 0 else None,
            "ratio_to_optimal": ratio(rmse(actual, forecast), best) if best else None,
        }
        for name, forecast in forecasts.items()
    }


def best_baseline(scores: dict[str, dict], network: str) -> str:
    """Return the name of the baseline with the lowest MAE."""
    rivals = [name for name in scores if name not in (network, "optimal")]
    return min(rivals, key=lambda name: scores[name]["mae"])


def scored_steps(most: int) -> list[int]:
    """Return the steps to score, and `most`: 1, 2, 3, 6, 12, 24, 48, ..."""
    steps = [1, 2, 3]
    while steps[-1] < most:
        steps.append(2 * steps[-1])
    return sorted({*(step for step in steps if step < most), most})


def diebold_mariano(
    actual: np.ndarray, forecast_a: np.ndarray, forecast_b: np.ndarray, season: int = 24
) -> float:
    """Return the p-value of "both forecasts have the same expected absolute error", two-sided.

    The differences of the errors are autocorrelated, from hour to hour and from day to day. So the
    variance of their mean is estimated from their slowest movements alone, the first B cosines that
    fit into the n windows, B = 0.41 n^(2/3), and compared with Student's t of B degrees of freedom.
    Only cosines slower than half a season's pace are taken: a season's own movement is not that of
    the mean.

    Sources: Diebold & Mariano, "Comparing predictive accuracy" (1995); the variance: Lazarus,
    Lewis, Stock & Watson, "HAR inference: recommendations for practice" (2018), equal-weighted
    cosines (EWC), with the number of cosines that they recommend.

    Args:
        actual: (windows,), in time order.
        forecast_a: (windows,)
        forecast_b: (windows,)
        season: steps after which errors may resemble each other again; 1 for none.
    """
    return mean_is_zero(np.abs(actual - forecast_a) - np.abs(actual - forecast_b), season)


def mean_is_zero(differences: np.ndarray, season: int) -> float:
    """Return the p-value of "these autocorrelated values have the mean 0"; see `diebold_mariano`.

    Args:
        differences: (windows,), in time order.
        season: as there.
    """
    from scipy.fft import dct
    from scipy.special import stdtr

    n = len(differences)
    if n < 2:
        return 1.0
    terms = max(int(min(0.41 * n ** (2 / 3), n / (4 * season))), 1)
    variance = np.mean(dct(differences, norm="ortho")[1 : terms + 1] ** 2) / n
    if not variance > 0:  # the same forecasts
        return 1.0
    return float(2 * stdtr(terms, -abs(differences.mean()) / np.sqrt(variance)))


def scores_by_steps(
    actual: np.ndarray,
    forecasts: dict[str, np.ndarray],
    bounds: dict[int, tuple[np.ndarray, np.ndarray]],
) -> dict[str, dict]:
    """Score the forecasts by the number of steps ahead.

    Args:
        actual: (windows, steps), NaN where it isn't known.
        forecasts: by name, as `actual`.
        bounds: lower and upper bound of the 90 % interval, each (windows,), by the steps to score.

    Returns:
        by step, as text: mae and rmse by name; "coverage", the share that the interval held, and
        "width", its mean.
    """
    found = {}
    for step, (lower, upper) in bounds.items():
        truth = actual[:, step - 1]
        known = np.isfinite(truth) & np.isfinite(lower)
        if not known.any():
            continue
        held = (lower <= truth) & (truth <= upper)
        found[str(step)] = {
            name: {"mae": mae(truth, f[:, step - 1]), "rmse": rmse(truth, f[:, step - 1])}
            for name, f in forecasts.items()
        } | {
            "coverage": float(held[known].mean()),
            "width": float((upper - lower)[known].mean()),
        }
    return found
