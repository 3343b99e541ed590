import gzip
import os
import re

from utils import InputError
from utils.series import calendar
from utils.series.table import read_table

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def read(tmp_path):
    """A function that writes a file and reads it."""

    def read(content, target="y", **arguments):
        path = tmp_path / "mine.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path, target, **arguments)

    return read


def table(times, header="time,y"):
    """A CSV with a row for each time; y counts the rows."""
    return header + "\n" + "".join(f"{time},{i}\n" for i, time in enumerate(times))


def roc(time):
    """A date in years of the Republic of China."""
    return f"{time.year - 1911}/{time:%m/%d}"


HOUR, DAY = pd.Timedelta(hours=1), pd.Timedelta(days=1)
DAYS = pd.date_range("2001-01-05", periods=20)
HOURS = pd.date_range("2001-01-05", periods=48, freq="h")
MONTHS = pd.date_range("1949-01-01", periods=36, freq="MS")
QUARTERS = pd.date_range("1999", periods=12, freq="QS")
RECENT = pd.bdate_range("2019-12-25", periods=20)
BARS = pd.date_range("2001-01-01", periods=48 * 18, freq="30min")
BARS = BARS[(BARS.day_of_week < 5) & (BARS.hour >= 9) & (BARS.hour < 14)]
SHOP = pd.date_range("2001-01-01", periods=80)
BERLIN = pd.date_range("2021-10-30", periods=100, freq="h", tz="Europe/Berlin")
LOS_ANGELES = pd.date_range("2022-11-05", periods=60, freq="h", tz="America/Los_Angeles")
LONDON = pd.date_range("2013", periods=24, freq="MS", tz="UTC") - HOUR
NEW_YORK = pd.bdate_range("2021-02-01", periods=60, tz="America/New_York")

