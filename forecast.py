r"""How do many series go on, for many steps? One network forecasts all of them at once.

A network that feeds on its own forecasts (GRU.py --forecast 48) piles error on error: from about a
day on, repeating yesterday is better. So here nothing is fed back (SegRNN, Lin et al., 2023):

    window, less its own level, over its own scale -> segments, such as weeks of days
    state = recurrent layer over the embedded segments
    for each segment to come, from that same state, one further step of the same layer, told by a
    position which segment it is and what is known of it -> all its values, and their quantiles

It starts as a linear head per step (ridge regression) and learns what that can't do.

    python forecast.py                     # simulated: 100 shops, three years of days, promotions
    python forecast.py --csv data/weather_greensboro.csv --column temperature --horizon 48
    python forecast.py --csv sales.csv --column sales --series-column shop --known promotion,holiday
    python forecast.py --dataset m4_hourly
    python forecast.py --load outputs/forecast/model.keras --csv today.csv --column sales \
        --series-column shop --known promotion,holiday
"""

from utils import cli, plotting
from utils.files import output_folder
from utils.series import backtest, pipeline
from utils.series.datasets import FILES
from utils.series.panel import EMBEDDED, split

import keras
import numpy as np
import pandas as pd
from keras import layers, ops

LAYERS = {"gru": "GRU", "lstm": "LSTM", "simple": "SimpleRNN"}


