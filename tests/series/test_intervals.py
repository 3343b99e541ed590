"""Conformal intervals: by hand, and how often they hold."""

from utils.series.intervals import Conformal, extended, independent, widened
from utils.series.panel import Panel

import numpy as np
import pytest
from frames import rows
from scipy.signal import lfilter

LEVELS = (0.9,)


def panel_of(values, horizon, **settings):
    return Panel({"": rows(values)}, 4, horizon, **settings)


def parts(panel):
    val, test = panel.origins("val"), panel.origins("test")
    return np.concatenate([val, test]), len(val)


def around_zero(windows, horizon, half=0.0):
    return np.zeros((windows, horizon, 2)) + np.array([-half, half])


def test_split_conformal_by_hand():
    """Of 19 errors, the 18th: the next one is below it with a probability of 18 / 20."""
    errors = np.random.default_rng(0).permutation(np.arange(1.0, 20))
    panel = panel_of(np.r_[np.tile([0.0, 1.0], 40), errors, [0.0]], 1, held_back=(19, 1))
    origins = panel.origins("val")
    found = Conformal(panel, origins, around_zero(19, 1), LEVELS, 19)
    assert panel.error_size[0] == 1
    # the step after the validation part: it is 1 before the end
    assert found.at(-1, np.array([[0.9]])).tolist() == [[18]]
    assert found.at(-2, np.array([[0.9]]))[0, 0] >= 18  # one fewer is known
    assert found.at(-1, np.array([[0.5]])).tolist() == [[10]]


def test_an_interval_knows_no_error_whose_steps_are_still_to_come():
    values = np.tile([0.0, 1.0, 0.0, 1.0], 50)
    values[180] = 100.0  # in the test part, from 170 on
    panel = panel_of(values, 10)
    both, validated = parts(panel)
    found = Conformal(panel, both, around_zero(len(both), 10), LEVELS, validated)
    largest = np.full((1, 10), 0.999)
    assert found.at(180 - 200, largest).max() == 1  # at origin 180, row 180 is to come
    assert found.at(181 - 200, largest).min() == found.at(0, largest).min() == 100


def test_windows_that_overlap_widen_the_interval():
    """100 windows of 10 steps that share most of what is in them count as about twelve."""
    panel = panel_of(np.arange(1000.0) % 100, 10)
    origins = panel.start[0] + np.arange(500, 600)
    found = Conformal(panel, origins, around_zero(100, 10), LEVELS, 100)
    for step, now, expected in ((0, -400, 90), (9, -391, 96)):  # as soon as all have come
        correction = found.at(now, np.full((1, 10), 0.9))[0, step]
        assert correction * panel.error_size[0] == pytest.approx(expected)


@pytest.mark.parametrize("louder", [1, 2])
def test_they_hold_also_when_the_noise_grows(louder):
    size = np.where(np.arange(20_000) < 17_000, 1, louder)  # the test part begins there
    panel = panel_of(np.random.default_rng(0).normal(0, size), 10)
    both, validated = parts(panel)
    bounds = around_zero(len(both), 10, half=0.3)
    rolled, corrections = Conformal(panel, both, bounds, LEVELS, validated).rolling()
    test = both[validated:]
    lower, upper = np.moveaxis(widened(panel, test, bounds[validated:], rolled, False), -1, 0)
    late, actual = test >= test[-1000], panel.targets(test)
    held = np.where(np.isfinite(actual), (lower <= actual) & (actual <= upper), np.nan)
    np.testing.assert_allclose(np.nanmean(held[late], axis=0), 0.9, atol=0.04)
    width = 0.3 + corrections[0] * panel.error_size[0]
    np.testing.assert_allclose(width, louder * 1.645, rtol=0.1)


def test_values_that_overlap_count_as_fewer():
    white = np.random.default_rng(0).normal(size=5000)
    assert independent(white, 1) == 5000
    assert independent(white, 10) == pytest.approx(5000, rel=0.2)
    same = np.repeat(white[:500], 10)
    assert 500 < independent(same, 10) < 1000
    smooth = lfilter([0.01], [1, -0.99], white)
    assert independent(smooth, 10) == pytest.approx(500, rel=0.1)  # at worst
    assert independent(np.ones(30), 10) == 3 and independent(white[:15], 10) == 1.5


def test_beyond_what_was_measured_errors_grow_on():
    as_root = np.sqrt(np.arange(1, 9.0))
    np.testing.assert_allclose(extended(np.array([as_root]), 16)[0, -1], 4, rtol=1e-6)
    for known, expected in (
        ([1.0, 1, 1, 1], [1] * 9),
        ([1, np.nan, 3, np.nan], [1, 2, 3]),
        ([np.nan], [0, 0]),
        ([5.0, 1], [5]),
    ):
        assert extended(np.array([known]), len(expected)).tolist() == [expected]


@pytest.mark.parametrize("log", [False, True])
def test_bounds_stay_in_order_and_above_what_the_series_never_is_below(log):
    panel = panel_of(1 + np.arange(100) % 2, 3)
    bounds = np.array([[[3.0, 2.0], [3.0, 3.0], [1.0, 5.0]]])
    found = widened(panel, panel.end, bounds, [[9.0, 9.0, -9.0]], log)
    assert (np.diff(found, axis=-1) >= 0).all() and found.min() >= 0
    size = panel.error_size[0] / (panel.size[0] if log else 1)
    assert found[0, 1, 1] == pytest.approx(3 * np.exp(9 * size) if log else 3 + 9 * size)
    lower, upper = widened(panel, panel.end, np.full((1, 1, 2), 8.0), [[0.5]], log)[0, 0]
    assert upper > 8 and (upper / 8 if log else upper - 8) == pytest.approx(
        8 / lower if log else 8 - lower
    )
