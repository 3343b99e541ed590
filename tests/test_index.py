from utils.series.index import (
    calendar,
    calendar_names,
    future_index,
    pace,
    season,
    span,
    step,
    usual_step,
    week,
    zone,
)

import numpy as np
import pandas as pd
import pytest


def test_calendar():
    index = pd.DatetimeIndex(["2001-01-01 06:00", "2001-01-01 18:30"])
    names = ["hour_sin", "hour_cos", "year_sin", "year_cos"]
    hour, year = (
        2 * np.pi * np.array([6, 18.5]) / 24,
        2 * np.pi * np.array([0.25, 18.5 / 24]) / 365.2425,
    )
    expected = np.stack([np.sin(hour), np.cos(hour), np.sin(year), np.cos(year)], axis=1)
    np.testing.assert_allclose(calendar(index, names), expected, atol=1e-12)
    assert calendar(index, []).shape == (2, 0)


def test_future_of_a_count():
    assert future_index(pd.RangeIndex(10, 40, 10), 2).tolist() == [40, 50]
