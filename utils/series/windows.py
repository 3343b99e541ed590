"""Windows as streams of batches: each batch is a vector of origins and one gather.

So memory grows with the rows and not with the windows.
"""

from __future__ import annotations

from collections.abc import Callable

from utils.series.panel import Panel

import numpy as np
import tensorflow as tf

PREDICT_BATCH = 1024  # windows


def next_step(panel: Panel) -> Callable:
    """Return what cuts the windows of a network that predicts one step ahead, in z-scores.

    Returns:
        from origins (batch,) to inputs (batch, input_steps, targets + coming): of each row the
        z-scores, and the calendar and known columns of the row *after* it, which are known by then;
        and to the z-scores of the origins' rows, (batch, targets).
    """
    filled = np.log(panel.filled) if panel.log else panel.filled
    z = tf.constant((filled - panel.mean) / panel.std, tf.float32)
    coming = _coming(panel)
    past = tf.range(-panel.input_steps, 0, dtype=tf.int64)

    def cut(origins):
        rows = origins[:, None] + past
        return tf.concat([tf.gather(z, rows), coming(rows + 1)], -1), tf.gather(z, origins)

    return cut


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
    values, coming = tf.constant(panel.inner), _coming(panel)
    numbers, start = tf.constant(panel.numbers, tf.int32), tf.constant(panel.start)
    spread = tf.constant(panel.log_spread if log else panel.spread)
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


def _coming(panel):
    calendar, known = (
        tf.constant(panel.calendar),
        tf.constant(np.pad(panel.known, [(0, 1), (0, 0)])),
    )
    moment = tf.constant(panel.moment)

    def coming(rows):
        return tf.concat([tf.gather(calendar, tf.gather(moment, rows)), tf.gather(known, rows)], -1)

    return coming


def shuffled(cut: Callable, origins: np.ndarray, batch_size: int, seed: int) -> tf.data.Dataset:
    """Stream batches for training, without end: each pass takes every window once, in a new order.

    Args:
        cut: of `next_step` or `many_steps`.
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


def in_order(
    cut: Callable, origins: np.ndarray, batch_size: int = PREDICT_BATCH
) -> tf.data.Dataset:
    """Stream batches once, oldest first, for validation and prediction; arguments as above."""
    return tf.data.Dataset.from_tensor_slices(origins).batch(batch_size).map(cut).prefetch(4)
