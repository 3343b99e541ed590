import gzip
import os
import re
from pathlib import Path

from utils import InputError
from utils.series.csv_file import load_csv
from utils.series.index import calendar_names, future_index, season, step, zone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def write(tmp_path):
    """A function that writes a file and returns its path."""

    def write(content):
        path = tmp_path / "mine.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def table(times, header="time,y", separator=","):
    """A CSV with a row for each time; y counts the rows."""
    rows = [f"{time}{separator}{i}\n" for i, time in enumerate(times)]
    return header + "\n" + "".join(rows)


def hours(*numbers):
    return [f"2001-01-{1 + n // 24:02}T{n % 24:02}:00" for n in numbers]


GOOD_HOURS = hours(*range(48))
DAY = pd.Timedelta(days=1)
DAYS = pd.date_range("2001-01-05", periods=20)
HOURS = pd.date_range("2001-01-05", periods=48, freq="h")
RECENT = pd.date_range("2019-12-25", periods=20)
MONTHS = pd.date_range("1949-01-01", periods=36, freq="MS")
WEEKS = pd.date_range("2019-12-02", periods=30, freq="W-MON")
BARS = pd.DatetimeIndex(  # half-hours of business days, 9:00 to 13:30
    [
        t
        for t in pd.date_range("2001-01-01", periods=48 * 18, freq="30min")
        if t.day_of_week < 5 and 9 <= t.hour < 14
    ]
)

