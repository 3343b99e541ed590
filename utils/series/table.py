"""A CSV file -> series of numbers on regular times, or one line that says what is in the way.

Nothing is repaired in silence: a table says in a line what was understood, and what could mean two
things is refused with the flag that settles it.
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
MOST_WORDS = 100  # that a column of text may have
MOST_REMARKS = 10
LARGEST = 1e100  # the square of what is larger is infinite
SPARSE = 8  # rows of a series that show that its step is another one
CODES = [-1, -9, -99, -999, -9999, -99999, 99, 999, 9999, 99999]  # that stand for missing values
EQUAL = 20  # rows in a row with one value are many, where that is rare
FAR = 50  # times the usual distance from the median
GROUPED = {  # numbers with groups of thousands, by the decimal mark
    ".": r"[+-]?(\d+|[1-9]\d{0,2}(,\d{3})+)(\.\d*)?([eE][+-]?\d+)?",
    ",": r"[+-]?(\d+|[1-9]\d{0,2}(\.\d{3})+)(,\d*)?([eE][+-]?\d+)?",
}
COUNT = "or count rows with --time-column none"


class Table(NamedTuple):
    """What a file holds."""

    frames: dict[str, pd.DataFrame]  # by series, "" where there is one: float64, NaN where missing
    target: str
    known: list[str]  # columns; of text, a 0/1 column for each word, "weekday=Mon", sorted
    features: list[str]  # likewise
    understood: str  # one line
    remarks: list[str]  # a line each on what looks odd


class _Grid(NamedTuple):
    """Where rows lie on a regular index that all series share."""

    index: pd.Index
    order: np.ndarray  # the rows that are kept, by series, then by time
    positions: np.ndarray  # in the index, of the rows in this order
    said: list[str]


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

    Each series has the regular index of `utils.series.calendar.regular`, from its first row to its
    last; rows that are absent in between, and values that are missing, are NaN. Rows at the end may
    hold known columns only. Times without an offset are those of a clock on the wall: of an hour
    that comes twice in autumn, the first is kept.

    Args:
        path: the file, plain or gzip; separated by commas, semicolons, tabs, bars or spaces.
        target: the column to forecast.
        series_column: the column that names each row's series; then rows may be in any order.
        time_column: the column of times, or several ("Date,Time"); "none" counts rows; None finds
            it.
        time_format: of strptime, for the time column.
        known: columns of which the future is known: numbers, or at most 100 words.
        features: likewise, columns of which only the past is known.
        missing: what else than an empty field stands for a missing value, as "-9999".
        decimal: "." or ",".
        encoding: of the text; None takes UTF-8, or UTF-16 by its mark.

    Raises:
        InputError: if anything is in the way; one line with the file, its line, what to do.
    """
    asked = [("--column", target), *(("--known", name) for name in known)]
    asked += [("--features", name) for name in features]
    asked += [("--series-column", series_column)] if series_column else []
    file = CsvFile(path, encoding, {name for _, name in asked})
    names = _time_columns(file, asked, series_column, time_column, time_format)
    keys = [*names, series_column] if series_column else names
    rows = file.read([target, *features], known, keys, missing, decimal)
    columns = {
        name: _numbers_or_words(file, rows, name, missing, decimal, name == target)
        for name in (target, *known, *features)
    }
    known, features = (
        [label for name in some for label in columns[name]] for some in (known, features)
    )
    columns = {label: values for found in columns.values() for label, values in found.items()}
    _check_values(file, rows, columns, target)
    series, ids = _series(file, rows, series_column)
    grid = _on_times(file, rows, names, time_format, series, ids) if names else _counted(series)
    frames, absent = _frames(columns, series, ids, grid)
    empty = np.isnan(columns[target]).sum()
    said = [f"{len(rows):,} rows", *grid.said]
    said += [f"{len(ids):,} series"] if series_column else []
    said += [f"rows missing in between: {absent:,}"] if absent else []
    said += [f"rows without {target!r}: {empty:,}"] if empty else []
    said += [*file.unusual(), *(["decimal comma"] if decimal == "," else [])]
    frames, remarks = _odd_series(frames, target)
    return Table(frames, target, known, features, ", ".join(said), remarks)


def _time_columns(file, asked, series_column, time_column, time_format):
    """Check the names of all columns, and return those of the times, if there are any."""
    names = [time_column] if time_column in file.names else (time_column or "none").split(",")
    names = [name.strip() for name in names if time_column in file.names or time_column != "none"]
    names = names if time_column else []
    file.check_names([*asked, *(("--time-column", name) for name in names)])
    sample = file.sample(SAMPLE)
    try:
        stamps.read(pd.Series(["2001"]), time_format)
    except ValueError as error:
        raise InputError(f"--time-format {time_format}: {error}; see Python's strptime") from None
    if time_format and "%y" not in time_format.lower():
        raise InputError(f"--time-format {time_format}: has no year (%Y); dates need one")
    if time_column:
        return names
    twice = [name for name in file.names if file.names.count(name) > 1 and stamps.is_named(name)]
    if twice:
        raise file.error(f"{file.names.count(twice[0])} columns named {twice[0]!r}; rename them")
    if series_column:
        sample = sample[sample[series_column] == sample[series_column][0]]
    names = stamps.find(sample.drop(columns=[name for _, name in asked]), time_format)
    if time_format and not names:
        raise file.error(f"no column fits --time-format {time_format!r}; add --time-column")
    return names


