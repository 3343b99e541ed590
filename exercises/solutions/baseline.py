import numpy as np


def persistence(past, steps):
    """Return a forecast of `steps` values: the last value, again and again."""
    return np.full(steps, past[-1])


def seasonal_naive(past, steps, season):
    """Return a forecast of `steps` values: the last season, again and again."""
    return np.resize(past[-season:], steps)
