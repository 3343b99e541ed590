"""What a network has to beat."""

from utils.series import baselines, many
from utils.series.panel import Panel

import numpy as np
import pandas as pd
import pytest
from frames import days, rows
from scipy.signal import lfilter


def test_the_last_value_the_last_season_and_the_mean_are_repeated():
    panel = Panel({"": rows(np.tile([1.0, 2.0, 3.0], 10)[:-1])}, 6, 5, season=3)
    assert baselines.persistence(panel, panel.end).tolist() == [[2] * 5]
    assert baselines.seasonal_naive(panel, panel.end).tolist() == [[3, 1, 2, 3, 1]]
    assert many.window_mean(panel, panel.end).tolist() == [[2] * 5]
    assert many.zero(panel, panel.end).tolist() == [[0] * 5]
    panel = Panel({"": rows(np.arange(9.0))}, 6, 2, season=4_320_000)
    assert baselines.seasonal_naive(panel, panel.end).tolist() == [[8] * 2]  # not a season yet


def test_a_gap_is_filled_from_the_season_before_but_not_from_another_series():
    values = np.tile([1.0, 2.0, 3.0], 10)
    values[-2] = np.nan
    panel = Panel({"": rows(values)}, 6, 5, season=3)
    assert baselines.seasonal_naive(panel, panel.end).tolist() == [[1, 2, 3, 1, 2]]
    young = np.r_[[100.0, np.nan, 102.0], np.arange(103.0, 110)]
    panel = Panel({"a": rows(np.arange(12.0)), "b": rows(young)}, 4, 3, season=3)
    found = baselines.seasonal_naive(panel, panel.start + 3)
    assert found.tolist() == [[0, 1, 2], [100, 102, 102]]
    assert baselines.seasonal_naive(panel, panel.start + 2).tolist()[1] == [100] * 3


@pytest.mark.parametrize("name", ["persistence", "seasonal_naive", "zero", "mean", "linear"])
def test_no_baseline_sees_what_comes(name):
    values = np.random.default_rng(0).poisson(0.7, 200).astype(float)
    panel = Panel({"": days(values)}, 8, 12)
    rivals = many.simple(panel) | {"linear": baselines.Linear(panel)}
    at = panel.origins("test")[:1]
    before = rivals[name](panel, at)
    values[at[0] - panel.start[0] :] = 99.0
    later = Panel({"": days(values)}, 8, 12)
    np.testing.assert_array_equal(rivals[name](later, at), before)


def test_linear_finds_the_law_of_an_autoregression():
    """AR(2): the best forecast one and two steps ahead, from its own coefficients."""
    values = lfilter([1], [1, -1.2, 0.5], np.random.default_rng(0).normal(size=6000)) + 50
    panel = Panel({"": rows(values)}, 6, 2)
    origins = panel.origins("test", 2)
    x1, x2 = values[origins - panel.start[0] - 1] - 50, values[origins - panel.start[0] - 2] - 50
    one = 1.2 * x1 - 0.5 * x2
    best = 50 + np.stack([one, 1.2 * one - 0.5 * x1], axis=1)
    error = baselines.Linear(panel)(panel, origins) - best
    assert np.sqrt(np.mean(error**2)) < 0.1  # the noise is 1


def test_linear_reads_what_is_known_of_the_row_to_come_and_other_columns():
    times = pd.date_range("2024-01-01", periods=601, freq="h")
    rng = np.random.default_rng(0)
    other, known = rng.normal(size=(2, 601))
    values = 10 * np.cos(2 * np.pi * times.hour / 24) + 3 * np.roll(other, 1) + 5 * known
    frame = pd.DataFrame({"y": values, "x": other, "known": known}, times)
    frame.iloc[600, :2] = np.nan
    panel = Panel({"": frame}, 3, 1, known=["known"])
    origins = panel.origins("test")
    error = baselines.Linear(panel)(panel, origins)[:, 0] - panel.targets(origins)[:, 0]
    assert np.abs(error).max() < 0.05


def test_linear_of_a_short_series_repeats_its_last_step():
    panel = Panel({"": rows(np.sin(np.arange(80.0)))}, 4, 200)
    found = baselines.Linear(panel)(panel, panel.end)
    assert found.shape == (1, 200) and (found[:, 60:] == found[:, 60:61]).all()


def test_prices_are_forecast_by_their_logarithms():
    panel = Panel({"": rows(np.exp(0.05 * np.arange(200)))}, 4, 3, log=True)
    found = baselines.Linear(panel)(panel, panel.end)
    np.testing.assert_allclose(found, [np.exp(0.05 * np.arange(200, 203))], rtol=0.01)
