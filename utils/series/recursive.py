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

    def __call__(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts of the target, (windows, horizon).

        In plain words, and without the speed of a loop that is compiled as a whole:

            for step in range(horizon):
                forecast = model(windows)
                windows = concatenate(windows[1:], [forecast, what is known of the row after it])
        """
        model, horizon = self.model, panel.horizon

        @tf.function(reduce_retracing=True)
        def roll(windows, coming):
            def step(i, windows, forecasts):
                ahead = model(windows, training=False)  # (windows, targets)
                newest = tf.concat([ahead, coming[i]], axis=-1)[:, None]
                return (
                    i + 1,
                    tf.concat([windows[:, 1:], newest], axis=1),
                    forecasts.write(i, ahead[:, 0]),
                )

            forecasts = tf.TensorArray(tf.float64, horizon)
            loop = tf.while_loop(lambda i, *_: i < horizon, step, (0, windows, forecasts))
            return loop[-1].stack()  # (horizon, windows)

        forecasts = []
        for some in np.array_split(origins, -(-len(origins) // ORIGINS_AT_ONCE)):
            windows = self._windows(panel, some)
            ahead = panel.coming(
                np.minimum(some + np.arange(1, horizon + 1)[:, None], len(panel.values) - 1)
            )
            forecasts.append(roll(tf.constant(windows), tf.constant(ahead, tf.float64)).numpy().T)
        return np.maximum(np.concatenate(forecasts), panel.lowest)

    def next(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts of the target one step ahead, (windows,)."""
        return self.model.predict(self._windows(panel, origins), verbose=0)[:, 0]

    @staticmethod
    def _windows(panel, origins):
        """Return what the model reads, (windows, input_steps, targets + coming)."""
        rows = origins[:, None] + np.arange(-panel.input_steps, 0)
        return np.concatenate([panel.filled[rows], panel.coming(rows + 1)], axis=-1)
