r"""How does a sine go on? A plain recurrent network reads 30 noisy points and forecasts, in red.

The simple recurrent network (Elman, 1990) has one hidden layer, which also sees its own past:

    h_t = tanh(x_t W + h_{t-1} U + b)

    python SimpleRNN.py                    # y_t = sin(0.1 t) + N(0, 0.1), one period forecast
    python SimpleRNN.py --csv mine.csv --column value --time-column when --forecast 100
    python SimpleRNN.py --load outputs/SimpleRNN/model.keras --forecast 1000

One step ahead on the test part, mean of seeds 0 to 4 (benchmarks/scores.py):

    noisy sine      RMSE 0.103, which is 1.014 x the best possible and 0.65 x persistence
"""

from utils import cli, plotting, training
from utils.files import output_folder, write_csv
from utils.series import forecasting, index, synthetic
from utils.series.csv_file import load_csv
from utils.series.evaluation import evaluate, report
from utils.series.forecasting import Forecaster, Spread, past_the_end
from utils.series.windows import cut, split_by_time, train_part

import keras
import numpy as np
import pandas as pd
from keras import layers, ops

STEPS = 4000
PERIOD = 63  # steps of one period of sin(0.1 t)
AHEAD = (1, 5, 10, 20, 40)  # steps
MAX_ORIGINS = 1000  # windows of the test part from which to forecast many steps ahead


def parse_args(argv=None):
    parser = cli.forecasting_parser(
        "SimpleRNN",
        "Forecast a noisy sine (or your own CSV) from its last 30 values.",
        input_steps=30,
        forecast=60,
        units=32,
        layers=1,
        epochs=30,
        batch_size=64,
        learning_rate=0.005,
    )
    cli.add_predict(parser)
    args = cli.parse_forecasting(parser, argv)
    args.predict = args.predict or ("change" if args.csv else "level")
    return args


def build_network(train, targets, input_steps, units, depth, predict):
    """Return a network (batch, input_steps, columns) -> (batch, targets), in the columns' units.

    Noise on what it reads while it trains keeps it from learning the noise of the data by heart.
    """
    mean, variance = train.mean(axis=0), train.var(axis=0)
    change = min(np.diff(train[:, 0]).std() / train[:, 0].std(), 1.0)  # from row to row, normalised
    noise = change if predict == "level" else 0.3 * change
    inputs = keras.Input((input_steps, train.shape[1]))
    normal = layers.Normalization(mean=mean, variance=variance)(inputs)
    x = layers.GaussianNoise(noise)(normal)
    for _ in range(depth - 1):
        x = layers.SimpleRNN(units, return_sequences=True)(x)
    x = layers.SimpleRNN(units)(x)
    x = layers.Dense(targets, kernel_initializer="zeros")(x)
    if predict == "change":
        x = x + normal[:, -1, :targets]
    inverse = layers.Normalization(mean=mean[:targets], variance=variance[:targets], invert=True)
    return keras.Model(inputs, inverse(x))


def loss_per_column(train, targets):
    """Return the squared error in units of each column's variance."""
    variance = train[:, :targets].var(axis=0).astype("float32")

    def loss(actual, predicted):
        return ops.mean(ops.square(actual - predicted) / variance, axis=-1)

    return loss


