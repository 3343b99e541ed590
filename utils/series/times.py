"""Find the times in a table, in one column or in several."""

import re
from collections.abc import Sequence

from utils.series.dates import Written, written

import numpy as np
import pandas as pd

# names that speak for a column of times
TIME_NAME = re.compile(
    r"(^|[^a-z])(time|date|datetime|timestamp|when|year|month|week|day|hour|quarter|period|ds|ts|dt|"
    r"epoch|unix|unixtime)([^a-z]|$)|(?-i:[a-z](Time|Date))|日期|時間|时间|年月|時刻|日時|日付|年份|年度|月份|季度|^[年月日時时週周季]$|民國|^datum|^zeit|^fecha",
    re.I,
)
PARTS = {  # columns that hold one part of a time
    "year": r"#?\s*(year|yr|yyyy|yy|年|年份|年度)",
    "quarter": r"quarter|qtr|季|季度",
    "month": r"month|mon|mo|mm|月|月份",
    "week": r"week|wk|week_?of_?year|iso_?week|week_?number|週|周",
    "day": r"day|dy|dd|dom|day_?of_?month|日",
    "dayofyear": r"doy|yday|day_?of_?year|julian(_?day)?|jday",
    "hour": r"hour|hr|hh|h|hour_?of_?day|hour_?ending|he|時|时|小時|小时",
    "minute": r"minute|min|mi|分|分鐘",
    "second": r"second|sec|ss|秒",
}
CHAINS = [("year", "quarter"), ("year", "week"), ("year", "dayofyear"), ("year", "day")]
CHAINS += [("year", "month", "day", "hour", "minute", "second")[:n] for n in range(2, 7)]
CHAINS += [("year", "dayofyear", "hour"), ("year", "day", "hour")]
CLOCK_NAME = re.compile(r"time|hour|hr|hh|clock|uhr|時|时", re.I)
CLOCK = re.compile(  # 9:30 pm, 18.00.00, 7, 0930
    r"\d{1,2}(:\d\d){1,2}(\.\d+)?\s*([ap]\.?m\.?)?|\d{1,2}(\.\d\d){2}|(1?\d|2[0-4])?[0-5]?\d", re.I
)


def find(
    sample: pd.DataFrame, taken: Sequence[str], asked: Sequence[str], panel: bool
) -> tuple[Written | None, str | None]:
    """Find the times in the first rows of a table.

    Real dates come before numbers that only count, times that rise before those that don't, named
    columns before others, one column before several.

    Args:
        sample: text, by column.
        taken: columns that are something else.
        asked: the columns that the user names, or none.
        panel: whether rows of one moment may repeat.

    Returns:
        how they are written; or None, and the column that is named like times but can't be read.
    """
    free = [name for name in (asked or sample) if name not in taken]
    options, unread = [], None
    for columns in _candidates(sample, free, asked):
        for option in columns:
            times, _ = option.decide(option.read(sample))
            dated = isinstance(times, pd.DatetimeIndex)
            named = any(TIME_NAME.search(name) for name in option.columns)
            known = times[times.notna()]
            if len(known) < max(1, len(sample) / 2):
                continue
            steps = np.diff(known.asi8 if dated else known.to_numpy())
            rising = max((steps > 0).mean(), (steps < 0).mean()) if len(steps) else 1.0
            if not asked:
                if not dated and not (named and (panel or _counts(steps))):
                    continue
                if dated and len(steps) > 1 and not panel and not steps.any():
                    continue  # the same in all rows
            merit = dated, round(rising, 1), named, -len(option.columns)
            options.append((merit, option))
    if options:
        return max(options, key=lambda option: option[0])[1], None
    for name in free:
        match = TIME_NAME.search(name)
        numeric = pd.to_numeric(sample[name].astype(object), errors="coerce").notna().any()
        if match and match[0] == name and not numeric and sample[name].notna().any():
            unread = unread or name
    return None, (asked[0] if asked else unread)


def _candidates(sample, free, asked):
    """Yield lists of the ways in which one column, or several, may be read."""
    if len(asked) != 1:
        yield from _several(sample, free, bool(asked))
    if len(asked) > 1:
        return
    for name in free:
        text = sample[name].dropna()
        if text.empty:
            continue
        if pd.to_numeric(text.astype(object), errors="coerce").notna().mean() > 0.5:
            if asked or TIME_NAME.search(name):
                yield [Written((name,))]
        else:
            yield written(sample, (name,))


def _several(sample, free, asked):
    """Yield what year, month, day and hour in their own columns make, and a date with a clock."""
    roles = {}
    for name in free:
        for part, pattern in PARTS.items():
            if re.fullmatch(pattern, name.strip(), re.I):
                roles.setdefault(part, name)
    for chain in CHAINS:
        of_year = "day" in chain and "month" not in chain  # the day counts from January 1
        if all(part in roles for part in chain) and not (of_year and "month" in roles):
            yield [Written(tuple(roles[part] for part in chain), chain)]
    clocks = [
        name
        for name in free
        if (asked or CLOCK_NAME.search(name))
        and sample[name].notna().any()
        and sample[name].dropna().map(lambda word: bool(CLOCK.fullmatch(word.strip()))).all()
    ]
    for clock in clocks:
        for date in free:
            if date != clock and sample[date].notna().any():
                text = sample[date].dropna()
                numeric = pd.to_numeric(text.astype(object), errors="coerce").notna().mean() > 0.5
                if numeric and not (
                    (asked or TIME_NAME.search(date)) and text.str.len().min() >= 8
                ):
                    continue
                if not text.str.contains(":").any():
                    yield written(sample, (date, clock))


def _counts(steps):
    """Whether numbers rise step by step, mostly by the same."""
    if len(steps) == 0 or not (steps > 0).all():
        return False
    usual = np.median(steps)
    return (np.abs(steps - usual) < 0.05 * usual).mean() >= 0.5
