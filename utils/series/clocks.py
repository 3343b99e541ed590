"""Clocks that are changed twice a year: find the time zone that explains the times of a file."""

import datetime
import zoneinfo
from collections.abc import Iterator

from utils.series.index import DAY, usual_step

import numpy as np
import pandas as pd

# time zones to be tried first: of those with one history, the one best known
ZONES = ["Europe/Berlin", "Europe/London", "Europe/Athens", "America/New_York", "America/Chicago"]
ZONES += ["America/Denver", "America/Los_Angeles", "Australia/Sydney", "Pacific/Auckland"]


def local(clock: pd.DatetimeIndex, offsets: pd.Series) -> tuple[pd.DatetimeIndex, list[str]]:
    """Keep the clock of the file, in a time zone that explains its offsets from UTC.

    Args:
        clock: times without their offsets.
        offsets: timedeltas.

    Returns:
        the times, and what there is to say about them.
    """
    known = offsets.dropna().unique()
    if len(known) == 1:
        return clock.tz_localize(datetime.timezone(known[0].to_pytimedelta())), []
    if (clock - clock.normalize()).nunique() == 1:
        return clock, []  # days are regular by the clock on the wall
    utc = (clock - pd.TimedeltaIndex(offsets)).tz_localize("UTC")
    rows = np.flatnonzero(np.diff(pd.TimedeltaIndex(offsets).asi8))
    rows = np.unique(np.concatenate([[0], rows, rows + 1, [len(utc) - 1]]))
    if not clock.hasnans:
        for name in _zones():
            if (utc[rows].tz_convert(name).tz_localize(None) == clock[rows]).all():
                return utc.tz_convert(name), [f"on the clock of {name}"]
    return utc, ["offsets that no clock explains: in UTC"]


def on_the_wall(times: pd.DatetimeIndex) -> tuple[pd.DatetimeIndex, str | None]:
    """Take times for those of a clock that is changed twice a year, if that makes them regular.

    Args:
        times: without time zone.

    Returns:
        times of a zone and its name; or the same times and None, where no zone explains them.
    """
    steps = np.diff(times.asi8)
    usual = usual_step(times)
    odd = np.flatnonzero(steps != usual // pd.Timedelta(microseconds=1))
    if usual >= DAY or len(odd) == 0 or len(odd) > 400 or times.hasnans:
        return times, None
    rows = np.unique(np.concatenate([[0], odd, odd + 1, [len(times) - 1]]))
    passed = pd.to_timedelta(rows * (usual // pd.Timedelta(microseconds=1)), unit="us")
    moved = times[rows] - times[0] - passed
    if (moved.to_series().abs() > pd.Timedelta(hours=1)).any():
        return times, None
    for name in _zones():
        first = times[0].tz_localize(name, ambiguous="NaT", nonexistent="NaT")
        if first is pd.NaT:  # in the hour that comes twice, or never
            continue
        regular = (first.tz_convert("UTC") + passed).tz_convert(name).tz_localize(None)
        if (regular == times[rows]).all():
            index = pd.date_range(first, periods=len(times), freq=usual, unit="us")
            if (index.tz_localize(None) == times).all():
                return index, name
    return times, None


def _zones() -> Iterator[str]:
    """Yield the time zones that this computer knows."""
    known = zoneinfo.available_timezones()
    yield from (name for name in ZONES if name in known)
    yield from sorted(name for name in known - set(ZONES) if "/" in name and "Etc/" not in name)
