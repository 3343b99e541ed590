"""A network that forecasts all steps at once, with quantiles: as a forecaster, and blended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from utils.series.heads import LinearHeads, Scaling, inner_of
from utils.series.panel import Panel, evenly
from utils.series.windows import coming_of, in_order

import keras
import numpy as np
import tensorflow as tf

SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)  # of what a network learned, beyond its linear start
VAL_ORIGINS = 4096


def many_steps(panel: Panel, weights: np.ndarray, log: bool) -> Callable:
    """Return what cuts the windows of a network that predicts all steps at once.

    Args:
        panel: the series.
        weights: (series,), how much an error counts.
        log: whether the spread is that of logarithms.

    Returns:
        from origins (batch,) to inputs, a dictionary: "past" (batch, input_steps, 1 + features),
        inner values, NaN where missing; "coming" (batch, input_steps + horizon, inputs), what is
        known beforehand; "series" (batch, 1), its number; "spread" (batch, 1); and to targets
        (batch, horizon, 2): the inner value, and the weight of its error, 0 where it is missing.
    """
    inner, coming = inner_of(panel), coming_of(panel)
    values = tf.constant(inner.values)
    numbers, start = tf.constant(panel.numbers, tf.int32), tf.constant(panel.start)
    spread = tf.constant(inner.log_spread if log else inner.spread)
    weights = tf.constant(weights, tf.float32)
    past = tf.range(-panel.input_steps, 0, dtype=tf.int64)
    ahead = tf.range(panel.horizon, dtype=tf.int64)

    def cut(origins):
        series = tf.searchsorted(start, origins, side="right") - 1
        inputs = {
            "past": tf.gather(values, origins[:, None] + past),
            "coming": coming(origins[:, None] + tf.concat([past, ahead], 0)),
            "series": tf.gather(numbers, series)[:, None],
            "spread": tf.gather(spread, series)[:, None],
        }
        actual = tf.gather(values, origins[:, None] + ahead)[..., 0]
        seen = tf.math.is_finite(actual)
        weight = tf.where(seen, tf.gather(weights, series)[:, None], 0.0)
        return inputs, tf.stack([tf.where(seen, actual, 1.0), weight], axis=-1)

    return cut


class Direct(NamedTuple):
    """A forecaster (panel, origins) -> (windows, horizon, 1 + quantiles): the forecast, quantiles.

    Its model has the inputs of `many_steps` and the outputs mean and
    quantiles, (windows, horizon, 1 + quantiles), as inner values.
    """

    model: keras.Model
    quantiles: Sequence[float]  # ascending, symmetric around 0.5
    squared: bool  # whether its forecast is the mean, or else the median
    log: bool  # whether it learned logarithms

    @property
    def levels(self) -> list[float]:
        """Return the levels of the intervals that the quantiles make, the widest first."""
        return [round(1 - 2 * quantile, 6) for quantile in self.quantiles if quantile < 0.5]

    @property
    def point(self) -> int:
        """Which of the outputs is the forecast."""
        return 0 if self.squared else 1 + self.quantiles.index(0.5)

    def __call__(self, panel: Panel, origins: np.ndarray, newest: int | None = None) -> np.ndarray:
        """Return the forecasts and their quantiles, in the series' unit.

        With `newest`, only so many values of each window are known: its series is that young.
        """
        cut = many_steps(panel, np.ones(len(panel.names)), self.log)
        newest = newest or panel.input_steps
        old = np.arange(panel.input_steps)[:, None] < panel.input_steps - newest

        def inputs(windows, _):
            return windows | {"past": tf.where(old, np.nan, windows["past"])}

        outputs = self.model.predict(in_order(cut, origins).map(inputs), verbose=0)
        outputs = inner_of(panel).outer(outputs, panel.series_of(origins))
        outputs = np.maximum(outputs, panel.lowest)
        return np.concatenate([outputs[..., self.point, None], outputs[..., 1:]], axis=-1)


class Whole(NamedTuple):
    """A forecaster whose forecasts are rounded: of counts, the median is a whole number."""

    forecaster: Callable

    def __call__(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return what the forecaster says; of quantiles beside it, none is rounded."""
        forecast = self.forecaster(panel, origins)
        if forecast.ndim == 2:
            return np.rint(forecast)
        return np.concatenate([np.rint(forecast[..., :1]), forecast[..., 1:]], axis=-1)


