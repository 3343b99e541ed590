"""A file of text fields -> columns of numbers and text, chunk by chunk, or one line of complaint.

A complaint names the file, the line as an editor counts it, and what to do.
"""

import codecs
import contextlib
import csv
import difflib
import gzip
import io
import itertools
import re
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from utils import InputError

import numpy as np
import pandas as pd

CHUNK = 100_000  # rows read at once: the text of all times together would outweigh the numbers
HEAD = 30  # lines among which the header is looked for
SEPARATORS = ",;\t|"  # spaces, too, if none of these fits
ENCODINGS = ["utf-8-sig", "cp950", "gb18030", "cp1252", "latin-1"]  # tried in this order
# what pandas takes for a missing number; texts are only missing where they are empty
MISSING = ["", "NA", "N/A", "n/a", "<NA>", "#N/A", "NaN", "nan", "NULL", "null", "None"]
GROUPED = r"[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d*)?([eE][+-]?\d+)?"  # 1.234.567,8
NO_ROWS = "has a header but no rows; name a file with rows"
UNICODE = ("utf-8-sig", "utf-16")
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?")
DATE = re.compile(r"\d{2,4}[-/.]\d{1,2}([-/.]\d{1,4})?([T ].*)?")


class Table:
    """A CSV file, plain or compressed by gzip, whose header has the names that are asked for.

    Args:
        path: the file. It may be in UTF-8, UTF-16 (with its mark), Big5, GB18030 or Latin-1, and
            separate by commas, semicolons, tabs, bars or spaces.
        asked: names of columns. The header is the first line that holds them all: titles and
            remarks may stand above it.

    Raises:
        InputError: if it can't be read or is no table.
    """

    def __init__(self, path: str | Path, asked: set[str]):
        self.path = Path(path)
        self.encoding, self.separator = "utf-8-sig", ","
        self.header_line, self.names = 0, []
        head = self._head()
        self._choose_layout(head, asked)
        if next(self.records(), None) is None:
            raise self.error(NO_ROWS)

    def check_names(self, asked: Sequence[tuple[str, str]]) -> None:
        """Refuse names that the header lacks or holds twice, or that are asked for twice.

        Args:
            asked: (flag, name) of each column.
        """
        shown = ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")
        counted = self.names == [str(i) for i in range(len(self.names))]
        if all(map(_is_data, self.names)) and not counted:
            raise self.error(
                f"the first line holds data ({shown}); write a line of column names above it"
            )
        for i, (flag, name) in enumerate(asked):
            if name not in self.names:
                near = {other.casefold(): other for other in self.names}
                near = [near[n] for n in difflib.get_close_matches(name.casefold(), near, 1, 0.5)]
                hint = f"did you mean {near[0]!r}? " if near else ""
                if self.encoding not in UNICODE:
                    hint += "it is not in UTF-8: save it so; "
                raise self.error(f"no column {name!r} for {flag}; {hint}it has: {shown}")
            if self.names.count(name) > 1:
                raise self.error(f"{self.names.count(name)} columns named {name!r}; rename them")
            for earlier, other in asked[:i]:
                if other == name:
                    raise InputError(f"{flag} {name}: is given to {earlier} already; drop one")

    def error(self, message: str, row: int | None = None) -> InputError:
        """Say it about the file, or about one of its rows (0 is the first below the header)."""
        if row is None:
            return InputError(f"--csv {self.path}: {message}")
        return InputError(f"--csv {self.path}, line {self.line(row)}: {message}")

    def line(self, row: int) -> int:
        """Return the line of a row as an editor counts it."""
        return self._record(row)[0]

    def lines(self, rows: Sequence[int]) -> dict[int, int]:
        """Return the lines of many rows, reading once."""
        wanted = set(rows)
        last = max(wanted, default=-1) + 1
        records = enumerate(itertools.islice(self.records(), last))
        return {row: line for row, (line, _) in records if row in wanted}

    def field(self, row: int, name: str) -> str:
        """Return one field of a row; a row that ends before it has an empty one."""
        fields = self._record(row)[1] + [""] * len(self.names)
        return fields[self.names.index(name)]

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line number and the fields of each row below the header, as pandas sees them.

        Blank lines are no rows, but in a file of one column they are missing values.
        """
        with self._open() as file:
            reader = csv.reader(file, delimiter=self.separator, skipinitialspace=True)
            try:
                for fields in reader:
                    row = len(fields) > 1 or len(self.names) == 1 or "".join(fields).strip()
                    if row and reader.line_num > self.header_line:
                        yield reader.line_num, fields
            except csv.Error as error:
                raise self.error(f"is not a CSV ({error}); export the table as CSV") from None

    def read(
        self,
        numbers: Sequence[str],
        texts: Sequence[str],
        free: Sequence[str] = (),
        missing: Sequence[str] = (),
        decimal: str = ".",
    ) -> Iterator[pd.DataFrame]:
        """Yield chunks of rows, indexed by row; where it takes long, say how far it is.

        Args:
            numbers: columns to be read as float64, NaN where missing.
            texts: columns to be read as text, NaN where empty.
            free: columns to be read as numbers if they are, or else as text; NaN where missing.
            missing: what else stands for a missing number, as -9999.
            decimal: "." or ",".
        """
        wanted = [*numbers, *free, *texts]
        places = [self.names.index(name) for name in wanted]
        beyond = len(self.names)  # pandas would cut what a row has beyond the header
        empty = {place: [""] for place in [*places[len(wanted) - len(texts) :], beyond]}
        begin = shown = time.monotonic()
        with self._open() as file:
            for _ in range(self.header_line):
                next(file)
            try:
                chunks = pd.read_csv(
                    _Under(self.separator.join("0" * (beyond + 1)) + "\n", file),
                    sep=r"\s+" if self.separator == " " else self.separator,
                    header=0,
                    names=range(beyond + 1),
                    usecols=[*places, beyond],
                    dtype=dict.fromkeys(empty, str),
                    na_values={place: [*MISSING, *missing] for place in places} | empty,
                    keep_default_na=False,
                    decimal=decimal,
                    index_col=False,
                    skipinitialspace=True,
                    skip_blank_lines=beyond > 1,
                    chunksize=CHUNK,
                )
                for chunk in chunks:
                    self._check_width(chunk.pop(beyond))
                    chunk = chunk[places].set_axis(wanted, axis="columns")
                    for name in [*numbers, *free]:
                        values, text = _numbers(chunk[name], missing, decimal)
                        if text is None:
                            chunk[name] = values
                        elif name in numbers:
                            raise self._not_a_number(name, text, decimal)
                    yield chunk
                    if time.monotonic() - max(begin + 2, shown) > 0.5:
                        shown = time.monotonic()
                        packed = getattr(file.buffer, "fileobj", file.buffer)
                        share = packed.tell() / self.path.stat().st_size
                        line = f"\rreading {self.path.name}: {chunk.index[-1] + 1:,} rows"
                        print(f"{line}, {share:.0%} ", end="", file=sys.stderr, flush=True)
            except pd.errors.ParserError as error:
                reason = str(error).strip().splitlines()[0]
                raise self.error(f"is not a table ({reason}); export it again as CSV") from None
            finally:
                if shown > begin:
                    print(file=sys.stderr)

    def last_row(self) -> int:
        """Return the last row that isn't blank: a file of one column may end in blank lines."""
        rows = (row for row, (_, f) in enumerate(self.records()) if "".join(f).strip())
        return max(rows, default=-1)

    def _record(self, row):
        return next(itertools.islice(self.records(), int(row), None))

    def _open_bytes(self):
        with self.path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        return gzip.open(self.path) if packed else self.path.open("rb")

    def _open(self):
        return io.TextIOWrapper(self._open_bytes(), encoding=self.encoding)

    def _head(self):
        """Return the first bytes, if they can be those of a table."""
        if self.path.exists() and not self.path.is_file():
            what = "a folder" if self.path.is_dir() else "a pipe or device: save its output"
            raise self.error(f"is {what}; name a file")
        try:
            with self._open_bytes() as file:
                head = file.read(1 << 16)
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or error
            raise self.error(f"cannot be read ({reason}); check the file") from None
        if head.startswith(b"PK\x03\x04"):
            raise self.error("is a binary file, a workbook or archive; export the table as CSV")
        if re.match(rb"\s*(<!|<html|<table|<\?xml|\{|\[\s*[\[{])", head, re.I):
            raise self.error("is JSON, HTML or XML, not a CSV; export the table as CSV")
        utf16 = head.startswith(UTF16) and not head.startswith(codecs.BOM_UTF32_LE)
        if b"\0" in head and not utf16:
            raise self.error("is a binary file, not a CSV; export the table as CSV")
        return head

    def _choose_layout(self, head, asked):
        """Choose the encoding, the separator and the line of the header that hold what is asked.

        If none does, take the first line, by the separator that it has most of.
        """
        layouts = []
        for encoding in ["utf-16"] if head.startswith(UTF16) else ENCODINGS:
            if not self._decodes(encoding):
                continue
            self.encoding = encoding
            with self._open() as file:
                lines = list(itertools.islice(file, HEAD))
            if not any(line.strip() for line in lines):
                raise self.error("is empty; name a file with a header and rows")
            first = next(line for line in lines if line.strip())
            for separator in [*sorted(SEPARATORS, key=first.count, reverse=True), " "]:
                layouts += self._headers(encoding, separator, lines, asked)
            if any(found for found, *_ in layouts):
                break
        if not layouts:
            raise self.error("is not a CSV; export the table as CSV")
        best = max(layouts, key=lambda layout: layout[0])
        _, self.encoding, self.separator, self.header_line, self.names, self.above = best

    def _headers(self, encoding, separator, lines, asked):
        """Yield each line that could be the header, and how much speaks for it."""
        reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
        above = 0
        with contextlib.suppress(csv.Error):
            for fields in reader:
                names = [" ".join(name.split()) for name in fields]
                if any(names):
                    if above == 0 or (asked <= set(names) and not any(map(_is_data, names))):
                        layout = encoding, separator, reader.line_num, names, above
                        yield asked <= set(names), *layout
                    above += 1

    def _decodes(self, encoding):
        try:
            with self._open_bytes() as file:
                decoder = codecs.getincrementaldecoder(encoding)()
                while block := file.read(1 << 20):
                    decoder.decode(block)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        except (OSError, EOFError, zlib.error) as error:
            raise self.error(f"cannot be read ({error}); check the file") from None
        return True

    def _check_width(self, beyond):
        """Refuse rows with more fields than names: a comma in a number?"""
        if beyond.notna().any():
            row = beyond.first_valid_index()
            _, fields = self._record(row)
            raise self.error(
                f"{len(fields)} fields for {len(self.names)} columns; put fields that hold a "
                f"{self.separator!r} in quotes and write decimals with a point",
                row,
            )

    def _not_a_number(self, name, row, decimal):
        word = self.field(row, name).strip()
        hint = f"leave it empty where the value is missing, or --missing {shown(word)!r}"
        other, mark = (",", "comma") if decimal == "." else (".", "point")
        grouped = decimal == "." and "," in word and re.fullmatch(GROUPED, word)
        if grouped or re.fullmatch(rf"[+-]?\d+[{other}]\d+", word):
            hint = f"--decimal {other} if that is a decimal {mark}, or delete thousands separators"
        elif re.search(r"\d", word):
            hint = "write it like 1234.5, without thousands separators, signs or unit"
        elif row == 0:
            hint = f"delete the line if it holds units; {hint}"
        return self.error(f"{shown(word)!r} in column {name!r} is not a number; {hint}", row)