# what: (content, arguments, words of the one line)
BAD = {
    "empty": (b"", {}, ["mine.csv: is empty"]),
    "only blank lines": (b"\n \r\n\n", {}, ["is empty"]),
    "only a byte order mark": (b"\xef\xbb\xbf", {}, ["is empty"]),
    "only a header": ("time,y\n\n", {}, ["a header but no rows"]),
    "binary": (b"PK\x03\x04\x00\x00\x08", {}, ["binary", "export the table as CSV"]),
    "utf-16 without its mark": ("y\n1\n2\n3\n".encode("utf-16-le"), {}, ["binary"]),
    "workbook": (b"PK\x03\x04 and so on", {}, ["a workbook or archive; export the table as CSV"]),
    "json": ('[{"time": 1, "y": 2}]\n', {}, ["is JSON, HTML or XML", "export the table as CSV"]),
    "web page": ("<!DOCTYPE html>\n<p>y</p>\n", {}, ["is JSON, HTML or XML"]),
    "cut archive": (gzip.compress(b"y\n1\n2\n3\n" * 9)[:-9], {}, ["cannot be read", "check the"]),
    "no archive": (b"\x1f\x8b and so on", {}, ["cannot be read"]),
    "no header": (
        "2001-01-01,1\n2001-01-02,2\n",
        {},
        ["the first line holds data (2001-01-01, 1); write a line of column names above it"],
    ),
    "no header, a number as its name": ("5,1\n6,2\n", {"column": "1"}, ["holds data (5, 1)"]),
    "latin-1, another name": (
        "Zeit,größe\n1,2\n3,4\n".encode("latin-1"),
        {"column": "groesse"},
        ["no column 'groesse'", "not in UTF-8: save it so"],
    ),
    "latin-1 far down": (
        b"y\n" + b"1\n2\n" * 100_000 + b"\xb0\n",
        {},
        ["line 200002: '°' in column 'y' is not a number"],
    ),
    "other case": ("time,Y\n1,2\n", {}, ["no column 'y'", "did you mean 'Y'?"]),
    "no such column": (
        "time,temprature,rain\n1,2,3\n",
        {"column": "temperature"},
        ["no column 'temperature' for --column; did you mean 'temprature'? it has: time, temp"],
    ),
    "no such feature": ("y,z\n1,2\n", {"features": ["q"]}, ["no column 'q' for --features"]),
    "no such times": ("y,z\n1,2\n", {"time_column": "q"}, ["no column 'q' for --time-column"]),
    "many columns": (
        ",".join(f"c{i}" for i in range(50)) + "\n" + ",".join("1" * 50) + "\n",
        {},
        ["c0, c1,", "c11, ..."],
    ),
    "two columns of one name": ("y,z,y\n1,2,3\n", {}, ["2 columns named 'y'; rename"]),
    "feature is the column": ("y,z\n1,2\n", {"features": ["y"]}, ["--features y", "--column"]),
    "feature given twice": ("y,z\n1,2\n", {"features": ["z", "z"]}, ["--features z"]),
    "column is the time": ("y,z\n1,2\n", {"time_column": "y"}, ["--time-column y", "--column"]),
    "text": (
        "y,z\n1,1\n\n \n2,2\n?,3\n",
        {},
        ["line 6: '?' in column 'y' is not a number", "empty"],
    ),
    "text in a feature": ("y,z\n1,1\n2,b\n", {"features": ["z"]}, ["line 3: 'b' in column 'z'"]),
    "text after quoted line breaks": ('y,z\n1,"a\n\nb"\nx,c\n', {}, ["line 5: 'x'"]),
    "text after many rows": ("y,z\n" + "1,2\n" * 250_000 + "x,2\n", {}, ["line 250002: 'x'"]),
    "decimal comma": (
        "time;y\n2001;1,5\n2002;2,5\n",
        {},
        ["line 2: '1,5'", "--decimal , if that is a decimal comma"],
    ),
    "decimal point": ("y\n1.5\n", {"decimal": ","}, ["line 2: '1.5'", "--decimal . if"]),
    "thousands": ('y\n999\n"1,000"\n', {}, ["line 3: '1,000'", "delete thousands separators"]),
    "large thousands": ('y\n"1,000,000.5"\n', {}, ["line 2: '1,000,000.5'", "thousands"]),
    "unit": ("y\n1.5 kW\n", {}, ["line 2: '1.5 kW'", "write it like 1234.5"]),
    "percent": ("y\n50%\n", {}, ["line 2: '50%'", "unit"]),
    "currency": ("y\n$5\n", {}, ["line 2: '$5'"]),
    "line of units": ("time,y\n,°C\n1,2\n", {}, ["line 2: '°C'", "delete the line if it holds u"]),
    "dash": ("y\n1\n-\n3\n", {}, ["line 3: '-'", "--missing '-'"]),
    "yes": ("y\n1\nyes\n3\n", {}, ["line 3: 'yes' in column 'y' is not a number"]),
    "an endless number": (
        "y\n1\n" + "9" * 400 + "\n3\n",
        {},
        ["line 3: ", "in column 'y'"],  # pandas 3 takes it for infinite, pandas 2 for no number
    ),
    "an endless word": ("y\n1\n" + "x9" * 400 + "\n", {}, ["line 3", "... (800 characters)"]),
    "an endless time": (
        table([1, 2, "9" * 400, *range(4, 20)]),
        {},
        ["line 4: '9999", "is not a date or time"],
    ),
    "all missing": ("y,z\n,1\n,2\n,3\n", {}, ["column 'y' is missing in every row"]),
    "long and short rows": ("y,z\n1,2,3\n4\n5,6\n7,8\n", {}, ["line 2: 3 fields for 2 columns"]),
    "row names without a column": ("y,z\n1,2,3\n2,3,4\n", {}, ["line 2: 3 fields for 2"]),
    "unquoted decimal comma": ("z,y\n1,1\n1,2,5\n", {}, ["line 3: 3 fields for 2 columns"]),
    "unclosed quote": ('y,z\n1,2\n"3,4\n5,6\n', {}, ["is not a table"]),
    "missing": (
        "y,z\n1,1\n\n,1\nnan,1\n3,1\n,1\n4,1\n",
        {},
        [
            "line 4: missing or infinite values in column 'y': 3, of which 2 in a row",
            "--fill is 0; 2",
        ],
    ),
    "infinite": ("y,z\n1,1\n2,inf\n3,1\n", {"features": ["z"]}, ["line 3", "infinite", "'z': 1"]),
    "gap longer than fill": (
        "y,z\n1,1\n,1\n3,1\n,1\n,1\n6,1\n",
        {"fill": 1},
        ["line 5", "'y': 3, of which 2 in a row from here (--fill is 1; 2"],
    ),
    "missing at the start": ("y,z\n,1\n2,1\n3,1\n", {"fill": 9}, ["line 2", "start", "delete"]),
    "missing at the end": ("y,z\n2,1\n3,1\n,1\n,1\n", {"fill": 9}, ["line 4", "end", "delete"]),
    "short last row": ("z,y\n2,1\n3,2\n4\n", {"fill": 9}, ["line 4", "end"]),
    "blank line in one column": ("\ny\n1\n\n3\n\n\n", {}, ["line 4", "'y': 1, of which 1"]),
    "constant": ("y\n3.5\n3.5\n3.5\n", {}, ["'y' is 3.5 in every row", "--column"]),
    "price of zero": ("y,z\n1,1\n\n0,1\n", {"positive": True}, ["line 4", "'y' is 0", "price"]),
    "negative price": (
        "time,y\n2001-01-01,2\n2001-01-03,-1\n2001-01-04,2\n2001-01-05,2\n2001-01-06,2\n",
        {"positive": True, "fill": 1},
        ["line 3", "'y' is -1"],
    ),
    "unsorted": (
        table(hours(0, 1, 3, 2, 4)),
        {},
        ["line 5: 2001-01-01 02:00:00 comes before 2001-01-01 03:00:00", "sort"],
    ),
    "random order": (
        table(hours(7, 3, 9, 1, 0, 2, 8)),
        {},
        ["line 3", "comes before", "sort the rows by time"],
    ),
    "several series": (
        table([*GOOD_HOURS, *GOOD_HOURS]),
        {},
        ["line 50", "several series? keep one, or forecast.py --series-column"],
    ),
    "several series side by side": (
        table(time for time in GOOD_HOURS for _ in "ab"),
        {},
        ["line 3", "repeats", "several series?"],
    ),
    "duplicate time": (table(hours(0, 1, 1, 2)), {}, ["line 4: 2001-01-01 01:00:00 repeats"]),
    "uneven": (
        table(["2001-01-01T00:00", "2001-01-01T01:00", "2001-01-01T02:10", "2001-01-01T03:10"]),
        {},
        [
            "line 4: 2001-01-01 02:10:00 comes 0 days 01:10:00 after",
            "0 days 01:00:00; resample",
            "--time-column none",
        ],
    ),
    "missing hours": (
        table(hours(0, 1, 2, 5, 6, 7, 11)),
        {"fill": 2},
        ["line 8: rows missing between", "07:00:00 and 2001-01-01 11:00:00: 3 (--fill is 2; 3"],
    ),
    "missing month": (
        table(["2001-01-01", "2001-02-01", "2001-03-01", "2001-05-01", "2001-06-01"]),
        {},
        ["line 5: rows missing between 2001-03-01 00:00:00 and 2001-05-01 00:00:00: 1"],
    ),
    "missing year": (table([1990, 1991, 1992, 1994], "year,y"), {}, ["line 5", ": 1 (--fill"]),
    "missing count": (table([1, 2, 3, 5, 6]), {}, ["line 5: rows missing between 3 and 5: 1"]),
    "months without business days": (
        table(
            [
                *pd.bdate_range("2001-01-01", "2001-02-28"),
                *pd.bdate_range("2001-05-01", "2001-06-29"),
            ]
        ),
        {},
        ["line 45: rows missing between 2001-02-28 00:00:00 and 2001-05-01 00:00:00: 43"],
    ),
    "some days missing": (
        table(day for i, day in enumerate(pd.date_range("2001-01-01", periods=90)) if i != 50),
        {},
        ["line 52: rows missing between 2001-02-19 00:00:00 and 2001-02-21 00:00:00: 1"],
    ),
    "a night missing": (table(hours(*range(20), *range(30, 90))), {}, ["line 22", ": 10 (--fill"]),
    "a weekend missing": (
        table(hours(*range(96), *range(144, 400))),  # 2001-01-05 was a Friday
        {},
        ["line 98", ": 48 (--fill"],
    ),
    "bars missing at noon": (
        table(t for t in BARS if not (t.day == 9 and t.hour == 12)),
        {},
        ["rows missing between 2001-01-09 11:30:00 and 2001-01-09 13:00:00: 2"],
    ),
    "no leap day": (
        table(day for day in pd.date_range("2000-01-01", periods=99) if day.day_of_year != 60),
        {},
        ["rows missing between 2000-02-28 00:00:00 and 2000-03-01 00:00:00: 1"],
    ),
    "no date": (table(["10:30", "10:31", "10:32"]), {}, ["line 2: '10:30' in column 'time'"]),
    "one bad date": (
        table(["2001-01-01", "2001-01-02", "soon", "2001-01-04"]),
        {},
        ["line 4: 'soon' in column 'time' is not a date or time", "--time-column"],
    ),
    "a total at the end": (
        table([*hours(0, 1, 2), "Total"]),
        {},
        ["line 5: 'Total'", "delete the line if it is no row"],
    ),
    "a source at the end": ("time,y\n2001,1\n2002,2\n2003,3\nSource: me\n", {}, ["line 5: 'Sour"]),
    "two orders of a date": (
        table([*DAYS.strftime("%m/%d/%Y"), *(DAYS + 20 * DAY).strftime("%d/%m/%Y")]),
        {},
        ["is not a date or time"],
    ),
    "names of months": (
        table(["January", "February", "March"], "Month,y"),
        {},
        ["'January' in col"],
    ),
    "names of days": (table(["Mon", "Tue", "Wed"], "day,y"), {}, ["'Mon'", "--time-column none"]),
    "days without a year": (table(DAYS.strftime("%d-%b"), "date,y"), {}, ["line 2: '05-Jan'"]),
    "years of a study": (table(["1-01", "1-02", "1-03"], "Month,y"), {}, ["line 2: '1-01'"]),
    "two columns of times": (
        "time,time,y\n2001,1,1\n2002,2,2\n2003,3,3\n",
        {},
        ["several columns named 'time'; rename"],
    ),
    "offsets at random": (
        table(f"2001-01-01T{h:02}:00:00+0{h % 3}:00" for h in range(9)),
        {},
        ["line 3", "repeats"],
    ),
    "an offset far down": (
        table([*HOURS.strftime("%Y-%m-%dT%H:%M"), "2001-01-07T00:00+01:00"]),
        {},
        ["line 50: '2001-01-07T00:00+01:00' in column 'time' is not a date"],
    ),
    "a missing time": (
        table([*hours(0, 1, 2), "", *hours(4, 5)]),
        {},
        ["line 5: ''", "not a date"],
    ),
    "text as time column": ("y,z\n1,a\n2,b\n", {"time_column": "z"}, ["line 2: 'a'", "'z'"]),
    "two rows with times": (table(hours(0, 1)), {}, ["fewer than 3 rows"]),
    "a Sunday's hour missing": (
        table(f"2021-02-14 {h:02}:00" for h in (0, 1, 2, 4)),
        {},
        ["line 5", "the clocks changed?", "UTC"],
    ),
    "an hour twice and one missing": (
        table(
            pd.date_range("2020-10-24", periods=72, freq="h", tz="Europe/Berlin")
            .delete(50)
            .strftime("%Y-%m-%d %H:%M")
        ),
        {},
        ["line 29: 2020-10-25 02:00:00 repeats", "the clocks changed?"],
    ),
    "utf-32": (table(DAYS).encode("utf-32"), {}, ["is a binary file"]),
    "part of a web page": ("<table><tr>y</tr>\n</table>\n", {}, ["is JSON, HTML or XML"]),
    "remark in between": (
        table([*hours(0, 1), "# moved", *hours(2, 3)]),
        {},
        ["line 4: '# moved'", "delete the line if it is no row"],
    ),
    "two remarks at the end": (table([*hours(0, 1, 2), "a", "b"]), {}, ["line 5: 'a'", "no row"]),
    "points and a comma": ("d;y\n1;1.100,5\n", {}, ["'1.100,5'", "--decimal ,"]),
    "an hour twice": (
        table([*(f"2021-10-31 {h:02}:00" for h in range(3)), *["2021-10-31 02:00"] * 2]),
        {},
        ["line 5", "repeats", "the clocks changed?"],
    ),
}


