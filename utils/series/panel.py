"""Many series in one long array: windows by row numbers, their parts, and what is known of them.

All series lie one after the other, each between a margin of missing rows (so that a window may
begin before its series does) and the rows to come (known inputs, no values yet). A window is named
by its *origin*, the row of its first step ahead, and cut by one gather, so that memory grows with
the rows and not with the windows.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import NamedTuple

from utils import InputError
from utils.series.index import DAY, future_index

import numpy as np
import pandas as pd
import tensorflow as tf

SHARE = 0.15  # of each series for validation, and again for the test; at least one horizon
MAX_ORIGINS = 20_000  # that a part is scored on: evenly taken where there are more
CYCLES = {"hour": 4, "weekday": 7, "year": 4}  # columns of each calendar input


@dataclasses.dataclass(frozen=True, eq=False)
class Panel:
    """Series in one long array."""

    names: list[str]
    times: list[pd.Index]  # of each series, the steps to come included: (length + horizon,)
    start: np.ndarray  # (series,) row of the first value
    end: np.ndarray  # (series,) row after the last value: the origin of what is to come
    values: np.ndarray  # (rows,) float32, NaN where missing, in margins and in the steps to come
    features: np.ndarray  # (rows, features) float32; of these only the past is known
    known: np.ndarray  # (rows, known) float32: columns that are known for the steps to come, too
    calendar: np.ndarray  # (times, waves) float32: known of each time, 0 in the first row
    moment: np.ndarray  # (rows,) which row of the calendar; the first in margins
    borders: np.ndarray  # (series, 2) rows where the validation and the test part begin
    scale: np.ndarray  # (series,) mean absolute change over a season in the train part
    spread: np.ndarray  # (series,) standard deviation within a window, in the train part
    input_steps: int
    horizon: int
    season: int
    numbers: np.ndarray  # (series,) by which a network knows them, from 1; 0 for none of its own

    @functools.cached_property
    def tensors(self) -> dict[str, tf.Tensor]:
        """The arrays that windows are cut from, copied once for all streams."""
        names = ("values", "features", "known", "calendar", "moment", "spread", "numbers", "start")
        return {name: tf.constant(getattr(self, name)) for name in names}

    @property
    def inputs(self) -> int:
        """How many columns are known beforehand: the calendar's and the others."""
        return self.calendar.shape[1] + self.known.shape[1]

    def series_of(self, origins: np.ndarray) -> np.ndarray:
        """Return the number of the series that each origin belongs to."""
        return np.searchsorted(self.start, origins, side="right") - 1

    def targets(self, origins: np.ndarray) -> np.ndarray:
        """Return the values from each origin on, (windows, horizon), NaN where missing."""
        return self.values[origins[:, None] + np.arange(self.horizon)]

    def windows(self, origins: np.ndarray) -> np.ndarray:
        """Return the values before each origin, (windows, input_steps), NaN where missing."""
        return self.values[origins[:, None] + np.arange(-self.input_steps, 0)]

    def known_at(self, rows: np.ndarray) -> np.ndarray:
        """Return what is known beforehand of rows: the calendar and columns, (*rows, inputs)."""
        return np.concatenate([self.calendar[self.moment[rows]], self.known[rows]], axis=-1)

    def whole(self) -> bool:
        """Return whether all values are whole numbers: so are their medians and quantiles then."""
        values = self.values[np.isfinite(self.values)]
        return np.array_equal(values, np.rint(values))

    def train_rows(self) -> np.ndarray:
        """Return whether each row belongs to a train part, (rows,)."""
        rows = np.zeros(len(self.values), bool)
        for start, border in zip(self.start, self.borders[:, 0], strict=True):
            rows[start:border] = True
        return rows


class Parts(NamedTuple):
    """The origins of the train, validation and test windows, oldest first within a series."""

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray


