"""The way of a forecasting lesson: prepare, learn, score, finish.

A lesson brings what it teaches: simulated data and their optimal predictor, the network, the loss
and the picture. What every lesson needs besides stands here.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from utils import plotting, training
from utils.checkpoint import Checkpoint, plan_of
from utils.files import output_folder, write_csv, write_json, written_together
from utils.series import blocks, evaluation, index, report
from utils.series.csv_file import load_csv
from utils.series.evaluation import BASELINES, LinearAutoregression
from utils.series.forecasting import Forecaster, Record, Spread, scale_ahead, scales
from utils.series.windows import Parts, check, cut, in_order, shuffled, split_by_time, untouched

import keras
import numpy as np
import pandas as pd

TRIAL = 5  # a trial takes one of so many parts of the epochs, but at least TRIAL_STEPS
TRIAL_STEPS = 300
START = {
    "mean": "the mean",
    "median": "the median",
    "persistence": "the last value",
    "seasonal_naive": "the last season",
    "linear": "linear autoregression",
}
MOST_FORECASTS = 100_000  # windows times steps, by which many steps ahead are scored
MOST_ORIGINS = 300  # of the validation and the train part, for the intervals


class Data(NamedTuple):
    """A series, and what a network must know of it."""

    frame: pd.DataFrame  # the series; the first column is the target
    calendar: list[str]  # names of the calendar columns
    values: np.ndarray  # (time, columns): the series and, to their right, their calendar
    parts: Parts | None  # of the rows to train and to score; None with a loaded model
    season: int | None
    input_steps: int
    loaded: Forecaster | None  # where there is nothing to train

    @property
    def targets(self) -> int:
        """How many of the columns are series, which the network predicts."""
        return self.frame.shape[1]

    @property
    def columns(self) -> int:
        """How many columns a window has."""
        return self.values.shape[1]

    @property
    def train(self) -> np.ndarray:
        """The series' rows before the validation part, (time, targets)."""
        return self.values[: self.parts.val[0], : self.targets]

    @property
    def truth(self) -> np.ndarray:
        """The target, NaN where it was interpolated, (time,)."""
        truth = self.values[:, 0].copy()
        truth[self.frame.attrs.get("filled", [])] = np.nan
        return truth


class Run(NamedTuple):
    """A network that has been trained, or loaded: then there is nothing to score it by."""

    name: str
    forecaster: Forecaster
    fit: training.Fit | None = None
    checkpoint: Checkpoint | None = None
    linear: LinearAutoregression | None = None
    refit: Callable[[], keras.Model] | None = None  # trains the same network on all rows


# ------------------------------------------------------------------ prepare


def prepare(
    args: argparse.Namespace,
    simulated: Callable[[], pd.Series],
    season: int | None = None,
    calendar: bool = True,
    positive: bool = False,
) -> Data:
    """Read or simulate the series, split it, and say what was understood.

    Args:
        args: of `utils.cli.parse_forecasting`.
        simulated: makes the series of the demo.
        season: of the simulated series, in steps, where its index doesn't tell.
        calendar: whether the network reads the calendar of a CSV.
        positive: whether values must be above zero, as prices are.

    Raises:
        InputError: if the file, the flags or the model to load don't fit each other.
    """
    forecaster = Forecaster.load(args.load, f"{args.lesson}.py") if args.load else None
    if args.csv:
        column, *features = forecaster.columns if forecaster else (args.column, *args.features)
        column, features = args.column or column, args.features or features
        frame = load_csv(
            args.csv, column, features, args.time_column, args.fill, positive,
            args.missing, args.decimal,
        )  # fmt: skip
        for line in (frame.attrs["understood"], *frame.attrs["suspicious"]):
            print(line)
    else:
        frame = simulated().to_frame()
    if forecaster:
        forecaster.check(frame, args.load)
        names, parts, input_steps = forecaster.calendar, None, forecaster.input_steps
    else:
        names = index.calendar_names(frame.index) if args.csv and calendar else []
        input_steps = args.input_steps
        parts = split_by_time(len(frame), input_steps, frame.attrs.get("filled", ()))
    season = args.season or (season if season and not args.csv else index.season(frame.index))
    values = index.with_calendar(frame, names)
    data = Data(frame, names, values, parts, season, input_steps, forecaster)
    if parts:
        check(values, parts, frame)
        print(samples(data))
    output_folder(args.output_dir)
    return data


