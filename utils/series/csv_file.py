"""A CSV file -> checked, regular series, and a line that says what was understood.

Nothing is repaired in silence: gaps are filled only on request (`--fill`), what looks odd is named,
and a complaint is one line with the file, the line as an editor counts it (the header is mostly
line 1), and what to do.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from utils.series import steps
from utils.series.clocks import on_the_wall
from utils.series.oddities import odd_values
from utils.series.rows import read_rows

import numpy as np
import pandas as pd

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
        path: a file that `utils.series.table.Table` can read.
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
    columns = {"--column": [column], "--features": features}
    rows = read_rows(path, columns, [], None, time_column, missing, decimal)
    frame, when = rows.frame, rows.when
    if when is not None and len(frame) < 3:
        raise rows.error("fewer than 3 rows show no regular step; bring a longer series")
    said = []
    if isinstance(when, pd.DatetimeIndex):
        if (np.diff(when.asi8) < 0).mean() > 0.9:
            frame, when = frame[::-1], when[::-1]
            said.append("newest first in the file, turned round")
        if when.tz is None:
            when, zone = on_the_wall(when)
            said += [f"on the clock of {zone}"] if zone else []
    lines = frame.index.to_numpy()  # the rows of the file
    odd = [(remark, lines[at]) for name in frame for remark, at in odd_values(name, frame[name])]

    def error(message, row=None):
        return rows.error(message, None if row is None else lines[row])

    remarks, positions = [], np.arange(len(frame))  # of the file's rows in the regular series
    regular = pd.RangeIndex(len(frame))
    if when is not None:
        regular, positions, remarks = steps.regular(when, fill, error)
    frame = frame.set_axis(positions).reindex(range(len(regular)))
    frame.index = regular.rename("time")

    def error_at(message, position=None):
        row = None if position is None else np.searchsorted(positions, position, "right") - 1
        return error(message, row)

    filled = np.flatnonzero(~np.isfinite(frame).all(axis=1))
    for name in frame:
        frame[name] = _filled(frame[name], fill, error_at)
    _check_values(frame, column, positive, error_at)
    frame.attrs["filled"] = filled.tolist()
    frame.attrs["understood"] = rows.understood(frame.index, len(frame), said)
    frame.attrs["suspicious"] = rows.with_lines(odd) + remarks
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
    columns = {"--column": [column], "--features": features}
    rows = read_rows(path, columns, known, series_column, time_column, missing, decimal)
    frame, lines = rows.frame, rows.frame.index.to_numpy()  # the rows of the file
    codes, ids = np.zeros(len(frame), int), ["all"]
    if series_column:
        codes, ids = rows.series.codes, [str(word) for word in rows.series.categories]
        if (codes < 0).any():
            raise rows.error(f"no name in column {series_column!r}", lines[(codes < 0).argmax()])
    names = [column, *(name for name in frame if name not in [column, *features]), *features]

    order, positions, regular = _places(rows, codes, ids)
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
        raise rows.error(_nothing(column, target))

    series, odd = {}, []
    for i, (start, stop) in enumerate(itertools.pairwise(offsets)):
        who, own = ids[codes[begin[i]]], order[begin[i] : end[i]]
        moments = None if regular is None else regular[first[i] : last[i] + 1]
        series[who] = pd.DataFrame(values[start:stop], moments, names, copy=False)
        if len(odd) < MOST_REMARKS:
            who = f"series {who!r}: " if series_column else ""
            for remark, at in odd_values(column, frame[column].iloc[own]):
                odd.append((who + remark, lines[own[at]]))
    said = [f"{len(series):,} series"] if series_column else []
    if absent := len(values) - len(frame):
        said.append(f"{absent:,} rows missing in between")
    return Panel(series, rows.understood(regular, len(frame), said), rows.with_lines(odd))


def _places(rows, codes, ids):
    """Sort rows by series and time, and find their places in the regular index of all.

    Returns:
        order: (rows,) oldest first, one series after the other.
        positions: (rows,) in the regular index, of the rows as they are.
        regular: the index, or None.
    """
    when, lines = rows.when, rows.frame.index.to_numpy()
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
        who = f"series {ids[codes[row]]!r} has {when[row]} twice"
        advice = "name the --series-column" if len(ids) == 1 else "keep one row for each time"
        raise rows.error(f"{who}; {advice}{steps.clock_hint(when, row)}", lines[row])
    _, first_rows, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    unique = when[first_rows]
    if len(unique) < 3:
        raise rows.error("fewer than 3 times show no regular step; bring longer series")

    def error(message, row):
        return rows.error(message, lines[first_rows[row]])

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
        raise rows.error(
            f"series {ids[wide[0]]!r} has a step of {width}, all together have "
            f"{unique[1] - unique[0]}; bring series of one step",
            lines[row],
        )
    return order, positions, regular


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


def _check_values(frame, column, positive, error):
    """Refuse a constant target, and prices that aren't above zero."""
    target = frame[column].to_numpy()
    if target.min() == target.max():
        raise error(_nothing(column, target))
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
