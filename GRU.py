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

One step ahead on the test part, mean of seeds 100 to 104 (benchmarks/scores.py):

    simulated       RMSE 2.04 °C, 1.019 x the best possible; MAE 1.7 % below linear autoregression
    Greensboro      MAE 0.731 °C: 8.2 % below linear autoregression, 27.7 % below persistence
    with features   MAE 0.711 °C: 7.1 % below linear autoregression on the same columns
"""

from utils import cli, lesson, plotting
from utils.series import blocks, synthetic

import keras

MORAL = """Why a recurrent network at all? Here a weighted sum of the window knows nearly as much.
Not so of real weather: python GRU.py --csv data/weather_greensboro.csv --column temperature
Where a phase jumps, it is lost: python SimpleRNN.py --jumps 0.02"""

NETWORK = {"input_steps": 24, "forecast": 24, "units": 32, "layers": 1}
TRAINING = {"epochs": 30, "batch_size": 128, "learning_rate": None}

SEARCH = {  # what tune.py varies: from:to, or choices
    "units": "8:128",
    "layers": "1:2",
    "learning-rate": "0.002:0.03",
    "batch-size": "64/128/256",
    "input-steps": "12:72",
}


def parse_args(argv=None):
    about = "Forecast the next hour of temperature (or your own CSV) from the last 24. "
    about += "The learning rate is 0.005 without --csv, 0.01 with it, by their validation parts."
    parser = cli.forecasting_parser("GRU", about, **NETWORK, **TRAINING)
    args = cli.parse_forecasting(parser, argv)
    args.learning_rate = args.learning_rate or (0.01 if args.csv else 0.005)
    return args


def build_network(train, start, data, args):
    """Return a network (batch, input_steps, columns) -> (batch, targets), in the series' units.

    Its last layer starts at zero: an untrained network says what it starts from, such as the last
    value, and a trained one what it has learned besides.
    """
    layers = keras.layers
    inputs = keras.Input((data.input_steps, data.columns))
    x = blocks.normalised(inputs, train, start.noise)
    for _ in range(args.layers - 1):
        x = layers.GRU(args.units, return_sequences=True)(x)  # (batch, input_steps, units)
    x = layers.GRU(args.units)(x)  # (batch, units)
    x = layers.Dense(2 * args.units, activation="relu")(x)
    x = layers.Dense(2 * args.units, activation="relu")(x)
    x = layers.Dense(data.targets, kernel_initializer="zeros")(x)  # (batch, targets)
    return keras.Model(inputs, x * blocks.scale(train) + start.forecast(inputs))


def build_loss(train):
    """Return the absolute error: of the target, and a quarter of the other columns' mean.

    Each is in units of its column's mean change from row to row.
    """
    weights = blocks.column_weights(train)

    def loss(actual, predicted):
        return keras.ops.sum(weights * keras.ops.abs(actual - predicted), axis=-1)

    return loss


def draw(run, data, scored, forecast):
    """Draw the last week and the forecast; below, the errors by hour, by steps ahead, by epoch."""
    figure, axes = plotting.new_figure("AAA;BCD" if scored else "A", size=(12, 6.5))
    last = data.frame.iloc[-168:, 0]
    if not scored:
        plotting.draw_forecast(axes["A"], last, forecast)
        return figure

    test = scored.test.rename(columns={"predicted": "GRU"})
    plotting.draw_forecast(axes["A"], last, forecast, test["GRU"].iloc[-168:])
    plotting.draw_errors(axes["B"], test, "GRU")
    plotting.draw_by_steps(axes["C"], scored.results["by_steps"], "GRU")
    plotting.draw_history(axes["D"], run.fit.history, run.fit.best_epoch)
    return figure


def prepare(args):
    """Read or simulate the series."""
    return lesson.prepare(args, lambda: synthetic.hourly_temperature(args.seed))


def learn(data, args, on_epoch=None):
    """Train, or take the loaded network."""
    starts = ["linear", "persistence", "mean"] if args.csv else ["mean"]
    return lesson.learn("GRU", build_network, build_loss, data, args, starts, on_epoch=on_epoch)


def main(argv=None):
    """Train (or load), score, forecast, draw; return what scores.json holds."""
    args = parse_args(argv)
    data = prepare(args)
    run = learn(data, args)
    scored = lesson.score(run, data, args, synthetic.optimal_temperature)
    return lesson.finish(run, data, scored, draw, args, None if args.csv else MORAL)


if __name__ == "__main__":
    cli.run(main, "GRU.py")
