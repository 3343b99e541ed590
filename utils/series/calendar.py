"""What the times of a series say: its step, its season, its calendar, the times to come.

An index is one of three: a DatetimeIndex with a freq, whose times follow each other without a
break; business days, a DatetimeIndex from Monday to Friday in which holidays are absent; a
RangeIndex where rows are only counted, because there are no times or they have pauses (nights,
Sundays).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

DAY = pd.Timedelta(days=1)
YEAR = 365.2425  # days
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
WAVES = ["sin1", "cos1", "sin2", "cos2"]  # once and twice in a cycle
CLOSED = 0.1  # an hour of the week that has rows in fewer of the weeks is a pause
MOST_ROWS = 100  # of a week with pauses, for each row that it has
MOST_EMPTY = 3  # likewise, of a series without pauses
SEASONS = {"D": 7, "B": 5, "W": 52}
WORDS = {
    "s": "every second",
    "min": "every minute",
    "h": "hourly",
    "D": "daily",
    "B": "Mon-Fri",
    "W": "weekly",
}
WORDS |= {"M": "monthly", "Q": "quarterly", "Y": "yearly", "rows": "counted rows"}


def regular(times: pd.DatetimeIndex) -> tuple[pd.Index, np.ndarray, str]:
    """Find the regular index that times belong to.

    Daily times without any Saturday or Sunday are business days: a day that is absent was a
    holiday. Hours of the day or the week that (nearly) always lack rows are pauses: rows are
    counted. Whatever else is absent is a gap: the index holds it.

    Args:
        times: (rows,) each above the one before.

    Returns:
        the index; (rows,) the positions of the rows in it; what there is to say about it, or "".

    Raises:
        ValueError: (message, row) of the first row that follows no step.
    """
    if len(times) < 3:
        raise ValueError("fewer than 3 times show no step; bring a longer series", 0)
    steps = times[1:] - times[:-1]
    usual = steps.sort_values()[len(steps) // 2]
    if usual >= 28 * DAY and (found := _months(times)) is not None:
        return found
    uneven = steps % usual != pd.Timedelta(0)
    if uneven.any() and usual >= DAY and (days := _days_of_another_zone(times)) is not None:
        index, positions, note = regular(days)
        return index, positions, "days by the clock of another zone" + (f", {note}" if note else "")
    if uneven.any():
        row = int(uneven.argmax()) + 1
        raise ValueError(
            f"{times[row]} comes {steps[row - 1]} after the time before, the usual "
            f"step is {usual}; resample to one step",
            row,
        )
    freq = usual if usual % DAY else pd.offsets.Day(usual // DAY)
    if usual == 7 * DAY:
        freq = f"W-{WEEKDAYS[times[0].day_of_week].upper()}"
    rows = (times[-1] - times[0]) // usual + 1
    if rows < MOST_ROWS * len(times):
        index = pd.date_range(times[0], times[-1], freq=freq)
        positions = index.searchsorted(times)
        if usual == DAY and index.day_of_week.max() == 6 and times.day_of_week.max() < 5:
            return _business_days(times)
        if rows > len(times) and _has_pauses(index, positions):
            note = "rows are counted, for the times have pauses"
            return pd.RangeIndex(len(times)), np.arange(len(times)), note
    if rows > MOST_EMPTY * len(times):
        row = int(np.argmax(steps)) + 1
        raise ValueError(
            f"most of {rows:,} rows are missing at the usual step of {usual}, as before "
            f"{times[row]}; resample to one step",
            row,
        )
    return index, positions, ""


def _months(times):
    """Months, quarters or years, on one day or near either end; None if they are none."""
    months = times.year * 12 + times.month
    size = int(np.median(np.diff(months)))
    clocks = (times.tz_localize(None) - times.tz_localize(None).normalize()).unique()
    if size == 0 or ((months - months[0]) % size).any() or not months.is_unique or len(clocks) > 1:
        return None
    positions = ((months - months[0]) // size).to_numpy()
    near_end = (times.days_in_month - times.day < 7).all()
    note, side = "", "E" if near_end and times.day.max() > 28 else "S"
    same = (times.day == times.days_in_month).all() if side == "E" else times.day.nunique() == 1
    if not same and not near_end and times.day.max() > 7:
        return None
    if not same:
        side = "E" if near_end else "S"
        note = f"days near the {'end' if near_end else 'start'} of a month stand for it"
    if same and side == "S" and times[0].day > 1:
        freq, first = pd.DateOffset(months=size), times[0]
    else:
        month = times[0].strftime("%b").upper()
        unit = {3: f"Q{side}-{month}", 12: f"Y{side}-{month}"}.get(size, f"{size}M{side}")
        freq, first = unit, times[0] - (times[0].day - 1) * DAY
    index = pd.date_range(first, periods=positions[-1] + 1, freq=freq)
    return index, positions, note


def _days_of_another_zone(times):
    """Midnights of a zone with summer time, seen from another one, as days; None if they aren't."""
    clock = times.tz_localize(None)
    hours = np.unique((clock - clock.normalize()) / pd.Timedelta(hours=1))
    if len(hours) != 2 or hours[1] - hours[0] not in (1, 23):
        return None
    days = (clock + (12 * DAY / 24)).normalize()
    return days if days.is_unique else None


