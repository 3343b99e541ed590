"""Baselines, scores, significance: is the network better than what costs nothing?"""

from collections.abc import Callable

from utils.series import forecasting, index
from utils.series.forecasting import Forecaster
from utils.series.windows import Parts, cut

import numpy as np
import pandas as pd
from scipy import stats

BASELINES = ("persistence", "seasonal_naive", "linear")


def persistence(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Forecast the last value: (windows,) for values (time,) and target rows (windows,)."""
    return values[rows - 1]


def seasonal_naive(values: np.ndarray, rows: np.ndarray, season: int) -> np.ndarray:
    """Forecast the value of one season ago; `season` in steps, at most the first of the rows."""
    return values[rows - season]


class LinearAutoregression:
    """The target as a weighted sum of all that the window holds: least squares.

    The normal equations are summed up in chunks, so that the windows are never all in memory.

    Args:
        input_steps: past steps per window.
        targets: how many of the columns, the first ones, are series; of the rest, the calendar,
            only the row of the target is used.
    """

    CHUNK = 20_000  # windows

    def __init__(self, input_steps: int, targets: int):
        self.input_steps = input_steps
        self.targets = targets

    def fit(self, values: np.ndarray, rows: np.ndarray) -> "LinearAutoregression":
        """Fit on the target rows (windows,) of values (time, columns); the target is column 0."""
        self.mean, self.scale = values[: rows[-1] + 1].mean(0), values[: rows[-1] + 1].std(0)
        size = self.input_steps * self.targets + values.shape[1] - self.targets + 1
        gram, moment = np.zeros((size, size)), np.zeros(size)
        for chunk in self._chunks(rows):
            x = self._inputs(values, chunk)
            gram += x.T @ x
            moment += x.T @ ((values[chunk, 0] - self.mean[0]) / self.scale[0])
        ridge = 1e-8 * len(rows)  # columns that say the same, as dew point and humidity nearly do
        self.weights = np.linalg.solve(gram + ridge * np.eye(size), moment)
        return self

    def predict(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the forecasts (windows,), in the series' unit."""
        forecasts = [self._inputs(values, chunk) @ self.weights for chunk in self._chunks(rows)]
        return np.concatenate(forecasts) * self.scale[0] + self.mean[0]

    def _chunks(self, rows):
        return np.array_split(rows, -(-len(rows) // self.CHUNK))

    def _inputs(self, values, rows):
        scaled = (values[rows[0] - self.input_steps : rows[-1] + 1] - self.mean) / self.scale
        rows = rows - rows[0] + self.input_steps
        past = cut(scaled[:, : self.targets], rows, self.input_steps).reshape(len(rows), -1)
        return np.column_stack([past, scaled[rows, self.targets :], np.ones(len(rows))])


def baselines(
    values: np.ndarray, parts: Parts, input_steps: int, targets: int, season: int | None
) -> dict[str, np.ndarray]:
    """Return the baselines' one-step forecasts of the test part by name, each (windows,).

    Args:
        values: (time, columns), the network's inputs; the target is column 0.
        parts: target rows.
        input_steps: past steps per window.
        targets: how many of the columns are series, not calendar.
        season: steps of one season, or None where none is known.
    """
    target, rows = values[:, 0], parts.test
    forecasts = {"persistence": persistence(target, rows)}
    if season and season <= rows[0]:
        forecasts["seasonal_naive"] = seasonal_naive(target, rows, season)
    linear = LinearAutoregression(input_steps, targets).fit(values, parts.train)
    forecasts["linear"] = linear.predict(values, rows)
    return forecasts


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

    def mae(forecast):
        return float(np.mean(np.abs(actual - forecast)))

    def rmse(forecast):
        return float(np.sqrt(np.mean(np.square(actual - forecast))))

    def ratio(a, b):
        return a / b if b > 0 else None

    naive = float(np.mean(np.abs(np.diff(train_values))))
    unskilled = mae(forecasts["persistence"])
    best = rmse(forecasts["optimal"]) if "optimal" in forecasts else None
    return {
        name: {
            "mae": mae(forecast),
            "rmse": rmse(forecast),
            "mase": ratio(mae(forecast), naive),
            "skill": 1 - mae(forecast) / unskilled if unskilled > 0 else None,
            "ratio_to_optimal": ratio(rmse(forecast), best) if best else None,
        }
        for name, forecast in forecasts.items()
    }


def best_baseline(scores: dict[str, dict]) -> str:
    """Return the name of the baseline with the lowest MAE."""
    return min((name for name in BASELINES if name in scores), key=lambda name: scores[name]["mae"])


def diebold_mariano(
    actual: np.ndarray, forecast_a: np.ndarray, forecast_b: np.ndarray, horizon: int = 1
) -> float:
    """Return the p-value of "both forecasts have the same expected absolute error", two-sided.

    Sources: Diebold & Mariano, "Comparing predictive accuracy" (1995); with the small-sample form
    of Harvey, Leybourne & Newbold, "Testing the equality of prediction mean squared errors" (1997),
    equation 9, and Student's t with n - 1 degrees of freedom.

    Args:
        actual: (windows,), in time order.
        forecast_a: (windows,)
        forecast_b: (windows,)
        horizon: steps ahead, h; differences up to h - 1 steps apart may be correlated, those
            further apart are taken not to be.
    """
    difference = np.abs(actual - forecast_a) - np.abs(actual - forecast_b)
    n, centred = len(difference), difference - difference.mean()
    covariances = [centred[lag:] @ centred[: n - lag] / n for lag in range(horizon)]
    variance = (covariances[0] + 2 * sum(covariances[1:])) / n
    if variance <= 0:  # the same forecasts, or too few windows to tell
        return 1.0
    small_sample = (n + 1 - 2 * horizon + horizon * (horizon - 1) / n) / n
    statistic = difference.mean() / np.sqrt(variance) * np.sqrt(small_sample)
    return float(2 * stats.t.sf(abs(statistic), df=n - 1))


def evaluate(
    name: str,
    forecaster: Forecaster,
    frame: pd.DataFrame,
    parts: Parts,
    season: int | None = None,
    optimal: Callable[[np.ndarray], np.ndarray] | None = None,
) -> tuple[pd.DataFrame, dict]:
    """Forecast the test part one step ahead, and score network, baselines and interval.

    Args:
        name: of the network.
        forecaster: whose spread was measured on the validation part.
        frame: the series.
        parts: target rows.
        season: steps of one season, where one is known.
        optimal: the best possible predictor, windows (windows, input_steps) -> (windows,), where
            the law of the data is known.

    Returns:
        a table by time of the test part: actual, predicted (by the network), a column per baseline,
        lower and upper (of the 90 % interval); and {"test": scores by name, "best_baseline":
        name, "p_value": of the Diebold-Mariano test against it, "coverage": {"0.9": share}}.
    """
    network, _, calendar, _, spread = forecaster
    _, input_steps, _ = network.input_shape
    _, targets = network.output_shape
    values = index.with_calendar(frame, calendar)
    known = np.concatenate([parts.val, parts.test])
    one_step = forecasting.one_step(network, values, known)  # (windows, targets)
    scales = spread.scales(spread.errors(values[known, :targets], one_step))[:-1]
    test = slice(len(parts.val), None)
    forecasts = {name: one_step[test, 0]}
    lower, upper = spread.interval(forecasts[name], scales[test, 0], 0.9)
    forecasts |= baselines(values, parts, input_steps, targets, season)
    if optimal:
        forecasts["optimal"] = optimal(cut(values[:, 0], parts.test, input_steps))

    actual = values[parts.test, 0]
    by_name = scores(actual, forecasts, values[: parts.val[0], 0])
    best = best_baseline(by_name)
    results = {
        "test": by_name,
        "best_baseline": best,
        "p_value": diebold_mariano(actual, forecasts[name], forecasts[best]),
        "coverage": {"0.9": float(np.mean((lower <= actual) & (actual <= upper)))},
    }
    predicted = forecasts.pop(name)
    columns = {"actual": actual, "predicted": predicted, **forecasts}
    columns |= {"lower": lower, "upper": upper}
    return pd.DataFrame(columns, frame.index[parts.test]), results


def table(scores: dict[str, dict]) -> str:
    """Return the scores as an aligned table, a row per forecast, a dash for what doesn't apply."""
    shown = pd.DataFrame(scores).T.astype(float)
    columns = {
        "mae": ("MAE", "{:.4g}"),
        "rmse": ("RMSE", "{:.4g}"),
        "mase": ("MASE", "{:.3f}"),
        "skill": ("skill", "{:+.1%}"),
        "ratio_to_optimal": ("x optimal", "{:.4f}"),
    }
    shown = pd.DataFrame(
        {
            title: [form.format(value) if np.isfinite(value) else "-" for value in shown[name]]
            for name, (title, form) in columns.items()
        },
        index=[name.replace("_", " ") for name in shown.index],
    )
    return shown.to_string()


def verdict(network: str, results: dict) -> str:
    """Say in one sentence whether the network beats the best baseline, also when it lost.

    Args:
        network: its name.
        results: of `evaluate`.
    """
    test, best, p_value = results["test"], results["best_baseline"], results["p_value"]
    ours, theirs = test[network]["mae"], test[best]["mae"]
    rival = f"the best baseline, {best.replace('_', ' ')}"
    errors = f"its mean absolute error is {ours:.4g} against {theirs:.4g}"
    if p_value >= 0.05:
        return (
            f"{network} can't be told apart from {rival}: {errors}, a difference that chance could "
            f"make (p = {p_value:.2f})."
        )
    beats, smaller = ("beats", "smaller") if ours < theirs else ("loses to", "larger")
    share = f", {abs(1 - ours / theirs):.1%} {smaller}" if theirs > 0 else ""
    chance = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    return f"{network} {beats} {rival}: {errors}{share} ({chance})."


def report(network: str, results: dict) -> str:
    """Return the score table, the verdict and the coverage, as a lesson prints them."""
    coverage = results["coverage"]["0.9"]
    return "\n".join(
        [
            "One step ahead on the test part:",
            table(results["test"]),
            verdict(network, results),
            f"The 90 % interval held {coverage:.1%} of the test part, one step ahead.",
        ]
    )
