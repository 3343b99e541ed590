"""A network of the next step: the windows that it learns from, and forecasts fed back to it.

Windows are streams of batches, each a vector of origins and one gather, so that memory grows with
the rows and not with the windows. A batch holds inputs (batch, input_steps, targets + coming), in
each row the z-scores, and the calendar and known columns of the row *after* it, which are known by
then; and the z-scores of the origins' rows, (batch, targets).
"""

from typing import NamedTuple

from utils.series.panel import Panel

import keras
import numpy as np
import tensorflow as tf

VAL_BATCH = 1024  # windows
ORIGINS_AT_ONCE = 4096


def shuffled(panel: Panel, batch_size: int, seed: int) -> "tf.data.Dataset":
    """Stream the train part without end: each pass takes every window once, in a new order."""
    rows = tf.constant(panel.known_origins("train"))
    filled = tf.range(-(-len(rows) // batch_size) * batch_size) % len(rows)

    def one_pass(number):  # the last batch begins the pass anew
        order = tf.random.experimental.stateless_shuffle(rows, seed=[seed, number])
        batches = tf.reshape(tf.gather(order, filled), [-1, batch_size])
        return tf.data.Dataset.from_tensor_slices(batches)

    return tf.data.Dataset.counter().flat_map(one_pass).map(_cutting(panel)).prefetch(8)


def in_order(panel: Panel, part: str = "val") -> "tf.data.Dataset":
    """Stream a part once, oldest first, in batches of VAL_BATCH."""
    origins = tf.data.Dataset.from_tensor_slices(panel.known_origins(part))
    return origins.batch(VAL_BATCH).map(_cutting(panel)).prefetch(4)


def _cutting(panel):
    """Return what cuts a batch, from origins (batch,)."""
    after = panel.coming(np.arange(1, len(panel.values) + 1))
    rows = tf.constant(np.concatenate([panel.z, after], axis=1), tf.float32)
    past = tf.range(-panel.input_steps, 0, dtype=tf.int64)

    def cut(origins):
        inputs, targets = tf.gather(rows, origins[:, None] + past), tf.gather(rows, origins)
        return inputs, targets[:, : len(panel.columns)]

    return cut


def in_own_unit(network: "keras.Model", panel: Panel) -> "keras.Model":
    """Return a model around a network of z-scores, which takes and returns the series' own unit.

    Its arithmetic is in 64 bits, so that a level of a billion doesn't swallow changes of one. The
    network maps z-scores (batch, input_steps, targets + coming) to the next (batch, targets).
    """
    ops, targets, mean, std = keras.ops, len(panel.columns), panel.mean, panel.std
    windows = keras.Input(network.input_shape[1:], dtype="float64")
    values = windows[:, :, :targets]
    z = ((ops.log(values) if panel.log else values) - mean) / std
    z = ops.concatenate([z, windows[:, :, targets:]], axis=-1)
    network = keras.Model(network.inputs, network.outputs[0])  # saved without its loss
    ahead = ops.cast(network(ops.cast(z, "float32")), "float64") * std + mean
    return keras.Model(windows, ops.exp(ahead) if panel.log else ahead)


class Recursive(NamedTuple):
    """Forecasts step by step, each forecast being the newest input of the next one."""

    model: "keras.Model"  # of `in_own_unit`

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
