r"""Where may the price go? A long short-term memory reads 20 days, and the lesson tells the truth.

The LSTM (Hochreiter & Schmidhuber, 1997; forget gate: Gers et al., 2000) keeps a memory c that
three gates guard:

    i_t = sigmoid(x_t W_i + h_{t-1} U_i + b_i)     input gate: may the new be written?
    f_t = sigmoid(x_t W_f + h_{t-1} U_f + b_f)     forget gate: is the old kept?
    o_t = sigmoid(x_t W_o + h_{t-1} U_o + b_o)     output gate: may the memory be read?
    c_t = f_t * c_{t-1} + i_t * tanh(x_t W_c + h_{t-1} U_c + b_c)
    h_t = o_t * tanh(c_t)

    python LSTM.py                         # a random walk, whose law is known: nothing to learn
    python LSTM.py --drift 0.001 --volatility 0.01
    python LSTM.py --csv data/stock_goog.csv --column close
    python LSTM.py --load outputs/LSTM/model.keras --csv data/stock_goog.csv --column close

One step ahead on the test part, mean of seeds 0 to 4 (benchmarks/scores.py):

    random walk     RMSE 0.1 % below that of yesterday's price, 0.1 % below the best possible: luck
    Google          RMSE 0.6 % above that of yesterday's price
"""

from utils import cli, plotting, training
from utils.files import output_folder, write_csv
from utils.series import forecasting, index, synthetic
from utils.series.csv_file import load_csv
from utils.series.evaluation import evaluate, report
from utils.series.forecasting import Forecaster, Spread, past_the_end
from utils.series.windows import split_by_time, train_part

import keras
import numpy as np
import pandas as pd
from keras import layers, ops

DAYS = 1500
FAN = (0.95, 0.8, 0.5)  # levels of the intervals in the picture
DECAY = 0.94  # of the volatility's memory; RiskMetrics' value for daily prices


def parse_args(argv=None):
    parser = cli.forecasting_parser(
        "LSTM",
        "Forecast tomorrow's price from the last 20 days, and see why that is hard.",
        input_steps=20,
        forecast=60,
        units=32,
        layers=1,
        epochs=30,
        batch_size=64,
        learning_rate=0.001,
    )
    walk = parser.add_argument_group("the simulated price (without --csv)")
    walk.add_argument(
        "--drift",
        type=cli.number_above(-0.1, below=0.1),
        default=0.0003,
        help="mean log-return per day",
    )
    walk.add_argument(
        "--volatility",
        type=cli.number_above(0, below=0.5),
        default=0.015,
        help="standard deviation of the log-return per day",
    )
    return cli.parse_forecasting(parser, argv)


def build_network(train, input_steps, units, depth):
    """Return a network (batch, input_steps, prices) -> (batch, prices).

    Inside, it reads and predicts log-returns, ln(price_t / price_{t-1}), which have one scale at
    all times; a price has none. It starts as a random walk with drift: its output layer is zero.
    """
    returns = np.diff(np.log(train), axis=0)
    mean, variance = returns.mean(axis=0), returns.var(axis=0)
    prices = keras.Input((input_steps, train.shape[1]))
    logs = ops.log(prices)
    x = layers.Normalization(mean=mean, variance=variance)(logs[:, 1:] - logs[:, :-1])
    for _ in range(depth - 1):
        x = layers.LSTM(units, return_sequences=True)(x)
    x = layers.LSTM(units)(x)
    x = layers.Dense(train.shape[1], kernel_initializer="zeros")(x)
    next_return = layers.Normalization(mean=mean, variance=variance, invert=True)(x)
    return keras.Model(prices, prices[:, -1] * ops.exp(next_return))


def loss_of_returns(train):
    """Return the squared error of the log-return, in units of each column's variance."""
    variance = np.diff(np.log(train), axis=0).var(axis=0).astype("float32")

    def loss(actual, predicted):
        return ops.mean(ops.square(ops.log(actual) - ops.log(predicted)) / variance, axis=-1)

    return loss


def r_squared(actual, forecast):
    """Return the share of the variance that a forecast explains."""
    return 1 - np.sum((actual - forecast) ** 2) / np.sum((actual - actual.mean()) ** 2)


def log_returns(test, name):
    """Return the log-returns from yesterday's price to a column of the test table."""
    return np.log(test[name] / test["persistence"])


