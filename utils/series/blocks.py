"""What stands around the layers of a forecasting network: what it reads and what it starts from."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from utils.series.evaluation import LinearAutoregression

import keras
import numpy as np


def scale(values: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each column, (columns,), without the outermost values.

    One value of a million among thousands would otherwise make all others look alike.
    """
    low, high = np.quantile(values, [0.005, 0.995], axis=0)
    inner = np.clip(values, low, high).std(axis=0)
    return np.where(inner > 0, inner, values.std(axis=0)).astype("float32")


class Start(NamedTuple):
    """What a forecast starts from, before a network has learned anything."""

    noise: float  # on the target as the network reads it, in standard deviations of its changes
    forecast: Callable  # from a network's inputs to (targets,) or (batch, targets)


def starting_point(
    name: str,
    train: np.ndarray,
    linear: LinearAutoregression,
    season: int | None = None,
    positive: bool = False,
) -> Start:
    """Return one of the places that forecasts start from.

    Args:
        name: "mean", "median", "persistence", "seasonal_naive" or "linear".
        train: (time, targets)
        linear: fitted.
        season: steps of one season, of "seasonal_naive"; no longer than a window.
        positive: whether weighted sums are to stay above zero: at a tenth of the last value.
    """
    targets = train.shape[1]

    def from_linear(inputs):
        past, calendar = inputs[:, :, :targets], inputs[:, -1, targets:]
        window = keras.layers.Concatenate()([keras.layers.Flatten()(past), calendar])
        sums = keras.layers.Dense(targets, trainable=False)
        forecast = sums(window)
        sums.set_weights([linear.kernel, linear.bias])
        return keras.ops.maximum(forecast, 0.1 * past[:, -1]) if positive else forecast

    return {
        "mean": Start(1.0, lambda inputs: train.mean(axis=0).astype("float32")),
        "median": Start(1.0, lambda inputs: np.median(train, axis=0).astype("float32")),
        "persistence": Start(0.3, lambda inputs: inputs[:, -1, :targets]),
        "seasonal_naive": Start(0.3, lambda inputs: inputs[:, -season, :targets]),
        "linear": Start(0.3, from_linear),
    }[name]


def normalised(inputs: keras.KerasTensor, train: np.ndarray, noise: float) -> keras.KerasTensor:
    """Return what a network reads of its windows: where the series stand, how they got there, when.

    That is the series in units of the train part's deviation from its mean; the same, less their
    last value, which is right at any level; and the calendar. Noise on the target while it trains
    keeps a network from learning the noise of the data by heart.

    Args:
        inputs: (batch, input_steps, columns), in the series' units.
        train: (time, targets), as which the first columns are normalised.
        noise: in standard deviations of the target's change from row to row.

    Returns:
        (batch, input_steps, targets + columns)
    """
    targets, unit = train.shape[1], scale(train)
    series = (inputs[:, :, :targets] - train.mean(axis=0).astype("float32")) / unit
    steady = min(float(np.diff(train[:, 0]).std() / unit[0]), 1.0)
    noisy = keras.layers.GaussianNoise(noise * steady)(series[:, :, :1])
    series = keras.layers.Concatenate()([noisy, series[:, :, 1:]])
    known = (train - train.mean(axis=0)) / unit  # beyond, a level means nothing
    low, high = np.clip([known.min(axis=0), known.max(axis=0)], -4, 4).astype("float32")
    level = keras.ops.minimum(keras.ops.maximum(series, low), high)
    return keras.layers.Concatenate()([level, series - series[:, -1:], inputs[:, :, targets:]])


def column_weights(train: np.ndarray) -> np.ndarray:
    """Return the weight of each column's absolute error: (targets,).

    It is one over the mean change from row to row, and of all columns but the first a share in a
    quarter: they are needed to go on from, but it is the target that is asked for.
    """
    shares = np.full(train.shape[1], 0.25 / max(train.shape[1] - 1, 1))
    shares[0] = 1.0
    return (shares / np.abs(np.diff(train, axis=0)).mean(axis=0)).astype("float32")


def believed(network: keras.Model, baseline: Start, share: float) -> keras.Model:
    """Return the network whose forecasts go so far from those of a baseline only."""
    if share == 1:
        return network
    simple = baseline.forecast(network.input)
    return keras.Model(network.input, share * (network.output - simple) + simple)


def summary(network: keras.Model) -> str:
    """Return the layers with weights: what they put out, and how many weights they have."""
    rows = [layer for layer in network.layers if layer.trainable_weights]
    lines = [f"    inputs (windows, {', '.join(map(str, network.input_shape[1:]))})"]
    for layer in rows:
        shape = ", ".join(map(str, layer.output.shape[1:]))
        kind = type(layer).__name__
        lines.append(f"    {kind:10} -> (windows, {shape})  {layer.count_params():,} weights")
    recurrent = sum(layer.count_params() for layer in rows if isinstance(layer, keras.layers.RNN))
    share = recurrent / network.count_params()
    return "\n".join([*lines, f"    {share:.0%} of the weights are in recurrent layers"])
