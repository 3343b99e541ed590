"""Every rival from the same origins: scores, intervals, and what follows in a plain sentence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from utils.series.intervals import Conformal, widened
from utils.series.panel import MAX_ORIGINS, Panel, evenly
from utils.series.scores import mean_by_step, panel_p_value, scores

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
    log: bool  # whether the corrections are those of logarithms
    network: str  # name of the script's own row
    written: str  # name of the row that is written
    steps: int  # that the plain sentence is about: the first ones
    scores: dict  # what scores.json holds: val, test, coverage, width, best_baseline, p_value

    @property
    def shown(self) -> int:
        """Which of the levels is shown: 90 %, or else the widest."""
        return self.levels.index(0.9) if 0.9 in self.levels else 0

    def table(self) -> pd.DataFrame:
        """Return what backtest.csv holds: a row per series, origin and step."""
        panel, every = self.panel, -(-self.bounds[..., 0].size // WRITTEN_ROWS)
        origins, bounds = self.origins[::every], self.bounds[::every]
        series, steps = panel.series_of(origins), np.arange(1, panel.horizon + 1)
        times = panel.times[0].append(panel.times[1:])
        last = origins - 1 - panel.input_steps * (1 + series)  # the margins have no times
        table = {
            "series": np.repeat(np.array(panel.names)[series], panel.horizon),
            "origin": times[np.repeat(last, panel.horizon)],  # the last time known
            "step": np.tile(steps, len(origins)),
            "time": times[(last[:, None] + steps).ravel()],
            "actual": panel.targets(origins).ravel(),
        }
        table |= {name: forecast[::every].ravel() for name, forecast in self.forecasts.items()}
        table |= {
            "lower": bounds[..., self.shown].ravel(),
            "upper": bounds[..., -1 - self.shown].ravel(),
        }
        return pd.DataFrame(table).dropna(subset="actual").set_index("series")

    def one_step(self) -> pd.DataFrame:
        """Return, by time, what came and each forecast of it one step ahead; of one series."""
        times = self.panel.times[0][self.origins - self.panel.start[0]]
        ahead = {name: forecast[:, 0] for name, forecast in self.forecasts.items()}
        return pd.DataFrame({"actual": self.panel.values[self.origins, 0], **ahead}, times)

    def __str__(self):
        """Return the table of scores and what they say."""
        test, ours = self.scores["test"], self.scores["test"][self.network]
        steps = [
            s for s in shown_steps(self.panel.horizon) if ours["by_step"]["mae"][s - 1] is not None
        ]
        columns = [*(f"at {step}" for step in steps), "all", "RMSE", "MASE", "sMAPE %"]
        rows = [
            [line["by_step"]["mae"][step - 1] for step in steps]
            + [line[measure] for measure in ("mae", "rmse", "mase", "smape")]
            for line in test.values()
        ]
        table = pd.DataFrame(rows, [name.replace("_", " ") for name in test], columns)
        lines = [
            f"Test part, {len(self.origins):,} origins: mean absolute error at so many steps, and "
            "over all:",
            table.to_string(float_format="{:.4g}".format),
        ]
        if "optimal" in test:
            ratio = ours["by_step"]["rmse"][0] / test["optimal"]["by_step"]["rmse"][0]
            lines.append(f"One step ahead, the RMSE is {ratio:.3f} x that of the best possible.")
        lines.append(verdict(self))
        if self.steps < self.panel.horizon:
            lines.append(verdict_by_step(self, steps))
        level, held = list(self.scores["coverage"].items())[self.shown]
        by_step = [share for share in held["by_step"] if share is not None]
        lines.append(
            f"The {float(level):.0%} interval held {held['all']:.1%} of the test part; by step "
            f"{min(by_step):.1%} to {max(by_step):.1%}."
        )
        return "\n".join(lines)


def backtest(
    rivals: dict[str, Callable],
    panel: Panel,
    network: str,
    *,
    written: str | None = None,
    levels: Sequence[float] = (0.9,),
    log: bool = False,
    steps: int | None = None,
    windows: int = MAX_ORIGINS,
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
        windows: of a part that are scored, at most.
    """
    written, steps = written or network, steps or panel.horizon
    val, test = (evenly(panel.origins(part), windows) for part in ("val", "test"))
    both, validated = np.concatenate([val, test]), len(val)
    forecasts = {}
    for name, rival in rivals.items():
        forecasts[name], around = with_bounds(rival(panel, both), levels)
        if name == written:
            bounds = around
    rolled, corrections = Conformal(panel, both, bounds, levels, validated, log).rolling()
    bounds = widened(panel, test, bounds[validated:], rolled, log)
    of_test = {name: forecast[validated:] for name, forecast in forecasts.items()}
    found = {
        "val": scores(panel, val, {n: forecast[:validated] for n, forecast in forecasts.items()}),
        "test": scores(panel, test, of_test),
        **_held(panel.targets(test), bounds, levels),
    }
    baselines = [name for name in rivals if name not in (network, written, "optimal")]
    best = min(baselines, key=lambda name: error(found["test"][name], steps))
    p_value = same_error_p_value(panel, test, of_test[written], of_test[best], steps)
    found |= {"best_baseline": best, "p_value": p_value}
    return Backtest(
        panel, test, of_test, bounds, corrections, levels, log, network, written, steps, found
    )


