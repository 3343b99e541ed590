"""Every rival from the same origins: scores, intervals, and what follows in a plain sentence."""

from collections.abc import Callable, Sequence

from utils.series.intervals import Conformal, widened
from utils.series.panel import MAX_ORIGINS, PARTS, Panel, evenly

import numpy as np
import pandas as pd

WRITTEN_ROWS = 100_000  # of backtest.csv, about; all origins are scored
HEADINGS = {"mae": "all", "rmse": "RMSE", "mase": "MASE", "smape": "sMAPE %"}
SAME = 0.001  # share by which errors differ without a difference
MANY_SERIES = 20  # from which on series, not origins, are what is drawn by chance


class Backtest:
    """Every rival's forecasts of the validation and the test part, and what they were worth.

    Args:
        rivals: by name: (panel, origins) -> (windows, horizon), or (windows, horizon, 1 + 2 *
            levels), the forecast and its bounds. Any but those named below and "optimal" is a
            baseline.
        panel: the series.
        network: the script's own row.
        written: the row that is to be written, if another; its intervals are scored.
        levels: of the intervals, the widest first.
        log: whether the intervals' errors are those of logarithms.
        steps: the first ones, that the plain sentence is about; None takes all.
        windows: of a part that are scored, at most.

    Attributes:
        origins: (windows,) of the test part.
        forecasts: by name, (windows, horizon).
        bounds: (windows, horizon, 2 * levels) of what is written; see `intervals`.
        corrections: (levels, horizon) of its intervals, as known at the end.
        shown: which of the levels is shown: 90 %, or else the widest.
        scores: what scores.json holds: val, test, coverage, width, best_baseline, p_value.
    """

    def __init__(
        self,
        rivals: dict[str, Callable],
        panel: Panel,
        network: str,
        *,
        written: str | None = None,
        levels: Sequence[float] = (0.9,),
        log: bool = False,
        steps: int | None = None,
        windows: int = MAX_ORIGINS,
    ):
        self.panel, self.levels, self.log = panel, levels, log
        self.network, self.written = network, written or network
        self.steps = steps or panel.horizon
        self.shown = levels.index(0.9) if 0.9 in levels else 0
        val, self.origins = (evenly(panel.origins(p), windows, panel.season) for p in PARTS[1:])
        both, before, self.forecasts = np.concatenate([val, self.origins]), len(val), {}
        of_val, bounds = {}, {}
        for name, rival in rivals.items():
            forecast, bounds[name] = with_bounds(rival(panel, both), levels)
            of_val[name], self.forecasts[name] = forecast[:before], forecast[before:]
        around = bounds[self.written]
        rolled, self.corrections = Conformal(panel, both, around, levels, before, log).rolling()
        self.bounds = widened(panel, self.origins, around[before:], rolled, log)
        test = scores(panel, self.origins, self.forecasts)
        self.scores = {"val": scores(panel, val, of_val), "test": test, **self._held()}
        baselines = [name for name in rivals if name not in (network, self.written, "optimal")]
        best = min(baselines, key=lambda name: error(test[name], self.steps))
        pair = self.forecasts[self.written], self.forecasts[best]
        p_value = same_error_p_value(panel, self.origins, pair, self.steps)
        self.scores |= {"best_baseline": best, "p_value": p_value}

    def _held(self):
        """Return coverage and width of each interval, by level, altogether and by step."""
        found, actual = {"coverage": {}, "width": {}}, self.panel.targets(self.origins)
        for i, level in enumerate(self.levels):
            lower, upper = self.bounds[..., i], self.bounds[..., -1 - i]
            held = (lower <= actual) & (actual <= upper)
            for name, values in (("coverage", held), ("width", upper - lower)):
                known = np.where(np.isfinite(actual), values, np.nan)
                line = {"all": float(np.nanmean(known)), "by_step": mean_by_step(known)}
                found[name][f"{level:.6g}"] = line
        return found

    def table(self) -> pd.DataFrame:
        """Return what backtest.csv holds: a row per series, origin and step."""
        panel, every = self.panel, -(-self.bounds[..., 0].size // WRITTEN_ROWS)
        origins, bounds = self.origins[::every], self.bounds[::every]
        rows = origins[:, None] + np.arange(panel.horizon)
        table = {
            "series": np.repeat(np.array(panel.names)[panel.series_of(origins)], panel.horizon),
            "origin": panel.times[np.repeat(origins - 1, panel.horizon)],  # the last time known
            "step": np.tile(np.arange(1, panel.horizon + 1), len(origins)),
            "time": panel.times[rows.ravel()],
            "actual": panel.targets(origins).ravel(),
        }
        table |= {name: forecast[::every].ravel() for name, forecast in self.forecasts.items()}
        lower, upper = bounds[..., self.shown], bounds[..., -1 - self.shown]
        table |= {"lower": lower.ravel(), "upper": upper.ravel()}
        return pd.DataFrame(table).dropna(subset="actual").set_index("series")

    def one_step(self) -> pd.DataFrame:
        """Return, by time, what came and each forecast of it one step ahead; of one series."""
        times = self.panel.times[self.origins]
        ahead = {name: forecast[:, 0] for name, forecast in self.forecasts.items()}
        return pd.DataFrame({"actual": self.panel.values[self.origins, 0], **ahead}, times)

    def __str__(self):
        """Return the table of scores and what they say."""
        test = self.scores["test"]
        mae = pd.DataFrame({n: line["by_step"]["mae"] for n, line in test.items()}, dtype=float)
        mae = mae.set_axis(np.arange(1, len(mae) + 1)).loc[shown_steps(len(mae))].dropna()
        table = mae.T.add_prefix("at ").join(pd.DataFrame(test).T[[*HEADINGS]].astype(float))
        table = table.set_axis(table.index.str.replace("_", " ")).rename(columns=HEADINGS)
        lines = [
            f"Test part, {len(self.origins):,} origins: mean absolute error at so many steps, and "
            "over all:",
            table.to_string(float_format="{:.4g}".format),
        ]
        if "optimal" in test:
            ours, best = (test[name]["by_step"]["rmse"][0] for name in (self.network, "optimal"))
            lines.append(
                f"One step ahead, the RMSE is {ours / best:.3f} x that of the best possible."
            )
        lines.append(verdict(self))
        if self.steps < self.panel.horizon:
            lines.append(verdict_by_step(self.network, mae))
        level, held = list(self.scores["coverage"].items())[self.shown]
        by_step = [share for share in held["by_step"] if share is not None]
        lines.append(
            f"The {float(level):.0%} interval held {held['all']:.1%} of the test part; by step "
            f"{min(by_step):.1%} to {max(by_step):.1%}."
        )
        return "\n".join(lines)


def with_bounds(forecast: np.ndarray, levels: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Take a rival's forecast apart: (windows, horizon), and its bounds, or else itself as such."""
    if forecast.ndim == 3:
        return forecast[..., 0], forecast[..., 1:]
    return forecast, np.repeat(forecast[..., None], 2 * len(levels), axis=-1)


def error(line: dict, steps: int) -> float:
    """Return the error that decides, of one forecast's scores: MAE one step ahead, or else MASE."""
    return line["by_step"]["mae"][0] if steps == 1 else line["mase"]


def scores(panel: Panel, origins: np.ndarray, forecasts: dict[str, np.ndarray]) -> dict[str, dict]:
    """Score forecasts (windows, horizon), by name, from the origins of one part.

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

    Sources: Diebold & Mariano, "Comparing predictive accuracy" (1995); the variance and B: Lazarus,
    Lewis, Stock & Watson, "HAR inference: recommendations for practice" (2018).

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
    panel: Panel, origins: np.ndarray, pair: Sequence[np.ndarray], steps: int, power: int = 1
) -> float:
    """Return the p-value of "both have the same expected absolute error", two-sided.

    Of MANY_SERIES or more by Student's t over series; else over origins, those of several series
    being one where their time is, see `p_value`. Both forecasts are (windows, horizon), from the
    origins of one part; the first `steps` count. With power 2, errors are squared.
    """
    from scipy.special import stdtr

    actual, series = panel.targets(origins), panel.series_of(origins)
    scale = panel.mase_scale[series, None]
    ours, theirs = (np.abs((actual - one) / scale)[:, :steps] ** power for one in pair)
    difference = pd.DataFrame(ours - theirs).mean(axis=1)
    of_series = difference.groupby(series).mean().dropna()
    if (n := len(of_series)) >= MANY_SERIES:
        error = of_series.std() / np.sqrt(n)
        return float(2 * stdtr(n - 1, -abs(of_series.mean()) / error)) if error > 0 else 1.0
    by_time = difference.groupby(origins - panel.borders[series, 1]).mean()
    return p_value(by_time.to_numpy(), max(steps, panel.season))


def shown_steps(most: int) -> list[int]:
    """Return the steps to show, and `most`: 1, 2, 3, 6, 12, 24, 48, ..."""
    steps = [1, 2, *(3 * 2**i for i in range(most.bit_length()))]
    return [*(step for step in steps if step < most), most]


def verdict(found: Backtest) -> str:
    """Say in one sentence whether what is written beats the best baseline, also when it lost."""
    best, p_value = found.scores["best_baseline"], found.scores["p_value"]
    ours, theirs = (error(found.scores["test"][n], found.steps) for n in (found.written, best))
    rival = f"the best baseline, {best.replace('_', ' ')}"
    what = "one step ahead its mean absolute error is" if found.steps == 1 else "its MASE is"
    errors = f"{what} {ours:.4g} against {theirs:.4g}"
    share = abs(1 - ours / theirs) if theirs else 0.0
    if share < SAME:
        return f"{found.written} is as good as {rival}: {errors}."
    errors += f", {share:.1%} {'less' if ours < theirs else 'more'}"
    p = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    if p_value >= 0.05:
        return f"{found.written} can't be told apart from {rival}: {errors}, maybe by chance ({p})."
    return f"{found.written} {'beats' if ours < theirs else 'loses to'} {rival}: {errors} ({p})."


def verdict_by_step(network: str, mae: pd.DataFrame) -> str:
    """Say from how many steps ahead on the network is worse than a baseline; mae: by step, name."""
    baselines = mae.drop(columns=[network, "optimal"], errors="ignore")
    behind = mae[network] > (1 + SAME) * baselines.min(axis=1)
    if not behind.any():
        return f"Fed back, {network} is no worse than any baseline at all steps shown."
    step, best = behind.idxmax(), baselines.loc[behind.idxmax()].idxmin()
    return (
        f"Fed back, {network} falls behind at step {step}: it has {mae[network][step]:.4g}, "
        f"{best.replace('_', ' ')} {baselines[best][step]:.4g}. "
        "Where it loses, take forecast.py, which learns all steps at once."
    )
