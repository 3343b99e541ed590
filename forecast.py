r"""How do many series go on, for many steps? One network forecasts all of them at once.

A network that feeds on its own forecasts (GRU.py --forecast 48) piles error on error: from about a
day on, repeating yesterday is better. So here nothing is fed back (SegRNN, Lin et al., 2023):

    window, less its own level, over its own scale -> segments, such as weeks of days
    state = recurrent layer over the embedded segments
    for each segment to come, from that same state, one further step of the same layer, told by a
    position which segment it is and what is known of it -> all its values, and their quantiles

It starts as a linear head per step (ridge regression) and learns what that can't do. On the
simulated shops (seed 0) its MAE is 26.85: linear heads 27.06, boosting 28.41, the optimum 25.83.

    python forecast.py                     # simulated: 100 shops, three years of days, promotions
    python forecast.py --csv data/weather_greensboro.csv --column temperature --horizon 48
    python forecast.py --csv sales.csv --column sales --series-column shop --known promotion,holiday
    python forecast.py --dataset m4_hourly
    python forecast.py --load outputs/forecast/model.keras --csv today.csv --column sales \
        --series-column shop --known promotion,holiday
"""

from utils import cli, many, plotting
from utils.series import backtest
from utils.series.datasets import FILES

import keras
import numpy as np
import pandas as pd

APART = 20  # series at most that the network tells apart by name
LAYERS = {"gru": "GRU", "lstm": "LSTM", "simple": "SimpleRNN"}

SEARCH = {  # what tune.py varies: from:to, or choices
    "units": "32:256",
    "layer": "gru/lstm",
    "learning-rate": "0.0003:0.01",
    "batch-size": "64/128/256/512",
    "dropout": "0:0.4",
}


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
                      help="what stands for missing besides an empty field")  # fmt: skip
    data.add_argument("--decimal", default=".", choices=[".", ","], help="mark of the CSV")
    data.add_argument("--dataset", choices=list(FILES), help="public data, downloaded once")
    ahead = parser.add_argument_group("forecast")
    ahead.add_argument("--horizon", type=cli.whole_number(1), metavar="STEPS",
                       help="steps ahead (default: 28 days, 48 hours, 12 months, ...)")  # fmt: skip
    ahead.add_argument("--quantiles", type=many.quantiles, metavar="A,B,...",
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
                         help="train so many from different seeds; take their mean")  # fmt: skip
    network.add_argument("--start", choices=["linear", "last"], default="linear",
                         help="what it corrects: ridge or the last value")  # fmt: skip
    network.add_argument("--dropout", type=cli.number_above(0, True, 1), default=0.1)
    network.add_argument("--epochs", type=cli.whole_number(1), default=10, help="at most")
    network.add_argument("--batch-size", type=cli.whole_number(1), default=256, help="windows")
    network.add_argument("--learning-rate", type=cli.number_above(0), default=0.002)
    run = parser.add_argument_group("run")
    run.add_argument("--seed", type=cli.whole_number(0, 2**32 - 1), default=0)
    run.add_argument("--resume", action="store_true",
                     help="go on where a run with the same flags was killed")  # fmt: skip
    run.add_argument("--output-dir", default="outputs/forecast", metavar="FOLDER")
    run.add_argument("--show", action="store_true", help="open the picture in a window")
    return many.check(parser, parser.parse_args(argv))


