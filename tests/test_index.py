from utils.series.index import calendar, future_index, pace, season, span, step, week, zone

import numpy as np
import pandas as pd
import pytest


def test_calendar():
    index = pd.DatetimeIndex(["2001-01-01 06:00", "2001-01-01 18:30"])
    names = ["hour_sin", "hour_cos", "year_sin", "year_cos"]
    hour, year = (
        2 * np.pi * np.array([6, 18.5]) / 24,
        2 * np.pi * np.array([0.25, 18.5 / 24]) / 365.2425,
    )
    expected = np.stack([np.sin(hour), np.cos(hour), np.sin(year), np.cos(year)], axis=1)
    np.testing.assert_allclose(calendar(index, names), expected, atol=1e-12)
    assert calendar(index, []).shape == (2, 0)


def test_future_of_a_count():
    assert future_index(pd.RangeIndex(10, 40, 10), 2).tolist() == [40, 50]


START = pd.Timestamp("2001-01-01")  # a Monday
# freq: (step, pace, season, span of 30 rows)
REGULAR = {
    "h": ("h", "hourly", 24, "2001-01-01 00:00 to 2001-01-02 05:00"),
    "30s": ("30s", "every 30s", 2880, "2001-01-01 00:00:00 to 2001-01-01 00:14:30"),
    "D": ("D", "daily", 7, "2001-01-01 to 2001-01-30"),
    "B": ("B", "Mon-Fri", 5, "2001-01-01 to 2001-02-09"),
    "7D": ("7D", "weekly", 52, "2001-01-01 to 2001-07-23"),
    "MS": ("MS", "monthly", 12, "2001-01-01 to 2003-06-01"),
    "QS": ("QS-JAN", "quarterly", 4, "2001-01-01 to 2008-04-01"),
    "YS": ("YS-JAN", "yearly", None, "2001-01-01 to 2030-01-01"),
}


@pytest.mark.parametrize("freq", REGULAR)
def test_a_regular_index_in_words(freq):
    index = pd.date_range(START, periods=30, freq=freq)
    assert (step(index), pace(index), season(index), span(index)) == REGULAR[freq]
    assert zone(index) is None
    assert zone(index.tz_localize("Asia/Taipei")) == "Asia/Taipei"


def test_a_count_in_words():
    index = pd.RangeIndex(10, 40, 10)
    assert (step(index), pace(index), season(index)) == ("no time", "counted by 10", None)
    assert span(index) == "10 to 30"
    assert zone(index) is None


def test_week_of_a_market():
    hours = pd.date_range(START, periods=24 * 28, freq="h")
    index = hours[(hours.day_of_week < 5) & (hours.hour >= 9) & (hours.hour < 14)]
    opened = np.zeros((7, 24), bool)
    opened[:5, 9:14] = True
    assert (week(index).open == opened).all()
    assert (week(index[:20]).open == opened).all()  # four days: Friday and the weekend not yet seen
    assert week(index[:8]).open.all()  # two days show no pattern
    assert week(pd.date_range(START, periods=90, freq="7h")) is None


def test_market_goes_on_in_local_time():
    """Over the change of the clocks it opens at the same hour of the day."""
    hours = pd.date_range("2021-03-01", "2021-03-27", freq="h", tz="Europe/Berlin")
    index = hours[(hours.day_of_week < 5) & (hours.hour >= 9) & (hours.hour < 14)]
    coming = future_index(index, 10)
    assert coming.hour.tolist() == 2 * [9, 10, 11, 12, 13]
    assert coming[0] == pd.Timestamp("2021-03-29 09:00", tz="Europe/Berlin")
