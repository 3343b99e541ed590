"""Every rival from the same origins: scores, intervals, and what follows in a plain sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from utils.series.intervals import Conformal, widened
from utils.series.panel import Panel, evenly
from utils.series.scores import by_series, mean_by_step, panel_p_value, scores

import numpy as np
import pandas as pd

WRITTEN_ROWS = 100_000  # of backtest.csv, about; all origins are scored
SAME = 0.001  # share by which errors differ without a difference
FEW = 50  # windows: fewer tell large differences only


class Backtest(NamedTuple):
    """Forecasts of the test part, and what they were worth."""

    panel: Panel
    origins: np.ndarray  # (windows,) of the test part
    forecasts: dict[str, np.ndarray]  # by name, (windows, horizon)
    bounds: np.ndarray  # (windows, horizon, 2 * levels) of what is written; see `intervals`
    corrections: np.ndarray  # (levels, horizon) of its intervals, as known at the end
    levels: Sequence[float]
    network: str  # name of the script's own row
    written: str  # name of the row that is written
    steps: int  # that the plain sentence is about: the first ones
    scores: dict  # what scores.json holds: val, test, coverage, width, best_baseline, p_value

    def __str__(self):
        return report(self)

    def table(self) -> pd.DataFrame:
        """Return what backtest.csv holds: a row per series, origin and step."""
        horizon, every = self.panel.horizon, -(-self.bounds[..., 0].size // WRITTEN_ROWS)
        origins = self.origins[::every]
        series = self.panel.series_of(origins)
        rows = origins[:, None] + np.arange(-1, horizon)
        times = self.panel.times[0].append(self.panel.times[1:])
        lengths = self.panel.end - self.panel.start + horizon
        first = np.cumsum(lengths) - lengths  # where each series' times begin
        rows = rows - (self.panel.start - first)[series][:, None]
        actual = self.panel.targets(origins).ravel()
        table = {
            "series": np.repeat(np.array(self.panel.names)[series], horizon),
            "origin": times[np.repeat(rows[:, 0], horizon)],  # the last time known
            "step": np.tile(np.arange(1, horizon + 1), len(origins)),
            "time": times[rows[:, 1:].ravel()],
            "actual": actual,
        }
        table |= {name: forecast[::every].ravel() for name, forecast in self.forecasts.items()}
        at = self.levels.index(0.9) if 0.9 in self.levels else 0  # or the widest
        table["lower"] = self.bounds[::every, :, at].ravel()
        table["upper"] = self.bounds[::every, :, -1 - at].ravel()
        return pd.DataFrame(table)[np.isfinite(actual)].set_index("series")

    def one_step(self) -> pd.DataFrame:
        """Return, by time, what came and each forecast of it one step ahead; of one series."""
        times = self.panel.times[0][self.origins - self.panel.start[0]]
        ahead = {name: forecast[:, 0] for name, forecast in self.forecasts.items()}
        return pd.DataFrame({"actual": self.panel.values[self.origins, 0], **ahead}, times)

    def by_series(self) -> pd.DataFrame:
        """Return MAE of what is written and of the best baseline, and MASE, by series."""
        names = (self.written, self.scores["best_baseline"])
        return by_series(self.panel, self.origins, {name: self.forecasts[name] for name in names})


def backtest(
    rivals: dict[str, Callable],
    panel: Panel,
    network: str,
    *,
    written: str | None = None,
    levels: Sequence[float] = (0.9,),
    log: bool = False,
    steps: int | None = None,
) -> Backtest:
    """Forecast the validation and the test part from the same origins by every rival, and score.

    Args:
        rivals: by name: (panel, origins) -> (windows, horizon), or (windows, horizon, 1 + 2 *
            levels), the forecast and its bounds. What isn't `network`, `written` or "optimal" is a
            baseline.
        panel: the series.
        network: name of the script's own row.
        written: name of the row that is to be written, if it is another; its intervals are scored.
        levels: of the intervals, the widest first.
        log: whether the intervals' errors are those of logarithms.
        steps: that the plain sentence is about: the first ones; all where it is None.
    """
    written = written or network
    origins = {part: evenly(panel.origins(part)) for part in ("val", "test")}
    both = np.concatenate(list(origins.values()))
    validated, forecasts, bounds = len(origins["val"]), {}, None
    for name, rival in rivals.items():
        forecast = rival(panel, both)
        forecasts[name] = forecast if forecast.ndim == 2 else forecast[..., 0]
        if name == written:
            bounds = forecast[..., 1:] if forecast.ndim == 3 else None
    if bounds is None:
        bounds = np.repeat(forecasts[written][..., None], 2 * len(levels), axis=-1)
    conformal = Conformal(panel, both, bounds, levels, validated, log)
    test = origins["test"]
    rolled, corrections = conformal.rolling()
    bounds = widened(panel, test, bounds[validated:], rolled, log)
    of_test = {name: forecast[validated:] for name, forecast in forecasts.items()}
    result = {
        "val": scores(panel, origins["val"], {n: f[:validated] for n, f in forecasts.items()}),
        "test": scores(panel, test, of_test),
    }
    result |= _held(panel, test, bounds, levels)
    steps = steps or panel.horizon
    own = (network, written, "optimal")
    errors = {n: error(line, steps) for n, line in result["test"].items() if n not in own}
    best = min(errors, key=errors.__getitem__)
    p_value = _significance(panel, test, of_test[written], of_test[best], steps)
    result |= {"best_baseline": best, "p_value": p_value}
    return Backtest(
        panel, test, of_test, bounds, corrections, levels, network, written, steps, result
    )


def error(line: dict, steps: int) -> float:
    """Return the error that decides, of one forecast's scores: MAE one step ahead, or else MASE."""
    return line["by_step"]["mae"][0] if steps == 1 else line["mase"]


