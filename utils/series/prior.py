"""The million: simulated series of many kinds, from which a network learns to forecast.

Each is a sum of parts that real series have (seasons, trends, wandering levels, noise), each there
by chance and of a random size, then changed by chance as real series are (multiplied up, counted,
clipped, rounded, full of gaps). No real series is among them. The idea: Dooley et al.,
"ForecastPFN: Synthetically-trained zero-shot forecasting", 2023.
"""

from __future__ import annotations

import numpy as np
from scipy import fft

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
    some = _Some(rng, number, steps)
    real = np.select([seasons == told for told in YEARS], list(YEARS.values()), seasons)
    real = real * (1 + some.on(0.12) * some.uniform(-OFF, OFF))
    slow, quick = some.stationary(-4, -2), some.stationary(-3, -1)
    first, second = _seasonal(some, real, slow)
    x = (
        some.size(0, 0.8, 0.85) * first
        + some.size(-0.4, 0.8, 0.7) * second
        + some.size(-0.3, 0.9, 0.5) * slow
        + some.size(-0.6, 1.0, 0.6) * quick
        + some.size(-0.3, 0.9, 0.35) * _unit(np.cumsum(some.noise(0.15, 0.8), axis=1))
        + some.size(-0.5, 1.0, 0.5) * _trend(some)
    )
    uneven = np.exp(np.clip(some.uniform(0, 1) * some.on(0.25) * first, -4, 4))
    x += some.size(-1.3, 1.0) * some.noise(0.2, 0.9) * uneven
    x += some.on(0.12) * 3 * some.normal() * (some.t > steps * some.uniform(0, 1))  # a level shift
    spikes = some.on(0.15) * (rng.random(x.shape, np.float32) < 0.006)
    x = _unit(x + 6 * spikes * some.noise())
    x = _changed(some, x, seasons)
    told = seasons * (rng.random((number, 2)) > (0.02, 0.1))
    told[:, 1] *= told[:, 0] > 0
    return x.astype(np.float32), told


class _Some:
    """Random numbers by series: each (number, 1), or over time (number, steps)."""

    def __init__(self, rng, number, steps):
        self.rng, self.shape = rng, (number, steps)
        self.t = np.arange(steps, dtype=np.float32)

    def uniform(self, low, high):
        return self.rng.uniform(low, high, (self.shape[0], 1)).astype(np.float32)

    def normal(self):
        return self.rng.standard_normal((self.shape[0], 1), np.float32)

    def on(self, share):
        return (self.uniform(0, 1) < share).astype(np.float32)

    def size(self, mean, deviation, share=1.0):
        return np.exp(mean + deviation * self.normal()) * self.on(share)

    def noise(self, share=0.0, tail=0.0):
        """White noise, heavy-tailed in a share of the series."""
        noise = self.rng.standard_normal(self.shape, np.float32)
        heavy = np.flatnonzero(self.on(share))
        tails = self.rng.standard_normal((len(heavy), self.shape[1]), np.float32)
        noise[heavy] *= np.exp(tail * tails)
        return noise

    def stationary(self, low, high):
        """A stationary process: its spectrum falls beyond a random frequency, at a random slope."""
        number, steps = self.shape
        frequency = np.fft.rfftfreq(2 * steps).astype(np.float32)
        knee = 10 ** self.uniform(low, high)
        amplitude = np.exp(-0.5 * self.uniform(0.4, 2.2) * np.log1p((frequency / knee) ** 2))
        amplitude[:, 0] = 0
        wave = self.rng.standard_normal((number, steps + 1, 2), np.float32).view(np.complex64)
        return _unit(fft.irfft(amplitude * wave[..., 0], n=2 * steps, axis=1)[:, :steps])

    def periodic(self, period, harmonics=10):
        """Harmonics of random size and phase, by Horner's rule; 0 where the period is."""
        turn = np.exp(2j * np.pi * self.t / np.maximum(period, 1)[:, None]).astype(np.complex64)
        k = np.arange(1, harmonics + 1)
        waves = self.rng.standard_normal((len(period), harmonics, 2), np.float32)
        waves = waves.view(np.complex64)[..., 0] * (k < period[:, None] / 2 + 0.01)
        waves = (waves * k ** -self.uniform(0, 2)).astype(np.complex64)
        x = 0
        for wave in waves.T[::-1]:
            x = (x + wave[:, None]) * turn
        return _unit(x.real) * (period > 1)[:, None]


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
    shocks = some.rng.standard_normal((len(period), number.max() + 1), np.float32)
    shocks = np.take_along_axis(shocks, number, axis=1) * some.uniform(0, 0.4) * some.on(0.3)
    first = first * np.exp(some.uniform(0, 0.5) * some.on(0.4) * slow + shocks)
    levels = some.rng.standard_normal((len(period), 7), np.float32)
    levels = _unit(np.take_along_axis(levels, day, axis=1))
    by_day = of_week * some.on(0.7)
    return first, by_day * levels + (1 - by_day) * some.periodic(longer, 12)


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
    counts = np.flatnonzero(some.on(0.08))
    mean = np.clip(0.6 * _unit(x[counts]), -4, 3) + rng.uniform(-2, 4, (len(counts), 1))
    demand = rng.random(mean.shape) < np.maximum(rng.uniform(0, 2, (len(counts), 1)), 0.1)
    x[counts] = rng.poisson(np.exp(mean)) * demand
    clipped = np.flatnonzero(some.on(0.05))
    if len(clipped):
        x[clipped] = np.maximum(x[clipped] - np.quantile(x[clipped], 0.4, axis=1)[:, None], 0)
    first, second = seasons.T[..., None]
    days = np.where((first > 0) & (second == 7 * first), first, 1)
    closed = (some.t // days % 7 == rng.integers(7, size=days.shape)) & (some.on(0.06) > 0)
    x = np.where(closed & ((first == 7) | (days > 1)), 0, x)
    grid = some.uniform(0.02, 0.5) * x.std(axis=1, keepdims=True) + 1e-9
    x = np.where(some.on(0.12) > 0, np.round(x / grid) * grid, x)
    gaps = np.flatnonzero(some.on(0.08))
    x[gaps] = np.where(rng.random(x[gaps].shape) < 0.05, np.nan, x[gaps])
    return x


def _unit(x):
    return x / (x.std(axis=1, keepdims=True) + 1e-6)
