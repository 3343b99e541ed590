"""A CSV file -> checked, regular series, and a line that says what was understood.

Nothing is repaired in silence: gaps are filled only on request (`--fill`), what looks odd is named,
and a complaint is one line with the file, the line as an editor counts it (the header is mostly
line 1), and what to do.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from utils.series import index, steps, times
from utils.series.oddities import odd_values
from utils.series.table import UNICODE, Table, shown

import numpy as np
import pandas as pd

SAMPLE = 100  # rows that decide how times are written
SEARCHED = 300_000  # rows among which those of the first of several series are looked for
MOST_WORDS = 100  # that a column of text may have as a known input
MOST_REMARKS = 10  # on odd values of several series


def load_csv(
    path: str | Path,
    column: str,
    features: Sequence[str] = (),
    time_column: str | None = None,
    fill: int = 0,
    positive: bool = False,
    missing: Sequence[str] = (),
    decimal: str = ".",
) -> pd.DataFrame:
    """Read a column to forecast, and columns that may help, from a CSV file.

    Args:
        path: a file as `utils.series.table.Table` reads it.
        column: the column to forecast.
        features: further columns of numbers.
        time_column: the column of times, or several ("date,hour"); "none" if rows are only to be
            counted; None finds them.
        fill: interpolate linearly over up to so many missing rows or values in a row.
        positive: whether the columns must stay above zero, as prices do.
        missing: what else than an empty field stands for a missing value, as "-9999".
        decimal: "." or ",".

    Returns:
        float64 columns [column, *features], oldest first. The index is one that
        `utils.series.index` describes. In `attrs` are "filled", the rows in which a value is
        interpolated; "understood", a line that says how the file was read; "suspicious", a list of
        lines on values that look odd.

    Raises:
        InputError: if anything in the file is in the way; one line.
    """
    asked = [("--column", column), *(("--features", name) for name in features)]
    table, time_names = _open(path, asked, time_column)
    columns = [column, *features]
    written = _find_times(table, columns, time_names)
    frame, readings = _read(table, columns, [], written, missing, decimal)
    if written and len(frame) < 3:
        raise table.error("fewer than 3 rows show no regular step; bring a longer series")
    when, said = _times_of(table, written, readings, frame)
    if isinstance(when, pd.DatetimeIndex):
        if (np.diff(when.asi8) < 0).mean() > 0.9:
            frame, when = frame[::-1], when[::-1]
            said.append("newest first in the file, turned round")
        when, zone = times.on_the_wall(when)
        said += [f"on the clock of {zone}"] if zone else []
    rows = frame.index.to_numpy()  # of the file
    odd = [(remark, rows[at]) for name in frame for remark, at in odd_values(name, frame[name])]

    def error(message, row=None):
        return table.error(message, None if row is None else rows[row])

    remarks, positions = [], np.arange(len(frame))  # of the file's rows in the regular series
    regular = pd.RangeIndex(len(frame))
    if when is not None:
        regular, positions, remarks = steps.regular(when, fill, error)
    frame = frame.set_axis(positions).reindex(range(len(regular)))
    frame.index = regular.rename("time")

    def error_at(message, position):
        return error(message, np.searchsorted(positions, position, side="right") - 1)

    filled = np.flatnonzero(~np.isfinite(frame).all(axis=1))
    for name in frame:
        frame[name] = _filled(frame[name], fill, error_at)
    _check_values(frame, column, positive, table, error_at)
    frame.attrs["filled"] = filled.tolist()
    frame.attrs["understood"] = _understood(table, frame.index, len(frame), written, said)
    frame.attrs["suspicious"] = _with_lines(table, odd) + remarks
    return frame


class Panel(NamedTuple):
    """Several series of one table."""

    series: dict[str, pd.DataFrame]  # by the id, in the order of the file
    understood: str  # as of `load_csv`
    suspicious: list[str]


def load_panel(
    path: str | Path,
    column: str,
    series_column: str | None = None,
    known: Sequence[str] = (),
    features: Sequence[str] = (),
    time_column: str | None = None,
    missing: Sequence[str] = (),
    decimal: str = ".",
) -> Panel:
    """Read many series from a long table, a row per series and time, in any order.

    Args:
        path: as of `load_csv`.
        column: as of `load_csv`.
        series_column: the column that says to which series a row belongs; None if there is one.
        known: columns of which the future is known, too: numbers, or text, which becomes a column
            of zeros and ones per word ("weekday=Sunday").
        features: columns of numbers of which only the past is known.
        time_column: as of `load_csv`.
        missing: as of `load_csv`.
        decimal: as of `load_csv`.

    Returns:
        float64 frames of the columns [column, *known, *features], oldest first, NaN where a value
        or a row is missing, also at the end. All have times of one regular index; that of a frame
        goes from its first row to its last. Without times, rows are counted.

    Raises:
        InputError: as of `load_csv`; and if a series has a time twice, or another step than others.
    """
    asked = [("--column", column), *(("--known", name) for name in known)]
    asked += [("--features", name) for name in features]
    asked += [("--series-column", series_column)] if series_column else []
    table, time_names = _open(path, asked, time_column)
    written = _find_times(table, [name for _, name in asked], time_names, series_column)
    columns = [column, *features], known
    frame, read = _read(table, *columns, written, missing, decimal, series_column)
    when, said = _times_of(table, written, read, frame)
    rows, codes, ids = frame.index.to_numpy(), np.zeros(len(frame), int), ["all"]
    if series_column:
        ids, codes = frame[series_column].cat.categories, frame[series_column].cat.codes.to_numpy()
        if (codes < 0).any():
            raise table.error(f"no name in column {series_column!r}", rows[(codes < 0).argmax()])
        frame = frame.drop(columns=series_column)
    names = [column, *(name for name in frame if name not in [column, *features]), *features]
    frame = frame[names]
    del read

    order, positions, regular = _places(table, when, codes, ids, rows)
    codes, positions = codes[order], positions[order]
    begin = np.flatnonzero(np.diff(codes, prepend=-1))  # of each series, in sorted rows
    end = np.append(begin[1:], len(codes))
    first, last = positions[begin], positions[end - 1]
    offsets = np.concatenate([[0], np.cumsum(last - first + 1)])
    values = np.full((offsets[-1], len(names)), np.nan)
    places = positions + np.repeat(offsets[:-1] - first, end - begin)
    for i, name in enumerate(names):
        values[places, i] = frame[name].to_numpy()[order]
    values[np.isinf(values)] = np.nan
    target = values[:, 0][~np.isnan(values[:, 0])]
    if len(target) == 0 or target.min() == target.max():
        raise table.error(_nothing(column, target))

    series, odd = {}, []
    for i, (start, stop) in enumerate(itertools.pairwise(offsets)):
        times_of_series = regular[first[i] : last[i] + 1] if when is not None else None
        series[str(ids[codes[begin[i]]])] = pd.DataFrame(
            values[start:stop], times_of_series, names, copy=False
        )
        own = order[begin[i] : end[i]]
        if len(odd) < MOST_REMARKS:
            who = f"series {str(ids[codes[begin[i]]])!r}: " if series_column else ""
            for remark, at in odd_values(column, frame[column].iloc[own]):
                odd.append((who + remark, rows[own[at]]))
    if series_column:
        said.insert(0, f"{len(series):,} series")
    if absent := len(values) - len(frame):
        said.append(f"{absent:,} rows missing in between")
    index_of_all = regular if when is not None else pd.RangeIndex(int((last - first).max()) + 1)
    understood = _understood(table, index_of_all, len(frame), written, said)
    return Panel(series, understood, _with_lines(table, odd))


def _places(table, when, codes, ids, rows):
    """Sort rows by series and time, and find their places in the regular index of all.

    Returns:
        order: (rows,) oldest first, one series after the other.
        positions: (rows,) in the regular index, of the rows as they are.
        regular: the index, or None.
    """
    if when is None:
        order = np.argsort(codes, kind="stable")
        begin = np.flatnonzero(np.diff(codes[order], prepend=-1))
        counts = np.diff(np.append(begin, len(order)))
        positions = np.empty(len(order), int)
        positions[order] = np.arange(len(order)) - np.repeat(begin, counts)
        return order, positions, None
    numbers = when.asi8 if isinstance(when, pd.DatetimeIndex) else when.to_numpy()
    order = np.lexsort((numbers, codes))
    same_series = np.diff(codes[order]) == 0
    twice = same_series & (np.diff(numbers[order]) == 0)
    if twice.any():
        row = order[twice.argmax() + 1]
        who = f"series {str(ids[codes[row]])!r} has {when[row]} twice"
        advice = "name the --series-column" if len(ids) == 1 else "keep one row for each time"
        raise table.error(f"{who}; {advice}{steps.clock_hint(when, row)}", rows[row])
    _, first_rows, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    unique = when[first_rows]
    if len(unique) < 3:
        raise table.error("fewer than 3 times show no regular step; bring longer series")

    def error(message, row):
        return table.error(message, rows[first_rows[row]])

    grid = steps.grid(unique, error)
    regular, positions = grid.index, grid.positions
    if grid.paused and not unique.isin(regular).all():
        regular = regular.union(unique)
        positions = regular.searchsorted(unique)
    positions = positions[inverse]
    gaps = np.diff(positions[order])
    ones = np.bincount(codes[order][1:], same_series & (gaps == 1), minlength=len(ids))
    wide = np.flatnonzero((np.bincount(codes, minlength=len(ids)) >= 3) & (ones == 0))
    if len(wide):
        own = np.sort(numbers[codes == wide[0]])
        row = int((codes == wide[0]).argmax())
        width = int(np.median(np.diff(own)))
        width = pd.Timedelta(width, unit="us") if isinstance(when, pd.DatetimeIndex) else width
        raise table.error(
            f"series {str(ids[wide[0]])!r} has a step of {width}, all together have "
            f"{unique[1] - unique[0]}; bring series of one step",
            rows[row],
        )
    return order, positions, regular


def _open(path, asked, time_column):
    """Open a table and find the columns of times that the user names: [], or None for "none"."""
    table = Table(path, {name for _, name in asked})
    time_names = []
    if time_column in table.names:
        time_names = [time_column]
    elif time_column and time_column != "none":
        time_names = [name.strip() for name in time_column.split(",")]
    table.check_names([*asked, *(("--time-column", name) for name in time_names)])
    return table, None if time_column == "none" and not time_names else time_names


def _find_times(table, taken, time_names, series_column=None):
    """Look at the first rows (of the first of several series) for times."""
    if time_names is None:
        return None
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


def _read(table, numbers, free, written, missing, decimal, series_column=None):
    """Read all rows but those that are empty.

    Returns:
        numbers, columns of zeros and ones for text in `free`, and the series as a category; and the
        readings of the times; both by row of the file.
    """
    names = list(written.columns) if written else []
    texts = names + ([series_column] if series_column else [])
    frames, readings = [], []
    for chunk in table.read(numbers, texts, free, missing, decimal):
        if names:
            blank = chunk[[*numbers, *names]].isna().all(axis=1)
            chunk = chunk[~blank] if blank.any() else chunk
            readings.append(written.read(chunk[names]))
        words = [name for name in chunk if name not in [*numbers, *names]]
        for name in words:
            if not pd.api.types.is_float_dtype(chunk[name]):
                text = chunk[name].astype(object)
                chunk[name] = pd.Categorical(text, categories=text.dropna().unique())
        frames.append(chunk.drop(columns=names))
    columns = {name: [chunk.pop(name) for chunk in frames] for name in [*frames[0]]}
    rows = np.concatenate([chunk.index for chunk in frames])
    for name, parts in [*columns.items()]:
        if all(pd.api.types.is_float_dtype(part) for part in parts):
            columns[name] = np.concatenate(parts)
            continue
        parts = [
            pd.Categorical(part.map("{:g}".format, na_action="ignore"))
            if pd.api.types.is_float_dtype(part)
            else part
            for part in parts
        ]
        united = pd.api.types.union_categoricals(parts)
        if name == series_column:
            columns[name] = united
            continue
        del columns[name]
        if len(united.categories) > MOST_WORDS:
            raise table.error(
                f"column {name!r} holds {len(united.categories)} different words; as a known input "
                f"it may have {MOST_WORDS}"
            )
        for i, word in enumerate(united.categories):
            columns[f"{name}={word}"] = (united.codes == i).astype(float)
    frame = pd.DataFrame(columns, index=rows, copy=False)
    if not names and frame[[*numbers]].iloc[-1].isna().all():
        frame = frame.loc[: table.last_row()]
    return frame, pd.concat(readings) if names else None


def _times_of(table, written, read, frame):
    """Return the times of all rows, or None, and what there is to say about them."""
    if written is None:
        return None, []
    when, said = written.decide(read)
    if when.hasnans:
        row = frame.index[int(when.isna().argmax())]
        raise _time_error(table, written.columns[0], row, last=row == frame.index[-1])
    return when, said


def _time_error(table, name, row, last=False):
    """Say that a row's time can't be read."""
    total = "delete the line if it is no row, " if last else ""
    word = shown(table.field(row, name))
    return table.error(
        f"{word!r} in column {name!r} is not a date or time; {total}write it "
        "like 2001-12-31T23:00, name another --time-column, or --time-column none to count rows",
        row,
    )


def _filled(values, fill, error):
    """Interpolate up to `fill` missing values in a row."""
    absent = ~np.isfinite(values.to_numpy())
    if not absent.any():
        return values
    if absent.all():
        raise error(f"column {values.name!r} is missing in every row; name another", 0)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], absent, [False]])))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    what = f"missing or infinite values in column {values.name!r}: {absent.sum()}"
    if absent[0] or absent[-1]:
        side, first = ("start", 0) if absent[0] else ("end", starts[-1])
        raise error(f"{what}, some at its {side}, beyond --fill; delete those rows", first)
    if lengths.max() > fill:
        first = (lengths > fill).argmax()
        hint = steps.fill_hint(fill, lengths)
        raise error(f"{what}, of which {lengths[first]} in a row from here {hint}", starts[first])
    return values.where(~absent).interpolate()


def _check_values(frame, column, positive, table, error):
    """Refuse a constant target, and prices that aren't above zero."""
    target = frame[column].to_numpy()
    if target.min() == target.max():
        raise table.error(_nothing(column, target))
    for name in frame if positive else []:
        below = frame[name].to_numpy() <= 0
        if below.any():
            raise error(
                f"column {name!r} is {frame[name].iloc[below.argmax()]:g}, and a price must be "
                "above zero; correct it or name another column",
                below.argmax(),
            )