def lay_out(
    frames: dict[str, pd.DataFrame],
    input_steps: int,
    horizon: int,
    season: int,
    known: Sequence[str] = (),
    calendar: Sequence[str] = (),
    held_back: tuple[int, int] | None = None,
) -> Panel:
    """Lay series out in one long array.

    Args:
        frames: by name: columns [target, *known, *features], NaN where missing, on a regular index.
            Rows at the end whose target is missing are steps to come; their known columns count.
        input_steps: past steps per window.
        horizon: steps ahead.
        season: steps of one season, 1 for none.
        known: columns that are known for the steps to come too.
        calendar: of `calendar_names`: further known inputs.
        held_back: rows of validation and test part; None takes `SHARE` of each series.

    Raises:
        InputError: if a known column has no value where it is needed.
    """
    known_rows = [np.flatnonzero(np.isfinite(f.iloc[:, 0].to_numpy())) for f in frames.values()]
    begins, lengths = np.array([(at[0], at[-1] + 1 - at[0]) for at in known_rows]).T
    start = np.cumsum(lengths + input_steps + horizon) - lengths - horizon
    width, columns = 1 + len(known), next(iter(frames.values())).shape[1]
    rows = np.full((start[-1] + lengths[-1] + horizon, columns), np.nan, np.float32)
    times, borders = [], []
    of_series = zip(frames.items(), begins, lengths, start, strict=True)
    for (name, frame), begin, length, first in of_series:
        index = frame.index[begin : begin + length + horizon]
        if len(index) < length + horizon:
            index = index.append(future_index(index, length + horizon - len(index)))
        of_index = frame.reindex(index)
        given = of_index[list(known)]
        _check_known(name, given, length, horizon)
        filled = rows[first : first + length + horizon]  # in place: the rows may be many
        filled[:length, 0] = of_index.iloc[:length, 0]
        filled[:, 1:width] = given
        filled[:, width:] = of_index.iloc[:, 1 + len(known) :]
        times.append(index)
        borders.append(_borders(length, horizon, held_back))
    borders = np.array(borders)
    np.nan_to_num(rows[:, 1:width], copy=False)
    train = [rows[s : s + max(b, 2), 0] for s, b in zip(start, borders[:, 0], strict=True)]
    scale = [typical_change(values, season) for values in train]
    spread = np.array([spread_within(values, input_steps) for values in train])
    spread = np.where(spread > 0, spread, scale)
    return Panel(
        list(frames), times, start, start + lengths, rows[:, 0].copy(), rows[:, width:],
        rows[:, 1:width], *_calendar(times, start, len(rows), calendar),
        start[:, None] + borders, np.array(scale, np.float32), spread.astype(np.float32),
        input_steps, horizon, season, np.arange(1, 1 + len(frames)),
    )  # fmt: skip


def _calendar(times, start, rows, names):
    """Return the calendar inputs of all times, and which of them each row has."""
    moment = np.zeros(rows, np.int32)
    if not names:
        return np.zeros((1, 0), np.float32), moment
    all_times = functools.reduce(pd.Index.union, times)
    for first, index in zip(start, times, strict=True):
        moment[first : first + len(index)] = 1 + all_times.searchsorted(index)
    columns = calendar_columns(all_times, names)
    return np.vstack([np.zeros_like(columns[:1]), columns]).astype(np.float32), moment


def _borders(length, horizon, held_back):
    """Return where validation and test part begin: the last 15 % each, at least one horizon."""
    val, test = held_back or [max(round(length * SHARE), horizon)] * 2
    return [max(length - val - test, 0), max(length - test, 0)]


def _check_known(name, given, length, horizon):
    for column in given:
        lacking = ~np.isfinite(given[column].to_numpy(float))
        if not lacking.any():
            continue
        row = int(lacking.argmax())
        series = f"series {name!r}: " if name else ""
        if row >= length:
            raise InputError(
                f"{series}--known {column!r} ends {row - length} steps after the last value, and "
                f"--horizon asks for {horizon}; append rows with {column!r} and an empty target, "
                "or lower --horizon"
            )
        raise InputError(
            f"{series}--known {column!r} is missing at {given.index[row]}; fill it in, or take it "
            "as one of the --features"
        )


def typical_change(values: np.ndarray, season: int) -> float:
    """Return the mean absolute change over a season: what MASE divides by, and never zero."""
    for lag in (season, 1):
        change = np.abs(values[lag:] - values[:-lag])
        if np.isfinite(change).any() and np.nanmean(change) > 0:
            return float(np.nanmean(change))
    known = values[np.isfinite(values)]
    return float(np.abs(known).mean() or 1.0) if len(known) else 1.0


