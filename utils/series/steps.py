"""The times of rows -> the regular index that they are part of, or one line of complaint.

A regular calendar with pauses (nights, weekends, holidays) is a series too: its rows follow each
other, and nothing is put between them.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

from utils import InputError
from utils.series.index import DAY, usual_step, week

import numpy as np
import pandas as pd

# Chinese exchanges have closed for 10 business days in a row, Tokyo for 7 % of a year's
LONGEST_HOLIDAY = 10
HOLIDAY_SHARE = 0.1
COUNT_TOLERANCE = 0.01  # of a step, for a count like 0.033, 0.067, 0.1
HOUR = pd.Timedelta(hours=1)
INSTEAD = "or step through the rows that exist with --time-column none"


class Grid(NamedTuple):
    """The regular times from the first to the last, and where the rows lie among them."""

    index: pd.Index
    positions: np.ndarray  # (rows,) of the first regular time that isn't before the row
    beyond: np.ndarray  # (rows,) of the first one that is after it
    paused: bool  # whether times are left out regularly, as nights or Sundays


def grid(times: pd.Index, error: Callable[[str, int], InputError]) -> Grid:
    """Find the regular index that times belong to.

    Args:
        times: dates, or numbers that count; each above the one before.
        error: makes an exception of a message and a row.
    """
    if not isinstance(times, pd.DatetimeIndex):
        return _count(times, error)
    found = _months(times) or _weeks(times)
    if found is not None:
        return found
    step = usual_step(times)
    steps = times[1:] - times[:-1]
    uneven = steps % step != pd.Timedelta(0)
    if uneven.any():
        raise _uneven(times, int(uneven.argmax()) + 1, step, error)
    freq = pd.offsets.Day(step // DAY) if step % DAY == pd.Timedelta(0) else step
    index = pd.date_range(times[0], times[-1], freq=freq, unit="us")
    positions = index.searchsorted(times)
    return Grid(index, positions, positions + 1, paused=False)


def regular(
    times: pd.Index, fill: int, error: Callable[[str, int], InputError]
) -> tuple[pd.Index, np.ndarray, list[str]]:
    """Check that rows follow each other at one step, or as a calendar with pauses.

    Args:
        times: as of `grid`, in any order.
        fill: how many rows in a row may be put into a gap.
        error: as of `grid`.

    Returns:
        the index, gaps closed; the rows' positions in it; remarks on what looks like a gap, but may
        be a pause.
    """
    check_order(times, error)
    index, positions, beyond, paused = grid(times, error)
    missing = positions[1:] - beyond[:-1]  # regular times between neighbours
    if not paused:
        _check_gaps(times, missing, fill, error)
        return index, positions, []
    days = times.tz_localize(None).normalize()
    open_days = index.tz_localize(None).normalize().unique()
    same_day = days[1:] == days[:-1]
    gaps = np.where(same_day, missing, 0)
    _check_gaps(times, gaps, fill, error)
    skipped = open_days.searchsorted(days[1:]) - open_days.searchsorted(days[:-1], side="right")
    skipped = np.maximum(skipped, 0)
    if skipped.max() > LONGEST_HOLIDAY or skipped.sum() > HOLIDAY_SHARE * len(open_days):
        _check_gaps(times, np.where(same_day, 0, missing), fill, error)
    remarks = []
    short = (missing > 0) & (skipped == 0) & ~same_day
    if short.any():
        row = int(short.argmax())
        remarks.append(
            f"days that begin late or end early: {short.sum()}, first between {times[row]} and "
            f"{times[row + 1]}: taken for pauses"
        )
    put = [index[beyond[i] : positions[i + 1]] for i in np.flatnonzero(gaps)]
    closed = functools.reduce(pd.Index.union, put, times)
    if closed.equals(index):
        closed = index  # it may have a freq
    return closed, closed.searchsorted(times), remarks


def check_order(times: pd.Index, error: Callable[[str, int], InputError]) -> None:
    """Refuse times that don't come after the one in the row above."""
    dated = isinstance(times, pd.DatetimeIndex)
    steps = np.diff(times.asi8 if dated else times.to_numpy())
    if not (steps <= 0).any():
        return
    row = int((steps <= 0).argmax()) + 1
    what = "repeats" if steps[row - 1] == 0 else "comes before"
    advice = "sort the rows by time, one row for each"
    if times.duplicated().mean() > 0.2:
        advice = "are these several series? keep one, or forecast.py --series-column reads all"
    raise error(
        f"{times[row]} {what} {times[row - 1]} in the row above; {advice}{clock_hint(times, row)}",
        row,
    )


