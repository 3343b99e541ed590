"""Simulated shops, for forecast.py: seeded, beside the best possible forecaster of their law."""

import dataclasses

from utils.series.panel import Panel

import numpy as np
import pandas as pd

WEEKDAYS = np.log([0.9, 0.85, 0.9, 1.0, 1.2, 1.4, 0.75])  # Monday to Sunday
MEMORY, SHOCK = 0.8, 0.1  # of the logarithm of a shop's sales around what its calendar says


def simulated(
    seed: int, number: int = 100, days: int = 1096, ahead: int = 28
) -> tuple[dict[str, pd.DataFrame], dict[str, np.ndarray]]:
    """Return the daily sales of shops, and what their law says of each day.

    log sales_t = law_t + u_t, u_t = 0.8 u_{t-1} + N(0, 0.1), where law_t is the shop's size, its
    week, its year and its promotions.

    A fifth of the shops opened later than `days` ago; of the days `ahead`, promotions are known.

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


def promotions(rng, days):
    """Return 0 or 1 for each day: promotions of 3 to 8 days, about 15 % of all days."""
    promotion = np.zeros(days)
    for start in np.flatnonzero(rng.random(days) < 0.15 / 5.5):
        promotion[start : start + rng.integers(3, 9)] = 1.0
    return promotion


@dataclasses.dataclass
class Optimal:
    """The best possible forecaster: the mean of a shop's sales, by its law as `simulated` has it.

    u fades as 0.8^h, and what shocks add until then has the variance
    0.01 (1 - 0.8^(2h)) / (1 - 0.8^2), half of which belongs to the logarithm of the mean.
    """

    laws: dict[str, np.ndarray]

    def __call__(self, panel: Panel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts, (windows, horizon)."""
        law = np.full(len(panel.values), np.nan)
        for name, start in zip(panel.names, panel.start, strict=True):
            law[start : start + len(self.laws[name])] = self.laws[name]
        fading = MEMORY ** np.arange(1, panel.horizon + 1)
        variance = SHOCK**2 * (1 - fading**2) / (1 - MEMORY**2)
        u = np.log(panel.filled[origins - 1, 0]) - law[origins - 1]
        ahead = law[origins[:, None] + np.arange(panel.horizon)]
        return np.exp(ahead + fading * u[:, None] + variance / 2)