def samples(data: Data) -> str:
    """Return three windows as numbers, and how many there are."""
    rows = data.parts.train[:3]
    lines = [f"Of {len(data.frame):,} rows, windows of {data.input_steps} and what came next:"]
    for window, row in zip(cut(data.values[:, 0], rows, data.input_steps), rows, strict=True):
        shown = [f"{value:.4g}" for value in window]
        if len(shown) > 6:
            shown[3:-2] = ["..."]
        lines.append(f"    {' '.join(shown)} -> {data.values[row, 0]:.4g}")
    train, val, test = (f"{len(rows):,}" for rows in data.parts)
    return "\n".join([*lines, f"{train} windows to train, {val} to validate, {test} to test."])


# ------------------------------------------------------------------ learn


class Plan(NamedTuple):
    """How the networks of a lesson are built and trained."""

    build_network: Callable
    build_loss: Callable
    data: Data
    args: argparse.Namespace
    linear: LinearAutoregression
    relative: bool

    @property
    def batch_size(self) -> int:
        """Windows of a training step."""
        return min(self.args.batch_size, len(self.data.parts.train))

    @property
    def steps(self) -> int:
        """Training steps of an epoch."""
        return training.steps_per_epoch(len(self.data.parts.train), self.batch_size)

    def starting_point(self, start: str) -> blocks.Start:
        """Return a place that forecasts start from, by its name in START."""
        data = self.data
        return blocks.starting_point(start, data.train, self.linear, data.season, self.relative)

    def build(self, start: str, train: np.ndarray) -> keras.Model:
        """Return a network with the first weights of this seed."""
        keras.utils.set_random_seed(self.args.seed)
        return self.build_network(train, self.starting_point(start), self.data, self.args)

    def batches(self, rows: np.ndarray):
        """Return shuffled windows whose targets are these rows, without end."""
        data = self.data
        shape = data.input_steps, data.targets, self.batch_size
        return shuffled(data.values, rows, *shape, self.args.seed)

    def fit(
        self, start: str, epochs: int, quiet: bool = True, **kept
    ) -> tuple[keras.Model, training.Fit]:
        """Train a network on the train part, judged by the validation part's MAE."""
        data, network = self.data, self.build(start, self.data.train)
        if not quiet:
            print(blocks.summary(network))

        def mae(actual, predicted):
            return keras.ops.abs(actual[:, 0] - predicted[:, 0])  # (batch,)

        val_rows = data.parts.val[:: -(-len(data.parts.val) // training.MAX_WINDOWS)]
        return network, training.fit(
            network, self.build_loss(data.train), self.batches(data.parts.train),
            in_order(data.values, val_rows, data.input_steps, data.targets),
            steps=self.steps, epochs=epochs, learning_rate=self.args.learning_rate,
            metric=mae, quiet=quiet, **kept,
        )  # fmt: skip

    def refit(self, start: str, epochs: int) -> keras.Model:
        """Train the network once more, on all rows, for so many of the planned epochs."""
        data = self.data
        rows = np.arange(data.input_steps, len(data.values))
        rows = untouched(rows, data.frame.attrs.get("filled", ()))
        network = self.build(start, data.values[:, : data.targets])
        training.refit(
            network, self.build_loss(data.train), self.batches(rows), steps=self.steps,
            epochs=epochs, planned=self.args.epochs, learning_rate=self.args.learning_rate,
        )  # fmt: skip
        return network


def learn(
    name: str,
    build_network: Callable,
    build_loss: Callable,
    data: Data,
    args: argparse.Namespace,
    starts: Sequence[str],
    relative: bool = False,
    on_epoch: Callable[[float], None] | None = None,
) -> Run:
    """Train a network, or take the loaded one.

    Args:
        name: of the network.
        build_network: (train, start, data, args) -> network; `start` is of `starting_point`.
        build_loss: (train) -> loss.
        data: of `prepare`.
        args: of `utils.cli.parse_forecasting`.
        starts: what its forecasts may start from, by names in START, the safest first.
        relative: whether errors are log-ratios, as those of prices are.
        on_epoch: is told after each epoch the lowest validation MAE so far.

    Raises:
        InputError: if --resume is asked for and the checkpoint is of another run.
    """
    if data.loaded:
        return Run(name, data.loaded)
    path = Path(args.output_dir, "checkpoint.npz")
    checkpoint = Checkpoint(path, plan_of(args, data.values), args.resume)
    linear = LinearAutoregression(data.input_steps, data.targets).fit(data.values, data.parts)
    plan = Plan(build_network, build_loss, data, args, linear, relative)
    start = checkpoint.notes.get("start") or chosen_start(plan, starts)
    checkpoint.notes["start"] = start
    print(f"Forecasts start from {START[start]}; {args.batch_size} windows a training step.")
    kept = {"checkpoint": checkpoint, "on_epoch": on_epoch}
    network, fit = plan.fit(start, args.epochs, quiet=False, **kept)
    print(fit)

    when = data.frame.index
    forecaster = Forecaster(
        network, list(data.frame), data.calendar, index.step(when), zone=index.zone(when)
    )
    baseline, share = believable(forecaster, data, linear)
    simple = plan.starting_point(baseline)

    def refit():
        return blocks.believed(plan.refit(start, fit.best_epoch), simple, share)

    memory = np.clip(len(data.parts.val) / 10, 10, 100)  # rows; daily prices: RiskMetrics' 0.94
    lowest = 0.0 if data.values[:, 0].min() >= 0 else None  # a count stays one
    forecaster = forecaster._replace(
        network=blocks.believed(network, simple, share),
        spread=Spread(relative, decay=1 - 1 / memory, lowest=lowest),
    )
    return Run(name, forecaster, fit, checkpoint, linear, refit)


def chosen_start(plan: Plan, starts: Sequence[str]) -> str:
    """Return what forecasts start from, chosen on the validation part by short trainings.

    It is the first, unless another is better by more than chance would make it.
    """
    if len(starts) == 1:
        return starts[0]
    most = plan.args.epochs
    epochs = min(max(most // TRIAL, TRIAL_STEPS // plan.steps, 1), most)
    errors = {start: plan.fit(start, epochs)[1].lowest for start in starts}
    shown = ", ".join(f"{START[start]} {error:.4g}" for start, error in errors.items())
    print(f"Validation MAE after {epochs} epochs, by what forecasts start from: {shown}.")
    return safest(errors, len(plan.data.parts.val))


def safest(errors: dict[str, float], windows: int) -> str:
    """Return the first name, or that of the lowest error where chance would hardly make it so."""
    first, best = next(iter(errors)), min(errors, key=errors.get)
    return best if errors[best] < (1 - 0.5 / np.sqrt(windows)) * errors[first] else first


def believable(
    forecaster: Forecaster, data: Data, linear: LinearAutoregression
) -> tuple[str, float]:
    """Return the simplest forecast that holds, and how far to go from it to the network's.

    The validation part tells both. The simple forecast is the last value, unless another baseline
    is better by more than chance would make it. The share of the way, 0 to 1, is that with the
    least error, less twice its p-value of being no better than the simple forecast: a gain that
    chance makes in every second series is no gain.
    """
    rows = data.parts.val
    season = data.season if data.season and data.season <= data.input_steps else None
    rivals = evaluation.baselines(data.values, data.parts, linear, season)
    forecasts = {name: rival(data.values, rows, 1)[:, 0] for name, rival in rivals.items()}
    actual = data.values[rows, 0]
    errors = {name: evaluation.mae(actual, forecast) for name, forecast in forecasts.items()}
    baseline = safest(errors, len(rows))
    simple = forecasts[baseline]
    farther = forecaster.one_step(data.values, rows) - simple
    best = min(
        np.linspace(1, 0, 11), key=lambda share: evaluation.mae(actual, simple + share * farther)
    )
    p_value = evaluation.diebold_mariano(
        actual, simple, simple + best * farther, index.season(data.frame.index) or 1
    )
    share = round(float(best * max(1 - 2 * p_value, 0)), 2)
    if share < 1:
        print(
            f"By the validation part, forecasts go {share:.0%} of the way from {START[baseline]} "
            "to what the network says."
        )
    return baseline, share


# ------------------------------------------------------------------ score


class Scored(NamedTuple):
    """What a lesson's forecasts of the test part were worth."""

    results: dict  # as in scores.json
    test: pd.DataFrame  # one step ahead, by time: actual, predicted, the baselines, lower, upper
    spread: Spread  # of the forecaster, as it is at the end of the data


def score(
    run: Run, data: Data, args: argparse.Namespace, optimal: Callable | None
) -> Scored | None:
    """Score the forecasts that are sold, in the test part: network, baselines and interval.

    Args:
        run: of `learn`.
        data: of `prepare`.
        args: of `utils.cli.parse_forecasting`.
        optimal: the best possible predictor, from windows (windows, input_steps) and a number of
            steps to (windows, steps), where the law of the data is known.

    Returns:
        None for a loaded model.
    """
    if not run.fit:
        return None
    forecaster, parts, season = run.forecaster, data.parts, data.season
    rivals = evaluation.baselines(data.values, parts, run.linear, season)
    if optimal and not args.csv:
        rivals["optimal"] = lambda values, origins, steps: optimal(
            cut(values[:, 0], origins, data.input_steps), steps
        )
    one_step, now, usual = one_step_errors(forecaster, data)
    results, scored = {}, {}
    for part, rows in (("val", parts.val), ("test", parts.test)):
        forecasts = {run.name: one_step[rows]}
        forecasts |= {name: rival(data.values, rows, 1)[:, 0] for name, rival in rivals.items()}
        scored = evaluation.scores(data.values[rows, 0], forecasts, data.train[:, 0])
        results[part] = dict.fromkeys([run.name, *BASELINES, "optimal"]) | scored
    actual, best = data.values[parts.test, 0], evaluation.best_baseline(scored, run.name)
    results["best_baseline"] = best
    results["p_value"] = evaluation.diebold_mariano(
        actual, forecasts[run.name], forecasts[best], index.season(data.frame.index) or 1
    )

    def bounds_of(forecast, origins, step):
        scale = scale_ahead(now[origins], usual[origins], step, forecaster.spread.decay)
        return forecaster.spread.bounds(forecast, record.widths(origins, step) * scale)

    record, by_name, truth = many_steps(run, data, rivals, (now, usual), args.forecast)
    origins = record.origins[-len(truth) :]
    bounds = {
        step: bounds_of(by_name[run.name][:, step - 1], origins, step)
        for step in evaluation.scored_steps(truth.shape[1])
    }
    results["by_steps"] = evaluation.scores_by_steps(truth, by_name, bounds)
    predicted = forecasts.pop(run.name)
    lower, upper = bounds_of(predicted, parts.test, 1)
    results["coverage"] = {"0.9": float(np.mean((lower <= actual) & (actual <= upper)))}
    columns = {
        "actual": actual,
        "predicted": predicted,
        **forecasts,
        "lower": lower,
        "upper": upper,
    }
    end = now[-1], usual[-1], data.frame.index[-1]
    spread = forecaster.spread.measured(record, *end, args.forecast)
    return Scored(results, pd.DataFrame(columns, data.frame.index[parts.test]), spread)


def thinned(rows: np.ndarray, most: int) -> np.ndarray:
    """Return at most so many of the rows, and no fewer than 100, evenly taken."""
    most = min(max(most, 100), len(rows))
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]


def one_step_errors(forecaster: Forecaster, data: Data) -> tuple[np.ndarray, ...]:
    """Return the one-step forecasts, and the present and usual scale of errors before each.

    They are (time,), (time + 1,) and (time + 1,), NaN where there is none; the last scales are
    those at the end of the data. From the validation part on, scales come from errors in rows that
    trained nothing.
    """
    spread = forecaster.spread
    forecasts = np.full(len(data.values), np.nan)
    now, usual = np.full((2, len(data.values) + 1), np.nan)
    unseen = np.concatenate([data.parts.val, data.parts.test])
    for rows, first in ((data.parts.train[-MOST_FORECASTS:], None), (unseen, len(data.parts.val))):
        forecasts[rows] = forecaster.one_step(data.values, rows)
        errors = spread.errors(data.values[rows, 0], forecasts[rows])
        start = np.sqrt(np.mean(errors[:first] ** 2))
        for scale, decay in ((now, spread.decay), (usual, spread.slow)):
            known = np.maximum(scales(errors, start, decay), 1e-6 * start)
            scale[rows], scale[-1] = known[:-1], known[-1]
    return forecasts, now, usual


def many_steps(
    run: Run, data: Data, rivals: dict, scale: tuple[np.ndarray, np.ndarray], most: int
) -> tuple[Record, dict[str, np.ndarray], np.ndarray]:
    """Forecast many steps from many origins, each forecast being fed back.

    Returns:
        the record of how far off the network was, in all parts; the forecasts of the test part by
        name, each (windows, steps); and what came, as they are.
    """
    parts, steps = data.parts, min(most, len(data.parts.test))
    coming = index.calendar(index.future_index(data.frame.index, steps), data.calendar)
    unknown = np.full((steps, data.targets), np.nan)
    values = np.vstack([data.values, np.column_stack([unknown, coming])])
    truth = np.concatenate([data.truth, unknown[:, 0]])
    test = thinned(parts.test, MOST_FORECASTS // most)
    past = [part[np.isfinite(scale[0][part])] for part in (parts.train, parts.val)]
    origins = np.concatenate([*(thinned(part, MOST_ORIGINS) for part in past), test])
    forecasts = run.forecaster.spread.possible(run.forecaster.recursive(values, origins, steps))
    truth = truth[origins[:, None] + np.arange(steps)]
    spread = run.forecaster.spread
    sizes = np.abs(spread.errors(truth, forecasts))
    now, usual = (known[origins] for known in scale)
    for step in range(1, steps + 1):
        sizes[:, step - 1] /= scale_ahead(now, usual, step, spread.decay)
    record = Record(origins, sizes, unseen=parts.val[0])
    by_name = {run.name: forecasts[-len(test) :]}
    by_name |= {name: rival(values, test, steps) for name, rival in rivals.items()}
    return record, by_name, truth[-len(test) :]


# ------------------------------------------------------------------ finish


def finish(
    run: Run,
    data: Data,
    scored: Scored | None,
    draw: Callable,
    args: argparse.Namespace,
    moral: str | None = None,
) -> dict | None:
    """Forecast past the end, write all files, print what follows; return what scores.json holds.

    Args:
        run: of `learn`.
        data: of `prepare`.
        scored: of `score`.
        draw: (run, data, scored or None, forecast) -> figure.
        args: of `utils.cli.parse_forecasting`.
        moral: the last line.

    Raises:
        KeyboardInterrupt: once all is written, if that had ended the training.
    """
    folder, forecaster, scores = Path(args.output_dir), run.forecaster, None
    interrupted = bool(run.fit and run.fit.interrupted)
    if scored:
        forecaster = forecaster._replace(spread=scored.spread)
        forecaster.save(folder / "model.keras", f"{run.name}.py")
        print(report.report(run.name, scored.results, len(scored.test)))
        print(age(data, args.refit))
        if args.refit:
            try:
                forecaster = forecaster._replace(network=run.refit())
            except KeyboardInterrupt:
                interrupted = True
                print("Interrupted: going on with the network that was scored")
    else:
        forecaster = forecaster.since(data.frame)
    forecast = forecaster.past_the_end(data.frame, args.forecast)
    print(f"The next {args.forecast}, with a 90 % interval:")
    print(forecast.to_string(max_rows=8))
    with written_together(folder):
        if scored:
            forecaster.save(folder / "model.keras", f"{run.name}.py")
        write_csv(forecast, folder / "forecast.csv")
        if scored:
            write_csv(scored.test, folder / "test_predictions.csv")
            write_csv(run.fit.history, folder / "history.csv")
            scores = {
                "script": f"{run.name}.py",
                "data": args.csv or "simulated",
                "seed": args.seed,
                "network": run.name,
                "input_steps": args.input_steps,
                **scored.results,
                "seconds": {"fit": run.fit.seconds, "total": time.perf_counter() - args.begin},
            }
            write_json(scores, folder / "scores.json")
        else:
            for name in ("test_predictions.csv", "history.csv", "scores.json"):
                (folder / name).unlink(missing_ok=True)  # of another forecast
        figure = draw(run._replace(forecaster=forecaster), data, scored, forecast)
        plotting.save(figure, folder / "figure.png", args.show)
        if scored and not run.fit.interrupted:
            run.checkpoint.remove()
    print(f"Picture and files: {folder}")
    if moral:
        print(moral)
    if interrupted:
        raise KeyboardInterrupt
    return scores


def age(data: Data, refit: bool) -> str:
    """Say how old the newest row is that trains the network whose forecast is written."""
    newest = data.parts.train[-1]
    return report.age(data.frame.index[newest], len(data.frame) - 1 - newest, refit)
