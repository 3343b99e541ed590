import re
from pathlib import Path

from utils import InputError
from utils.series.csv_file import load_csv
from utils.series.index import calendar, calendar_names, future_index, season

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

# what: (content, arguments, words of the one line)
BAD = {
    "empty": (b"", {}, ["mine.csv: is empty"]),
    "only blank lines": (b"\n \r\n\n", {}, ["is empty"]),
    "only a byte order mark": (b"\xef\xbb\xbf", {}, ["is empty"]),
    "only a header": ("time,y\n\n", {}, ["a header but no rows"]),
    "binary": (b"PK\x03\x04\x00\x00\x08", {}, ["binary", "export the table as CSV"]),
    "utf-16": ("y\n1\n2\n".encode("utf-16"), {}, ["UTF-16", "save it as UTF-8"]),
    "latin-1 header": ("y,größe\n1,2\n".encode("latin-1"), {}, ["line 1: byte 0xf6", "UTF-8"]),
    "latin-1 far down": (
        b"y\n" + b"1\n2\n" * 100_000 + b"\xb0\n",
        {},
        ["line 200002: byte 0xb0 is not UTF-8"],
    ),
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
    "decimal comma": ("time;y\n2001;1,5\n2002;2,5\n", {}, ["line 2: '1,5'", "decimal comma"]),
    "thousands": ('y\n999\n"1,000"\n', {}, ["line 3: '1,000'", "thousands separators"]),
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
    "newest first": (table(GOOD_HOURS[::-1]), {}, ["line 3", "comes before", "sort"]),
    "duplicate time": (table(hours(0, 1, 1, 2)), {}, ["line 4: 2001-01-01 01:00:00 repeats"]),
    "uneven": (
        table(["2001-01-01T00:00", "2001-01-01T01:00", "2001-01-01T02:10", "2001-01-01T03:10"]),
        {},
        ["line 4: 2001-01-01 02:10:00 comes 0 days 01:10:00 after", "0 days 01:00:00; resample"],
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
    "every Wednesday closed": (
        table(day for day in pd.bdate_range("2001-01-01", "2001-03-30") if day.day_of_week != 2),
        {},
        ["line 4: rows missing between 2001-01-02 00:00:00 and 2001-01-04"],
    ),
    "no date": (table(["10:30", "10:31", "10:32"]), {}, ["line 2: '10:30' in column 'time'"]),
    "one bad date": (
        table(["2001-01-01", "2001-01-02", "soon", "2001-01-04"]),
        {},
        ["line 4: 'soon' in column 'time' is not a date or time", "--time-column"],
    ),
    "a missing time": (
        table([*hours(0, 1, 2), "", *hours(4, 5)]),
        {},
        ["line 5: ''", "not a date"],
    ),
    "text as time column": ("y,z\n1,a\n2,b\n", {"time_column": "z"}, ["line 2: 'a'", "'z'"]),
    "two rows with times": (table(hours(0, 1)), {}, ["fewer than 3 rows"]),
    "clocks forward": (
        table(["2021-03-28 00:00", "2021-03-28 01:00", "2021-03-28 03:00", "2021-03-28 04:00"]),
        {},
        ["line 4", "the clocks changed?", "UTC"],
    ),
    "clocks back": (
        table(["2021-10-31 01:00", "2021-10-31 02:00", "2021-10-31 02:00", "2021-10-31 03:00"]),
        {},
        ["line 4", "repeats", "the clocks changed?"],
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


DAYS = pd.date_range("2001-01-05", periods=20)
HOURS = pd.date_range("2001-01-05", periods=48, freq="h")
# what: (times as written, header, the times they mean)
WRITTEN = {
    "month first": (DAYS.strftime("%m/%d/%Y"), "Date,y", DAYS),
    "day first": (DAYS.strftime("%d/%m/%Y"), "Date,y", DAYS),
    "day first, all before the 13th": (HOURS.strftime("%d/%m/%Y %H:%M"), "Date,y", HOURS),
    "points": (HOURS.strftime("%d.%m.%Y %H:%M:%S"), "Date Time,y", HOURS),
    "two digits": (DAYS.strftime("%m/%d/%y"), "date,y", DAYS),
    "am and pm": (HOURS.strftime("%m/%d/%Y %I:%M %p"), "date,y", HOURS),
    "name of the month": (DAYS.strftime("%d-%b-%Y"), "date,y", DAYS),
    "slashes": (HOURS.strftime("%Y/%m/%d %H:%M"), "date,y", HOURS),
    "quoted": (DAYS.strftime('"%Y-%m-%d"'), '"time","y"', DAYS),
    "any name": (DAYS.strftime("%Y-%m-%d"), "when it was,y", DAYS),
    "no name": (DAYS.strftime("%Y-%m-%d"), ",y", DAYS),
    "numbers": (DAYS.strftime("%Y%m%d"), "day,y", DAYS),
    "seconds": (HOURS.as_unit("s").asi8, "timestamp,y", HOURS),
    "milliseconds": (HOURS.as_unit("ms").asi8, "timestamp,y", HOURS),
    "years": (range(1950, 1970), "Year,y", pd.date_range("1950", periods=20, freq="YS")),
    "year and month": (
        [f"{year}{month:02}" for year in (1999, 2000) for month in range(1, 13)],
        "month,y",
        pd.date_range("1999", periods=24, freq="MS"),
    ),
}


@pytest.mark.parametrize(("times", "header", "meant"), WRITTEN.values(), ids=WRITTEN)
def test_ways_to_write_times(write, times, header, meant):
    frame = load_csv(write(table(times, header)), "y")
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


@pytest.mark.parametrize(
    "content",
    [
        "y;z\n1.5;2\n2.5;3\n",
        "y\tz\n1.5\t2\n2.5\t3\n",
        "\ufeffy,z\r\n1.5,2\r\n\r\n2.5,3\r\n",
        "\n\nz, y\n2, 1.5\n3, 2.5\n",
        "y,z,\n1.5,2,\n2.5,3,\n",
        'note,y,z\n"a, b",1.5,2\n"c, d",2.5,3\n',
    ],
)
def test_ways_to_write_a_table(write, content):
    frame = load_csv(write(content), "y", ["z"])
    assert frame.to_numpy().tolist() == [[1.5, 2], [2.5, 3]]


def test_offsets_from_utc(write):
    berlin = pd.date_range("2021-03-27", periods=72, freq="h", tz="Europe/Berlin")
    index = load_csv(write(table(time.isoformat() for time in berlin)), "y").index
    assert index.tolist() == berlin.tz_convert("UTC").tolist()

    days = pd.date_range("2021-03-20", periods=20, tz="Europe/Berlin")
    index = load_csv(write(table(days)), "y").index
    assert index.tolist() == days.tz_localize(None).tolist()

    fixed = pd.date_range("2021-03-27", periods=72, freq="h", tz="-03:30")
    index = load_csv(write(table(fixed)), "y").index
    assert index.tolist() == fixed.tolist()
    assert index.hour.tolist() == fixed.hour.tolist()
    assert future_index(index, 1)[0] == fixed[-1] + pd.Timedelta(hours=1)

    for name in ("UTC", " UTC", "Z", ".250Z"):
        utc = pd.date_range("2021-03-27", periods=5, freq="h", tz="UTC")
        times = utc.strftime(f"%Y-%m-%d %H:%M:%S{name}")
        fraction = pd.Timedelta(milliseconds=250 if "." in name else 0)
        assert load_csv(write(table(times)), "y").index.tolist() == (utc + fraction).tolist()


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
