"""The rows of a CSV file: their numbers, their times, and the words to speak about them."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from utils import InputError
from utils.series import index, times
from utils.series.table import NO_ROWS, UNICODE, Table, shown

import numpy as np
import pandas as pd

SAMPLE = 100  # rows that decide how times are written
SEARCHED = 300_000  # rows among which those of the first of several series are looked for
MOST_WORDS = 100  # that a column of text may have as a known input


class Rows(NamedTuple):
    """What was read, as the file has it: in its order, indexed by its rows."""

    table: Table
    frame: pd.DataFrame  # float64 columns
    series: pd.Categorical | None  # the series of each row, categories in the order of the file
    when: pd.Index | None  # dates, or numbers that count; None if there are no times
    time_columns: tuple[str, ...]
    said: list[str]  # how the times were read

    def error(self, message: str, row: int | None = None) -> InputError:
        """Say it about the file, or about one of its rows."""
        return self.table.error(message, row)

    def understood(self, regular: pd.Index, rows: int, more: Sequence[str]) -> str:
        """Say in one line how the file was read.

        Args:
            regular: the index of the series.
            rows: how many there are.
            more: what else there is to say.
        """
        parts = [f"{rows:,} rows"]
        if self.when is None:
            parts.append("no time column: rows are counted")
        else:
            names = ", ".join(f'"{name}"' for name in self.time_columns)
            names = ("columns " if len(self.time_columns) > 1 else "column ") + names
            parts += [index.pace(regular), f"{index.span(regular)}, time from {names}"]
        if self.table.above:
            parts.append(f"header in line {self.table.header_line}")
        if self.table.encoding not in UNICODE:
            parts.append(f"text read as {self.table.encoding}")
        return ", ".join([*parts, *self.said, *more])

    def with_lines(self, remarks: Sequence[tuple[str, np.ndarray]]) -> list[str]:
        """Put the lines of rows where remarks have "{}"."""
        lines = self.table.lines({int(row) for _, rows in remarks for row in (*rows[:3], rows[-1])})
        told = []
        for remark, rows in remarks:
            *some, last = (str(lines[int(row)]) for row in (*rows[:3], rows[-1]))
            where = f"line {last}"
            if len(rows) > 3 and abs(rows[-1] - rows[0]) == len(rows) - 1:
                where = f"{len(rows):,} rows, lines {some[0]} to {last}"
            elif len(rows) > 1:
                more = f", ... {last}" if len(rows) > 3 else ""
                where = f"{len(rows):,} rows, lines {', '.join(some)}{more}"
            told.append(remark.format(where))
        return told


def read_rows(
    path: str | Path,
    numbers: dict[str, Sequence[str]],
    known: Sequence[str],
    series_column: str | None,
    time_column: str | None,
    missing: Sequence[str],
    decimal: str,
) -> Rows:
    """Read all rows of a file but those that are empty.

    Args:
        path: the file.
        numbers: columns of numbers, by the flag that asks for them.
        known: columns of numbers or text; text becomes a column of zeros and ones per word.
        series_column: the column that names each row's series, or None.
        time_column: as of `utils.series.csv_file.load_csv`.
        missing: what stands for a missing value.
        decimal: "." or ",".

    Raises:
        InputError: if anything is in the way; one line.
    """
    asked = [(flag, name) for flag, names in numbers.items() for name in names]
    asked[1:1] = [("--known", name) for name in known]
    asked += [("--series-column", series_column)] if series_column else []
    table = Table(path, {name for _, name in asked})
    if time_column in table.names:
        time_names = [time_column]
    elif time_column and time_column != "none":
        time_names = [name.strip() for name in time_column.split(",")]
    else:
        time_names = []
    table.check_names([*asked, *(("--time-column", name) for name in time_names)])
    written = None
    if time_names or time_column != "none":
        written = _find_times(table, [name for _, name in asked], time_names, series_column)

    columns = [name for names in numbers.values() for name in names]
    frames, readings = [], []
    names = list(written.columns) if written else []
    texts = [*names, series_column] if series_column else names
    for chunk in table.read(columns, texts, known, missing, decimal):
        if names:
            chunk = chunk.dropna(how="all")
            readings.append(written.read(chunk[names]))
            chunk = chunk.drop(columns=names)
        for name in chunk:
            if not pd.api.types.is_float_dtype(chunk[name]):
                chunk[name] = _categories(chunk[name])
        frames.append(chunk)
    frame, series = _joined(table, frames, series_column)
    if written is None and len(frame) and frame[columns].iloc[-1].isna().all():
        frame = frame.loc[: table.last_row()]
        series = None if series is None else series[: len(frame)]
    if frame.empty:
        raise table.error(NO_ROWS)
    if written is None:
        return Rows(table, frame, series, None, (), [])
    when, said = written.decide(pd.concat(readings))
    if when.hasnans:
        first = int(when.isna().argmax())
        last = when[first:].isna().all()
        raise _time_error(table, written.columns[0], frame.index[first], last)
    return Rows(table, frame, series, when, written.columns, said)


def _find_times(table, taken, time_names, series_column):
    """Look at the first rows (of the first of several series) for times."""
    records = (fields for _, fields in table.records())
    if series_column:
        place, records = table.names.index(series_column), itertools.islice(records, SEARCHED)
        first = next(records)
        same = (f for f in records if f[place : place + 1] == first[place : place + 1])
        records = itertools.chain([first], same)
    width = len(table.names)
    sample = [(f + [""] * width)[:width] for f in itertools.islice(records, SAMPLE)]
    sample = pd.DataFrame(sample, columns=table.names, dtype=object)
    sample = sample.loc[:, ~sample.columns.duplicated(keep=False)]
    sample = sample.mask(sample == "")
    written, unread = times.find(sample, taken, time_names, series_column is not None)
    if unread:
        raise _time_error(table, unread, int(sample[unread].notna().argmax()))
    twice = [name for name in table.names if table.names.count(name) > 1]
    if written is None and any(map(times.TIME_NAME.search, twice)):
        raise table.error(f"several columns named {twice[0]!r}; rename them")
    return written


def _time_error(table, name, row, last=False):
    """Say that a row's time can't be read."""
    word = shown(table.field(row, name))
    total = "delete the line if it is no row, " if last or word.startswith("#") else ""
    return table.error(
        f"{word!r} in column {name!r} is not a date or time; {total}write it like "
        "2001-12-31T23:00, name another --time-column, or --time-column none to count rows",
        row,
    )


def _categories(values):
    """Return text, or numbers as text, as categories in the order in which they come."""
    if pd.api.types.is_float_dtype(values):
        values = values.map("{:g}".format, na_action="ignore")
    values = values.astype(object)
    return pd.Categorical(values, categories=pd.Index(values.dropna().unique(), dtype=object))


def _joined(table, frames, series_column):
    """Put chunks together: a frame of float64, words as zeros and ones, and the series."""
    columns, series = {}, None
    for name in frames[0].columns:
        parts = [frame.pop(name) for frame in frames]
        if all(pd.api.types.is_float_dtype(part) for part in parts):
            columns[name] = np.concatenate(parts)
            continue
        parts = [_categories(part) if pd.api.types.is_float_dtype(part) else part for part in parts]
        words = pd.api.types.union_categoricals(parts)
        if name == series_column:
            series = words
            continue
        if len(words.categories) > MOST_WORDS:
            raise table.error(
                f"column {name!r} holds {len(words.categories)} different words; a known input "
                f"may have {MOST_WORDS}"
            )
        for code, word in enumerate(words.categories):
            columns[f"{name}={word}"] = (words.codes == code).astype(float)
    index = np.concatenate([frame.index for frame in frames])
    return pd.DataFrame(columns, index=index, copy=False), series
