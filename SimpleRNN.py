r"""How does a sine go on? A plain recurrent network reads 30 noisy points and forecasts, in red.

The simple recurrent network (Elman, 1990) has one hidden layer, which also sees its own past:

    h_t = tanh(x_t W + h_{t-1} U + b)

    python SimpleRNN.py                    # y_t = sin(0.1 t) + N(0, 0.1), one period forecast
    python SimpleRNN.py --jumps 0.02       # the phase jumps: no weighted sum can follow
    python SimpleRNN.py --csv data/weather_greensboro.csv --column temperature --forecast 100
    python SimpleRNN.py --load outputs/SimpleRNN/model.keras --forecast 1000

One step ahead on the test part, mean of seeds 100 to 104 (benchmarks/scores.py):

    noisy sine      RMSE 0.100, 1.011 x the best possible; MAE 1.2 % below linear autoregression
    with jumps      RMSE 0.188, 1.081 x the best possible; MAE 10.2 % below linear autoregression
"""

from functools import partial

from utils import cli, lesson, plotting
from utils.series import blocks, synthetic

import keras
import numpy as np

STEPS = 4000
PERIOD = 63  # steps of one period of sin(0.1 t)

NETWORK = {"input_steps": 30, "forecast": 60, "units": 32, "layers": 1}
TRAINING = {"epochs": 30, "batch_size": 64, "learning_rate": 0.005}

SEARCH = {  # what tune.py varies: from:to, or choices
    "units": "8:128",
    "layers": "1:2",
    "learning-rate": "0.001:0.02",
    "batch-size": "32/64/128",
    "input-steps": "15:90",
}


def parse_args(argv=None):
    about = "Forecast a noisy sine (or your own CSV) from its last 30 values."
    parser = cli.forecasting_parser("SimpleRNN", about, **NETWORK, **TRAINING)
    parser.add_argument(
        "--jumps",
        type=cli.number_above(0, inclusive=True, below=0.5),
        default=0.0,
        help="how often, per step, the simulated sine's phase is drawn anew",
    )
    return cli.parse_forecasting(parser, argv)


def build_network(train, start, data, args):
    """Return a network (batch, input_steps, columns) -> (batch, targets), in the series' units.

    Its last layer starts at zero: an untrained network says what it starts from, such as the last
    value, and a trained one what it has learned besides.
    """
    layers = keras.layers
    inputs = keras.Input((data.input_steps, data.columns))
    x = blocks.normalised(inputs, train, start.noise)
    for _ in range(args.layers - 1):
        x = layers.SimpleRNN(args.units, return_sequences=True)(x)  # (batch, input_steps, units)
    x = layers.SimpleRNN(args.units)(x)  # (batch, units)
    x = layers.Dense(data.targets, kernel_initializer="zeros")(x)  # (batch, targets)
    return keras.Model(inputs, x * blocks.scale(train) + start.forecast(inputs))


def build_loss(train):
    """Return the absolute error, of the target above all, in units of each column's changes."""
    weights = blocks.column_weights(train)

    def loss(actual, predicted):
        return keras.ops.sum(weights * keras.ops.abs(actual - predicted), axis=-1)

    return loss


def draw(run, data, scored, forecast, args):
    """Draw the last points and the forecast; below, the errors by steps ahead and by epoch."""
    figure, axes = plotting.new_figure("AAA;BCD" if scored else "A", size=(12, 6.5))
    last = data.frame.iloc[-120:, 0]
    if not args.csv and not args.jumps:
        t = np.arange(last.index[0], forecast.index[-1] + 1)
        clean = synthetic.clean_sine(t[-1] + 1)[t]
        axes["A"].plot(t, clean, color=plotting.GREY, lw=0.8, label="clean sine")
    if not scored:
        plotting.draw_forecast(axes["A"], last, forecast)
        return figure

    test = scored.test.rename(columns={"predicted": "SimpleRNN"})
    plotting.draw_forecast(axes["A"], last, forecast, test["SimpleRNN"].iloc[-120:])
    plotting.draw_errors(axes["B"], test, "SimpleRNN")
    plotting.draw_by_steps(axes["C"], scored.results["by_steps"], "SimpleRNN")
    plotting.draw_history(axes["D"], run.fit.history, run.fit.best_epoch)
    return figure


def prepare(args):
    """Read or simulate the series."""
    sine = partial(synthetic.noisy_sine, STEPS, args.seed, jumps=args.jumps)
    return lesson.prepare(args, sine, season=PERIOD)


def learn(data, args, on_epoch=None):
    """Train, or take the loaded network."""
    starts = ["linear", "persistence", "mean"] if args.csv else ["mean"]
    build = (build_network, build_loss)
    return lesson.learn("SimpleRNN", *build, data, args, starts, on_epoch=on_epoch)


def main(argv=None):
    """Train (or load), score, forecast, draw; return what scores.json holds."""
    args = parse_args(argv)
    data = prepare(args)
    run = learn(data, args)
    optimal = partial(synthetic.optimal_sine, jumps=args.jumps)
    scored = lesson.score(run, data, args, optimal)
    return lesson.finish(run, data, scored, partial(draw, args=args), args)


if __name__ == "__main__":
    cli.run(main, "SimpleRNN.py")
