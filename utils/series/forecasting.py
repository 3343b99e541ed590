"""One-step and recursive forecasts, and intervals from how far off such forecasts have been.

A network takes windows (batch, input_steps, columns) and returns the next value of the first
`targets` columns; the rest are calendar columns, which are known for any time to come. Since it
predicts all the series that it reads, its forecast can be its next input.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from utils import InputError, training
from utils.series import index
from utils.series.windows import cut, in_order, untouched

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

LEVELS = (0.5, 0.8, 0.9, 0.95)  # of the intervals
LONG = 10  # times the memory of the present scale has the usual one
INDEPENDENT = 20  # errors that do not overlap: with so many, those of the train part don't count
RENEWED = 100  # times that a quantile is looked up anew over the test part
FEWEST = 10  # errors from which an interval may be made


# ------------------------------------------------------------------ how far off forecasts have been


class Record(NamedTuple):
    """The errors of past forecasts of the target, each divided by the scale of its time.

    The size of the errors changes slowly. So each is divided by a scale that is known before the
    forecast is made, the exponentially weighted mean of the squared one-step errors so far
    ("RiskMetrics"):

        scale_t^2 = decay * scale_{t-1}^2 + (1 - decay) * error_{t-1}^2

    and that many steps ahead has returned to its long mean as fast as it forgets (`scale_ahead`).
    Errors of h steps are taken to come from one law then, and the interval h steps ahead is the
    forecast plus or minus a quantile of |error_h| / scale, times the present scale: conformal
    prediction with a scaled score, for each h by itself. Nothing is assumed about how errors pile
    up when forecasts are fed back: it is seen. The errors are those of the validation part and of
    all that has come since. Errors of h steps that start less than h steps apart overlap; where
    fewer than INDEPENDENT of them do not, those of the train part, scaled by their like, make up
    the rest of the weight. Nor are errors that overlap many: the squares of two sums of h numbers,
    k apart, correlate by (1 - k/h)^2, which adds up to 2h/3 over all k, so that n of them are worth
    m = 1.5 n/h that do not; and a share q of all to come keeps within the quantile q (1 + 1/m).

    Sources: J.P. Morgan, "RiskMetrics technical document" (1996); Papadopoulos, Gammerman & Vovk,
    "Normalized nonconformity measures for regression conformal prediction" (2008); a quantile
    for each step: Stankeviciute, Alaa & van der Schaar, "Conformal time-series forecasting" (2021).
    """

    origins: np.ndarray  # (forecasts,) row of each forecast's first step, increasing
    sizes: np.ndarray  # (forecasts, steps) |error| / scale; NaN where it can't be known
    unseen: int  # the first row that trained no network

    def quantiles(self, now: int, step: int, levels: Sequence[float]) -> np.ndarray:
        """Return the sizes that shares of the errors `step` steps ahead keep within.

        Args:
            now: the row to be forecast first: what happened from here on is not known.
            step: steps ahead, from 1. Neighbouring steps lend it their errors, an eighth around.
            levels: shares, each in (0, 1).

        Returns:
            (levels,), NaN if fewer than FEWEST errors are known.
        """
        steps = np.arange(step - step // 8, min(step + step // 8, self.sizes.shape[1]) + 1)
        sizes = self.sizes[:, steps - 1]
        known = (self.origins[:, None] + steps - 1 < now) & np.isfinite(sizes)
        if known.sum() < FEWEST:
            return np.full(len(levels), np.nan)
        unseen = np.broadcast_to(self.origins[:, None] >= self.unseen, known.shape)[known]
        since, before = (now - self.unseen) / step, (self.unseen - self.origins[0]) / step
        share = 1.0 if unseen.all() else min(since / INDEPENDENT, 1.0)  # of what need no help
        weights = np.where(
            unseen, share / max(unseen.sum(), 1), (1 - share) / max((~unseen).sum(), 1)
        )
        order = np.argsort(sizes[known])
        reached = np.cumsum(weights[order]) / weights.sum()
        one = share**2 / max(1.5 * since, 1) + (1 - share) ** 2 / max(1.5 * before, 1)
        certain = np.minimum(np.asarray(levels) * (1 + max(one, 1 / len(order))), 1)
        return sizes[known][order][
            np.searchsorted(reached, certain - 1e-9).clip(max=len(order) - 1)
        ]

    def widths(self, origins: np.ndarray, step: int, level: float = 0.9) -> np.ndarray:
        """Return the quantile as it was known at each of the origins: (forecasts,).

        It is looked up RENEWED times at most, evenly.
        """
        renewed = origins[:: -(-len(origins) // RENEWED)]
        known = np.array([self.quantiles(now, step, [level])[0] for now in renewed])
        return known[np.searchsorted(renewed, origins, side="right") - 1]


def scale_ahead(now: np.ndarray, usual: np.ndarray, step: int, decay: float) -> np.ndarray:
    """Return the scale of the errors that pile up over `step` steps.

    The present scale counts by the mean of decay^0 ... decay^(step - 1), the usual one by the rest.

    Args:
        now: (forecasts,) scale before each forecast.
        usual: (forecasts,) the same with LONG times the memory.
        step: steps ahead, from 1.
        decay: of `now`.
    """
    share = (1 - decay**step) / (step * (1 - decay))
    return now**share * usual ** (1 - share)


def scales(errors: np.ndarray, start: float, decay: float) -> np.ndarray:
    """Return the scale known before each error (time,), and after the last: (time + 1,)."""
    squares = pd.Series(np.concatenate([[start], errors]) ** 2)
    return np.sqrt(squares.ewm(alpha=1 - decay, adjust=False).mean().to_numpy())


class Spread(NamedTuple):
    """What a saved model must know to put intervals around its forecasts."""

    relative: bool  # whether an error is the log-ratio actual / forecast, not the difference
    decay: float  # of the scale's memory, in (0, 1)
    lowest: float | None  # the series never goes below
    scale: float = np.nan  # of errors, after the last row of the data
    usual: float = np.nan  # the same, with LONG times the memory
    until: str = ""  # that row's time, or count
    steps: Sequence[int] = ()  # ahead, from 1, increasing
    sizes: Sequence[Sequence[float]] = ()  # (steps, levels) `Record.quantiles` of LEVELS

    @property
    def slow(self) -> float:
        """The decay of the usual scale."""
        return 1 - (1 - self.decay) / LONG

    def errors(self, actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
        """Return the errors as this spread measures them."""
        return np.log(actual / forecast) if self.relative else actual - forecast

    def bounds(self, forecast: np.ndarray, width: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the lower and upper bound around a forecast, for an error of size `width`."""
        if self.relative:
            return forecast * np.exp(-width), forecast * np.exp(width)
        return self.possible(forecast - width), self.possible(forecast + width)

    def possible(self, values: np.ndarray) -> np.ndarray:
        """Return the values, none of them below what the series ever was below: zero."""
        return values if self.lowest is None else np.maximum(values, self.lowest)

    def measured(
        self, record: Record, scale: float, usual: float, until: object, most: int
    ) -> Spread:
        """Return what the record of past errors says at the end of the data.

        Args:
            record: of all forecasts whose outcome is known.
            scale: of the errors, after the last row.
            usual: the same, with the long memory.
            until: the last row's time, or count.
            most: steps ahead that are of interest.
        """
        now = record.origins[-1] + 1
        steps = np.unique(np.geomspace(1, min(most, record.sizes.shape[1]), 60).round()).astype(int)
        sizes = [record.quantiles(now, step, LEVELS) for step in steps]
        known = [i for i, size in enumerate(sizes) if np.isfinite(size).all()]
        return self._replace(
            scale=float(scale),
            usual=float(usual),
            until=str(until),
            steps=steps[known].tolist(),
            sizes=[sizes[i].tolist() for i in known],
        )

    def interval(self, forecast: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the bounds of a forecast past the end, both (steps,), as `forecast` is.

        Beyond the steps whose errors were measured, they are taken to grow on as they did over the
        last doubling of the steps.
        """
        sizes = np.array(self.sizes)[:, LEVELS.index(level)]
        ahead, last = np.arange(1, len(forecast) + 1), self.steps[-1]
        half = np.interp(last / 2, self.steps, sizes)
        growth = min(np.log2(sizes[-1]) - np.log2(half), 1.0) if sizes[-1] > half > 0 else 0.0
        sizes = np.interp(ahead, self.steps, sizes) * np.maximum(ahead / last, 1) ** growth
        scale = [scale_ahead(self.scale, self.usual, step, self.decay) for step in ahead]
        return self.bounds(forecast, scale * sizes)


# ------------------------------------------------------------------ forecasts


class Forecaster(NamedTuple):
    """A trained network, and what must be known to forecast with it."""

    network: keras.Model
    columns: list[str]  # the series that it reads and predicts; the first is the target
    calendar: list[str]  # names of the calendar columns that it reads besides
    step: str  # time from row to row
    spread: Spread | None = None  # of its errors, once measured
    zone: str | None = None  # of the clock

    @property
    def input_steps(self) -> int:
        """Past steps per window."""
        return self.network.input_shape[1]

    def values(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the series and, to their right, their calendar: (time, columns)."""
        return index.with_calendar(frame, self.calendar)

    def one_step(self, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Forecast the target in the given rows from the true values before them: (windows,)."""
        stream = in_order(values, rows, self.input_steps, len(self.columns))
        return self.network.predict(stream.map(lambda inputs, _: inputs), verbose=0)[:, 0].astype(
            float
        )

    def recursive(self, values: np.ndarray, origins: np.ndarray, steps: int) -> np.ndarray:
        """Forecast step by step, each forecast being the newest input of the next one.

        In plain words, and without the speed of a loop that is compiled once, as a whole:

            windows = cut(values, origins, input_steps)
            for i in range(steps):
                forecast = network(windows)
                newest = concatenate(forecast, calendar[origins + i])
                windows = concatenate(windows[1:], newest)

        Args:
            values: (time, columns), and as many rows of calendar more as the forecasts need.
            origins: (forecasts,) row of each forecast's first step.
            steps: how many.

        Returns:
            (forecasts, steps) of the target.
        """
        network, targets = self.network, len(self.columns)
        windows = cut(values, origins, self.input_steps)
        calendar = values[np.arange(steps)[:, None] + origins, targets:]  # (steps, forecasts, ...)

        # XLA has no part for the fused GPU kernels of GRU and LSTM, which are fast without
        @tf.function(jit_compile=all(layer.supports_jit for layer in network.layers))
        def roll(windows, calendar):
            def step(i, windows, forecasts):
                forecast = network(windows, training=False)  # (forecasts, targets)
                newest = tf.concat([forecast, calendar[i]], axis=-1)  # (forecasts, columns)
                windows = tf.concat([windows[:, 1:], newest[:, None]], axis=1)
                return i + 1, windows, forecasts.write(i, forecast[:, 0])

            forecasts = tf.TensorArray(tf.float32, steps, element_shape=windows.shape[:1])
            loop = tf.while_loop(lambda i, *_: i < steps, step, (0, windows, forecasts))
            return loop[-1].stack()  # (steps, forecasts)

        forecasts = roll(*(tf.constant(array, tf.float32) for array in (windows, calendar)))
        return forecasts.numpy().T.astype(float)

    def save(self, path: Path, script: str) -> None:
        """Save everything as one `.keras` file."""
        facts = self._asdict() | {"spread": self.spread._asdict(), "script": script}
        training.save(path, facts.pop("network"), facts)

    @classmethod
    def load(cls, path: str, script: str) -> Forecaster:
        """Load what `save` wrote.

        Raises:
            InputError: if the file isn't such a model.
        """
        network, facts = training.load(path, script)
        try:
            forecaster = cls(network, spread=Spread(**facts.pop("spread")), **facts)
            _, _, _ = network.input_shape
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path} is not a model that {script} saved ({error!r})") from error
        return forecaster

    def check(self, frame: pd.DataFrame, path: str) -> None:
        """Refuse a series that the model, loaded from `path`, has not learned to read.

        Raises:
            InputError: if columns or step are others, or the series is too short.
        """
        if list(frame) != self.columns:
            raise InputError(
                f"--load {path}: the model reads the columns {', '.join(self.columns)}, in this "
                f"order; given are {', '.join(frame)}; name the same with --column and --features"
            )
        step = index.step(frame.index)
        if step != self.step:
            raise InputError(
                f"--load {path}: the model has learned a step of {self.step}, the data's step is "
                f"{step}; bring data of the same step"
            )
        zone = index.zone(frame.index)
        if zone != self.zone:
            raise InputError(
                f"--load {path}: the model's clock is of {self.zone or 'no time zone'}, "
                f"the data's is of {zone or 'none'}; bring times of the same zone"
            )
        if len(frame) <= self.input_steps:
            raise InputError(
                f"--load {path}: the model's windows have {self.input_steps} steps, so it needs at "
                f"least {self.input_steps + 1} rows; the data have {len(frame)}"
            )

    def since(self, frame: pd.DataFrame) -> Forecaster:
        """Let the errors in rows that came after those of the training tell today's scale."""
        new = np.flatnonzero(frame.index > type(frame.index[0])(self.spread.until))
        rows = untouched(new[new >= self.input_steps], frame.attrs.get("filled", ()))
        if not len(rows):
            return self
        values = self.values(frame)
        spread = self.spread
        errors = spread.errors(values[rows, 0], self.one_step(values, rows))
        scale = scales(errors, spread.scale, spread.decay)[-1]
        usual = scales(errors, spread.usual, spread.slow)[-1]
        return self._replace(spread=spread._replace(scale=scale, usual=usual))

    def past_the_end(self, frame: pd.DataFrame, steps: int) -> pd.DataFrame:
        """Forecast past the end of a series: columns forecast, lower, upper (of 90 %) by time."""
        times = index.future_index(frame.index, steps)
        coming = index.calendar(times, self.calendar)
        values = np.vstack(
            [
                self.values(frame)[-self.input_steps :],
                np.pad(coming, [(0, 0), (len(frame.columns), 0)]),
            ]
        )
        forecast = self.recursive(values, np.array([self.input_steps]), steps)[0]
        forecast = self.spread.possible(forecast)
        lower, upper = self.spread.interval(forecast, 0.9)
        return pd.DataFrame({"forecast": forecast, "lower": lower, "upper": upper}, times)
