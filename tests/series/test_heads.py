"""Linear heads for many series, at any level and in any unit."""

import json

from utils.series.boosting import Boosting
from utils.series.heads import LinearHeads, linear_heads
from utils.series.panel import Panel

import numpy as np
import pytest
from frames import days

WEEK = 60 * np.sin(np.arange(300) * 2 * np.pi / 7)
NOISE = np.random.default_rng(0).normal(0, 5, 300)


def test_trees_know_the_week_at_any_level():
    for level, unit in ((2e9, 1), (0, 1e21)):
        panel = Panel({"": days(level + unit * (WEEK + NOISE))}, 14, 7)
        origins = panel.origins("test", 7)
        error = Boosting(panel)(panel, origins) - panel.targets(origins)
        assert np.abs(error).mean() < 10 * unit  # the noise alone has 4


def test_they_take_logarithms_where_these_follow_a_law():
    swings = [np.sin(2 * np.pi * np.arange(300) / period) for period in (7.3, 4.6)]
    panel = Panel({"": days(np.exp(1.5 * swings[0] + swings[1]))}, 14, 3)
    origins = panel.origins("test", 3)
    share = linear_heads(panel)(panel, origins) / panel.targets(origins)
    np.testing.assert_allclose(share, 1, atol=0.05)  # without logarithms, 0.6 on average


def test_they_know_a_line_and_what_is_known():
    promotion = np.random.default_rng(0).integers(0, 2, 303).astype(float)
    values = 50 + 10 * np.sin(2 * np.pi * np.arange(303) / 7) + 5 * promotion
    values[300:] = np.nan
    panel = Panel({"": days(values, promotion=promotion)}, 14, 3, known=["promotion"])
    origins = panel.origins("test", 3)
    error = np.abs(linear_heads(panel)(panel, origins) - panel.targets(origins))
    assert error.max() < 0.5  # without promotion: about 2.5


def test_of_rare_demands_the_median_is_forecast():
    values = np.where(np.random.default_rng(0).random(400) < 0.2, 3.0, 0.0)
    panel = Panel({"": days(values)}, 28, 7)
    np.testing.assert_allclose(linear_heads(panel)(panel, panel.end), 0, atol=1e-9)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("rows", "value"), [((30, 110), np.nan), ((140, 170), np.nan), ((4, 160), 0)]
)
def test_where_a_stretch_is_empty_or_zero_the_rest_judges(rows, value):
    values = 50 + WEEK[:200]
    values[slice(*rows)] = value  # all of a fold, all of validation, all that is learned from
    panel = Panel({"": days(values)}, 16, 5)
    error = linear_heads(panel)(panel, panel.end) - 50 - WEEK[200:205]
    assert np.abs(error).max() < 120  # the week's swing


def test_they_never_see_the_test_part():
    frames = {name: days(100 + WEEK + NOISE[::turn]) for name, turn in (("a", 1), ("b", -1))}
    panel = Panel(frames, 14, 7)
    other = {name: frame.copy() for name, frame in frames.items()}
    for frame in other.values():
        frame.iloc[255:] = -1e3  # also below zero, so that logarithms would be impossible
    later = Panel(other, 14, 7)
    origins = panel.origins("test")[:1]
    np.testing.assert_array_equal(
        linear_heads(later)(later, origins), linear_heads(panel)(panel, origins)
    )


def test_a_feature_that_stands_still_while_they_learn_changes_nothing():
    x = np.r_[np.ones(260), 5 * np.ones(40)]
    plain, panel = (Panel({"": days(WEEK + NOISE, **columns)}, 14, 7) for columns in ({}, {"x": x}))
    found = linear_heads(panel)(panel, panel.end)
    np.testing.assert_allclose(found, linear_heads(plain)(plain, plain.end), rtol=1e-4)


def test_what_is_saved_says_the_same():
    x = {"x": np.random.default_rng(1).normal(9, 2, 300)}
    frames = {"a": days(2e9 + WEEK + NOISE, **x), "b": days(7 + NOISE, **x)}
    panel = Panel(frames, 14, 7)
    heads = linear_heads(panel)
    again = LinearHeads.of_facts(json.loads(json.dumps(heads.facts())))
    np.testing.assert_array_equal(again(panel, panel.end), heads(panel, panel.end))
