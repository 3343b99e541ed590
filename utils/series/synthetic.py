"""Seeded generators, each beside the best possible predictor for its law.

No model can do better on average than the mean of a coming value given the window: the
Bayes-optimal predictor under squared error. Here the law is known, so that the mean can be worked
out, and a network's error has something to be measured against other than zero.
"""

from __future__ import annotations

from utils.series.panel import Panel

import numpy as np
import pandas as pd

SINE_STEP = 0.1  # radians per step
DAY = 24  # hours
PHASES = 2 * np.pi * np.arange(720) / 720  # half a degree apart
CHUNK = 2_000  # windows at once


def noisy_sine(steps: int, seed: int, noise: float = 0.1, jumps: float = 0.0) -> pd.Series:
    """Return y_t = sin(0.1 t + phase) + N(0, noise), t = 0 ... steps - 1.

    Args:
        steps: length.
        seed: of noise and jumps.
        noise: standard deviation.
        jumps: the phase, which starts at 0, is drawn anew so often, per step.
    """
    values = np.random.default_rng(seed).normal(0, noise, steps) + clean_sine(steps, seed, jumps)
    return pd.Series(values, pd.RangeIndex(steps, name="time"), name="y")


def clean_sine(steps: int, seed: int = 0, jumps: float = 0.0) -> np.ndarray:
    """Return the sine without its noise; one period is 62.8 steps."""
    rng = np.random.default_rng([seed, 1])
    phase, jumped = rng.uniform(0, 2 * np.pi, steps), rng.random(steps) < jumps
    last = np.maximum.accumulate(np.where(jumped, np.arange(steps), -1))  # the jump before t
    return np.sin(SINE_STEP * np.arange(steps) + np.where(last < 0, 0, phase[last]))


