"""One-step and recursive forecasts, and the intervals around them.

A network takes windows (batch, input_steps, columns) and returns the next value of the first
`targets` columns; the rest are calendar columns, which are known for any time to come. Since it
predicts all the series that it reads, its forecast can be its next input.
"""

from pathlib import Path
from typing import NamedTuple

from utils import InputError, training
from utils.series import index
from utils.series.windows import in_order

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

MAX_ERRORS = 2000  # that a spread keeps, evenly taken
RECENT = 500  # rows whose errors say how large errors are at the end of the data


def one_step(network: keras.Model, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Forecast the given target rows from the true values before them: (windows, targets)."""
    _, input_steps, _ = network.input_shape
    _, targets = network.output_shape
    windows = in_order(values, rows, input_steps, targets).map(lambda inputs, _: inputs)
    return network.predict(windows, verbose=0).astype(float)


def recursive(
    network: keras.Model,
    windows: np.ndarray,
    calendar: np.ndarray,
    shocks: np.ndarray,
    relative: bool = False,
) -> np.ndarray:
    """Forecast step by step, each forecast being the newest input of the next one.

    The loop is compiled once, as a whole.

    Args:
        network: as above.
        windows: (batch, input_steps, columns), the last known values.
        calendar: (steps, batch, columns - targets), the calendar columns of the steps to come.
        shocks: (steps, batch, targets), what chance adds to each forecast; zeros for none.
        relative: whether a shock is a log-ratio (the forecast is multiplied by exp(shock)).

    Returns:
        (steps, batch, targets)
    """

    # XLA has no part for the fused GPU kernels of GRU and LSTM, which are fast without
    @tf.function(jit_compile=all(layer.supports_jit for layer in network.layers))
    def roll(windows, calendar, shocks):
        steps = shocks.shape[0]

        def step(i, windows, values):
            forecast = network(windows, training=False)  # (batch, targets)
            forecast = forecast * tf.exp(shocks[i]) if relative else forecast + shocks[i]
            newest = tf.concat([forecast, calendar[i]], axis=-1)  # (batch, columns)
            windows = tf.concat([windows[:, 1:], newest[:, None]], axis=1)
            return i + 1, windows, values.write(i, forecast)

        values = tf.TensorArray(tf.float32, steps, element_shape=shocks.shape[1:])
        return tf.while_loop(lambda i, *_: i < steps, step, (0, windows, values))[-1].stack()

    tensors = (tf.constant(array, tf.float32) for array in (windows, calendar, shocks))
    return roll(*tensors).numpy().astype(float)


class Spread(NamedTuple):
    """How far one-step forecasts have been off: what every interval is made of.

    The size of the errors changes slowly, so each error is divided by a scale that is known before
    it happens, the exponentially weighted mean of the squared errors so far ("RiskMetrics"):

        scale_t^2 = decay * scale_{t-1}^2 + (1 - decay) * error_{t-1}^2

    What is left, z = error / scale, is taken to come from one law at all times. The interval of one
    step is the forecast plus or minus a quantile of |z| times the present scale: conformal
    prediction with a scaled score, measured on the validation part (which has also chosen the
    epoch, but no weight). Further ahead, errors are drawn from the z and fed back through the
    network: a historical simulation, filtered, with the present scale all the way.

    Sources: J.P. Morgan, "RiskMetrics technical document" (1996); Papadopoulos, Gammerman & Vovk,
    "Normalized nonconformity measures for regression conformal prediction" (2008); Barone-Adesi,
    Giannopoulos & Vosper, "VaR without correlations for portfolios of derivative securities"
    (1999).
    """

    decay: float  # in (0, 1)
    relative: bool  # whether an error is the log-ratio actual / forecast, not the difference
    start: list[float]  # (targets,) the scale to begin with, as errors are
    z: list[list[float]]  # (errors, targets) scaled errors of the validation part

    @classmethod
    def measured(
        cls,
        network: keras.Model,
        values: np.ndarray,
        rows: np.ndarray,
        decay: float = 0.99,
        relative: bool = False,
    ) -> "Spread":
        """Measure a network's errors on the target rows of the validation part."""
        _, targets = network.output_shape
        unscaled = cls(decay, relative, start=[], z=[])
        errors = unscaled.errors(values[rows, :targets], one_step(network, values, rows))
        start = np.sqrt(np.mean(errors**2, axis=0))
        spread = unscaled._replace(start=start.tolist())
        z = errors / spread.scales(errors)[:-1]
        return spread._replace(z=z[:: -(-len(z) // MAX_ERRORS)].tolist())

    def errors(self, actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
        """Return the errors as this spread measures them."""
        return np.log(actual / forecast) if self.relative else actual - forecast

    def scales(self, errors: np.ndarray) -> np.ndarray:
        """Return the scale known before each error, and after the last: (time + 1, targets)."""
        squares = pd.DataFrame(np.vstack([np.square(self.start), np.square(errors)]))
        return np.sqrt(squares.ewm(alpha=1 - self.decay, adjust=False).mean().to_numpy())

    def interval(self, forecast, scale, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the bounds of the target's one-step interval.

        Args:
            forecast: (time,), in the series' unit.
            scale: (time,), the first column of `scales`.
            level: the share that the interval is to hold, in (0, 1).
        """
        sizes = np.sort(np.abs(np.asarray(self.z)[:, 0]))
        rank = min(int(np.ceil((len(sizes) + 1) * level)), len(sizes))
        width = sizes[rank - 1] * scale
        if self.relative:
            return forecast * np.exp(-width), forecast * np.exp(width)
        return forecast - width, forecast + width

    def shocks(self, scale: np.ndarray, steps: int, paths: int, seed: int) -> np.ndarray:
        """Draw errors around zero, all columns of a moment together: (steps, paths, targets)."""
        z = np.asarray(self.z) - np.mean(self.z, axis=0)
        return z[np.random.default_rng(seed).integers(len(z), size=(steps, paths))] * scale


class Forecaster(NamedTuple):
    """A trained network, and what must be known to forecast with it."""

    network: keras.Model
    columns: list[str]  # the series that it reads and predicts; the first is the target
    calendar: list[str]  # names of the calendar columns that it reads besides
    step: str  # time from row to row
    spread: Spread  # of its one-step errors

    def save(self, path: Path, script: str) -> None:
        """Save everything as one `.keras` file."""
        facts = self._asdict() | {"spread": self.spread._asdict(), "script": script}
        training.save(path, facts.pop("network"), facts)

    @classmethod
    def load(cls, path: str, script: str, frame: pd.DataFrame) -> "Forecaster":
        """Load what `save` wrote, to forecast a frame of `utils.series.csv_file.load_csv`.

        Raises:
            InputError: if the file isn't such a model, or the frame isn't what it has learned.
        """
        network, facts = training.load(path, script)
        try:
            forecaster = cls(network, spread=Spread(**facts.pop("spread")), **facts)
            (_, input_steps, _), columns = network.input_shape, list(forecaster.columns)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path} is not a model that {script} saved ({error!r})") from error
        if list(frame) != columns:
            raise InputError(
                f"--load {path}: the model reads the columns {', '.join(columns)}, in this order; "
                f"given are {', '.join(frame)}; name the same with --column and --features"
            )
        if forecaster.calendar and index.step(frame.index) != forecaster.step:
            raise InputError(
                f"--load {path}: the model reads the calendar at a step of {forecaster.step}, the "
                f"data's step is {index.step(frame.index)}; bring data of the same step"
            )
        if len(frame) <= input_steps:
            raise InputError(
                f"--load {path}: the model's windows have {input_steps} steps, so it needs at "
                f"least {input_steps + 1} rows; the data have {len(frame)}"
            )
        return forecaster


def past_the_end(
    forecaster: Forecaster, frame: pd.DataFrame, steps: int, seed: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """Forecast the target recursively past the end of the data.

    Args:
        forecaster: as above.
        frame: the series, as from `utils.series.csv_file.load_csv`.
        steps: how many.
        seed: of the possible futures.

    Returns:
        a table of forecast, lower and upper (of the 90 % interval) by time, and the possible
        futures (paths, steps) that the interval is made of; in the series' unit.
    """
    network, _, names, _, spread = forecaster
    _, input_steps, _ = network.input_shape
    _, targets = network.output_shape
    values = index.with_calendar(frame, names)
    rows = np.arange(max(input_steps, len(values) - RECENT), len(values))
    recent = spread.errors(values[rows, :targets], one_step(network, values, rows))
    scale = spread.scales(recent)[-1]

    paths = int(np.clip(50_000 // steps, 50, 1000))  # fewer where each is long: about a second
    chance = spread.shocks(scale, steps, paths, seed)
    shocks = np.concatenate([np.zeros_like(chance[:, :1]), chance], axis=1)  # the first: no chance
    times = index.future_index(frame.index, steps)
    futures = recursive(
        network,
        np.repeat(values[None, -input_steps:], 1 + paths, axis=0),
        np.repeat(index.calendar(times, names)[:, None], 1 + paths, axis=1),
        shocks,
        spread.relative,
    )[:, :, 0].T  # (1 + paths, steps)
    point, futures = futures[0], futures[1:]
    lower, upper = interval(futures, 0.9)
    return pd.DataFrame({"forecast": point, "lower": lower, "upper": upper}, times), futures


def interval(futures: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds, each (steps,), between which `level` of the futures (paths, steps) lie."""
    lower, upper = np.quantile(futures, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return lower, upper
