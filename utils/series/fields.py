"""The fields of a CSV file: its encoding, its separator, its header, the lines of its rows.

pandas reads the columns; what is here shows it the layout, and finds the line of a row that is in
the way.
"""

import contextlib
import csv
import difflib
import gzip
import io
import itertools
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from utils import InputError

import numpy as np
import pandas as pd

HEAD = 1 << 16  # bytes among which the header is looked for
HEADERS = 40  # lines, likewise
SEPARATORS = ",;\t| "
ENCODINGS = ["big5", "cp950", "gb18030", "shift_jis", "euc_kr", "cp1250", "cp1251"]
MISSING = ["", "NA", "N/A", "n/a", "<NA>", "#N/A", "NaN", "nan", "NULL", "null", "None"]
UNREADABLE = (OSError, EOFError, zlib.error)


class CsvFile:
    """A CSV file, plain or gzip, that has some columns.

    Args:
        path: the file.
        encoding: of its text; None is UTF-8, or UTF-16 where its mark says so.
        wanted: names; the header is the line that has (most of) them.

    Attributes:
        encoding, separator: str.
        names: of the columns, in order, with single spaces.
        header_line: its number, from 1.
        above: how many lines that aren't blank stand above the header.

    Raises:
        InputError: if it can't be read or is no table.
    """

    def __init__(self, path: str | Path, encoding: str | None, wanted: set[str]):
        self.path, self.wanted = Path(path), wanted
        if self.path.exists() and not self.path.is_file():
            what = "a folder" if self.path.is_dir() else "a pipe or device: save its output"
            raise self.error(f"is {what}; name a file")
        try:
            with self._open_bytes() as file:
                head = file.read(HEAD)
        except UNREADABLE as error:
            reason = getattr(error, "strerror", None) or error
            raise self.error(f"cannot be read ({reason}); check the file") from None
        utf16 = head.startswith((b"\xff\xfe", b"\xfe\xff")) and not head.startswith(b"\xff\xfe\0\0")
        if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF")):
            raise self.error("is a workbook or archive, a binary file; export the table as CSV")
        if re.match(rb"(\xef\xbb\xbf)?\s*(<!|<html|<table|<\?xml|\{|\[\s*[\[{])", head, re.I):
            raise self.error("is JSON, HTML or XML, not a CSV; export the table as CSV")
        if b"\0" in head and not utf16 and not encoding:
            raise self.error("is a binary file, not a CSV; export the table as CSV")
        self.encoding = encoding or ("utf-16" if utf16 else "utf-8")
        if self.encoding.lower() in ("utf-8", "utf8"):
            self.encoding = "utf-8-sig"  # whether or not it has a mark
        self._choose_header()

    def error(self, message: str, row: int | None = None) -> InputError:
        """Say it about the file, or about one of its rows (0 is the first below the header)."""
        line = "" if row is None else f", line {self._record(row)[0]}"
        return InputError(f"--csv {self.path}{line}: {message}")

    def field(self, row: int, name: str) -> str:
        """Return one field of a row, cut to what fits into a line."""
        fields = self._record(row)[1] + [""] * len(self.names)
        word = fields[self.names.index(name)].strip()
        return word if len(word) <= 40 else f"{word[:30]}... ({len(word)} characters)"

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line number and the fields of each row below the header, as pandas sees them.

        Blank lines are no rows, but in a file of one column they are missing values.
        """
        with self._explained(), self._open() as file:
            for number, fields in self._split(file, self.separator):
                row = len(fields) > 1 or len(self.names) == 1 or "".join(fields).strip()
                if row and number > self.header_line:
                    yield number, fields

    def check_names(self, asked: Sequence[tuple[str, str]]) -> None:
        """Refuse names that the header lacks or holds twice, or that are asked for twice.

        Args:
            asked: (flag, name) of each column.
        """
        shown = ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")
        for i, (flag, name) in enumerate(asked):
            if name not in self.names:
                if all(re.fullmatch(r"[-+\d.,:/ T]+", word) for word in self.names):
                    advice = "write a line of column names above it"
                    raise self.error(f"the first line holds data ({shown}); {advice}")
                near = {other.casefold(): other for other in self.names}
                near = [near[n] for n in difflib.get_close_matches(name.casefold(), near, 1, 0.5)]
                hint = f"did you mean {near[0]!r}? " if near else ""
                hint += "" if self.encoding.startswith("utf") else "is --encoding right? "
                raise self.error(f"no column {name!r} for {flag}; {hint}it has: {shown}")
            if self.names.count(name) > 1:
                raise self.error(f"{self.names.count(name)} columns named {name!r}; rename them")
            for earlier, other in asked[:i]:
                if other == name:
                    raise InputError(f"{flag} {name}: is given to {earlier} already; drop one")

    def unusual(self) -> list[str]:
        """Say how the file differs from commas, UTF-8, and a header in its first line."""
        said = [f"header in line {self.header_line}"] if self.above else []
        separator = {"\t": "tabs", " ": "spaces"}.get(self.separator, self.separator)
        said += [f"separated by {separator}"] if separator != "," else []
        return said if self.encoding == "utf-8-sig" else [*said, f"text in {self.encoding}"]

    def sample(self, rows: int) -> pd.DataFrame:
        """Return the first rows as text, "" where empty, of the columns whose name is unique."""
        width = len(self.names)
        records = itertools.islice(self.records(), rows)
        fields = [[*fields, *[""] * width][:width] for _, fields in records if any(fields)]
        if not fields:
            raise self.error("has a header but no rows; name a file with rows")
        frame = pd.DataFrame(fields, columns=self.names, dtype=object)
        frame = frame.loc[:, ~frame.columns.duplicated(keep=False)]
        return frame.apply(lambda column: column.str.strip())

    def read(
        self,
        numbers: Sequence[str],
        words: Sequence[str],
        keys: Sequence[str],
        missing: Sequence[str],
        decimal: str,
    ) -> pd.DataFrame:
        """Read columns, NaN where missing; rows as in `records`.

        Args:
            numbers: columns to read as float64, or all as categories if one of them holds text.
            words: columns to read as categories.
            keys: likewise, but only an empty field is missing in them.
            missing: what else than the usual words stands for a missing value.
            decimal: "." or ",".
        """
        names = [*numbers, *words, *keys]
        places = [self.names.index(name) for name in names]
        empty = {place: [*MISSING, *missing] for place in places}
        empty |= {place: [""] for place in places[len(names) - len(keys) :]}
        try:
            frame = self._columns(places, places[: len(numbers)], empty, decimal)
        except InputError:
            raise
        except ValueError:  # text among the numbers
            frame = self._columns(places, [], empty, decimal)
        frame = frame.set_axis([*names, "beyond"], axis="columns")
        if frame.pop("beyond").notna().any() or frame.isna().any(axis=None):
            blank = self._check_width(len(frame))
            frame = frame[~blank] if keys else frame[: len(blank) - blank[::-1].argmin()]
        return frame

    def _columns(self, places, floats, empty, decimal):
        """Return columns by place, and one more that only rows with too many fields have."""
        places = [*places, len(self.names)]
        kinds = dict.fromkeys(places, "category") | dict.fromkeys(floats, float)
        # the first line shows pandas the width, and that categories are no numbers: 007 isn't 7
        first = ["0" if place in floats else "x" for place in range(len(self.names) + 1)]
        with self._explained(), self._open() as file:
            for _ in range(self.header_line):
                next(file)
            frame = pd.read_csv(
                _Under(self.separator.join(first) + "\n", file),
                sep=r"\s+" if self.separator == " " else self.separator,
                header=None,
                names=range(len(first)),
                usecols=places,
                dtype=kinds,
                na_values=empty | {places[-1]: [""]},
                keep_default_na=False,
                decimal=decimal,
                index_col=False,
                skipinitialspace=True,
                skip_blank_lines=len(self.names) > 1,
            )
        return frame.loc[1:, places].reset_index(drop=True)

    def _open_bytes(self):
        with self.path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        return gzip.open(self.path) if packed else self.path.open("rb")

    def _open(self):
        return io.TextIOWrapper(self._open_bytes(), encoding=self.encoding)

    @contextlib.contextmanager
    def _explained(self):
        """Turn what stops the reading into one line."""
        try:
            yield
        except UnicodeError:
            raise self._not_decoded() from None
        except (*UNREADABLE, pd.errors.ParserError, csv.Error) as error:
            reason = str(error).strip().splitlines()[0]
            raise self.error(f"is not a whole table ({reason}); export it again") from None

    def _split(self, lines, separator):
        """Yield the line number and the fields of each record."""
        if separator == " ":
            lines = (line.strip() + "\n" for line in lines)
        reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
        for fields in reader:
            yield reader.line_num, fields

    def _record(self, row):
        return next(itertools.islice(self.records(), int(row), None))

    def _choose_header(self):
        """Take the line and the separator that find the most of the names that are wanted."""
        try:
            with self._explained(), self._open() as file:
                lines = list(io.StringIO(file.read(HEAD)))
        except LookupError:
            hint = "Python knows no such encoding; try utf-8, latin-1 or big5"
            raise InputError(f"--encoding {self.encoding}: {hint}") from None
        if not any(line.strip("\ufeff \r\n\t") for line in lines):
            raise self.error("is empty; name a file with a header and rows")
        best = (-1,), None
        for separator in SEPARATORS:
            records = []
            with contextlib.suppress(csv.Error):
                records.extend(itertools.islice(self._split(lines, separator), HEADERS))
            records = [(line, fields) for line, fields in records if "".join(fields).strip()]
            for i, (line, fields) in enumerate(records):
                names = [" ".join(name.split()) for name in fields]
                fits = len(names) == len(records[min(i + 1, len(records) - 1)][1])
                found = len(self.wanted.intersection(names))
                merit = found, fits, separator != " ", len(names), -i
                best = max(best, (merit, (line, separator, names, i)), key=lambda pair: pair[0])
        if best[1] is None:
            raise self.error("is not a CSV; export the table as CSV")
        self.header_line, self.separator, self.names, self.above = best[1]

    def _check_width(self, rows):
        """Refuse rows with more or fewer fields than names; return (rows,) which are blank."""
        least = max(i for i, name in enumerate(self.names) if name or i == 0) + 1
        blank = np.zeros(rows, bool)
        for row, (_, fields) in enumerate(self.records()):
            blank[row] = not "".join(fields).strip()
            if not blank[row] and (len(fields) < least or any(fields[len(self.names) :])):
                raise self.error(
                    f"{len(fields)} field{'s' * (len(fields) > 1)}, but {len(self.names)} columns; "
                    "delete lines that are no rows, leave no field out, put those that hold a "
                    f"{self.separator!r} in quotes",
                    row,
                )
        return blank

    def _not_decoded(self):
        """Name the line that is not in the encoding, and the one that it may be in."""
        with self._open_bytes() as file:
            lines = [(n, line) for n, line in enumerate(file, 1) if not _fits(line, self.encoding)]
        number, sample = (lines or [(1, b"\x80")])[0][0], b"".join(line for _, line in lines[:200])
        likely = _likely_encoding(sample, [name for name in self.wanted if not name.isascii()])
        return InputError(
            f"--csv {self.path}, line {number}: is not in {self.encoding.removesuffix('-sig')}; it "
            f"may be --encoding {likely}, or save the file in UTF-8"
        )


class _Under:
    """A file below another first line: one that shows pandas the width of the table."""

    def __init__(self, line, file):
        self.line, self.file = line, file

    def read(self, size=-1):
        line, self.line = self.line, ""
        return line or self.file.read(size)

    def __iter__(self):
        yield from iter(self.read, "")


def _fits(line, encoding):
    try:
        line.decode(encoding)
    except UnicodeError:
        return False
    return True


def _likely_encoding(sample, names):
    """Return the one in which a name stands, or else one whose letters have as many bytes."""
    fitting = [encoding for encoding in ENCODINGS if _fits(sample, encoding)]
    western = "cp1252" if re.search(rb"[\x80-\x9f]", sample) else "latin-1"
    letters, others = re.findall(rb"[a-zA-Z]", sample), re.findall(rb"[\x80-\xff]", sample)
    fitting.insert(0 if len(others) < len(letters) + 4 else len(fitting), western)
    named = (
        code for code in fitting if any(name in sample.decode(code, "replace") for name in names)
    )
    return next(named, fitting[0])
