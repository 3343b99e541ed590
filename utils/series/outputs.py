"""What a forecast leaves behind: the steps to come, all files together, a model that goes on."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from utils import InputError, plotting, training
from utils.files import write_csv, write_json, written_together
from utils.series.backtest import Backtest
from utils.series.intervals import extended, widened
from utils.series.panel import Panel

import keras
import numpy as np
import pandas as pd

OF_A_RUN = ("backtest.csv", "scores.json", "history.csv", "series.csv")


def ahead(
    panel: Panel,
    forecaster: Callable,
    levels: Sequence[float],
    corrections: np.ndarray,
    log: bool = False,
    names: Sequence[str | None] | None = None,
    whole: bool = False,
    young: np.ndarray | None = None,
) -> pd.DataFrame:
    """Forecast past the end, with intervals.

    Args:
        panel: the series.
        forecaster: as `utils.series.backtest.backtest` takes them.
        levels: of the intervals, the widest first.
        corrections: (levels, steps) of the intervals, as known at the end.
        log: whether they are those of logarithms.
        names: of the bounds, in ascending order, None for one that isn't written; by default lower
            and upper, with the level where it isn't 90 %.
        whole: whether all values are whole numbers, and so are bounds.
        young: corrections of young series, see `utils.series.intervals.of_young`.

    Returns:
        what forecast.csv holds: the forecast and its bounds by time, or by series and time.
    """
    forecast = forecaster(panel, panel.end)
    if forecast.ndim == 2:
        point, bounds = forecast, np.repeat(forecast[..., None], 2 * len(levels), axis=-1)
    else:
        point, bounds = forecast[..., 0], forecast[..., 1:]
    corrections = extended(np.asarray(corrections), panel.horizon)[:, None]
    if young is not None:
        count = np.isfinite(panel.windows(panel.end)).sum(axis=1)
        own = np.swapaxes(np.asarray(young)[np.minimum(count, len(young)) - 1], 0, 1)
        corrections = np.where((count <= len(young))[:, None], own, corrections)
    bounds = widened(panel, panel.end, bounds, corrections, log)
    if names is None:
        of_level = ["" if level == 0.9 else f"_{level:g}" for level in levels]
        names = [f"lower{text}" for text in of_level] + [f"upper{text}" for text in of_level[::-1]]
    point = np.clip(point, bounds[..., 0], bounds[..., -1])
    if whole:
        middle, point = bounds.shape[-1] // 2, np.rint(point)
        bounds[..., :middle] = np.minimum(np.ceil(bounds[..., :middle]), point[..., None])
        bounds[..., middle:-middle] = np.rint(bounds[..., middle:-middle])  # a median, if any
        bounds[..., -middle:] = np.maximum(np.floor(bounds[..., -middle:]), point[..., None])
    times = [times[-panel.horizon :] for times in panel.times]
    table = pd.DataFrame({"time": times[0].append(times[1:])})
    table["forecast"] = point.ravel()
    for i, name in enumerate(names):
        if name:
            table[name] = bounds[..., i].ravel()
    if panel.names == [""]:
        return table.set_index("time")
    table.insert(0, "series", np.repeat(panel.names, panel.horizon))
    return table.set_index("series")


def facts_of(
    script: str, args: argparse.Namespace, found: Backtest, log: bool = False, **more: object
) -> dict:
    """Return what a saved model's user must know, as JSON: see `Panel.facts` for the rest."""
    asked = [found.panel.columns[0], *args.features]  # by their names in the file
    corrections = {"levels": list(found.levels), "corrections": found.corrections.tolist()}
    own = {"script": script, "log": log, "asked": asked, **corrections}
    return {**own, **found.panel.facts(), **more}


