r"""How do many series go on, for many steps? One network forecasts all of them at once.

A network that feeds on its own forecasts (GRU.py --forecast 48) piles error on error: from about a
day on, repeating yesterday is better. So here nothing is fed back (SegRNN, Lin et al., 2023):

    window, less its own level, over its own scale -> segments, such as weeks of days
    state = recurrent layer over the embedded segments
    for each segment to come, from that same state, one further step of the same layer, which reads
    the segment's position and what is known of it -> all its values, and their quantiles

It starts as a linear head per step (ridge regression) and learns what that can't do; of that, the
share is written that validation finds best, a row of its own in the table.

    python forecast.py                     # simulated: 100 shops, three years of days, promotions
    python forecast.py --csv data/weather_greensboro.csv --column temperature --horizon 48
    python forecast.py --csv sales.csv --column sales --series-column shop --known promotion,holiday
    python forecast.py --load outputs/forecast/model.keras --csv today.csv --column sales \
        --series-column shop --known promotion,holiday
"""

from __future__ import annotations

import argparse
import math

from utils import InputError, cli, plotting, training
from utils.files import output_folder
from utils.series import baselines, calendar, direct, many, outputs, shops
from utils.series.backtest import backtest
from utils.series.boosting import Boosting
from utils.series.heads import LinearHeads, inner_of
from utils.series.panel import FEW, Panel, evenly
from utils.series.table import read_table
from utils.series.windows import in_order, shuffled

import keras
import numpy as np

APART = 20  # series at most that the network tells apart by name
LAYERS = {"gru": "GRU", "lstm": "LSTM", "simple": "SimpleRNN"}
# by the steps of a season: a day of hours, a week of days or business days, a year of months, weeks
HORIZONS = {24: 48, 7: 28, 6: 24, 5: 20, 12: 12, 52: 13}
WINDOWS = {24: 168, 7: 168, 6: 144, 5: 120, 12: 36, 52: 104}
SEGMENTS = {52: 13}
EPOCH_WINDOWS = 60_000
MIN_BATCHES = 16  # of an epoch, for which short series have small batches
SEEDS = 1000  # between the seeds of --networks, so that runs don't share them

SEARCH = {  # what tune.py varies: from:to, or choices
    "units": "32:256",
    "layer": "gru/lstm",
    "learning-rate": "0.0003:0.01",
    "batch-size": "64/128/256/512",
    "dropout": "0:0.4",
}


def parse_args(argv=None):
    parser = cli.Parser(prog="forecast.py", description=__doc__.partition("\n")[0])
    data = cli.add_data(parser)
    data.add_argument("--series-column", metavar="COLUMN", help="says whose row it is")
    data.add_argument("--known", type=cli.names, default=[], metavar="A,B",
                      help="columns that are known for the steps to come: append rows with them "
                      "and an empty target")  # fmt: skip
    ahead = parser.add_argument_group("forecast")
    ahead.add_argument("--horizon", type=cli.whole_number(1), metavar="STEPS",
                       help="steps ahead (default: 28 days, 48 hours, 12 months, ...)")  # fmt: skip
    ahead.add_argument("--quantiles", type=quantiles, metavar="A,B,...",
                       help="such as 0.1,0.5,0.9, instead of a 90 %% interval")  # fmt: skip
    ahead.add_argument("--loss", choices=["absolute", "squared"], default="absolute",
                       help="what the forecast minimises: it is a median or a mean")  # fmt: skip
    ahead.add_argument("--season", type=cli.whole_number(1), metavar="STEPS",
                       help="found by itself where times show it")  # fmt: skip
    ahead.add_argument("--boosting", action="store_true", help="gradient boosting as a baseline")
    ahead.add_argument("--refit", action="store_true", help="train on, on all rows, in the end")
    ahead.add_argument("--load", metavar="FILE", help="forecast with this model; no training")
    network = parser.add_argument_group("network and training (with --load, the model's own)")
    network.add_argument("--layer", choices=list(LAYERS), default="gru")
    network.add_argument("--input-steps", type=cli.whole_number(2), help="past steps per window")
    network.add_argument("--units", type=cli.whole_number(1), help="width (default: 128)")
    network.add_argument("--networks", type=cli.whole_number(1), default=1, metavar="N",
                         help="train so many from different seeds; take their mean")  # fmt: skip
    network.add_argument("--start", choices=["linear", "last"], default="linear",
                         help="what it corrects: ridge or the last value")  # fmt: skip
    network.add_argument(
        "--dropout", type=cli.number_above(0, inclusive=True, below=1), default=0.1
    )
    network.add_argument("--epochs", type=cli.whole_number(1), help="at most (default: 10)")
    network.add_argument("--batch-size", type=cli.whole_number(1), default=256, help="windows")
    network.add_argument("--learning-rate", type=cli.number_above(0), help="default: 0.002")
    cli.add_run(parser, "outputs/forecast")
    args = cli.parse(parser, argv)
    if args.load and not args.csv:
        parser.error("--load needs --csv, the data to go on from")
    simulated = {"units": 64, "epochs": 2, "learning_rate": 0.003}  # enough for the shops
    usual = {"units": 128, "epochs": 10, "learning_rate": 0.002}
    args.asked, args.quantiles = args.quantiles, direct.symmetric(args.quantiles)
    for name, value in (usual if args.csv else simulated).items():
        setattr(args, name, getattr(args, name) or value)
    return args