@pytest.mark.parametrize(("content", "arguments", "words"), BAD.values(), ids=BAD)
def test_bad_file_is_told_in_one_line(write, content, arguments, words):
    path = write(content)
    with pytest.raises(InputError) as error:
        load_csv(path, **{"column": "y"} | arguments)
    line = str(error.value)
    assert "\n" not in line
    assert line.startswith("--")
    for word in words:
        assert word in line


def test_no_file_to_read(tmp_path):
    with pytest.raises(InputError, match=re.escape(f"--csv {tmp_path}: is a folder; name a file")):
        load_csv(tmp_path, "y")
    with pytest.raises(InputError, match=r"none.csv: cannot be read \(No such file or directory\)"):
        load_csv(tmp_path / "none.csv", "y")


def test_weather():
    frame = load_csv(DATA / "weather_greensboro.csv", "temperature", ["humidity", "dew_point"])
    assert list(frame) == ["temperature", "humidity", "dew_point"]
    assert set(frame.dtypes) == {np.dtype("float64")}
    assert frame.shape == (8760, 3)
    assert frame.iloc[1].tolist() == [10.0, 80.0, 6.7]
    assert frame.index[0] == pd.Timestamp("2001-01-01 01:00")
    assert frame.index.freq == pd.offsets.Hour()
    assert future_index(frame.index, 2)[-1] == pd.Timestamp("2002-01-01 02:00")
    assert season(frame.index) == 24
    assert calendar_names(frame.index) == ["hour_sin", "hour_cos"]  # one year only


def test_stock_calendar_keeps_its_holidays():
    frame = load_csv(DATA / "stock_goog.csv", "close", positive=True, fill=3)
    assert len(frame) == 1047  # not one invented price
    assert frame.index.freq is None
    assert future_index(frame.index, 4)[-1] == pd.Timestamp("2008-10-20")  # over a weekend
    assert season(frame.index) == 5
    assert calendar_names(frame.index) == ["year_sin", "year_cos"]


START = pd.Timestamp("2001-01-01")
# freq: (start, season, calendar inputs of 900 steps)
REGULAR = {
    "s": (START, 86400, []),
    "15min": (START, 96, ["hour"]),
    "7h": (START, None, ["hour"]),
    "h": (START, 24, ["hour"]),
    "D": (START, 7, ["year"]),
    "2D": (START, None, ["year"]),
    "B": (START, 5, ["year"]),
    "W-SUN": (START, 52, ["year"]),
    "28D": (START, None, ["year"]),
    "MS": (START, 12, ["year"]),
    "ME": (START, 12, ["year"]),
    "QS": (START, 4, []),
    "YE": (pd.Timestamp("1801-01-01"), None, []),
}


@pytest.mark.parametrize("freq", REGULAR)
def test_regular_steps(write, freq):
    start, steps, cycles = REGULAR[freq]
    times = pd.date_range(start, periods=900 if "Y" not in freq else 200, freq=freq)
    index = load_csv(write(table(times[:-3])), "y").index
    assert index.tolist() == times[:-3].tolist()
    assert index.freq is not None
    assert future_index(index, 3).tolist() == times[-3:].tolist()
    assert season(index) == steps
    assert calendar_names(index) == [
        f"{cycle}_{wave}" for cycle in cycles for wave in ("sin", "cos")
    ]


def test_months_on_the_fifteenth(write):
    times = [f"{year}-{month:02}-15" for year in (2001, 2002) for month in range(1, 13)]
    index = load_csv(write(table(times)), "y").index
    assert future_index(index, 2).tolist() == [
        pd.Timestamp("2003-01-15"),
        pd.Timestamp("2003-02-15"),
    ]
    assert season(index) == 12


def clock_zh(time):
    """A time as a Chinese spreadsheet shows it."""
    half = "上午" if time.hour < 12 else "下午"
    return f"{time.year}/{time.month}/{time.day} {half} {(time.hour - 1) % 12 + 1:02}:00:00"


def roc(time, written="{}/{:02}/{:02}"):
    """A date in years of the Republic of China."""
    return written.format(time.year - 1911, time.month, time.day)


