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

One step ahead on the test part, mean of seeds 100 to 104 (benchmarks/scores.py): on the random walk
the RMSE is 1.001 x the best possible; on Google's prices the MAE is that of the last price.
"""

from functools import partial

from utils import cli, lesson, plotting
from utils.series import blocks, synthetic

import keras
import numpy as np

DAYS = 1500
FAN = (0.95, 0.8, 0.5)  # levels of the intervals in the picture
NETWORK = {"input_steps": 20, "forecast": 60, "units": 32, "layers": 1}
TRAINING = {"epochs": 30, "batch_size": 64, "learning_rate": 0.001}

SEARCH = {  # what tune.py varies: from:to, or choices
    "units": "8:128",
    "layers": "1:2",
    "learning-rate": "0.0003:0.01",
    "batch-size": "32/64/128",
    "input-steps": "10:60",
}


def parse_args(argv=None):
    about = "Forecast tomorrow's price from the last 20 days, and see why that is hard."
    parser = cli.forecasting_parser("LSTM", about, **NETWORK, **TRAINING)
    walk = parser.add_argument_group("the simulated price (without --csv): its daily log-returns")
    small, positive = cli.number_above(-0.1, below=0.1), cli.number_above(0, below=0.5)
    walk.add_argument("--drift", type=small, default=0.0003, help="their mean")
    walk.add_argument("--volatility", type=positive, default=0.015, help="their deviation")
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
    x = ops.concatenate([first, logs[:, 1:] - logs[:, :-1]], axis=1) / blocks.scale(returns)
    for _ in range(args.layers - 1):
        x = layers.LSTM(args.units, return_sequences=True)(x)  # (batch, input_steps, units)
    x = layers.LSTM(args.units)(x)  # (batch, units)
    x = layers.Dense(data.targets, kernel_initializer="zeros")(x) * blocks.scale(returns)
    return keras.Model(prices, ops.exp(x) * start.forecast(prices))


def build_loss(train):
    """Return the absolute error of log-returns, of the target above all."""
    weights = blocks.column_weights(np.log(train))

    def loss(actual, predicted):
        error = keras.ops.abs(keras.ops.log(actual) - keras.ops.log(predicted))
        return keras.ops.sum(weights * error, axis=-1)

    return loss


def r_squared(actual, forecast):
    """Return the share of the variance that a forecast explains."""
    return 1 - ((actual - forecast) ** 2).sum() / ((actual - actual.mean()) ** 2).sum()


def log_returns(test):
    """Return the log-returns from the last price, in percent: the actual and the predicted ones."""
    return 100 * np.log(test[["actual", "predicted"]].div(test["persistence"], axis=0))


def truth(scored):
    """Say what the beautiful overlay is worth."""
    test, returns = scored.test, log_returns(scored.test)
    ours, last = (scored.results["test"][name]["rmse"] for name in ("LSTM", "persistence"))
    luck = "that is luck" if scored.results["p_value"] >= 0.05 else "this is no random walk"
    return (
        f"It looks perfect, with an R² of {r_squared(test['actual'], test['predicted']):.4f}, and "
        f"so does the last value again: {r_squared(test['actual'], test['persistence']):.4f}.\n"
        f"As returns, the R² is {r_squared(returns['actual'], returns['predicted']):.4f}. The RMSE "
        f"is {ours / last - 1:+.2%} against that of the last value: "
        f"{luck if ours < 0.9995 * last else 'nothing was found that beats it'}."
    )


def draw(run, data, scored, forecast):
    """Draw the overlay that looks perfect, the same forecasts as returns, errors, and the fan."""
    figure, axes = plotting.new_figure("ABD;CCC" if scored else "C", size=(12, 7))
    last, point = data.frame.iloc[-120:, 0], forecast["forecast"].to_numpy()
    fan = {level: run.forecaster.spread.interval(point, level) for level in FAN}
    plotting.draw_fan(axes["C"], last, forecast["forecast"], fan)
    if not scored:
        return figure

    test, returns = scored.test, log_returns(scored.test)
    axes["A"].plot(test["actual"], color=plotting.BLACK, label="actual")
    axes["A"].plot(test["predicted"], color=plotting.BLUE, lw=1, label="LSTM, one step ahead")
    r2 = r_squared(test["actual"], test["predicted"])
    axes["A"].set(title=f"It looks perfect: R² {r2:.3f}", ylabel=last.name)
    axes["A"].legend(loc="best")
    plotting.few_dates(axes["A"])
    axes["B"].scatter(returns["actual"], returns["predicted"], s=8, color=plotting.BLUE)
    axes["B"].axline((0, 0), slope=1, color=plotting.GREY, lw=1)
    r2 = r_squared(returns["actual"], returns["predicted"])
    axes["B"].set(title=f"The same as returns: R² {r2:.3f}", ylim=axes["B"].get_xlim())
    axes["B"].set(xlabel="actual return (%)", ylabel="predicted return (%)")
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
    starts = ["linear", "persistence"] if args.csv else ["persistence"]
    return lesson.learn("LSTM", build_network, build_loss, data, args, starts, True, on_epoch)


def main(argv=None):
    """Train (or load), score, forecast, draw; return what scores.json holds."""
    args = parse_args(argv)
    data = prepare(args)
    run = learn(data, args)
    scored = lesson.score(run, data, args, partial(synthetic.optimal_price, **law(args)))
    return lesson.finish(run, data, scored, draw, args, scored and truth(scored))


if __name__ == "__main__":
    cli.run(main, "LSTM.py")
