"""A CSV file -> series of numbers on regular times, or one line that says what is in the way.

What was understood is said; what could mean two things is refused with the flag that settles it.
"""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from utils import InputError
from utils.series import calendar, stamps
from utils.series.fields import CsvFile

import numpy as np
import pandas as pd

SAMPLE = 1000  # rows that show which column holds the times
MOST_WORDS, MOST_REMARKS = 100, 10  # of a column of text; in all
LARGEST = 1e100  # the square of what is larger is infinite
CODES = {-1, -9, -99, -999, -9999, -99999, 99, 999, 9999, 99999}  # that stand for missing values
EQUAL = 20  # rows in a row with one value are many, where that is rare
FAR = 50  # times the usual distance from the median
GROUPED = {  # numbers with groups of thousands, by the decimal mark
    ".": r"[+-]?(\d+|[1-9]\d{0,2}(,\d{3})+)(\.\d*)?([eE][+-]?\d+)?",
    ",": r"[+-]?(\d+|[1-9]\d{0,2}(\.\d{3})+)(,\d*)?([eE][+-]?\d+)?",
}
COUNT = "or count rows with --time-column none"


class Table(NamedTuple):
    """What a file holds; as text, what was understood and the remarks, a line each."""

    frames: dict[str, pd.DataFrame]  # by series, "" where there is one: float64, NaN where missing
    target: str
    known: list[str]  # columns; of text, a 0/1 column for each word, "weekday=Mon", sorted
    features: list[str]  # likewise
    understood: str  # one line
    remarks: list[str]  # a line each on what looks odd

    def __str__(self):
        return "\n".join([self.understood, *self.remarks])


def read_table(
    path: str | Path,
    target: str,
    *,
    series_column: str | None = None,
    time_column: str | None = None,
    time_format: str | None = None,
    known: Sequence[str] = (),
    features: Sequence[str] = (),
    missing: Sequence[str] = (),
    decimal: str = ".",
    encoding: str | None = None,
) -> Table:
    """Read a column to forecast, and columns that may help, from a CSV file.

    Each series has the regular index of `calendar.regular`, from its first row to its last, NaN
    where a row is absent or a value missing. Rows at the end may hold known columns only.

    Args:
        path: the file, plain or gzip; separated by commas, semicolons, tabs, bars or spaces.
        target: the column to forecast.
        series_column: the column that names each row's series; then rows may be in any order.
        time_column: the times, or several columns ("Date,Time"); "none" counts rows; None: find it.
        time_format: of strptime, for the time column.
        known: columns of which the future is known: numbers, or at most 100 words.
        features: likewise, columns of which only the past is known.
        missing: what else than an empty field stands for a missing value, as "-9999".
        decimal: "." or ",".
        encoding: of the text; None takes UTF-8, or UTF-16 by its mark.

    Raises:
        InputError: if anything is in the way; one line with the file, its line, what to do.
    """
    wanted = [("--column", target), *(("--known", name) for name in known)]
    wanted += [*(("--features", name) for name in features), ("--series-column", series_column)]
    wanted = [(flag, name) for flag, name in wanted if name is not None]
    file = CsvFile(path, encoding, {name for _, name in wanted})
    names = _time_columns(file, wanted, series_column, time_column, time_format)
    keys = names if series_column is None else [*names, series_column]
    rows = file.read([target, *features], known, keys, missing, decimal)
    columns, labels = {}, {}
    for name in (target, *known, *features):
        found = _numbers_or_words(file, rows, name, missing, decimal, name == target)
        columns, labels[name] = columns | found, list(found)
    known, features = (
        [label for name in some for label in labels[name]] for some in (known, features)
    )
    _check_values(file, rows, columns, target)
    series, ids = _series(file, rows, series_column)
    place = _on_times(file, rows, names, time_format, series, ids) if names else _counted(series)
    frames = _frames(file, columns, series, ids, *place[:3])
    absent, empty = sum(map(len, frames.values())) - len(rows), np.isnan(columns[target]).sum()
    said = [f"{len(rows):,} rows", *place[3], f"{len(ids):,} series" if series_column else ""]
    said += [f"rows missing in between: {absent:,}" if absent else ""]
    said += [f"rows without {target!r}: {empty:,}" if empty else "", *file.said]
    said = ", ".join(part for part in [*said, "decimal comma" * (decimal == ",")] if part)
    remarks = _remarks(frames, target)
    frames = {who: frame for who, frame in frames.items() if frame[target].notna().any()}
    return Table(frames, target, known, features, said, remarks)