# what: (times as written, header, the times they mean)
WRITTEN = {
    "month first": (DAYS.strftime("%m/%d/%Y"), "Date,y", DAYS),
    "day first": (DAYS.strftime("%d/%m/%Y"), "Date,y", DAYS),
    "day first, all before the 13th": (HOURS.strftime("%d/%m/%Y %H:%M"), "Date,y", HOURS),
    "day first, months": (MONTHS.strftime("%d/%m/%Y"), "Date,y", MONTHS),
    "points": (HOURS.strftime("%d.%m.%Y %H:%M:%S"), "Date Time,y", HOURS),
    "dashes": (DAYS.strftime("%d-%m-%Y"), "date,y", DAYS),
    "two digits": (DAYS.strftime("%m/%d/%y"), "date,y", DAYS),
    "two digits and points": (DAYS.strftime("%d.%m.%y"), "date,y", DAYS),
    "am and pm": (HOURS.strftime("%m/%d/%Y %I:%M %p"), "date,y", HOURS),
    "a.m. and p.m.": (
        [t.strftime("%Y-%m-%d %I:%M ") + ("a.m." if t.hour < 12 else "p.m.") for t in HOURS],
        "date,y",
        HOURS,
    ),
    "name of the month": (DAYS.strftime("%d-%b-%Y"), "date,y", DAYS),
    "comma after the day": (DAYS.strftime('"%b %d, %Y"'), "date,y", DAYS),
    "four letters of September": (
        [
            time.strftime("%d %b %Y").replace("Sep", "Sept.")
            for time in pd.date_range("2001-05-01", periods=200)
        ],
        "date,y",
        pd.date_range("2001-05-01", periods=200),
    ),
    "ordinals": ([f"{t.day}th of {t:%B %Y}" for t in DAYS], "date,y", DAYS),
    "mail": (HOURS.strftime('"%a, %d %b %Y %H:%M:%S GMT"'), "date,y", HOURS.tz_localize("UTC")),
    "month and year": (MONTHS.strftime("%B %Y"), "Month,y", MONTHS),
    "Jan-49": (MONTHS.strftime("%b-%y"), "Month,y", MONTHS),
    "49-Jan": (MONTHS.strftime("%y-%b"), "Month,y", MONTHS),
    "1949-01": (MONTHS.strftime("%Y-%m"), "Month,y", MONTHS),
    "slashes": (HOURS.strftime("%Y/%m/%d %H:%M"), "date,y", HOURS),
    "quoted": (DAYS.strftime('"%Y-%m-%d"'), '"time","y"', DAYS),
    "line break in the header": (DAYS, '"time\nof the day","y"', DAYS),
    "any name": (DAYS.strftime("%Y-%m-%d"), "when it was,y", DAYS),
    "no name": (DAYS.strftime("%Y-%m-%d"), ",y", DAYS),
    "camels": (HOURS.as_unit("s").asi8, "openTime,y", HOURS.tz_localize("UTC")),
    "numbers": (DAYS.strftime("%Y%m%d"), "day,y", DAYS),
    "numbers of hours": (HOURS.strftime("%Y%m%d%H"), "time,y", HOURS),
    "numbers of minutes": (HOURS.strftime("%Y%m%d%H%M"), "time,y", HOURS),
    "numbers of seconds": (HOURS.strftime("%Y%m%d%H%M%S"), "time,y", HOURS),
    "numbers of hours to 24": (
        [f"{t - DAY:%Y%m%d}24" if t.hour == 0 else f"{t:%Y%m%d%H}" for t in HOURS],
        "time,y",
        HOURS,
    ),
    "basic": (HOURS.strftime("%Y%m%dT%H%M%S"), "time,y", HOURS),
    "hour 24": (
        [f"{t - DAY:%Y-%m-%d} 24:00" if t.hour == 0 else f"{t:%Y-%m-%d %H:%M}" for t in HOURS],
        "time,y",
        HOURS,
    ),
    "hour 24 after the sample": (
        [
            f"{t - DAY:%d/%m/%Y} 24:00" if t.hour + t.minute == 0 else f"{t:%d/%m/%Y %H:%M}"
            for t in pd.date_range("2001-01-13 00:01", periods=3000, freq="min")
        ],
        "time,y",
        pd.date_range("2001-01-13 00:01", periods=3000, freq="min"),
    ),
    "seconds": (HOURS.as_unit("s").asi8, "timestamp,y", HOURS.tz_localize("UTC")),
    "milliseconds": (HOURS.as_unit("ms").asi8, "timestamp,y", HOURS.tz_localize("UTC")),
    "seconds in floats": (
        HOURS.as_unit("s").asi8.astype(float),
        "unixtime,y",
        HOURS.tz_localize("UTC"),
    ),
    "years": (range(1950, 1970), "Year,y", pd.date_range("1950", periods=20, freq="YS")),
    "years named time": (
        range(1871, 1971),
        "time,y",
        pd.date_range("1871", periods=100, freq="YS"),
    ),
    "year and month": (
        [f"{year}{month:02}" for year in (1999, 2000) for month in range(1, 13)],
        "month,y",
        pd.date_range("1999", periods=24, freq="MS"),
    ),
    "fractions of years": ([f"{1949 + i / 12:.3f}" for i in range(36)], "time,y", MONTHS),
    "quarters": (
        [f"{year}Q{quarter}" for year in range(1999, 2003) for quarter in range(1, 5)],
        "quarter,y",
        pd.date_range("1999", periods=16, freq="QS"),
    ),
    "quarters first": (
        [f"Q{quarter} {year}" for year in range(1999, 2003) for quarter in range(1, 5)],
        "period,y",
        pd.date_range("1999", periods=16, freq="QS"),
    ),
    "weeks": (WEEKS.strftime("%G-W%V"), "week,y", WEEKS),
    "days of a spreadsheet": ([36896 + i for i in range(20)], "date,y", DAYS),
    "days of a spreadsheet named time": ([36896 + i for i in range(20)], "time,y", DAYS),
    "hours of a spreadsheet": ([f"{36896 + i / 24:.6f}" for i in range(48)], "時間,y", HOURS),
    "日期": (DAYS.strftime("%Y%m%d"), "日期,y", DAYS),
    "時間": (DAYS.strftime("%Y%m%d"), "時間,y", DAYS),
    "上午": ([clock_zh(time) for time in HOURS], "時間,y", HOURS),
    "年月日": ([f"{t.year}年{t.month}月{t.day}日" for t in DAYS], "日期,y", DAYS),
    "年月日時": ([f"{t.year}年{t.month}月{t.day}日 {t.hour}時" for t in HOURS], "時間,y", HOURS),
    "Republic of China": (map(roc, RECENT), "日期,y", RECENT),
    "Republic of China, from 99 to 100": (
        map(roc, pd.date_range("2010-06-01", periods=300)),
        "日期,y",
        pd.date_range("2010-06-01", periods=300),
    ),
    "Republic of China, numbers": ((roc(t, "{}{:02}{:02}") for t in RECENT), "日期,y", RECENT),
    "Republic of China, words": ((roc(t, "民國{}年{}月{}日") for t in RECENT), "日期,y", RECENT),
    "Republic of China, months": ((roc(t, "{}年{}月") for t in MONTHS), "月份,y", MONTHS),
    "Republic of China, months in numbers": (
        (roc(t, "{}{:02}") for t in pd.date_range("2018", periods=30, freq="MS")),
        "年月,y",
        pd.date_range("2018", periods=30, freq="MS"),
    ),
    "four columns": (HOURS.strftime("%Y,%m,%d,%H"), "year,month,day,hour,y", HOURS),
    "a number beside four columns": (
        [f"{i + 1},{t.year},{t.month},{t.day},{t.hour}" for i, t in enumerate(HOURS)],
        "No,year,month,day,hour,y",
        HOURS,
    ),
    "columns in another order": (DAYS.strftime("%d,%m,%Y"), "DD,MM,YYYY,y", DAYS),
    "columns with two digits": (HOURS.strftime("%y,%m,%d,%H,%M"), "yy,mo,dy,hr,min,y", HOURS),
    "columns 年 月 日": ((roc(t, "{},{},{}") for t in RECENT), "年,月,日,y", RECENT),
    "year, name of the month": (MONTHS.strftime("%Y,%b"), "Year,Month,y", MONTHS),
    "year, quarter": (
        [f"{year},{quarter}" for year in range(1999, 2003) for quarter in range(1, 5)],
        "year,quarter,y",
        pd.date_range("1999", periods=16, freq="QS"),
    ),
    "year, week": (WEEKS.strftime("%G,%V"), "year,week,y", WEEKS),
    "year, day of the year": (
        [f"{t.year},{t.day_of_year}" for t in pd.date_range("1999-12-01", periods=500)],
        "year,day,y",
        pd.date_range("1999-12-01", periods=500),
    ),
    "date, clock": (HOURS.strftime("%d/%m/%Y,%H:%M:%S"), "Date,Time,y", HOURS),
    "date, hour": (HOURS.strftime("%Y-%m-%d,%H"), "date,hour,y", HOURS),
    "date, hour to 24": (
        [f"{t - DAY:%Y-%m-%d},24" if t.hour == 0 else f"{t:%Y-%m-%d},{t.hour}" for t in HOURS],
        "date,hour,y",
        HOURS,
    ),
    "date, 1330": ([f"{t:%Y%m%d},{t.hour * 100}" for t in HOURS], "date,hhmm,y", HOURS),
    "a counter first": (
        [f"{i},{t:%Y-%m-%d}" for i, t in enumerate(DAYS)],
        "day,value_date,y",
        DAYS,
    ),
    "weeks counted": (
        [f"{i + 1},{t:%Y-%m-%d}" for i, t in enumerate(WEEKS)],
        "week,week_start,y",
        WEEKS,
    ),
    "date beside the full time": (HOURS.strftime("%Y-%m-%d,%Y-%m-%d %H:%M"), "date,time,y", HOURS),
    "day of download": ([f"2020-01-01,{t}" for t in HOURS], "download_date,t,y", HOURS),
    "points, months": (MONTHS[:12].strftime("%d.%m.%Y"), "date,y", MONTHS[:12]),
    "points, midnight without a clock": (
        [f"{t:%d.%m.%Y}" if t.hour == 0 else f"{t:%d.%m.%Y %H:%M:%S}" for t in HOURS],
        "date,y",
        HOURS,
    ),
    "clock with points": (HOURS.strftime("%d/%m/%Y,%H.%M.%S"), "Date,Time,y", HOURS),
    "interval": (
        [f"{t:%d.%m.%Y %H:%M} - {t + DAY / 24:%d.%m.%Y %H:%M}" for t in HOURS],
        "t,y",
        HOURS,
    ),
    "hour and half of the day": (HOURS.strftime("%Y-%m-%d %I-%p"), "Date,y", HOURS),
    "ctime": (HOURS.strftime("%a %b %d %H:%M:%S %Y"), "time,y", HOURS),
    "access log": (HOURS.strftime("[%d/%b/%Y:%H:%M:%S +0000]"), "t,y", HOURS.tz_localize("UTC")),
    "name of a zone": (HOURS.strftime("%Y-%m-%d %H:%M EST"), "t,y", HOURS.tz_localize("-05:00")),
    "GMT+8": (HOURS.strftime("%Y-%m-%d %H:%M:%S GMT+8"), "t,y", HOURS.tz_localize("+08:00")),
    "decimal comma in a clock": (HOURS.strftime('"%Y-%m-%d %H:%M:%S,000"'), "time,y", HOURS),
    "星期": ([f"{t:%Y/%m/%d} 星期{'一二三四五六日'[t.day_of_week]}" for t in DAYS], "日期,y", DAYS),
    "一月": (
        [f"{t.year}年{'一二三四五六七八九十'[t.month - 1]}月" for t in MONTHS[:10]],
        "月份,y",
        MONTHS[:10],
    ),
    "columns with 年 月": ([f"{t.year}年,{t.month}月" for t in MONTHS], "年,月,y", MONTHS),
    "1949M01": (MONTHS.strftime("%YM%m"), "TIME,y", MONTHS),
    "1949.01": (MONTHS.strftime("%Y.%m"), "month,y", MONTHS),
    "middles of months": ([f"{1949 + (i + 0.5) / 12:.4f}" for i in range(36)], "date,y", MONTHS),
    "1Q99": (
        [f"{quarter}Q{year}" for year in (97, 98, 99) for quarter in range(1, 5)],
        "period,y",
        pd.date_range("1997", periods=12, freq="QS"),
    ),
    "quarters of the Republic of China": (
        [f"{year}年第{quarter}季" for year in (99, 100) for quarter in range(1, 5)],
        "季度,y",
        pd.date_range("2010", periods=8, freq="QS"),
    ),
    "week first": (WEEKS.strftime("KW %V/%G"), "Woche,y", WEEKS),
    "weeks in numbers": (WEEKS.strftime("%G%V"), "week,y", WEEKS),
    "2019365": (RECENT.strftime("%Y%j"), "date,y", RECENT),
    "191231": (RECENT.strftime("%y%m%d"), "date,y", RECENT),
    "31122019": (RECENT.strftime("%d%m%Y"), "date,y", RECENT),
    "half a year on the wall": (
        [
            f"{t:%Y-%m-%d %H:%M}"
            for t in pd.date_range("2021-01-01", periods=8000, freq="h", tz="Europe/Berlin")
        ],
        "time,y",
        pd.date_range("2021-01-01", periods=8000, freq="h", tz="Europe/Berlin"),
    ),
}


