r"""Where may the price go? A long short-term memory reads 20 days, and the lesson tells the truth.

The LSTM (Hochreiter & Schmidhuber, 1997; forget gate: Gers et al., 2000) keeps a memory c that
three gates guard:

    i_t = sigmoid(x_t W_i + h_{t-1} U_i + b_i)     input gate: may the new be written?
    f_t = sigmoid(x_t W_f + h_{t-1} U_f + b_f)     forget gate: is the old kept?
    o_t = sigmoid(x_t W_o + h_{t-1} U_o + b_o)     output gate: may the memory be read?
    c_t = f_t * c_{t-1} + i_t * tanh(x_t W_c + h_{t-1} U_c + b_c)
    h_t = o_t * tanh(c_t)

    python LSTM.py                         # a random walk, whose law is known: nothing to learn
    python LSTM.py --csv data/stock_goog.csv --column close
    python LSTM.py --load outputs/LSTM/model.keras --csv data/stock_goog.csv
"""

from utils import InputError, cli, plotting, training
from utils.files import output_folder
from utils.series import baselines, outputs, random_walk
from utils.series.backtest import Backtest
from utils.series.next_step import Recursive, in_order, in_own_unit, shuffled
from utils.series.panel import Panel
from utils.series.table import read_table

import keras
import numpy as np

DAYS = 1500
LEVELS = (0.95, 0.9, 0.8, 0.5)  # of the intervals

SEARCH = {  # what tune.py varies: from:to, or choices
    "units": "8:128",
    "layers": "1:2",
    "learning-rate": "0.0003:0.01",
    "batch-size": "32/64/128",
    "input-steps": "10:60",
}


def parse_args(argv=None):
    about = "Forecast tomorrow's price from the last 20 days, and see why that is hard."
    parser = cli.lesson_parser(
        "LSTM", about, input_steps=20, forecast=20, units=32, layers=1, epochs=15, batch_size=64,
        learning_rate=0.001,
    )  # fmt: skip
    walk = parser.add_argument_group("the simulated price (without --csv): its daily log-returns")
    small, positive = cli.number_above(-0.1, below=0.1), cli.number_above(0, below=0.5)
    walk.add_argument("--drift", type=small, default=0.0003, help="their mean")
    walk.add_argument("--volatility", type=positive, default=0.015, help="their deviation")
    args = cli.parse(parser, argv)
    if args.input_steps < 2:
        parser.error("--input-steps must be at least 2: a return is of two prices")
    return args


def read(args, learned=(None,)):
    """Return the prices, the target and its features, as a table by time."""
    if not args.csv:
        return {"": random_walk.simulated(DAYS, args.seed, args.drift, args.volatility).to_frame()}
    table = read_table(**cli.reading(args, learned))
    print(table)
    (frame,) = table.frames.values()
    for name in frame:
        if (low := frame[name].min()) <= 0:
            raise InputError(
                f"{args.csv}: column {name!r} goes down to {low:g}, and prices are above zero; "
                "take another column, or GRU.py"
            )
    return table.frames


def build_network(panel, args):
    """Return a network from windows (batch, input_steps, columns) to the next values.

    All are z-scores of logarithms. A price has no scale of its own, its log-return has one at all
    times: ln(price_t / price_{t-1}), the change of the logarithm.
    """
    layers, targets = keras.layers, len(panel.columns)
    inputs = keras.Input((panel.input_steps, targets + panel.inputs))
    logs = inputs[:, :, :targets]
    x = (logs[:, 1:] - logs[:, :-1]) / panel.change  # (batch, input_steps - 1, targets) returns
    for _ in range(args.layers - 1):
        x = layers.LSTM(args.units, return_sequences=True)(x)
    x = layers.LSTM(args.units)(x)  # (batch, units)
    x = layers.Dense(targets, kernel_initializer="zeros")(x)
    return keras.Model(inputs, logs[:, -1] + x * panel.change)  # the last price, and a return


def r_squared(actual, forecast):
    """Return the share of the variance that a forecast explains; below 0, the mean is better."""
    return 1 - np.mean((actual - forecast) ** 2) / np.var(actual)


def log_returns(panel, forecaster, part):
    """Return the log-returns of a part in percent, (windows,): the actual and the forecast ones."""
    origins = panel.known_origins(part)
    last = np.log(panel.filled[origins - 1, 0])
    actual, forecast = panel.values[origins, 0], forecaster(panel, origins, 1)[:, 0]
    return 100 * (np.log(actual) - last), 100 * (np.log(forecast) - last)


