"""Text -> times, or NaT where a word is none.

Read is what every row writes in one way: ISO 8601, dates with a clock beside them (also of twelve
hours, also with the name of a zone), quarters, Unix seconds, numbers such as 20010131, years of the
Republic of China. All else needs a format of strptime.
"""

import datetime
import itertools
import re
import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.tseries.api import guess_datetime_format

TIME = (
    "time|date|datetime|timestamp|when|year|month|week|day|hour|quarter|period|ds|ts|epoch|unix|"
    "datum|zeit|jahr|monat|woche|quartal|fecha|hora|mes|año|heure|mois|année|дата|время"
)
CJK = "日期|時間|时间|年月|時刻|日時|日付|年份|年度|月份|季度|일시|날짜|일자"
SURE_NAME = rf"{TIME}|.*({CJK}).*|[年月日時时週周季]"  # of a column of times
NAME = (  # likely so
    rf"{SURE_NAME}|(.*[^a-z])?({TIME}|dt|t|at|unixtime)([^a-z].*)?|"
    "(?-i:.*[a-z](Time|Date)([^a-z].*)?)"
)
LIKE_A_TIME = (  # 31.12., 2001-W05, KW 5/2001, Q3 '24, 12:30, 5 Nov, 十一月
    r"(?i)\d{1,4}[-/.年]\d{1,2}([-/.年月].*)?|.*\d:\d\d.*|.*\b(19|20)\d\d.*|.*\bQ[1-4]\b.*|\dQ.*|"
    r".*[\d一二十][月季].*|(.*\d.*)?\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b.*"
)
PARTS = {  # columns that hold one part of a time
    "year": r"#?\s*(year|yr|yyyy|yy|年)", "month": "month|mon|mo|mm|月", "day": "day|dy|dd|日",
    "hour": "hour|hr|hh|時|时", "minute": "minute|min|mn|mi|分", "second": "second|sec|ss|秒",
}  # fmt: skip
COMPACT = r"(19|20)\d\d(0[1-9]|1[0-2])(\d\d)?"  # 200101, 20010131
CLOCK_ALONE = r"\d?\d[:.]\d\d([:.]\d\d)?(\s*[apAP]\.?[mM]\.?)?"
CLOCK = r"\d?\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s*[ap]\.?m\.?)?|\d?\d\s*[ap]\.?m\.?"
ZONE = r"Z|(?:UTC|GMT)?[+-]\d\d(?::?\d\d)?|[A-Z]{3,4}"
STAMP = rf"(?is)^(.+?)(?:(?:[T\s:,]|,\s)\s*({CLOCK})\s*({ZONE})?)?$"
OFFSETS = {"Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2}
OFFSETS |= {"EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9}
# whose summer time may explain a file's offsets; the first that explains them all
ZONES = ["Europe/Berlin", "Europe/London", "Europe/Athens", "America/New_York", "America/Chicago"]
ZONES += ["America/Denver", "America/Los_Angeles", "Australia/Sydney", "Pacific/Auckland"]
# of dates, whatever stands between their parts; in a row those that a date may fit both
FORMS = ["%Y %m %d", "%d %m %Y", "%m %d %Y", "%d %b %Y", "%b %d %Y", "%Y %b %d", "%d %m %y"]
FORMS += ["%m %d %y", "%y %m %d", "%d %b %y", "%Y%m%d", "%Y %m", "%b %Y", "%Y %b", "%m %Y", "%b %y"]
DIGITS = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
EPOCHS = [(1e8, 1e10, "s"), (1e11, 1e13, "ms"), (1e14, 1e16, "us"), (1e17, 1e19, "ns")]
UNITS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*$"
QUARTER = r"(?i)^(?:(?P<year>\d{4})[-/ :]?Q(?P<q>[1-4])|Q(?P<q2>[1-4])[-/ :]?(?P<year2>\d{4}))$"
MONTHS = r"(?i)\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
HALF_DAY = pd.Timedelta(hours=12)


class Reading(NamedTuple):
    """One way to read words."""

    times: pd.DatetimeIndex  # NaT where it doesn't fit
    note: str = ""
    time_format: str = ""  # of strptime, where there are several ways


def is_named(name: str) -> bool:
    """Whether a name promises times."""
    return bool(re.fullmatch(NAME, name, re.I))


def find(sample: pd.DataFrame, time_format: str | None) -> list[str]:
    """Return the columns that hold the times, or that look so; none if there are none.

    Args:
        sample: the first rows of one series, str, "" where empty.
        time_format: as of `read`.
    """
    free = [name for name in sample if (sample[name] != "").any()]
    clocks = [name for name in free if sample[name].str.fullmatch(CLOCK_ALONE).all()]
    dates, unread = [], []
    roles = dict(zip(reversed(_parts(free)), reversed(free), strict=True))
    chain = [roles[part] for part in itertools.takewhile(roles.__contains__, PARTS)]
    if len(chain) > 1 and not (times := together(sample[chain], None)[0].times).hasnans:
        dates.append((times.is_unique, True, times.nunique(), -len(free), chain))
    for place, name in enumerate(free):
        words, named = sample[name][sample[name] != ""], is_named(name)
        sure = re.fullmatch(SURE_NAME, name, re.I)
        numbers = pd.to_numeric(words, errors="coerce").to_numpy()
        numeric = not np.isnan(numbers).any()
        if numeric and not (named or time_format or words.str.fullmatch(COMPACT).all()):
            continue
        times = read(words.drop_duplicates(), time_format)[0].times
        if not times.hasnans:
            if len(times) > 1 or len(words) == 1 or clocks:
                dates.append((len(times) == len(words), named, len(times), -place, [name]))
        elif numeric:
            rising = abs(np.sign(np.diff(numbers)).sum()) == len(numbers) - 1
            count = _is_count(numbers) and (not sure or name.lower() in ("time", "ts"))
            unread += [(False, -place, name)] if (sure or rising) and not count else []
        elif sure or words.str.fullmatch(LIKE_A_TIME).mean() > 0.5:
            unread.append((named and name not in clocks, -place, name))
    best = max(dates, default=(False, False))
    if not dates or (unread and max(unread)[0] > best[1]):
        return [max(unread)[-1]] if unread else []
    with_clock = not best[0] and len(best[-1]) == 1  # a date for several rows
    return best[-1] + clocks[:1] if with_clock else best[-1]


def _parts(names):
    """Return which part of a time each name promises, or None; beside MM, mm is the minute."""
    found = {
        name: part for name in names for part in PARTS if re.fullmatch(PARTS[part], name, re.I)
    }
    if {"MM", "mm"} <= set(found):
        found["mm"] = "minute"
    return [found.get(name) for name in names]


def _is_count(numbers):
    """Whether numbers are 0, 1, 2, ... or 10, 20, 30, ..."""
    steps = np.diff(numbers)
    return len(steps) > 0 and 0 <= numbers[0] <= steps[0] and np.allclose(steps, steps[0], 0.05)


def together(columns: pd.DataFrame, time_format: str | None) -> list[Reading]:
    """Read times of one column, of a date and a clock, or of year, month and maybe day ... second.

    Args:
        columns: str, none empty; different rows.
        time_format: as of `read`, for the columns with a space between them.

    Returns:
        as of `read`; where several ways fit, only the one that makes the times regular, if it is
        the only one.
    """
    parts = _parts(columns)
    if {"year", "month"} <= set(parts) and None not in parts and not time_format:
        return [_assembled(columns.set_axis(parts, axis="columns"))]
    text = columns.iloc[:, 0]
    for _, more in list(columns.items())[1:]:
        if not time_format and not more.str.fullmatch(CLOCK_ALONE).all():
            return [_unread(text)]
        text = text + " " + (more if time_format else more.str.replace(".", ":"))
    readings = read(text, time_format)
    even = [reading for reading in readings if _is_even(reading.times)]
    if re.search("[一-鿿]", columns.columns[0]) and readings[0].time_format.startswith("%y"):
        return [_unread(text)]  # 99/01/04 is 1999, or 2010 in the Republic of China
    alike = all(reading.times.equals(readings[0].times) for reading in readings)
    return readings[:1] if alike else even if len(even) == 1 else readings


def _is_even(times):
    """Whether times, once sorted, follow each other at one step or by months."""
    times = times.unique().sort_values()
    months = np.diff(times.year * 12 + times.month)
    return len(set(np.diff(times.asi8))) == 1 or (times.day.nunique() == 1 == len(set(months)))


def read(words: pd.Series, time_format: str | None = None) -> list[Reading]:
    """Read the different words of a column.

    Args:
        words: str, none empty.
        time_format: of strptime; None finds it.

    Returns:
        the ways that fit all words; if there is none, the one that fits most.

    Raises:
        ValueError: if `time_format` is none.
    """
    words = words.str.strip()
    if time_format:
        return [Reading(_strptime(words, time_format))]
    few = words[:100]
    if words.str.match(ISO).all():
        times = _strptime(words, "ISO8601")
        if not times.hasnans:
            return [Reading(times)]
    if pd.to_numeric(few, errors="coerce").notna().all():
        return [_of_numbers(words.str.replace(r"\.0*$", "", regex=True))]  # 2001.0
    if few.str.match(QUARTER).all():
        quarters = words.str.extract(QUARTER)
        months = 3 * quarters["q"].fillna(quarters["q2"]).astype("float64") - 2
        words = quarters["year"].fillna(quarters["year2"]) + months.map("-{:.0f}".format)
        return [Reading(_strptime(words, "%Y-%m"))]
    if few.str.contains("[年月日]").any():
        words = words.str.replace(r"(?<=\d)\s*[年月]\s*(?=\d)", "/", regex=True)
        words = words.str.replace(r"(?<=\d)\s*[月日](?=\s|$)", "", regex=True)
    return _dates_and_clocks(words)


def _assembled(parts):
    """Put columns of text together that are named year, month and maybe day ... second."""
    numbers = parts.apply(lambda words: pd.to_numeric(words.str.strip(), errors="coerce"))
    numbers = numbers.astype("float64").assign(day=numbers.get("day", 1.0))
    years = numbers["year"]
    years = years.where(years >= 100, years + np.where(years < 70, 2000, 1900))
    numbers["year"] = years.where(years >= 1000, years + 1911)  # of the Republic of China
    return Reading(pd.DatetimeIndex(pd.to_datetime(numbers, errors="coerce")))


def _strptime(words, form):
    """Return times, NaT where a word doesn't fit; "Jan-49" is in the past."""
    utc = "%z" in form.lower()
    times = pd.DatetimeIndex(pd.to_datetime(words, format=form, errors="coerce", utc=utc))
    ahead = times.year > datetime.date.today().year + 1
    return times.where(~ahead, times - pd.DateOffset(years=100)) if "%y" in form else times


def _unread(words):
    return Reading(pd.DatetimeIndex([pd.NaT] * len(words)))


def _of_numbers(words):
    """Dates without separators, or the time since 1970."""
    numbers = pd.to_numeric(words, errors="coerce").astype("float64")
    form = DIGITS.get(len(words.iloc[0])) if words.str.fullmatch(r"\d+").all() else None
    if form and words.str.len().nunique() == 1:
        times = _strptime(words, form)
        if times.year.min() >= (1500 if len(form) <= 6 else 1900) and times.year.max() <= 2200:
            return Reading(times, "years" if form == "%Y" else "")
    for low, high, unit in EPOCHS:
        if low <= numbers.min() and numbers.max() <= high:
            if words.str.fullmatch(r"\d+").all():
                numbers = words.astype("int64")  # nanoseconds don't fit a float
            times = pd.to_datetime(numbers, unit=unit, utc=True)
            return Reading(pd.DatetimeIndex(times), f"Unix {UNITS[unit]}")
    return _unread(words)


def _dates_and_clocks(words):
    """Split words into date, clock and zone, and read each."""
    parts = words.str.extract(STAMP)
    clocks = parts[1].map({word: _clock(word) for word in parts[1].dropna().unique()})
    clocks = pd.to_timedelta(clocks.where(parts[1].notna(), 0), unit="s")
    zones = parts[2].str.upper()
    offsets = zones.map({word: _offset(word, set(zones)) for word in zones.dropna().unique()})
    codes, dates = pd.factorize(parts[0])
    readings = []
    for form, times in _dates(pd.Series(dates, dtype=object)):
        stamps = pd.DatetimeIndex(times[codes] + pd.TimedeltaIndex(clocks))
        note = {"%d %m": "day before month", "%m %d": "month before day"}.get(form[:5], "")
        note = "years of the Republic of China" if form == "ROC" else note
        if zones.notna().any():
            few = zones.notna().mean() < 0.5  # then those rows are the odd ones
            stamps = stamps.where((zones.isna() if few else offsets.notna()).to_numpy())
            stamps = stamps if few else _zoned(stamps, offsets)
        readings.append(Reading(stamps, note, _raw_format(form, words.iloc[0], *parts.iloc[0, :2])))
    whole = [reading for reading in readings if not reading.times.hasnans]
    return whole or [max(readings, key=lambda reading: reading.times.notna().sum())]


def _dates(dates):
    """Return (form, times) of the forms that fit all dates; if there is none, of the best one."""
    plain = dates.str.replace(r"(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)", " ", regex=True)
    plain = plain.str.replace(r"[\s,./-]+", " ", regex=True).str.strip()
    plain = plain.str.replace(r"(?i)^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]* ", "", regex=True)
    plain = plain.str.replace(MONTHS, r"\1", regex=True)
    roc = plain.str.extract(r"^(\d{2,3}) (\d{1,2})(?: (\d{1,2}))?$")
    if roc[0].notna().all() and roc[0].str.len().max() == 3:
        western = (roc[0].astype(int) + 1911).astype(str) + " " + roc[1] + " " + roc[2].fillna("1")
        return [("ROC", _strptime(western, "%Y %m %d"))]
    forms = FORMS
    if dates.iloc[0].count(".") == 2:  # no month comes first here
        forms = [form for form in FORMS if not form.startswith("%m")]
    fits = []
    for form in forms:
        if len(plain) > 50 and _strptime(plain[:50], form).isna().all():
            continue
        times = _strptime(plain, form)
        months = np.diff(times.year * 12 + times.month)
        if form == "%b %y" and len(months) and np.median(np.abs(months)) > 6:
            continue  # days without a year: Jan-01, Jan-02
        if form == "%Y %m" and len(times) > 1 and ((times.year + 1) % 100 == times.month).all():
            continue  # seasons: 2001/02, 2002/03
        fits.append((form, times))
    if not any(times.notna().all() for _, times in fits):
        with warnings.catch_warnings(action="ignore"):  # that the day may stand first
            guesses = [
                guess_datetime_format(dates.iloc[0], dayfirst=first) for first in (False, True)
            ]
        fits += [(form, _strptime(dates, form)) for form in guesses if form and "%Y-%d" not in form]
    whole = [(form, times) for form, times in fits if not times.hasnans]
    return whole or [max([("", _unread(dates).times), *fits], key=lambda fit: fit[1].notna().sum())]


def _clock(word):
    """Return the seconds since midnight; 24:00 is the next one."""
    digits, half = re.fullmatch(r"([\d:.]+)\s*(.*)", word.replace(",", ".")).groups()
    hour, minute, second = (*map(float, digits.split(":")), 0.0, 0.0)[:3]
    if half:
        if not 1 <= hour <= 12:
            return np.nan
        hour = hour % 12 + (12 if half[0] in "pP" else 0)
    seconds = 3600 * hour + 60 * minute + second
    return seconds if minute < 60 and second < 60 and seconds <= 86400 else np.nan


def _offset(zone, zones):
    """Return the hours ahead of UTC, NaN if a name may mean several."""
    zone = re.sub(r"^(UTC|GMT)(?=[+-])", "", zone)
    if zone[0] not in "+-":
        return -6 if zone == "CST" and "CDT" in zones else OFFSETS.get(zone, np.nan)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return float(f"{zone[0]}1") * (int(digits[:2]) + int(digits[2:]) / 60)


def _zoned(clock, offsets):
    """Put times without zone into that of their offsets; days stay on the file's own clock."""
    known = offsets.dropna().unique()
    if len(known) == 0:
        return clock
    if len(known) == 1:
        zone = datetime.timezone(datetime.timedelta(hours=float(known[0])))
        return clock.tz_localize(zone if known[0] else "UTC")
    if (clock - clock.normalize()).dropna().nunique() == 1:
        return clock
    utc = (clock - pd.to_timedelta(offsets.to_numpy(), unit="h")).tz_localize("UTC")
    steps = np.abs(np.diff(utc.dropna().to_numpy()))
    for zone in ZONES if np.median(steps) < HALF_DAY.to_timedelta64() else []:
        if (utc.tz_convert(zone).tz_localize(None) == clock)[utc.notna()].all():
            return utc.tz_convert(zone)
    return utc


def _raw_format(form, word, date, clock):
    """Write a form with the separators of a word, as the flag needs it."""
    directives = iter(form.split())
    raw = re.sub(r"\d+|[A-Za-z]+", lambda match: next(directives, match[0]), date)
    if not isinstance(clock, str):
        return raw
    half = re.search(r"[ap]\.?m", clock, re.I)
    parts = ["%I" if half else "%H", "%M", "%S"][: clock.count(":") + 1]
    return raw + word[len(date)] + ":".join(parts) + (" %p" if half else "")