@pytest.mark.parametrize(("times", "header", "meant"), WRITTEN.values(), ids=WRITTEN)
def test_ways_to_write_times(write, times, header, meant):
    content = table(times, header)
    frame = load_csv(write(content), "y")
    assert frame.attrs["understood"].startswith(f"{len(meant):,} rows, ")
    assert "time from column" in frame.attrs["understood"]
    assert frame.attrs["suspicious"] == []
    assert frame.index.tolist() == meant.tolist()
    assert frame["y"].tolist() == list(range(len(meant)))


# what: (content, index)
NO_TIMES = {
    "numbers only": ("y,z\n1,5\n2,5\n4,7\n", pd.RangeIndex(3)),
    "a label": ("y,z\n1,a\n2,b\n4,c\n", pd.RangeIndex(3)),
    "a time that lasts": ("response_time,y\n0.3,1\n0.2,2\n0.5,3\n", pd.RangeIndex(3)),
    "hour of the day": ("hour,y\n22,1\n23,2\n0,3\n1,4\n", pd.RangeIndex(4)),
    "a count": ("time,y\n10,1\n20,2\n30,3\n", pd.RangeIndex(10, 40, 10)),
    "a count in fractions": ("time,y\n0,1\n0.033,2\n0.066,3\n", pd.RangeIndex(3)),
}


