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
    python LSTM.py --load outputs/LSTM/model.keras --csv data/stock_goog.csv
"""

from functools import partial

from utils import cli, lesson, plotting
from utils.series import synthetic

import keras
import numpy as np
import pandas as pd

DAYS = 1500
FAN = (0.95, 0.8, 0.5)  # levels of the intervals in the picture


SEARCH = {  # what tune.py varies: from:to, or choices
    "units": "8:128",
    "layers": "1:2",
    "learning-rate": "0.0003:0.01",
    "batch-size": "32/64/128",
    "input-steps": "10:60",
}


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
        "--drift", type=cli.number_above(-0.1, below=0.1), default=0.0003,
        help="mean log-return per day",
    )  # fmt: skip
    walk.add_argument(
        "--volatility", type=cli.number_above(0, below=0.5), default=0.015,
        help="standard deviation of the log-return per day",
    )  # fmt: skip
    return cli.parse_forecasting(parser, argv)


def build_network(train, start, data, args):
    """Return a network (batch, input_steps, prices) -> (batch, prices).

    Inside, it reads log-returns, ln(price_t / price_{t-1}), which have one scale at all times; a
    price has none. It predicts the log-return from what it starts from, the last price, say. Its
    last layer starts at zero: untrained, it is a random walk.
    """
    layers, ops = keras.layers, keras.ops
    returns = np.diff(np.log(train), axis=0)
    prices = keras.Input((data.input_steps, data.columns))
    logs = ops.log(prices)
    first = ops.zeros_like(logs[:, :1])
    x = ops.concatenate([first, logs[:, 1:] - logs[:, :-1]], axis=1) / lesson.scale(returns)
    for _ in range(args.layers - 1):
        x = layers.LSTM(args.units, return_sequences=True)(x)  # (batch, input_steps, units)
    x = layers.LSTM(args.units)(x)  # (batch, units)
    x = layers.Dense(data.targets, kernel_initializer="zeros")(x) * lesson.scale(returns)
    above_zero = ops.maximum(start.forecast(prices), 0.1 * prices[:, -1])
    return keras.Model(prices, above_zero * ops.exp(x))


def build_loss(train):
    """Return the absolute error of log-returns, of the target above all."""
    weights = lesson.column_weights(np.log(train))

    def loss(actual, predicted):
        error = keras.ops.abs(keras.ops.log(actual) - keras.ops.log(predicted))
        return keras.ops.sum(weights * error, axis=-1)

    return loss


def r_squared(actual, forecast):
    """Return the share of the variance that a forecast explains."""
    return 1 - np.sum((actual - forecast) ** 2) / np.sum((actual - actual.mean()) ** 2)


def log_returns(test, name):
    """Return the log-returns from the last price to a column of the test table."""
    return np.log(test[name] / test["persistence"])


def truth(scored):
    """Say what the beautiful overlay is worth."""
    test, results = scored.test, scored.results
    prices = {name: r_squared(test["actual"], test[name]) for name in ("predicted", "persistence")}
    returns = r_squared(log_returns(test, "actual"), log_returns(test, "predicted"))
    errors = {name: line["rmse"] for name, line in results["test"].items() if line}
    excess = errors["LSTM"] / errors["persistence"] - 1
    side = f"{abs(excess):.2%} {'above' if excess > 0 else 'below'} that of the last value"
    if abs(excess) < 0.0005:
        moral = "that of the last value: nothing was found that beats it"
    elif results["p_value"] >= 0.05:
        moral = f"{side}, which is no more than luck: on a random walk nothing beats that"
    elif min(errors.keys() - {"optimal"}, key=errors.get) == "LSTM":
        moral = f"{side}: this is no random walk"
    else:
        moral = f"{side}: no reason to trust it"
    return (
        f"It looks perfect: these forecasts have an R² of {prices['predicted']:.4f}, and the last "
        f"value again {prices['persistence']:.4f}.\n"
        f"As returns they have {returns:.4f}. Their RMSE is {moral}."
    )


def draw(run, data, scored, forecast):
    """Draw the overlay that looks perfect, the same forecasts as returns, errors, and the fan."""
    mosaic = "ABD;CCC" if scored else "C"
    figure, axes = plotting.new_figure(mosaic, size=(12, 7))
    last = data.frame.iloc[-120:, 0]
    axes["C"].plot(last, color=plotting.BLACK, label="actual")
    for level in FAN:
        bounds = run.forecaster.spread.interval(forecast["forecast"].to_numpy(), level)
        fan = plotting.from_last(last, pd.DataFrame(np.array(bounds).T, forecast.index))
        axes["C"].fill_between(fan.index, fan[0], fan[1], color=plotting.RED, alpha=0.2, lw=0)
        if len(forecast) > 1:
            axes["C"].text(fan.index[-1], fan[1].iloc[-1], f" {level:.0%}", va="center")
    line = plotting.from_last(last, forecast)["forecast"]
    axes["C"].plot(line, color=plotting.RED, label="forecast")
    axes["C"].set(title="Where it may go, with intervals", ylabel=last.name)
    axes["C"].legend(loc="lower right", ncols=2, bbox_to_anchor=(1, 1))
    if not scored:
        return figure

    test = scored.test
    axes["A"].plot(test["actual"], color=plotting.BLACK, label="actual")
    axes["A"].plot(test["predicted"], color=plotting.BLUE, lw=1, label="LSTM, one step ahead")
    score = r_squared(test["actual"], test["predicted"])
    axes["A"].set(title=f"It looks perfect: R² {score:.3f}", ylabel=last.name)
    axes["A"].legend(loc="best")
    plotting.few_dates(axes["A"])

    actual, predicted = 100 * log_returns(test, "actual"), 100 * log_returns(test, "predicted")
    axes["B"].scatter(actual, predicted, s=8, color=plotting.BLUE)
    axes["B"].axline((0, 0), slope=1, color=plotting.GREY, lw=1)
    axes["B"].set(
        title=f"The same as returns: R² {r_squared(actual, predicted):.3f}",
        xlabel="actual return (%)",
        ylabel="predicted return (%)",
        ylim=axes["B"].get_xlim(),
    )
    plotting.draw_by_steps(axes["D"], scored.results["by_steps"], "LSTM")
    return figure


def law(args):
    """Return the law of the simulated price."""
    return {"drift": args.drift, "volatility": args.volatility}


def prepare(args):
    """Read or simulate the prices."""
    walk = partial(synthetic.random_walk_prices, DAYS, args.seed, **law(args))
    return lesson.prepare(args, walk, calendar=False, positive=True)


def learn(data, args, on_epoch=None):
    """Train, or take the loaded network."""
    starts, build = ["linear", "last"] if args.csv else ["last"], (build_network, build_loss)
    return lesson.learn("LSTM", *build, data, args, starts, relative=True, on_epoch=on_epoch)


def main(argv=None):
    """Train (or load), score, forecast, draw; return what scores.json holds."""
    args = parse_args(argv)
    data = prepare(args)
    run = learn(data, args)
    scored = lesson.score(run, data, args, partial(synthetic.optimal_price, **law(args)))
    return lesson.finish(run, data, scored, draw, args, scored and truth(scored))


if __name__ == "__main__":
    cli.run(main, "LSTM.py")
