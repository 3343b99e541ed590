"""A CSV file: its encoding, its separator, its header, and the line of a row for a complaint."""

import contextlib
import csv
import difflib
import gzip
import io
import itertools
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

from utils import InputError

import pandas as pd

HEADERS = 40  # lines among which the header is looked for
SEPARATORS = {",": ",", ";": ";", "\t": "tabs", "|": "|", " ": "spaces"}
WESTERN = ["cp1252", "cp1250", "cp1251", "latin-1"]
ASIAN = ["big5", "cp950", "gb18030", "shift_jis", "euc_kr"]
NO_TABLE = rb"PK\x03|\xd0\xcf\x11\xe0|%PDF|(\xef\xbb\xbf)?\s*(<!|<html|<table|<\?xml|\{|\[\s*[\[{])"
BLANKS = r"(?m)^ +| +$"  # around lines that are separated by spaces
csv.field_size_limit(1 << 30)  # pandas has none


class CsvFile:
    """A CSV file, plain or gzip: `names` of its columns, `separator`, and what is `said` about it.

    Its encoding is UTF-8 if None; its header is the line that has most of the wanted names. Raises
    InputError if it can't be read or is no table.
    """

    def __init__(self, path: str | Path, encoding: str | None, wanted: set[str]):
        self.path, self.encoding = Path(path), encoding or "utf-8"
        text = self._text(wanted, guess=encoding is None)
        best = max(_headers(text[: 1 << 16], wanted), key=lambda one: one[0], default=None)
        if best is None:
            raise self.error("is empty; name a file with a header and rows")
        (*_, place), self._header_line, self.separator, self.names = best
        text = re.sub(BLANKS, "", text) if self.separator == " " else text
        self._body = "".join(text.split("\n", self._header_line)[self._header_line :])
        self.said = [f"header in line {self._header_line}"] if place else []
        if self.separator != ",":
            self.said.append(f"separated by {SEPARATORS[self.separator]}")
        if not self.encoding.lower().startswith(("utf-8", "utf8")):
            self.said.append(f"text in {self.encoding}")

    def error(self, message: str, line: int | None = None) -> InputError:
        """Say it about the file, or about one of its lines."""
        where = "" if line is None else f", line {line}"
        return InputError(f"--csv {self.path}{where}: {message}")

    def check_names(self, wanted: Sequence[tuple[str, str]]) -> None:
        """Refuse names, (flag, name), that the header lacks or has twice, or that are repeated."""
        shown = ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")
        flags = {}
        for flag, name in wanted:
            if name in flags:
                raise InputError(f"{flag} {name}: is given to {flags[name]} already; drop one")
            flags[name], count = flag, self.names.count(name)
            if count == 1:
                continue
            near = difflib.get_close_matches(name, self.names, 1, 0.5)
            hint = f"did you mean {near[0]!r}? " if near else ""
            hint += "" if self.encoding.startswith("utf") else "is --encoding right? "
            if all(re.fullmatch(r"[-+\d.,:/ T]+", word) for word in self.names):
                hint = "write a line of column names above the data; "
            what = f"{count} columns named" if count else "no column"
            hint += "" if len(self.names) > 1 else "separate columns by commas; "
            hint = "rename them; " if count else hint
            raise self.error(f"{what} {name!r} for {flag}; {hint}it has: {shown}")

    def read(self, names: Sequence[str], rows: int | None = None) -> pd.DataFrame:
        """Return columns as text by line, stripped, "" where empty; all rows, or the first ones.

        Lines without a character are no rows, but in a file of one column they are missing values.

        Raises:
            InputError: if a row has more or fewer fields than the header.
        """
        width, places = len(self.names), [self.names.index(name) for name in names]
        least = max(i for i, name in enumerate(self.names) if name or i == 0) + 1
        lines, table, body = [], [], io.StringIO(self._body)
        reader = csv.reader(body, delimiter=self.separator, skipinitialspace=True, strict=True)
        try:
            for fields in itertools.islice(reader, rows):
                line, blank = self._header_line + reader.line_num, not "".join(fields).strip()
                if blank and len(fields) < 2 <= width:
                    continue
                if not blank and (len(fields) < least or any(fields[width:])):
                    what = f"{len(fields)} field{'s' * (len(fields) > 1)}, but {width} columns"
                    advice = "delete lines that are no rows, leave no field out, put those that"
                    advice += f" hold a {self.separator!r} in quotes"
                    raise self.error(f"{what}; {advice}", line)
                fields += [""] * (width - len(fields))
                lines.append(line)
                table.append([fields[place].strip() for place in places])
        except csv.Error as error:
            line = self._header_line + reader.line_num
            raise self.error(f"{error}; mend the quotes here or above", line) from None
        return pd.DataFrame(table, lines, list(names), dtype=object)

    def _text(self, wanted, guess):
        """Return the text; where it is in another encoding, name the first that has the names."""
        try:
            if not self.path.is_file():
                raise self.error("is a folder, a pipe or nothing; name a file")
            data = self.path.read_bytes()
            data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or error
            raise self.error(f"cannot be read ({reason}); check the file") from None
        if guess and data.startswith((b"\xff\xfe", b"\xfe\xff")):  # as spreadsheets mark it
            self.encoding = "utf-16"
        elif (guess and b"\0" in data) or re.match(NO_TABLE, data, re.I):
            raise self.error("is a workbook, JSON, HTML or binary file; export the table as CSV")
        try:
            text = data.decode(self.encoding).removeprefix("\ufeff")
            return text.replace("\r\n", "\n").replace("\r", "\n")
        except LookupError:
            hint = "Python knows no such encoding; try utf-8, latin-1 or big5"
            raise InputError(f"--encoding {self.encoding}: {hint}") from None
        except UnicodeError as error:
            line = data.count(b"\n", 0, getattr(error, "start", 0)) + 1
        fits, asian = {}, re.search(rb"[\x80-\xff]{4}", data)
        for encoding in ["utf-8", *(ASIAN + WESTERN if asian else WESTERN + ASIAN)]:
            with contextlib.suppress(UnicodeError):
                fits[encoding] = all(name in data.decode(encoding) for name in wanted)
        likely = max(fits, key=fits.get)  # the first one that has the names, or else the first
        advice = f"it may be --encoding {likely}, or save the file in UTF-8"
        raise InputError(f"--csv {self.path}, line {line}: is not in {self.encoding}; {advice}")


def _headers(head, wanted):
    """Yield how well a line serves as header, that line, its separator, its names."""
    for separator in SEPARATORS:
        text = re.sub(BLANKS, "", head) if separator == " " else head
        reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
        records = [(reader.line_num, fields) for fields in itertools.islice(reader, HEADERS)]
        records = [(line, fields) for line, fields in records if "".join(fields).strip()]
        for i, (line, fields) in enumerate(records):
            names = [" ".join(name.split()) for name in fields]
            fits = len(names) == len(records[min(i + 1, len(records) - 1)][1])
            found = len(wanted.intersection(names))
            yield (found, fits, separator != " ", len(names), -i), line, separator, names