def _words(column):
    """Return (rows,) the places of words, -1 where missing; the words, stripped, as they come."""
    words = pd.Series(column.cat.categories.astype(str).to_numpy(object)).str.strip()
    places, words = pd.factorize(words.where(words != ""))
    codes = np.append(places, -1)[column.cat.codes]
    first = pd.unique(codes)
    first = first[first >= 0]
    ranks = np.full(len(words) + 1, -1)
    ranks[first] = np.arange(len(first))
    return ranks[codes], list(words.take(first))


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
    numbers = pd.to_numeric(plain, errors="coerce").astype("float64").to_numpy()
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
            raise file.error(
                f"{file.field(row, name)!r} in column {name!r} is infinite or beyond {LARGEST:g}; "
                "correct it, leave it empty, or write the column in a larger unit",
                row,
            )
    some = columns[target][~np.isnan(columns[target])]
    if len(some) == 0 or some.min() == some.max():
        what = f"{some[0]:g}" if len(some) else "missing"
        advice = "there is nothing to forecast; name another --column"
        raise file.error(f"column {target!r} is {what} in every row: {advice}")


def _series(file, rows, series_column):
    """Return (rows,) the places of rows among the names of series; the names."""
    if series_column is None:
        return np.zeros(len(rows), np.int8), [""]
    series, ids = _words(rows[series_column])
    if (series < 0).any():
        row = rows.index[(series < 0).argmax()]
        raise file.error(f"no name in column {series_column!r}; write one", row)
    return series, ids


