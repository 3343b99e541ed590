"""Many series in one table: utils.series.csv_file.load_panel."""

import re

from utils import InputError
from utils.series.csv_file import load_panel
from utils.series.index import future_index, step

import numpy as np
import pandas as pd
import pytest

DAYS = pd.date_range("2001-01-01", periods=30)
HOURS = pd.date_range("2001-01-01", periods=30, freq="h")


@pytest.fixture
def write(tmp_path):
    """A function that writes rows below a header and returns the file's path."""

    def write(rows, header="shop,date,sales"):
        path = tmp_path / "mine.csv"
        path.write_text(header + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
        return path

    return write


def rows_of(shop, times, first=0):
    return [(shop, time, first + i) for i, time in enumerate(times)]


def test_unequal_series_with_gaps_in_any_order(write):
    rows = [*rows_of("b", DAYS[5:20]), *rows_of("a", DAYS.delete([3, 4])), ("c", DAYS[7], 5)]
    del rows[2]
    rows[0] = ("b", DAYS[5], "")
    rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    panel = load_panel(write(rows), "sales", "shop")
    assert set(panel.series) == {"a", "b", "c"}
    a, b, c = (panel.series[name] for name in "abc")
    assert list(a) == ["sales"] and set(a.dtypes) == {np.dtype("float64")}
    assert a.index.tolist() == DAYS.tolist() and a.index.freq == pd.offsets.Day()
    assert b.index.tolist() == DAYS[5:20].tolist() and b.index.freq == pd.offsets.Day()
    assert c.index.tolist() == [DAYS[7]] and c["sales"].tolist() == [5]
    assert np.flatnonzero(a["sales"].isna()).tolist() == [3, 4]
    assert a["sales"].dropna().tolist() == list(range(28))
    assert np.flatnonzero(b["sales"].isna()).tolist() == [0, 2]
    assert panel.understood == (
        "43 rows, daily, 2001-01-01 to 2001-01-30, "
        'time from column "date", 3 series, 3 rows missing in between'
    )
    assert panel.suspicious == []


def test_known_columns_reach_into_the_future(write):
    rows = [
        (shop, time, "" if i > 20 else i, i % 2, time.day_name(), "Epiphany" if i == 5 else "", i)
        for shop in ("a", "b")
        for i, time in enumerate(DAYS)
    ]
    path = write(rows, "shop,date,sales,promotion,weekday,holiday,visitors")
    frame = load_panel(
        path, "sales", "shop", ["promotion", "weekday", "holiday"], ["visitors"]
    ).series["b"]
    weekdays = [f"weekday={time.day_name()}" for time in DAYS[:7]]
    assert list(frame) == ["sales", "promotion", *weekdays, "holiday=Epiphany", "visitors"]
    assert frame["sales"].isna().tolist() == [i > 20 for i in range(30)]
    assert frame["promotion"].tolist() == [i % 2 for i in range(30)]
    assert frame["weekday=Monday"].tolist() == [i % 7 == 0 for i in range(30)]
    assert frame["holiday=Epiphany"].tolist() == [i == 5 for i in range(30)]
    assert frame["visitors"].tolist() == list(range(30))


def test_a_holiday_far_down_makes_its_column_text(write, monkeypatch):
    monkeypatch.setattr("utils.series.table.CHUNK", 10)
    names = ["" if i < 15 else 0 if i < 22 else "New Year" for i in range(30)]
    rows = [(time, i, name) for i, (time, name) in enumerate(zip(DAYS, names, strict=True))]
    frame = load_panel(write(rows, "date,sales,holiday"), "sales", known=["holiday"]).series["all"]
    assert list(frame) == ["sales", "holiday=0", "holiday=New Year"]
    assert frame["holiday=0"].tolist() == [name == 0 for name in names]
    assert frame["holiday=New Year"].tolist() == [name == "New Year" for name in names]


def test_one_series_keeps_gaps_open(write):
    rows = [(time, i) for i, time in enumerate(HOURS) if i not in (5, 6)]
    frame = load_panel(write(rows, "time,y"), "y").series["all"]
    assert frame.index.tolist() == HOURS.tolist()
    assert np.flatnonzero(frame["y"].isna()).tolist() == [5, 6]


def test_rows_are_counted_where_there_are_no_times(write):
    rows = [("b", 1), ("a", 5), ("b", 2), ("b", 4), ("a", 6)]
    panel = load_panel(write(rows, "id,y"), "y", "id")
    assert list(panel.series) == ["b", "a"]
    assert panel.series["b"]["y"].tolist() == [1, 2, 4]
    assert panel.series["a"].index.equals(pd.RangeIndex(2))
    assert panel.understood == "5 rows, no time column: rows are counted, 2 series"


def test_counted_steps_have_their_own_starts(write):
    rows = [*rows_of(1, range(10, 20)), *rows_of(2, range(14, 24))]
    panel = load_panel(write(rows, "id,step,sales"), "sales", "id", time_column="step")
    assert panel.series["2"].index.equals(pd.RangeIndex(14, 24))


def test_shops_closed_on_sundays(write):
    open_days = pd.date_range("2001-01-01", periods=60)
    open_days = open_days[open_days.day_of_week != 6]
    rows = [*rows_of("a", open_days), *rows_of("b", open_days.delete([4, 9]))]
    panel = load_panel(write(rows), "sales", "shop")
    assert panel.series["b"].index.tolist() == open_days.tolist()
    assert step(panel.series["b"].index) == "Mon-Sat"
    assert np.flatnonzero(panel.series["b"]["sales"].isna()).tolist() == [4, 9]
    assert future_index(panel.series["a"].index, 1)[0] == pd.Timestamp("2001-03-02")


def test_names_are_kept_as_they_are(write):
    rows = [*rows_of("007", DAYS), *rows_of("NA", DAYS), *rows_of("1.0", DAYS)]
    assert list(load_panel(write(rows), "sales", "shop").series) == ["007", "NA", "1.0"]


def test_suspicious_values_name_their_series(write):
    rows = [*rows_of("a", DAYS), *rows_of("b", DAYS)]
    rows[40] = ("b", DAYS[10], -9999)
    panel = load_panel(write(rows), "sales", "shop")
    assert panel.suspicious == [
        "series 'b': 'sales' is -9999 in line 42: if it means missing, --missing -9999"
    ]


SHIFTED = DAYS + pd.Timedelta(hours=5)
# what: (rows, arguments, words)
BAD = {
    "no series column": (
        rows_of("a", DAYS),
        {"series_column": "shops"},
        ["no column 'shops' for --series-column; did you mean"],
    ),
    "known is the column": (
        rows_of("a", DAYS),
        {"known": ["sales"]},
        ["--known sales", "drop one"],
    ),
    "a time twice": (
        [*rows_of("a", DAYS), *rows_of("b", DAYS), ("b", DAYS[4], 5)],
        {},
        ["line 62: series 'b' has 2001-01-05 00:00:00 twice; keep one row for each time"],
    ),
    "no series column named": (
        [*rows_of("a", DAYS), *rows_of("b", DAYS)],
        {"series_column": None},
        ["line 32: series 'all' has 2001-01-01 00:00:00 twice; name the --series-column"],
    ),
    "steps that differ": (
        [*rows_of("a", DAYS), *rows_of("b", DAYS[::7])],
        {},
        ["line 32: series 'b' has a step of 7 days 00:00:00", "bring series of one step"],
    ),
    "hours that differ": ([*rows_of("a", DAYS), *rows_of("b", SHIFTED)], {}, ["step"]),
    "uneven": (
        rows_of("a", [*DAYS, DAYS[-1] + pd.Timedelta(hours=30)]),
        {},
        ["line 32", "the usual step is 1 day"],
    ),
    "no name": ([*rows_of("a", DAYS), ("", DAYS[0], 3)], {}, ["line 32: no name in column 'shop'"]),
    "no date": ([*rows_of("a", DAYS), ("a", "soon", 3)], {}, ["line 32: 'soon' in column 'date'"]),
    "text": ([*rows_of("a", DAYS), ("b", DAYS[0], "x")], {}, ["line 32: 'x' in column 'sales'"]),
    "constant": ([("a", day, 3) for day in DAYS], {}, ["'sales' is 3 in every row"]),
    "nothing": ([("a", day, "") for day in DAYS], {}, ["'sales' is missing in every row"]),
    "two times": (rows_of("a", DAYS[:2]), {}, ["fewer than 3 times"]),
}


@pytest.mark.parametrize(("rows", "arguments", "words"), BAD.values(), ids=BAD)
def test_bad_table_is_told_in_one_line(write, rows, arguments, words):
    path = write(rows)
    with pytest.raises(InputError) as error:
        load_panel(path, "sales", **{"series_column": "shop"} | arguments)
    line = str(error.value)
    assert "\n" not in line and line.startswith("--")
    for word in words:
        assert word in line


def test_too_many_words(write):
    rows = [(day, i, f"word {i}") for i, day in enumerate(pd.date_range("2001", periods=200))]
    with pytest.raises(InputError, match=re.escape("column 'note' holds 200 different words")):
        load_panel(write(rows, "date,sales,note"), "sales", known=["note"])