def _time_columns(file, wanted, series_column, time_column, time_format):
    """Check the names of all columns, and return those of the times, if there are any."""
    names = [time_column] if time_column in file.names else (time_column or "none").split(",")
    names = [] if names == ["none"] else [name.strip() for name in names]
    file.check_names([*wanted, *(("--time-column", name) for name in names)])
    sample = file.sample(SAMPLE)
    if time_format:
        try:
            pd.to_datetime("2001", format=time_format, errors="coerce")
        except ValueError as error:
            raise InputError(f"--time-format {time_format}: {error} (see strptime)") from None
        if "%y" not in time_format.lower():
            raise InputError(f"--time-format {time_format}: has no year (%Y); dates need one")
    if time_column:
        return names
    for name in file.names:
        if file.names.count(name) > 1 and re.fullmatch(stamps.NAME, name, re.I):
            raise file.error(f"{file.names.count(name)} columns named {name!r}; rename them")
    if series_column is not None:
        sample = sample[sample[series_column] == sample[series_column][0]]
    names = stamps.find(sample.drop(columns=[name for _, name in wanted]), time_format)
    if time_format and not names:
        raise file.error(f"no column fits --time-format {time_format!r}; add --time-column")
    return names


def _words(column):
    """Return (rows,) the places of words, -1 where missing; the words, stripped, as they come."""
    words = column.cat.categories.astype(str).str.strip()
    words = np.append(words.where(words != "").to_numpy(object), np.nan)
    return pd.factorize(words[column.cat.codes])


def _series(file, rows, series_column):
    if series_column is None:
        return np.zeros(len(rows), np.int8), [""]
    series, ids = _words(rows[series_column])
    if (series < 0).any():
        row = rows.index[(series < 0).argmax()]
        raise file.error(f"no name in column {series_column!r}; write one", row)
    return series, ids


def _counted(series):
    order = np.argsort(series, kind="stable")
    positions = pd.Series(series[order]).groupby(series[order]).cumcount().to_numpy()
    index = pd.RangeIndex(positions.max() + 1, name="row")
    return index, order, positions, ["no time column: rows are counted"]


def _numbers_or_words(file, rows, name, missing, decimal, is_target):
    """Return what a column holds: {name: numbers}, or {"name=word": where it is that word}."""
    if pd.api.types.is_float_dtype(rows[name]):
        return {name: rows[name].to_numpy()}
    codes, words = _words(rows[name])
    plain = pd.Series(words, dtype=object).replace({"True": "1", "False": "0"})
    plain = plain.str.replace("\u2212", "-")
    grouped = plain.str.fullmatch(GROUPED[decimal]).astype(bool)
    if decimal == ",":
        plain = plain.where(grouped).str.replace(".", "").str.replace(",", ".")
    elif grouped.all() and plain.str.contains(r",\d+[,.]").any():  # "1,234" may be a decimal comma
        plain = plain.str.replace(",", "")
    numbers = pd.to_numeric(plain, errors="coerce").to_numpy(float)
    marks = pd.to_numeric(pd.Series(missing, dtype=object), errors="coerce")
    absent = np.isin(words, missing) | np.isin(numbers, marks)
    text = np.isnan(numbers) & ~absent
    if not text.any():
        return {name: np.append(np.where(absent, np.nan, numbers), np.nan)[codes]}
    if is_target or text.mean() < 0.5:
        raise _not_a_number(file, rows.index[np.append(text, False)[codes].argmax()], name, decimal)
    if len(words) > MOST_WORDS:
        what = f"holds {len(words)} different words, of which none helps; leave it out"
        raise file.error(f"column {name!r} {what}")
    return {f"{name}={words[code]}": codes == code for code in np.argsort(words)}