def _counted(series):
    """Count the rows of each series."""
    order = np.argsort(series, kind="stable")
    lengths = np.bincount(series)
    positions = np.arange(len(order)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    index = pd.RangeIndex(lengths.max(), name="row")
    return _Grid(index, order, positions, ["no time column: rows are counted"])


def _read_times(file, rows, names, time_format):
    """Return the (rows,) places of rows among different times, those times, and a remark."""
    columns = [_words(rows[name]) for name in names]
    joined = np.zeros(len(rows), np.int64)
    for codes, words in columns:
        joined = np.where((codes < 0) | (joined < 0), -1, joined * len(words) + codes)
    places, unique = pd.factorize(joined)
    rest, text = np.maximum(unique, 0), []
    for _, words in reversed(columns):
        text.append(pd.Series(words, dtype=object).take(rest % len(words)).reset_index(drop=True))
        rest //= len(words)
    readings = stamps.together(pd.concat(text[::-1], axis=1, keys=names), time_format)
    if len(readings) > 1:
        flags = " or ".join(f'--time-format "{reading.time_format}"' for reading in readings)
        what = f"{text[-1][0]!r} in column {names[0]!r} may mean {len(readings)} days in all rows"
        raise file.error(f"{what}; add {flags}")
    times = readings[0].times.where(unique >= 0)
    if times.hasnans:
        row = rows.index[times.isna()[places].argmax()]
        word = " ".join(file.field(row, name) for name in names)
        what = f"does not fit --time-format {time_format!r}" if time_format else "is no time"
        shown = ",".join(names)
        raise file.error(
            f"{word!r} in column {shown!r} {what}; delete lines that are no rows, write "
            f"times like 2001-12-31T23:00, or say how they are written, like --time-column "
            f'{shown!r} --time-format "%d.%m.%Y %H:%M" for 31.12.2001 23:00, {COUNT}',
            row,
        )
    return places, times, readings[0].note


def _on_times(file, rows, names, time_format, series, ids):
    """Put rows where their times lie on the regular index of all series."""
    places, times, note = _read_times(file, rows, names, time_format)
    _, first, ranks = np.unique(times.asi8, return_index=True, return_inverse=True)
    times, ranks = times[first], ranks[places]
    keys = series * np.int64(len(times)) + ranks
    order, said = np.arange(len(rows)), []
    if not (np.diff(keys) > 0).all():
        order, said = _sorted(file, rows, times, ranks, keys, ids)
    try:
        index, positions, remark = calendar.regular(times)
    except ValueError as error:
        message, rank = error.args
        raise file.error(f"{message}, {COUNT}", rows.index[(ranks == rank).argmax()]) from None
    positions, series = positions[ranks[order]], series[order]
    beside = (np.diff(series) == 0) & (np.diff(positions) == 1)
    alone = np.bincount(series[1:], beside, len(ids)) == 0
    for i in np.flatnonzero(alone & (np.bincount(series) >= SPARSE)):
        if np.gcd.reduce(np.diff(positions[series == i])) > 1:
            what = f"series {ids[i]!r} has another step than the others"
            row = rows.index[order[(series == i).argmax()]]
            raise file.error(f"{what}; bring series of one step, or leave it out", row)
    counted = isinstance(index, pd.RangeIndex)
    span = calendar.span(times if counted else index)
    quoted = ", ".join(f'"{name}"' for name in names)
    origin = f"time from column{'s' if len(names) > 1 else ''} {quoted}"
    said = ["" if counted else calendar.words(index), span, origin, note, remark, *said]
    index = index.rename("row" if counted else names[0] if len(names) == 1 else "time")
    return _Grid(index, order, positions, [part for part in said if part])


def _sorted(file, rows, times, ranks, keys, ids):
    """Return the order of rows by series and time, and a remark; complain where there is none."""
    said, twice = [], pd.Series(keys).duplicated().to_numpy()
    if twice.any():
        if not calendar.end_of_summer_time(times[np.unique(ranks[twice])]):
            row = twice.argmax()
            who = f" in series {ids[keys[row] // len(times)]!r}" if len(ids) > 1 else ""
            raise file.error(
                f"{times[ranks[row]]} comes twice{who}; keep one row for each time, name the "
                "one column of the series, like --series-column shop, or all of the time, "
                f'like --time-column date,hour --time-format "%Y-%m-%d %H", {COUNT}',
                rows.index[row],
            )
        said = ["of hours that come twice in autumn the first is kept"]
    order = np.flatnonzero(~twice)
    steps = np.diff(keys[order])
    if (steps < 0).all():
        return order[::-1], ["newest first in the file, turned round", *said]
    if len(ids) > 1:
        return order[np.argsort(keys[order], kind="stable")], said
    wrong = steps < 0 if (steps < 0).mean() < 0.5 else steps > 0
    if wrong.any():
        before, row = order[wrong.argmax() : wrong.argmax() + 2]
        what = f"{times[ranks[row]]} does not follow {times[ranks[before]]} in the row above"
        raise file.error(f"{what}; sort the rows by time, {COUNT}", rows.index[row])
    return order, said


def _frames(columns, series, ids, grid):
    """Return a frame for each series, and how many rows are absent in between."""
    series, positions = series[grid.order], grid.positions
    begin = np.flatnonzero(np.diff(series, prepend=-1))
    end = np.append(begin[1:], len(series))
    first, last = positions[begin], positions[end - 1]
    offsets = np.concatenate([[0], np.cumsum(last - first + 1)])
    values = np.full((offsets[-1], len(columns)), np.nan)
    places = positions + np.repeat(offsets[:-1] - first, end - begin)
    for i, column in enumerate(columns.values()):
        values[places, i] = column[grid.order]
    frames = {}
    for i, (start, stop) in enumerate(itertools.pairwise(offsets)):
        index = grid.index[first[i] : last[i] + 1]
        if isinstance(index, pd.RangeIndex):
            index = pd.RangeIndex(stop - start, name=index.name)
        frames[ids[i]] = pd.DataFrame(values[start:stop], index, list(columns), copy=False)
    return frames, len(values) - len(series)


def _odd_series(frames, target):
    """Leave out series without any value, and return remarks on them and on odd values."""
    alive, remarks = {}, []
    for who, frame in frames.items():
        prefix = f"series {who!r}: " if who else ""
        if frame[target].isna().all():
            remarks.append(f"{prefix}no value of {target!r}, left out")
            continue
        alive[who] = frame
        if len(remarks) < MOST_REMARKS:
            remarks += [prefix + remark for remark in _odd_values(frame[target])]
    return alive, remarks


def _odd_values(column):
    """Return remarks on codes for missing values, far outliers, and a sensor that hangs."""
    values, known = column.to_numpy(), np.flatnonzero(column.notna())
    remarks = []

    def remark(what, places):
        times = ", ".join(map(str, column.index[places[:3]])) + (", ..." if len(places) > 3 else "")
        remarks.append(f"{column.name!r} is {what} at {times}")

    for extreme in (np.min, np.max) if len(known) >= EQUAL else ():
        code = extreme(values[known])
        same = values[known] == code
        rest = values[known[~same]]
        if code not in CODES or len(rest) < EQUAL / 2:
            continue
        if np.abs(code - rest).min() > np.ptp(rest) > 0:
            remark(f"{code:g} (if it means missing, --missing {code:g})", known[same])
            known = known[~same]
    if len(known) < EQUAL:
        return remarks
    distance = np.abs(values[known] - np.median(values[known]))
    far = distance > FAR * np.median(distance[distance > 0]) if distance.any() else distance > 0
    if 0 < far.sum() <= max(3, len(known) / 200) and distance[far].min() > 5 * distance[~far].max():
        shown = ", ".join(f"{value:g}" for value in values[known[far]][:3])
        low, high = values[known[~far]].min(), values[known[~far]].max()
        remark(f"{shown} (all else lies from {low:g} to {high:g})", known[far])
    edges = np.flatnonzero(np.diff(values, prepend=np.nan, append=np.nan) != 0)
    lengths = np.diff(edges)
    longest, second = np.sort(lengths)[[-1, -2]] if len(lengths) > 1 else (0, 0)
    if longest >= max(EQUAL, 5 * second):
        place = edges[lengths.argmax()]
        remark(f"{values[place]:g} in {longest} rows, one after the other, the first", [place])
    return remarks