def _nothing(column, target):
    what = f"{target[0]:g}" if len(target) else "missing"
    return (
        f"column {column!r} is {what} in every row: there is nothing to forecast; "
        "name another --column"
    )


def _with_lines(table, odd):
    """Put the lines of the file into remarks on rows."""
    lines = table.lines({int(row) for _, rows in odd for row in (*rows[:3], rows[-1])})
    remarks = []
    for remark, rows in odd:
        *some, last = (str(lines[int(row)]) for row in (*rows[:3], rows[-1]))
        if len(rows) == 1:
            where = f"line {last}"
        elif len(rows) > 3 and abs(rows[-1] - rows[0]) == len(rows) - 1:
            where = f"{len(rows):,} rows, lines {some[0]} to {last}"
        else:
            more = f", ... {last}" if len(rows) > 3 else ""
            where = f"{len(rows):,} rows, lines {', '.join(some)}{more}"
        remarks.append(remark.format(where))
    return remarks


def _understood(table, regular, rows, written, said):
    """Say in one line how the file was read."""
    parts = [f"{rows:,} rows"]
    if written is None:
        parts.append("no time column: rows are counted")
    else:
        names = ", ".join(f'"{name}"' for name in written.columns)
        names = ("columns " if len(written.columns) > 1 else "column ") + names
        parts += [index.pace(regular), f"{index.span(regular)}, time from {names}"]
    if table.above:
        parts.append(f"header in line {table.header_line}")
    if table.encoding not in UNICODE:
        parts.append(f"text read as {table.encoding}")
    return ", ".join([*parts, *said])