def _not_a_number(file, row, name, decimal):
    word = file.field(row, name)
    other, mark = (",", "comma") if decimal == "." else (".", "point")
    hint = f"leave it empty where the value is missing, or --missing {word!r}"
    if re.fullmatch(r"[+-]?[\d.,]+", word) and other in word:
        hint = f"--decimal {other} if that is a decimal {mark}, or delete thousands separators"
    elif re.search(r"\d", word):
        hint = f"write it like 1234{decimal}5, without thousands separators, signs or unit"
    elif row == 0:
        hint = f"delete the line if it holds units; {hint}"
    return file.error(f"{word!r} in column {name!r} is not a number; {hint}", row)


def _check_values(file, rows, columns, target):
    """Refuse numbers that no network can learn, and a target without any change."""
    for name, values in columns.items():
        large = np.abs(values.astype(float)) > LARGEST
        if large.any():
            row = rows.index[large.argmax()]
            what = f"{file.field(row, name)!r} in column {name!r} is infinite or beyond {LARGEST:g}"
            raise file.error(f"{what}; leave it empty, or write the column in a larger unit", row)
    low, high = pd.Series(columns[target]).agg(["min", "max"])
    if not low < high:
        what = f"column {target!r} is {'missing' if np.isnan(low) else low} in every row"
        raise file.error(f"{what}: there is nothing to forecast; name another --column")


def _read_times(file, rows, names, time_format):
    """Return the (rows,) places of rows among different times, those times, and a remark."""
    key = np.zeros(len(rows), np.int64)
    for name in names:
        key = key * (len(rows[name].cat.categories) + 1) + rows[name].cat.codes.to_numpy() + 1
    first = np.flatnonzero(~pd.Series(key).duplicated())
    text = rows[names].iloc[first].astype(object).fillna("").reset_index(drop=True)
    readings = stamps.read(text.apply(lambda column: column.str.strip()), time_format)
    if len(readings) > 1:
        flags = " or ".join(f'--time-format "{flag}"' for _, _, flag in readings)
        what = f"{text.iloc[0, 0]!r} in column {names[0]!r} may mean {len(readings)} days"
        raise file.error(f"{what} in all rows; add {flags}")
    times, note, _ = readings[0]
    if times.hasnans:
        row = rows.index[first[times.isna().argmax()]]
        word = " ".join(file.field(row, name) for name in names)
        what = f"does not fit --time-format {time_format!r}" if time_format else "is no time"
        names = ",".join(names)
        raise file.error(
            f"{word!r} in column {names!r} {what}; delete lines that are no rows, write times like "
            f"2001-12-31T23:00, or say how they are written, like --time-column {names!r} "
            f'--time-format "%d.%m.%Y %H:%M" for 31.12.2001 23:00, {COUNT}',
            row,
        )
    return pd.factorize(key)[0], times, note


def _on_times(file, rows, names, time_format, series, ids):
    """Return the index of all series, the rows in order, their positions in it, and a remark."""
    places, times, note = _read_times(file, rows, names, time_format)
    _, first, ranks = np.unique(times.asi8, return_index=True, return_inverse=True)
    times, ranks = times[first], ranks[places]
    order, turned = _sorted(file, rows, times, ranks, series, ids)
    try:
        index, positions, remark = calendar.regular(times)
    except ValueError as error:
        message, rank = error.args
        raise file.error(f"{message}, {COUNT}", rows.index[(ranks == rank).argmax()]) from None
    counted = isinstance(index, pd.RangeIndex)
    shown = times if counted else index
    form = "%Y-%m-%d" + ("" if (shown == shown.normalize()).all() else " %H:%M")
    form += ":%S" if shown.second.any() else ""
    span = " to ".join(shown[[0, -1]].strftime(form)) + (f" in {shown.tz}" if shown.tz else "")
    column = f"time from column{'s' * (len(names) > 1)} " + ", ".join(f'"{x}"' for x in names)
    said = ["" if counted else calendar.words(index), span, column, note, remark, turned]
    index = index.rename("row" if counted else names[0] if len(names) == 1 else "time")
    return index, order, positions[ranks[order]], said