def truth(found, returns):
    """Say what the beautiful overlay is worth.

    Args:
        found: the backtest.
        returns: by part: `log_returns`.
    """
    test = found.one_step().dropna()
    prices = {name: r_squared(test["actual"], test[name]) for name in ("LSTM", "persistence")}
    by_part = {part: r_squared(*both) for part, both in returns.items()}
    learned = (
        "More than nothing: the LSTM found something that lasts."
        if by_part["test"] > 0 and found.scores["p_value"] < 0.05
        else "What it learned of the past explains nothing of what came after."
    )
    return (
        f"It looks perfect, with an R² of {prices['LSTM']:.4f} in the test part, and so does the "
        f"last price again: {prices['persistence']:.4f}.\nAs returns, the LSTM's R² is "
        f"{by_part['train']:+.4f} in the train part, {by_part['val']:+.4f} in validation, "
        f"{by_part['test']:+.4f} in the test part. {learned}"
    )


def train(network, panel, args, on_epoch=None):
    """Train on the train part, for all epochs."""
    steps = training.steps_per_epoch(len(panel.known_origins("train")), args.batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(args.learning_rate, args.epochs * steps)
    network.compile(
        keras.optimizers.Adam(schedule, use_ema=True, ema_momentum=0.98),  # averages weights
        loss="mean_squared_error",
        steps_per_execution=training.STEPS_PER_CALL,
        jit_compile=False,  # compiling takes longer than it saves
    )
    batches, val = shuffled(panel, args.batch_size, args.seed), in_order(panel)
    return training.fit(
        network, batches, val, steps=steps, epochs=args.epochs, on_epoch=on_epoch,
        stop_early=False,  # that would hide what a network learns of chance
    )  # fmt: skip


def draw(panel, forecast, found=None, returns=None):
    """Draw the overlay that looks perfect, the same forecasts as returns, errors, and the fan."""
    figure, axes = plotting.plt.subplot_mosaic("ABD;CCC" if found else "C", figsize=(12, 7))
    plotting.draw_forecast(axes["C"], panel.series().iloc[-120:], forecast)
    if not found:
        return figure

    test = found.one_step()
    axes["A"].plot(test["actual"], color=plotting.BLACK, label="actual")
    axes["A"].plot(test["LSTM"], color=plotting.BLUE, lw=1, label="LSTM, one step ahead")
    r2 = r_squared(*test[["actual", "LSTM"]].dropna().to_numpy().T)
    axes["A"].set(title=f"It looks perfect: R² {r2:.3f}", ylabel=panel.columns[0])
    axes["A"].legend(loc="best")
    colours = {"train": plotting.GREY, "val": plotting.SKY, "test": plotting.BLUE}
    for part, colour in colours.items():
        label = f"{part}: R² {r_squared(*returns[part]):.3f}"
        axes["B"].scatter(*returns[part], s=6, color=colour, label=label)
    axes["B"].axline((0, 0), slope=1, color=plotting.BLACK, lw=1)
    axes["B"].set(title="The same as returns", ylim=axes["B"].get_xlim())
    axes["B"].set(xlabel="actual return (%)", ylabel="forecast return (%)")
    axes["B"].legend(loc="upper left")
    plotting.draw_by_steps(axes["D"], found.scores["test"], "LSTM")
    return figure


def main(argv=None, on_epoch=None):
    """Train (or load), score, forecast, draw; return what scores.json holds.

    With `on_epoch`, a function of the lowest validation loss so far, the run ends with the
    training: it is a trial of tune.py.
    """
    args = parse_args(argv)
    if args.load:
        return print(outputs.go_on("LSTM.py", args, read, draw))
    prices = read(args)
    panel = Panel(prices, args.input_steps, args.forecast, calendar_names=[], log=True)
    panel.check()
    folder = output_folder(args.output_dir)
    keras.utils.set_random_seed(args.seed)
    network = build_network(panel, args)
    print(panel, f"{network.count_params():,} weights to learn.")
    fit = train(network, panel, args, on_epoch)
    if on_epoch:
        return None
    print(fit)

    model = in_own_unit(network, panel)  # takes and returns prices
    rivals = baselines.simple(panel) | {"linear": baselines.Linear(panel), "LSTM": Recursive(model)}
    if not args.csv:
        rivals["optimal"] = lambda panel, origins: random_walk.optimal(
            panel.windows(origins), panel.horizon, args.drift, args.volatility
        )
    found = Backtest(rivals, panel, "LSTM", steps=1, levels=LEVELS, log=True)
    returns = {part: log_returns(panel, rivals["LSTM"], part) for part in ("train", "val", "test")}
    print(found, truth(found, returns), sep="\n")

    facts = outputs.facts_of("LSTM.py", args, found)
    forecast = outputs.ahead(panel, rivals["LSTM"], facts)
    scores = outputs.scores_of("LSTM.py", args, found, fit.seconds)
    tables = {"backtest.csv": found.table(), "history.csv": fit.history}
    figure = draw(panel, forecast, found, returns)
    print(outputs.write(folder, args.show, figure, forecast, tables, scores, model, facts))
    if fit.interrupted:
        raise KeyboardInterrupt
    return scores


if __name__ == "__main__":
    cli.run(main, "LSTM.py")
