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
    "yr|yy|yyyy|datum|zeit|jahr|monat|woche|quartal|fecha|hora|mes|año|heure|mois|année|дата|время"
)
NAME = (  # of a column that likely holds times
    rf"(?i:(?<![a-z])({TIME}|dt|t|at|unixtime)(?![a-z]))|[a-z](Time|Date)(?![a-z])|"
    "^[年月日時时週周季]$|日期|時間|时间|年月|時刻|日時|日付|年份|年度|月份|季度|일시|날짜|일자"
)
LIKE_A_TIME = (  # 31.12., 2001-W05, KW 5/2001, Q3 '24, 12:30, 5 Nov, 十一月
    r"(?i)\d{1,4}[-/.年]\d{1,2}([-/.年月].*)?|.*\d:\d\d.*|.*\b(19|20)\d\d.*|.*\bQ[1-4]\b.*|\dQ.*|"
    r".*[\d一二十][月季].*|(.*\d.*)?\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b.*"
)
PARTS = ["year", "month", "day", "hour", "minute", "second"]  # which pandas assembles
YEARS = (1500, 2200)  # below and above count other calendars
WEEK = "week|woche|ww|^kw|semain|semana|недел|週|周"  # in its name: 200101 is no month
COMPACT = r"(19|20)\d\d(0[1-9]|1[0-2])(\d\d)?"  # 200101, 20010131
DIGITS = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
EPOCHS = {"seconds": ("s", 1e8), "milliseconds": ("ms", 1e11)}
ISO = r"\d{4}(-\d\d-\d\d|\d{4})([T ][\d:.]+)?"
HALF = r"\s*[AP]\.?M\.?"
HALVES = {r"(?i)(?<![a-z])([ap])[.:]m[.:]?(?!\w)": r"\1m"}  # 11p.m., 下午 11:00
HALVES |= {r"(上午|午前|오전) *([\d:]+)": r"\2 AM", r"(下午|午後|오후) *([\d:]+)": r"\2 PM"}
MARK = r"\d+|[A-Za-z]+"  # a number or a word
CLOCK = rf"(?:[T:]|,?\s+)(?:\d?\d(?::\d\d){{1,2}}(?:\.\d+|{HALF})?|\d?\d{HALF})"
ZONE = rf"(?i)(:\d\d(?:\.\d+)?|{HALF})\s*(Z|(?:UTC|GMT)?[+-]\d\d(?::?\d\d)?|[A-Z]{{3,4}})$"
HOURS = {"UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EST": -5}
HOURS |= {"EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9}
OFFSETS = {name: f"{hours:+03}:00" for name, hours in HOURS.items()}
ORDERS = [  # of the numbers and the words of a date, whatever stands between them
    "Y m d", "d m Y", "m d Y", "d b Y", "b d Y", "Y b d", "Y m", "m Y", "b Y", "Y b", "d m y",
    "m d y", "y m d", "d b y", "a d b Y", "a b d Y",
]  # fmt: skip
NOTES = {"d m": "day before month", "m d": "month before day", "y m": "year first"}


def find(sample: pd.DataFrame, time_format: str | None) -> list[str]:
    """Return the columns that hold the times, or that look so; none if there are none.

    The sample holds the first rows of one series, str, "" where empty.
    """
    sample = sample.loc[:, (sample != "").any()]
    parts = {name.lower(): name for name in sample}
    chain = [parts[part] for part in itertools.takewhile(parts.__contains__, PARTS)]
    if len(chain) > 1 and not time_format:
        times = read(sample[chain], None)[0][0]
        if times.is_unique and not times.hasnans:
            return chain
    ranked = []
    for place, name in enumerate(sample):
        words, named = sample[name][sample[name] != ""], bool(re.search(NAME, name))
        numbers = pd.to_numeric(words, errors="coerce").to_numpy(float)
        numeric = not np.isnan(numbers).any()
        if numeric and not (named or time_format or words.str.fullmatch(COMPACT).all()):
            continue
        times = read(words.drop_duplicates().to_frame(), time_format)[0][0]
        fits, unread = not times.hasnans, named and not numeric
        if fits or _looks_like_times(name, named, words, numbers):
            rank = (2 * named if fits else unread, fits, len(times) == len(words), len(times))
            ranked.append((rank, -place, [name]))
    return max(ranked, default=[[]])[-1]


def _looks_like_times(name, named, words, numbers):
    """Whether words look like times; numbers may also count rows, or say what something took."""
    sure = named and (re.fullmatch(TIME, name, re.I) or not name.isascii())
    if np.isnan(numbers).any():
        return sure or words.str.fullmatch(LIKE_A_TIME).mean() > 0.5
    steps = np.diff(numbers)
    counted = len(steps) and 0 <= numbers[0] <= steps[0] and np.allclose(steps, steps[0], 0.05)
    return not counted and (sure or abs(np.sign(steps).sum()) == len(steps))


def read(columns: pd.DataFrame, time_format: str | None) -> list[tuple]:
    """Read times of one column, of a date and a clock, or of year, month and maybe day ... second.

    Args:
        columns: str; different rows.
        time_format: of strptime, for the columns with a space between them; None finds it.

    Returns:
        the readings that fit all rows, but only a regular one if there is one; or the best.
    """
    text, *more = (columns[name] for name in columns)
    text, parts = text.str.cat(more, sep=" ") if more else text, [x.lower() for x in columns]
    if time_format:
        return [(_strptime(text, time_format), "", "")]
    if {"year", "month"} <= set(parts) <= set(PARTS) and len(parts) == len(set(parts)):
        numbers = columns.apply(pd.to_numeric, errors="coerce").set_axis(parts, axis=1)
        numbers = numbers.assign(day=numbers.get("day", 1.0)).astype(float)
        numbers = numbers.where(numbers % 1 == 0).where(numbers["year"].between(*YEARS))
        return [(pd.DatetimeIndex(pd.to_datetime(numbers, errors="coerce")), "", "")]
    if pd.to_numeric(text[:100], errors="coerce").notna().mean() > 0.5:
        months = not re.search(WEEK, parts[0])
        return [_of_numbers(text.str.replace(r"\.0*$", "", regex=True), months)]  # 2001.0
    if text.str.fullmatch(r"\d{4}-?Q[1-4]").all():
        return [(pd.PeriodIndex(text, freq="Q").to_timestamp(), "", "")]
    readings, even = _of_dates(text), []
    for reading in readings:
        times = reading[0].unique().sort_values()
        months = set(np.diff(times.year * 12 + times.month))
        if len(set(np.diff(times.asi8))) == 1 or times.day.nunique() == 1 == len(months):
            even.append(reading)
    alike = all(times.equals(readings[0][0]) for times, *_ in readings)
    return readings[:1] if alike else even if len(even) == 1 else readings


def _strptime(words, form):
    """Return times, NaT where a word doesn't fit, or its calendar is another; "Jan-49" is past."""
    utc = "%z" in form.lower()
    times = pd.DatetimeIndex(pd.to_datetime(words, format=form, errors="coerce", utc=utc))
    ahead = times.year > datetime.date.today().year + 1
    times = times.where(~ahead, times - pd.DateOffset(years=100)) if "%y" in form else times
    return times.where((times.year >= YEARS[0]) & (times.year <= YEARS[1]))


def _of_numbers(words, months):
    """Return the reading of digits without a mark (six: months), or of seconds since 1970."""
    size, numbers = len(words.iloc[0]), pd.to_numeric(words, errors="coerce")
    form, fits = DIGITS.get(size, ""), words.str.fullmatch(rf"\d{{{size}}}")
    if form and fits.mean() > 0.5 and (months or size != 6):
        times = _strptime(words.where(fits), form)
        if times.year.min() >= (YEARS[0] if form == "%Y" else 1900):
            return times, "", ""
    for note, (unit, low) in EPOCHS.items():
        if low <= numbers.min() and numbers.max() <= 100 * low:
            return pd.to_datetime(pd.Index(numbers), unit=unit, utc=True), f"Unix {note}", ""
    return pd.DatetimeIndex([pd.NaT] * len(words)), "", ""


def _of_dates(words):
    """Return the readings that fit all words, or the one that fits most."""
    none = pd.DatetimeIndex([pd.NaT] * len(words)), "", ""
    for pattern, plain in HALVES.items():
        words = words.str.replace(pattern, plain, regex=True)
    zones = words.str.extract(ZONE)[1].str.upper()
    words, note = words.str.replace(ZONE, r"\1", regex=True), ""
    if words.str.match(r"\d{2,3}[-/.年]").all() and words.str.match(r"\d{3}").any():
        note = "years of the Republic of China"
        words = words.str.replace(r"^\d+", lambda year: str(int(year[0]) + 1911), regex=True)
    readings = []
    for form, order in _forms(words.iloc[0]):
        iso = form == "ISO8601"
        times = _strptime(words.where(words.str.fullmatch(ISO)) if iso else words, form)
        readings.append((_zoned(times, zones), note or NOTES.get(order[:3], ""), form))
        if iso and not times.hasnans:
            break
    whole = [reading for reading in readings if not reading[0].hasnans]
    if whole and all(note == NOTES["y m"] for _, note, _ in whole):
        return [none]  # 99/01/04 is 1999, or 2010 in the Republic of China
    return whole or [max(readings, key=lambda reading: reading[0].notna().sum(), default=none)]


def _forms(word):
    """Return the formats of strptime that may fit a word, with the order of its date."""
    date, clock = re.fullmatch(rf"(.*?)({CLOCK})?", word, re.I | re.S).groups("")
    half = re.search(HALF, clock, re.I)
    clock = clock[:1] + _fill(clock[1:], "IMS"[: clock.count(":", 1) + 1] + "p" if half else "HMSf")
    forms = {"ISO8601": ""} if re.fullmatch(ISO, word) else {}
    count = len(re.findall(MARK, date)) if date[:1].isalnum() else 0
    for order in ORDERS:
        if len(order.split()) != count or (order[0] == "m" and date.count(".") == 2):
            continue  # no month comes first before dots
        for names in (order, order.replace("a", "A").replace("b", "B")):  # Jan, January
            form = _fill(date, names.split()) + clock
            if not pd.isna(pd.to_datetime(word, format=form, errors="coerce")):
                forms[form] = order
    return forms.items()


def _fill(text, directives):
    """Put a directive of strptime in the place of each number and each word."""
    directives = iter(directives)
    return re.sub(MARK, lambda _: "%" + next(directives), text.replace("%", "%%"))


def _zoned(times, zones):
    """Put times into the last one's zone; days of several stay on the file's own clock.

    All rows have a zone, or none; a name that may mean several is none.
    """
    if zones.isna().iloc[0]:
        return times.where(zones.isna())
    clocks = "2000-01-01T00:00" + zones.replace(OFFSETS).str.replace("^UTC|^GMT", "", regex=True)
    ahead = pd.Timestamp("2000-01-01", tz="UTC") - pd.to_datetime(
        clocks, format="ISO8601", utc=True, errors="coerce"
    )
    if ahead.nunique() > 1 and (times - times.normalize()).nunique() == 1:
        return times.where(ahead.notna())
    utc = (times - pd.TimedeltaIndex(ahead)).tz_localize("UTC")
    if utc.hasnans:
        return utc
    return utc.tz_convert(datetime.timezone(ahead.iloc[utc.argmax()].to_pytimedelta()))