def quantiles(text):
    """Take ascending numbers between 0 and 1, among them 0.5, as a flag's value."""
    numbers = tuple(round(cli.number_above(0, below=1)(word), 6) for word in cli.names(text))
    ascending = list(numbers) == sorted(set(numbers) - {0.0, 1.0})
    if 0.5 not in numbers or len(numbers) < 2 or not ascending:
        raise argparse.ArgumentTypeError(
            f"{text!r} must ascend and hold 0.5 and others, as 0.1,0.5,0.9 does"
        )
    return numbers


def read(args):
    """Return the series by name, their known columns, and the law of simulated ones."""
    if not args.csv:
        frames, law = shops.simulated(args.seed)
        return frames, ["promotion"], law
    table = read_table(series_column=args.series_column, known=args.known, **cli.reading(args))
    print(table)
    return table.frames, table.known, None


def lay_out(frames, known, args):
    """Return the panel; a window and its segments fit the season and the longest series."""
    longest = max(frames.values(), key=len)
    season = args.season or calendar.season(longest.index) or 1
    length = max(int(frame.iloc[:, 0].notna().sum()) for frame in frames.values())
    args.horizon = args.horizon or HORIZONS.get(season, season if season > 1 else 12)
    if length < 4 * args.horizon:
        raise InputError(
            f"--horizon {args.horizon} needs a series of {4 * args.horizon} values, to learn from "
            f"and to be held back twice; the longest has {length}: lower --horizon or bring more"
        )
    usual = SEGMENTS.get(season, season if season > 1 else 8)
    if args.input_steps is None:
        window = min(WINDOWS.get(season, 7 * season if season > 1 else 48), length // 4)
        args.input_steps = int(max(window // usual * usual, min(usual, 8)))
    args.segment = usual if args.input_steps % usual == 0 else math.gcd(usual, args.input_steps)
    many.check_known(frames, known, args.horizon)
    panel = Panel(
        frames, args.input_steps, args.horizon, known=known, season=season, short_windows=True
    )
    if not len(panel.origins("train", args.horizon)):
        raise InputError(
            f"no series is long enough for a window of {panel.input_steps} steps and "
            f"{panel.horizon} ahead; lower --horizon or --input-steps, or bring longer series"
        )
    return panel


def taken_out(past, spread, scaling, start):
    """Take a window's own level and scale out of it.

    Returns:
        the window, scaled, and 1 where it is missing, (batch, input_steps) each; its level and its
        scale, (batch, 1) each.
    """
    ops = keras.ops
    seen = ops.cast(ops.isfinite(past[..., 0]), "float32")  # (batch, input_steps)
    values = ops.where(seen > 0, past[..., 0], 1.0)
    values = ops.log(ops.maximum(values, 1e-6)) if scaling.log else values
    count = ops.maximum(ops.sum(seen, axis=-1, keepdims=True), 1.0)
    mean = ops.sum(seen * values, axis=-1, keepdims=True) / count
    deviation = ops.sqrt(ops.sum(seen * (values - mean) ** 2, axis=-1, keepdims=True) / count)
    last = ops.argmax(seen * np.arange(1.0, past.shape[1] + 1), axis=-1, keepdims=True)
    level = mean if start == "linear" else ops.take_along_axis(values, last, axis=-1)
    if scaling.log:
        scale = deviation + ops.minimum(spread, 0.01)
    else:
        scale = deviation + 0.05 * spread if scaling.by_window else spread
    scale = ops.where(count < FEW, ops.maximum(scale, spread), scale)  # too few to tell
    return seen * (values - level) / scale, 1 - seen, level, scale


def build_network(panel, linear, args):
    """Return a network that starts at linear heads and forecasts all steps at once.

    Its inputs are those of `utils.series.direct.many_steps`; mean and quantiles come out, (batch,
    horizon, 1 + quantiles).
    """
    layers, ops, scaling = keras.layers, keras.ops, linear.scaling
    steps, horizon, segment = panel.input_steps, panel.horizon, args.segment
    past = keras.Input((steps, len(panel.columns)), name="past")
    coming = keras.Input((steps + horizon, panel.inputs), name="coming")
    series = keras.Input((1,), dtype="int32", name="series")
    spread = keras.Input((1,), name="spread")

    # 1. a window's own level and scale are taken out, so that all series look alike
    normal, missing, level, scale = taken_out(past, spread, scaling, args.start)

    # 2. segments are embedded and read by the recurrent layer
    columns = [normal[..., None], missing[..., None], past[..., 1:], coming[:, :steps]]
    columns = ops.concatenate(columns, axis=-1)
    columns = ops.where(ops.isfinite(columns), columns, 0.0)
    x = ops.reshape(columns, (-1, steps // segment, segment * columns.shape[-1]))
    x = layers.Dense(args.units, activation="relu")(x)
    recurrent = getattr(layers, LAYERS[args.layer])(args.units, return_state=True)
    _, *states = recurrent(x)

    # 3. for each segment to come one further step, all from the same state
    ahead = -(-horizon // segment)
    query = layers.Embedding(ahead, args.units)(ops.arange(ahead)[None] + 0 * series)
    if 1 < len(panel.names) <= APART:
        query += layers.Embedding(1 + len(panel.names), args.units, "zeros")(series)
    if panel.inputs:
        filled = [(0, 0), (0, ahead * segment - horizon), (0, 0)]
        future = ops.pad(coming[:, steps:], filled)
        query += layers.Dense(args.units)(
            ops.reshape(future, (-1, ahead, segment * future.shape[-1]))
        )
    states = [ops.reshape(ops.repeat(s[:, None], ahead, axis=1), (-1, args.units)) for s in states]
    x, *_ = recurrent(ops.reshape(query, (-1, 1, args.units)), initial_state=states)

    # 4. to the linear forecast a correction is added, and the level comes back (in sums, the
    # smaller tensor stands first: second, `keras.ops.add` may take it for a bias of the last axis)
    outputs = 1 + len(args.quantiles)
    x = layers.Dropout(args.dropout)(x)
    x = layers.Dense(segment * outputs, kernel_initializer="zeros", name="correction")(x)
    x = ops.reshape(x, (-1, ahead * segment, outputs))[:, :horizon]
    if args.start == "linear":
        start = layers.Dense(horizon, name="start")
        inputs = direct.linear_inputs(panel, scaling, normal, past, coming, level)
        x = start(inputs)[..., None] + x
        start.set_weights([linear.kernel, linear.bias])
    x = level[..., None] + scale[..., None] * x
    m = 1 + args.quantiles.index(0.5)  # around the median, quantiles are put in order
    middle = x[..., m : m + 1]
    lower = ops.minimum(ops.sort(x[..., 1:m], axis=-1), middle)
    upper = ops.maximum(ops.sort(x[..., m + 1 :], axis=-1), middle)
    x = ops.concatenate([x[..., :1], lower, middle, upper], axis=-1)
    return keras.Model([past, coming, series, spread], ops.exp(x) if scaling.log else x)


def build_loss(quantiles, kind, log):
    """Return the loss of a mean and quantiles: (batch, horizon, 2) and (batch, horizon, outputs).

    A quantile q costs q per unit that it lies too low and 1 - q per unit that it lies too high, so
    that it is least where a share q of the values lies below it (the pinball loss; the median's is
    half of the absolute error). The mean costs squares, lines beyond 10 spreads; of logarithms d
    apart, exp(d) - d - 1, which is least at the mean of the values, not of their logarithms.
    """
    q = np.array(quantiles, "float32")
    of_mean, of_quantiles = {"absolute": (0.3, 2.0), "squared": (1.0, 0.3)}[kind]

    def loss(actual, predicted):
        actual, weight = actual[..., :1], actual[..., 1:]  # the weight is 0 where it is missing
        if log:
            actual, predicted = keras.ops.log(actual), keras.ops.log(predicted)
        error = actual - predicted
        pinball = keras.ops.maximum(q * error[..., 1:], (q - 1) * error[..., 1:])
        far = keras.ops.abs(weight * error)[..., 0]
        square = keras.ops.where(far < 10, far**2, 20 * far - 100)
        if log:
            d = keras.ops.clip(error[..., 0], -5, 5)
            square = keras.ops.where(far > 0, keras.ops.exp(d) - d - 1, 0.0)
        return of_mean * square + of_quantiles * keras.ops.mean(weight * pinball, axis=-1)

    return loss


def train(panel, linear, weights, args, number=0, on_epoch=None, refit=None, network=None):
    """Train a network on the train part, judged by validation; or, with `refit`, on more rows.

    Args:
        panel: the series.
        linear: the heads where it starts.
        weights: (series,), how much an error counts.
        args: of `parse_args`.
        number: of the network, which sets its seed.
        on_epoch: see `main`.
        refit: the row of each series after the last one to learn from, (series,); and the epochs.
        network: a trained one, to go on from; None builds another.

    Returns:
        the network and the fit.
    """
    seed, log = args.seed + SEEDS * number, linear.scaling.log
    keras.utils.set_random_seed(seed)
    network = network or build_network(panel, linear, args)
    origins = panel.origins("train", panel.horizon)
    if refit:
        origins = panel.origins_between(panel.start, refit[0], panel.horizon)
    size = min(args.batch_size, max(len(origins) // MIN_BATCHES, MIN_BATCHES))
    steps = training.steps_per_epoch(min(len(origins), EPOCH_WINDOWS), size)
    schedule = keras.optimizers.schedules.CosineDecay(args.learning_rate, args.epochs * steps)
    network.compile(
        keras.optimizers.Adam(schedule, clipnorm=1.0, use_ema=True, ema_momentum=0.98),
        build_loss(args.quantiles, args.loss, log),
        steps_per_execution=training.STEPS_PER_CALL,
        jit_compile=False,  # compiling takes longer than it saves
    )
    cut = direct.many_steps(panel, weights, log)
    batches = shuffled(cut, origins, size, seed)
    if refit:
        return network, training.fit(network, batches, None, steps=steps, epochs=refit[1])
    val = in_order(cut, evenly(panel.origins("val", panel.horizon), direct.VAL_ORIGINS))
    fit = training.fit(network, batches, val, steps=steps, epochs=args.epochs, on_epoch=on_epoch)
    return network, fit


def written_by(networks, panel, linear, args, share=None):
    """Return forecasters of the networks' mean: alone, and gone back to its start but for a share.

    The share is the one that is best in validation, if none is given.
    """
    facts = args.quantiles, args.loss == "squared", linear.scaling.log
    alone = direct.Direct(direct.mean_of(networks), *facts)
    if share is None:
        share = direct.best_share(alone, linear, panel) if args.start == "linear" else 1.0
    if share == 1:
        return alone, alone, share
    copies = [
        direct.blended(
            direct.Direct(network, *facts), linear, share, build_network(panel, linear, args)
        ).model
        for network in networks
    ]
    return alone, direct.Direct(direct.mean_of(copies), *facts), share


def draw(panel, forecast, found=None):
    """Draw four series and what comes; below, error and coverage by the number of steps ahead."""
    single = panel.names == [""]
    rows = (["AA"] if single else ["AB", "CD"]) + ["EF"] * bool(found)
    figure, axes = plotting.new_figure(";".join(rows), size=(11, 2.9 * len(rows)))
    for name, (title, number) in zip("A" if single else "ABCD", shown(panel, found), strict=False):
        past = panel.series(number).iloc[-max(2 * panel.horizon, 8 * panel.season) :]
        ahead = forecast if single else forecast.loc[[panel.names[number]]].set_index("time")
        bounds = [column for column in ahead if column not in ("forecast", "mean")]
        ahead = ahead[["forecast", bounds[0], bounds[-1]]]
        plotting.draw_forecast(
            axes[name], past, ahead.set_axis(["forecast", "lower", "upper"], axis=1)
        )
        axes[name].get_legend().set_visible(name == "A")
        axes[name].set_ylabel(past.name if single else f"{panel.names[number]} ({title})")
    if not found:
        return figure

    plotting.draw_by_steps(axes["E"], found.scores["test"], found.written)
    steps = range(1, panel.horizon + 1)
    for level, coverage in found.scores["coverage"].items():
        held = [np.nan if share is None else share for share in coverage["by_step"]]
        axes["F"].plot(steps, held, color=plotting.BLUE)
        axes["F"].axhline(float(level), color=plotting.BLACK, lw=0.8, ls=":")
    axes["F"].set(title="How often the interval held", xlabel="steps ahead", ylim=(0.5, 1.0))
    return figure


def shown(panel, found):
    """Return titles and numbers of the series to draw: best, median, worst by MASE, the largest."""
    if not found:
        return list(zip(panel.names[:4], range(4), strict=False))
    mase = many.by_series(found)["mase"].to_numpy()
    ranked = np.argsort(mase)[: np.isfinite(mase).sum()]
    largest = int(np.argmax([panel.series(number).mean() for number in range(len(panel.names))]))
    ends = {"best": ranked[0], "median": ranked[len(ranked) // 2], "worst": ranked[-1]}
    return [*ends.items(), ("largest", largest)]


def main(argv=None, on_epoch=None):
    """Train (or load), score, forecast, draw; return what scores.json holds.

    With `on_epoch`, a function of the lowest validation loss so far, the run ends with the
    training: it is a trial of tune.py.
    """
    args = parse_args(argv)
    if args.load:
        return go_on(args)
    frames, known, law = read(args)
    panel = lay_out(frames, known, args)
    folder = output_folder(args.output_dir)
    linear = LinearHeads(panel, power=2 if args.loss == "squared" else 1)
    weights = inner_of(panel).error_weights(linear.scaling.log)
    networks, fits, name = [], [], LAYERS[args.layer]
    for number in range(args.networks):
        network, fit = train(panel, linear, weights, args, number, None if number else on_epoch)
        networks.append(network)
        fits.append(fit)
        if on_epoch or fit.interrupted:
            break
    if on_epoch:
        return None

    alone, blend, share = written_by(networks, panel, linear, args)
    rivals = baselines.simple(panel) | {"linear": linear}
    if args.boosting or known:
        rivals["boosting"] = Boosting(panel)
    rivals[name] = alone
    written = {1.0: name, 0.0: "linear"}.get(share, f"{share:.0%} {name} + {1 - share:.0%} linear")
    rivals[written] = blend
    print(f"Of what {name} learned beyond its linear start, validation keeps {share:.0%}.")
    if panel.whole and args.loss == "absolute":
        rivals = {name: direct.Whole(rival) for name, rival in rivals.items()}
    if law:
        rivals["optimal"] = shops.Optimal(law)
    found = backtest(rivals, panel, name, written=written, levels=blend.levels, log=blend.log)
    print(found)
    if args.refit:
        rows = [(panel.end, fit.best_epoch) for fit in fits]
        networks = [train(panel, linear, weights, args, i, refit=r)[0] for i, r in enumerate(rows)]
        _, blend, _ = written_by(networks, panel, linear, args, share)

    facts = outputs.facts_of(
        "forecast.py", args, found, short=True, known=known, asked_known=args.known,
        quantiles=args.asked, squared=blend.squared, whole=panel.whole,
        mostly_zero=panel.mostly_zero, horizon=panel.horizon, inner=inner_of(panel).facts(),
        young=many.of_young(panel, blend, blend.levels, found.corrections, blend.log).tolist(),
    )  # fmt: skip
    forecast = look_ahead(panel, blend, facts)
    scores = outputs.scores_of("forecast.py", args, found, sum(fit.seconds for fit in fits))
    tables = {"backtest.csv": found.table(), "series.csv": many.by_series(found)}
    figure = draw(panel, forecast, found)
    print(outputs.write(folder, args.show, figure, forecast, tables, scores, blend.model, facts))
    if fits[-1].interrupted:
        raise KeyboardInterrupt
    return scores


def look_ahead(panel, network, facts):
    """Return what forecast.csv holds: the forecast, its bounds or quantiles, and rarely the mean.

    Where many values are zero, the mean stands beside the median, which then is zero too often.
    """
    whole = facts["whole"] and not network.squared
    corrections = many.by_age(panel, facts["corrections"], facts["young"])
    table = outputs.ahead(
        panel, direct.Whole(network) if whole else network, facts | {"corrections": corrections}
    )
    asked = facts["quantiles"] or (network.quantiles[0], network.quantiles[-1])
    bounds = [name for name in table if name not in ("series", "time", "forecast")]
    point = table["forecast"] = table["forecast"].round() if whole else table["forecast"]
    for name, quantile in zip(bounds, network.quantiles, strict=True):
        bound = table.pop(name)
        if whole and quantile < 0.5:
            bound = np.minimum(np.ceil(bound), point)
        elif whole:
            bound = bound.round() if quantile == 0.5 else np.maximum(np.floor(bound), point)
        if quantile in asked:
            table[f"q{quantile:g}" if facts["quantiles"] else name] = bound
    if facts["mostly_zero"] and not network.squared:
        table["mean"] = network._replace(squared=True)(panel, panel.end)[..., 0].ravel()
    return table


def go_on(args):
    """Forecast with a trained network: the model's own columns, horizon and quantiles."""
    model, facts = training.load(args.load, "forecast.py")
    cli.check_learned("known", args.known, facts["asked_known"])
    for name, learned in (("column", facts["asked"][0]), ("horizon", facts["horizon"])):
        if getattr(args, name) not in (None, learned):
            raise InputError(
                f"--{name} {getattr(args, name)}: {args.load} has learned {learned}; drop --{name} "
                "or train another network"
            )
    table = read_table(
        series_column=args.series_column, known=facts["asked_known"],
        **cli.reading(args, facts["asked"]),
    )  # fmt: skip
    print(table)
    many.check_known(table.frames, table.known, facts["horizon"])
    panel = outputs.panel_of(table.frames, facts["horizon"], facts, args.load)
    inner_of(panel).take(facts["inner"])
    folder = output_folder(args.output_dir)
    quantiles = direct.symmetric(facts["quantiles"])
    network = direct.Direct(model, quantiles, facts["squared"], facts["log"])
    forecast = look_ahead(panel, network, facts)
    print(outputs.write(folder, args.show, draw(panel, forecast), forecast))


if __name__ == "__main__":
    cli.run(main, "forecast.py")
