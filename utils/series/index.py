"""What the index of a series says: its step, its season, its calendar, the times to come.

The index is that of `utils.series.csv_file.load_csv`: a RangeIndex where rows are only counted, a
DatetimeIndex with a freq where times follow each other without a break, and a DatetimeIndex without
one where there are pauses: nights, weekends, holidays.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

DAY = pd.Timedelta(days=1)
MONTH = 365.2425 / 12 * DAY
SELDOM = 0.25  # of the weeks: Saturdays worked in exchange for a holiday leave them closed


class Week(NamedTuple):
    """The hours of the week in which a series has rows."""

    step: pd.Timedelta  # at most a day
    phase: pd.Timedelta  # of the first row of a day after midnight, below one step
    open: np.ndarray  # (7, rows of a full day) of bool, Monday first

    def times(self, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
        """Return all open times from `first` to `last`, in their time zone."""
        days = pd.date_range(first.tz_localize(None).normalize(), last.tz_localize(None), unit="us")
        day, slot = np.nonzero(self.open[days.day_of_week])
        times = pd.DatetimeIndex(days[day] + (self.phase + slot * self.step)).as_unit("us")
        if first.tz is not None:
            times = times.tz_localize(first.tz, ambiguous=False, nonexistent="shift_forward")
            times = times.unique()
        return times[(times >= first) & (times <= last)].rename("time")


def week(index: pd.DatetimeIndex) -> Week | None:
    """Return when in the week a series has rows, None if its step is no part of a day.

    A weekday is judged by itself where the series holds three of it. In a shorter series all days
    have the hours that any has, only Saturday and Sunday can be closed, and below three days
    nothing is.
    """
    clock = index.tz_localize(None)
    step = min(usual_step(index), DAY)
    if DAY % step:
        return None
    days = clock.normalize()
    phase = (clock[0] - days[0]) % step
    slots, weekdays = (clock - days) // step, clock.day_of_week
    rows = np.zeros((7, DAY // step))
    np.add.at(rows, (weekdays, slots), 1)
    seen = np.bincount(days.unique().day_of_week, minlength=7)
    weeks = ((days - weekdays * DAY).unique()).size
    first, last = weekdays[0], weekdays[-1]
    passed = weeks - (np.arange(7) < first) - (np.arange(7) > last)  # in the weeks with rows
    hours = rows.sum(axis=0) > SELDOM * seen.sum() if seen.sum() >= 3 else rows[0] >= 0
    weekend = (np.arange(7) >= 5) & np.where(passed > 0, seen == 0, seen[5:].sum() == 0)
    if hours.all() and step < DAY:
        weekend &= passed >= 2  # the night is open, too: it takes more than one such weekend
    by_weekday = rows > SELDOM * passed[:, None]
    return Week(step, phase, np.where(passed[:, None] >= 3, by_weekday, hours & ~weekend[:, None]))


def usual_step(index: pd.DatetimeIndex) -> pd.Timedelta:
    """Return the median time from row to row."""
    steps = np.diff(index.asi8)
    return pd.Timedelta(np.partition(steps, len(steps) // 2)[len(steps) // 2], unit=index.unit)


def future_index(index: pd.Index, steps: int) -> pd.Index:
    """Return the `steps` times that follow an index of `load_csv`.

    A calendar with pauses goes on in its open hours: its coming holidays are unknown.
    """
    if isinstance(index, pd.RangeIndex):
        end = index.stop + steps * index.step
        return pd.RangeIndex(index.stop, end, index.step, name=index.name)
    freq = index.freq or _month_freq(index)
    if freq is None:
        hours = week(index)
        days = 7 * (steps // hours.open.sum() + 2)
        times = hours.times(index[-1], index[-1] + days * DAY)
        return times[times > index[-1]][:steps].rename(index.name)
    times = pd.date_range(index[-1], periods=steps + 2, freq=freq, unit=index.unit, name=index.name)
    return times[times > index[-1]][:steps]


def _month_freq(index):
    """Return the freq of months on business days, None for shorter steps."""
    if usual_step(index) < 28 * DAY:
        return None
    months = int(np.median(np.diff(index.year * 12 + index.month)))
    return f"{months}BME" if np.median(index.day) > 15 else f"{months}BMS"


def calendar_names(index: pd.Index) -> list[str]:
    """Return the calendar inputs whose cycle the series resolves and holds at least twice."""
    if isinstance(index, pd.RangeIndex):
        return []
    step, span = usual_step(index), index[-1] - index[0]
    names = ["hour_sin", "hour_cos"] if step < DAY and span >= 2 * DAY else []
    if step <= 31 * DAY and span >= 2 * 365 * DAY:
        names += ["year_sin", "year_cos"]
    return names


def calendar(index: pd.Index, names: Sequence[str]) -> np.ndarray:
    """Return sine and cosine of the hour of the day and the day of the year, (time, len(names)).

    They are those of the index' own time zone.
    """
    if not names:
        return np.empty((len(index), 0))
    hour = index.hour + index.minute / 60 + index.second / 3600
    day = index.day_of_year - 1 + hour / 24
    turns = {"hour": hour / 24, "year": day / 365.2425}
    waves = {"sin": np.sin, "cos": np.cos}
    columns = [
        waves[wave](2 * np.pi * turns[cycle]) for cycle, wave in (name.split("_") for name in names)
    ]
    return np.array(columns).reshape(len(names), len(index)).T


def with_calendar(frame: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Return the values of a frame and, to their right, its calendar: (time, columns)."""
    return np.column_stack([frame, calendar(frame.index, names)])


