"""The way of forecast.py around its network: read, plan, learn, score, look ahead, write."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from utils import InputError, cli, training
from utils.files import write_csv, write_json
from utils.series import backtest, datasets, synthetic
from utils.series.csv_file import load_panel
from utils.series.index import season as season_of
from utils.series.index import step as step_of
from utils.series.panel import (
    EMBEDDED,
    Panel,
    Parts,
    calendar_names,
    evenly,
    lay_out,
    split,
    stream,
)

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

HORIZONS = {7: 28, 24: 48, 12: 12, 52: 13, 5: 20}  # by season
WINDOWS = {7: 56, 24: 168, 12: 36, 52: 104, 5: 60}  # input steps
SEGMENTS = {52: 13}
DATASETS = {  # chosen on the train and validation parts
    "m4": {"units": 256, "epochs": 16, "dropout": 0.0, "input_steps": 168},
    "ett": {"units": 256, "epochs": 5, "dropout": 0.5, "input_steps": 96, "loss": "squared"},
}
PER_EPOCH = 60_000  # windows
PREDICTED = 1024  # windows at once


class Data(NamedTuple):
    """What there is to forecast."""

    frames: dict[str, pd.DataFrame]  # by series: [target, *known, *features]
    held_back: tuple[int, int] | None
    law: dict[str, np.ndarray] | None  # of simulated series


class Run(NamedTuple):
    """A trained network and what must be known to use it."""

    network: keras.Model
    facts: dict
    fits: list[training.Fit]


def read(args: argparse.Namespace) -> Data:
    """Read the CSV or the data set, or simulate shops; print what was understood."""
    if args.dataset:
        data = datasets.load(args.dataset, args.horizon)
        args.horizon = data.horizon or args.horizon or 96
        args.season = 24 if args.dataset != "m4_weekly" else 1
        return Data(data.frames, data.held_back, None)
    if not args.csv:
        frames, law = synthetic.shops(args.seed)
        return Data(frames, None, law)
    panel = load_panel(
        args.csv, args.column, args.series_column, args.known, args.features, args.time_column,
        args.missing, args.decimal,
    )  # fmt: skip
    print(panel.understood, *panel.suspicious, sep="\n")
    return Data(panel.series, None, None)


def checked(parser: cli.Parser, argv: list[str] | None) -> argparse.Namespace:
    """Parse the flags, and complain about those that don't go together."""
    args = parser.parse_args(argv)
    args.begin = time.perf_counter()
    if args.csv == "" or args.load == "":
        parser.error("--csv and --load need the name of a file")
    if args.csv and args.dataset:
        parser.error("--csv and --dataset exclude each other")
    if args.csv and not args.column:
        parser.error("--csv needs --column, the name of the column to forecast")
    of_file = args.column, args.series_column, args.time_column, args.known, args.features
    if not args.csv and any((*of_file, args.missing)):
        parser.error(
            "--column, --series-column, --time-column, --known, --features and --missing need --csv"
        )
    if args.load and not args.csv:
        parser.error("--load needs --csv, the data to go on from")
    recipe = DATASETS.get((args.dataset or "").rstrip("h12_ourlyweek"), {})
    for name, value in recipe.items():
        if getattr(args, name) == parser.get_default(name):
            setattr(args, name, value)
    if not args.csv and not args.dataset:
        args.known = ["promotion"]
    args.interval = args.quantiles is None
    args.quantiles = args.quantiles or (0.05, 0.5, 0.95)
    return args


def quantiles(text: str) -> tuple[float, ...]:
    """Take ascending numbers between 0 and 1, among them 0.5, as a flag's value."""
    numbers = tuple(cli.number_above(0, below=1)(word) for word in cli.names(text))
    if 0.5 not in numbers or list(numbers) != sorted(set(numbers)):
        raise argparse.ArgumentTypeError(f"{text!r} must ascend and hold 0.5, as 0.1,0.5,0.9")
    return numbers