@pytest.mark.parametrize(("content", "index"), NO_TIMES.values(), ids=NO_TIMES)
def test_rows_without_times(write, content, index):
    found = load_csv(write(content), "y").index
    assert found.equals(index)
    assert isinstance(found, pd.RangeIndex)
    assert season(found) is None
    assert calendar_names(found) == []


def test_time_column_overrides(write):
    content = "date,other,y\n2001-01-01,2001-01-01T00:00,1\n2001-01-02,2001-01-01T01:00,2\n"
    content += "2001-01-03,2001-01-01T02:00,3\n"
    assert load_csv(write(content), "y").index.freq == pd.offsets.Day()
    assert load_csv(write(content), "y", time_column="other").index.freq == pd.offsets.Hour()


# what: (content, arguments); y is 1.5, 2.5, 4 and z is 2, 3, 5
PLAIN = "y,z\n1.5,2\n2.5,3\n4,5\n"
TABLES = {
    "semicolons": (PLAIN.replace(",", ";"), {}),
    "tabs": (PLAIN.replace(",", "\t"), {}),
    "bars": (PLAIN.replace(",", "|"), {}),
    "spaces": (PLAIN.replace(",", "   "), {}),
    "decimal comma": ("y;z\n1,5;2\n2,5;3,0\n4;5\n", {"decimal": ","}),
    "byte order mark, blank line": ("\ufeffy,z\r\n1.5,2\r\n\r\n2.5,3\r\n4,5\r\n", {}),
    "carriage returns": (PLAIN.replace("\n", "\r"), {}),
    "no line break at the end": (PLAIN.strip(), {}),
    "utf-16": (PLAIN.encode("utf-16"), {}),
    "utf-16 with tabs": (PLAIN.replace(",", "\t").encode("utf-16"), {}),
    "gzip": (gzip.compress(PLAIN.encode()), {}),
    "Big5 beside": ("備註,y,z\n晴,1.5,2\n雨,2.5,3\n雪,4,5\n".encode("cp950"), {}),
    "blanks around": ("\n\nz, y\n2, 1.5 \n3 , 2.5\n 5, 4\n", {}),
    "separator at the end": ("y,z,\n1.5,2,\n2.5,3,\n4,5,\n", {}),
    "separators at the end of rows": ("y,z\n1.5,2,\n2.5,3,,\n4,5\n", {}),
    "empty rows at the end": ("y,z\n1.5,2\n2.5,3\n4,5\n,\n,\n", {}),
    "quotes": ('note,y,z\n"a, b",1.5,2\n"c\n, d","2.5",3\n"e ""f""",4,5\n', {}),
    "title and remarks above": ("Report, 2001\n# 5 rows\n\ny,z\n1.5,2\n2.5,3\n4,5\n", {}),
    "a line break in a name": ('y,"z\n(kW)"\n1.5,2\n2.5,3\n4,5\n', {"features": ["z (kW)"]}),
    "numbers of pandas": (",y,z\n0,1.5,2\n1,2.5,3\n2,4,5\n", {}),
    "exponents": ("y,z\n15e-1,2E0\n0.25E+1,+3\n4.,5\n", {}),
    "empty columns": ("y,,z,\n1.5,,2,\n2.5,,3,\n4,,5,\n", {}),
    "other names twice": ("y,a,a,z\n1.5,1,1,2\n2.5,1,1,3\n4,1,1,5\n", {}),
    "a time that lasts": ("run_time,y,z\n0.3,1.5,2\n0.2,2.5,3\n0.5,4,5\n", {}),
}


@pytest.mark.parametrize(("content", "arguments"), TABLES.values(), ids=TABLES)
def test_ways_to_write_a_table(write, content, arguments):
    frame = load_csv(write(content), "y", **{"features": ["z"]} | arguments)
    assert frame.to_numpy().tolist() == [[1.5, 2], [2.5, 3], [4, 5]]
    assert isinstance(frame.index, pd.RangeIndex)
    assert "no time column: rows are counted" in frame.attrs["understood"]


@pytest.mark.parametrize(
    ("encoding", "header", "column"),
    [
        ("cp950", "時間,溫度", "溫度"),
        ("gb18030", "时间,温度", "温度"),
        ("cp1252", "Zeit,Größe", "Größe"),
        ("utf-16", "時間,溫度", "溫度"),
        ("utf-8", "時間,溫度", "溫度"),
    ],
)
def test_encoding_is_the_one_that_has_the_names(write, encoding, header, column):
    frame = load_csv(write(table(HOURS, header).encode(encoding)), column)
    assert frame.index.tolist() == HOURS.tolist()
    assert (f"text read as {encoding}" in frame.attrs["understood"]) == ("utf" not in encoding)


@pytest.mark.parametrize(
    ("decimal", "words", "numbers"),
    [
        (",", ["1.234,5", "-1.234.567,25", "0,5", "7"], [1234.5, -1234567.25, 0.5, 7]),
        (".", ["1234.5", "−7", "True", "False"], [1234.5, -7, 1, 0]),
        (".", ["True", "False", "False", "True"], [1, 0, 0, 1]),
    ],
)
def test_ways_to_write_numbers(write, decimal, words, numbers):
    frame = load_csv(write("y;z\n" + "".join(f"{w};1\n" for w in words)), "y", decimal=decimal)
    assert frame["y"].tolist() == numbers


def test_missing_is_what_the_user_says(write):
    path = write("y,z\n1,?\n-9999.0,?\n3,1\nnull,NA\n5,-9999\n")
    with pytest.raises(InputError, match=r"line 2: '\?' in column 'z'"):
        load_csv(path, "y", ["z"], missing=["-9999"], fill=9)
    frame = load_csv(path, "y", missing=["-9999", "?"], fill=1)
    assert frame["y"].tolist() == [1, 2, 3, 4, 5]
    assert frame.attrs["filled"] == [1, 3]


def test_no_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe: is a pipe or device: save its output"):
        load_csv(tmp_path / "pipe", "y")