def step(index: pd.Index) -> str:
    """Return the time from row to row as pandas writes it: "h", "15min", "D", "B", "MS".

    A calendar with pauses has "B" if it is open from Monday to Friday, or else the days or the
    number of rows of a week: "Mon-Sat", "5min, 270 a week".
    """
    if isinstance(index, pd.RangeIndex):
        return "no time"
    if index.freq is not None:
        return index.freqstr
    if freq := _month_freq(index):
        return pd.tseries.frequencies.to_offset(freq).freqstr
    hours = week(index)
    if hours.step == DAY:
        return _days(hours.open[:, 0])
    return f"{pd.tseries.frequencies.to_offset(hours.step).freqstr}, {hours.open.sum()} a week"


def _days(opened):
    """Write the open days of a week, (7,) of bool."""
    if opened.tolist() == [True] * 5 + [False] * 2:
        return "B"
    names = np.array(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])[opened]
    first, last = np.flatnonzero(opened)[[0, -1]]
    return f"{names[0]}-{names[-1]}" if opened[first : last + 1].all() else ",".join(names)


def zone(index: pd.Index) -> str | None:
    """Return the time zone in which an index counts the hours, None if the file doesn't say it."""
    tz = getattr(index, "tz", None)
    return None if tz is None else str(tz)


def season(index: pd.Index) -> int | None:
    """Return the steps of the season that a forecaster tries first, None if there is none.

    It is a day for steps below one day, a week for days and business days, a year for longer steps;
    with pauses it is the rows of an open day, or of a week of open days.
    """
    if isinstance(index, pd.RangeIndex):
        return None
    usual = usual_step(index)
    if index.freq == pd.offsets.BDay():
        return 5
    if usual >= 28 * DAY and not isinstance(index.freq, pd.offsets.Day):  # months
        steps = 12 / round(usual / MONTH)
    elif index.freq is None:
        hours = week(index)
        rows = hours.open.sum(axis=1)
        steps = rows.sum() if hours.step == DAY else np.median(rows[rows > 0])
    elif usual < DAY:
        steps = DAY / usual
    else:
        steps = {DAY: 7, 7 * DAY: 52}.get(usual, 0)
    return int(steps) if steps > 1 and steps == int(steps) else None


def pace(index: pd.DatetimeIndex | pd.RangeIndex) -> str:
    """Say the step in words: "hourly", "every 15min", "Mon-Sat", "every 5min with pauses"."""
    if isinstance(index, pd.RangeIndex):
        return f"counted by {index.step}"
    usual, code = usual_step(index), step(index)
    if usual >= 28 * DAY and not isinstance(index.freq, pd.offsets.Day):
        months = round(usual / MONTH)
        words = {1: "monthly", 3: "quarterly", 12: "yearly"}
        return words.get(months, f"every {months} months")
    words = {"h": "hourly", "D": "daily", "7D": "weekly", "B": "Mon-Fri", "min": "every minute"}
    if index.freq is None and usual < DAY:
        code = code.split(",")[0]
        return words.get(code, f"every {code}") + ", with pauses"
    return words.get(code, code if index.freq is None else f"every {code}")


def span(index: pd.Index) -> str:
    """Say the first and the last time, without a clock where all are midnight."""
    ends = index[[0, -1]]
    if isinstance(index, pd.RangeIndex):
        return f"{ends[0]} to {ends[1]}"
    midnight = (index == index.normalize()).all()
    seconds = ":%S" if index.second.any() else ""
    first, last = ends.strftime("%Y-%m-%d" if midnight else f"%Y-%m-%d %H:%M{seconds}")
    return f"{first} to {last}"
