"""Simulated hours of temperature, beside the best possible forecast of them (see `sine`)."""

import numpy as np
import pandas as pd

DAY = 24  # hours


def simulated(seed: int, hours: int = 8760, noise: float = 2.0) -> pd.Series:
    """Return a year of hours: 10 + 15 sin(2 pi h / 24) + N(0, noise) °C.

    It begins on 2025-01-01 at 09:00, h = 0, so that days are warmest at 15:00.
    """
    h = np.arange(hours)
    values = _clean(h) + np.random.default_rng(seed).normal(0, noise, hours)
    times = pd.date_range("2025-01-01T09:00", periods=hours, freq="h", name="time")
    return pd.Series(values, times, name="temperature")


def _clean(h):
    return 10 + 15 * np.sin(2 * np.pi * h / DAY)


def optimal(windows: np.ndarray, steps: int = 1, noise: float = 2.0) -> np.ndarray:
    """Forecast the next hours as well as anyone could who knows all but the time of day.

    A window begins at one of 24 hours h, all equally likely before it is seen. By Bayes, P(h |
    window) is proportional to exp(-sum_t (window_t - law_{h+t})^2 / (2 noise^2)), and the forecast
    is the mean of the law under it, from windows (windows, input_steps) to (windows, steps), in °C.
    """
    from scipy.special import softmax

    input_steps = windows.shape[1]
    hours = np.arange(DAY)[:, None]
    past = _clean(hours + np.arange(input_steps))  # (24, input_steps)
    future = _clean(hours + np.arange(input_steps, input_steps + steps))
    # (w - l)^2 = w^2 - 2 w l + l^2, and w^2 is the same for every hour
    log_likelihood = (windows @ past.T - np.square(past).sum(axis=1) / 2) / noise**2
    return softmax(log_likelihood, axis=1) @ future
