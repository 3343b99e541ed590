"""Measures of forecasts, and what chance alone would do."""

from utils.series.backtest import mean_by_step, p_value, same_error_p_value, scores
from utils.series.panel import Panel

import numpy as np
import pytest
from frames import rows
from scipy.signal import lfilter


def test_by_hand():
    panel = Panel({"": rows(np.r_[np.arange(20.0), 25.0])}, 4, 2, held_back=(2, 2))
    found = scores(panel, panel.end - 2, {"flat": np.array([[18.0, 18.0]])})["flat"]  # 19, 25
    assert found["by_step"] == {"mae": [1, 7], "rmse": [1, 7]}
    assert found["mae"] == 4 and found["rmse"] == pytest.approx(5)
    assert found["mase"] == 4  # the train part rises by 1 from row to row
    assert found["smape"] == pytest.approx((200 / 37 + 200 * 7 / 43) / 2)


def test_what_is_missing_does_not_count():
    values = np.arange(40.0)
    values[37] = np.nan
    panel = Panel({"": rows(values)}, 4, 3, held_back=(4, 4))
    origins = panel.origins("test")  # 36, 37, 38, 39
    found = scores(panel, origins, {"zero": np.zeros((4, 3))})["zero"]
    assert found["by_step"]["mae"] == [(36 + 38 + 39) / 3, (38 + 39) / 2, (38 + 39) / 2]
    assert mean_by_step(np.array([[1.0, np.nan], [3.0, np.nan]])) == [2, None]
    assert scores(panel, origins, {"exact": panel.targets(origins)})["exact"]["smape"] == 0


def white(rng, n):
    return rng.normal(size=n)


def lag_1(rng, n):
    """AR(1) of 0.36, as from hour to hour in Greensboro."""
    return lfilter([1], [1, -0.36], rng.normal(size=n + 200))[200:]


def lag_24(rng, n):
    """A correlation of 0.35 at lag 24, as from day to day in Greensboro."""
    return lfilter([1], [1, *[0] * 23, -0.35], rng.normal(size=n + 500))[500:]


@pytest.mark.parametrize("differences", [white, lag_1, lag_24])
@pytest.mark.parametrize("n", [300, 1314])
def test_chance_is_taken_for_a_difference_as_often_as_the_p_value_says(differences, n):
    """At 5 %, of two forecasts that are equally good, between 3 and 8 % are told apart."""
    rng = np.random.default_rng(0)
    wrong = sum(p_value(differences(rng, n), 24) < 0.05 for _ in range(2000))
    assert 0.03 < wrong / 2000 < 0.08


def test_a_difference_is_found():
    rng = np.random.default_rng(0)
    noise = lag_1(rng, 1000)
    assert p_value(noise + 0.3, 24) < 0.01 and p_value(noise, 24) > 0.05
    assert p_value(np.zeros(100), 1) == p_value(np.full(1, 3.0), 1) == 1
    assert p_value(np.r_[noise, np.nan] + 0.3, 24) == p_value(noise + 0.3, 24)


def test_squares_tell_what_absolute_errors_do_not():
    panel = Panel({"": rows(np.zeros(300))}, 4, 1, held_back=(50, 200))
    ours, theirs = np.ones((200, 1)), np.random.default_rng(0).permutation([[0.0], [2.0]] * 100)
    same = (same_error_p_value(panel, panel.origins("test"), (ours, theirs), 1, p) for p in (1, 2))
    assert next(same) > 0.5 and next(same) < 0.001


def test_of_many_series_series_are_what_is_drawn_by_chance():
    """Errors that all origins of a series share are one accident, not a hundred."""
    rng = np.random.default_rng(0)
    frames = {str(i): rows(rng.normal(0, 0.01, 200)) for i in range(30)}
    theirs, shared = np.full((3000, 1), 9.0), np.repeat(rng.normal(0.2, 1, 30), 100)
    many = Panel(frames, 4, 1, held_back=(50, 100))
    ours = theirs + shared[:, None]
    assert same_error_p_value(many, many.origins("test"), (ours, theirs), 1) > 0.05
    few = Panel({name: frames[name] for name in "01"}, 4, 1, held_back=(50, 100))
    assert same_error_p_value(few, few.origins("test"), (ours[:200], theirs[:200]), 1) < 0.05
