"""Windows as streams of batches: each batch is a vector of origins and one gather.

So memory grows with the rows and not with the windows.
"""

from __future__ import annotations

from collections.abc import Callable

from utils.series.panel import Panel

import numpy as np
import tensorflow as tf

VAL_BATCH = 1024  # windows


def next_step(panel: Panel) -> Callable:
    """Return what cuts the windows of a network that predicts one step ahead, in z-scores.

    Returns:
        from origins (batch,) to inputs (batch, input_steps, targets + coming): of each row the
        z-scores, and the calendar and known columns of the row *after* it, which are known by then;
        and to the z-scores of the origins' rows, (batch, targets).
    """
    after = panel.coming(np.arange(1, len(panel.values) + 1))
    rows = tf.constant(np.concatenate([panel.z, after], axis=1), tf.float32)
    past = tf.range(-panel.input_steps, 0, dtype=tf.int64)

    def cut(origins):
        inputs, targets = tf.gather(rows, origins[:, None] + past), tf.gather(rows, origins)
        return inputs, targets[:, : len(panel.columns)]

    return cut


def shuffled(cut: Callable, origins: np.ndarray, batch_size: int, seed: int) -> tf.data.Dataset:
    """Stream batches for training, without end: each pass takes every window once, in a new order.

    Args:
        cut: from origins (batch,) to inputs and targets, such as `next_step`.
        origins: (windows,)
        batch_size: windows per batch.
        seed: of the order.
    """
    rows = tf.constant(origins)
    filled = tf.range(-(-len(origins) // batch_size) * batch_size) % len(origins)

    def one_pass(number):  # the last batch begins the pass anew
        order = tf.random.experimental.stateless_shuffle(rows, seed=[seed, number])
        batches = tf.reshape(tf.gather(order, filled), [-1, batch_size])
        return tf.data.Dataset.from_tensor_slices(batches)

    return tf.data.Dataset.counter().flat_map(one_pass).map(cut).prefetch(8)


def in_order(cut: Callable, origins: np.ndarray) -> tf.data.Dataset:
    """Stream batches once, oldest first, for validation; arguments as above."""
    return tf.data.Dataset.from_tensor_slices(origins).batch(VAL_BATCH).map(cut).prefetch(4)