def clock_hint(times: pd.Index, row: int) -> str:
    """Suspect that the clocks were changed, on a Sunday night as nearly everywhere."""
    if not isinstance(times, pd.DatetimeIndex) or abs(times[row] - times[row - 1]) > 4 * HOUR:
        return ""
    if times[row].day_of_week == 6 and times[row].hour < 5:
        return " (the clocks changed? write times in UTC or with their offset)"
    return ""


def fill_hint(fill: int, lengths: np.ndarray) -> str:
    """Say how large --fill would have to be."""
    return f"(--fill is {fill}; {lengths.max()} would interpolate every gap)"


def _check_gaps(times, missing, fill, error):
    if missing.max() > fill:
        row = int((missing > fill).argmax()) + 1
        raise error(
            f"rows missing between {times[row - 1]} and {times[row]}: {missing[row - 1]} "
            f"{fill_hint(fill, missing)}, {INSTEAD}{clock_hint(times, row)}",
            row,
        )


def _uneven(times, row, step, error):
    return error(
        f"{times[row]} comes {times[row] - times[row - 1]} after the row above, the usual step is "
        f"{step}; resample to one step, {INSTEAD}{clock_hint(times, row)}",
        row,
    )


def _count(times, error):
    """Numbers that count the steps, if need be in fractions."""
    numbers = times.to_numpy(dtype=float)
    steps = np.diff(numbers)
    step = np.partition(steps, len(steps) // 2)[len(steps) // 2]  # the median
    counts = steps / step
    uneven = ~(np.abs(counts - np.round(counts)) <= COUNT_TOLERANCE)
    if uneven.any():
        raise _uneven(times, int(uneven.argmax()) + 1, step, error)
    positions = np.concatenate([[0], np.cumsum(np.round(counts).astype(int))])
    whole = not (numbers[0] % 1 or step % 1)
    start, size = (int(numbers[0]), int(step)) if whole else (0, 1)
    index = pd.RangeIndex(start, start + size * (positions[-1] + 1), size)
    return Grid(index, positions, positions + 1, paused=False)


def _months(times):
    """Months, quarters or years: on one day, on the last, or on business days near either end."""
    if usual_step(times) < 28 * DAY:
        return None
    months = times.year * 12 + times.month - (times[0].year * 12 + times[0].month)
    size = int(np.median(np.diff(months)))
    if (months % size).any():
        return None
    positions = (months // size).to_numpy()
    near_end, near_start = (times.days_in_month - times.day < 7).all(), (times.day <= 7).all()
    first = times[0]
    if times.is_month_end.all():
        freq = f"{size}ME"
    elif times.day.nunique() == 1 and times[0].day <= 28:
        freq = pd.DateOffset(months=size) if times[0].day > 1 else f"{size}MS"
    elif near_end or near_start:
        freq, first = f"{size}BME" if near_end else f"{size}BMS", first.replace(day=1)
    else:
        return None
    index = pd.date_range(first, periods=positions[-1] + 1, freq=freq, unit="us")
    if (index[positions] != times).any():  # holidays: keep the rows' own days
        own = pd.Series(index)
        own.iloc[positions] = times
        index = pd.DatetimeIndex(own)
    return Grid(index, positions, positions + 1, paused=False)


def _weeks(times):
    """A week with pauses; None if the rows don't leave out any hour or day regularly."""
    steps = np.diff(times.asi8)
    if (steps == steps[0]).all() or usual_step(times) > DAY:
        return None
    hours = week(times)
    if hours is None or hours.open.all() or not hours.open.any():
        return None
    if ((times - times[0]) % hours.step != pd.Timedelta(0)).any():
        return None
    index = hours.times(times[0], times[-1])
    if hours.step == DAY and hours.open[:, 0].tolist() == [True] * 5 + [False] * 2:
        index = pd.date_range(times[0], times[-1], freq="B", unit="us")
    inner = np.diff(index.asi8)
    if len(inner) == 0 or (inner == inner[0]).all():
        return None
    return Grid(index, index.searchsorted(times), index.searchsorted(times, "right"), paused=True)
