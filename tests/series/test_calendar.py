from utils.series import calendar

import numpy as np
import pandas as pd
import pytest

DAY = pd.Timedelta(days=1)
HOURS = pd.date_range("2001-01-01", periods=24 * 20, freq="h")
MONTH = pd.date_range("2001-01-01", periods=24 * 30, freq="h")
# freq: (step, words, season, cycles of 900 rows)
REGULAR = {
    "s": ("s", "every second", None, []),
    "15min": ("15min", "every 15min", 96, ["hour"]),
    "7h": ("7h", "every 7h", None, ["hour", "weekday"]),
    "h": ("h", "hourly", 24, ["hour", "weekday"]),
    "D": ("D", "daily", 7, ["weekday", "year"]),
    "2D": ("2D", "every 2D", None, ["year"]),
    "B": ("B", "Mon-Fri", 5, ["weekday", "year"]),
    "W-SUN": ("W-SUN", "weekly", 52, ["year"]),
    "28D": ("28D", "every 28D", None, ["year"]),
    "MS": ("MS", "monthly", 12, ["year"]),
    "ME": ("ME", "monthly", 12, ["year"]),
    "2MS": ("2MS", "every 2 months", 6, []),
    "QS-FEB": ("3MS", "quarterly", 4, []),
    "QE": ("3ME", "quarterly", 4, []),
    "YE-JUN": ("12MS", "yearly", None, []),
}


@pytest.mark.parametrize("freq", REGULAR)
def test_regular_times(freq):
    years = freq.startswith("Y")
    start, rows = ("1801-01-01", 203) if years else ("1901-01-01", 903)
    times = pd.date_range(start, periods=rows, freq=freq)
    index, positions, note = calendar.regular(pd.DatetimeIndex(times[:-3].to_numpy()))
    assert index.equals(times[:-3])
    assert index.freq is not None
    assert positions.tolist() == list(range(len(times) - 3))
    assert note == ""
    assert calendar.future(index, 3, calendar.step(index)).tolist() == times[-3:].tolist()
    cycles = list(dict.fromkeys(name.split()[0] for name in calendar.cycles(index)))
    said = calendar.step(index), calendar.words(index), calendar.season(index), cycles
    assert said == REGULAR[freq]


FRIDAYS = pd.date_range("2001-01-05", periods=10, freq="W-FRI")
BUSINESS = pd.bdate_range("2001-01-01", periods=60)
# what: (times, step, length of the index, words of the note)
TIMES = {
    "holidays": (BUSINESS.delete([3, 30, 31]), "B", 57, "3 business days without a row"),
    "a week from Monday to Friday": (BUSINESS[:5], "D", 5, ""),
    "a gap on weekdays": (HOURS.delete(range(100, 130)), "h", 480, ""),
    "a weekend without hours": (HOURS.delete(range(120, 168)), "h", 480, ""),
    "weekends without hours": (MONTH[MONTH.day_of_week < 5], "rows", 528, "pauses"),
    "nights": (HOURS[(HOURS.hour > 6) & (HOURS.hour < 20)], "rows", 260, "pauses"),
    "closed on Sundays": (pd.bdate_range("2001", periods=40, freq="C", weekmask="1111110"), "rows",
        40, "pauses"),
    "weeks with a gap": (FRIDAYS.delete([3, 4]), "W-FRI", 10, ""),
}  # fmt: skip


@pytest.mark.parametrize(("times", "step", "length", "note"), TIMES.values(), ids=TIMES)
def test_calendars(times, step, length, note):
    index, positions, said = calendar.regular(times)
    assert calendar.step(index) == step
    assert len(index) == length
    assert len(positions) == len(times) and (np.diff(positions) > 0).all()
    assert note in said and bool(note) == bool(said)
    if not note or step == "B":
        assert index[positions].equals(times)


def test_the_future_keeps_name_and_zone():
    index = pd.date_range("2021-10-30", periods=48, freq="h", tz="Europe/Berlin", name="when")
    coming = calendar.future(index, 2, calendar.step(index))
    assert coming.tolist() == [index[-1] + DAY / 24, index[-1] + DAY / 12]
    assert coming.name == "when"
    holiday = BUSINESS[[0, 1, 2, 4]]
    assert calendar.future(holiday, 2, "B").equals(pd.DatetimeIndex(["2001-01-08", "2001-01-09"]))


def test_counted_rows():
    index = pd.RangeIndex(40, name="row")
    assert (calendar.step(index), calendar.words(index)) == ("rows", "counted rows")
    assert calendar.season(index) is None and calendar.cycles(index) == []
    coming = calendar.future(index, 2, calendar.step(index))
    assert coming.equals(pd.RangeIndex(40, 42)) and coming.name == "row"


def test_columns_are_those_of_the_clock_and_the_calendar():
    index = pd.DatetimeIndex(["2001-01-01 06:00", "2001-01-03 18:30"])
    names = ["hour sin1", "hour cos2", "weekday Mon", "weekday Wed", "year cos1", "year sin2"]
    hour, year = 2 * np.pi * np.array([6, 18.5]) / 24, 2 * np.pi * np.array([0.25, 2 + 18.5 / 24])
    year /= 365.2425
    expected = np.stack(
        [np.sin(hour), np.cos(2 * hour), [1, 0], [0, 1], np.cos(year), np.sin(2 * year)], axis=1
    )
    values = calendar.columns(index, names)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, expected, atol=1e-6)
    local = index.tz_localize("Asia/Taipei")
    np.testing.assert_array_equal(calendar.columns(local, names), values)


def test_columns_judge_the_usual_step():
    """A series that begins before a day off has its weekday."""
    index = BUSINESS.delete([1, 2])
    assert "weekday Fri" in calendar.cycles(index)
    assert calendar.cycles(BUSINESS[:6]) == []  # less than two weeks