def _sorted(file, rows, times, ranks, series, ids):
    """Return the rows by series and time, and a remark; complain where there is no order."""
    keys = series * np.int64(len(times)) + ranks
    steps = np.diff(keys)
    if (steps > 0).all():
        return np.arange(len(keys)), ""
    if (steps < 0).all():
        return np.arange(len(keys))[::-1], "newest first in the file, turned round"
    twice = pd.Series(keys).duplicated().to_numpy()
    if twice.any():
        row = twice.argmax()
        who = f" in series {ids[series[row]]!r}" if len(ids) > 1 else ""
        raise file.error(
            f"{times[ranks[row]]} comes twice{who}; keep one row for each time, name the "
            "one column of the series, like --series-column shop, or all of the time, "
            f'like --time-column date,hour --time-format "%Y-%m-%d %H", {COUNT}',
            rows.index[row],
        )
    if len(ids) == 1:
        wrong = steps < 0 if (steps < 0).mean() < 0.5 else steps > 0
        row = wrong.argmax() + 1
        what = f"{times[ranks[row]]} does not follow {times[ranks[row - 1]]} in the row above"
        raise file.error(f"{what}; sort the rows by time, {COUNT}", rows.index[row])
    return np.argsort(keys, kind="stable"), ""


def _frames(file, columns, series, ids, index, order, positions):
    """Return a frame for each series, from its first row to its last."""
    frames = {}
    bounds = np.flatnonzero(np.diff(series[order], prepend=-1, append=-1))
    for start, stop in itertools.pairwise(bounds):
        rows, places = order[start:stop], positions[start:stop]
        who = ids[series[rows[0]]]
        if len(rows) > 7 and np.gcd.reduce(np.diff(places)) > 1:
            advice = "bring series of one step, or leave it out"
            raise file.error(f"series {who!r} has another step than the others; {advice}")
        times = index[places[0] : places[-1] + 1]
        if isinstance(times, pd.RangeIndex):
            times = pd.RangeIndex(len(times), name=index.name)
        values = np.full((len(times), len(columns)), np.nan)
        for i, column in enumerate(columns.values()):
            values[places - places[0], i] = column[rows]
        frames[who] = pd.DataFrame(values, times, list(columns))
    return frames


def _remarks(frames, target):
    """Say what looks odd: no values, codes for missing ones, far outliers, a sensor that hangs."""
    remarks = []
    for who, frame in frames.items():
        values, rows, odd = frame[target].to_numpy(), np.flatnonzero(frame[target].notna()), []
        prefix = f"series {who!r}: " if who else ""
        if len(rows) == 0:
            remarks.append(f"{prefix}no value of {target!r}, left out")
        if len(rows) < EQUAL or len(remarks) >= MOST_REMARKS:
            continue
        for code in CODES.intersection([values[rows].min(), values[rows].max()]):
            same = values[rows] == code
            rest = values[rows[~same]]
            if len(rest) >= EQUAL / 2 and np.abs(code - rest).min() > np.ptp(rest) > 0:
                odd.append((f"{code:g} (if it means missing, --missing {code:g})", rows[same]))
                rows = rows[~same]
        away = np.abs(values[rows] - np.median(values[rows]))
        far = away > FAR * np.median(away[away > 0]) if away.any() else away > 0
        if 0 < far.sum() <= max(3, len(rows) / 200) and away[far].min() > 5 * away[~far].max():
            rest, shown = values[rows[~far]], ", ".join(f"{x:g}" for x in values[rows[far][:3]])
            what = f"{shown} (all else lies from {rest.min():g} to {rest.max():g})"
            odd.append((what, rows[far]))
        edges = np.flatnonzero(np.diff(values, prepend=np.nan, append=np.nan) != 0)
        *_, second, longest = 0, 0, *np.sort(np.diff(edges))
        if second and longest >= max(EQUAL, 5 * second):
            place = edges[np.diff(edges).argmax()]
            odd.append(
                (f"{values[place]:g} in {longest} rows, one after the other, the first", [place])
            )
        for what, places in odd:
            times = ", ".join(map(str, frame.index[places[:3]])) + ", ..." * (len(places) > 3)
            remarks.append(f"{prefix}{target!r} is {what} at {times}")
    return remarks