# what: (content, arguments, parts of the one line)
BAD = {
    "empty": (b"", {}, "mine.csv: is empty"),
    "workbook": (b"PK\x03\x04\x00\x00", {}, "is a workbook ... export the table as CSV"),
    "json": ('[{"time": 1, "y": 2}]\n', {}, "JSON ... export the table as CSV"),
    "cut archive": (gzip.compress(b"y\n1\n2\n3\n" * 9)[:-9], {}, "cannot be read ... check the"),
    "no header": ("2001-01-01,1\n2001-01-02,2\n", {}, "write a line of ... has: 2001-01-01, 1"),
    "no such column": ("time,temprature,rain\n1,2,3\n", {"target": "temperature"},
        "no column 'temperature' for --column; did you mean 'temprature'? it has: time, temp"),
    "two columns of times": ("time,time,y\n2001,1,1\n2002,2,2\n", {}, "2 columns named 'time'"),
    "column is the time": ("y,z\n1,2\n", {"time_column": "y"}, "--time-column y ... --column"),
    "text": ("y,z\n1,1\n\n \n2,2\n?,3\n", {}, "line 6: '?' in column 'y' ... --missing '?'"),
    "decimal comma": ("y;z\n1,5;1\n2,5;2\n", {}, "line 2: '1,5' ... --decimal , if that is"),
    "comma that may be either": ('y\n999\n"1,000"\n', {}, "line 3: '1,000' ... --decimal ,"),
    "a number with a comma and a dash": ("y;z\n1,5;1\n-<0,1;2\n", {"decimal": ","},
        """line 3: '-<0,1' in column 'y' ... write it like 1234,5 ... --missing '"-<0,1"' if"""),
    "thousands or thousandths": ("y;z\n950;1\n1.100;2\nn.a.;3\n", {"missing": ["n.a."]},
        "'1.100' in column 'y' may be above a thousand, or below; add --decimal , or --decimal ."),
    "thousands between tabs": ("y\tz\n1.100\t1\n1.200\t2\n", {}, "'1.100' in column 'y' may be"),
    "numbers with marks are no words": ("y,z\n1,45 %\n2,46 %\n3,$7\n", {"features": ["z"]},
        "line 2: '45 %' in column 'z' is not a number ... without unit"),
    "another separator": ("y^z\n1^2\n", {}, "no column 'y' ... separate columns by commas; it has"),
    "many words": ("y,z\n" + "".join(f"{i},word {i}\n" for i in range(143)), {"known": ["z"]},
        "column 'z' holds 143 different words"),
    "infinite": ("y\n1\ninf\n3\n", {}, "line 3: 'inf' in column 'y' is ... larger unit"),
    "constant": ("y\n3.5\n3.5\n3.5\n", {}, "'y' is 3.5 in every row ... --column"),
    "all but zero": ("y\n1e-200\n2e-200\n", {}, "'y' is 1e-200 in every row"),
    "long row": ("y,z\n1,2,3\n4,5\n", {}, "line 2: 3 fields, but 2 columns"),
    "short row": ("y,z\n1,2\n\n4\n", {}, "line 4: 1 field, but 2 columns"),
    "unclosed quote": ('y,z\n1,2\n"3,4\n5,6\n', {}, "line 4: unexpected end of data; mend"),
    "unsorted": (table(HOURS[[0, 1, 3, 2, 4]]), {}, "line 5: 2001-01-05 02:00:00 comes twice, or "
        "below a later time ... sort the rows"),
    "time twice": (table(HOURS[[0, 1, 1, 2]]), {}, "line 4: 2001-01-05 01:00:00 comes twice"),
    "autumn on the wall": (table(BERLIN.strftime("%Y-%m-%d %H:%M")), {}, "line 29 ... comes twice"),
    "bare hours": (table(HOURS.strftime("%Y-%m-%d,%H"), "date,hour,y"), {},
        'line 3 ... comes twice ... --time-column date,hour --time-format "%Y-%m-%d %H"'),
    "a year is missing": (table([*range(1980, 1990), "", 1991]), {}, "line 12: '' in column"),
    "one bad date": (table(["2001-01-01", "2001-01-02", "soon", "2001-01-04"]), {},
        "line 4: 'soon' in column 'time' is no time ... --time-format ... --time-column none"),
    "offset far down": (table([*DAYS, "2001-01-25T00:00+01:00"]), {}, "line 22: '2001-01-25T00"),
    "a clock before its date": (table(["0:00,2001-01-01", "0:00,2001-01-02"], "clock,date,y"),
        {"time_column": "clock,date"}, "line 2: '0:00 2001-01-01' ... is no time"),
    "a year that is none": (table(["22001,1,1", "22001,1,2"], "year,month,day,y"), {},
        "line 2: '22001' in column 'year' is no time"),
    "two rows": (table(DAYS[:2]), {}, "line 2: fewer than 3 times"),
    "half an hour late": (table([*HOURS[:9], HOURS[9] + HOUR / 2]), {}, "line 11: 2001-01-05 "
        "09:30:00 comes 0 days 01:30:00 after ... the usual step is 0 days 01:00:00; resample"),
    "hours, seldom": (table([*HOURS[:9], *DAYS[9:12]]), {}, "line 11: 2001-01-14 00:00:00 comes "
        "8 days 16:00:00 after"),
    "seasons": (table(["2000/01", "2001/02", "2002/03"]), {}, "line 4: 2002-03-01 00:00:00 comes"),
    "midnight of New York in UTC": (table(NEW_YORK.tz_convert("UTC").strftime("%Y-%m-%d %H")), {},
        "line 32: 2021-03-15 04:00:00 comes 2 days 23:00:00 ... write days without a clock"),
    "either order": (table(f"{i:02}/03/2021" for i in range(1, 13)), {}, "may mean 2 days ... "
        '--time-format "%d/%m/%Y" or --time-format "%m/%d/%Y"'),
    "neither order": (table(f"{i:02}/03/2021 00:00" for i in (1, 2, 4, 5, 9)), {},
        '--time-format "%d/%m/%Y %H:%M" or --time-format "%m/%d/%Y %H:%M"'),
    "ends in no format": (table(DAYS), {"time_format": "%Q"}, "--time-format %Q ... bad directive"),
    "the year twice": (table(DAYS), {"time_format": "%Y-%m-%d %Y"}, "--time-format %Y-%m-%d %Y"),
    "quarters like months": (table([f"2001-{i}" for i in (1, 2, 3, 4)] + ["2002-1"]), {},
        "months 1 to 4 of each year may be quarters; write them like 2001Q1"),
    "year, day, month": (table(MONTHS.strftime("%Y-%d-%m")), {},
        "line 14: 1950-01-01 00:00:00 comes 354 days"),
    "Buddhist years": (table([f"{t:%d/%m}/{t.year + 543}" for t in DAYS]), {},
        "line 2: '05/01/2544' in column 'time' is no time; ... write times like 2001-12-31T"),
    "format without year": (table(DAYS), {"time_format": "%d.%m."}, "has no year"),
    "no such encoding": (table(DAYS), {"encoding": "klingon"}, "--encoding klingon ... latin-1"),
    "another encoding": (table(DAYS, "time,größe"), {"encoding": "latin-1", "target": "größe"},
        "no column 'größe' ... is --encoding right?"),
    "no name of a series": ("id,y\na,1\n,2\nb,3\n", {"series_column": "id"},
        "line 3: no name in column 'id'"),
    "weeks among days": (table([*(f"a,{t}" for t in SHOP), *(f"b,{t}" for t in SHOP[::7])],
        "id,time,y"), {"series_column": "id"}, "series 'b' has another step"),
    "weeks like months": (table(range(200101, 200111), "yyyyww,y"), {}, "'200101' ... is no time"),
}  # fmt: skip
# a column that looks like times and is refused, never counted
UNREADABLE = {
    "clock alone": ["10:30", "10:31", "10:32"],
    "十一月": ["2001年十月", "2001年十一月", "2001年十二月"],
    "Jan-01, a day": DAYS.strftime("%b-%d"),
    "short quarters": ["Q1 '24", "Q2 '24", "Q3 '24"],
    "weeks": ["2001-W01", "2001-W02", "2001-W03"],
    "serial numbers": range(36896, 36916),
    "1999, or 2010 in the Republic of China": ["99/01/04", "99/01/05", "99/01/06"],
    "民國98年": ["民國98年1月4日", "民國98年1月5日", "民國98年1月6日"],
    "before Christ": [f"-{t:%Y-%m-%d}" for t in DAYS],
    "24:00": ["01/01/2001 23:00", "01/01/2001 24:00", "02/01/2001 01:00"],
    "zone of several meanings": [f"{t:%Y-%m-%d %H:%M} IST" for t in HOURS],
    "offsets here and there": ["2001-01-01 00:00Z", "2001-01-01 01:00", "2001-01-01 02:00Z"],
}  # fmt: skip