def scores_of(script: str, args: argparse.Namespace, found: Backtest, fit: float) -> dict:
    """Return what scores.json holds.

    Args:
        script: with .py.
        args: of `utils.cli.parse`.
        found: the backtest.
        fit: seconds of training.
    """
    return {
        "script": script,
        "data": args.csv or "simulated",
        "seed": args.seed,
        "series": len(found.panel.names),
        "season": found.panel.season,
        "horizon": found.panel.horizon,
        "input_steps": found.panel.input_steps,
        "network": found.network,
        "written": found.written,
        **found.scores,
        "seconds": {"fit": fit, "total": time.perf_counter() - args.begin},
    }


def write(
    folder: str | Path,
    forecast: pd.DataFrame,
    figure: plotting.Figure,
    show: bool,
    tables: dict[str, pd.DataFrame] | None = None,
    model: keras.Model | None = None,
    facts: dict | None = None,
    scores: dict | None = None,
) -> str:
    """Write all files of a run; those of an earlier run that this one doesn't have go.

    Args:
        folder: there already.
        forecast: of `ahead`.
        figure: the picture.
        show: whether to open it in a window.
        tables: further ones, by file name.
        model: to save, if any.
        facts: of `facts_of`, with it.
        scores: of `scores_of`, if any.

    Returns:
        the forecast as text, and where the files are.
    """
    folder, tables = Path(folder), tables or {}
    with written_together(folder):
        if model is not None:
            training.save(folder / "model.keras", model, facts)
        write_csv(forecast, folder / "forecast.csv")
        for name, table in tables.items():
            write_csv(table, folder / name)
        if scores:
            write_json(scores, folder / "scores.json")
        for name in OF_A_RUN:
            if name not in tables and not (scores and name == "scores.json"):
                (folder / name).unlink(missing_ok=True)
        plotting.save(figure, folder / "figure.png", show)
    shown = forecast.to_string(max_rows=8)
    return f"The next {len(forecast):,}:\n{shown}\nPicture and files: {folder}"


def panel_of(frames: dict[str, pd.DataFrame], horizon: int, facts: dict, path: str) -> Panel:
    """Return series as a loaded model reads them.

    Args:
        frames: as `Panel` takes them.
        horizon: steps ahead.
        facts: of the model.
        path: of the model, for complaints.

    Raises:
        InputError: if the step or the time zone is another, or the series is too short.
    """
    steps = facts["input_steps"]
    longest = max(frames.values(), key=len)
    if len(longest) <= steps and not facts.get("short"):
        raise InputError(
            f"--load {path}: the model's windows have {steps} steps, so it needs at least "
            f"{steps + 1} rows; the data have {len(longest)}"
        )
    target, known = longest.columns[0], facts.get("known", [])
    columns = [target, *known, *facts["columns"][1:]]
    for name in [*facts["asked"][1:], *facts.get("asked_known", [])]:
        if (name in columns) != (name in longest):  # numbers: a column of words has others' names
            raise InputError(
                f"--load {path}: the model has learned column {name!r} as "
                f"{'numbers' if name in columns else 'words'}, which it isn't in these data"
            )
    for series, frame in frames.items():  # a word that is absent is 0, a new one is left out
        zero = np.where(frame.isna().all(axis=1), np.nan, 0.0)
        absent = {name: zero for name in columns if name not in frame}
        frames = frames | {series: frame.assign(**absent)[columns]}
    panel = Panel(
        frames, steps, horizon, season=facts["season"], calendar_names=facts["calendar"],
        known=known, log=facts["log"], short_windows=facts.get("short", False),
    )  # fmt: skip
    if panel.step != facts["step"]:
        raise InputError(
            f"--load {path}: the model has learned a step of {facts['step']}, the data's step is "
            f"{panel.step}; bring data of the same step"
        )
    if panel.zone != facts["zone"]:
        raise InputError(
            f"--load {path}: the model's clock is of {facts['zone'] or 'no time zone'}, the data's "
            f"is of {panel.zone or 'none'}; bring times of the same zone"
        )
    panel.take(facts)
    return panel
