"""Simulated prices, a random walk, beside the best possible forecast of them (see `sine`)."""

import numpy as np
import pandas as pd


def simulated(
    days: int, seed: int, drift: float = 0.0003, volatility: float = 0.015, start: float = 100.0
) -> pd.Series:
    """Return a geometric random walk on business days: its log-returns are N(drift, volatility)."""
    returns = np.random.default_rng(seed).normal(drift, volatility, days - 1)
    prices = start * np.exp(np.concatenate([[0.0], np.cumsum(returns)]))
    return pd.Series(prices, pd.bdate_range("2020-01-01", periods=days, name="time"), name="price")


def optimal(windows: np.ndarray, steps: int, drift: float, volatility: float) -> np.ndarray:
    """Forecast P exp(t (drift + volatility^2 / 2)), t = 1 ... steps, from P, the last price.

    What came before P is no help: from windows (windows, input_steps) to (windows, steps).
    """
    return windows[:, -1:] * np.exp(np.arange(1, steps + 1) * (drift + volatility**2 / 2))
