"""The way of forecast.py, for many series and many steps: prepare, learn, score, finish.

The script brings what it teaches, the network, the loss and the picture; the rest stands here.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from utils import InputError, cli, plotting, training
from utils.checkpoint import Checkpoint, plan_of
from utils.files import output_folder, write_csv, write_json, written_together
from utils.series import backtest, datasets, index, intervals, report, synthetic
from utils.series.csv_file import load_panel
from utils.series.panel import (
    Panel,
    Parts,
    calendar_names,
    evenly,
    lay_out,
    origins_between,
    split,
    stream,
)

import keras
import numpy as np
import pandas as pd

# by the steps of a season: a day of hours, a week of days or business days, a year of months, weeks
HORIZONS = {24: 48, 7: 28, 6: 24, 5: 20, 12: 12, 52: 13}
WINDOWS = {24: 168, 7: 168, 6: 144, 5: 120, 12: 36, 52: 104}
SEGMENTS = {52: 13}
RECIPES = {  # chosen on the train and validation parts
    "m4_hourly": {"units": 256, "epochs": 12, "dropout": 0.0},
    "m4_weekly": {"units": 128, "epochs": 8, "dropout": 0.1, "input_steps": 52},
    "etth1": {
        "units": 256,
        "epochs": 5,
        "dropout": 0.5,
        "loss": "squared",
        "input_steps": 96,
        "start": "last",
        "learning_rate": 0.001,
    },
}
RECIPES["etth2"] = RECIPES["etth1"]
NEWEST = {"m4_hourly": 4, "m4_weekly": 2}  # epochs more, on validation rows too, before the test
SHOPS = {"units": 64, "epochs": 2, "learning_rate": 0.003}  # the simulated ones: enough, and done
PER_EPOCH = 60_000  # windows
AT_ONCE = 1024  # windows to predict
VALIDATED = 4096  # windows, after each epoch
LEAST = 16  # windows per batch of a short series
BACKTEST_ROWS = 100_000  # of backtest.csv; all origins are scored
SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)  # of what a network learned, beyond its linear start
SEEDS = 1000  # between the seeds of --networks, so that runs don't share them


class Data(NamedTuple):
    """The series, and what is known of them."""

    panel: Panel
    parts: Parts | None  # None with a loaded network
    law: dict[str, np.ndarray] | None  # of simulated series
    calendar: list[str]
    step: str
    columns: tuple[str, list[str], list[str]]  # target, known, features
    loaded: tuple[keras.Model, dict] | None


class Run(NamedTuple):
    """A network that has been trained, or loaded: then there is nothing to score it by."""

    network: keras.Model
    log: bool  # whether it learned logarithms
    whole: bool  # whether its forecasts, medians of whole numbers, are whole
    corrections: dict[str, list[float]]  # of the intervals, by level; measured by `score`
    fits: list[training.Fit]
    linear: backtest.Linear | None = None
    validated: np.ndarray | None = None  # its outputs on the validation part, held back then
    networks: list[keras.Model] | None = None  # whose mean it is
    refit: Callable[[], keras.Model] | None = None  # trains the same on all rows
    checkpoints: Sequence[Checkpoint] = ()


class Scored(NamedTuple):
    """A backtest."""

    origins: np.ndarray  # (windows,) of the test part
    forecasts: dict[str, np.ndarray]  # by name, the network first: (windows, horizon)
    bounds: np.ndarray  # (windows, horizon, quantiles)
    results: dict  # what scores.json holds
    by_series: pd.DataFrame


# ------------------------------------------------------------------ prepare


def check(parser: cli.Parser, args: argparse.Namespace) -> argparse.Namespace:
    """Complain about flags that don't go together; fill in what the data set needs."""
    args.begin = time.perf_counter()
    if args.csv == "" or args.load == "":
        parser.error("--csv and --load need the name of a file")
    if args.csv and args.dataset:
        parser.error("--csv and --dataset exclude each other")
    if args.csv and not args.column and not args.load:
        parser.error("--csv needs --column, the name of the column to forecast")
    of_file = ("column", "series_column", "time_column", "known", "features", "missing")
    for name in of_file:
        if getattr(args, name) and not args.csv:
            parser.error(f"--{name.replace('_', '-')} needs --csv")
    if args.load and not args.csv:
        parser.error("--load needs --csv, the data to go on from")
    recipe = RECIPES.get(args.dataset, {} if args.csv else SHOPS)
    for name, value in recipe.items():
        if getattr(args, name) == parser.get_default(name):
            setattr(args, name, value)
    args.interval = args.quantiles is None  # and not quantiles
    args.quantiles = args.quantiles or (0.05, 0.5, 0.95)
    return args


