"""A CSV file -> series of numbers on regular times, or one line that says what is in the way.

What was understood is said; what could mean two things is refused with the flag that settles it.
"""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from utils import InputError
from utils.series import calendar, stamps
from utils.series.fields import CsvFile

import numpy as np
import pandas as pd

SAMPLE = 1000  # rows that show which column holds the times
MISSING = ["", "NA", "N/A", "n/a", "<NA>", "#N/A", "NaN", "nan", "NULL", "null", "None"]
MOST_WORDS, MOST_REMARKS = 100, 10  # of a column of text; in all
LARGEST = 1e100  # the square of what is larger is infinite, of what is as small zero
CODES = {-1, -9, -99, -999, -9999, -99999, 99, 999, 9999, 99999}  # that stand for missing values
EQUAL = 20  # rows in a row with one value are many, where that is rare
FAR = 2  # times the range of all other values
GROUPED = r"[+-]?(\d+|[1-9]\d{0,2}(,\d{3})+)(\.\d*)?([eE][+-]?\d+)?"  # 1,234.5
EITHER = r"[+-]?[1-9]\d{0,2}(\.\d{3})+"  # 1.234, where semicolons or tabs separate
MARKED = r"\W{0,2}\d[\d.,'’\s]*\W{0,2}[a-zA-Z/²³µ]*\W{0,2}"  # $1,234.50, 45 %, 1,5 kW
COUNT = "or count rows with --time-column none"


