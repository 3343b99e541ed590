"""What a forecast leaves behind: the steps to come, all files together, a model that goes on."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from utils import InputError, plotting, training
from utils.files import output_folder, write_csv, write_json
from utils.series import calendar
from utils.series.backtest import Backtest, with_bounds
from utils.series.intervals import extended, widened
from utils.series.next_step import Recursive
from utils.series.panel import Panel

import keras
import numpy as np
import pandas as pd

OF_A_RUN = ("backtest.csv", "scores.json", "history.csv", "series.csv")


def ahead(panel: Panel, forecaster: Callable, facts: dict) -> pd.DataFrame:
    """Forecast past the end, with intervals; return what forecast.csv holds.

    By time, or by series and time: the forecast, the bounds of each level (named where it isn't
    90 %), between them a median if the forecaster, as of a `Backtest`, has one; `facts_of` facts.
    """
    levels, below = facts["levels"], (panel.values[:, 0] < panel.lowest).any()
    panel.lowest = -np.inf if below else panel.lowest  # the train part knew nothing of that
    point, bounds = with_bounds(forecaster(panel, panel.end), levels)
    corrections = extended(np.array(facts["corrections"]), panel.horizon)
    bounds = widened(panel, panel.end, bounds, corrections, facts["log"])
    of_level = ["" if level == 0.9 else f"_{level:g}" for level in levels]
    median = ["median"] * (bounds.shape[-1] > 2 * len(levels))
    names = [*(f"lower{x}" for x in of_level), *median, *(f"upper{x}" for x in of_level[::-1])]
    rows = panel.end[:, None] + np.arange(panel.horizon)
    table = pd.DataFrame({"time": panel.times[rows.ravel()]})
    table["forecast"] = np.clip(point, bounds[..., 0], bounds[..., -1]).ravel()
    table[names] = bounds.reshape(len(table), -1)
    if panel.names == [""]:
        return table.set_index("time")
    return table.set_index(pd.Index(np.repeat(panel.names, panel.horizon), name="series"))


def facts_of(script: str, args: argparse.Namespace, found: Backtest, **more: object) -> dict:
    """Return what a saved model's user must know, as JSON; `more` is the script's own."""
    panel = found.panel
    sizes = np.stack([panel.error_size, panel.size], axis=1).tolist()
    return {
        "script": script,
        "asked": [panel.columns[0], *args.features],  # by their names in the file
        "levels": list(found.levels),
        "corrections": found.corrections.tolist(),
        "log": found.log,
        "columns": panel.columns,
        "panel": panel.settings,
        "step": panel.step,
        "zone": panel.zone,
        "lowest": None if panel.lowest < 0 else 0.0,
        "series": dict(zip(panel.names, sizes, strict=True)),
        **more,
    }


def panel_of(frames: dict[str, pd.DataFrame], horizon: int, facts: dict, path: str) -> Panel:
    """Return series as a loaded model, with its facts, reads them; measured as it has learned.

    Raises:
        InputError: if the step or the time zone is another, or the series is too short.
    """
    settings, longest = facts["panel"], max(frames.values(), key=len)
    columns = [longest.columns[0], *settings["known"], *facts["columns"][1:]]
    asked = [*facts["asked"][1:], *facts.get("asked_known", [])]  # words have other columns
    for what, learned, ours in (
        ("step", facts["step"], calendar.step(longest.index)),
        ("time zone", facts["zone"] or "none", str(getattr(longest.index, "tz", None) or "none")),
        ("columns of numbers", *([x for x in asked if x in names] for names in (columns, longest))),
    ):
        if learned != ours:
            raise InputError(
                f"--load {path}: the {what} that the model has learned: {learned}, that the data "
                f"have: {ours}; bring data of the same {what}"
            )
    frames = {  # a word that is absent is 0, a new one is left out
        name: frame.reindex(columns=columns, fill_value=0.0).mask(frame.isna().all(axis=1), axis=0)
        for name, frame in frames.items()
    }
    panel = Panel(frames, horizon=horizon, **settings)
    if len(longest) <= panel.input_steps and not panel.short_windows:
        raise InputError(
            f"--load {path}: the model's windows have {panel.input_steps} steps, so it needs at "
            f"least {panel.input_steps + 1} rows; the data have {len(longest)}"
        )
    panel.lowest = -np.inf if facts["lowest"] is None else 0.0
    for i, name in enumerate(panel.names):
        if name in facts["series"]:
            panel.error_size[i], panel.size[i] = facts["series"][name]
    return panel


def scores_of(script: str, args: argparse.Namespace, found: Backtest, fit: float) -> dict:
    """Return what scores.json holds; `fit` is how many seconds the training took."""
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
    folder: Path,
    show: bool,
    figure: plotting.Figure,
    forecast: pd.DataFrame,
    tables: dict[str, pd.DataFrame] | None = None,
    scores: dict | None = None,
    model: "keras.Model | None" = None,
    facts: dict | None = None,
) -> str:
    """Write all files of a run, and return the forecast and their place as text.

    Those of an earlier run that this one doesn't have go, but its model. Tables are named by their
    files; `show` opens the picture in a window; `facts` are the model's.
    """
    for name in OF_A_RUN:
        (folder / name).unlink(missing_ok=True)
    if model is not None:
        training.save(folder / "model.keras", model, facts)
    for name, table in {"forecast.csv": forecast, **(tables or {})}.items():
        write_csv(table, folder / name)
    if scores:
        write_json(scores, folder / "scores.json")
    plotting.save(figure, folder / "figure.png", show)
    shown = forecast.to_string(max_rows=8)
    return f"The next {len(forecast):,}:\n{shown}\nPicture and files: {folder}"


def go_on(script: str, args: argparse.Namespace, read: Callable, draw: Callable) -> str:
    """Forecast with a lesson's trained model; write picture and forecast, return them as text.

    `read` takes the flags and the columns that the model knows, `draw` the panel and the forecast.
    """
    model, facts = training.load(args.load, script)
    panel = panel_of(read(args, facts["asked"]), args.forecast, facts, args.load)
    forecaster: Callable = Recursive(model)
    folder, forecast = output_folder(args.output_dir), ahead(panel, forecaster, facts)
    return write(folder, args.show, draw(panel, forecast), forecast)
