"""The million: simulated series of many kinds, from which a network learns to forecast.

Each is a sum of parts that real series have (seasons, trends, wandering levels, noise), each there
by chance and of a random size, then changed by chance as real series are (multiplied up, counted,
clipped, rounded, full of gaps). No real series is among them. The idea: Dooley et al.,
"ForecastPFN: Synthetically-trained zero-shot forecasting", 2023.
"""

from utils.series.processes import Processes, unit

import numpy as np

# a season and, if any, a longer one, in steps: a day and a week of hours, a week and a year of
# days, a year of months, ...; -1 is any length, 0 none
SEASONS = (
    [(24, 168)] * 4 + [(24, 0)] * 2 + [(7, 0)] * 2 + [(12, 0)] * 3 + [(52, 0)] * 2 + [(0, 0)] * 3
    + [(-1, 0)] * 2 + [(7, 364), (4, 0), (48, 336), (96, 672), (5, 0), (6, 0), (60, 0), (144, 0)]
)  # fmt: skip
ANY_LENGTH = (3, 200)
YEARS = {364: 365.25, 52: 365.25 / 7}  # what a calendar's whole steps stand for
OFF = 0.04  # share by which other seasons may differ from what is said of them


def draw(rng: np.random.Generator, number: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw series.

    Args:
        rng: what draws.
        number: of series.
        steps: of each.

    Returns:
        the values, (number, steps) float32, NaN where missing; and the seasons as a calendar would
        give them, (number, 2) in steps, 0 where there is none (or nobody knows of it).
    """
    seasons = np.array(SEASONS)[rng.integers(len(SEASONS), size=number)]
    low, high = np.log(ANY_LENGTH)
    anything = np.exp(rng.uniform(low, high, number)).round().astype(int)
    seasons[:, 0] = np.where(seasons[:, 0] < 0, anything, seasons[:, 0])
    some = Processes(rng, number, steps)
    real = np.select([seasons == told for told in YEARS], list(YEARS.values()), seasons)
    real = real * (1 + some.on(0.12) * some.uniform(-OFF, OFF))
    slow, quick = some.stationary(-4, -2), some.stationary(-3, -1)
    walk = unit(np.cumsum(some.noise(0.15, 0.8), axis=1))
    first, second = _seasonal(some, real, slow)
    x = (
        some.size(0, 0.8, 0.85) * first
        + some.size(-0.4, 0.8, 0.7) * second
        + some.size(-0.3, 0.9, 0.5) * slow
        + some.size(-0.6, 1.0, 0.6) * quick
        + some.size(-0.3, 0.9, 0.35) * walk
        + some.size(-0.5, 1.0, 0.5) * _trend(some)
    )
    uneven = np.exp(np.clip(some.uniform(0, 1) * some.on(0.25) * first, -4, 4))
    x += some.size(-1.3, 1.0) * some.noise(0.2, 0.9) * uneven
    x += some.on(0.12) * 3 * some.normal() * (some.t > steps * some.uniform(0, 1))  # a level shift
    spikes = some.on(0.15) * (rng.random(x.shape, np.float32) < 0.006)
    x = np.where(some.on(0.06) > 0, walk, x + 6 * spikes * some.noise())  # walks alone, as prices
    x = _changed(some, unit(x), seasons)
    told = seasons * (rng.random((number, 2)) > (0.02, 0.1))
    told[:, 1] *= told[:, 0] > 0
    return x.astype(np.float32), told


def _seasonal(some, seasons, slow):
    """Return both seasons, (number, steps): profiles that may drift, and differ at week-ends."""
    period, longer = seasons.T
    number = (some.t // np.maximum(period, 1)[:, None]).astype(int)  # of the season, such as days
    day, of_week = number % 7, np.isclose(longer, 7 * period)[:, None]
    first, other = some.periodic(period), some.periodic(period)
    turning = some.on(0.3) / (1 + np.exp(np.clip(4 * slow, -20, 20)))  # from one to the other
    week_end = (day >= 5) * some.on(0.5) * of_week
    other_share = np.maximum(turning * (period > 1)[:, None], week_end)
    first = first + other_share * (other - first)

    def by(number):  # a random size for each
        sizes = some.rng.standard_normal((len(period), number.max() + 1), np.float32)
        return np.take_along_axis(sizes, number, axis=1)

    shocks = some.uniform(0, 0.4) * some.on(0.3) * by(number)
    first = first * np.exp(some.uniform(0, 0.5) * some.on(0.4) * slow + shocks)
    by_day = of_week * some.on(0.7)
    return first, by_day * unit(by(day)) + (1 - by_day) * some.periodic(longer, 12)


def _trend(some):
    """Return straight lines with up to two breaks, (number, steps)."""
    time = some.t / len(some.t) - 0.5
    trend = 3 * some.normal() * time
    for _ in range(2):
        trend += 3 * some.normal() * some.on(0.3) * np.maximum(time - some.uniform(-0.5, 0.5), 0)
    return trend


def _changed(some, x, seasons):
    """Return series, some of them as exponentials, counts, clipped, rounded, with gaps."""
    rng = some.rng
    shifted = x + 5 * some.uniform(-1, 1) * some.on(0.5)
    x = np.where(some.on(0.45) > 0, np.exp(np.clip(some.uniform(0.05, 0.9) * x, -8, 8)), shifted)
    counts, clipped, gaps = some.rows(0.08), some.rows(0.05), some.rows(0.08)
    mean = np.clip(0.6 * unit(x[counts]), -4, 3) + rng.uniform(-2, 4, (len(counts), 1))
    demand = rng.random(mean.shape) < np.maximum(rng.uniform(0, 2, (len(counts), 1)), 0.1)
    x[counts] = rng.poisson(np.exp(mean)) * demand
    x[clipped] = np.maximum(x[clipped] - np.quantile(x[clipped], 0.4, axis=1, keepdims=True), 0)
    first, second = seasons.T[..., None]
    days = np.where((first > 0) & (second == 7 * first), first, 1)
    closed = (some.t // days % 7 == rng.integers(7, size=days.shape)) & (some.on(0.06) > 0)
    x = np.where(closed & ((first == 7) | (days > 1)), 0, x)
    grid = some.uniform(0.02, 0.5) * x.std(axis=1, keepdims=True) + 1e-9
    x = np.where(some.on(0.12) > 0, np.round(x / grid) * grid, x)
    x[gaps] = np.where(rng.random(x[gaps].shape) < 0.05, np.nan, x[gaps])
    return x