def _business_days(times):
    """Return the days as they are; with freq "B" if none is absent."""
    full = pd.date_range(times[0], times[-1], freq="B")
    absent = len(full) - len(times)
    note = f"{absent:,} business days without a row" if absent else ""
    return times if absent else full, np.arange(len(times)), note


def _has_pauses(index, positions):
    """Whether some hours of the day or the week lack their rows nearly always, and others don't."""
    present = np.zeros(len(index), bool)
    present[positions] = True
    clock = index.tz_localize(None)
    hours = pd.factorize(clock - clock.normalize())[0]
    closed = np.zeros(len(index), bool)
    for slots in (hours, hours * 7 + index.day_of_week):
        possible, held = np.bincount(slots), np.bincount(slots, weights=present)
        closed |= ((possible >= 3) & (held < CLOSED * possible))[slots]
    return closed.any() and present[~closed].sum() > 0.5 * (~closed).sum()


def end_of_summer_time(times: pd.DatetimeIndex) -> bool:
    """Whether times that come twice are the hour that a clock shows twice, once a year."""
    hours = times.floor("h").unique()
    nights = (hours.day_of_week == 6) & (hours.hour < 4) & hours.month.isin([3, 4, 9, 10, 11])
    return times.tz is None and bool(nights.all()) and not hours.year.duplicated().any()


def span(times: pd.Index) -> str:
    """Say the first and the last time, without a clock where all are midnight, and the zone."""
    clock = "" if (times == times.normalize()).all() else " %H:%M"
    form = "%Y-%m-%d" + clock + (":%S" if times.second.any() else "")
    zone = f" in {times.tz}" if times.tz is not None else ""
    return " to ".join(times[[0, -1]].strftime(form)) + zone


def usual_step(index: pd.DatetimeIndex) -> pd.Timedelta:
    """Return the median time from row to row; a day if there is one row only."""
    if len(index) < 2:
        return pd.Timedelta(index.freq) if isinstance(index.freq, pd.offsets.Tick) else DAY
    return pd.Timedelta(np.median(np.diff(index.asi8)), unit=index.unit)


def step(index: pd.Index) -> str:
    """Return the time from row to row as pandas writes it: "h", "15min", "D", "B", "W-MON", "MS".

    Quarters and years are "QS", "QE", "YS" or "YE" in whichever month they begin. It is "rows"
    where rows are counted.
    """
    if isinstance(index, pd.RangeIndex):
        return "rows"
    freq = index.freq
    if freq is None:
        usual = usual_step(index)
        weekend = usual == DAY and index.day_of_week.max() >= 5
        freq = "B" if usual == DAY and not weekend else usual
    freq = to_offset(freq)
    if set(freq.kwds) == {"months"}:
        return f"{freq.kwds['months']}MS" if freq.kwds["months"] > 1 else "MS"
    return freq.freqstr if freq.freqstr.startswith("W") else freq.freqstr.partition("-")[0]


