"""A CSV column -> a checked, regular pandas series, or one clear line that says what is wrong.

Nothing is repaired in silence: gaps are filled only on request (`--fill`), and a complaint names
the file, the line as an editor counts it (the header is line 1), and what to do.
"""

import csv
import datetime
import difflib
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from utils import InputError
from utils.series.index import DAY

import numpy as np
import pandas as pd

MICROSECOND = pd.Timedelta(microseconds=1)
CHUNK = 100_000  # rows read at once: the text of all times together would outweigh the numbers
SAMPLE = 100  # rows that decide how times are written

TIME_NAME = re.compile(
    r"(^|[^a-z])(time|date|datetime|timestamp|when|year|month|week|day|hour)([^a-z]|$)", re.I
)
DATES = ["%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%Y", "%d.%m.%y"]
DATES += ["%m-%d-%Y", "%d-%m-%Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%b %d, %Y", "%b %Y"]
CLOCKS = ["", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p"]
TIME_FORMATS = ["ISO8601", "%Y-%m-%d %I:%M %p", *map("".join, itertools.product(DATES, CLOCKS))]
UTC_OFFSET = r"(:\d\d(?:\.\d+)?)\s?(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)$"
NUMBER_TIMES = [  # lowest, highest, how pandas reads them
    (1700, 2200, {"format": "%Y"}),
    (170001, 220012, {"format": "%Y%m"}),
    (17000101, 22001231, {"format": "%Y%m%d"}),
    (1e8, 1e10, {"unit": "s"}),  # since 1970
    (1e11, 1e13, {"unit": "ms"}),
    (1e14, 1e16, {"unit": "us"}),
    (1e17, 1e19, {"unit": "ns"}),
]
# a stock calendar: Chinese exchanges have closed for 10 business days in a row, Tokyo for 7 %
LONGEST_HOLIDAY = 10
HOLIDAY_SHARE = 0.1


def load_csv(
    path: str | Path,
    column: str,
    features: Sequence[str] = (),
    time_column: str | None = None,
    fill: int = 0,
    positive: bool = False,
) -> pd.DataFrame:
    """Read a column to forecast, and columns that may help, from a CSV file.

    Args:
        path: a file in UTF-8 that separates by commas, semicolons or tabs; its first line names
            the columns.
        column: the column to forecast.
        features: further columns of numbers.
        time_column: the column of times; None takes the first that is named and reads like one, or
            else the first of text that reads like one.
        fill: interpolate linearly over up to so many missing rows or values in a row.
        positive: whether the columns must stay above zero, as prices do.

    Returns:
        float64 columns [column, *features], oldest first. The index is a regular DatetimeIndex
        (with a freq, unless it is a stock calendar that leaves out holidays), or a RangeIndex where
        the file has no times or only counts its steps. `attrs["filled"]` lists the rows in which a
        value is interpolated.

    Raises:
        InputError: if anything in the file is in the way; one line.
    """
    file = _Csv(path)
    file.check_names(column, features, time_column)
    frame, times = file.read([column, *features], time_column)
    positions = np.arange(len(frame))  # of the file's rows in the regular series
    if times is not None:
        index, positions = _regular(times, fill, file.error)
        if len(index) > len(frame):
            frame = frame.set_axis(positions).reindex(range(len(index)))
        frame.index = index
    frame.index.name = "time"

    def error(message, position):
        return file.error(message, np.searchsorted(positions, position, side="right") - 1)

    filled = np.flatnonzero(~np.isfinite(frame).all(axis=1))
    for name in frame:
        frame[name] = _filled(frame[name], fill, error)
    frame.attrs["filled"] = filled.tolist()
    target = frame[column].to_numpy()
    if target.min() == target.max():
        raise file.error(
            f"column {column!r} is {target[0]:g} in every row: there is nothing to forecast; "
            "name another --column"
        )
    for name in frame if positive else []:
        below = frame[name].to_numpy() <= 0
        if below.any():
            raise error(
                f"column {name!r} is {frame[name].iloc[below.argmax()]:g}, and a price must be "
                "above zero; correct it or name another column",
                below.argmax(),
            )
    return frame


class _Csv:
    """A file whose complaints say in which line the trouble is."""

    def __init__(self, path):
        self.path = Path(path)
        try:
            with self.path.open("rb") as file:
                head = file.read(1 << 16)
        except IsADirectoryError:
            raise self.error("is a folder; name a file") from None
        except OSError as error:
            raise self.error(f"cannot be read ({error.strerror}); check the name") from None
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise self.error("is encoded as UTF-16; save it as UTF-8")
        if b"\0" in head:
            raise self.error("is a binary file, not a CSV; export the table as CSV")
        start = head.decode("utf-8-sig", "replace").lstrip(" \r\n")
        if not start:
            raise self.error("is empty; name a file with a header and rows")
        self.separator = max(",;\t", key=start.splitlines()[0].count)
        self.header_line, self.names = 0, []
        self.header_line, header = next(self.records())
        self.names = [name.strip() for name in header]
        if next(self.records(), None) is None:
            raise self.error("has a header but no rows; name a file with rows")

    def error(self, message, row=None) -> InputError:
        """Say it about the file, or about one of its rows (0 is the first below the header)."""
        if row is None:
            return InputError(f"--csv {self.path}: {message}")
        line, _ = self.record(row)
        return InputError(f"--csv {self.path}, line {line}: {message}")

    def record(self, row) -> tuple[int, list[str]]:
        """Return the line and the fields of one row."""
        return next(itertools.islice(self.records(), int(row), None))

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line number and the fields of each row below the header, as pandas sees them.

        Blank lines are no rows, but in a file of one column they are missing values.
        """
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file, delimiter=self.separator, skipinitialspace=True)
                for fields in reader:
                    row = len(fields) > 1 or len(self.names) == 1 or "".join(fields).strip()
                    if row and reader.line_num > self.header_line:
                        yield reader.line_num, fields
        except UnicodeDecodeError:
            raise self.encoding_error() from None
        except csv.Error as error:
            raise self.error(f"is not a CSV ({error}); export the table as CSV") from None

    def encoding_error(self) -> InputError:
        """Say where the first byte is that isn't UTF-8."""
        content = self.path.read_bytes()
        try:
            content.decode()
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            what = f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8"
        return InputError(f"--csv {self.path}, line {line}: {what}")

    def check_names(self, column, features, time_column):
        """Refuse names that the header lacks or holds twice, or that are asked for twice."""
        asked = [("--column", column), *(("--features", name) for name in features)]
        asked += [("--time-column", time_column)] if time_column else []
        for i, (flag, name) in enumerate(asked):
            if name not in self.names:
                near = difflib.get_close_matches(name, self.names, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}? " if near else ""
                shown = ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")
                raise self.error(f"no column {name!r} for {flag}; {hint}it has: {shown}")
            if self.names.count(name) > 1:
                raise self.error(f"{self.names.count(name)} columns named {name!r}; rename them")
            for earlier, other in asked[:i]:
                if other == name:
                    raise InputError(f"{flag} {name}: is given to {earlier} already; drop one")

    def read(self, columns, time_column) -> tuple[pd.DataFrame, pd.Index | None]:
        """Read numbers, and times if there are any, in chunks."""
        time_column, formats, zoned = self.time_column(columns, time_column)
        wanted = columns if time_column is None else [*columns, time_column]
        places = [self.names.index(name) for name in wanted]
        numbers, times = [], []
        try:
            with pd.read_csv(
                self.path,
                sep=self.separator,
                header=None,
                skiprows=self.header_line,
                names=range(len(self.names)),
                usecols=places,
                dtype=None if time_column is None else {places[-1]: str},
                index_col=False,
                skipinitialspace=True,
                skip_blank_lines=len(self.names) > 1,
                chunksize=CHUNK,
            ) as chunks:
                for chunk in chunks:
                    chunk = chunk[places].set_axis(wanted, axis="columns")
                    numbers.append(pd.DataFrame({c: self.numbers(chunk[c]) for c in columns}))
                    if time_column is not None:
                        times.append(_read_times(chunk[time_column], formats, zoned))
        except UnicodeDecodeError:
            raise self.encoding_error() from None
        except pd.errors.ParserError as error:
            reason = str(error).strip().splitlines()[0]
            raise self.error(f"is not a table ({reason}); export it again as CSV") from None
        frame = pd.concat(numbers)
        if len(self.names) == 1:
            content = self.path.read_bytes()
            blank_at_end = content.count(b"\n", len(content.rstrip())) - 1
            frame = frame[: len(frame) - max(blank_at_end, 0)]
        self.check_widths(len(frame))
        return frame, None if time_column is None else self.times(pd.concat(times), time_column)

    def numbers(self, values: pd.Series) -> pd.Series:
        """Return float64, or complain about the first text."""
        numbers = pd.to_numeric(values, errors="coerce")
        text = numbers.isna() & values.notna()
        if text.any():
            word = values[text.idxmax()]
            hint = "leave it empty where the value is missing"
            if re.search(r"\d", word):
                hint = "write it like 1234.5, without decimal comma, thousands separators or unit"
            raise self.error(
                f"{word!r} in column {values.name!r} is not a number; {hint}", text.idxmax()
            )
        return numbers.astype("float64")

    def check_widths(self, rows):
        """Refuse rows with more fields than names, which pandas would cut: a comma in a number?"""
        width = len(self.names)
        with self.path.open("rb") as file:
            blocks = iter(lambda: file.read(1 << 20), b"")
            separators = sum(block.count(self.separator.encode()) for block in blocks)
        if separators <= (rows + 1) * (width - 1):
            return
        for row, (_, fields) in enumerate(self.records()):
            if any(fields[width:]):
                raise self.error(
                    f"{len(fields)} fields for {width} columns; put fields that hold a "
                    f"{self.separator!r} in quotes and write decimals with a point",
                    row,
                )

    def time_column(self, taken, name):
        """Find the times: the first column named and written like times, or else of such text.

        Returns:
            its name, the formats that fit, and whether the times have offsets from UTC; or Nones.
        """
        sample = [fields for _, fields in itertools.islice(self.records(), SAMPLE)]
        free = [n for n in self.names if n not in taken and self.names.count(n) == 1]
        free.sort(key=lambda n: not TIME_NAME.search(n))
        unread = None
        for candidate in [name] if name else free:
            i = self.names.index(candidate)
            text = pd.Series([f[i] for f in sample if len(f) > i and f[i]], dtype=str)
            zoned = any(re.search(UTC_OFFSET, word) for word in text)
            formats = _time_formats(text, zoned)
            named = TIME_NAME.search(candidate)
            if formats == ["number"] and not name:
                # small numbers are years or a count of steps only if they grow
                numbers = pd.to_numeric(text, errors="coerce")
                if not named or (numbers.max() < 1e6 and (numbers.diff() <= 0).any()):
                    continue
            if formats:
                return candidate, formats, zoned
            if named and named[0] == candidate:
                unread = unread or candidate
        if name or unread:
            raise self.time_error(name or unread, 0)
        return None, [], False

    def times(self, read, name) -> pd.Index:
        """Return a DatetimeIndex, or numbers that count steps, or complain about the first text."""
        times = _times(read)
        if times.hasnans:
            raise self.time_error(name, times.isna().argmax())
        return times

    def time_error(self, name, row) -> InputError:
        """Say that a row's time can't be read."""
        fields = self.record(row)[1] + [""] * len(self.names)
        return self.error(
            f"{fields[self.names.index(name)]!r} in column {name!r} is not a date or time; "
            "write it like 2001-12-31T23:00, or name another --time-column",
            row,
        )


def _time_formats(text, zoned):
    """Return the formats that read most of the text; 01/02/2001 leaves two."""
    for formats in [["number"], *[[form] for form in TIME_FORMATS[:2]], TIME_FORMATS[2:]]:
        read = _read_times(text, formats, zoned).notna().mean()
        if fitting := [form for form in formats if read[form] > 0.5]:
            return fitting
    return []


def _read_times(text, formats, zoned):
    """Read text as times or numbers: a column per format, and "utc" where there are offsets."""
    if formats == ["number"]:
        return pd.DataFrame({"number": pd.to_numeric(text, errors="coerce")})

    def read(text, form, **zone):
        return pd.to_datetime(text, format=form, errors="coerce", cache=False, **zone)

    if not zoned:
        return pd.DataFrame({form: read(text, form) for form in formats})
    clock = text.str.replace(UTC_OFFSET, r"\1", regex=True)
    times = pd.DataFrame({form: read(clock, form) for form in formats})
    times["utc"] = read(text.str.replace(r"\s?(UTC|GMT)$", "Z", regex=True), "ISO8601", utc=True)
    return times


def _times(read):
    """Return the times of a table of `_read_times`: NaT where they can't be read."""
    if "number" in read:
        numbers = read["number"]
        whole = (numbers % 1 == 0).all()
        for low, high, how in NUMBER_TIMES:
            if numbers.min() >= low and numbers.max() <= high and whole >= ("format" in how):
                words = numbers.astype(int).astype(str) if "format" in how else numbers
                dates = pd.to_datetime(words, errors="coerce", **how)
                if dates.notna().mean() > 0.5:
                    return pd.DatetimeIndex(dates).as_unit("us")
        return pd.Index(numbers)
    utc = read.pop("utc") if "utc" in read else None

    def merit(form):  # the right reading of 01/02/2001 leaves nothing unread and has no leaps
        times = read[form]
        return times.notna().sum(), times.is_monotonic_increasing, times.min() - times.max()

    best = max(read, key=merit) if len(read.columns) > 1 else read.columns[0]
    clock = pd.DatetimeIndex(read[best]).as_unit("us")
    if utc is None:
        return clock
    utc = pd.DatetimeIndex(utc).as_unit("us")
    offsets = (clock - utc.tz_localize(None)).unique()
    if len(offsets) == 1:
        return utc.tz_convert(datetime.timezone(offsets[0].to_pytimedelta()))
    # with the clocks changed twice a year: days are regular by the wall clock, hours in UTC
    return clock if (clock - clock.normalize()).nunique() == 1 and not utc.hasnans else utc


def _regular(times, fill, error):
    """Check that times follow each other at one step.

    Returns:
        the regular index, gaps of up to `fill` rows closed, and the file rows' positions in it.
    """
    if len(times) < 3:
        raise error("fewer than 3 rows show no regular step; bring a longer series")
    dated = isinstance(times, pd.DatetimeIndex)
    steps = np.diff(times.asi8 if dated else times.to_numpy())  # microseconds, or the count itself
    if (steps <= 0).any():
        row = (steps <= 0).argmax() + 1
        what = "repeats" if steps[row - 1] == 0 else "comes before"
        raise error(
            f"{times[row]} {what} {times[row - 1]} in the row above; sort the rows by time, one "
            f"row for each{_clock_hint(times, row)}",
            row,
        )
    step = np.partition(steps, len(steps) // 2)[len(steps) // 2]  # the median
    counts, freq, tolerance = steps / step, None, 0.01  # for a count like 0.033, 0.067, 0.1
    if dated:
        step = pd.Timedelta(step, unit="us")
        counts, freq = _count_steps(times, steps, step)
        tolerance = 0
    whole = np.round(counts)
    uneven = ~(np.abs(counts - whole) <= tolerance)
    if uneven.any():
        row = uneven.argmax() + 1
        raise error(
            f"{times[row]} comes {times[row] - times[row - 1]} after the row above, the usual step "
            f"is {step}; resample to one step{_clock_hint(times, row)}",
            row,
        )
    missing = whole.astype(int) - 1
    if freq == "B" and 0 < missing.max() <= LONGEST_HOLIDAY and missing.mean() <= HOLIDAY_SHARE:
        return times, np.arange(len(times))
    if missing.max() > fill:
        row = (missing > fill).argmax() + 1
        raise error(
            f"rows missing between {times[row - 1]} and {times[row]}: {missing[row - 1]} "
            f"{_fill_hint(fill, missing)}{_clock_hint(times, row)}",
            row,
        )
    positions = np.concatenate([[0], np.cumsum(missing + 1)])
    if dated:
        index = pd.date_range(times[0], periods=positions[-1] + 1, freq=freq, unit="us")
    elif times[0] % 1 or step % 1:
        index = pd.RangeIndex(positions[-1] + 1)
    else:
        start, step = int(times[0]), int(step)
        index = pd.RangeIndex(start, start + step * (positions[-1] + 1), step)
    return index, positions


def _count_steps(times, steps, step):
    """Return how many steps lie between neighbours, not whole where irregular, and the freq."""
    if step >= 28 * DAY:  # months, quarters, years: on the same day, or all on their last
        months = np.diff(times.year * 12 + times.month)
        size = int(np.median(months))
        if times.is_month_end.all():
            return months / size, f"{size}ME"
        if times.day.nunique() == 1 and times.day[0] <= 28:
            return months / size, pd.DateOffset(months=size) if times.day[0] > 1 else f"{size}MS"
    at_one_hour = (steps % (DAY // MICROSECOND) == 0).all()
    if at_one_hour and step == DAY and steps.max() > steps.min() and times.day_of_week.max() < 5:
        dates = times.tz_localize(None).to_numpy().astype("datetime64[D]")
        return np.busday_count(dates[:-1], dates[1:]), "B"
    freq = pd.offsets.Day(step // DAY) if step // DAY * DAY == step else step
    return steps / (step // MICROSECOND), freq


def _fill_hint(fill, lengths):
    return f"(--fill is {fill}; {lengths.max()} would interpolate every gap)"


def _clock_hint(times, row):
    """Suspect that the clocks were changed, on a Sunday night as nearly everywhere."""
    if isinstance(times, pd.DatetimeIndex) and times[row].day_of_week == 6 and times[row].hour < 5:
        return " (the clocks changed? write times in UTC or with their offset)"
    return ""


def _filled(values, fill, error):
    """Interpolate up to `fill` missing values in a row."""
    missing = ~np.isfinite(values.to_numpy())
    if not missing.any():
        return values
    edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]])))
    starts, lengths = edges[::2], edges[1::2] - edges[::2]
    what = f"missing or infinite values in column {values.name!r}: {missing.sum()}"
    if missing[0] or missing[-1]:
        side, first = ("start", 0) if missing[0] else ("end", starts[-1])
        raise error(f"{what}, some at its {side}, beyond --fill; delete those rows", first)
    if lengths.max() > fill:
        first = (lengths > fill).argmax()
        hint = _fill_hint(fill, lengths)
        raise error(f"{what}, of which {lengths[first]} in a row from here {hint}", starts[first])
    return values.where(~missing).interpolate()
