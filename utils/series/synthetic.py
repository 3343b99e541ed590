"""Seeded generators, each beside the best possible predictor for its law.

No model can do better on average than the mean of a coming value given the window: the
Bayes-optimal predictor under squared error. Here the law is known, so that the mean can be worked
out, and a network's error has something to be measured against other than zero.
"""

from __future__ import annotations

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
