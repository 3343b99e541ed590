"""Small series that the tests of this wing share."""

import numpy as np
import pandas as pd


def days(values, start="2024-01-01", **columns):
    """Return a frame of days; 2024-01-01 was a Monday."""
    times = pd.date_range(start, periods=len(values), freq="D", name="time")
    return pd.DataFrame({"y": np.asarray(values, float), **columns}, times)


def rows(values, **columns):
    """Return a frame of counted rows."""
    index = pd.RangeIndex(len(values), name="row")
    return pd.DataFrame({"y": np.asarray(values, float), **columns}, index)