def spread_within(values: np.ndarray, steps: int) -> float:
    """Return the standard deviation of values around the mean of their own block of `steps`."""
    blocks = np.full(-(-len(values) // steps) * steps, np.nan)
    blocks[-len(values) :] = values
    blocks = blocks.reshape(-1, steps)
    known = np.isfinite(blocks)
    if not known.any():
        return 0.0
    mean = np.where(known, blocks, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return float(np.sqrt(np.mean(np.square(blocks - mean[:, None])[known])))


def calendar_names(index: pd.Index) -> list[str]:
    """Return the calendar inputs whose cycle the series resolves and holds at least twice."""
    if isinstance(index, pd.RangeIndex) or len(index) < 3:
        return []
    step, span = index[1] - index[0], index[-1] - index[0]
    cycles = {"hour": (DAY / 2, DAY), "weekday": (DAY, 7 * DAY), "year": (31 * DAY, 365 * DAY)}
    return [
        name for name, (resolved, once) in cycles.items() if step <= resolved and span >= 2 * once
    ]


def calendar_columns(index: pd.Index, names: Sequence[str]) -> np.ndarray:
    """Return waves of the hour of the day and day of the year and a column per day of the week."""
    columns = [np.empty((len(index), 0))]
    for name in names:
        if name == "weekday":
            columns.append(np.eye(7)[index.day_of_week])
            continue
        hour = (index.hour + index.minute / 60).to_numpy()
        turn = hour / 24 if name == "hour" else (index.day_of_year - 1 + hour / 24) / 365.2425
        turns = 2 * np.pi * np.asarray(turn)[:, None] * [1, 2]
        columns.append(np.column_stack([np.sin(turns), np.cos(turns)]))
    return np.column_stack(columns)


def split(panel: Panel) -> Parts:
    """Return the origins of each part: all steps ahead lie in it, and the window may reach back."""
    val, test = panel.borders.T
    return Parts(
        origins_between(panel, panel.start, val),
        origins_between(panel, val, test),
        origins_between(panel, test, panel.end),
    )


def origins_between(panel: Panel, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the origins whose steps ahead lie in the rows from `begin` to `end`, (series,) each.

    Windows hold at least half of their steps (in a short series, a third of its train part), so
    that a series younger than a window counts too.
    """
    third = np.maximum((panel.borders[:, 0] - panel.start) // 3, 2)
    first = np.maximum(begin, panel.start + np.minimum(panel.input_steps // 2, third))
    rows = zip(first, end - panel.horizon + 1, strict=True)
    return np.concatenate([np.arange(a, b) for a, b in rows])


def evenly(origins: np.ndarray, most: int = MAX_ORIGINS) -> np.ndarray:
    """Return at most so many of the origins, evenly taken."""
    return origins[:: -(-len(origins) // most) or 1]


def stream(
    panel: Panel,
    origins: np.ndarray,
    batch_size: int,
    weights: np.ndarray,
    seed: int | None = None,
) -> tf.data.Dataset:
    """Stream windows: each batch is a vector of origins and one gather.

    Args:
        panel: the series.
        origins: (windows,)
        batch_size: windows per batch.
        weights: (series,), how much an error counts.
        seed: None for one pass in order; else without end, each pass in a new order.

    Returns:
        batches of inputs, a dictionary: "past" (batch, input_steps, 1 + features), NaN where
        missing; "known" (batch, input_steps + horizon, known); "series" (batch, 1), its number;
        "scale" (batch, 1), the series' spread; and of targets (batch, horizon, 2): the
        value, and the weight of its error, 0 where it is missing.
    """
    of, weights = panel.tensors, tf.constant(weights, tf.float32)
    past = tf.range(-panel.input_steps, 0, dtype=tf.int64)
    ahead = tf.range(panel.horizon, dtype=tf.int64)

    def batch(origins):
        series = tf.searchsorted(of["start"], origins, side="right") - 1
        rows = origins[:, None] + past
        both = origins[:, None] + tf.concat([past, ahead], 0)
        read = [tf.gather(of["values"], rows)[..., None], tf.gather(of["features"], rows)]
        times = tf.gather(of["calendar"], tf.gather(of["moment"], both))
        inputs = {
            "past": tf.concat(read, -1),
            "known": tf.concat([times, tf.gather(of["known"], both)], -1),
            "series": tf.gather(of["numbers"], series)[:, None],
            "scale": tf.gather(of["spread"], series)[:, None],
        }
        actual = tf.gather(of["values"], origins[:, None] + ahead)
        seen = tf.math.is_finite(actual)
        weight = tf.where(seen, tf.gather(weights, series)[:, None], 0.0)
        return inputs, tf.stack([tf.where(seen, actual, 1.0), weight], axis=-1)

    if seed is None:
        return tf.data.Dataset.from_tensor_slices(origins).batch(batch_size).map(batch).prefetch(4)
    rows = tf.constant(origins)
    filled = tf.range(-(-len(origins) // batch_size) * batch_size) % len(origins)

    def one_pass(number):
        order = tf.random.experimental.stateless_shuffle(rows, seed=[seed, number])
        return tf.data.Dataset.from_tensor_slices(
            tf.reshape(tf.gather(order, filled), [-1, batch_size])
        )

    return tf.data.Dataset.counter().flat_map(one_pass).map(batch).prefetch(8)
