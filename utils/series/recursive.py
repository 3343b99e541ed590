"""A network of the next step, in the series' own unit, that feeds on its own forecasts."""

from __future__ import annotations

from utils.series.panel import Panel

import keras
import numpy as np
import tensorflow as tf

ORIGINS_AT_ONCE = 4096


def in_own_unit(network: keras.Model, panel: Panel) -> keras.Model:
    """Return a model around a network of z-scores, which takes and returns the series' own unit.

    Its arithmetic is in 64 bits, so that a level of a billion doesn't swallow changes of one.

    Args:
        network: z-scores (batch, input_steps, targets + coming) -> (batch, targets), the next ones.
        panel: what it was trained on.

    Returns:
        the same for values in the series' unit, as `Recursive` feeds it.
    """
    ops, targets, mean, std = keras.ops, len(panel.columns), panel.mean, panel.std
    windows = keras.Input(network.input_shape[1:], dtype="float64")
    values = windows[:, :, :targets]
    z = ((ops.log(values) if panel.log else values) - mean) / std
    z = ops.concatenate([z, windows[:, :, targets:]], axis=-1)
    network = keras.Model(network.inputs, network.outputs[0])  # saved without its loss
    ahead = ops.cast(network(ops.cast(z, "float32")), "float64") * std + mean
    return keras.Model(windows, ops.exp(ahead) if panel.log else ahead)


class Recursive:
    """Forecasts step by step, each forecast being the newest input of the next one.

    Args:
        model: of `in_own_unit`.
    """

    def __init__(self, model: keras.Model):
        self.model = model

    def __call__(self, panel: Panel, origins: np.ndarray, steps: int | None = None) -> np.ndarray:
        """Return the forecasts of the target, (windows, horizon), or of so many steps."""
        steps = steps or panel.horizon

        @tf.function(reduce_retracing=True)  # the loop becomes one of the graph
        def roll(windows, coming):
            forecasts = tf.TensorArray(windows.dtype, steps)
            for step in tf.range(steps):
                ahead = self.model(windows, training=False)  # (windows, targets)
                forecasts = forecasts.write(step, ahead[:, 0])
                newest = tf.concat([ahead, coming[step]], axis=-1)[:, None]
                windows = tf.concat([windows[:, 1:], newest], axis=1)
            return forecasts.stack()  # (steps, windows)

        forecasts = []
        for some in np.array_split(origins, -(-len(origins) // ORIGINS_AT_ONCE)):
            rows = some[:, None] + np.arange(-panel.input_steps, 0)
            windows = np.concatenate([panel.filled[rows], panel.coming(rows + 1)], axis=-1)
            coming = panel.coming(some + np.arange(1, steps + 1)[:, None]).astype(float)
            forecasts.append(roll(tf.constant(windows), tf.constant(coming)).numpy().T)
        return np.maximum(np.concatenate(forecasts), panel.lowest)
