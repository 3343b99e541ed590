r"""How does a sine go on? A plain recurrent network reads 30 noisy points and forecasts, in red.

The simple recurrent network (Elman, 1990) has one hidden layer, which also sees its own past:

    h_t = tanh(x_t W + h_{t-1} U + b)

    python SimpleRNN.py                    # y_t = sin(0.1 t) + N(0, 0.1), most of a period forecast
    python SimpleRNN.py --load outputs/SimpleRNN/model.keras --forecast 1000
    python SimpleRNN.py --jumps 0.02       # the phase jumps: no weighted sum can follow
    python SimpleRNN.py --csv data/weather_greensboro.csv --column temperature --forecast 100
"""

from utils import cli, plotting, training
from utils.files import output_folder
from utils.series import baselines, outputs, sine
from utils.series.backtest import Backtest
from utils.series.next_step import Recursive, in_order, in_own_unit, shuffled
from utils.series.panel import Panel
from utils.series.table import read_table

import keras
import numpy as np

STEPS = 4000
PERIOD = 63  # steps of one period of sin(0.1 t)

SEARCH = {  # what tune.py varies: from:to, or choices
    "units": "8:128",
    "layers": "1:2",
    "learning-rate": "0.001:0.02",
    "batch-size": "32/64/128",
    "input-steps": "15:90",
}


def parse_args(argv=None):
    about = "Forecast a noisy sine (or your own CSV) from its last 30 values."
    parser = cli.lesson_parser(
        "SimpleRNN", about, input_steps=30, forecast=60, units=32, layers=1, epochs=30,
        batch_size=128, learning_rate=0.008,
    )  # fmt: skip
    parser.add_argument(
        "--jumps",
        type=cli.number_above(0, inclusive=True, below=0.5),
        default=0.0,
        help="how often, per step, the simulated sine's phase is drawn anew",
    )
    return cli.parse(parser, argv)


def read(args, learned=(None,)):
    """Return the series, the target and its features, as a table by time."""
    if not args.csv:
        return {"": sine.simulated(STEPS, args.seed, jumps=args.jumps).to_frame()}
    table = read_table(**cli.reading(args, learned))
    print(table)
    return table.frames


def build_network(panel, args):
    """Return a network from windows (batch, input_steps, columns) to the next values.

    All are z-scores of the train part. To their right, each row of a window holds the calendar of
    the row after it, where the series has times.
    """
    layers, targets = keras.layers, len(panel.columns)
    inputs = keras.Input((panel.input_steps, targets + panel.inputs))
    x = layers.GaussianNoise(0.2)(inputs)  # so that it can't learn the noise by heart
    for _ in range(args.layers - 1):
        x = layers.SimpleRNN(args.units, return_sequences=True)(x)  # (batch, input_steps, units)
    x = layers.SimpleRNN(args.units)(x)  # (batch, units)
    return keras.Model(inputs, layers.Dense(targets)(x))


def train(network, panel, args, on_epoch=None):
    """Train on the train part; keep the weights of the epoch that is best in validation."""
    steps = training.steps_per_epoch(len(panel.known_origins("train")), args.batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(args.learning_rate, args.epochs * steps)
    network.compile(
        keras.optimizers.Adam(schedule, use_ema=True, ema_momentum=0.98),  # averages weights
        loss="mean_squared_error",
        steps_per_execution=training.STEPS_PER_CALL,
        jit_compile=False,  # compiling takes longer than it saves
    )
    batches, val = shuffled(panel, args.batch_size, args.seed), in_order(panel)
    return training.fit(network, batches, val, steps=steps, epochs=args.epochs, on_epoch=on_epoch)


def draw(args, panel, forecast, found=None, fit=None):
    """Draw the last points and the forecast; below, the errors by steps ahead and by epoch."""
    figure, axes = plotting.plt.subplot_mosaic("AAA;BCD" if found else "A", figsize=(12, 6.5))
    last = panel.series().iloc[-120:]
    if not args.csv and not args.jumps:
        t = np.arange(last.index[0], forecast.index[-1] + 1)
        clean = sine.clean(t[-1] + 1)[t]
        axes["A"].plot(t, clean, color=plotting.GREY, lw=0.8, label="clean sine")
    if not found:
        plotting.draw_forecast(axes["A"], last, forecast)
        return figure
    test = found.one_step()
    plotting.draw_forecast(axes["A"], last, forecast, test["SimpleRNN"].iloc[-120:])
    plotting.draw_errors(axes["B"], test, "SimpleRNN")
    plotting.draw_by_steps(axes["C"], found.scores["test"], "SimpleRNN")
    plotting.draw_history(axes["D"], fit.history, fit.best_epoch)
    return figure


def main(argv=None, on_epoch=None):
    """Train (or load), score, forecast, draw; return what scores.json holds.

    With `on_epoch`, a function of the lowest validation loss so far, the run ends with the
    training: it is a trial of tune.py.
    """
    args = parse_args(argv)
    if args.load:
        return print(outputs.go_on("SimpleRNN.py", args, read, lambda *of: draw(args, *of)))
    series, season = read(args), None if args.csv else PERIOD
    panel = Panel(series, args.input_steps, args.forecast, season=season)
    panel.check()
    folder = output_folder(args.output_dir)
    keras.utils.set_random_seed(args.seed)
    network = build_network(panel, args)
    print(panel, f"{network.count_params():,} weights to learn.")
    fit = train(network, panel, args, on_epoch)
    if on_epoch:
        return None
    print(fit)

    model = in_own_unit(network, panel)  # takes and returns the series' own unit
    rivals = baselines.simple(panel) | {"linear": baselines.Linear(panel)}
    rivals["SimpleRNN"] = Recursive(model)
    if not args.csv:
        rivals["optimal"] = lambda panel, origins: sine.optimal(
            panel.windows(origins), panel.horizon, jumps=args.jumps
        )
    found = Backtest(rivals, panel, "SimpleRNN", steps=1)
    print(found)

    facts = outputs.facts_of("SimpleRNN.py", args, found)
    forecast = outputs.ahead(panel, rivals["SimpleRNN"], facts)
    scores = outputs.scores_of("SimpleRNN.py", args, found, fit.seconds)
    tables = {"backtest.csv": found.table(), "history.csv": fit.history}
    figure = draw(args, panel, forecast, found, fit)
    print(outputs.write(folder, args.show, figure, forecast, tables, scores, model, facts))
    if fit.interrupted:
        raise KeyboardInterrupt
    return scores


if __name__ == "__main__":
    cli.run(main, "SimpleRNN.py")
