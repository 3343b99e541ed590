"""Seeded generators, each beside the best possible one-step predictor for its law.

No model can do better on average than the mean of the next value given the window: the
Bayes-optimal predictor under squared error. Here the law is known, so that the mean can be worked
out, and a network's error has something to be measured against other than zero.
"""

import utils  # noqa: F401  keeps TensorFlow's start-up lines off the screen

import numpy as np
import pandas as pd
from scipy.special import softmax

SINE_STEP = 0.1  # radians per step
DAY = 24  # hours
CHUNK = 5_000  # windows at once


def clean_sine(t: np.ndarray) -> np.ndarray:
    """Return sin(0.1 t): one period is 62.8 steps."""
    return np.sin(SINE_STEP * np.asarray(t))


def noisy_sine(steps: int, seed: int, noise: float = 0.1) -> pd.Series:
    """Return y_t = sin(0.1 t) + N(0, noise), t = 0 ... steps - 1."""
    values = clean_sine(np.arange(steps)) + np.random.default_rng(seed).normal(0, noise, steps)
    return pd.Series(values, pd.RangeIndex(steps, name="time"), name="y")


def optimal_sine(windows: np.ndarray, noise: float = 0.1, horizon: int = 1) -> np.ndarray:
    """Forecast the noisy sine as well as anyone could who knows all but where the window begins.

    The phase is uniform on the circle before the window is seen; after it, `_posterior_mean`.

    Args:
        windows: (windows, input_steps)
        noise: standard deviation, as in `noisy_sine`.
        horizon: steps ahead of the window's last value.

    Returns:
        (windows,)
    """
    phases = np.linspace(0, 2 * np.pi, 720, endpoint=False)  # half a degree apart

    def law(t):
        return np.sin(phases[:, None] + SINE_STEP * t)

    return _posterior_mean(windows, noise, law, horizon)


def hourly_temperature(seed: int, hours: int = 8760, noise: float = 2.0) -> pd.Series:
    """Return a year of hours: 10 + 15 sin(2 pi h / 24) + N(0, noise) °C, from 2025-01-01T00:00."""
    h = np.arange(hours)
    values = _clean_temperature(h) + np.random.default_rng(seed).normal(0, noise, hours)
    times = pd.date_range("2025-01-01", periods=hours, freq="h", name="time")
    return pd.Series(values, times, name="temperature")


def _clean_temperature(h):
    return 10 + 15 * np.sin(2 * np.pi * h / DAY)


def optimal_temperature(windows: np.ndarray, noise: float = 2.0) -> np.ndarray:
    """Forecast the next hour as well as anyone could who knows all but the time of day.

    A window begins at one of 24 hours, all equally likely before it is seen; after it,
    `_posterior_mean`.

    Args:
        windows: (windows, input_steps), °C.
        noise: standard deviation in °C, as in `hourly_temperature`.

    Returns:
        (windows,), °C.
    """

    def law(t):
        return _clean_temperature(np.arange(DAY)[:, None] + t)

    return _posterior_mean(windows, noise, law)


def _posterior_mean(windows, noise, law, horizon=1):
    """Return E[next value | window] where the window is law(t)[k] + N(0, noise) for an unknown k.

    By Bayes, with every k equally likely before: P(k | window) is proportional to
    exp(-sum_t (window_t - law_t[k])^2 / (2 noise^2)), and the mean is that of law(next) under it.
    """
    input_steps = windows.shape[1]
    past = law(np.arange(input_steps))  # (k, input_steps)
    future = law(np.array([input_steps + horizon - 1]))[:, 0]  # (k,)
    forecasts = []
    for chunk in np.array_split(windows, -(-len(windows) // CHUNK)):
        # (w - l)^2 = w^2 - 2 w l + l^2, and w^2 is the same for every k
        log_likelihood = (chunk @ past.T - np.square(past).sum(axis=1) / 2) / noise**2
        forecasts.append(softmax(log_likelihood, axis=1) @ future)
    return np.concatenate(forecasts)


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


def optimal_price(last_price: np.ndarray, drift: float, volatility: float) -> np.ndarray:
    """Forecast the next price, P exp(drift + volatility^2 / 2): what came before P is no help."""
    return last_price * np.exp(drift + volatility**2 / 2)