def parse_args(argv=None):
    parser = cli.Parser(prog="forecast.py", description=__doc__.partition("\n")[0])
    data = parser.add_argument_group("data")
    data.add_argument("--csv", metavar="FILE", help="your own data, a row per series and time step")
    data.add_argument("--column", help="column of the CSV to forecast")
    data.add_argument("--series-column", metavar="COLUMN", help="says whose row it is")
    data.add_argument("--time-column", metavar="COLUMN", help="found by itself where there is one")
    data.add_argument("--known", type=cli.names, default=[], metavar="A,B",
                      help="columns that are known for the steps to come: append rows with them "
                      "and an empty target")  # fmt: skip
    data.add_argument("--features", type=cli.names, default=[], metavar="A,B",
                      help="further columns, of which only the past is known")  # fmt: skip
    data.add_argument("--missing", type=cli.names, default=[], metavar="CODES",
                      help="what else than an empty field stands for missing, as -9999")  # fmt: skip
    data.add_argument("--decimal", default=".", choices=[".", ","], help="mark of the CSV")
    data.add_argument("--dataset", choices=list(FILES), help="public data, downloaded once")
    ahead = parser.add_argument_group("forecast")
    ahead.add_argument("--horizon", type=cli.whole_number(1), metavar="STEPS",
                       help="steps ahead (default: 28 days, 48 hours, 12 months, ...)")  # fmt: skip
    ahead.add_argument("--quantiles", type=pipeline.quantiles, metavar="A,B,...",
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
    network.add_argument("--units", type=cli.whole_number(1), default=128, help="width")
    network.add_argument("--networks", type=cli.whole_number(1), default=1, metavar="N",
                         help="train so many, from different seeds, and take their mean")  # fmt: skip
    network.add_argument("--dropout", type=cli.number_above(0, True, 1), default=0.1)
    network.add_argument("--epochs", type=cli.whole_number(1), default=10, help="at most")
    network.add_argument("--batch-size", type=cli.whole_number(1), default=256, help="windows")
    network.add_argument("--learning-rate", type=cli.number_above(0), default=0.002)
    run = parser.add_argument_group("run")
    run.add_argument("--seed", type=cli.whole_number(0, 2**32 - 1), default=0)
    run.add_argument("--output-dir", default="outputs/forecast", metavar="FOLDER")
    run.add_argument("--show", action="store_true", help="open the picture in a window")
    return pipeline.checked(parser, argv)


def build_network(panel, scaling, linear, args):
    """Return a network from a window to all steps ahead.

    Args:
        panel: the series.
        scaling: whether it works on logarithms, and divides by the window's own deviation.
        linear: ridge regression on the scaled window and what is known, where it starts.
        args: layer, units, dropout, quantiles, segment (steps).

    Returns:
        a network of "past" (batch, input_steps, 1 + features), "known" (batch, input_steps +
        horizon, known), "series" (batch, 1) and "scale" (batch, 1), to (batch, horizon, 1 +
        quantiles): mean and quantiles, in the series' unit.
    """
    steps, horizon, segment = panel.input_steps, panel.horizon, args.segment
    past = keras.Input((steps, 1 + panel.features.shape[1]), name="past")
    known = keras.Input((steps + horizon, panel.known.shape[1]), name="known")
    series = keras.Input((1,), dtype="int32", name="series")
    spread = keras.Input((1,), name="scale")

    # 1. a window's own level and scale are taken out, so that all series look alike
    seen = ops.cast(ops.isfinite(past[..., 0]), "float32")  # (batch, input_steps)
    values = ops.where(seen > 0, past[..., 0], 1.0)
    values = ops.log(ops.maximum(values, 1e-6)) if scaling.log else values
    count = ops.maximum(ops.sum(seen, axis=-1, keepdims=True), 1.0)
    level = ops.sum(seen * values, axis=-1, keepdims=True) / count
    deviation = ops.sqrt(ops.sum(seen * (values - level) ** 2, axis=-1, keepdims=True) / count)
    scale = deviation + 0.01 if scaling.log else spread
    scale = deviation + 0.05 * spread if scaling.by_window and not scaling.log else scale
    normal = seen * (values - level) / scale

    # 2. segments are embedded and read by the recurrent layer
    columns = [normal[..., None], 1 - seen[..., None], past[..., 1:], known[:, :steps]]
    columns = ops.concatenate(columns, axis=-1)
    columns = ops.where(ops.isfinite(columns), columns, 0.0)
    x = ops.reshape(columns, (-1, steps // segment, segment * columns.shape[-1]))
    x = layers.Dense(args.units, activation="relu")(x)
    recurrent = getattr(layers, LAYERS[args.layer])(args.units, return_state=True)
    _, *states = recurrent(x)

    # 3. for each segment to come one further step, all from the same state
    ahead = -(-horizon // segment)
    query = layers.Embedding(ahead, args.units)(ops.arange(ahead)[None] + 0 * series)
    if 1 < len(panel.names) <= EMBEDDED:
        query += layers.Embedding(1 + len(panel.names), args.units, "zeros")(series)
    if panel.known.shape[1]:
        filled = [(0, 0), (0, ahead * segment - horizon), (0, 0)]
        future = ops.pad(known[:, steps:], filled)
        query += layers.Dense(args.units)(ops.reshape(future, (-1, ahead, segment * future.shape[-1])))
    states = [ops.reshape(ops.repeat(s[:, None], ahead, axis=1), (-1, args.units)) for s in states]
    x, *_ = recurrent(ops.reshape(query, (-1, 1, args.units)), initial_state=states)

    # 4. to the linear forecast a correction is added, and the level comes back
    outputs = 1 + len(args.quantiles)
    x = layers.Dropout(args.dropout)(x)
    x = layers.Dense(segment * outputs, kernel_initializer="zeros")(x)
    x = ops.reshape(x, (-1, ahead * segment, outputs))[:, :horizon]
    x += layers.Dense(horizon, name="linear")(backtest.linear_inputs(panel, normal, known))[..., None]
    x = x * scale[..., None] + level[..., None]
    x = ops.concatenate([x[..., :1], ops.sort(x[..., 1:], axis=-1)], axis=-1)
    network = keras.Model([past, known, series, spread], ops.exp(x) if scaling.log else x)
    network.get_layer("linear").set_weights([linear.coef_.T, linear.intercept_])
    return network


def loss_of(quantiles, kind, log):
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
            actual, predicted = ops.log(actual), ops.log(predicted)
        error = actual - predicted
        pinball = ops.maximum(q * error[..., 1:], (q - 1) * error[..., 1:])
        far = ops.abs(weight * error)[..., 0]
        square = ops.where(far < 10, far**2, 20 * far - 100)
        if log:
            d = ops.clip(error[..., 0], -5, 5)
            square = ops.where(far > 0, ops.exp(d) - d - 1, 0.0)
        return of_mean * square + of_quantiles * ops.mean(weight * pinball, axis=-1)

    return loss


def draw(panel, forecast, scored, args):
    """Draw four series and their forecasts; error and coverage by step ahead."""
    figure, axes = plotting.new_figure("AABB;CCDD;EEFF" if scored else "AB;CD", size=(11, 9))
    size = np.array([np.nanmean(panel.values[s:e]) for s, e in zip(panel.start, panel.end)])
    shown = {"largest": int(np.nanargmax(size))}
    if scored:
        order = scored.by_series["mase"].dropna().sort_values()
        ranked = {"best": 0, "median": len(order) // 2, "worst": -1}
        names = {title: panel.names.index(order.index[i]) for title, i in ranked.items()}
        shown = names | shown
    for name, (title, i) in zip("ABCD", shown.items()):
        past = min(panel.end[i] - panel.start[i], 3 * panel.horizon)
        rows = slice(panel.end[i] - past, panel.end[i])
        times = panel.times[i]
        actual = pd.Series(panel.values[rows], times[-panel.horizon - past : -panel.horizon])
        of_series = forecast[forecast["series"] == panel.names[i]].set_index("time")
        axes[name].plot(actual, color=plotting.BLACK, lw=1)
        axes[name].plot(of_series["forecast"], color=plotting.RED)
        lower, upper = of_series.iloc[:, 2], of_series.iloc[:, 2 + len(args.quantiles) - 1 - args.interval]
        axes[name].fill_between(of_series.index, lower, upper, color=plotting.RED, alpha=0.15, lw=0)
        axes[name].set_title(f"{panel.names[i]} ({title})" if len(panel.names) > 1 else "The end")
    return figure


def main(argv=None):
    """Train (or load), score, forecast, draw; return what scores.json holds."""
    args = parse_args(argv)
    folder = output_folder(args.output_dir)
    if args.load:
        network, panel, corrections = pipeline.load(args)
        scored = fits = None
    else:
        data = pipeline.read(args)
        panel = pipeline.plan(data, args)
        parts = split(panel)
        network, linear, fits = pipeline.learn(panel, parts, build_network, loss_of, args)
        scored, corrections = pipeline.score(data, panel, parts, network, linear, args)
        print(pipeline.report(panel, scored, args))
    forecast = pipeline.look_ahead(network, panel, corrections, args)
    scores = None
    if scored:
        facts = pipeline.facts_of(panel, corrections, args)
        scores = pipeline.write(data, panel, network, forecast, facts, scored, fits, args)
    plotting.save(draw(panel, forecast, scored, args), folder / "figure.png", args.show)
    print(f"Picture and files: {folder}")
    return scores


if __name__ == "__main__":
    cli.run(main, "forecast.py")