def optimal_sine(
    windows: np.ndarray, steps: int = 1, noise: float = 0.1, jumps: float = 0.0
) -> np.ndarray:
    """Forecast the noisy sine as well as anyone could who knows all but its phase.

    The phase is uniform on the circle before the window is seen. With each value, P(phase) is
    multiplied by the likelihood of the value (Bayes), and where phases jump, mixed with the uniform
    from step to step (the forward algorithm of a hidden Markov model). The forecast is the mean
    over the phases.

    Args:
        windows: (windows, input_steps)
        steps: ahead.
        noise: standard deviation, as in `noisy_sine`.
        jumps: as in `noisy_sine`.

    Returns:
        (windows, steps)
    """
    input_steps = windows.shape[1]
    stays = (1 - jumps) ** np.arange(1, steps + 1)
    future = np.sin(PHASES[:, None] + SINE_STEP * np.arange(input_steps, input_steps + steps))
    forecasts = []
    for chunk in np.array_split(windows, -(-len(windows) // CHUNK)):
        belief = np.full((len(chunk), len(PHASES)), 1 / len(PHASES))
        for t, value in enumerate(chunk.T):
            belief = (1 - jumps) * belief + jumps / len(PHASES)
            error = (value[:, None] - np.sin(PHASES + SINE_STEP * t)) / noise
            belief *= np.exp(-(error**2 - np.square(error).min(axis=1, keepdims=True)) / 2)
            belief /= belief.sum(axis=1, keepdims=True)
        forecasts.append(stays * (belief @ future))  # after a jump, the mean is zero
    return np.concatenate(forecasts)


def hourly_temperature(seed: int, hours: int = 8760, noise: float = 2.0) -> pd.Series:
    """Return a year of hours: 10 + 15 sin(2 pi h / 24) + N(0, noise) °C.

    It begins on 2025-01-01 at 09:00, h = 0, so that days are warmest at 15:00.
    """
    h = np.arange(hours)
    values = _clean_temperature(h) + np.random.default_rng(seed).normal(0, noise, hours)
    times = pd.date_range("2025-01-01T09:00", periods=hours, freq="h", name="time")
    return pd.Series(values, times, name="temperature")


def _clean_temperature(h):
    return 10 + 15 * np.sin(2 * np.pi * h / DAY)


def optimal_temperature(windows: np.ndarray, steps: int = 1, noise: float = 2.0) -> np.ndarray:
    """Forecast the next hours as well as anyone could who knows all but the time of day.

    A window begins at one of 24 hours h, all equally likely before it is seen. By Bayes, P(h |
    window) is proportional to exp(-sum_t (window_t - law_{h+t})^2 / (2 noise^2)), and the forecast
    is the mean of the law under it.

    Args:
        windows: (windows, input_steps), °C.
        steps: ahead.
        noise: standard deviation in °C, as in `hourly_temperature`.

    Returns:
        (windows, steps), °C.
    """
    from scipy.special import softmax

    input_steps = windows.shape[1]
    hours = np.arange(DAY)[:, None]
    past = _clean_temperature(hours + np.arange(input_steps))  # (24, input_steps)
    future = _clean_temperature(hours + np.arange(input_steps, input_steps + steps))
    # (w - l)^2 = w^2 - 2 w l + l^2, and w^2 is the same for every hour
    log_likelihood = (windows @ past.T - np.square(past).sum(axis=1) / 2) / noise**2
    return softmax(log_likelihood, axis=1) @ future


def random_walk_prices(
    days: int, seed: int, drift: float = 0.0003, volatility: float = 0.015, start: float = 100.0
) -> pd.Series:
    """Return a geometric random walk on business days: its log-returns are N(drift, volatility).

    Args:
        days: length, of which the first is `start`.
        seed: of the returns.
        drift: mean log-return per day.
        volatility: standard deviation of the log-return per day.
        start: the first price.
    """
    returns = np.random.default_rng(seed).normal(drift, volatility, days - 1)
    prices = start * np.exp(np.concatenate([[0.0], np.cumsum(returns)]))
    return pd.Series(prices, pd.bdate_range("2020-01-01", periods=days, name="time"), name="price")


def optimal_price(windows: np.ndarray, steps: int, drift: float, volatility: float) -> np.ndarray:
    """Forecast P exp(t (drift + volatility^2 / 2)), t = 1 ... steps: what came before P is no help.

    Args:
        windows: (windows, input_steps) prices, of which the last is P.
        steps: ahead.
        drift: mean log-return per day.
        volatility: standard deviation of the log-return per day.

    Returns:
        (windows, steps)
    """
    return windows[:, -1:] * np.exp(np.arange(1, steps + 1) * (drift + volatility**2 / 2))


# For forecast.py: series as an analyst brings them


WEEKDAYS = np.log([0.9, 0.85, 0.9, 1.0, 1.2, 1.4, 0.75])  # Monday to Sunday
MEMORY, SHOCK = 0.8, 0.1  # of the logarithm of a shop's sales around what its calendar says


def shops(
    seed: int, number: int = 100, days: int = 1096, ahead: int = 28
) -> tuple[dict[str, pd.DataFrame], dict[str, np.ndarray]]:
    """Return the daily sales of shops, and what their law says of each day.

    log sales_t = law_t + u_t, u_t = 0.8 u_{t-1} + N(0, 0.1), where law_t is the shop's size, its
    week, its year and its promotions.

    Args:
        seed: of all shops.
        number: of shops.
        days: of each shop, at most; a fifth of the shops opened later.
        ahead: days to come whose promotions are known.

    Returns:
        by shop the columns sales (missing in the days to come) and promotion (0 or 1), and the
        law (days + ahead,) of the logarithm.
    """
    rng = np.random.default_rng(seed)
    frames, laws = {}, {}
    for shop in range(number):
        opened = rng.integers(days // 3, 2 * days // 3) if rng.random() < 0.2 else 0
        times = pd.date_range("2022-01-01", periods=days + ahead, freq="D", name="time")[opened:]
        promotion = promotions(rng, len(times))
        year = 2 * np.pi * (times.day_of_year.to_numpy() - 1) / 365.25
        law = rng.normal(5, 0.6) + (WEEKDAYS + rng.normal(0, 0.05, 7))[times.day_of_week]
        law = law + 0.1 * np.sin(year) + rng.normal(0.35, 0.05) * promotion
        u = ar1(rng.normal(0, SHOCK, len(times)), MEMORY)
        sales = np.exp(law + u)
        sales[len(times) - ahead :] = np.nan
        name = f"shop {shop + 1:03d}"
        frames[name] = pd.DataFrame({"sales": sales, "promotion": promotion}, times)
        laws[name] = law
    return frames, laws


def ar1(shocks, memory):
    """Return u_t = memory u_{t-1} + shock_t."""
    from scipy.signal import lfilter

    return lfilter([1.0], [1.0, -memory], shocks)


def promotions(rng, days, share=0.15):
    """Return 0 or 1 for each day: promotions of 3 to 8 days, about `share` of all days."""
    promotion = np.zeros(days)
    for start in np.flatnonzero(rng.random(days) < share / 5.5):
        promotion[start : start + rng.integers(3, 9)] = 1.0
    return promotion


def optimal_sales(last_sales: np.ndarray, last_law: np.ndarray, law: np.ndarray) -> np.ndarray:
    """Forecast sales as well as anyone could who knows the shop's law: their mean.

    u fades as 0.8^h, and what shocks add until then has the variance
    0.01 (1 - 0.8^(2h)) / (1 - 0.8^2), half of which belongs to the logarithm of the mean.

    Args:
        last_sales: (windows,), the last day known.
        last_law: (windows,), what the law says of it.
        law: (windows, horizon), what it says of the days to come.

    Returns:
        (windows, horizon)
    """
    steps = np.arange(1, law.shape[1] + 1)
    fading = MEMORY**steps
    variance = SHOCK**2 * (1 - fading**2) / (1 - MEMORY**2)
    return np.exp(law + fading * (np.log(last_sales) - last_law)[:, None] + variance / 2)


class OptimalSales:
    """The best possible forecaster of the shops.

    Args:
        law: by shop, of the logarithm, as `shops` returns it.
    """

    def __init__(self, law: dict[str, np.ndarray]):
        self.law = law

    def __call__(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts, (windows, horizon)."""
        rows = np.full(len(panel.values), np.nan)
        for name, start in zip(panel.names, panel.start, strict=True):
            rows[start : start + len(self.law[name])] = self.law[name]
        ahead = rows[origins[:, None] + np.arange(panel.horizon)]
        return optimal_sales(panel.filled[origins - 1, 0], rows[origins - 1], ahead)
