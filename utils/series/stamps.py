"""Text -> times, by what every row writes in one way; all else needs a format of strptime.

A reading is one way to read words: (rows,) times, NaT where it doesn't fit; a note; its format.
"""

import datetime
import itertools
import re

import numpy as np
import pandas as pd

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
PARTS = {  # names of columns that hold one part of a time
    "year": "year yr yyyy yy 年", "month": "month mon mo mm 月", "day": "day dy dd 日",
    "hour": "hour hr hh 時 时", "minute": "minute min mn mi 分", "second": "second sec ss 秒",
}  # fmt: skip
PART = {word: part for part, words in PARTS.items() for word in words.split()}
COMPACT = r"(19|20)\d\d(0[1-9]|1[0-2])(\d\d)?"  # 200101, 20010131
CLOCK_ALONE = r"(?i)\d?\d[:.]\d\d([:.]\d\d)?(\s*[ap]\.?m\.?)?"
CLOCK = r"\d?\d:\d\d(?::\d\d)?(?:\s*[ap]\.?m\.?)?|\d?\d\s*[ap]\.?m\.?"
ZONE = r"Z|(?:UTC|GMT)?[+-]\d\d(?::?\d\d)?|[A-Z]{3,4}"
STAMP = rf"(?is)^(.+?)(?:[T\s:,]\s*({CLOCK})\s*({ZONE})?)?$"  # a date, a clock, a zone
OFFSETS = {"Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2}
OFFSETS |= {"EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9}
FORMS = [  # of dates, whatever stands between their parts
    "%Y %m %d", "%d %m %Y", "%m %d %Y", "%d %b %Y", "%b %d %Y", "%Y %b %d", "%Y%m%d", "%Y %m",
    "%b %Y", "%Y %b", "%m %Y", "%b %y", "%d %m %y", "%m %d %y", "%d %b %y", "%y %m %d",
]  # fmt: skip
NOTES = {"%d %m": "day before month", "%m %d": "month before day"}
DIGITS = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
EPOCHS = {"seconds": ("s", 1e8), "milliseconds": ("ms", 1e11), "nanoseconds": ("ns", 1e17)}
ISO = r"\d{4}-?\d\d-?\d\d[T ]\d\d:?\d\d[\d:.]*$"
TIDY = {  # what forms needn't know
    r"(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)": " ",
    r"[\s,./-]+": " ",
    r"(?i)^(mon|tue|wed|thu|fri|sat|sun)[a-z]* | $": "",
    r"(?i)\b([a-z]{3})(uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)\b": r"\1",
}


def find(sample: pd.DataFrame, time_format: str | None) -> list[str]:
    """Return the columns that hold the times, or that look so; none if there are none.

    The sample holds the first rows of one series, str, "" where empty.
    """
    free = [name for name in sample if (sample[name] != "").any()]
    clocks = [name for name in free if sample[name].str.fullmatch(CLOCK_ALONE).all()]
    parts = {part: name for name, part in reversed(_parts(free).items())}
    chain = [parts[part] for part in itertools.takewhile(parts.__contains__, PARTS)]
    dates, unread = [], []
    if len(chain) > 1 and not time_format:
        times = read(sample[chain], None)[0][0]
        found = (times.is_unique, True, times.nunique(), -len(free), chain)
        dates, unread = ([], [found[1:]]) if times.hasnans else ([found], [])
    for place, name in enumerate(free):
        words, sure = sample[name][sample[name] != ""], re.fullmatch(SURE_NAME, name, re.I)
        named = bool(re.fullmatch(NAME, name, re.I))
        numbers = pd.to_numeric(words, errors="coerce").to_numpy(float)
        numeric = not np.isnan(numbers).any()
        if numeric and not (named or time_format or words.str.fullmatch(COMPACT).all()):
            continue
        times = _of_words(words.drop_duplicates(), time_format)[0][0]
        if not times.hasnans:
            if len(times) > 1 or len(words) == 1 or clocks:
                dates.append((len(times) == len(words), named, len(times), -place, [name]))
        elif not numeric and (sure or words.str.fullmatch(LIKE_A_TIME).mean() > 0.5):
            unread.append((named and name not in clocks, len(times), -place, [name]))
        elif numeric and (sure or abs(np.sign(np.diff(numbers)).sum()) == len(numbers) - 1):
            steps = np.diff(numbers)
            count = (
                len(steps) and 0 <= numbers[0] <= steps[0] and np.allclose(steps, steps[0], 0.05)
            )
            if not count or (sure and name.lower() not in ("time", "ts")):
                unread.append((False, len(times), -place, [name]))
    best = max(dates, default=(True, False, []))
    if unread and (not dates or max(unread)[0] > best[1]):
        return max(unread)[-1]
    return best[-1] + clocks[: int(not best[0] and len(best[-1]) == 1)]  # of a date in several rows


def _parts(names):
    """Return {name: part of a time} of the names that promise one; beside MM, mm is the minute."""
    found = {name: PART.get(name.lower().lstrip("# ")) for name in names}
    found |= {"mm": "minute"} if {"MM", "mm"} <= set(found) else {}
    return {name: part for name, part in found.items() if part}


def read(columns: pd.DataFrame, time_format: str | None) -> list[tuple]:
    """Read times of one column, of a date and a clock, or of year, month and maybe day ... second.

    Args:
        columns: str; different rows.
        time_format: of strptime, for the columns with a space between them; None finds it.

    Returns:
        the readings that fit all rows, but only a regular one if there is one; or the best.
    """
    parts = list(_parts(columns).values())
    if {"year", "month"} <= set(parts) and len(parts) == columns.shape[1] and not time_format:
        numbers = columns.apply(pd.to_numeric, errors="coerce").set_axis(parts, axis=1)
        numbers = numbers.astype(float).where(numbers["year"] >= 1000)
        numbers = numbers.assign(day=numbers.get("day", 1.0))
        return [(pd.DatetimeIndex(pd.to_datetime(numbers, errors="coerce")), "", "")]
    text = columns.iloc[:, 0]
    for _, more in list(columns.items())[1:]:
        if not time_format and not more.str.fullmatch(CLOCK_ALONE).all():
            return [_unread(text)]
        text = text + " " + (more if time_format else more.str.replace(".", ":"))
    readings, even = _of_words(text, time_format), []
    for reading in readings if len(readings) > 1 else []:
        times = reading[0].unique().sort_values()
        months = set(np.diff(times.year * 12 + times.month))
        if len(set(np.diff(times.asi8))) == 1 or times.day.nunique() == 1 == len(months):
            even.append(reading)
    alike = all(times.equals(readings[0][0]) for times, *_ in readings)
    return readings[:1] if alike else even if len(even) == 1 else readings


def _of_words(words, time_format):
    words = words.str.strip()
    if time_format:
        return [(_strptime(words, time_format), "", "")]
    if words.str.match(ISO).all() and not (times := _strptime(words, "ISO8601")).hasnans:
        return [(times, "", "")]
    if pd.to_numeric(words[:100], errors="coerce").notna().all():
        return [_of_numbers(words.str.replace(r"\.0*$", "", regex=True))]  # 2001.0
    quarters = words.str.replace(r"(?i)^(Q\d)[-/ ]?(\d{4})$", r"\2\1", regex=True)
    if quarters.str.fullmatch(r"(?i)\d{4}[-/ ]?Q[1-4]").all():
        times = pd.PeriodIndex(quarters.str.replace(r"[-/ ]", "", regex=True), freq="Q")
        return [(times.to_timestamp(), "", "")]
    words = words.str.replace(r"^(\d{3,4})年(\d+)月(?:(\d+)日)?", r"\1/\2/\3", regex=True)
    return _of_dates(words.str.replace(r"/(?=\s|$)", "", regex=True))


def _strptime(words, form):
    """Return times, NaT where a word doesn't fit; "Jan-49" is in the past."""
    utc = "%z" in form.lower()
    times = pd.DatetimeIndex(pd.to_datetime(words, format=form, errors="coerce", utc=utc))
    ahead = times.year > datetime.date.today().year + 1
    return times.where(~ahead, times - pd.DateOffset(years=100)) if "%y" in form else times


def _of_numbers(words):
    form, numbers = DIGITS.get(len(words.iloc[0]), ""), pd.to_numeric(words, errors="coerce")
    if form and words.str.fullmatch(rf"\d{{{len(words.iloc[0])}}}").all():
        times = _strptime(words, form)
        if times.year.min() >= (1500 if len(form) <= 4 else 1900) and times.year.max() <= 2200:
            return times, "years" if form == "%Y" else "", ""
    for note, (unit, low) in EPOCHS.items():
        if low <= numbers.min() and numbers.max() <= 100 * low:
            return pd.to_datetime(pd.Index(numbers), unit=unit, utc=True), f"Unix {note}", ""
    return _unread(words)


def _unread(words):
    return pd.DatetimeIndex([pd.NaT] * len(words)), "", ""


def _of_dates(words):
    """Split words into date, clock and zone; try forms of dates with the clock of the first one."""
    parts = words.str.extract(STAMP).fillna({0: ""})
    clock, zones = parts[1].str.upper().str.replace(r"[.\s]", "", regex=True), parts[2].str.upper()
    word, first = words.iloc[clock.notna().argmax()], next(iter(clock.dropna()), "")
    late = clock.str.fullmatch("24:00(:00)?").eq(True).to_numpy()  # the next midnight
    fill = "00:00:00"[: 3 * first.count(":") + 2]
    shape = ":".join(["%I" if "M" in first else "%H", "%M", "%S"][: first.count(":") + 1])
    shape = " " + shape + "%p" * ("M" in first) if first else ""
    text = parts[0]
    for pattern, instead in TIDY.items():
        text = text.str.replace(pattern, instead, regex=True)
    text = text + " " + clock.mask(late).fillna(fill) if first else text
    roc = text.str.extract(r"^(\d{2,3})( \d{1,2}(?: \d{1,2}\b.*)?)$")
    of_china = roc[0].notna().all() and roc[0].str.len().max() == 3
    text = (roc[0].astype(int) + 1911).astype(str) + roc[1] if of_china else text
    offsets = zones.map({word: _offset(word, set(zones)) for word in zones.dropna().unique()})
    fits = (zones.isna() if zones.notna().mean() < 0.5 else offsets.notna()).to_numpy()
    readings = [_unread(words)]
    for form in FORMS:
        if form.startswith("%m") and parts[0].iloc[0].count(".") == 2:
            continue  # no month comes first here
        if _strptime(text[:50], form + shape).isna().all():
            continue
        times = _strptime(text, form + shape)
        months = np.abs(np.diff(times.year * 12 + times.month))
        if form == "%b %y" and len(months) and np.median(months) > 6:
            continue  # days without a year: Jan-01, Jan-02
        if form == "%Y %m" and len(times) > 1 and ((times.year + 1) % 100 == times.month).all():
            continue  # seasons: 2001/02, 2002/03
        times = times.where(~late, times + pd.Timedelta(days=1))
        times = _zoned(times.where(fits), offsets) if zones.notna().any() else times
        flags = itertools.chain(re.findall("%.", form + shape), itertools.repeat(""))
        flag = re.sub(r"\d+|[A-Za-z][A-Za-z.]+", lambda _, flags=flags: next(flags), word)  # type: ignore[misc]
        note = "years of the Republic of China" if of_china else NOTES.get(form[:5], "")
        readings.append((times, note, flag))
    whole = [reading for reading in readings if not reading[0].hasnans]
    if whole and all(flag.startswith("%y") for *_, flag in whole):
        return readings[:1]  # 99/01/04 is 1999, or 2010 in the Republic of China
    return whole or [max(readings, key=lambda reading: reading[0].notna().sum())]


def _offset(zone, zones):
    """Return the hours ahead of UTC, NaN if a name may mean several."""
    zone = re.sub(r"^(UTC|GMT)(?=[+-])", "", zone)
    if zone[0] not in "+-":
        return -6 if zone == "CST" and "CDT" in zones else OFFSETS.get(zone, np.nan)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return float(f"{zone[0]}1") * (int(digits[:2]) + int(digits[2:]) / 60)


def _zoned(clock, offsets):
    """Put times into the last one's zone; days of several stay on the file's own clock."""
    utc = (clock - pd.to_timedelta(offsets.to_numpy(float), unit="h")).tz_localize("UTC")
    days = offsets.nunique() > 1 and (clock - clock.normalize()).nunique() == 1
    if days or utc.isna().all():
        return clock
    last = offsets.iloc[utc.argmax()]
    return utc.tz_convert(datetime.timezone(datetime.timedelta(hours=float(last))))
