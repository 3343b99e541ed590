"""A CSV column -> a checked, regular pandas series, or one clear line that says what is wrong.

Nothing is repaired in silence: gaps are filled only on request (`--fill`), and every complaint
names the file, the line as an editor counts it (the header is line 1), and what to do.
"""

import csv
import difflib
import itertools
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from utils import InputError

import numpy as np
import pandas as pd
from pandas.tseries.api import guess_datetime_format

DAY = pd.Timedelta(days=1)
SAMPLE = 100  # rows that decide which column holds the times
TIME_NAME = re.compile(
    r"(^|[^a-z])(time|date|datetime|timestamp|when|year|month|week|day|hour)([^a-z]|$)", re.I
)
UTC_OFFSET = r"(?<=\d)\s*(Z|UTC|GMT|(?<=:\d\d)\s?[+-]\d\d(?::?\d\d)?)$"
DATE_FORMATS = ["%m/%d/%y", "%d/%m/%y", "%m/%d/%y %H:%M", "%d/%m/%y %H:%M", "%b %Y", "%B %Y"]
# a stock calendar: Chinese markets close for up to 10 business days in a row, Tokyo for 7 % of all
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
        positive: whether the column must stay above zero, as prices do.

    Returns:
        float64 columns [column, *features], oldest first. The index is a regular DatetimeIndex
        (with a freq, unless it is a stock calendar that leaves out holidays), or a RangeIndex where
        the file has no times.

    Raises:
        InputError: if anything in the file is in the way; one line.
    """
    file = _Csv(path)
    file.check_names(column, features, time_column)
    time_column = time_column or file.find_time_column([column, *features])
    raw = file.read([column, *features] + ([time_column] if time_column else []))
    frame = pd.DataFrame({name: file.numbers(raw[name]) for name in [column, *features]})

    positions = np.arange(len(frame))  # of the file's rows in the regular series
    if time_column:
        index, positions = _regular(file, file.times(raw[time_column]), fill)
        if len(index) > len(frame):
            frame = frame.set_axis(positions).reindex(range(len(index)))
        frame.index = index

    def error(position, message):
        return file.error(message, row=np.searchsorted(positions, position, side="right") - 1)

    for name in frame:
        frame[name] = _filled(frame[name], fill, error)
    target = frame[column].to_numpy()
    if target.min() == target.max():
        raise file.error(
            f"column {column!r} is {target[0]:g} in every row: there is nothing to forecast; "
            "name another --column"
        )
    if positive and target.min() <= 0:
        first = (target <= 0).argmax()
        raise error(
            first,
            f"{column!r} is {target[first]:g} and a price must be above zero; "
            "correct it or name another --column",
        )
    return frame


def future_index(index: pd.Index, steps: int) -> pd.Index:
    """Return the `steps` times that follow an index of `load_csv`.

    Without a freq it is a stock calendar: business days follow, as coming holidays are unknown.
    """
    if isinstance(index, pd.RangeIndex):
        return pd.RangeIndex(index.stop, index.stop + steps * index.step, index.step)
    freq = index.freq if index.freq is not None else pd.offsets.BDay()
    return pd.date_range(index[-1], periods=steps + 1, freq=freq, unit=index.unit)[1:]


def calendar_names(index: pd.Index) -> list[str]:
    """Return the calendar inputs that may help: those whose cycle the series holds twice."""
    if isinstance(index, pd.RangeIndex):
        return []
    step, span = index[1] - index[0], index[-1] - index[0]
    names = ["hour_sin", "hour_cos"] if step < DAY and span >= 2 * DAY else []
    if step <= 31 * DAY and span >= 2 * 365 * DAY:
        names += ["year_sin", "year_cos"]
    return names


def calendar(index: pd.DatetimeIndex, names: Sequence[str]) -> np.ndarray:
    """Return sine and cosine of the hour of the day and the day of the year, (time, len(names))."""
    hour = index.hour + index.minute / 60 + index.second / 3600
    day = index.dayofyear - 1 + hour / 24
    angles = {"hour": 2 * np.pi * hour / 24, "year": 2 * np.pi * day / 365.2425}
    waves = {"sin": np.sin, "cos": np.cos}
    columns = [waves[wave](angles[cycle]) for cycle, wave in (name.split("_") for name in names)]
    return np.array(columns).reshape(len(names), len(index)).T


def season(index: pd.Index) -> int | None:
    """Return the steps of the season that a forecaster would try first, None if there is none.

    A day for steps below one day, a week for days and business days, a year for longer steps.
    """
    if isinstance(index, pd.RangeIndex):
        return None
    if index.freq is None or index.freq == pd.offsets.BDay():
        return 5
    step = index[1] - index[0]
    if step < DAY:
        steps = DAY / step
    elif step >= 28 * DAY:
        steps = 12 / round(step / (365.2425 / 12 * DAY))
    else:
        steps = {DAY: 7, 7 * DAY: 52}.get(step, 0)
    return int(steps) if steps > 1 and steps == int(steps) else None


class _Csv:
    """A file whose every complaint says in which line the trouble is."""

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
        if not head.strip():
            raise self.error("is empty; name a file with a header and rows")
        first = head.decode("utf-8-sig", errors="replace").lstrip().partition("\n")[0]
        self.separator = max(",;\t", key=first.count)
        self.header_line, names = next(self.records(0))
        self.names = [name.strip() for name in names]
        if next(self.records(), None) is None:
            raise self.error("has a header but no rows")

    def error(self, message, row=None) -> InputError:
        """Say it about the file, or about one of its rows (0 is the first below the header)."""
        where = f"--csv {self.path}"
        if row is None:
            return InputError(f"{where}: {message}")
        line, _ = next(itertools.islice(self.records(), int(row), None))
        return InputError(f"{where}, line {line}: {message}")

    def records(self, skip=1) -> Iterator[tuple[int, list[str]]]:
        """Yield the line number and the fields of each row, without blank lines, as pandas does."""
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file, delimiter=self.separator, skipinitialspace=True)
                rows = (
                    (reader.line_num, row) for row in reader if len(row) > 1 or "".join(row).strip()
                )
                yield from itertools.islice(rows, skip, None)
        except UnicodeDecodeError:
            raise self._encoding_error() from None
        except csv.Error as error:
            raise self.error(f"is not a CSV ({error}); export the table as CSV") from None

    def _encoding_error(self):
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):  # noqa: B007
                try:
                    line.decode()
                except UnicodeDecodeError as error:
                    byte = line[error.start]
                    break
        return InputError(
            f"--csv {self.path}, line {number}: byte 0x{byte:02x} is not UTF-8; save it as UTF-8"
        )

    def check_names(self, column, features, time_column):
        """Refuse names that the header lacks or holds twice, or that are asked for twice."""
        flags = [("--column", column), *(("--features", name) for name in features)]
        flags += [("--time-column", time_column)] if time_column else []
        for i, (flag, name) in enumerate(flags):
            if name not in self.names:
                near = difflib.get_close_matches(name, self.names, 1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}? " if near else ""
                shown = ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")
                raise self.error(f"has no column {name!r} ({flag}); {hint}it has: {shown}")
            if self.names.count(name) > 1:
                raise self.error(
                    f"has {self.names.count(name)} columns named {name!r}; rename them"
                )
            for earlier, other in flags[:i]:
                if other == name:
                    raise InputError(f"{flag} {name}: this column is in {earlier} already; drop it")

    def find_time_column(self, taken) -> str | None:
        """Return the first column that is named and reads like times, or is text that does."""
        sample = [row for _, row in itertools.islice(self.records(), SAMPLE)]
        free = [name for name in self.names if name not in taken and self.names.count(name) == 1]
        for name in sorted(free, key=lambda name: not TIME_NAME.search(name)):
            i = self.names.index(name)
            text = pd.Series([row[i] if i < len(row) else "" for row in sample]).replace("", None)
            numbers = pd.to_numeric(text, errors="coerce")
            if numbers.notna().sum() > len(text) / 2:
                if not TIME_NAME.search(name):
                    continue
                text = numbers
            times = _as_times(text)
            if times is None or times.notna().sum() <= len(times) / 2:
                continue
            # small numbers are a count or years only if they grow
            if isinstance(times, pd.DatetimeIndex) or times.is_monotonic_increasing:
                return name
        return None

    def read(self, columns) -> pd.DataFrame:
        """Read the columns as pandas types them."""
        try:
            raw = pd.read_csv(
                self.path,
                sep=self.separator,
                header=None,
                skiprows=self.header_line,
                names=range(len(self.names)),
                usecols=[self.names.index(name) for name in columns],
                index_col=False,
                skipinitialspace=True,
                low_memory=False,
            )
        except UnicodeDecodeError:
            raise self._encoding_error() from None
        except pd.errors.ParserError as error:
            reason = str(error).strip().splitlines()[0]
            raise self.error(f"is not a table ({reason}); export it again as CSV") from None
        raw.columns = [self.names[i] for i in raw.columns]
        return raw

    def numbers(self, values: pd.Series) -> pd.Series:
        """Return float64, or complain about the first text."""
        numbers = pd.to_numeric(values, errors="coerce")
        text = numbers.isna() & values.notna()
        if text.any():
            row = int(text.argmax())
            word = values.iloc[row]
            hint = "leave the field empty if the value is missing"
            if re.fullmatch(r"[+-]?[\d.,' ]+", word):
                hint = "write 1234.5, without decimal comma or thousands separators"
            raise self.error(f"{word!r} in column {values.name!r} is not a number; {hint}", row)
        return numbers.astype("float64")

    def times(self, values: pd.Series) -> pd.Index:
        """Return a DatetimeIndex, or numbers that count steps, or complain about the first text."""
        times = _as_times(values)
        unread = times.isna() if times is not None else np.ones(len(values), bool)
        if unread.any():
            row = int(unread.argmax())
            word = values.iloc[row]
            what = "no time" if pd.isna(word) else f"{str(word)!r} is not a time"
            raise self.error(
                f"{what} in column {values.name!r}; write times like 2001-12-31T23:00, "
                "or name the right --time-column",
                row,
            )
        return times


def _as_times(values: pd.Series) -> pd.Index | None:
    """Read text or numbers as times: NaT where that fails, None where no value looks like one."""
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.notna().sum() > len(values) / 2:
        return _numbers_as_times(numbers)
    text = values.astype("str").str.strip()
    first = text[values.notna()].iloc[0] if values.notna().any() else ""
    offsets = None
    if re.search(UTC_OFFSET, first):
        offsets = text.str.extract(UTC_OFFSET)[0]
        text = text.str.replace(UTC_OFFSET, "", regex=True)
        first = re.sub(UTC_OFFSET, "", first)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas' advice on the order of day and month
        guesses = [guess_datetime_format(first, dayfirst=dayfirst) for dayfirst in (False, True)]
    best = None
    for form in ["ISO8601", *guesses, *DATE_FORMATS]:
        if form is None or not ("y" in form.lower() or form == "ISO8601"):
            continue
        times = pd.DatetimeIndex(pd.to_datetime(text, format=form, errors="coerce"))
        # 01/02/2020 reads two ways: the right one leaves nothing unread and keeps the order
        merit = (times.notna().sum(), times.is_monotonic_increasing)
        if best is None or merit > best[0]:
            best = merit, times
        if merit == (len(times), True):
            break
    (readable, _), times = best
    if not readable:
        return None
    times = times.as_unit("us")
    return times if offsets is None else _with_offsets(times, offsets)


def _with_offsets(clock, offsets):
    zones = {text: pd.Timestamp(f"2000-01-01 00:00{text}").tz for text in offsets.dropna().unique()}
    if len(zones) == 1:
        return clock.tz_localize(*zones.values())
    if (clock.normalize() == clock - (clock[0] - clock[0].normalize())).all():
        return clock  # one a day by the wall clock, whatever the season
    utc = {text: pd.Timestamp(0, tz=zone).utcoffset() for text, zone in zones.items()}
    return (clock - pd.TimedeltaIndex(offsets.map(utc))).tz_localize("UTC")


def _numbers_as_times(numbers):
    """Years, 20011231, or seconds, milli-, micro- or nanoseconds since 1970; else a plain count."""
    low, high = numbers.min(), numbers.max()
    if low >= 1700 and high <= 2200:
        if not numbers.is_monotonic_increasing or numbers.duplicated().any():
            return pd.Index(numbers)
        return pd.DatetimeIndex(pd.to_datetime(numbers, format="%Y", errors="coerce")).as_unit("us")
    if low >= 17000101 and high <= 22001231:
        return pd.DatetimeIndex(pd.to_datetime(numbers, format="%Y%m%d", errors="coerce")).as_unit(
            "us"
        )
    for unit, size in {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}.items():
        if 1e8 * size <= low and high < 1e10 * size:
            return pd.DatetimeIndex(pd.to_datetime(numbers, unit=unit)).as_unit("us")
    return pd.Index(numbers)


def _regular(file, times, fill):
    """Check that times follow each other at one step.

    Returns:
        the regular index, gaps of up to `fill` rows closed, and the file rows' positions in it.
    """
    steps = np.diff(times.to_numpy())
    zero = steps[:1] - steps[:1]
    back = np.flatnonzero(steps <= zero)
    if len(steps) < 2:
        raise file.error("has too few rows to see the step of its times; bring a longer series")
    if len(back):
        row = back[0] + 1
        what = "repeats the time of" if times[row] == times[row - 1] else "comes before"
        raise file.error(
            f"{times[row]} {what} the row above ({times[row - 1]}); sort the rows by time and keep "
            f"one for each{_clock_hint(times, row)}",
            row,
        )
    step = np.partition(steps, len(steps) // 2)[len(steps) // 2]  # the median
    if not isinstance(times, pd.DatetimeIndex):
        positions = np.round((times - times[0]) / step).astype(int).to_numpy()
        uneven = np.abs(steps / step - np.round(steps / step)) > 0.01
        whole = (times[0] % 1 == 0) and (step % 1 == 0)
        start, step = (int(times[0]), int(step)) if whole else (0, 1)

        def regular(periods):
            return pd.RangeIndex(start, start + periods * step, step)

    else:
        step = pd.Timedelta(step)
        freq, positions, uneven = _grid(times, step)
        if freq == pd.offsets.BDay():
            gaps = np.diff(positions) - 1
            if 0 < gaps.max() <= LONGEST_HOLIDAY and gaps.sum() <= HOLIDAY_SHARE * positions[-1]:
                return times, np.arange(len(times))

        def regular(periods):
            return pd.date_range(times[0], periods=periods, freq=freq, unit="us")

    if uneven.any():
        row = uneven.argmax() + 1
        raise file.error(
            f"{times[row]} comes {times[row] - times[row - 1]} after the row above, the usual "
            f"step is {step}; resample to one step{_clock_hint(times, row)}",
            row,
        )
    gaps = np.diff(positions) - 1
    if gaps.max() > fill:
        row = (gaps > fill).argmax() + 1
        raise file.error(
            f"{gaps[row - 1]} rows lacking between {times[row - 1]} and {times[row]}, more than "
            f"--fill {fill}; --fill {gaps.max()} interpolates the longest gap"
            f"{_clock_hint(times, row)}",
            row,
        )
    return regular(positions[-1] + 1), positions


def _grid(times, step):
    """Return the freq of a series with gaps, the rows' positions, and which steps don't fit."""
    if step >= 28 * DAY:
        same_day = (times.day == times.day[0]).all() and times.day[0] <= 28
        if same_day or times.is_month_end.all():
            months = times.year * 12 + times.month
            month_steps = np.diff(months)
            size = int(np.median(month_steps))
            freq = f"{size}ME" if times.is_month_end.all() else f"{size}MS"
            if times.day[0] != 1 and not times.is_month_end.all():
                freq = pd.DateOffset(months=size)
            return freq, np.asarray(months - months[0]) // size, month_steps % size != 0
    if step == DAY and (times.day_of_week < 5).all() and times[-1] - times[0] > 7 * DAY:
        dates = times.tz_localize(None).to_numpy().astype("datetime64[D]")
        positions = np.busday_count(dates[0], dates)
        return pd.offsets.BDay(), positions, np.diff(times.asi8) % (DAY // pd.Timedelta("1us")) != 0
    since = times - times[0]
    return step, np.asarray(since // step), np.diff(times.asi8) % (step // pd.Timedelta("1us")) != 0


def _clock_hint(times, row):
    """Suspect a daylight-saving change where wall-clock times jump by an hour on a Sunday night."""
    if (
        not isinstance(times, pd.DatetimeIndex)
        or times[row].day_of_week != 6
        or times[row].hour > 4
    ):
        return ""
    return " (a change of the clocks? write the times in UTC or with their offset)"


def _filled(values, fill, error):
    """Interpolate up to `fill` missing values in a row."""
    missing = ~np.isfinite(values.to_numpy())
    if not missing.any():
        return values
    edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]])))
    starts, ends = edges[::2], edges[1::2]
    lengths = ends - starts
    name = values.name
    if starts[0] == 0 or ends[-1] == len(values):
        side, row = ("starts", 0) if starts[0] == 0 else ("ends", starts[-1])
        raise error(
            row,
            f"column {name!r} {side} with missing or infinite values, which nothing beyond "
            "can interpolate; delete those rows",
        )
    if lengths.max() > fill:
        first = (lengths > fill).argmax()
        raise error(
            starts[first],
            f"column {name!r} lacks {lengths[first]} values in a row, more than --fill {fill} "
            f"({missing.sum()} missing or infinite in all); --fill {lengths.max()} interpolates",
        )
    return values.where(~missing).interpolate()
