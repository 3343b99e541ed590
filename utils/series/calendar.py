"""What the times of a series say: its step, its season, its calendar, the times to come.

An index is one of three: a DatetimeIndex with a freq, whose times follow each other without a
break; business days, a DatetimeIndex from Monday to Friday in which holidays are absent; a
RangeIndex where rows are only counted, because there are no times or they have pauses.
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
SEASONS = {"D": 7, "B": 5, "W": 52, "M": 12, "2M": 6, "3M": 4, "4M": 3, "6M": 2}
WORDS = {"s": "every second", "min": "every minute", "h": "hourly", "D": "daily", "B": "Mon-Fri"}
WORDS |= {"W": "weekly", "M": "monthly", "3M": "quarterly", "12M": "yearly", "rows": "counted rows"}


def regular(times: pd.DatetimeIndex) -> tuple[pd.Index, np.ndarray, str]:
    """Return the regular index of (rows,) rising times, their (rows,) positions in it, a remark.

    Daily times without any Saturday or Sunday are business days: a day that is absent was a
    holiday. Hours of the day or the week that (nearly) always lack rows are pauses: rows are
    counted. Whatever else is absent is a gap: the index holds it.

    Raises:
        ValueError: (message, row) of the first row that follows no step.
    """
    if len(times) < 3:
        raise ValueError("fewer than 3 times show no step; bring a longer series", 0)
    steps = times[1:] - times[:-1]
    usual, counted = steps.sort_values()[len(steps) // 2], np.arange(len(times))
    row = int(steps.argmax()) + 1
    if usual // DAY in range(28, 32) and times.month.max() <= 4 < len(times):
        raise ValueError("months 1 to 4 of each year may be quarters; write them like 2001Q1", row)
    if (times[-1] - times[0]) // usual < MOST_ROWS * len(times):
        index = _grid(times, usual)
        positions = index.get_indexer(times)
        if positions.min() < 0:
            row = int(positions.argmin())
        elif usual == DAY and index.day_of_week.max() == 6 and times.day_of_week.max() < 5:
            full = pd.date_range(times[0], times[-1], freq="B")
            absent = len(full) - len(times)
            note = f"{absent:,} business days without a row" if absent else ""
            return times if absent else full, counted, note
        elif len(index) > len(times) and _has_pauses(index, positions):
            return pd.RangeIndex(len(times)), counted, "rows are counted, for the times have pauses"
        elif len(index) <= MOST_EMPTY * len(times):
            return index, positions, ""
    what = f"{times[row]} comes {steps[row - 1]} after the time before, the usual step is {usual}"
    advice = "write days without a clock, or resample" if usual >= DAY else "resample"
    raise ValueError(f"{what}; {advice} to one step", row)


def _grid(times, usual):
    """Return regular times from the first to the last: those that hold most of the times."""
    freqs = [pd.offsets.Day(usual // DAY) if usual % DAY == 0 * DAY else usual]
    if usual == 7 * DAY:
        freqs = [f"W-{WEEKDAYS[times[0].day_of_week].upper()}"]
    elif usual >= 28 * DAY and (months := round(usual / DAY / YEAR * 12)) % 13:  # 2000/01, 2001/02
        freqs = [pd.DateOffset(months=months), f"{months}ME", *freqs]
    grids = [pd.date_range(times[0], times[-1], freq=freq) for freq in freqs]
    return max(grids, key=lambda grid: times.isin(grid).sum())


def _has_pauses(index, positions):
    """Whether some hours of the day or the week lack their rows nearly always, and others don't."""
    clock, present = index.tz_localize(None), np.isin(np.arange(len(index)), positions)
    closed, hours = np.zeros(len(index), bool), pd.factorize(clock - clock.normalize())[0]
    for slots in (hours, hours * 7 + index.day_of_week):
        held = pd.Series(present).groupby(np.asarray(slots))
        closed |= (held.transform("size") >= 3) & (held.transform("mean") < CLOSED)
    return closed.any() and present[~closed].sum() > 0.5 * (~closed).sum()


def _usual(index):
    """Return the median time from row to row; a day if there is one row only."""
    steps = np.diff(index.asi8)
    return pd.Timedelta(np.median(steps), unit=index.unit) if len(steps) else DAY


def step(index: pd.Index) -> str:
    """Return the time from row to row as pandas writes it: "h", "15min", "B", "W-MON", "3MS".

    Quarters and years are 3 and 12 months. It is "rows" where rows are counted.
    """
    if isinstance(index, pd.RangeIndex):
        return "rows"
    freq, usual = index.freq, _usual(index)
    if freq is None:
        freq = "B" if usual == DAY and index.day_of_week.max() < 5 else usual
    months = to_offset(freq).kwds.get("months")
    return to_offset(f"{months}MS" if months else freq).freqstr


def _code(index):
    """Return the step without the day on which it begins: "W", "3M"."""
    code = step(index).partition("-")[0]
    return code[:-1] if code.endswith(("MS", "ME")) else code


def words(index: pd.Index) -> str:
    """Say the step in words: "hourly", "every 15min", "Mon-Fri", "every 2 months"."""
    code = _code(index)
    return WORDS.get(code) or f"every {code}".replace("M", " months")


def season(index: pd.Index) -> int | None:
    """Return the rows of a day (for steps below one), of a week (days), of a year, or None."""
    code = _code(index)
    if code in SEASONS or code == "rows":
        return SEASONS.get(code)
    usual, least = _usual(index), DAY / max(len(index), 1440)  # a day of seconds must be held
    return DAY // usual if least <= usual < DAY and DAY % usual == pd.Timedelta(0) else None


def future(index: pd.Index, steps: int, by: str) -> pd.Index:
    """Return the `steps` times that follow, in the same zone, by the index' own step or `by`."""
    if isinstance(index, pd.RangeIndex):
        return pd.RangeIndex(index.stop, index.stop + steps, name=index.name)
    freq = index.freq if index.freq is not None else by
    times = pd.date_range(index[-1], periods=steps + 2, freq=freq, unit=index.unit, name=index.name)
    return times[times > index[-1]][:steps]


def cycles(index: pd.Index) -> list[str]:
    """Return the names of the columns of all cycles that the step resolves, two being held."""
    if not isinstance(index, pd.DatetimeIndex) or len(index) < 2:
        return []
    usual, span = _usual(index), index[-1] - index[0]
    names = [f"hour {wave}" for wave in WAVES if usual < DAY and span >= 2 * DAY]
    names += [f"weekday {day}" for day in WEEKDAYS if usual <= DAY and span >= 14 * DAY]
    return names + [f"year {x}" for x in WAVES if usual <= 31 * DAY and span >= 2 * YEAR * DAY]


def columns(index: pd.Index, names: Sequence[str]) -> np.ndarray:
    """Return calendar columns, (times, names) float32, by the clock of the index.

    "hour sin1", ..., "year cos2" are sines and cosines of one and two turns a day or a year;
    "weekday Mon" is 1 on Mondays, else 0.
    """
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
            values[:, i] = getattr(np, part[:3])(2 * np.pi * int(part[-1]) * turns[cycle])
    return values
