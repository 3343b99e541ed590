"""Text and numbers -> dates, in any of the ways in which tables write them."""

import datetime
import itertools
import re
import warnings
from collections.abc import Sequence
from typing import NamedTuple

from utils.series.clocks import local
from utils.series.index import DAY

import numpy as np
import pandas as pd

ROC_NAME = re.compile(r"[日年月時时]|民國|roc", re.I)
DATE_NAME = re.compile(r"date|day|日|民國|datum|fecha", re.I)
YEAR_NAME = re.compile(r"year|^yr$|^y{2,4}$|年", re.I)

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
ZH = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"]
OFFSETS = {"CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "EST": -5, "EDT": -4, "MST": -7, "MDT": -6}
OFFSETS |= {"PST": -8, "PDT": -7, "JST": 9, "KST": 9, "HKT": 8}  # CST, IST, BST mean several


def _quarter(year, quarter, roc=False):
    """Return the first month of a quarter; years of three digits are the Republic of China's."""
    number = int(year)
    if roc or len(year) == 3:
        number += 1911
    elif len(year) == 2:
        number += 2000 if number < 70 else 1900
    return f"{number}-{3 * int(quarter) - 2:02}"


# what is rewritten, before it is read, where the sample has it
TIDY = [
    (r"\s*[(（][^)）]*[)）]", ""),  # (Mon)
    (r"\s*(?:星期|週|周|禮拜|礼拜)[一二三四五六日天]", ""),
    (r"\s+[-–]\s+\d.*$", ""),  # the end of an interval
    (r"^\[(.*)\]$", r"\1"),
    (r"\[[a-z_/]+\]$", ""),  # [Europe/Berlin]
    (r"([+-]\d{4}) utc$", r"\1"),
    (r"\s?(?:utc|gmt)([+-])(\d)$", r"\g<1>0\2"),
    (r"\s?(?:utc|gmt)(?=[+-]\d)", ""),
    (rf"(:\d\d) ({'|'.join(OFFSETS)})$", lambda m: f"{m[1]}{OFFSETS[m[2].upper()]:+03}"),
    (r"(:\d\d),(\d+)$", r"\1.\2"),
    (r"(?<!\d)(\d{4}):(?=\d\d:\d\d)", r"\1 "),
    (r"(十[一二]?|[一二三四五六七八九])月", lambda m: f"{ZH.index(m[1]) + 1}月"),
    (r"^(\d{2,3})年(?:q|第)?([1-4])季?$", lambda m: _quarter(m[1], m[2], roc=True)),
    (r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+", ""),
    (r"^民國\s*", ""),
    (r"[年月](?=\s*\d)", "-"),
    (r"日\s*(?=\d|上|下)", " "),
    (r"[月日]", ""),
    (r"[時时点點](?=\d)", ":"),
    (r"[時时点點]$", ":00"),
    (r"分(?=\d)", ":"),
    (r"[分秒]", ""),
    (r"(?:上午|午前)\s*([\d:.]+)", r"\1 AM"),
    (r"(?:下午|午後)\s*([\d:.]+)", r"\1 PM"),
    (r"(\d)\s*([ap])\.?m\.?$", r"\1 \2m"),
    (r"\s(\d{1,2})[\s-]*([ap]m)$", r" \1:00 \2"),
    (r"(\d)(?:st|nd|rd|th)\b(?: of\b)?", r"\1"),
    (rf"[\s,./-]*\b({'|'.join(MONTHS)})[a-z]*\b[\s,./-]*", r" \1 "),
    (r"^\s+|\s+$", ""),
    (r"^([a-z]{3}) (\d{1,2}) ([\d:]+)((?: utc| gmt)?) (\d{4})$", r"\2 \1 \5 \3\4"),
    (r"^(\d{1,2}) ([a-z]{3}) '?(\d{2,4}),?", r"\1 \2 \3"),
    (r"^([a-z]{3}) (\d{1,2}),? +(\d{4}),?", r"\2 \1 \3"),
    (r"^(\d{2,4})年?[-/ .:]*(?:q|第)([1-4])季?(?:度)?$", lambda m: _quarter(m[1], m[2])),
    (r"^(?:q([1-4])|([1-4])q)[-/ ']*(\d{4}|\d\d)$", lambda m: _quarter(m[3], m[1] or m[2])),
    (r"^(\d{4})[:m](\d{1,2})$", r"\1-\2"),
    (r"^(\d{4})[-/ ]*w(\d{1,2})$", r"\1-W\2-1"),
    (r"^k?w\s?(\d{1,2})[-/ ]+(\d{4})$", r"\2-W\1-1"),
    (r"^(\d{4}-\d{1,2}-\d{1,2})-(\d{1,2})[.:](\d\d)", r"\1 \2:\3"),
    (r"^(\d{1,2})-(\d{1,2})-(\d{2,4})\b", r"\1/\2/\3"),
]
CLOCKS = ["", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p"]


def _with_clocks(dates):
    return ["".join(parts) for parts in itertools.product(dates, CLOCKS)]


ROC = "years of the Republic of China"
# one group after the other; in a group several may fit, as 01/02/2001 leaves two
FORMATS = [
    ["ISO8601"],
    ["%Y-%m-%d %I:%M %p", "%Y-%m-%d %I:%M:%S %p"],
    ["%Y/%m/%d %I:%M %p", "%Y/%m/%d %I:%M:%S %p"],
    ["%G-W%V-%u"],
    ["%Y-%j"],
    _with_clocks(["%d %b %Y", "%d %b %y", "%Y %b %d"]),
    ["%b %Y", "%b %y", "%Y %b", "%y %b"],
    _with_clocks(["%d.%m.%Y", "%d.%m.%y", "%y.%m.%d"]),  # no month comes first here
    [*_with_clocks(["%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%y/%m/%d"]), ROC],
    ["%m/%Y"],
]
UTC_OFFSET = r"(:\d\d(?:\.\d+)?)\s?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)$"
EPOCHS = [(1e8, 1e10, "s"), (1e11, 1e13, "ms"), (1e14, 1e16, "us"), (1e17, 1e19, "ns")]


class Written(NamedTuple):
    """How a table writes its times."""

    columns: tuple[str, ...]
    parts: tuple[str, ...] = ()  # of each column, where they are numbers to be put together
    forms: tuple[str, ...] = ("number",)  # that could be meant
    tidy: tuple = ()  # rules of TIDY
    zoned: bool = False  # whether there are offsets from UTC

    def read(self, chunk: pd.DataFrame) -> pd.DataFrame:
        """Read text: a column per form, and "offset" if there are offsets; NaT where unreadable."""
        if self.parts:
            return pd.DataFrame({"parts": _assembled(chunk, self.columns, self.parts)})
        if len(self.columns) == 1:  # what is written many times is read once
            places, words = pd.factorize(chunk[self.columns[0]], use_na_sentinel=False)
            return self._read(pd.Series(words, dtype=object)).take(places).set_axis(chunk.index)
        return self._read(_joined(chunk, self.columns))

    def _read(self, text):
        text = text.str.strip()
        if self.forms == ("number",):
            numbers = pd.to_numeric(text, errors="coerce").astype(float)
            return pd.DataFrame({"number": numbers.mask(np.isinf(numbers))})
        for pattern, by in self.tidy:
            text = text.str.replace(pattern, by, regex=True, flags=re.I)
        if not self.zoned:
            return pd.DataFrame({form: _read(text, form) for form in self.forms})
        clock = text.str.replace(UTC_OFFSET, r"\1", regex=True)
        times = pd.DataFrame({form: _read(clock, form) for form in self.forms})
        offsets = text.str.extract(UTC_OFFSET)[1]
        times["offset"] = offsets.map({word: _offset(word) for word in offsets.dropna().unique()})
        return times

    def decide(self, read: pd.DataFrame) -> tuple[pd.Index, list[str]]:
        """Choose among the readings of all rows.

        Returns:
            times, NaT where unreadable, or numbers that count; what there is to say about them.
        """
        if self.forms == ("number",) and not self.parts:
            return _dates_of_numbers(read["number"], self.columns[0])
        forms = [form for form in read if form != "offset"]
        best = max(forms, key=lambda form: _merit(read[form])) if len(forms) > 1 else forms[0]
        times = pd.DatetimeIndex(read[best]).as_unit("us")
        said = []
        if "%y" in best:
            times = _not_ahead(times)
        if best == ROC:
            said.append(ROC)
        elif re.match("%[dm][/.]", best):
            said.append("day before month" if best.startswith("%d") else "month before day")
        if not self.zoned:
            return times, said
        times = times.where(read["offset"].notna().to_numpy())
        times, more = local(times, read["offset"])
        return times, said + more


def written(sample: pd.DataFrame, columns: Sequence[str]) -> list[Written]:
    """Return how text is written, in a list that is empty if nothing fits most of it."""
    text = _joined(sample, columns).dropna()
    tidy = []
    for pattern, by in TIDY:
        if text.map(re.compile(pattern, re.I).search).any():
            tidy.append((pattern, by))
            text = text.str.replace(pattern, by, regex=True, flags=re.I)
    zoned = text.map(re.compile(UTC_OFFSET).search).notna().mean() > 0.5
    for group in FORMATS:
        fit = Written(columns, (), tuple(group), tuple(tidy), zoned)
        read = fit.read(sample)
        fitting = [form for form in group if read[form].notna().mean() > 0.5]
        if "%y %b" in fitting and _months_apart(read["%y %b"]) > 11:
            fitting.remove("%y %b")  # days without a year: 1-Jan, 2-Jan
        if fitting:
            return [fit._replace(forms=tuple(fitting))]
    return []


def _months_apart(times):
    return (12 * times.dt.year + times.dt.month).diff().abs().median()


def _joined(chunk, columns):
    """Return the text of a column, or of a date and a clock: 24 and 1330 are hours, too."""
    text = chunk[columns[0]].str.strip()
    if len(columns) == 1:
        return text
    clock = chunk[columns[1]].str.strip()
    clock = clock.str.replace(r"^(\d+)\.(\d\d)\.(\d\d)$", r"\1:\2:\3", regex=True)
    short = ~clock.str.contains(":", na=True)
    if short.any():
        whole = clock[short]
        four = pd.to_numeric(whole).max() > 24
        whole = whole.str.zfill(4) if four else whole.str.zfill(2) + "00"
        clock = clock.mask(short, whole.str.replace(r"(..)$", r":\1", regex=True))
    return text + " " + clock


def _assembled(chunk, columns, parts):
    """Put numbers together: year, month, day, hour ... to a time."""
    numbers = {}
    for name, part in zip(columns, parts, strict=True):
        words = chunk[name].str.strip().str.rstrip("年月日時时")
        numbers[part] = pd.to_numeric(words.astype(object), errors="coerce").astype(float)
        if part == "month" and numbers[part].isna().all():
            names = {word: i % 12 + 1 for i, word in enumerate(MONTHS + ZH)}
            numbers[part] = words.str.lower().str[:3].map(names).astype(float)
    numbers = {part: values.where(values.abs() < 1e5) for part, values in numbers.items()}
    year = numbers["year"]
    year = year.where(year >= 100, year + np.where(year < 70, 2000, 1900))
    year = year.where(year >= 1000, year + 1911)  # of the Republic of China
    unknown = sum(part.isna() for part in numbers.values()) > 0
    days = pd.Series(1.0, chunk.index)
    months = numbers.get("month", days)
    if "quarter" in numbers:
        months = 3 * numbers["quarter"] - 2
    if "month" in numbers:
        days = numbers.get("day", days)
    frame = pd.DataFrame({"year": year, "month": months, "day": days}).fillna(0).astype("int64")
    times = pd.to_datetime(frame, errors="coerce").astype("datetime64[us]")
    if "week" in numbers:  # ISO 8601: the week that holds January 4 is the first
        fourth = times + 3 * DAY
        times = fourth - pd.to_timedelta(fourth.dt.day_of_week, unit="D")
        times += pd.to_timedelta(7 * (numbers["week"] - 1), unit="D")
    elif "month" not in numbers and "quarter" not in numbers:
        times += pd.to_timedelta(numbers.get("dayofyear", numbers.get("day")) - 1, unit="D")
    for part in ("hour", "minute", "second"):
        if part in numbers:
            times += pd.to_timedelta(numbers[part], unit=part[0])
    return times.mask(unknown)


def _read(text, form):
    """Read text in one format; 24:00 is the next day's midnight, and so is a date alone its own."""
    if form == ROC:
        text = text.str.replace(r"^\d{2,3}(?=\D)", lambda m: str(int(m[0]) + 1911), regex=True)
        form = "ISO8601"
    times = _parsed(text, form)
    late = times.isna() & text.str.contains(r"[T ]24:00", na=False)
    if late.any():
        midnight = text[late].str.replace(r"([T ])24:00", r"\g<1>00:00", regex=True)
        times[late] = _parsed(midnight, form) + DAY
    if " %H" in form or " %I" in form:
        alone = times.isna() & ~text.str.contains(":", na=True)
        if alone.any():
            times[alone] = _parsed(text[alone], re.split(" %[HI]", form)[0])
    return times


def _parsed(text, form):
    """Read text without offsets from UTC; where the sample has none, none can be read."""
    try:
        with warnings.catch_warnings():  # pandas 2 warns of mixed time zones, pandas 3 refuses them
            warnings.simplefilter("ignore", FutureWarning)
            times = pd.to_datetime(text, format=form, errors="coerce", cache=False)
        if times.dt.tz is None:
            return times
    except (ValueError, AttributeError):  # mixed time zones, or an object column of them
        pass
    zoned = text.str.contains(r"(?:Z|UTC|GMT|[+-]\d\d:?\d\d|:\d\d.*[+-]\d\d)$", na=False)
    return pd.to_datetime(text.mask(zoned), format=form, errors="coerce", cache=False)


def _offset(word):
    """Return the distance from UTC that "Z", "+08:00" or "-0330" means."""
    if word[0] not in "+-":
        return pd.Timedelta(0)
    digits = word[1:].replace(":", "").ljust(4, "0")
    distance = pd.Timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return distance if word[0] == "+" else -distance


def _merit(times):
    """The right reading of 01/02/2001 leaves nothing unread, and its steps are alike."""
    days = times.dropna().diff().dropna()
    days = days[days != pd.Timedelta(0)]
    if days.empty:
        return times.notna().sum(), 0, 0, pd.Timedelta(0)
    alike = days.value_counts(normalize=True).iloc[0]
    if times.dt.day.nunique() == 1:
        months = (times.dt.year * 12 + times.dt.month).diff().dropna()
        alike = max(alike, months[months != 0].value_counts(normalize=True).max())
    forward = max((days > pd.Timedelta(0)).mean(), (days < pd.Timedelta(0)).mean())
    return times.notna().sum(), round(forward, 2), round(alike, 2), times.min() - times.max()


def _not_ahead(times):
    """Years of two digits are none to come: "Jan-49" is 1949."""
    ahead = times.year > datetime.date.today().year + 1
    return pd.DatetimeIndex(times.where(~ahead, times - pd.DateOffset(years=100)))


def _dates_of_numbers(numbers, name):
    """Return the dates that numbers stand for, or the numbers as they are."""
    known = numbers.dropna()
    if known.empty:
        return pd.Index(numbers), []
    low, high = known.min(), known.max()
    whole = (known % 1 == 0).all()
    steps = known.diff().dropna().to_numpy()
    if found := _years(numbers, known, name, steps, whole):
        return found
    if whole and (found := _compact_dates(numbers, known, name)):
        return found
    for first, last, unit in EPOCHS:
        if first <= low and high <= last:
            times = pd.to_datetime(numbers, unit=unit, errors="coerce", utc=True)
            return pd.DatetimeIndex(times).as_unit("us"), [f"{unit} since 1970, in UTC"]
    if low >= 20000 and high <= 60000 and len(steps):  # 1954 to 2064
        minutes = np.abs(np.median(steps)) * 1440
        recent = low >= 30000 and high <= 50000  # 1982 to 2036
        if (DATE_NAME.search(name) or recent) and abs(minutes - round(minutes)) < 0.02:
            seconds = pd.to_timedelta((numbers * 86400).round(), unit="s")
            times = pd.DatetimeIndex(pd.Timestamp("1899-12-30") + seconds).as_unit("us")
            return times, ["a spreadsheet's serial numbers"]
    return pd.Index(numbers.astype("int64" if whole and len(known) == len(numbers) else float)), []


def _years(numbers, known, name, steps, whole):
    """Return the dates of rising years and fractions of years, 1949, 1949.01 or 1949.0833."""
    low, high = known.min(), known.max()
    rising = (steps > 0).all() or (steps < 0).all()
    if low < 1700 or high > 2200 or not rising:
        return None
    soon = datetime.date.today().year + 1
    if whole and (YEAR_NAME.search(name) or (len(known) <= 150 and high <= soon)):
        return _compact(numbers * 10000 + 101), ["years"]
    ends = (known * 100 % 100).round(4)  # 1949.01, 1949.02, ... 1949.12
    if not whole and ends.isin(range(1, 13)).all():
        return _compact((numbers * 100).round() * 100 + 1), ["year.month"]
    months = np.floor(numbers * 12 + 0.1)  # since year 0; on the first or in the middle
    if not whole and months.diff().dropna().abs().isin([1, 3]).all():
        years = np.floor(months / 12)
        return _compact(years * 10000 + (months - 12 * years + 1) * 100 + 1), ["years"]
    return None


def _compact_dates(numbers, known, name):
    """Return the dates of whole numbers such as 20200131, 202001, 2020031 or 1090131."""
    low, high, years = known.min(), known.max(), numbers // 1000
    if low >= 1700001 and high <= 2200366 and (known % 1000).between(1, 366).all():
        days = pd.to_timedelta(numbers - 1000 * years - 1, unit="D")
        times = _compact(years * 10000 + 101) + pd.TimedeltaIndex(days)
        return times.as_unit("us"), ["year and day of it"]
    weeks = re.search(r"week|wk|週|周", name, re.I) and (known % 100).between(1, 53).all()
    if low >= 170001 and high <= 220053 and weeks:
        words = numbers.map("{:.0f}1".format, na_action="ignore")
        times = pd.to_datetime(words, format="%G%V%u", errors="coerce")
        return pd.DatetimeIndex(times).as_unit("us"), ["year and week"]
    if DATE_NAME.search(name) and not ROC_NAME.search(name):
        century = numbers + np.where(numbers < 700000, 20000000, 19000000)
        turned = numbers % 10000 * 10000 + numbers // 10000 % 100 * 100 + numbers // 1000000
        for last, dates, how in [
            (991231, century, "years of two digits"),
            (31122200, turned, "day before month"),
        ]:
            likely = high <= last and dates.dropna().between(17000101, 22001231).all()
            if likely and (times := _compact(dates)).notna().all():
                return times, [how]
    roc = 19110000 if ROC_NAME.search(name) else np.nan
    for first, last, dates, digits, least in [
        (170001, 220012, numbers * 100 + 1, 0, 0.5),
        (17000101, 22001231, numbers, 0, 0.5),
        (1700010100, 2200123124, numbers, 2, 0.99),
        (170001010000, 220012312400, numbers, 4, 0.99),
        (17000101000000, 22001231240000, numbers, 6, 0.99),
        (500101, 1501231, numbers + roc, 0, 0.99),
        (5001, 15012, numbers * 100 + 1 + roc, 0, 0.99),
    ]:
        if first <= low and high <= last:
            times = _compact(dates, digits)
            if times.notna().sum() > least * len(known):
                return times, [ROC] if last < 17000101 and first != 170001 else []
    return None


def _compact(numbers, digits=0):
    """Read yyyymmdd, followed by 2, 4 or 6 digits of the clock."""
    whole = numbers.fillna(0).astype("int64")
    date, clock = whole // 10**digits, whole % 10**digits * 10 ** (6 - digits)
    frame = pd.DataFrame({"year": date // 10000, "month": date // 100 % 100, "day": date % 100})
    times = pd.to_datetime(frame, errors="coerce").astype("datetime64[us]")
    good = (clock <= 240000) & (clock // 100 % 100 < 60) & (clock % 100 < 60)
    seconds = clock // 10000 * 3600 + clock // 100 % 100 * 60 + clock % 100
    times += pd.to_timedelta(seconds, unit="s")
    return pd.DatetimeIndex(times.where(good)).as_unit("us")