def build_network(panel, linear, args):
    """Return a network from a window to all steps ahead.

    Args:
        panel: the series.
        linear: `utils.series.backtest.Linear`, where it starts.
        args: layer, units, dropout, quantiles, segment (steps).

    Returns:
        a network of "past" (batch, input_steps, 1 + features), "known" (batch, input_steps +
        horizon, known), "series" (batch, 1) and "scale" (batch, 1), to (batch, horizon, 1 +
        quantiles): mean and quantiles, in the series' unit.
    """
    layers, ops, scaling = keras.layers, keras.ops, linear.scaling
    steps, horizon, segment = panel.input_steps, panel.horizon, args.segment
    past = keras.Input((steps, 1 + panel.features.shape[1]), name="past")
    known = keras.Input((steps + horizon, panel.inputs), name="known")
    series = keras.Input((1,), dtype="int32", name="series")
    spread = keras.Input((1,), name="scale")

    # 1. a window's own level and scale are taken out, so that all series look alike
    seen = ops.cast(ops.isfinite(past[..., 0]), "float32")  # (batch, input_steps)
    values = ops.where(seen > 0, past[..., 0], 1.0)
    values = ops.log(ops.maximum(values, 1e-6)) if scaling.log else values
    count = ops.maximum(ops.sum(seen, axis=-1, keepdims=True), 1.0)
    mean = ops.sum(seen * values, axis=-1, keepdims=True) / count
    deviation = ops.sqrt(ops.sum(seen * (values - mean) ** 2, axis=-1, keepdims=True) / count)
    last = ops.argmax(seen * np.arange(1.0, steps + 1), axis=-1, keepdims=True)
    level = mean if args.start == "linear" else ops.take_along_axis(values, last, axis=-1)
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
    if 1 < len(panel.names) <= APART:
        query += layers.Embedding(1 + len(panel.names), args.units, "zeros")(series)
    if panel.inputs:
        filled = [(0, 0), (0, ahead * segment - horizon), (0, 0)]
        future = ops.pad(known[:, steps:], filled)
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
        x = start(backtest.linear_inputs(panel, scaling, normal, known, level))[..., None] + x
        start.set_weights([linear.kernel, linear.bias])
    x = level[..., None] + scale[..., None] * x
    m = 1 + args.quantiles.index(0.5)  # around the median, quantiles are put in order
    middle = x[..., m : m + 1]
    lower = ops.minimum(ops.sort(x[..., 1:m], axis=-1), middle)
    upper = ops.maximum(ops.sort(x[..., m + 1 :], axis=-1), middle)
    x = ops.concatenate([x[..., :1], lower, middle, upper], axis=-1)
    return keras.Model([past, known, series, spread], ops.exp(x) if scaling.log else x)


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


def draw(panel, forecast, scored):
    """Draw four series and what comes; below, error and coverage by the number of steps ahead."""
    single = len(panel.names) == 1
    rows = (["AA"] if single else ["AB", "CD"]) + ["EF"] * bool(scored)
    figure, axes = plotting.new_figure(";".join(rows), size=(11, 2.9 * len(rows)))
    series = many.shown(panel, scored).items()
    for name, (title, number) in zip("A" if single else "ABCD", series, strict=False):
        past = max(2 * panel.horizon, 8 * panel.season)
        past = min(past, panel.end[number] - panel.start[number])
        values = panel.values[panel.end[number] - past : panel.end[number]]
        times = panel.times[number][: -panel.horizon][-past:]
        ahead = forecast[forecast["series"] == panel.names[number]].set_index("time").iloc[:, 1:]
        bounds = ahead.drop(columns=["forecast", "mean"], errors="ignore").iloc[:, [0, -1]]
        ahead = ahead[["forecast"]].assign(lower=bounds.iloc[:, 0], upper=bounds.iloc[:, 1])
        plotting.draw_forecast(axes[name], pd.Series(values, times), ahead)
        axes[name].get_legend().set_visible(name == "A")
        axes[name].set_ylabel("" if single else f"{panel.names[number]} ({title})")
    if not scored:
        return figure

    steps = np.arange(1, panel.horizon + 1)
    layer, colours = scored.results["layer"], {"persistence": plotting.GREY}
    colours |= {"seasonal_naive": plotting.PURPLE, "linear": plotting.ORANGE}
    colours |= {"boosting": plotting.SKY, "optimal": plotting.GREEN, layer: plotting.BLUE}
    for name, colour in colours.items():
        if name in scored.results["test"]:
            errors = scored.results["test"][name]["by_step"]
            axes["E"].plot(steps, errors, color=colour, label=name.replace("_", " "))
    axes["E"].set(ylabel="MAE", xlabel="steps ahead", ylim=(0, None))
    axes["E"].legend(loc="lower left", ncols=3, bbox_to_anchor=(0, 1))
    for level, coverage in scored.results["coverage"].items():
        axes["F"].plot(steps, coverage["by_step"], color=plotting.BLUE)
        axes["F"].axhline(float(level), color=plotting.BLACK, lw=0.8, ls=":")
    axes["F"].set(title="How often the interval held", xlabel="steps ahead", ylim=(0.5, 1.0))
    return figure


def prepare(args):
    """Read or simulate the series."""
    return many.prepare(args)


def learn(data, args, on_epoch=None):
    """Train, or take the loaded network."""
    return many.learn(build_network, build_loss, data, args, on_epoch)


def main(argv=None):
    """Train (or load), score, forecast, draw; return what scores.json holds."""
    args = parse_args(argv)
    data = prepare(args)
    run = learn(data, args)
    run, scored = many.score(run, data, args)
    return many.finish(run, data, scored, draw, args)


if __name__ == "__main__":
    cli.run(main, "forecast.py")