def quantiles(text: str) -> tuple[float, ...]:
    """Take ascending numbers between 0 and 1, among them 0.5, as a flag's value."""
    numbers = tuple(cli.number_above(0, below=1)(word) for word in cli.names(text))
    if 0.5 not in numbers or list(numbers) != sorted(set(numbers)):
        raise argparse.ArgumentTypeError(f"{text!r} must ascend and hold 0.5, as 0.1,0.5,0.9 does")
    return numbers


def prepare(args: argparse.Namespace) -> Data:
    """Read or simulate the series, say what was understood, choose what no flag chose.

    Raises:
        InputError: if the file, the flags or the network to load don't fit each other.
    """
    loaded = training.load(args.load, "forecast.py") if args.load else None
    if loaded:
        _go_by(loaded[1], args)
    held_back, law = None, None
    if args.csv:
        found = load_panel(
            args.csv, args.column, args.series_column, args.known, args.features,
            args.time_column, args.missing, args.decimal,
        )  # fmt: skip
        print(found.understood, *found.suspicious, sep="\n")
        frames = found.series
    elif args.dataset:
        frames, held_back, horizon, args.season = datasets.load(args.dataset, args.horizon)
        args.horizon = args.horizon or horizon
    else:
        frames, law = synthetic.shops(args.seed)
        args.known = ["promotion"]
    longest = max(frames.values(), key=len)
    column, *others = longest.columns
    known, features = others[: len(others) - len(args.features)], args.features
    step, season = index.step(longest.index), args.season or index.season(longest.index) or 1
    if loaded:
        calendar, held_back = loaded[1]["calendar"], (0, 0)
        for what, here in {"step": step, "known": known, "features": features}.items():
            if here != loaded[1][what]:
                raise InputError(
                    f"{args.csv}: its {what} is {here}, and {args.load} has learned "
                    f"{loaded[1][what]}; bring data of the same kind"
                )
    else:
        length = max(int(np.isfinite(frame.iloc[:, 0]).sum()) for frame in frames.values())
        args.horizon = args.horizon or HORIZONS.get(season, season if season > 1 else 12)
        _size(args, season, length if held_back is None else math.inf)
        calendar = [] if args.dataset else calendar_names(longest.index)
    panel = lay_out(frames, args.input_steps, args.horizon, season, known, calendar, held_back)
    if loaded:
        numbers = {name: number for number, name in enumerate(loaded[1]["names"], 1)}
        known_as = np.array([numbers.get(name, 0) for name in panel.names])
        panel = dataclasses.replace(panel, numbers=known_as)
    parts = None if loaded else split(panel)
    output_folder(args.output_dir)
    return Data(panel, parts, law, calendar, step, (column, known, features), loaded)