def test_progress_of_a_long_file(write, monkeypatch, capsys):
    path = write(table(range(250_000)))
    load_csv(path, "y")
    assert capsys.readouterr().err == ""
    clock = iter(range(0, 10_000, 3))
    monkeypatch.setattr("utils.series.table.time.monotonic", lambda: next(clock))
    load_csv(path, "y")
    said = capsys.readouterr().err
    assert said.startswith("\rreading mine.csv: 100,000 rows, ")
    assert said.endswith("250,000 rows, 100% \n")


def test_offsets_from_utc(write):
    berlin = pd.date_range("2021-03-27", periods=72, freq="h", tz="Europe/Berlin")
    index = load_csv(write(table(time.isoformat() for time in berlin)), "y").index
    assert index.tolist() == berlin.tolist()
    assert index.hour.tolist() == berlin.hour.tolist()  # the file's
    assert zone(index) == "Europe/Berlin"
    assert future_index(index, 1)[0] == berlin[-1] + pd.Timedelta(hours=1)

    days = pd.date_range("2021-03-20", periods=20, tz="Europe/Berlin")
    index = load_csv(write(table(days)), "y").index
    assert index.tolist() == days.tz_localize(None).tolist()

    fixed = pd.date_range("2021-03-27", periods=72, freq="h", tz="-03:30")
    index = load_csv(write(table(fixed)), "y").index
    assert index.tolist() == fixed.tolist()
    assert index.hour.tolist() == fixed.hour.tolist()
    assert zone(index) == "UTC-03:30"
    assert future_index(index, 1)[0] == fixed[-1] + pd.Timedelta(hours=1)

    for name in ("UTC", " UTC", "Z", ".250Z"):
        utc = pd.date_range("2021-03-27", periods=5, freq="h", tz="UTC")
        times = utc.strftime(f"%Y-%m-%d %H:%M:%S{name}")
        fraction = pd.Timedelta(milliseconds=250 if "." in name else 0)
        index = load_csv(write(table(times)), "y").index
        assert index.tolist() == (utc + fraction).tolist()
        assert zone(index) == "UTC"
    assert zone(HOURS) is zone(pd.RangeIndex(3)) is None


@pytest.mark.parametrize(
    ("start", "name", "step"),
    [
        ("2021-10-30", "Europe/Berlin", "h"),
        ("2021-03-27", "Europe/Berlin", "15min"),
        ("2021-11-05", "America/New_York", "30min"),
        ("2021-04-02", "Australia/Sydney", "h"),
    ],
)
def test_clock_on_the_wall(write, start, name, step):
    """Without offsets, a day of 23 or 25 hours shows where the clock is."""
    meant = pd.date_range(start, periods=200, freq=step, tz=name)
    frame = load_csv(write(table(meant.strftime("%Y-%m-%d %H:%M"))), "y")
    assert frame.index.tolist() == meant.tolist()
    assert f"on the clock of {name}" in frame.attrs["understood"]
    assert future_index(frame.index, 1)[0] == meant[-1] + meant.freq


def test_newest_first(write):
    frame = load_csv(write(table(HOURS[::-1])), "y")
    assert frame.index.tolist() == HOURS.tolist()
    assert frame["y"].tolist() == list(range(47, -1, -1))
    assert "newest first" in frame.attrs["understood"]
    with pytest.raises(InputError, match="line 5: rows missing between 2001-01-06 17:00:00 and"):
        load_csv(write(table(HOURS[::-1].delete([4, 5]))), "y")


SATURDAY = pd.Timestamp("2001-02-10")
SHOP = pd.date_range("2001-01-01", periods=80)
MONTH_ENDS = pd.date_range("2001-01-31", periods=40, freq="BME")
FOREX = pd.date_range("2001-01-01", periods=24 * 30, freq="h")
WEDNESDAY = "Mon,Tue,Thu,Fri,Sat,Sun"
# what: (times, the next ones, season, step, pace)
PAUSES = {
    "Monday to Saturday": (
        SHOP[SHOP.day_of_week != 6],
        ["2001-03-22", "2001-03-23", "2001-03-24", "2001-03-26"],
        6,
        "Mon-Sat",
        "Mon-Sat",
    ),
    "and holidays": (
        SHOP[SHOP.day_of_week != 6].delete([12, 13, 40]),
        ["2001-03-22", "2001-03-23", "2001-03-24", "2001-03-26"],
        6,
        "Mon-Sat",
        "Mon-Sat",
    ),
    "closed on Wednesdays": (
        SHOP[SHOP.day_of_week != 2],
        ["2001-03-22", "2001-03-23"],
        6,
        WEDNESDAY,
        WEDNESDAY,
    ),
    "a Saturday among business days": (
        SHOP[(SHOP.day_of_week < 5) | (SHOP == SATURDAY)],
        ["2001-03-22", "2001-03-23", "2001-03-26"],
        5,
        "B",
        "Mon-Fri",
    ),
    "a Saturday at the end": (
        SHOP[(SHOP < SATURDAY) & (SHOP.day_of_week < 5)].append(pd.DatetimeIndex([SATURDAY])),
        ["2001-02-12", "2001-02-13"],
        5,
        "B",
        "Mon-Fri",
    ),
    "bars": (
        BARS,
        ["2001-01-19 09:00", "2001-01-19 09:30"],
        10,
        "30min, 50 a week",
        "every 30min, with pauses",
    ),
    "bars of three days": (
        BARS[:28],
        ["2001-01-03 13:00", "2001-01-03 13:30", "2001-01-04 09:00"],
        10,
        "30min, 50 a week",
        "every 30min, with pauses",
    ),
    "an hour for lunch": (
        BARS[BARS.hour != 12],
        ["2001-01-19 09:00", "2001-01-19 09:30"],
        8,
        "30min, 40 a week",
        "every 30min, with pauses",
    ),
    "weekends without currencies": (
        FOREX[(FOREX.day_of_week < 4) | ((FOREX.day_of_week == 4) & (FOREX.hour < 22))],
        ["2001-01-31 00:00", "2001-01-31 01:00"],
        24,
        "h, 118 a week",
        "hourly, with pauses",
    ),
    "last business days": (MONTH_ENDS, ["2004-05-31", "2004-06-30"], 12, "BME", "monthly"),
    "last days of trade": (
        MONTH_ENDS.where(MONTH_ENDS != "2002-03-29", pd.Timestamp("2002-03-28")),
        ["2004-05-31", "2004-06-30"],
        12,
        "BME",
        "monthly",
    ),
    "first business days": (
        pd.date_range("2001-01-01", periods=40, freq="BMS"),
        ["2004-05-03", "2004-06-01"],
        12,
        "BMS",
        "monthly",
    ),
}