@pytest.mark.filterwarnings("error")  # they would stand beside the one line
@pytest.mark.parametrize(("content", "arguments", "parts"), BAD.values(), ids=BAD)
def test_bad_file_is_told_in_one_line(read, content, arguments, parts):
    with pytest.raises(InputError) as error:
        read(content, **arguments)
    line = str(error.value)
    assert line.startswith("--") and "\n" not in line
    assert [part for part in parts.split(" ... ") if part not in line] == []


@pytest.mark.parametrize("times", UNREADABLE.values(), ids=UNREADABLE)
def test_what_looks_like_times_is_never_counted_in_silence(read, times):
    content = table(times, "date,y")
    with pytest.raises(InputError, match=r"is no time; .*--time-format .*--time-column none"):
        read(content)
    assert "rows are counted" in read(content, time_column="none").understood


@pytest.mark.parametrize("name", ["", "none.csv", "pipe", "x" * 300])
def test_no_file_to_read(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    reason = (
        "cannot be read .File name too long.; check" if len(name) == 300 else "is a folder, a pipe"
    )
    with pytest.raises(InputError, match=f"{name}: {reason}"):
        read_table(tmp_path / name, "y")


# what: (times as written, header, the times they mean, maybe --time-format)
WRITTEN = {
    "month first": (DAYS.strftime("%m/%d/%Y"), "Date,y", DAYS),
    "day first": (DAYS.strftime("%d/%m/%Y"), "Date,y", DAYS),
    "either order": (DAYS[:8].strftime("%d/%m/%Y"), "when,y", DAYS[:8], "%d/%m/%Y"),
    "a spreadsheet": (
        [f"{t.month}/{t.day}/{t:%y} {(t.hour - 1) % 12 + 1}:00 {t:%p}" for t in HOURS], "date,y",
        HOURS),
    "2009-12-31, 2010-1-1": ([f"{t.year}-{t.month}-{t.day}" for t in RECENT], "date,y", RECENT),
    "9:00p.m.": ([f"{t:%Y-%m-%d %I:00}{'ap'[t.hour > 11]}.m." for t in HOURS], "date,y", HOURS),
    "a.m.": ([t.strftime("%Y-%m-%d %I %p").lower() for t in HOURS], "date,y", HOURS),
    "下午": ([f"{t:%Y/%m/%d} {'上下'[t.hour > 11]}午 {t:%I:%M}" for t in HOURS], "date,y", HOURS),
    "name of the month": (DAYS.strftime("%d-%b-%Y"), "Date,y", DAYS),
    "Jan-49": (MONTHS.strftime("%b-%y"), "when,y", MONTHS, "%b-%y"),
    "seconds": (HOURS.as_unit("s").asi8, "openTime,y", HOURS.tz_localize("UTC")),
    "years": (range(1871, 1971), "time,y", pd.date_range("1871", periods=100, freq="YS")),
    "quarters": ([f"{t.year}-Q{t.quarter}" for t in QUARTERS], "quarter,y", QUARTERS),
    "年月日": ([f"{t.year}年{t.month}月{t.day}日" for t in DAYS], "日期,y", DAYS),
    "from 99 to 100": (map(roc, DAYS + 3640 * DAY), "日期,y", DAYS + 3640 * DAY),
    "four columns": (HOURS.strftime("1,%Y,%m,%d,%H"), "No,year,month,day,hour,y", HOURS),
    "offsets": ([t.isoformat() for t in BERLIN], "t,y", BERLIN),
    "an offset by its format": (HOURS.strftime("%d/%m/%Y %H:%M +0100"), "when,y",
        HOURS.tz_localize("+01:00"), "%d/%m/%Y %H:%M %z"),
    "days with offsets": ([t.isoformat() for t in pd.date_range("2021-10-25", periods=14,
        tz="Europe/Berlin")], "t,y", pd.date_range("2021-10-25", periods=14)),
    "weeks of ISO": (DAYS[2::7].strftime("%G-W%V-%u"), "when,y", DAYS[2::7], "%G-W%V-%u"),
    "names of zones": (
        [f"{t:%m/%d/%Y %I} {'ap'[t.hour > 11]}.m. {t:%Z}" for t in LOS_ANGELES],
        "Timestamp (Hour Ending),y", LOS_ANGELES),
    "mail": (HOURS.strftime('"%a, %d %b %Y %H:%M:%S +0000"'), "Date,y", HOURS.tz_localize("UTC")),
    "months seen from London": (map(str, LONDON.tz_convert("Europe/London")), "time,y", LONDON),
}  # fmt: skip


@pytest.mark.parametrize("case", WRITTEN.values(), ids=WRITTEN)
def test_ways_to_write_times(read, case):
    times, header, meant, *form = case
    got = read(table(times, header), time_format=(form or [None])[0])
    frame = got.frames[""]
    assert frame.index.tolist() == meant.tolist()
    assert frame["y"].tolist() == list(range(len(meant)))
    assert frame.index.freq is not None or calendar.step(frame.index) == "B"
    assert got.understood.startswith(f"{len(meant)} rows, ")
    assert "time from column" in got.understood
    assert got.remarks == []


def test_time_columns_that_are_named(read):
    content = table(HOURS.strftime("%d/%m/%Y,%H:%M"), "Date,Time,y")
    with pytest.raises(InputError, match="'05/01/2001' in column 'Date' may mean 2 days"):
        read(content)
    got = read(content, time_column="Date,Time")
    assert got.frames[""].index.tolist() == HOURS.tolist()
    content = table(HOURS.strftime("%Y,%m,%d,%H,30"), "#YY,MM,DD,hh,mm,y")
    with pytest.raises(InputError, match=r"line 3: 2001-01-01 .* comes twice.*--time-column"):
        read(content)
    got = read(content, time_column="#YY,MM,DD,hh,mm", time_format="%Y %m %d %H %M")
    assert got.frames[""].index.tolist() == (HOURS + HOUR / 2).tolist()


PLAIN = "y,z\n1.5,2\n2.5,3\n4,5\n"
# what: (content, arguments, what is said); y is 1.5, 2.5, 4 and z is 2, 3, 5
TABLES = {
    "semicolons": (PLAIN.replace(",", ";"), {}, "separated by ;"),
    "tabs": (PLAIN.replace(",", "\t"), {}, "separated by tabs"),
    "spaces": (PLAIN.replace(",", "   "), {}, "separated by spaces"),
    "decimal comma": ("y;z\n1,5;2\n2,5;3,0\n4;5\n", {"decimal": ","}, "decimal comma"),
    "byte order mark": ("\ufeffy,z\r\n1.5,2\r\n\r\n2.5,3\r\n4,5\r\n", {}, ""),
    "utf-16 with tabs": (PLAIN.replace(",", "\t").encode("utf-16"), {}, "text in utf-16"),
    "separators at the end": ("y,z,\n1.5,2,\n2.5,3,,\n4,5\n,,\n", {}, ""),
    "Excel's own mark": ("sep=;\n" + PLAIN.replace(",", ";"), {}, "header in line 2"),
    "a line break in a name": (PLAIN.replace("z", '"z\n(kW)"'), {"features": ["z (kW)"]}, ""),
    "a comma in a name": (PLAIN.replace("z", '"z, kW"'), {"features": ["z, kW"]}, ""),
    "a count": ("time,y,z\n10,1.5,2\n20,2.5,3\n30,4,5\n", {}, ""),
    "a time that lasts": ("run_time,y,z\n0.3,1.5,2\n0.2,2.5,3\n0.5,4,5\n", {}, ""),
}  # fmt: skip


@pytest.mark.parametrize(("content", "arguments", "said"), TABLES.values(), ids=TABLES)
def test_ways_to_write_a_table(read, content, arguments, said):
    got = read(content, **{"features": ["z"]} | arguments)
    assert got.frames[""].to_numpy().tolist() == [[1.5, 2], [2.5, 3], [4, 5]]
    assert got.frames[""].index.equals(pd.RangeIndex(3))
    assert got.understood.startswith("3 rows, no time column: rows are counted")
    assert said in got.understood


NAN = np.nan
# what: (words, arguments, numbers)
NUMBERS = {
    "German": ("1.234,5 -1.234.567,25 0,5 7", {"decimal": ","}, [1234.5, -1234567.25, 0.5, 7]),
    "thousandths": ("950 1.100", {"decimal": "."}, [950, 1.1]),
    "signs and truth": ("1234.5 −7 True False", {}, [1234.5, -7, 1, 0]),
    "thousands": ("1,234.5 12,345 -7 1e3", {}, [1234.5, 12345, -7, 1000]),
    "billions": ("8,123,456,789 12,345 7 NA", {}, [8123456789, 12345, 7, NAN]),
    "missing": ("1 -9999.0 ? null 5", {"missing": ["-9999", "?"]}, [1, NAN, NAN, NAN, 5]),
}


@pytest.mark.parametrize(("words", "arguments", "numbers"), NUMBERS.values(), ids=NUMBERS)
def test_ways_to_write_numbers(read, words, arguments, numbers):
    content = "y;z\n" + "".join(f"1;{word}\n2;{word}\n" for word in words.split())
    frame = read(content, features=["z"], **arguments).frames[""]
    np.testing.assert_array_equal(frame["z"], np.repeat(numbers, 2))


ENCODED = {"big5": "日期,收盤價", "gb18030": "日期,收盘价", "shift_jis": "日付,終値"}
ENCODED |= {"euc_kr": "일시,종가", "cp1251": "Дата,Цена", "cp1252": "time,€/°C"}


@pytest.mark.parametrize(("encoding", "header"), ENCODED.items())
def test_the_complaint_names_an_encoding_that_reads_the_file(read, encoding, header):
    content, column = table(HOURS, header).encode(encoding), header.split(",")[1]
    with pytest.raises(InputError, match="line 1: is not in utf-8") as error:
        read(content, column)
    likely = re.search(r"--encoding (\S+),", str(error.value))[1]
    got = read(content, column, encoding=likely)
    assert got.frames[""][column].index.tolist() == HOURS.tolist()
    assert f"text in {likely}" in got.understood


TAIWAN = "".join(f'"{roc(t)}","15,{100 + i}.5","8,123,456",\n' for i, t in enumerate(RECENT))
TAIWAN = f'"109年01月 加權股價指數"\n"日期","y","成交股數",\n{TAIWAN}'.encode("big5")
GERMAN = "".join(
    f"{t:%d.%m.%Y %H:%M};{t + HOUR:%d.%m.%Y %H:%M};1.{100 + i},5\n" for i, t in enumerate(HOURS)
)
# what: (content, arguments, first and last value, what is understood)
UNDERSTOOD = {
    "the stock exchange of Taiwan": (TAIWAN, {"encoding": "big5"}, [15100.5, 15119.5],
        '20 rows, Mon-Fri, 2019-12-25 to 2020-01-21, time from column "日期", years of the '
        "Republic of China, header in line 2, text in big5"),
    "a German export": ("Datum von;Datum bis;y\n" + GERMAN, {"decimal": ","}, [1100.5, 1147.5],
        '48 rows, hourly, 2001-01-05 00:00 to 2001-01-06 23:00, time from column "Datum von", day '
        "before month, separated by ;, decimal comma"),
    "newest first": (table(HOURS[::-1]), {}, [47, 0], "48 rows, hourly, 2001-01-05 00:00 to "
        '2001-01-06 23:00, time from column "time", newest first in the file, turned round'),
    "trading hours": (table(BARS), {}, [0, 139], "140 rows, 2001-01-01 09:00 to 2001-01-18 13:30, "
        'time from column "time", rows are counted, for the times have pauses'),
    "a gap and an empty row": (table(HOURS.delete([4, 5])) + ",\n2001-01-07,\n", {}, [0, NAN],
        '47 rows, hourly, 2001-01-05 00:00 to 2001-01-07 00:00, time from column "time", '
        "rows missing in between: 2, rows without 'y': 1"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "arguments", "ends", "said"), UNDERSTOOD.values(), ids=UNDERSTOOD
)
def test_what_was_understood_is_said(read, content, arguments, ends, said):
    got = read(content, **arguments)
    np.testing.assert_array_equal(got.frames[""]["y"].iloc[[0, -1]], ends)
    assert str(got) == got.understood == said


def long(*rows):
    return "shop,date,sales,day\n" + "\n".join(rows) + "\n"


def test_unequal_series_with_gaps_in_any_order(read):
    spans = {"007": DAYS[5:], "NA": DAYS.delete([3, 4]), "c": DAYS[7:8]}
    rows = [f"{shop},{t},{t.day}," for shop, times in spans.items() for t in times]
    rows += [f"dead,{t},," for t in DAYS] + [f"fee,{t},5000," for t in DAYS]
    rows[0] = f"007,{DAYS[5]},,"
    rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    got = read(long(*rows), "sales", series_column="shop")
    assert sorted(got.frames) == ["007", "NA", "c", "fee"]
    assert got.remarks == ["series 'dead': no value of 'sales', left out"]
    for shop, times in spans.items():
        frame = got.frames[shop]
        assert list(frame) == ["sales"] and set(frame.dtypes) == {np.dtype("float64")}
        assert frame.index.equals(pd.date_range(times[0], times[-1]))
        assert frame.index.freq == pd.offsets.Day()
        held = frame["sales"].dropna()
        assert held.index.equals(times[1:] if shop == "007" else times)
        assert held.tolist() == held.index.day.tolist()
    assert set(got.frames["fee"]["sales"]) == {5000}
    assert got.understood == (
        '74 rows, daily, 2001-01-05 to 2001-01-24, time from column "date", 5 series, rows missing '
        "in between: 2, rows without 'sales': 21"
    )


def test_known_columns_reach_into_the_future(read):
    rows = [f"{shop},{t},{'' if i > 15 else i},{t:%A}" for shop in "ab" for i, t in enumerate(DAYS)]
    got = read(long(*rows), "sales", series_column="shop", known=["day"])
    assert got.known == sorted(f"day={t:%A}" for t in DAYS[:7])
    frame = got.frames["b"]
    assert list(frame) == ["sales", *got.known]
    assert frame["sales"].isna().tolist() == [i > 15 for i in range(20)]
    assert frame["day=Monday"].tolist() == [t.day_of_week == 0 for t in DAYS]
    rows = [*rows[2:9], *rows[10:20]]  # another word comes first; a closed day has none
    later = read(long(*rows), "sales", known=["day"])
    assert later.known == got.known
    assert np.flatnonzero(later.frames[""]["day=Monday"].isna()).tolist() == [7]


# what: (rows and values that are changed, the remark)
ODD = {
    "outlier": ({30: 1e6}, "1e+06 (all else lies from -5.5 to 16.5) at 30"),
    "code": (dict.fromkeys([30, 31, 50, 99], -9999),
        "-9999 (all else lies from -5.5 to 16.5; if it means missing, --missing -9999) at 30, 31, "
        "50, ..."),
    "stuck": (dict.fromkeys(range(100, 400), 3.25),
        "3.25 in 300 rows, one after the other, the first at 100"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "remark"), ODD.values(), ids=ODD)
def test_odd_values_are_named(read, changes, remark):
    values = [changes.get(i, (7 * i) % 23 - 5.5) for i in range(600)]
    got = read("y\n" + "\n".join(map(str, values)) + "\n")
    assert got.frames[""]["y"].tolist() == values
    assert got.remarks == [f"'y' is {remark}"]
    assert str(got) == f"{got.understood}\n{got.remarks[0]}"


def test_ordinary_series_are_not_odd(read):
    draw, day = np.random.default_rng(0), 2 * np.pi * np.arange(600) / 24
    for values in (
        (7 * np.arange(600)) % 23 - 5.5,
        np.exp(np.cumsum(draw.normal(0.01, 0.05, 600))),  # a price that grows a hundredfold
        draw.poisson(0.1, 600),  # spare parts
        draw.lognormal(0, 1.5, 600),
        np.maximum(0, np.sin(day) + draw.normal(0, 0.1, 600)).round(2),  # sunshine
        np.where(np.arange(600) % 7 == 6, 0, draw.poisson(50, 600)),  # closed on Sundays
        np.where(np.arange(600) < 300, 5, 500) + draw.normal(0, 1, 600),  # a level shift
    ):
        assert read("y\n" + "\n".join(map(str, values)) + "\n").remarks == []