def _size(args, season, length):
    """Choose the window and its segments, by the season and the length of the longest series."""
    if length < 4 * args.horizon:
        raise InputError(
            f"--horizon {args.horizon} needs a series of {4 * args.horizon} values, to learn from "
            f"and to be held back twice; the longest has {length}: lower --horizon or bring more"
        )
    usual = SEGMENTS.get(season, season if season > 1 else 8)
    if args.input_steps is None:
        window = WINDOWS.get(season, 7 * season if season > 1 else 48)
        args.input_steps = int(max(min(window, length // 4) // usual * usual, min(usual, 8)))
    args.segment = usual if args.input_steps % usual == 0 else math.gcd(usual, args.input_steps)


def _go_by(facts, args):
    """Take a loaded network's settings, and complain about flags that ask for others."""
    wanted = {"column": facts["column"], "horizon": facts["horizon"]}
    for name, value in wanted.items():
        if getattr(args, name) not in (None, value):
            raise InputError(
                f"--{name} {getattr(args, name)}: {args.load} has learned {value}; drop --{name} "
                "or train another network"
            )
    for name in ("column", "horizon", "input_steps", "season", "loss", "interval", "layer"):
        setattr(args, name, facts[name])
    args.quantiles = tuple(facts["quantiles"])
    args.known = args.known or facts["asked"]
    args.features = args.features or facts["features"]


# ------------------------------------------------------------------ learn


class Plan(NamedTuple):
    """How the networks are built and trained, each, by its number, from a seed of its own."""

    build_network: Callable
    loss: Callable
    data: Data
    args: argparse.Namespace
    linear: backtest.Linear
    weights: np.ndarray  # (series,) of their errors

    @property
    def batch_size(self) -> int:
        """Windows of a training step."""
        return min(self.args.batch_size, max(len(self.data.parts.train) // LEAST, LEAST))

    @property
    def schedule(self) -> dict[str, float]:
        """Training steps of an epoch, and the learning rate at the start."""
        windows = min(len(self.data.parts.train), PER_EPOCH)
        steps = training.steps_per_epoch(windows, self.batch_size)
        return {"steps": steps, "learning_rate": self.args.learning_rate}

    def build(self, number: int) -> keras.Model:
        """Return a network with its first weights."""
        keras.utils.set_random_seed(self.args.seed + SEEDS * number)
        return self.build_network(self.data.panel, self.linear, self.args)

    def batches(self, origins: np.ndarray, number: int):
        """Return shuffled windows, without end."""
        seed = self.args.seed + SEEDS * number
        return stream(self.data.panel, origins, self.batch_size, self.weights, seed)

    def fit(self, number: int, **kept) -> tuple[keras.Model, training.Fit]:
        """Train a network on the train part, judged by the validation part."""
        data, network = self.data, self.build(number)
        val = stream(data.panel, evenly(data.parts.val, VALIDATED), AT_ONCE, self.weights)
        return network, training.fit(
            network, self.loss, self.batches(data.parts.train, number), val,
            epochs=self.args.epochs, **self.schedule, **kept,
        )  # fmt: skip

    def train_on(self, network: keras.Model, number: int, end: np.ndarray, **changed) -> None:
        """Train a network on the rows before `end` (series,), with nothing held back."""
        panel = self.data.panel
        rows = self.batches(origins_between(panel, panel.start, end), number)
        training.refit(network, self.loss, rows, **(self.schedule | changed))

    def refit(self, fits: Sequence[training.Fit]) -> keras.Model:
        """Return the mean of new networks, trained on all rows for as long as was best."""
        networks = [self.build(number) for number in range(len(fits))]
        for number, fit in enumerate(fits):
            epochs = max(fit.best_epoch, 1)
            end, planned = self.data.panel.end, self.args.epochs
            self.train_on(networks[number], number, end, epochs=epochs, planned=planned)
        return _mean(networks)


def learn(
    build_network: Callable,
    build_loss: Callable,
    data: Data,
    args: argparse.Namespace,
    on_epoch: Callable[[float], None] | None = None,
) -> Run:
    """Fit the linear heads, train networks that start from them, and take the networks' mean.

    `on_epoch` is told after each epoch the first network's lowest validation loss so far.
    """
    if data.loaded:
        network, facts = data.loaded
        return Run(network, facts["log"], facts["whole"], facts["corrections"], [])
    panel, parts = data.panel, data.parts
    if len(parts.train) == 0:
        raise InputError(
            f"no series is long enough for a window of {panel.input_steps} steps and "
            f"{panel.horizon} ahead; lower --horizon or --input-steps, or bring longer series"
        )
    learned_from = panel.values, panel.features, panel.known, panel.calendar, panel.moment
    same_run = plan_of(args, *learned_from)
    checkpoints = [
        Checkpoint(Path(args.output_dir, f"checkpoint_{number}.npz"), same_run, args.resume)
        for number in range(args.networks)
    ]
    m4 = args.dataset in datasets.NAIVE2  # sMAPE, half of its measure, is nearly an error of logs
    scalings = [backtest.Scaling(True, True)] if m4 else None
    power = 2 if args.loss == "squared" else 1
    linear = backtest.Linear(panel, parts, scalings, power)
    log = linear.scaling.log
    weights = 1 / backtest.spread_of(panel, log)
    if args.dataset and not m4:
        weights = np.ones(len(weights))  # z-scores count alike
    loss = build_loss(args.quantiles, args.loss, log)
    plan = Plan(build_network, loss, data, args, linear, weights)
    networks, fits = [], []
    for number, checkpoint in enumerate(checkpoints):
        told = None if number else on_epoch
        network, fit = plan.fit(number, checkpoint=checkpoint, on_epoch=told)
        networks.append(network)
        fits.append(fit)
        if fit.interrupted:
            break
    mean, origins, newest = _mean(networks), evenly(parts.val), NEWEST.get(args.dataset)
    validated = predict(mean, panel, origins)
    if args.start == "linear":
        share = _best_share(panel, origins, validated[..., _point(args)], linear, power)
        if share < 1:
            print(f"Of what was learned beyond the linear heads, {share:.0%} is kept.")
            for network in networks:
                _keep(network, linear, share, args)
            validated = predict(mean, panel, origins)
    if newest and not fits[-1].interrupted:
        of_newest = {"epochs": newest, "planned": newest, "learning_rate": args.learning_rate / 2}
        for number, network in enumerate(networks):
            plan.train_on(network, number, panel.borders[:, 1], **of_newest)
    whole, again = args.loss == "absolute" and panel.whole(), lambda: plan.refit(fits)
    return Run(mean, log, whole, {}, fits, linear, validated, networks, again, checkpoints)


def _point(args):
    """Return which of a network's outputs is the forecast."""
    return 0 if args.loss == "squared" else 1 + args.quantiles.index(0.5)


def _best_share(panel, origins, forecast, linear, power):
    """Return the share of a network's difference from its start that is best in validation."""
    start, scale = linear.predict(panel, origins), panel.scale[panel.series_of(origins), None]
    forward, back = (np.log, np.exp) if linear.scaling.log else (np.positive, np.positive)
    learned = forward(forecast) - forward(start)
    errors = [panel.targets(origins) - back(forward(start) + s * learned) for s in SHARES]
    return SHARES[int(np.argmin([np.nanmean(np.abs(error / scale) ** power) for error in errors]))]


def _keep(network, linear, share, args):
    """Move a network's forecast back to its start, all but a share, and the quantiles with it."""
    start, correction = network.get_layer("start"), network.get_layer("correction")
    started = zip(start.get_weights(), (linear.kernel, linear.bias), strict=True)
    start.set_weights([share * now + (1 - share) * first for now, first in started])
    moved = []
    for weight in correction.get_weights():
        by_output = weight.reshape(*weight.shape[:-1], -1, 1 + len(args.quantiles))
        forecast = by_output[..., [_point(args)]]
        moved.append((by_output - (1 - share) * forecast).reshape(weight.shape))
    correction.set_weights(moved)


def _mean(networks):
    """Return one network whose forecast is the mean of several."""
    if len(networks) == 1:
        return networks[0]
    inputs = [keras.Input(x.shape[1:], dtype=x.dtype, name=x.name) for x in networks[0].inputs]
    for number, network in enumerate(networks, 1):
        network.name = f"network_{number}"
    return keras.Model(inputs, keras.layers.average([network(inputs) for network in networks]))


def predict(network: keras.Model, panel: Panel, origins: np.ndarray) -> np.ndarray:
    """Return what a network says from each origin: (windows, horizon, 1 + quantiles)."""
    batches = stream(panel, origins, AT_ONCE, np.ones(len(panel.names)))
    return network.predict(batches.map(lambda inputs, _: inputs), verbose=0).astype(float)


def _forecast(outputs, panel, origins, run, corrections, args):
    """Return forecast (windows, horizon), quantiles (windows, horizon, quantiles), and mean."""
    lowest = 0.0 if np.nanmin(panel.values) >= 0 else -math.inf
    sizes = backtest.spread_of(panel, run.log)[panel.series_of(origins)]
    mean, point = (np.maximum(outputs[..., i], lowest) for i in (0, _point(args)))
    bounds = intervals.corrected(
        outputs[..., 1:], args.quantiles, corrections, sizes, run.log, lowest
    )
    if run.whole:
        m = args.quantiles.index(0.5)
        point, middle = np.rint(point), np.rint(bounds[..., m : m + 1])
        lower = np.minimum(np.ceil(bounds[..., :m]), middle)
        upper = np.maximum(np.floor(bounds[..., m + 1 :]), middle)
        bounds = np.concatenate([lower, middle, upper], axis=-1)
    return np.clip(point, bounds[..., 0], bounds[..., -1]), bounds, mean


# ------------------------------------------------------------------ score


def score(run: Run, data: Data, args: argparse.Namespace) -> tuple[Run, Scored | None]:
    """Score the test part, once, with intervals that learn from the newest errors.

    Returns:
        the run, with the corrections of its intervals, and the backtest; None if it was loaded.
    """
    if data.loaded:
        return run, None
    panel, parts = data.panel, data.parts
    trees = None
    if args.boosting or data.columns[1]:
        trees = backtest.Boosting(panel, parts.train)
    val, test = evenly(parts.val), evenly(parts.test)
    both = np.concatenate([val, test])
    outputs = {"val": run.validated, "test": predict(run.network, panel, test)}
    errors = intervals.Conformal(
        panel, both, np.concatenate(list(outputs.values()))[..., 1:], args.quantiles, len(val),
        backtest.spread_of(panel, run.log), run.log,
    )  # fmt: skip
    corrections = {"val": dict.fromkeys(errors.misses, 0.0), "test": errors.rolling(len(val))}
    scores = {}
    for part, origins in (("val", val), ("test", test)):
        point, bounds, _ = _forecast(outputs[part], panel, origins, run, corrections[part], args)
        forecasts = {args.layer: point}
        forecasts |= backtest.baselines(panel, origins, run.linear, trees, run.whole)
        if data.law:
            forecasts["optimal"] = _optimal(panel, data.law, origins)
        scores[part] = backtest.scores(panel, origins, forecasts)
    results = _results(data, scores, args) | _held(panel, test, bounds, args)
    best = results["best_baseline"]
    results["p_value"] = backtest.significance(panel, test, forecasts[args.layer], forecasts[best])
    if args.dataset:
        results["published_measures"] = datasets.published_measures(
            args.dataset, panel.targets(test), forecasts[args.layer],
            panel.scale[panel.series_of(test)],
        )  # fmt: skip
    if len(run.networks) > 1:
        results["spread_of_networks"] = _spread_of_networks(run, panel, test, args)
    table = backtest.by_series(panel, test, {name: forecasts[name] for name in (args.layer, best)})
    newest = {level: by_step.tolist() for level, by_step in errors.at(0).items()}
    return run._replace(corrections=newest), Scored(test, forecasts, bounds, results, table)


def _results(data, scores, args):
    """Return what scores.json holds of the run and its forecasts."""
    rivals = [name for name in scores["val"] if name not in (args.layer, "optimal")]
    best = {part: min(rivals, key=lambda name: of[name]["mase"]) for part, of in scores.items()}
    return {
        "script": "forecast.py",
        "data": args.csv or args.dataset or "simulated",
        "series": len(data.panel.names),
        "horizon": data.panel.horizon,
        "input_steps": data.panel.input_steps,
        "seed": args.seed,
        "layer": args.layer,
        **scores,
        "best_baseline": best["test"],
        "best_baseline_of_val": best["val"],
    }


def _held(panel, origins, bounds, args):
    """Return coverage, width and interval score of each interval, by level."""
    held = {
        level: intervals.interval_scores(
            panel, origins, bounds[..., lower], bounds[..., upper], float(level)
        )
        for level, (lower, upper) in intervals.symmetric(args.quantiles).items()
    }
    names = ("coverage", "width", "interval_score")
    return {name: {level: found[name] for level, found in held.items()} for name in names}


def _optimal(panel, law, origins):
    """Return the best possible forecasts of simulated shops."""
    rows = np.full(len(panel.values), np.nan)
    for name, start in zip(panel.names, panel.start, strict=True):
        rows[start : start + len(law[name])] = law[name]
    ahead = rows[origins[:, None] + np.arange(panel.horizon)]
    filled = pd.Series(panel.values).ffill().to_numpy()
    return synthetic.optimal_sales(filled[origins - 1], rows[origins - 1], ahead)


def _spread_of_networks(run, panel, origins, args):
    """Return the mean deviation between the networks' forecasts, over the series' scale."""
    each = [predict(network, panel, origins)[..., _point(args)] for network in run.networks]
    return float(np.mean(np.std(each, axis=0) / panel.scale[panel.series_of(origins), None]))


# ------------------------------------------------------------------ finish


def look_ahead(run: Run, data: Data, args: argparse.Namespace) -> pd.DataFrame:
    """Return the forecasts past the end: series, time, forecast, lower, upper or quantiles.

    Where many values are zero, the mean stands beside the median, which then is zero too often.
    """
    panel = data.panel
    outputs = predict(run.network, panel, panel.end)
    point, bounds, mean = _forecast(outputs, panel, panel.end, run, run.corrections, args)
    times = [times[-panel.horizon :] for times in panel.times]
    columns = {
        "series": np.repeat(panel.names, panel.horizon),
        "time": times[0].append(times[1:]),
        "forecast": point.ravel(),
    }
    columns |= {name: bounds[..., i].ravel() for name, i in _bounds(args).items()}
    if backtest.mostly_zero(panel) and args.loss == "absolute":
        columns["mean"] = mean.ravel()
    return pd.DataFrame(columns)


def _bounds(args):
    """Return the positions of the quantiles to write, by name."""
    if args.interval:
        return {"lower": 0, "upper": len(args.quantiles) - 1}
    return {f"q{quantile:g}": i for i, quantile in enumerate(args.quantiles)}


def finish(
    run: Run, data: Data, scored: Scored | None, draw: Callable, args: argparse.Namespace
) -> dict | None:
    """Forecast past the end, write all files; return what scores.json holds.

    Raises:
        KeyboardInterrupt: once all is written, if that had ended the training.
    """
    folder, panel, scores = Path(args.output_dir), data.panel, None
    interrupted = any(fit.interrupted for fit in run.fits)
    if scored:
        taught = np.unique(panel.series_of(data.parts.train))
        short = [name for number, name in enumerate(panel.names) if number not in taught]
        print(report.report_at_once(scored.results, len(scored.origins), short, len(run.networks)))
        print(age(data, args.refit))
        if args.refit and not interrupted:
            run = run._replace(network=run.refit())
    forecast = look_ahead(run, data, args)
    print(f"The next {data.panel.horizon}:", forecast.to_string(max_rows=8, index=False), sep="\n")
    with written_together(folder):
        write_csv(forecast.set_index("series"), folder / "forecast.csv")
        if scored:
            training.save(folder / "model.keras", run.network, _facts(run, data, args))
            write_csv(scored.by_series, folder / "series.csv")
            write_csv(_backtest_table(data.panel, scored, args), folder / "backtest.csv")
            seconds = {
                "fit": sum(fit.seconds for fit in run.fits),
                "total": time.perf_counter() - args.begin,
            }
            scores = scored.results | {"seconds": seconds}
            write_json(scores, folder / "scores.json")
        else:
            for name in ("series.csv", "backtest.csv", "scores.json"):
                (folder / name).unlink(missing_ok=True)  # of another forecast
        plotting.save(draw(data.panel, forecast, scored), folder / "figure.png", args.show)
        for checkpoint in () if interrupted else run.checkpoints:
            checkpoint.remove()
    print(f"Picture and files: {folder}")
    if interrupted:
        raise KeyboardInterrupt
    return scores


def age(data: Data, refit: bool) -> str:
    """Say how old the newest row is that trains the network whose forecast is written."""
    panel = data.panel
    trained = panel.borders[:, 0] - panel.start  # rows of each series
    number = int(np.argmax(trained))
    newest, behind = trained[number] - 1, panel.end[number] - panel.borders[number, 0]
    return report.age(panel.times[number][newest], behind, refit)


def shown(panel: Panel, scored: Scored | None) -> dict[str, int]:
    """Return the numbers of the series to draw: best, median and worst by MASE, and the largest."""
    size = [np.nanmean(panel.values[a:b]) for a, b in zip(panel.start, panel.end, strict=True)]
    if not scored:
        return dict(zip(panel.names[:4], range(4), strict=False))
    mase = scored.by_series["mase"].to_numpy()
    ranked = np.argsort(mase)[: np.isfinite(mase).sum()]
    ends = {"best": ranked[0], "median": ranked[len(ranked) // 2], "worst": ranked[-1]}
    return ends | {"largest": int(np.argmax(size))}


def _facts(run, data, args):
    """Return what a saved network's user must know."""
    column, known, features = data.columns
    names = ("horizon", "input_steps", "loss", "interval", "layer", "quantiles")
    return {
        "script": "forecast.py",
        "column": column,
        "known": known,
        "asked": args.known,
        "features": features,
        "calendar": data.calendar,
        "step": data.step,
        "season": data.panel.season,
        "log": run.log,
        "whole": run.whole,
        "corrections": run.corrections,
        "names": data.panel.names,
        **{name: getattr(args, name) for name in names},
    }


def _backtest_table(panel, scored, args):
    """Return forecasts and what came, at evenly taken origins: a row per series, origin, step."""
    every = -(-scored.bounds[..., 0].size // BACKTEST_ROWS)
    origins, steps = scored.origins[::every], np.arange(1, panel.horizon + 1)
    series = panel.series_of(origins)
    ahead = zip(series, origins - panel.start[series], strict=True)
    times = [panel.times[s][first - 1 : first + panel.horizon] for s, first in ahead]
    before, *others = [when[:1].repeat(panel.horizon) for when in times]
    coming, *more = [when[1:] for when in times]
    table = {
        "series": np.repeat(np.array(panel.names)[series], panel.horizon),
        "origin": before.append(others),  # the last time known
        "step": np.tile(steps, len(origins)),
        "time": coming.append(more),
        "actual": panel.targets(origins).ravel(),
    }
    table |= {name: forecast[::every].ravel() for name, forecast in scored.forecasts.items()}
    table |= {name: scored.bounds[::every, :, i].ravel() for name, i in _bounds(args).items()}
    return pd.DataFrame(table).set_index("series")