@pytest.mark.parametrize(("times", "coming", "steps", "code", "pace"), PAUSES.values(), ids=PAUSES)
def test_calendar_with_pauses(write, times, coming, steps, code, pace):
    """The rows that exist follow each other; what comes next keeps to the same hours."""
    frame = load_csv(write(table(times)), "y")
    index = frame.index
    assert index.tolist() == list(times)
    assert future_index(index, len(coming)).tolist() == list(map(pd.Timestamp, coming))
    assert season(index) == steps
    assert step(index) == code
    assert frame.attrs["understood"].startswith(f"{len(times)} rows, {pace}, ")
    assert frame.attrs["suspicious"] == []
    assert frame.attrs["filled"] == []


def test_pauses_are_not_gaps(write):
    """A day that ends early is named; bars that are missing within a day can be filled."""
    early = BARS[(BARS.day != 9) | (BARS.hour < 12)]
    frame = load_csv(write(table(early)), "y")
    assert frame.index.tolist() == early.tolist()
    assert frame.attrs["suspicious"] == [
        "days that begin late or end early: 1, first between 2001-01-09 11:30:00 and 2001-01-10 "
        "09:00:00: taken for pauses"
    ]
    noon = (BARS.day == 9) & (BARS.hour == 12)
    frame = load_csv(write(table(BARS[~noon])), "y", fill=2)
    assert frame.index.tolist() == BARS.tolist()
    assert BARS[frame.attrs["filled"]].tolist() == BARS[noon].tolist()


def test_rows_are_counted_on_request(write):
    frame = load_csv(write(table(hours(0, 1, 5, 6, 20))), "y", time_column="none")
    assert frame.index.equals(pd.RangeIndex(5))
    assert frame.attrs["understood"] == "5 rows, no time column: rows are counted"


def test_time_columns_by_name(write):
    content = "a,b,y\n2001-01-01,1,1\n2001-01-01,2,2\n2001-01-01,3,4\n"
    index = load_csv(write(content), "y", time_column="a,b").index
    assert index.tolist() == pd.date_range("2001-01-01 01:00", periods=3, freq="h").tolist()
    with pytest.raises(InputError, match="no column 'c' for --time-column"):
        load_csv(write(content), "y", time_column="a,c")


UNDERSTOOD = {
    "hours": (
        table(HOURS),
        '48 rows, hourly, 2001-01-05 00:00 to 2001-01-06 23:00, time from column "time"',
    ),
    "days": (table(DAYS), '20 rows, daily, 2001-01-05 to 2001-01-24, time from column "time"'),
    "columns": (
        table(DAYS.strftime("%Y,%m,%d"), "year,month,day,y"),
        '20 rows, daily, 2001-01-05 to 2001-01-24, time from columns "year", "month", "day"',
    ),
    "orders": (
        table(DAYS.strftime("%d/%m/%Y")),
        '20 rows, daily, 2001-01-05 to 2001-01-24, time from column "time", day before month',
    ),
    "a count": (
        table(range(1750, 2050)),
        '300 rows, counted by 1, 1750 to 2049, time from column "time"',
    ),
    "years": (
        table(range(1950, 2000)),
        '50 rows, yearly, 1950-01-01 to 1999-01-01, time from column "time", years',
    ),
    "a title": ("t\n\ny\n1\n2\n4\n", "3 rows, no time column: rows are counted, header in line 3"),
}


@pytest.mark.parametrize(("content", "line"), UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_says_what_it_understood(write, content, line):
    assert load_csv(write(content), "y").attrs["understood"] == line


WAVE = [(7 * i) % 23 - 5.5 for i in range(600)]
# what: (rows and values that are changed, the remark)
SUSPICIOUS = {
    "outlier": ({30: 1e6}, "'y' is 1e+06 in line 32, all else lies from -5.5 to 16.5"),
    "two outliers": (
        {30: 1e6, 40: -1e6},
        "'y' is 1e+06, -1e+06 in 2 rows, lines 32, 42, all else lies from -5.5 to 16.5",
    ),
    "code": (
        {30: -9999, 31: -9999, 50: -9999, 99: -9999},
        "'y' is -9999 in 4 rows, lines 32, 33, 52, ... 101: if it means missing, --missing -9999",
    ),
    "code 99": ({5: 99}, "'y' is 99 in line 7: if it means missing, --missing 99"),
    "stuck": (
        dict.fromkeys(range(100, 400), 3.25),
        "'y' is 3.25 in 300 rows, lines 102 to 401, one after the other",
    ),
    "nothing": ({}, None),
    "ten equal values": (dict.fromkeys(range(100, 110), 3), None),
    "somewhat high": ({30: 60}, None),
}


@pytest.mark.parametrize(("changes", "remark"), SUSPICIOUS.values(), ids=SUSPICIOUS)
def test_odd_values_are_named(write, changes, remark):
    values = [changes.get(i, value) for i, value in enumerate(WAVE)]
    frame = load_csv(write("y\n" + "\n".join(map(str, values)) + "\n"), "y")
    assert frame["y"].tolist() == values
    assert frame.attrs["suspicious"] == ([remark] if remark else [])


def test_ordinary_series_are_not_suspicious(write):
    draw = np.random.default_rng(0)
    sun = np.maximum(0, np.sin(np.arange(600) / 24 * 2 * np.pi) + draw.normal(0, 0.1, 600)).round(2)
    for values in (
        np.exp(np.cumsum(draw.normal(0.01, 0.05, 600))),  # a price that grows a hundredfold
        draw.poisson(0.1, 600),  # spare parts
        draw.lognormal(0, 1.5, 600),
        sun,
        np.where(np.arange(600) % 7 == 6, 0, draw.poisson(50, 600)),  # closed on Sundays
        np.where(np.arange(600) < 300, 5, 500) + draw.normal(0, 1, 600),  # a level shift
    ):
        path = write("y\n" + "\n".join(map(str, values)) + "\n")
        assert load_csv(path, "y").attrs["suspicious"] == []
    for file, column in (("weather_greensboro", "temperature"), ("stock_goog", "close")):
        assert load_csv(DATA / f"{file}.csv", column).attrs["suspicious"] == []


@settings(max_examples=60, deadline=None)
@given(kept=st.sets(st.integers(1, 38), min_size=26), lost=st.sets(st.integers(1, 38)))
def test_fill_restores_a_line(tmp_path_factory, kept, lost):
    """Rows and values of a straight line are taken away; --fill gives exactly them back."""
    kept |= {0, 39}
    path = tmp_path_factory.mktemp("fill") / "mine.csv"
    rows = [f"{hours(i)[0]},{'' if i in lost else 3 - 0.5 * i}" for i in sorted(kept)]
    path.write_text("time,y\n" + "\n".join(rows) + "\n")
    known = np.array(sorted(kept - lost))
    longest = int(np.diff(known).max()) - 1

    frame = load_csv(path, "y", fill=longest)
    assert len(frame) == 40
    np.testing.assert_allclose(frame["y"], 3 - 0.5 * np.arange(40), atol=1e-12)
    assert frame.attrs["filled"] == sorted(set(range(40)) - set(known))
    if longest:
        with pytest.raises(InputError, match=f"--fill is {longest - 1}; "):
            load_csv(path, "y", fill=longest - 1)
