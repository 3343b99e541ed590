"""The forecasts that cost nothing, and that a network must beat."""

from pathlib import Path

import numpy as np
import pandas as pd

WEATHER = Path(__file__).parents[2] / "data" / "weather_greensboro.csv"
SEASON, AHEAD = 24, 48  # hours


def persistence(past, steps):
    """Return a forecast of `steps` values: the last value, again and again."""
    raise NotImplementedError


def seasonal_naive(past, steps, season):
    """Return a forecast of `steps` values: the last season, again and again.

    Args:
        past: (time,), the values so far, oldest first.
        steps: how many to forecast; may be more than a season, or less.
        season: steps per season, such as 24 hours.
    """
    raise NotImplementedError


def mean_errors(forecast):
    """Return the mean absolute error of a forecast by hours ahead, (AHEAD,), in °C.

    Args:
        forecast: (past, steps) -> (steps,).
    """
    values = pd.read_csv(WEATHER)["temperature"].to_numpy()
    origins = range(7446, len(values) - AHEAD, 7)  # in the last 15 % of the year
    errors = [forecast(values[:t], AHEAD) - values[t : t + AHEAD] for t in origins]
    return np.abs(errors).mean(axis=0)


if __name__ == "__main__":
    table = {
        "persistence": mean_errors(persistence),
        "seasonal naive": mean_errors(lambda past, steps: seasonal_naive(past, steps, SEASON)),
    }
    hours = [1, 3, 6, 12, 24, 48]
    print(pd.DataFrame(table, range(1, AHEAD + 1)).loc[hours].round(2).rename_axis("hours ahead"))
