"""Series as an analyst brings them, simulated, for benchmarks/forecast.py."""

from __future__ import annotations

from utils.series.shops import WEEKDAYS, ar1, promotions

import numpy as np
import pandas as pd


def shops_with_closed_days(
    seed: int, number: int = 40, days: int = 1096, ahead: int = 28
) -> dict[str, pd.DataFrame]:
    """Return daily sales (whole numbers) of shops that close on Sundays and holidays.

    Promotions raise sales, more on Saturdays, and take a little from the days after; the day before
    a holiday is stronger. Columns: sales (0 on closed days), promotion, holiday.
    """
    rng = np.random.default_rng(seed)
    times = pd.date_range("2021-01-01", periods=days + ahead, freq="D", name="time")
    fixed = {(1, 1), (4, 5), (5, 1), (6, 20), (9, 28), (10, 10), (12, 25), (12, 26)}
    holiday = np.array([float((t.month, t.day) in fixed) for t in times])
    frames = {}
    for shop in range(number):
        promotion = promotions(rng, len(times))
        week = np.exp(WEEKDAYS + rng.normal(0, 0.1, 7))
        level = rng.lognormal(6.5, 0.5) * np.exp(np.cumsum(rng.normal(0, 0.01, len(times))))
        year = 1 + 0.15 * np.sin(2 * np.pi * times.day_of_year / 365.25 + rng.normal(0, 0.3))
        lift = 1 + promotion * rng.uniform(0.3, 0.7) * (1 + 0.3 * (times.day_of_week == 5))
        after = 1 - 0.1 * np.maximum(np.diff(promotion, prepend=0.0) * -1, 0)
        before = 1 + 0.3 * np.append(holiday[1:], 0.0)
        mean = level * week[times.day_of_week] * year * lift * after * before
        sales = rng.poisson(mean * rng.lognormal(0, 0.1, len(times))).astype(float)
        sales[(times.day_of_week == 6) | (holiday == 1)] = 0
        sales[days:] = np.nan
        columns = {"sales": sales, "promotion": promotion, "holiday": holiday}
        frames[f"shop {shop + 1:02d}"] = pd.DataFrame(columns, times)
    return frames


def monthly_passengers(seed: int, months: int = 180) -> pd.Series:
    """Return a trend times a season that grows with it, with noise of 3 %."""
    rng = np.random.default_rng(seed)
    m = np.arange(months)
    season = 0.2 * np.sin(2 * np.pi * (m - 3) / 12) + 0.08 * np.cos(4 * np.pi * m / 12)
    trend = 110 * np.exp(0.009 * m + np.cumsum(rng.normal(0, 0.008, months)))
    values = trend * np.exp(season + rng.normal(0, 0.03, months))
    times = pd.date_range("2008-01-01", periods=months, freq="MS", name="time")
    return pd.Series(values, times, name="passengers")


def quarter_hourly_load(seed: int, days: int = 180) -> pd.Series:
    """Return a load with a day and a week, a slow drift and autocorrelated noise."""
    rng = np.random.default_rng(seed)
    times = pd.date_range("2024-01-01", periods=96 * days, freq="15min", name="time")
    hour = times.hour + times.minute / 60
    day = (
        1 + 0.25 * np.sin(2 * np.pi * (hour - 9) / 24) + 0.12 * np.sin(4 * np.pi * (hour - 7) / 24)
    )
    week = np.where(times.day_of_week >= 5, 0.8, 1.0)
    noise = ar1(rng.normal(0, 6, len(times)), 0.95)
    drift = np.repeat(np.cumsum(rng.normal(0, 4, days)), 96)
    return pd.Series(500 * day * week + drift + noise, times, name="load")


def level_shift(seed: int, hours: int = 3000, shift: float = 40.0) -> pd.Series:
    """Return hours with a daily season whose level rises for good at 55 % of the series."""
    rng = np.random.default_rng(seed)
    h = np.arange(hours)
    noise = ar1(rng.normal(0, 2, hours), 0.7)
    values = 50 + 10 * np.sin(2 * np.pi * h / 24) + shift * (h >= 0.55 * hours) + noise
    times = pd.date_range("2024-01-01", periods=hours, freq="h", name="time")
    return pd.Series(values, times, name="level")


def hourly_hits(seed: int, hours: int = 3000) -> pd.Series:
    """Return counts with a day: Poisson with a mean from 0.05 by night to 2 by day."""
    rng = np.random.default_rng(seed)
    mean = np.exp(-1.15 + 1.85 * np.sin(2 * np.pi * (np.arange(hours) - 8) / 24))
    times = pd.date_range("2024-01-01", periods=hours, freq="h", name="time")
    return pd.Series(rng.poisson(mean).astype(float), times, name="hits")


def spare_parts(seed: int, days: int = 1500, share: float = 0.2) -> pd.Series:
    """Return an intermittent demand: none on most days, else 1 + Poisson(2) parts."""
    rng = np.random.default_rng(seed)
    demand = (rng.random(days) < share) * (1.0 + rng.poisson(2, days))
    times = pd.date_range("2020-01-01", periods=days, freq="D", name="time")
    return pd.Series(demand, times, name="parts")


def with_outlier(seed: int, share: float = 0.4, value: float = 1e6) -> pd.Series:
    """Return `level_shift` in which one value is a slip of the keyboard."""
    series = level_shift(seed)
    series.iloc[int(share * len(series))] = value
    return series


def with_gaps(seed: int, share: float = 0.05, code: float = -9999) -> pd.Series:
    """Return `level_shift` in which a share of the values is missing, by a code."""
    series = level_shift(seed)
    return series.where(np.random.default_rng(seed).random(len(series)) >= share, code)
