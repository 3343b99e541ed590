r"""What will the temperature be in an hour? A gated recurrent unit reads the last 24 hours.

The GRU (Cho et al., 2014) keeps its memory h in the open and guards it with two gates:

    z_t = sigmoid(x_t W_z + h_{t-1} U_z + b_z)              update gate: how much of h stays
    r_t = sigmoid(x_t W_r + h_{t-1} U_r + b_r)              reset gate: how much of h is looked at
    n_t = tanh(x_t W_n + r_t * (h_{t-1} U_n + c_n) + b_n)   the new content
    h_t = z_t * h_{t-1} + (1 - z_t) * n_t

    python GRU.py              # a simulated year of hours: 10 + 15 sin(2 pi h / 24) + noise, in °C
    python GRU.py --csv data/weather_greensboro.csv --column temperature
    python GRU.py --csv data/weather_greensboro.csv --column temperature \
        --features humidity,pressure,dew_point,wind_speed
    python GRU.py --load outputs/GRU/model.keras --csv today.csv --forecast 48
"""

from utils import cli, plotting, training
from utils.files import output_folder
from utils.series import baselines, outputs, temperature
from utils.series.backtest import Backtest
from utils.series.next_step import Recursive, in_order, in_own_unit, shuffled
from utils.series.panel import Panel
from utils.series.table import read_table

import keras
import numpy as np

SEARCH = {  # what tune.py varies: from:to, or choices
    "units": "8:128",
    "layers": "1:2",
    "learning-rate": "0.002:0.03",
    "batch-size": "64/128/256",
    "input-steps": "12:72",
}


def parse_args(argv=None):
    about = "Forecast the next hour of temperature (or your own CSV) from the last 24."
    parser = cli.lesson_parser(
        "GRU", about, input_steps=24, forecast=24, units=32, layers=1, epochs=30, batch_size=256,
        learning_rate=0.01,
    )  # fmt: skip
    return cli.parse(parser, argv)


def read(args, learned=(None,)):
    """Return the series, the target and its features, as a table by time."""
    if not args.csv:
        return {"": temperature.simulated(args.seed).to_frame()}
    table = read_table(**cli.reading(args, learned))
    print(table)
    return table.frames


def build_network(panel, args):
    """Return a network from windows (batch, input_steps, columns) to the next values.

    All are z-scores of the train part. To their right, each row of a window holds the calendar of
    the row after it: the hour of the value to be forecast is known.
    """
    layers, targets = keras.layers, len(panel.columns)
    inputs = keras.Input((panel.input_steps, targets + panel.inputs))
    series = inputs[:, :, :targets]
    last = series[:, -1]  # (batch, targets)
    changes = (series - series[:, -1:]) / panel.change  # how the series got where it is
    x = layers.Concatenate()([inputs, changes])
    for _ in range(args.layers - 1):
        x = layers.GRU(args.units, return_sequences=True)(x)  # (batch, input_steps, units)
    x = layers.GRU(args.units)(x)  # (batch, units)
    x = layers.Dense(64, activation="relu")(x)
    x = layers.Dense(targets, kernel_initializer="zeros")(x)
    return keras.Model(inputs, last + x * panel.change)  # the last value, and what is added


def build_loss(panel):
    """Return the absolute error of the target, and a quarter of the features' mean.

    Each is in units of its column's usual change from row to row.
    """
    features = len(panel.columns) - 1
    weights = np.array([1.0] + [0.25 / max(features, 1)] * features) / panel.change

    def loss(actual, predicted):
        error = keras.ops.abs(actual - predicted)  # (batch, targets)
        return keras.ops.sum(weights.astype("float32") * error, axis=-1)

    return loss


def train(network, panel, args, on_epoch=None):
    """Train on the train part; keep the weights of the epoch that is best in validation."""
    steps = training.steps_per_epoch(len(panel.known_origins("train")), args.batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(args.learning_rate, args.epochs * steps)
    network.compile(
        keras.optimizers.Adam(schedule, use_ema=True, ema_momentum=0.98),  # averages weights
        build_loss(panel),
        steps_per_execution=training.STEPS_PER_CALL,
        jit_compile=False,  # compiling takes longer than it saves
    )
    batches, val = shuffled(panel, args.batch_size, args.seed), in_order(panel)
    return training.fit(network, batches, val, steps=steps, epochs=args.epochs, on_epoch=on_epoch)


def draw(panel, forecast, found=None, fit=None):
    """Draw the last week and the forecast; below, the errors by hour, by steps ahead, by epoch."""
    figure, axes = plotting.plt.subplot_mosaic("AAA;BCD" if found else "A", figsize=(12, 6.5))
    last = panel.series().iloc[-168:]
    if not found:
        plotting.draw_forecast(axes["A"], last, forecast)
        return figure
    test = found.one_step()
    plotting.draw_forecast(axes["A"], last, forecast, test["GRU"].iloc[-168:])
    plotting.draw_errors(axes["B"], test, "GRU")
    plotting.draw_by_steps(axes["C"], found.scores["test"], "GRU")
    plotting.draw_history(axes["D"], fit.history, fit.best_epoch)
    return figure


def main(argv=None, on_epoch=None):
    """Train (or load), score, forecast, draw; return what scores.json holds.

    With `on_epoch`, a function of the lowest validation loss so far, the run ends with the
    training: it is a trial of tune.py.
    """
    args = parse_args(argv)
    if args.load:
        return print(outputs.go_on("GRU.py", args, read, draw))
    panel = Panel(read(args), args.input_steps, args.forecast)
    panel.check()
    folder = output_folder(args.output_dir)
    keras.utils.set_random_seed(args.seed)
    network = build_network(panel, args)
    print(panel, f"{network.count_params():,} weights to learn.")
    fit = train(network, panel, args, on_epoch)
    if on_epoch:
        return None
    print(fit)

    model = in_own_unit(network, panel)  # takes and returns °C
    rivals = baselines.simple(panel) | {"linear": baselines.Linear(panel), "GRU": Recursive(model)}
    if not args.csv:
        rivals["optimal"] = lambda panel, origins: temperature.optimal(
            panel.windows(origins), panel.horizon
        )
    found = Backtest(rivals, panel, "GRU", steps=1)
    print(found)

    facts = outputs.facts_of("GRU.py", args, found)
    forecast = outputs.ahead(panel, rivals["GRU"], facts)
    scores = outputs.scores_of("GRU.py", args, found, fit.seconds)
    tables = {"backtest.csv": found.table(), "history.csv": fit.history}
    figure = draw(panel, forecast, found, fit)
    print(outputs.write(folder, args.show, figure, forecast, tables, scores, model, facts))
    if fit.interrupted:
        raise KeyboardInterrupt
    return scores


if __name__ == "__main__":
    cli.run(main, "GRU.py")
