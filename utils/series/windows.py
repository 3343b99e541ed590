"""A series -> windows: split by time, then cut and streamed, never all in memory at once.

A window is named by the row of its first target: its inputs are the `input_steps` rows before that
row. A forecast of many steps begins there too, so that row is also called its origin.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from utils import InputError

import numpy as np
import tensorflow as tf

SHARE = 0.15  # of the series for validation, and again for the test
MIN_WINDOWS = 10  # per part: a 90 % interval can't be calibrated on fewer than 9


class Parts(NamedTuple):
    """The target rows of the train, validation and test windows, each (windows,), oldest first."""

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray


def untouched(rows: np.ndarray, filled: Sequence[int]) -> np.ndarray:
    """Leave out the target rows that are interpolated, or follow from an input that knew them.

    An interpolated value is made from the value after the gap: a window that ends within a gap
    knows what it is asked for.

    Args:
        rows: (windows,) target rows.
        filled: rows with interpolated values.
    """
    return np.setdiff1d(rows, np.union1d(filled, np.add(filled, 1)))


def split_by_time(length: int, input_steps: int, filled: Sequence[int] = ()) -> Parts:
    """Split a series into train (70 %), validation (15 %) and test (15 %), oldest first.

    A window belongs to the part that holds its target; its inputs may reach back into the part
    before, whose values are known by then. So no window is lost and none leaks.

    Args:
        length: rows of the series.
        input_steps: past steps per window.
        filled: rows with interpolated values; see `untouched`.

    Returns:
        the target rows of the parts, which together are input_steps ... length - 1, but for those
        that `filled` takes away.

    Raises:
        InputError: if a part would hold fewer than MIN_WINDOWS windows.
    """

    def bounds(length):
        share = round(length * SHARE)
        return [input_steps, length - 2 * share, length - share, length]

    def enough(length):
        return min(np.diff(bounds(length))) >= MIN_WINDOWS

    if not enough(length):
        least = max(length, int(input_steps / (1 - 2 * SHARE)))
        needed = next(filter(enough, itertools.count(least)))
        shorter = " or lower --input-steps" if length * SHARE >= MIN_WINDOWS else ""
        raise InputError(
            f"too few rows: {length}, and windows of {input_steps} steps need {needed}; "
            f"bring a longer series{shorter}"
        )
    parts = [np.arange(start, end) for start, end in itertools.pairwise(bounds(length))]
    left = Parts(*(untouched(rows, filled) for rows in parts))
    for name, before, after in zip(("training", "validation", "test"), parts, left, strict=True):
        if len(after) < MIN_WINDOWS:
            raise InputError(
                f"--fill: of the {len(before)} rows of the {name} part, only {len(after)} are "
                f"untouched by gaps; it needs {MIN_WINDOWS}"
            )
    return left


def check(values: np.ndarray, parts: Parts, names: Iterable[str]) -> None:
    """Refuse series that a network can't learn from, or that can't be scored.

    Args:
        values: (time, columns), of which the first ones are series.
        parts: target rows.
        names: of the series.

    Raises:
        InputError: if a series stands still, or moves less than 32-bit numbers can tell.
    """
    first, last = parts.val[0], len(values) - parts.test[0]
    for column, name in zip(values.T, names, strict=False):
        known = column[:first]
        if known.min() == known.max():
            raise InputError(
                f"column {name!r} is {column[0]:g} in all of the first {first} rows, the "
                "train part: nothing to learn there; name another column or bring a longer series"
            )
        level, moves = np.median(np.abs(known)), known.std()
        if np.abs(column).max() > 1e18 or moves < 1e-5 * level:
            raise InputError(
                f"column {name!r} is about {level:g}, reaches {np.abs(column).max():g} and moves "
                f"by {moves:g}, which 32-bit numbers can't hold; subtract a constant, or take a "
                "larger unit"
            )
    target, name = values[parts.test[0] :, 0], next(iter(names))
    if target.min() == target.max():
        raise InputError(
            f"column {name!r} is {target[0]:g} in all of the last {last} rows, the test part: "
            "nothing to score there; name another column or bring a longer series"
        )


def cut(values: np.ndarray, rows: np.ndarray, input_steps: int) -> np.ndarray:
    """Copy the windows of the given target rows.

    Args:
        values: (time, columns) or (time,).
        rows: (windows,) target rows, each at least input_steps; `len(values)` is allowed and gives
            the window that ends with the series.
        input_steps: past steps per window.

    Returns:
        (windows, input_steps, columns) or (windows, input_steps).
    """
    return values[np.asarray(rows)[:, None] + np.arange(-input_steps, 0)]


def shuffled(
    values: np.ndarray, rows: np.ndarray, input_steps: int, targets: int, batch_size: int, seed: int
) -> tf.data.Dataset:
    """Stream batches for training, without end: each pass takes every window once, in a new order.

    The series is in memory once and a batch is a vector of row numbers and one gather, so that
    10 million windows cost little more than their row numbers.

    Args:
        values: (time, columns), the network's inputs.
        rows: (windows,) target rows.
        input_steps: past steps per window.
        targets: how many of the columns, the first ones, are to be predicted.
        batch_size: windows per batch.
        seed: of the order.

    Returns:
        batches of inputs (batch_size, input_steps, columns) and targets (batch_size, targets).
    """
    rows = tf.constant(rows)
    batches = -(-len(rows) // batch_size)
    filled = tf.range(batches * batch_size) % len(rows)  # the last batch begins the pass anew

    def one_pass(number):
        order = tf.random.experimental.stateless_shuffle(rows, seed=[seed, number])
        order = tf.reshape(tf.gather(order, filled), [batches, batch_size])
        return tf.data.Dataset.from_tensor_slices(order)

    endless = tf.data.Dataset.counter().flat_map(one_pass)
    return endless.map(_gather(values, input_steps, targets)).prefetch(8)


def in_order(
    values: np.ndarray, rows: np.ndarray, input_steps: int, targets: int, batch_size: int = 1024
) -> tf.data.Dataset:
    """Stream batches for validation and prediction, oldest first; arguments as in `shuffled`."""
    finite = tf.data.Dataset.from_tensor_slices(rows)
    return finite.batch(batch_size).map(_gather(values, input_steps, targets)).prefetch(8)


def _gather(values, input_steps, targets):
    series = tf.constant(values, tf.float32)
    past = tf.range(-input_steps, 0, dtype=tf.int64)

    def batch(rows):
        inputs = tf.gather(series, rows[:, None] + past)  # (batch, input_steps, columns)
        return inputs, tf.gather(series, rows)[:, :targets]

    return batch