def _unit(index):
    """Return the step as a number of "s", "min", "h", "D", "B", "W", "M", "Q", "Y" or "rows"."""
    code = step(index).partition("-")[0]
    unit = code.lstrip("0123456789")
    number = int(code[: len(code) - len(unit)] or 1)
    unit = unit[:1] if unit in ("MS", "ME", "QS", "QE", "YS", "YE") else unit
    months = {"M": 1, "Q": 3, "Y": 12}.get(unit, 0) * number
    named = {3: (1, "Q"), 12: (1, "Y")}
    return named.get(months, (months, "M")) if months else (number, unit)


def words(index: pd.Index) -> str:
    """Say the step in words: "hourly", "every 15min", "Mon-Fri", "monthly", "counted rows"."""
    number, unit = _unit(index)
    if number == 1 and unit in WORDS:
        return WORDS[unit]
    return f"every {number} months" if unit == "M" else f"every {step(index)}"


def season(index: pd.Index) -> int | None:
    """Return the rows of the cycle that a forecaster tries first, None if there is none.

    It is a day for steps below one, a week for days, a year for weeks, months and quarters.
    """
    number, unit = _unit(index)
    if unit in ("M", "Q"):
        months = number * (3 if unit == "Q" else 1)
        return 12 // months if 12 % months == 0 and months < 12 else None
    if unit in ("Y", "rows"):
        return None
    if unit in SEASONS:
        return SEASONS[unit] if number == 1 else None
    usual = pd.Timedelta(to_offset(step(index)))
    return DAY // usual if usual < DAY and DAY % usual == pd.Timedelta(0) else None


def future(index: pd.Index, steps: int) -> pd.Index:
    """Return the `steps` times that follow, in the same zone; business days know no holidays."""
    if isinstance(index, pd.RangeIndex):
        end = index.stop + steps * index.step
        return pd.RangeIndex(index.stop, end, index.step, name=index.name)
    freq = index.freq if index.freq is not None else step(index)
    times = pd.date_range(index[-1], periods=steps + 2, freq=freq, unit=index.unit, name=index.name)
    return times[times > index[-1]][:steps]


def columns(index: pd.Index) -> tuple[list[str], np.ndarray]:
    """Return the calendar columns of all cycles that the step resolves and two of which are held.

    Returns:
        names: "hour sin1", ..., "weekday Mon", ..., "year cos2".
        values: (time, names) float32; sines and cosines of one and two turns a day or a year, by
            the clock of the index; a 0/1 column for each weekday.
    """
    if isinstance(index, pd.RangeIndex) or len(index) < 2:
        return [], np.zeros((len(index), 0), np.float32)
    usual, span = usual_step(index), index[-1] - index[0]
    names = []
    if usual < DAY and span >= 2 * DAY:
        names += [f"hour {wave}" for wave in WAVES]
    if usual <= DAY and span >= 14 * DAY:
        names += [f"weekday {day}" for day in WEEKDAYS]
    if usual <= 31 * DAY and span >= 2 * YEAR * DAY:
        names += [f"year {wave}" for wave in WAVES]
    return names, columns_named(index, names)


def columns_named(index: pd.Index, names: Sequence[str]) -> np.ndarray:
    """Return the calendar columns with these names, (time, names) float32, for any times."""
    values = np.zeros((len(index), len(names)), np.float32)
    if not names:
        return values
    hour = index.hour + index.minute / 60 + index.second / 3600
    turns = {"hour": hour / 24, "year": (index.day_of_year - 1 + hour / 24) / YEAR}
    for i, name in enumerate(names):
        cycle, part = name.split()
        if cycle == "weekday":
            values[:, i] = index.day_of_week == WEEKDAYS.index(part)
        else:
            wave = np.sin if part.startswith("sin") else np.cos
            values[:, i] = wave(2 * np.pi * int(part[-1]) * turns[cycle])
    return values