class Table(NamedTuple):
    """What a file holds; as text, what was understood and the remarks, a line each."""

    frames: dict[str, pd.DataFrame]  # by series, "" where there is one: float64, NaN where missing
    known: list[str]  # columns; of text, a 0/1 column for each word, "weekday=Mon", sorted
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
    decimal: str | None = None,
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
        decimal: "." or ","; None takes ".", where it can't stand for thousands.
        encoding: of the text; None takes UTF-8.

    Raises:
        InputError: if anything is in the way; one line with the file, its line, what to do.
    """
    inputs, keys = [target, *known, *features], [series_column] if series_column else []
    flags = ["--column", *["--known"] * len(known), *["--features"] * len(features)]
    wanted = [*zip(flags, inputs, strict=True), *(("--series-column", name) for name in keys)]
    file = CsvFile(path, encoding, {name for _, name in wanted})
    names = _time_columns(file, wanted, keys, time_column, time_format)
    rows = file.read([*names, *keys, *inputs])
    blank = (rows == "").all(axis=1)
    rows = rows[~blank] if names else rows[blank[::-1].cumprod()[::-1] == 0]
    found = {name: _columns(file, rows[name], missing, decimal, name == target) for name in inputs}
    columns = {name: column for some in found.values() for name, column in some.items()}
    known = [column for name in known for column in found[name]]
    series, ids = pd.factorize(rows[series_column] if keys else np.full(len(rows), "", object))
    if keys and "" in ids:
        line = rows.index[(rows[series_column] == "").argmax()]
        raise file.error(f"no name in column {series_column!r}; write one", line)
    index, positions, said = _on_times(file, rows, names, time_format, series, ids)
    frames = _frames(file, columns, series, ids, index, positions)
    absent, empty = sum(map(len, frames.values())) - len(rows), np.isnan(columns[target]).sum()
    said = [f"{len(rows):,} rows", *said, f"{len(ids):,} series" if series_column else ""]
    said += [f"rows missing in between: {absent:,}" if absent else ""]
    said += [f"rows without {target!r}: {empty:,}" if empty else "", *file.said]
    said = ", ".join(part for part in [*said, "decimal comma" * (decimal == ",")] if part)
    remarks = _remarks(frames, target)
    frames = {who: frame for who, frame in frames.items() if frame[target].notna().any()}
    return Table(frames, known, said, remarks)


def _time_columns(file, wanted, keys, time_column, time_format):
    """Check the names of all columns, and return those of the times, if there are any."""
    names = [time_column] if time_column in file.names else (time_column or "none").split(",")
    names = [name.strip() for name in names if names != ["none"]]
    file.check_names([*wanted, *(("--time-column", name) for name in names)])
    if time_format:
        try:
            pd.to_datetime("2001", format=time_format, errors="coerce")
        except (ValueError, re.error) as error:
            raise InputError(f"--time-format {time_format}: {error} (see strptime)") from None
        if not re.search("%[yYG]", time_format):
            raise InputError(f"--time-format {time_format}: has no year (%Y); dates need one")
    if time_column is None:
        sample = file.read(list(dict.fromkeys(file.names)), SAMPLE)
        for name in keys:
            sample = sample[sample[name].isin(sample[name][:1])]
        names = stamps.find(sample.drop(columns=[name for _, name in wanted]), time_format)
        file.check_names(("--time-column", name) for name in names)
    if time_format and not names:
        raise file.error(f"no column fits --time-format {time_format!r}; add --time-column")
    return names


def _columns(file, text, missing, decimal, is_target):
    """Return what a column holds: {name: numbers}, or {"name=word": where it is that word}."""
    codes, words = pd.factorize(text)
    words = pd.Series(words, dtype=object)
    plain = words.replace({"True": "1", "False": "0"}).str.replace("\u2212", "-")
    dots = plain[plain.str.contains(".", regex=False) & ~words.isin([*MISSING, *missing])]
    if not decimal and file.separator in ";\t" and len(dots) and dots.str.fullmatch(EITHER).all():
        what = f"{dots.iloc[0]!r} in column {text.name!r} may be above a thousand, or below"
        raise file.error(f"{what}; add --decimal , or --decimal .")
    if decimal == ",":
        plain = plain.str.translate({44: ".", 46: ","})
    if decimal == "," or plain.str.contains(r",\d+[,.]").any():  # "1,234" may be a decimal comma
        plain = plain.where(plain.str.fullmatch(GROUPED)).str.replace(",", "")
    numbers = pd.to_numeric(plain, errors="coerce").to_numpy(float)
    marks = pd.to_numeric(pd.Series(missing, dtype=object), errors="coerce")
    absent = words.isin([*MISSING, *missing]).to_numpy() | np.isin(numbers, marks)
    wrong = ~absent & ~(np.abs(numbers) <= LARGEST)
    if not is_target and (wrong & ~words.str.fullmatch(MARKED)).sum() >= 0.5 * (~absent).sum() > 0:
        if len(words) > MOST_WORDS:
            what = f"holds {len(words)} different words, of which none helps; leave it out"
            raise file.error(f"column {text.name!r} {what}")
        words = words[~absent].sort_values()
        return {f"{text.name}={word}": codes == code for code, word in words.items()}
    if wrong.any():
        at, mark, other = wrong[codes].argmax(), decimal or ".", "." if decimal == "," else ","
        word = text.iloc[at][:40]
        mean = " ".join((f'"{word}"' if re.search("^-.|,", word) else word).split())
        add = f"add --missing {shlex.quote(mean)} if it stands for a missing value"
        if re.fullmatch(r"[-+\d.,]+", word) and other in word:
            add = f"add --decimal {other} if that is the decimal mark"
        raise file.error(
            f"{word!r} in column {text.name!r} is not a number below {LARGEST:g} (or needs a "
            f"larger unit); delete the line if it is no row, write it like 1234{mark}5, without "
            f"unit or thousands separators, or {add}",
            text.index[at],
        )
    values = np.where(absent, np.nan, numbers)
    low, high = pd.Series(values).agg(["min", "max"])
    if is_target and not high - low > 1 / LARGEST:
        what = f"column {text.name!r} is {'missing' if np.isnan(low) else low} in every row"
        raise file.error(f"{what}: there is nothing to forecast; name another --column or file")
    return {text.name: values[codes]}


def _on_times(file, rows, names, time_format, series, ids):
    """Return the index of all series, the positions of rows in it, and what to say about it."""
    if not names:
        positions = pd.Series(series).groupby(series).cumcount().to_numpy()
        index = pd.RangeIndex(positions.max() + 1, name="row")
        return index, positions, ["no time column: rows are counted"]
    text = rows[names].drop_duplicates()
    readings = stamps.read(text, time_format)
    if len(readings) > 1:
        flags = " or ".join(f'--time-format "{form}"' for *_, form in readings)
        what = f"{text.iloc[0, 0]!r} in column {names[0]!r} may mean {len(readings)} days"
        raise file.error(f"{what} in all rows; add {flags}")
    times, note, _ = readings[0]
    if times.hasnans:
        line = text.index[times.isna().argmax()]
        what = f"does not fit --time-format {time_format!r}" if time_format else "is no time"
        columns = ",".join(names)
        raise file.error(
            f"{' '.join(text.loc[line])[:40]!r} in column {columns!r} {what}; delete lines that "
            "are no rows, write times like 2001-12-31T23:00, or say how they are written, like "
            f'--time-column {columns!r} --time-format "%d.%m.%Y %H:%M" for 31.12.2001 23:00, '
            f"{COUNT}",
            line,
        )
    places, times = pd.factorize(times, sort=True)
    places = places[rows.groupby(names, sort=False).ngroup()]
    turned = _check_order(file, rows, times, places, series, ids)
    try:
        index, positions, remark = calendar.regular(times)
    except ValueError as error:
        message, place = error.args
        raise file.error(f"{message}, {COUNT}", rows.index[(places == place).argmax()]) from None
    counted = isinstance(index, pd.RangeIndex)
    shown = times if counted else index
    form = "%Y-%m-%d" + " %H:%M" * bool((shown != shown.normalize()).any())
    span = " to ".join(shown[[0, -1]].strftime(form + ":%S" * bool(shown.second.any())))
    span += f" in {shown.tz}" if shown.tz else ""
    column = f"time from column{'s' * (len(names) > 1)} " + ", ".join(f'"{x}"' for x in names)
    said = ["" if counted else calendar.words(index), span, column, note, remark, turned]
    index = index.rename("row" if counted else names[0] if len(names) == 1 else "time")
    return index, positions[places], said


def _check_order(file, rows, times, places, series, ids):
    """Complain where a time comes twice, or one series has no order; say if it descends."""
    wrong = pd.DataFrame({"series": series, "time": places}).duplicated().to_numpy()
    falls = np.diff(places, prepend=-1) < 0
    turned = len(ids) == 1 and bool(falls[1:].all())
    if len(ids) == 1 and not turned:
        wrong = wrong | falls
    if wrong.any():
        row = wrong.argmax()
        who = f" of series {ids[series[row]]!r}" if len(ids) > 1 else ""
        raise file.error(
            f"{times[places[row]]}{who} comes twice, or below a later time; keep one row for each "
            "time, sort the rows by it, name the one column of the series, like --series-column "
            "shop, or all of the time, like --time-column date,hour --time-format "
            f'"%Y-%m-%d %H", {COUNT}',
            rows.index[row],
        )
    return "newest first in the file, turned round" * turned


def _frames(file, columns, series, ids, index, positions):
    """Return a frame for each series, from its first row to its last."""
    data, frames = np.column_stack(list(columns.values())).astype(float), {}
    for code, rows in pd.Series(series).groupby(series).groups.items():
        places = np.sort(positions[rows])
        if len(rows) > 7 and np.gcd.reduce(np.diff(places)) > 1:
            advice = "bring series of one step, or leave it out"
            raise file.error(f"series {ids[code]!r} has another step than the others; {advice}")
        times = index[places[0] : places[-1] + 1]
        if isinstance(times, pd.RangeIndex):
            times = pd.RangeIndex(len(times), name=index.name)
        values = np.full((len(times), len(columns)), np.nan)
        values[positions[rows] - places[0]] = data[rows]
        frames[ids[code]] = pd.DataFrame(values, times, list(columns))
    return frames


def _remarks(frames, target):
    """Say what looks odd: no values, a sensor that hangs, codes for missing values, outliers."""
    remarks = []
    for who, frame in frames.items():
        given, odd = frame[target].dropna(), {}
        values, times = given.to_numpy(), given.index
        prefix = f"series {who!r}: " if who else ""
        if len(values) == 0:
            remarks.append(f"{prefix}no value of {target!r}, left out")
        if len(values) < EQUAL or len(remarks) >= MOST_REMARKS:
            continue
        edges = np.flatnonzero(np.diff(values, prepend=np.nan, append=np.nan))
        *_, second, longest = 0, 0, *np.sort(np.diff(edges))
        if second and longest >= max(EQUAL, 5 * second):
            first = edges[np.diff(edges).argmax()]
            what = f"{values[first]:g} in {longest} rows, one after the other, the first"
            odd[what] = times[[first]]
        for end in (values.min(), values.max()):
            same, code = values == end, end in CODES
            rest = values[~same]
            seldom = code or same.sum() <= max(3, len(values) / 200)
            apart = np.ptp(rest) * (1 if code else FAR) if len(rest) else 0.0
            if seldom and np.abs(end - rest).min(initial=np.inf) > apart > 0:
                hint = f"; if it means missing, --missing {end:g}" if code else ""
                what = f"{end:g} (all else lies from {rest.min():g} to {rest.max():g}{hint})"
                odd[what] = times[same]
        for what, at in odd.items():
            shown = ", ".join(map(str, at[:3])) + ", ..." * (len(at) > 3)
            remarks.append(f"{prefix}{target!r} is {what} at {shown}")
    return remarks