def symmetric(quantiles: Sequence[float] | None) -> tuple[float, ...]:
    """Return quantiles and their mirror images around 0.5, ascending; 5 and 95 % by default."""
    quantiles = quantiles or (0.05, 0.5, 0.95)
    return tuple(sorted({round(q, 6) for quantile in quantiles for q in (quantile, 1 - quantile)}))


def best_share(direct: Direct, linear: LinearHeads, panel: Panel) -> float:
    """Return the share of a network's difference from its start that is best in validation."""
    origins = evenly(panel.origins("val", panel.horizon), VAL_ORIGINS)
    scale, power = panel.mase_scale[panel.series_of(origins), None], 2 if direct.squared else 1
    forward, back = (np.log, np.exp) if direct.log else (np.positive, np.positive)
    start = forward(linear(panel, origins))
    learned = forward(direct(panel, origins)[..., 0]) - start
    errors = [panel.targets(origins) - back(start + share * learned) for share in SHARES]
    return SHARES[int(np.argmin([np.nanmean(np.abs(error / scale) ** power) for error in errors]))]


def blended(direct: Direct, linear: LinearHeads, share: float, copy: keras.Model) -> Direct:
    """Return a network whose forecast has gone back to its start, all but a share of the way.

    Its quantiles go with it.

    Args:
        direct: with layers "start", Dense, and "correction", Dense.
        linear: its start.
        share: of what was learned that is kept.
        copy: a network built alike, that is to hold the blend.
    """
    copy.set_weights(direct.model.get_weights())
    start, correction = copy.get_layer("start"), copy.get_layer("correction")
    started = zip(start.get_weights(), (linear.kernel, linear.bias), strict=True)
    start.set_weights([share * now + (1 - share) * first for now, first in started])
    moved = []
    for weight in correction.get_weights():
        by_output = weight.reshape(*weight.shape[:-1], -1, 1 + len(direct.quantiles))
        point = by_output[..., [direct.point]]
        moved.append((by_output - (1 - share) * point).reshape(weight.shape))
    correction.set_weights(moved)
    return direct._replace(model=copy)


def mean_of(networks: Sequence[keras.Model]) -> keras.Model:
    """Return one network whose outputs are the mean of several."""
    if len(networks) == 1:
        return networks[0]
    inputs = [keras.Input(x.shape[1:], dtype=x.dtype, name=x.name) for x in networks[0].inputs]
    for number, network in enumerate(networks, 1):
        network.name = f"network_{number}"
        network.compiled = False  # its loss, a function, can't be saved with a model around it
    return keras.Model(inputs, keras.layers.average([network(inputs) for network in networks]))


def linear_inputs(
    panel: Panel,
    scaling: Scaling,
    window: keras.KerasTensor,
    past: keras.KerasTensor,
    coming: keras.KerasTensor,
    level: keras.KerasTensor,
) -> keras.KerasTensor:
    """Return what linear heads read, in the order of `LinearHeads.inputs`, as a tensor of Keras.

    Args:
        panel: the series.
        scaling: of the heads.
        window: (batch, input_steps), scaled.
        past: as `many_steps` gives it.
        coming: likewise.
        level: (batch, 1), of the window.
    """
    ops, waves = keras.ops, panel.calendar.shape[1]

    def flat(x):
        return ops.reshape(x, (-1, x.shape[1] * x.shape[2]))

    features = past[..., 1:]
    columns = [window, coming[:, panel.input_steps, :waves], flat(coming[:, :, waves:])]
    columns.append(flat(ops.where(ops.isfinite(features), features, 0.0)))
    columns += [level * (inner_of(panel).unit / panel.mase_scale[0])] * scaling.level
    return ops.concatenate([column for column in columns if column.shape[-1]], axis=-1)