def score_far_ahead(forecaster, frame, rows, optimal):
    """Forecast up to 40 steps from each point of the test part: errors pile up.

    Args:
        forecaster: trained.
        frame: the series.
        rows: (windows,) target rows of the test part.
        optimal: (windows, horizon) -> (windows,) the best possible forecast, or None.

    Returns:
        the RMSE of each forecast by the number of steps ahead.
    """
    _, input_steps, _ = forecaster.network.input_shape
    values = index.with_calendar(frame, forecaster.calendar)
    farthest = max(step for step in AHEAD if step < len(rows))
    origins = rows[: len(rows) - farthest + 1]  # each forecast's first target row
    origins = origins[:: -(-len(origins) // MAX_ORIGINS)]
    windows = cut(values, origins, input_steps)
    coming = values[np.arange(farthest)[:, None] + origins]  # (steps, windows, columns)
    targets = frame.shape[1]
    chance = np.zeros_like(coming[:, :, :targets])  # none
    forecasts_ahead = forecasting.recursive(
        forecaster.network, windows, coming[:, :, targets:], chance
    )

    scores = {}
    for step in (step for step in AHEAD if step <= farthest):
        actual = coming[step - 1, :, 0]
        forecasts = {"SimpleRNN": forecasts_ahead[step - 1, :, 0], "persistence": windows[:, -1, 0]}
        if optimal:
            forecasts["optimal"] = optimal(windows[:, :, 0], horizon=step)
        scores[step] = {
            name: float(np.sqrt(np.mean((actual - forecast) ** 2)))
            for name, forecast in forecasts.items()
        }
    return scores


def draw(frame, forecast, test, far, simulated):
    """Draw the last points and the forecast; below, the error by the number of steps ahead."""
    figure, axes = plotting.new_figure("AAA;BBC" if test is not None else "A", size=(11, 6.5))
    last = frame.iloc[-120:, 0]
    shown = None if test is None else test["predicted"].iloc[-120:].rename("SimpleRNN")
    if simulated:
        t = np.arange(last.index[0], forecast.index[-1] + 1)
        axes["A"].plot(t, synthetic.clean_sine(t), color=plotting.GREY, lw=0.8, label="clean sine")
    plotting.draw_forecast(axes["A"], last, forecast, shown)
    if test is None:
        return figure

    axes["B"].plot(test["actual"], ".", color=plotting.BLACK, ms=3, label="actual")
    axes["B"].plot(test["predicted"], color=plotting.BLUE, lw=1, label="SimpleRNN, one step ahead")
    axes["B"].set(title="The whole test part")
    axes["B"].legend(loc="lower right", ncols=2, bbox_to_anchor=(1, 1))

    styles = {
        "optimal": {"color": plotting.GREEN, "lw": 5, "alpha": 0.4},
        "persistence": {"color": plotting.GREY, "marker": "o"},
        "SimpleRNN": {"color": plotting.BLUE, "marker": "o"},
    }
    errors = pd.DataFrame(far).T
    for name in [name for name in styles if name in errors]:
        axes["C"].plot(errors[name], **styles[name], label=name)
    axes["C"].set(title="RMSE", xlabel="steps ahead", ylim=(0, None), xticks=list(far))
    axes["C"].legend(loc="best")
    return figure


def main(argv=None):
    """Train (or load), score, forecast, draw; return what scores.json holds."""
    args = parse_args(argv)
    folder = output_folder(args.output_dir)
    keras.utils.set_random_seed(args.seed)
    if args.csv:
        columns = args.column, args.features, args.time_column
        frame = load_csv(args.csv, *columns, args.fill)
    else:
        frame = synthetic.noisy_sine(STEPS, args.seed).to_frame()

    test = far = fit = scores = None
    if args.load:
        forecaster = Forecaster.load(args.load, "SimpleRNN.py", frame)
    else:
        parts = split_by_time(len(frame), args.input_steps, frame.attrs.get("filled", ()))
        calendar = index.calendar_names(frame.index)
        values = index.with_calendar(frame, calendar)  # (time, columns)
        train, targets = train_part(values, parts, frame), frame.shape[1]
        network = build_network(
            train, targets, args.input_steps, args.units, args.layers, args.predict
        )
        fit = training.fit(
            network,
            loss_per_column(train, targets),
            values,
            parts,
            epochs=args.epochs,
            batch_size=args.batch_size,
            learning_rate=args.learning_rate,
            seed=args.seed,
        )
        spread = Spread.measured(network, values, parts.val)
        forecaster = Forecaster(network, list(frame), calendar, index.step(frame.index), spread)
        known = index.season(frame.index) if args.csv else PERIOD
        optimal = None if args.csv else synthetic.optimal_sine
        test, results = evaluate(
            "SimpleRNN", forecaster, frame, parts, args.season or known, optimal
        )
        print(report("SimpleRNN", results))
        far = score_far_ahead(forecaster, frame, parts.test, optimal)
        print("RMSE by the number of steps ahead:", pd.DataFrame(far).round(4), sep="\n")
        results["rmse_by_steps_ahead"] = far
        scores = cli.save_run("SimpleRNN", args, forecaster, fit, test, results)

    forecast, _ = past_the_end(forecaster, frame, args.forecast, args.seed)
    print(f"{args.forecast} steps past the end, with a 90 % interval:")
    print(forecast.to_string(max_rows=8))
    write_csv(forecast, folder / "forecast.csv")
    figure = draw(frame, forecast, test, far, simulated=not args.csv)
    plotting.save(figure, folder / "figure.png", args.show)
    print(f"Picture and files: {folder}")
    if fit and fit.interrupted:
        raise KeyboardInterrupt
    return scores


if __name__ == "__main__":
    cli.run(main, "SimpleRNN.py")
