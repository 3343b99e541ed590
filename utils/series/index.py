"""What the index of a series says: its step, its season, its calendar, the times to come.

The index is that of `utils.series.csv_file.load_csv`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

DAY = pd.Timedelta(days=1)


def future_index(index: pd.Index, steps: int) -> pd.Index:
    """Return the `steps` times that follow an index of `load_csv`.

    A stock calendar (no freq) goes on in business days: its coming holidays are unknown.
    """
    if isinstance(index, pd.RangeIndex):
        end = index.stop + steps * index.step
        return pd.RangeIndex(index.stop, end, index.step, name=index.name)
    freq = pd.offsets.BDay() if index.freq is None else index.freq
    times = pd.date_range(index[-1], periods=steps + 1, freq=freq, unit=index.unit, name=index.name)
    return times[1:]


def calendar_names(index: pd.Index) -> list[str]:
    """Return the calendar inputs whose cycle the series resolves and holds at least twice."""
    if isinstance(index, pd.RangeIndex):
        return []
    step, span = index[1] - index[0], index[-1] - index[0]
    names = ["hour_sin", "hour_cos"] if step < DAY and span >= 2 * DAY else []
    if step <= 31 * DAY and span >= 2 * 365 * DAY:
        names += ["year_sin", "year_cos"]
    return names


def calendar(index: pd.Index, names: Sequence[str]) -> np.ndarray:
    """Return sine and cosine of the hour of the day and the day of the year, (time, len(names))."""
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
    """Return the time from row to row as pandas writes it: "h", "15min", "D", "B", "MS"."""
    if isinstance(index, pd.RangeIndex):
        return "no time"
    return "B" if index.freq is None else index.freqstr  # a stock calendar leaves out holidays


def season(index: pd.Index) -> int | None:
    """Return the steps of the season that a forecaster tries first, None if there is none.

    It is a day for steps below one day, a week for days and business days, a year for longer steps.
    """
    if isinstance(index, pd.RangeIndex):
        return None
    if index.freq is None or index.freq == pd.offsets.BDay():
        return 5
    step = index[1] - index[0]
    if step < DAY:
        steps = DAY / step
    elif step >= 28 * DAY and not isinstance(index.freq, pd.offsets.Day):  # months
        steps = 12 / round(step / (365.2425 / 12 * DAY))
    else:
        steps = {DAY: 7, 7 * DAY: 52}.get(step, 0)
    return int(steps) if steps > 1 and steps == int(steps) else None