def shown(word: str) -> str:
    """Return a word at a length that fits into a line."""
    return word if len(word) <= 40 else f"{word[:30]}... ({len(word)} characters)"


def _numbers(values, missing, decimal):
    """Return float64, NaN for what is missing, and the row of the first text, or None."""
    if not pd.api.types.is_numeric_dtype(values):
        places, words = pd.factorize(values)  # few words are read once
        words = pd.Series([str(word).strip() for word in words], dtype=object)
        absent = words.isin([*MISSING, *missing])
        words = words.str.replace("\u2212", "-").replace({"True": "1", "False": "0"})
        if decimal == ",":
            grouped = words.str.fullmatch(GROUPED, na=False)
            words = words.where(grouped).str.replace(".", "").str.replace(",", ".")
        numbers = pd.to_numeric(words, errors="coerce").astype("float64")
        text = np.append(numbers.isna() & ~absent, False)[places]
        if text.any():
            return None, values.index[text.argmax()]
        values = pd.Series(np.append(numbers, np.nan)[places], values.index)
    values = values.astype("float64")
    codes = pd.to_numeric(pd.Series(missing, dtype=object), errors="coerce").dropna()
    return values.mask(values.isin(codes)) if len(codes) else values, None


def _is_data(word):
    """Whether a field is a number or a date, which no header is made of."""
    return bool(DATE.fullmatch(word) or NUMBER.fullmatch(word))


class _Under:
    """A file below another first line: one that shows pandas the width of the table."""

    def __init__(self, line, file):
        self.line, self.file = line, file

    def read(self, size=-1):
        line, self.line = self.line, ""
        return line or self.file.read(size)

    def __iter__(self):
        yield from iter(self.read, "")