def plan(data: Data, args: argparse.Namespace) -> Panel:
    """Choose season, horizon, window and segment where no flag does; lay the series out."""
    index = max((frame.index for frame in data.frames.values()), key=len)
    season = args.season or season_of(index) or 1
    args.season = season
    args.horizon = args.horizon or HORIZONS.get(season, season if season > 1 else 12)
    longest = max(int(frame.iloc[:, 0].notna().sum()) for frame in data.frames.values())
    if data.held_back is None and longest < 3 * args.horizon + 2:
        raise InputError(
            f"--horizon {args.horizon}: the longest series has {longest} values, and train, "
            f"validation and test part need {3 * args.horizon + 2}; lower --horizon or bring "
            "longer series"
        )
    window = args.input_steps or WINDOWS.get(season, 7 * season if season > 1 else 48)
    args.segment = SEGMENTS.get(season, season if season > 1 else min(8, window))
    if not args.input_steps:
        window = min(window, longest // 3)
    args.segment = min(args.segment, window)
    window -= window % args.segment
    calendar = calendar_names(index) if not args.dataset else []
    every = 4 if args.dataset in datasets.NAIVE2 else 1
    panel = lay_out(
        data.frames, window, args.horizon, season, args.known, calendar, data.held_back, every
    )
    args.calendar, args.step = calendar, step_of(index)
    return panel


def learn(
    panel: Panel,
    parts: Parts,
    build_network: Callable,
    loss_of: Callable,
    args: argparse.Namespace,
    all_rows: bool = False,
) -> tuple[keras.Model, backtest.Linear, list[training.Fit]]:
    """Fit the linear heads, start networks from them and train these; return their mean."""
    linear = backtest.Linear(panel, parts)
    scaling = linear.scaling
    loss = loss_of(args.quantiles, args.loss, scaling.log)
    weights = 1 / backtest.spread_of(panel, scaling.log)
    if args.dataset and args.dataset not in datasets.NAIVE2:
        weights = np.ones(len(weights))  # z-scores count alike
    train = np.concatenate(parts) if all_rows else parts.train
    val = evenly(parts.val if len(parts.val) else parts.train, PREDICTED * 4)
    networks, fits = [], []
    for number in range(args.networks):
        keras.utils.set_random_seed(args.seed + 1000 * number)
        network = build_network(panel, scaling, linear.head, args)
        batch_size = min(args.batch_size, max(len(train) // 16, 8))
        fits.append(
            training.fit(
                network,
                loss,
                stream(panel, train, batch_size, weights, args.seed + 1000 * number),
                stream(panel, val, PREDICTED, weights),
                steps=training.steps_per_epoch(min(len(train), PER_EPOCH), batch_size),
                epochs=args.epochs,
                learning_rate=args.learning_rate,
            )
        )
        networks.append(network)
        if fits[-1].interrupted:
            break
    return _mean(networks), linear, fits


def _mean(networks):
    """Return one network whose forecast is the mean of several."""
    if len(networks) == 1:
        return networks[0]
    inputs = [keras.Input(x.shape[1:], dtype=x.dtype, name=x.name) for x in networks[0].inputs]
    for i, network in enumerate(networks):
        network.name = f"network_{i}"
    return keras.Model(inputs, keras.layers.average([network(inputs) for network in networks]))


def predict(network: keras.Model, panel: Panel, origins: np.ndarray) -> np.ndarray:
    """Return the forecasts of a network: (windows, horizon, 1 + quantiles)."""
    batches = stream(panel, origins, PREDICTED, np.ones(len(panel.names)))
    return network.predict(batches.map(lambda inputs, _: inputs), verbose=0).astype(float)


class Scored(NamedTuple):
    """A backtest."""

    origins: np.ndarray  # (windows,) of the test part
    forecasts: dict[str, np.ndarray]  # by name, the network first: (windows, horizon)
    bounds: np.ndarray  # (windows, horizon, quantiles)
    results: dict  # what scores.json holds
    by_series: pd.DataFrame


def score(
    data: Data,
    panel: Panel,
    parts: Parts,
    network: keras.Model,
    linear: backtest.Linear,
    args: argparse.Namespace,
) -> tuple[Scored, dict]:
    """Calibrate the intervals on the validation part, then score the test part, once.

    Returns:
        the backtest, and the intervals' corrections by level.
    """
    trees = None
    if args.boosting or args.known:
        trees = backtest.Boosting(panel, parts.train)
    point = 0 if args.loss == "squared" else 1 + args.quantiles.index(0.5)
    lowest = 0.0 if np.nanmin(panel.values) >= 0 else -math.inf
    scores, corrections = {}, {}
    for part in ("val", "test"):
        origins = evenly(getattr(parts, part))
        outputs = predict(network, panel, origins)
        bounds = outputs[..., 1:]
        if part == "val":
            for level, (lower, upper) in backtest.symmetric(args.quantiles).items():
                corrections[level] = backtest.conformal(
                    panel, origins, bounds[..., lower], bounds[..., upper], float(level)
                ).tolist()
        bounds = backtest.corrected(panel, origins, bounds, args.quantiles, corrections, lowest)
        forecasts = {args.layer: np.maximum(outputs[..., point], lowest)}
        forecasts |= backtest.baselines(panel, origins, linear, trees)
        if data.law:
            forecasts["optimal"] = optimal_sales(panel, data.law, origins)
        scores[part] = backtest.scores(panel, origins, forecasts)
    return _results(panel, origins, forecasts, bounds, scores, args), corrections


def optimal_sales(panel: Panel, law: dict[str, np.ndarray], origins: np.ndarray) -> np.ndarray:
    """Return the best possible forecasts of the simulated shops, (windows, horizon)."""
    laws = np.full(len(panel.values), np.nan)
    for name, start in zip(panel.names, panel.start, strict=True):
        laws[start : start + len(law[name])] = law[name]
    ahead = laws[origins[:, None] + np.arange(panel.horizon)]
    return synthetic.optimal_sales(panel.values[origins - 1], laws[origins - 1], ahead)


def _results(panel, origins, forecasts, bounds, scores, args):
    others = [name for name in scores["test"] if name not in (args.layer, "optimal")]
    best = min(others, key=lambda name: scores["test"][name]["mae"])
    held = {
        level: backtest.interval_scores(
            panel, origins, bounds[..., lower], bounds[..., upper], float(level)
        )
        for level, (lower, upper) in backtest.symmetric(args.quantiles).items()
    }
    results = {
        "script": "forecast.py",
        "data": args.csv or args.dataset or "simulated",
        "series": len(panel.names),
        "horizon": panel.horizon,
        "input_steps": panel.input_steps,
        "seed": args.seed,
        "layer": args.layer,
        **scores,
        **{
            key: {level: scored[key] for level, scored in held.items()}
            for key in ("coverage", "width", "interval_score")
        },
        "best_baseline": best,
        "best_baseline_of_val": min(others, key=lambda name: scores["val"][name]["mae"]),
        "p_value": backtest.significance(
            panel, origins, forecasts[args.layer], forecasts[best]
        ),
    }
    if args.dataset:
        results["published_measures"] = datasets.published_measures(
            args.dataset, panel.targets(origins), forecasts[args.layer],
            panel.scale[panel.series_of(origins)],
        )  # fmt: skip
    table = backtest.by_series(panel, origins, {n: forecasts[n] for n in (args.layer, best)})
    return Scored(origins, forecasts, bounds, results, table)


def look_ahead(
    network: keras.Model, panel: Panel, corrections: dict, args: argparse.Namespace
) -> pd.DataFrame:
    """Return the forecasts past the end: series, time, forecast, and its interval or quantiles."""
    lowest = 0.0 if np.nanmin(panel.values) >= 0 else -math.inf
    outputs = predict(network, panel, panel.end)
    bounds = backtest.corrected(
        panel, panel.end, outputs[..., 1:], args.quantiles, corrections, lowest
    )
    point = 0 if args.loss == "squared" else 1 + args.quantiles.index(0.5)
    columns = {
        "series": np.repeat(panel.names, panel.horizon),
        "time": np.concatenate([times[-panel.horizon :] for times in panel.times]),
        "forecast": np.maximum(outputs[..., point], lowest).ravel(),
    }
    names = ["lower", None, "upper"] if args.interval else [f"q{q:g}" for q in args.quantiles]
    columns |= {name: bounds[..., i].ravel() for i, name in enumerate(names) if name}
    if backtest.mostly_zero(panel):
        columns["mean"] = np.maximum(outputs[..., 0], lowest).ravel()
    return pd.DataFrame(columns)


def report(panel: Panel, scored: Scored, args: argparse.Namespace) -> str:
    """Return the scores as a table by steps ahead, and in plain sentences what they say."""
    results, test = scored.results, scored.results["test"]
    steps = [s for s in (1, 2, 3, 6, 7, 12, 14, 24, 28, 48, 96, 168, 336) if s < panel.horizon]
    steps.append(panel.horizon)
    table = pd.DataFrame(
        {
            name.replace("_", " "): [scores["mae"], scores["rmse"], scores["mase"], scores["smape"]]
            + [scores["by_step"][step - 1] for step in steps]
            for name, scores in test.items()
        },
        ["MAE", "RMSE", "MASE", "sMAPE %"] + [f"MAE at {step}" for step in steps],
    ).T
    lines = [
        f"{panel.horizon} steps ahead, {len(scored.origins):,} origins of the test part:",
        table.to_string(float_format=lambda value: f"{value:.4g}"),
        _verdict(results, args.layer),
    ]
    for level, coverage in results["coverage"].items():
        by_step = [share for share in coverage["by_step"] if share is not None]
        lines.append(
            f"The {float(level):.0%} interval held {coverage['all']:.1%} of the test part, "
            f"{min(by_step):.1%} at the worst step and {max(by_step):.1%} at the best."
        )
    short = [name for name, n in zip(panel.names, panel.borders[:, 0] - panel.start, strict=True)
             if n <= panel.horizon]  # fmt: skip
    if short:
        shown = ", ".join(short[:3]) + (", ..." if len(short) > 3 else "")
        lines.append(
            f"{len(short)} of {len(panel.names)} series were too short to learn from ({shown}); "
            "they are forecast by what the others taught."
        )
    if "published_measures" in results:
        values = results["published_measures"].items()
        lines.append("As published: " + ", ".join(f"{k.upper()} {v:.4f}" for k, v in values))
    return "\n".join(lines)


def _verdict(results, layer):
    test, val, best = results["test"], results["val"], results["best_baseline"]
    ours, theirs, p_value = test[layer]["mae"], test[best]["mae"], results["p_value"]
    rival, chance = best.replace("_", " "), f"p = {p_value:.3f}" if p_value >= 0.001 else "p < 0.001"
    errors = f"mean absolute error {ours:.4g} against {theirs:.4g}"
    if p_value >= 0.05:
        said = f"{layer} can't be told apart from the best baseline, {rival}: {errors} ({chance})."
    else:
        beats = "beats" if ours < theirs else "loses to"
        said = f"{layer} {beats} the best baseline, {rival}: {errors} ({chance})."
    judge = results["best_baseline_of_val"]
    if val[judge]["mae"] < val[layer]["mae"]:
        said += (
            f" On the validation part {judge.replace('_', ' ')} was better "
            f"({val[judge]['mae']:.4g} against {val[layer]['mae']:.4g}): take that."
        )
    return said


def write(
    data: Data,
    panel: Panel,
    network: keras.Model,
    forecast: pd.DataFrame,
    facts: dict,
    scored: Scored,
    fits: list[training.Fit],
    args: argparse.Namespace,
) -> dict:
    """Write all that a training leaves in the output folder; return what scores.json holds."""
    folder = Path(args.output_dir)
    seconds = {"fit": sum(fit.seconds for fit in fits), "total": time.perf_counter() - args.begin}
    results = scored.results | {"seconds": seconds}
    training.save(folder / "model.keras", network, facts)
    write_csv(forecast.set_index("series"), folder / "forecast.csv")
    write_csv(scored.by_series, folder / "series.csv")
    write_csv(_backtest_table(panel, scored, args), folder / "backtest.csv")
    write_json(results, folder / "scores.json")
    return results


BACKTEST_ROWS = 100_000


def _backtest_table(panel, scored, args):
    """Return forecasts and what came, at evenly taken origins: a row per series, origin, step."""
    every = -(-scored.bounds[..., 0].size // BACKTEST_ROWS)
    origins = scored.origins[::every]
    series, steps = panel.series_of(origins), np.arange(panel.horizon)
    of_series = origins - panel.start[series]  # position of the first step ahead
    times = [panel.times[s][p - 1 : p + panel.horizon] for s, p in zip(series, of_series, strict=True)]
    table = {
        "series": np.repeat(np.array(panel.names)[series], panel.horizon),
        "origin": np.repeat(pd.Index([t[0] for t in times]), panel.horizon),
        "step": np.tile(steps + 1, len(origins)),
        "time": np.concatenate([t[1:] for t in times]),
        "actual": panel.targets(origins).ravel(),
    }
    table |= {name: forecast[::every].ravel() for name, forecast in scored.forecasts.items()}
    names = ["lower", None, "upper"] if args.interval else [f"q{q:g}" for q in args.quantiles]
    table |= {n: scored.bounds[::every, :, i].ravel() for i, n in enumerate(names) if n}
    return pd.DataFrame(table).set_index("series")


def facts_of(panel: Panel, corrections: dict, args: argparse.Namespace) -> dict:
    """Return what a saved network's user must know."""
    return {
        "script": "forecast.py",
        "columns": [args.column, args.known, args.features],
        "calendar": args.calendar,
        "step": args.step,
        "season": panel.season,
        "horizon": panel.horizon,
        "input_steps": panel.input_steps,
        "segment": args.segment,
        "layer": args.layer,
        "loss": args.loss,
        "quantiles": list(args.quantiles),
        "interval": args.interval,
        "corrections": corrections,
        "names": panel.names,
    }


def load(args: argparse.Namespace) -> tuple[keras.Model, Panel, dict]:
    """Load a network, and the data to go on from, which must be of the kind that it has learned.

    Raises:
        InputError: if the columns, the step or the horizon are others.
    """
    network, facts = training.load(args.load, "forecast.py")
    column, known, features = facts["columns"]
    for flag, given, wanted in [
        ("--column", args.column, column),
        ("--known", args.known, known),
        ("--features", args.features, features),
        ("--horizon", args.horizon or facts["horizon"], facts["horizon"]),
    ]:
        if given != wanted:
            shown = ",".join(wanted) if isinstance(wanted, list) else wanted
            raise InputError(f"{flag}: {args.load} was trained with {shown or 'none'}, use that")
    data = read(args)
    step = step_of(max((frame.index for frame in data.frames.values()), key=len))
    if step != facts["step"]:
        raise InputError(f"{args.csv} has the step {step}, {args.load} learned {facts['step']}")
    panel = lay_out(
        data.frames, facts["input_steps"], facts["horizon"], facts["season"], known,
        facts["calendar"], (0, 0),
    )  # fmt: skip
    numbers = {name: 1 + i for i, name in enumerate(facts["names"])}
    for name in ("loss", "interval", "layer", "segment"):
        setattr(args, name, facts[name])
    args.quantiles = tuple(facts["quantiles"])
    panel = panel._replace(numbers=np.array([numbers.get(name, 0) for name in panel.names]))
    return network, panel, facts["corrections"]
