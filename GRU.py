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
    python GRU.py --load outputs/GRU/model.keras --csv today.csv --column temperature --forecast 48

One step ahead on the test part, mean of seeds 0 to 4 (benchmarks/scores.py):

    simulated       RMSE 2.04 °C, which is 1.019 x the best possible and 0.52 x persistence
    Greensboro      MAE 0.747 °C: 8 % below linear autoregression, 26 % below persistence
    with features   MAE 0.743 °C: 4 % below linear autoregression on the same columns
"""

from utils import cli, plotting, training
from utils.files import output_folder, write_csv
from utils.series import index, synthetic
from utils.series.csv_file import load_csv
from utils.series.evaluation import evaluate, report
from utils.series.forecasting import Forecaster, Spread, past_the_end
from utils.series.windows import split_by_time, train_part

import keras
import numpy as np
import pandas as pd
from keras import layers, ops


def parse_args(argv=None):
    parser = cli.forecasting_parser(
        "GRU",
        "Forecast the next hour of temperature (or your own CSV) from the last 24.",
        input_steps=24,
        forecast=24,
        units=32,
        layers=1,
        epochs=30,
        batch_size=128,
        learning_rate=0.01,
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
    noise, hidden = (change, 2) if predict == "level" else (0.3 * change, 1)
    inputs = keras.Input((input_steps, train.shape[1]))
    normal = layers.Normalization(mean=mean, variance=variance)(inputs)
    x = layers.GaussianNoise(noise)(normal)
    for _ in range(depth - 1):
        x = layers.GRU(units, return_sequences=True)(x)
    x = layers.GRU(units)(x)
    for _ in range(hidden):
        x = layers.Dense(2 * units, activation="relu")(x)
    x = layers.Dense(targets, kernel_initializer="zeros")(x)
    if predict == "change":
        x = x + normal[:, -1, :targets]
    inverse = layers.Normalization(mean=mean[:targets], variance=variance[:targets], invert=True)
    return keras.Model(inputs, inverse(x))


def loss_per_column(train, targets):
    """Return Huber's loss of errors in units of each column's mean change from row to row."""
    weights = np.full(targets, 0.25 / max(targets - 1, 1))
    weights[0] = 1.0  # the column to forecast leads; the others are needed to go on from
    changes = np.abs(np.diff(train[:, :targets], axis=0)).mean(axis=0)

    def loss(actual, predicted):
        error = ops.abs(actual - predicted) / changes.astype("float32")
        huber = ops.where(error < 1, error**2 / 2, error - 0.5)
        return ops.mean(weights.astype("float32") * huber, axis=-1)

    return loss


def draw(frame, forecast, test):
    """Draw the last week and the forecast; below, the whole test part, its errors by hour."""
    has_hours = isinstance(frame.index, pd.DatetimeIndex) and frame.index.hour.nunique() > 1
    mosaic = "A" if test is None else "AAA;BBC" if has_hours else "AAA;BBB"
    figure, axes = plotting.new_figure(mosaic, size=(11, 6.5))
    last = frame.iloc[-168:, 0]
    shown = None if test is None else test["predicted"].iloc[-168:].rename("GRU")
    plotting.draw_forecast(axes["A"], last, forecast, shown)
    axes["A"].set_ylabel(frame.columns[0])
    if test is None:
        return figure

    test = test.rename(columns={"predicted": "GRU"})
    days = test.groupby(np.arange(len(test)) // 24)
    for name, colour in {"actual": plotting.BLACK, "GRU": plotting.BLUE}.items():
        axes["B"].plot(test.index[::24], days[name].max(), color=colour, label=name)
        axes["B"].plot(test.index[::24], days[name].min(), color=colour)
    axes["B"].set(title="The whole test part: highest and lowest in 24 steps")
    axes["B"].legend(loc="lower right", ncols=2, bbox_to_anchor=(1, 1))

    if not has_hours:
        return figure

    colours = {"persistence": plotting.GREY, "linear": plotting.ORANGE, "GRU": plotting.BLUE}
    for name, colour in colours.items():
        errors = np.abs(test[name] - test["actual"]).groupby(test.index.hour).mean()
        axes["C"].plot(errors, color=colour, label=name)
    axes["C"].set(title="Mean absolute error by hour", xlabel="hour of the day", ylim=(0, None))
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
        frame = synthetic.hourly_temperature(args.seed).to_frame()

    test = fit = scores = None
    if args.load:
        forecaster = Forecaster.load(args.load, "GRU.py", frame)
    else:
        parts = split_by_time(len(frame), args.input_steps, frame.attrs.get("filled", ()))
        calendar = index.calendar_names(frame.index) if args.csv else []  # its law has no dates
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
        season = args.season or index.season(frame.index)
        optimal = None if args.csv else synthetic.optimal_temperature
        test, results = evaluate("GRU", forecaster, frame, parts, season, optimal)
        print(report("GRU", results))
        scores = cli.save_run("GRU", args, forecaster, fit, test, results)

    forecast, _ = past_the_end(forecaster, frame, args.forecast, args.seed)
    print(f"{args.forecast} steps past the end, with a 90 % interval:")
    print(forecast.to_string(max_rows=8))
    write_csv(forecast, folder / "forecast.csv")
    plotting.save(draw(frame, forecast, test), folder / "figure.png", args.show)
    print(f"Picture and files: {folder}")
    if fit and fit.interrupted:
        raise KeyboardInterrupt
    return scores


if __name__ == "__main__":
    cli.run(main, "GRU.py")