def _significance(panel, origins, ours, theirs, steps):
    """Return the p-value of "both have the same expected absolute error" over the first steps."""
    actual, series = panel.targets(origins), panel.series_of(origins)
    difference = (np.abs(actual - ours) - np.abs(actual - theirs))[:, :steps]
    difference /= panel.mase_scale[series, None]
    windows = pd.DataFrame({
        "difference": pd.DataFrame(difference).mean(axis=1).to_numpy(),
        "series": series,
        "time": origins - panel.borders[series, 1],
    })  # fmt: skip
    return panel_p_value(windows, max(steps, panel.season))


def _held(panel, origins, bounds, levels):
    """Return coverage and width of each interval, by level, altogether and by step."""
    actual, found = panel.targets(origins), {"coverage": {}, "width": {}}
    known = np.isfinite(actual)
    for i, level in enumerate(levels):
        lower, upper = bounds[..., i], bounds[..., -1 - i]
        held = np.where(known, (lower <= actual) & (actual <= upper), np.nan)
        width = np.where(known, upper - lower, np.nan)
        for name, values in (("coverage", held), ("width", width)):
            found[name][f"{level:.6g}"] = {
                "all": float(np.nanmean(values)),
                "by_step": mean_by_step(values),
            }
    return found


# ------------------------------------------------------------------ in words


def shown_steps(most: int) -> list[int]:
    """Return the steps to show, and `most`: 1, 2, 3, 6, 12, 24, 48, ..."""
    steps = [1, 2, 3]
    while steps[-1] < most:
        steps.append(2 * steps[-1])
    return sorted({*(step for step in steps if step < most), most})


def report(found: Backtest) -> str:
    """Return the table of scores and what they say."""
    test, origins = found.scores["test"], len(found.origins)
    errors = test[found.network]["by_step"]["mae"]
    shown = [s for s in shown_steps(found.panel.horizon) if errors[s - 1] is not None]
    rows = {}
    for name, line in test.items():
        by_step = {f"at {step}": line["by_step"]["mae"][step - 1] for step in shown}
        rows[name.replace("_", " ")] = by_step | {
            "all": line["mae"], "RMSE": line["rmse"], "MASE": line["mase"], "sMAPE %": line["smape"]
        }  # fmt: skip
    lines = [
        f"Test part, {origins:,} origins: mean absolute error at so many steps, and over all:",
        pd.DataFrame(rows).T.to_string(float_format="{:.4g}".format),
    ]
    if "optimal" in test:
        ours, best = (test[name]["by_step"]["rmse"][0] for name in (found.network, "optimal"))
        lines.append(f"One step ahead, the RMSE is {ours / best:.3f} x that of the best possible.")
    lines.append(verdict(found))
    if found.steps < found.panel.horizon:
        lines.append(verdict_by_step(found, shown))
    for level, coverage in found.scores["coverage"].items():
        if level == "0.9" or len(found.levels) == 1:
            held = [share for share in coverage["by_step"] if share is not None]
            lines.append(
                f"The {float(level):.0%} interval held {coverage['all']:.1%} of the test part; by "
                f"step {min(held):.1%} to {max(held):.1%}."
            )
    return "\n".join(lines)


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
        few = len(found.origins) < FEW or share > 0.1
        luck = f"and {len(found.origins)} windows are too few to tell" if few else "maybe by chance"
        return f"{found.written} can't be told apart from {rival}: {errors}, {luck} ({p})."
    outcome = "beats" if ours < theirs else "loses to"
    return f"{found.written} {outcome} {rival}: {errors} ({p})."


def verdict_by_step(found: Backtest, shown: list[int]) -> str:
    """Say up to how many steps ahead the network, fed back, is no worse than any baseline."""
    test, name = found.scores["test"], found.network
    ahead = 0
    for step in shown:
        errors = {n: line["by_step"]["mae"][step - 1] for n, line in test.items() if n != "optimal"}
        best = min(errors, key=errors.get)
        if errors[name] > (1 + SAME) * errors[best]:
            break
        ahead = step
    else:
        return f"Fed back, {name} is no worse than any baseline at all steps shown."
    upto = f"no worse than any baseline up to step {ahead}" if ahead else "behind from step 1"
    return (
        f"Fed back, {name} is {upto}; at {step} it has {errors[name]:.4g}, "
        f"{best.replace('_', ' ')} {errors[best]:.4g}. "
        "Where it loses, take forecast.py, which learns all steps at once."
    )