def truth(test):
    """Say what the beautiful overlay is worth."""
    names = ("predicted", "persistence")
    r2 = {name: r_squared(test["actual"], test[name]) for name in names}
    rmse = {name: np.sqrt(np.mean((test["actual"] - test[name]) ** 2)) for name in names}
    r2_of_returns = r_squared(log_returns(test, "actual"), log_returns(test, "predicted"))
    excess = rmse["predicted"] / rmse["persistence"] - 1
    if excess < -0.01:
        moral = "These prices are no random walk without drift"
    else:
        moral = "On a random walk nothing beats the last price, and here is how close the LSTM came"
    return (
        f"R² of the prices: LSTM {r2['predicted']:.4f}, yesterday's price "
        f"{r2['persistence']:.4f}; of the returns: LSTM {r2_of_returns:.4f}.\n"
        f"{moral}: its RMSE is {abs(excess):.2%} {'above' if excess > 0 else 'below'} that of "
        "yesterday's price."
    )


def draw(frame, forecast, futures, test):
    """Draw the overlay that looks perfect, the same forecasts as returns, and the fan."""
    figure, axes = plotting.new_figure("AB;CC" if test is not None else "C", size=(11, 7))
    last = frame.iloc[-120:, 0]
    axes["C"].plot(last, color=plotting.BLACK, label="actual")
    for level in FAN:
        bounds = pd.DataFrame(forecasting.interval(futures, level), columns=forecast.index).T
        fan = plotting.from_last(last, bounds)
        axes["C"].fill_between(fan.index, fan[0], fan[1], color=plotting.RED, alpha=0.2, lw=0)
        if len(forecast) > 1:
            axes["C"].text(fan.index[-1], fan[1].iloc[-1], f" {level:.0%}", va="center")
    line = plotting.from_last(last, forecast)["forecast"]
    axes["C"].plot(line, color=plotting.RED, label="forecast")
    axes["C"].set(title="Where the price may go, with intervals", ylabel="price")
    axes["C"].legend(loc="lower right", ncols=2, bbox_to_anchor=(1, 1))
    if test is None:
        return figure

    axes["A"].plot(test["actual"], color=plotting.BLACK, label="actual")
    axes["A"].plot(test["predicted"], color=plotting.BLUE, lw=1, label="LSTM, one day ahead")
    score = r_squared(test["actual"], test["predicted"])
    axes["A"].set(title=f"It looks perfect: R² of the prices {score:.3f}", ylabel="price")
    axes["A"].legend(loc="best")

    actual, predicted = 100 * log_returns(test, "actual"), 100 * log_returns(test, "predicted")
    axes["B"].scatter(actual, predicted, s=8, color=plotting.BLUE)
    axes["B"].axline((0, 0), slope=1, color=plotting.GREY, lw=1)
    score = r_squared(actual, predicted)
    axes["B"].set(
        title=f"The same forecasts as returns: R² {score:.3f}",
        xlabel="actual return (%)",
        ylabel="predicted return (%)",
        ylim=axes["B"].get_xlim(),
    )
    return figure


def main(argv=None):
    """Train (or load), score, forecast, draw; return what scores.json holds."""
    args = parse_args(argv)
    folder = output_folder(args.output_dir)
    keras.utils.set_random_seed(args.seed)
    if args.csv:
        columns = args.column, args.features, args.time_column
        frame = load_csv(args.csv, *columns, args.fill, positive=True)
    else:
        frame = synthetic.random_walk_prices(
            DAYS, args.seed, args.drift, args.volatility
        ).to_frame()

    test = fit = scores = None
    if args.load:
        forecaster = Forecaster.load(args.load, "LSTM.py", frame)
    else:
        values = frame.to_numpy()  # (time, columns)
        parts = split_by_time(len(frame), args.input_steps, frame.attrs.get("filled", ()))
        train = train_part(values, parts, frame)
        network = build_network(train, args.input_steps, args.units, args.layers)
        fit = training.fit(
            network,
            loss_of_returns(train),
            values,
            parts,
            epochs=args.epochs,
            batch_size=args.batch_size,
            learning_rate=args.learning_rate,
            seed=args.seed,
        )
        spread = Spread.measured(network, values, parts.val, DECAY, relative=True)
        forecaster = Forecaster(network, list(frame), [], index.step(frame.index), spread)

        def optimal(windows):
            return synthetic.optimal_price(windows[:, -1], args.drift, args.volatility)

        season = args.season or index.season(frame.index)
        test, results = evaluate(
            "LSTM", forecaster, frame, parts, season, None if args.csv else optimal
        )
        print(report("LSTM", results), truth(test), sep="\n")
        scores = cli.save_run("LSTM", args, forecaster, fit, test, results)

    forecast, futures = past_the_end(forecaster, frame, args.forecast, args.seed)
    print(f"{args.forecast} steps past the end, with a 90 % interval:")
    print(forecast.to_string(max_rows=8))
    write_csv(forecast, folder / "forecast.csv")
    plotting.save(draw(frame, forecast, futures, test), folder / "figure.png", args.show)
    print(f"Picture and files: {folder}")
    if fit and fit.interrupted:
        raise KeyboardInterrupt
    return scores


if __name__ == "__main__":
    cli.run(main, "LSTM.py")