def with_bounds(forecast: np.ndarray, levels: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Take a rival's forecast apart: (windows, horizon), and its bounds, or else itself as such."""
    if forecast.ndim == 3:
        return forecast[..., 0], forecast[..., 1:]
    return forecast, np.repeat(forecast[..., None], 2 * len(levels), axis=-1)


def error(line: dict, steps: int) -> float:
    """Return the error that decides, of one forecast's scores: MAE one step ahead, or else MASE."""
    return line["by_step"]["mae"][0] if steps == 1 else line["mase"]


def same_error_p_value(panel, origins, ours, theirs, steps):
    """Return the p-value of "both have the same expected absolute error" over the first steps."""
    actual, series = panel.targets(origins), panel.series_of(origins)
    errors = (np.abs(actual - ours) - np.abs(actual - theirs))[:, :steps]
    difference = pd.DataFrame(errors / panel.mase_scale[series, None]).mean(axis=1)
    time = origins - panel.borders[series, 1]
    windows = pd.DataFrame({"difference": difference, "series": series, "time": time})
    return panel_p_value(windows, max(steps, panel.season))


def _held(actual, bounds, levels):
    """Return coverage and width of each interval, by level, altogether and by step."""
    found = {"coverage": {}, "width": {}}
    for i, level in enumerate(levels):
        lower, upper = bounds[..., i], bounds[..., -1 - i]
        held = (lower <= actual) & (actual <= upper)
        for name, values in (("coverage", held), ("width", upper - lower)):
            known = np.where(np.isfinite(actual), values, np.nan)
            line = {"all": float(np.nanmean(known)), "by_step": mean_by_step(known)}
            found[name][f"{level:.6g}"] = line
    return found


# ------------------------------------------------------------------ in words


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
    if p_value < 0.05:
        outcome = "beats" if ours < theirs else "loses to"
        return f"{found.written} {outcome} {rival}: {errors} ({p})."
    few = len(found.origins) < FEW or share > 0.1
    luck = f"and {len(found.origins)} windows are too few to tell" if few else "maybe by chance"
    return f"{found.written} can't be told apart from {rival}: {errors}, {luck} ({p})."


def verdict_by_step(found: Backtest, shown: list[int]) -> str:
    """Say up to how many steps ahead the network, fed back, is no worse than any baseline."""
    name, ahead = found.network, 0
    for step in shown:
        errors = {n: line["by_step"]["mae"][step - 1] for n, line in found.scores["test"].items()}
        best = min((n for n in errors if n != "optimal"), key=errors.get)
        if errors[name] > (1 + SAME) * errors[best]:
            upto = (
                f"no worse than any baseline up to step {ahead}" if ahead else "behind from step 1"
            )
            return (
                f"Fed back, {name} is {upto}; at {step} it has {errors[name]:.4g}, "
                f"{best.replace('_', ' ')} {errors[best]:.4g}. "
                "Where it loses, take forecast.py, which learns all steps at once."
            )
        ahead = step
    return f"Fed back, {name} is no worse than any baseline at all steps shown."
