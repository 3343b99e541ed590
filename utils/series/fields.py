"""A CSV file: its encoding, its separator, its header, and the line of a row for a complaint."""

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
SEPARATORS = {",": ",", ";": ";", "\t": "tabs", "|": "|", " ": "spaces"}
WESTERN = ["utf-8", "cp1252", "latin-1"]
ENCODINGS = ["utf-8", "big5", "cp950", "gb18030", "shift_jis", "euc_kr", "cp1252", "cp1250"]
ENCODINGS += ["cp1251", "latin-1"]
MISSING = ["", "NA", "N/A", "n/a", "<NA>", "#N/A", "NaN", "nan", "NULL", "null", "None"]
NO_TABLE = rb"PK\x03|\xd0\xcf\x11\xe0|%PDF|(\xef\xbb\xbf)?\s*(<!|<html|<table|<\?xml|\{|\[\s*[\[{])"
BLANKS = r"(?m)^ +| +$"  # around lines that are separated by spaces
csv.field_size_limit(1 << 30)  # pandas has none


class CsvFile:
    """A CSV file, plain or gzip: `names` of its columns, and what is `said` about it.

    Its encoding is UTF-8 if None, or UTF-16 where its mark says so; its header is the line that has
    most of the wanted names. Raises InputError if it can't be read or is no table.
    """

    def __init__(self, path: str | Path, encoding: str | None, wanted: set[str]):
        self.path, self.encoding = Path(path), encoding or "utf-8"
        if self.path.exists() and not self.path.is_file():
            raise self.error("is a folder or a pipe; name a file")
        data = self._text(wanted, guess=encoding is None).encode()
        self._choose_header(data, wanted)

    def error(self, message: str, row: int | None = None) -> InputError:
        """Say it about the file, or about one of its rows (0 is the first below the header)."""
        line = "" if row is None else f", line {self._record(row)[0]}"
        return InputError(f"--csv {self.path}{line}: {message}")

    def field(self, row: int, name: str) -> str:
        """Return one field of a row, cut to what fits into a line."""
        word = [*self._record(row)[1], *[""] * len(self.names)][self.names.index(name)].strip()
        return word if len(word) <= 40 else f"{word[:30]}... ({len(word)} characters)"

    def _record(self, row):
        return next(itertools.islice(self.records(), int(row), None))

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line number and the fields of each row below the header, as pandas sees them.

        Blank lines are no rows, but in a file of one column they are missing values.
        """
        lines = io.TextIOWrapper(io.BytesIO(self._body), encoding="utf-8")
        reader = csv.reader(lines, delimiter=self._separator, skipinitialspace=True)
        for fields in reader:
            if len(fields) > 1 or len(self.names) == 1 or "".join(fields).strip():
                yield self._header_line + reader.line_num, fields

    def check_names(self, wanted: Sequence[tuple[str, str]]) -> None:
        """Refuse names, (flag, name), that the header lacks or has twice, or that are repeated."""
        shown = ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")
        flags = {}
        for flag, name in wanted:
            if self.names.count(name) > 1:
                raise self.error(f"{self.names.count(name)} columns named {name!r}; rename them")
            if name in flags:
                raise InputError(f"{flag} {name}: is given to {flags[name]} already; drop one")
            flags[name] = flag
            if name in self.names:
                continue
            if all(re.fullmatch(r"[-+\d.,:/ T]+", word) for word in self.names):
                advice = "write a line of column names above it"
                raise self.error(f"the first line holds data ({shown}); {advice}")
            near = {other.casefold(): other for other in self.names}
            found = difflib.get_close_matches(name.casefold(), near, 1, 0.5)
            hint = f"did you mean {near[found[0]]!r}? " if found else ""
            hint += "" if self.encoding.startswith("utf") else "is --encoding right? "
            raise self.error(f"no column {name!r} for {flag}; {hint}it has: {shown}")

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

    def read(self, numbers, words, keys, missing: Sequence[str], decimal: str) -> pd.DataFrame:
        """Read columns by name, NaN where missing; rows as in `records`.

        Numbers are float64, but categories if one of them holds text; words and keys are
        categories, and in keys only an empty field is missing.
        """
        names = [*numbers, *words, *keys]
        places = [self.names.index(name) for name in names]
        absent = {place: [*MISSING, *missing] for place in places}
        absent |= {self.names.index(name): [""] for name in keys}
        try:
            frame = self._columns(places, places[: len(numbers)], absent, decimal)
        except ValueError:  # text among the numbers
            frame = self._columns(places, [], absent, decimal)
        frame = frame.set_axis([*names, "beyond"], axis="columns")
        if frame.pop("beyond").notna().any() or frame.isna().any(axis=None):
            blank = self._check_width(len(frame))
            frame = frame[~blank] if keys else frame[: len(blank) - blank[::-1].argmin()]
        return frame

    def _columns(self, places, floats, absent, decimal):
        """Return columns by place, and one more that only rows with too many fields have."""
        width = len(self.names) + 1
        # the first line shows pandas the width, and that categories are no numbers: 007 isn't 7
        first = self._separator.join("0" if place in floats else "x" for place in range(width))
        kinds = dict.fromkeys([*places, width - 1], "category") | dict.fromkeys(floats, float)
        try:
            frame = pd.read_csv(
                io.BytesIO(first.encode() + b"\n" + self._body),
                sep=r"\s+" if self._separator == " " else self._separator,
                header=None,
                names=range(width),
                usecols=list(kinds),
                dtype=kinds,
                na_values=absent | {width - 1: [""]},
                keep_default_na=False,
                decimal=decimal,
                index_col=False,
                skipinitialspace=True,
                skip_blank_lines=len(self.names) > 1,
            )
        except pd.errors.ParserError as error:
            reason = str(error).strip().splitlines()[0]
            raise self.error(f"is not a whole table ({reason}); export it again") from None
        return frame.loc[1:, list(kinds)].reset_index(drop=True)

    def _check_width(self, rows):
        """Refuse rows with more or fewer fields than names; return (rows,) which are blank."""
        least = max(i for i, name in enumerate(self.names) if name or i == 0) + 1
        blank = np.zeros(rows, bool)
        for row, (_, fields) in enumerate(self.records()):
            blank[row] = not "".join(fields).strip()
            if not blank[row] and (len(fields) < least or any(fields[len(self.names) :])):
                what = (
                    f"{len(fields)} field{'s' * (len(fields) > 1)}, but {len(self.names)} columns"
                )
                advice = "delete lines that are no rows, leave no field out, put those that hold a"
                raise self.error(f"{what}; {advice} {self._separator!r} in quotes", row)
        return blank

    def _text(self, wanted, guess):
        """Return the text; where it is in another encoding, name the first that has the names."""
        try:
            data = self.path.read_bytes()
            data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or error
            raise self.error(f"cannot be read ({reason}); check the file") from None
        if guess and data.startswith((b"\xff\xfe", b"\xfe\xff")):
            self.encoding, guess = "utf-16", False
        if (guess and b"\0" in data[:HEAD]) or re.match(NO_TABLE, data, re.I):
            raise self.error("is a workbook, JSON, HTML or binary file; export the table as CSV")
        try:
            text = data.decode(self.encoding).removeprefix("\ufeff")
            return text.replace("\r\n", "\n").replace("\r", "\n")
        except LookupError:
            hint = "Python knows no such encoding; try utf-8, latin-1 or big5"
            raise InputError(f"--encoding {self.encoding}: {hint}") from None
        except UnicodeError as error:
            line = data.count(b"\n", 0, getattr(error, "start", 0)) + 1
        special = [name for name in wanted if not name.isascii()]
        western = not special and not re.search(rb"[\x80-\xff]{4}", data)
        fits = {}
        for encoding in WESTERN if western else ENCODINGS:
            with contextlib.suppress(UnicodeError):
                fits[encoding] = data.decode(encoding)
        special = [code for code, text in fits.items() if all(name in text for name in special)]
        advice = f"it may be --encoding {[*special, *fits][0]}, or save the file in UTF-8"
        raise InputError(f"--csv {self.path}, line {line}: is not in {self.encoding}; {advice}")

    def _choose_header(self, data, wanted):
        """Take the line and the separator that find the most of the names that are wanted."""
        head, best = data[:HEAD].decode(errors="ignore"), []
        for separator in SEPARATORS:
            text = re.sub(BLANKS, "", head) if separator == " " else head
            reader = csv.reader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
            records = [(reader.line_num, fields) for fields in itertools.islice(reader, HEADERS)]
            records = [(line, fields) for line, fields in records if "".join(fields).strip()]
            for i, (line, fields) in enumerate(records):
                names = [" ".join(name.split()) for name in fields]
                fits = len(names) == len(records[min(i + 1, len(records) - 1)][1])
                found = len(wanted.intersection(names))
                merit = found, fits, separator != " ", len(names), -i
                best.append((merit, line, separator, names))
        if not best:
            raise self.error("is empty; name a file with a header and rows")
        merit, self._header_line, self._separator, self.names = max(best, key=lambda one: one[0])
        data = re.sub(BLANKS.encode(), b"", data) if self._separator == " " else data
        lines = io.BytesIO(data)
        self._body = data[sum(len(next(lines)) for _ in range(self._header_line)) :]
        self.said = [f"header in line {self._header_line}"] if merit[-1] else []
        comma, utf8 = self._separator == ",", self.encoding.lower().startswith(("utf-8", "utf8"))
        self.said += [] if comma else [f"separated by {SEPARATORS[self._separator]}"]
        self.said += [] if utf8 else [f"text in {self.encoding}"]
