"""The long array: windows, parts, what is known beforehand, what is taken from the train part."""

from utils import InputError
from utils.series.calendar import WEEKDAYS
from utils.series.panel import PARTS, Panel, evenly, typical_change

import numpy as np
import pytest
from frames import days, rows
from hypothesis import given, settings
from hypothesis import strategies as st


def two(**settings):
    """Two series of 40 and 20 days, 0, 1, 2, ... and 100, 101, ..., windows of 4, 3 ahead."""
    frames = {"a": days(np.arange(40)), "b": days(100 + np.arange(20.0), "2024-02-01")}
    return Panel(frames, 4, 3, season=2, **settings)


def test_windows_and_targets_lie_around_the_origin_and_in_one_series():
    panel = two()
    assert panel.windows(panel.start[1:] + 5).tolist() == [[101, 102, 103, 104]]
    assert panel.targets(panel.start[1:] + 5).tolist() == [[105, 106, 107]]
    ends = np.array([panel.end[0], panel.start[1], panel.end[1]])
    assert panel.series_of(ends).tolist() == [0, 1, 1]
    assert panel.series(1).tolist() == list(range(100, 120))
    assert str(panel.series(1).index[-1].date()) == "2024-02-20"
    window = panel.windows(panel.start + 1)
    assert window[:, -1].tolist() == [0, 100] and np.isnan(window[:, :-1]).all()
    assert np.isnan(panel.targets(panel.end)).all()
    last = panel.times[panel.end + 2].strftime("%Y-%m-%d")
    assert last.tolist() == ["2024-02-12", "2024-02-23"]


@settings(max_examples=50)
@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    input_steps=st.integers(1, 9),
    horizon=st.integers(1, 9),
    short=st.booleans(),
)
def test_origins_lie_in_their_part_with_all_their_steps(lengths, input_steps, horizon, short):
    frames = {str(i): rows(100 * i + np.arange(n)) for i, n in enumerate(lengths)}
    panel = Panel(frames, input_steps, horizon, short_windows=short)
    borders = [panel.start, *panel.borders.T, panel.end]
    spans = [*zip(PARTS, borders[:-1], borders[1:], strict=True), ("all", borders[0], borders[3])]
    for part, begin, end in spans:
        origins = panel.origins(part, horizon)
        series = panel.series_of(origins)
        assert (begin[series] <= origins).all() and (origins + horizon <= end[series]).all()
        assert part == "all" or np.isfinite(panel.targets(origins)).all()
        windows = panel.windows(origins)
        assert (np.diff(windows, axis=1)[np.isfinite(windows[:, :-1])] == 1).all()
        assert short or np.isfinite(windows).all()
    if not short:
        expected = np.maximum(panel.end - panel.start - input_steps, 0).sum()
        assert sum(len(panel.origins(part)) for part in PARTS) == expected


def test_parts_have_their_shares_and_no_target_past_their_end():
    panel = Panel({"": rows(np.arange(1000))}, 24, 3)
    train, val, test = (panel.origins(p) - panel.start[0] for p in PARTS)
    assert (train[0], val[0], test[0], test[-1]) == (24, 700, 850, 999)
    last = panel.origins("train")[-1:]
    np.testing.assert_array_equal(panel.targets(last), [[699, np.nan, np.nan]])
    panel = two(short_windows=True, held_back=(6, 5))
    assert (panel.borders[:, 0] - panel.start).tolist() == [40 - 11, 20 - 11]


# ------------------------------------------------------------------ what is known beforehand


def test_known_columns_reach_into_the_future_and_are_zero_on_closed_days():
    frame = days(np.r_[np.arange(20.0), [np.nan] * 3], promotion=np.arange(23.0))
    frame.loc["2024-01-08"] = np.nan
    panel = Panel({"a": frame}, 4, 3, known=["promotion"])
    assert panel.end[0] - panel.start[0] == 20
    assert panel.coming(panel.end + np.arange(3))[:, -1].tolist() == [20, 21, 22]
    assert panel.coming(panel.start + np.arange(6, 9))[:, -1].tolist() == [6, 0, 8]


def test_each_row_has_the_calendar_of_its_time():
    frames = {"a": days(np.arange(40)), "b": days(np.arange(30), "2024-01-06")}
    panel = Panel(frames, 4, 3)
    assert panel.calendar_names == [f"weekday {day}" for day in WEEKDAYS]
    at = np.array([panel.start, panel.end - 1, panel.end + 2])
    monday, saturday = (0, 39 % 7, 42 % 7), (5, (5 + 29) % 7, (5 + 32) % 7)
    known = panel.coming(at)
    assert known.shape == (3, 2, 7) and (known.sum(axis=-1) == 1).all()
    assert known.argmax(axis=-1).T.tolist() == [list(monday), list(saturday)]
    assert not panel.coming(panel.start - 1).any()  # a margin


# ------------------------------------------------------------------ taken from the train part


@settings(max_examples=20)
@given(st.lists(st.integers(-(10**6), 10**6), min_size=60, max_size=60))
def test_nothing_is_taken_from_the_test_part(later):
    """Bounds, whole numbers, zeros, scales: the same, whatever comes in the last 30 %."""
    train = np.tile([0.0, 3.0, 1.0, 0.0, 2.0, 0.0, 4.0], 20)
    panels = [Panel({"": rows(np.r_[train, end])}, 4, 3) for end in (train[:60], later)]
    for name in ("lowest", "positive", "whole", "mostly_zero", "mase_scale", "size", "error_size",
                 "mean", "std", "change"):  # fmt: skip
        one, other = (getattr(panel, name) for panel in panels)
        np.testing.assert_array_equal(one, other, err_msg=name)


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        ([0, 0, 1, 5], (0, False, True, True)),
        ([0.5, 1, 2, 3], (0, True, False, False)),
        ([-1, 1, 2, 3], (-np.inf, False, True, False)),
        ([0, 1, np.nan, 3], (0, False, True, True)),
    ],
)
def test_what_is_possible(train, expected):
    panel = Panel({"": rows(np.r_[np.tile(train, 18), -7.5 * np.ones(28)])}, 2, 1)
    assert (panel.lowest, panel.positive, panel.whole, panel.mostly_zero) == expected


def test_young_series_are_measured_by_the_others():
    rng = np.random.default_rng(0)
    frames = {str(size): rows(size * (10 + rng.normal(0, 1, 200))) for size in (1, 2, 4)}
    still = {f"still {i}": rows(np.ones(99)) for i in range(5)}
    panel = Panel({**frames, "newborn": rows([30, 30]), **still}, 4, 3)
    assert panel.error_size[3] == pytest.approx(3 * panel.error_size[0], rel=0.2)
    assert (panel.error_size[4:] == 0).all()
    np.testing.assert_allclose(panel.error_size[:3], panel.mase_scale[:3])


def test_typical_change():
    assert typical_change(np.array([0.0, 10, 1, 12]), 2) == 1.5
    assert typical_change(np.array([0.0, 10, 0, 10]), 2) == 10  # a season can't tell
    assert typical_change(np.array([5.0, np.nan, 5, 5]), 2) == 5
    assert typical_change(np.zeros(4), 2) == 1


def test_gaps_hold_the_last_value_of_their_own_series():
    panel = Panel({"a": rows([1, np.nan, 3]), "b": rows([5, np.nan, np.nan, 6])}, 2, 1)
    assert panel.filled[:, 0].tolist() == [1, 1, 1, 1, 3, 3, 5, 5, 5, 5, 5, 6, 6]


def test_z_scores_are_of_the_train_part_and_no_outlier_makes_all_others_look_alike():
    values = np.random.default_rng(0).normal(3, 2, 1000)
    values[300] = 1e6
    panel = Panel({"": rows(values, x=np.arange(1000.0))}, 4, 1)
    assert panel.std[0] == pytest.approx(2, rel=0.1)
    z = panel.z[panel.start[0] : panel.borders[0, 0], 1]
    assert z.mean() == pytest.approx(0) and z.std() == pytest.approx(1, rel=0.01)


# ------------------------------------------------------------------ what is refused


@settings(max_examples=50)
@given(rows_given=st.integers(2, 63), input_steps=st.integers(1, 60))
def test_too_short_a_series_names_a_length_that_suffices(rows_given, input_steps):
    with pytest.raises(InputError, match=f"too few rows: {rows_given}, and windows of") as error:
        Panel({"": rows(np.arange(rows_given))}, input_steps, 1).check()
    needed = int(str(error.value).split("need ")[1].split(";")[0])
    assert needed > rows_given
    Panel({"": rows(np.arange(needed))}, input_steps, 1).check()


@pytest.mark.parametrize(
    ("where", "what", "said"),
    [
        (slice(70, 85), np.nan, "'y' has 0 values in the 15 rows of the validation part, and 10 a"),
        (slice(85, 95), np.nan, "'y' has 5 values in the 15 rows of the test part"),
        (slice(0, 70), 7, "'y' is 7 in all of the first 70 rows, the train part"),
    ],
)
def test_a_part_that_teaches_nothing(where, what, said):
    values = np.arange(100.0)
    values[where] = what
    with pytest.raises(InputError, match=said):
        Panel({"": rows(values)}, 4, 3).check()


def test_features_with_few_values():
    weekly = np.where(np.arange(100) % 7, np.nan, np.arange(100.0))
    panel = Panel({"": rows(np.arange(100), x=weekly)}, 4, 3)
    panel.check()
    assert np.isfinite(panel.z).all() and (panel.change > 0).all()
    with pytest.raises(InputError, match="'x' has no value in the train part"):
        Panel({"": rows(np.arange(100), x=np.r_[np.full(80, np.nan), np.ones(20)])}, 4, 3)
    still = Panel({"": rows(np.arange(100), x=np.r_[np.ones(80), 2 * np.ones(20)])}, 4, 3)
    assert np.isfinite(still.z).all()
    with pytest.raises(InputError, match="'x' is 1 in all of the first 70 rows"):
        still.check()


def test_origins_are_taken_evenly_and_not_all_of_one_weekday():
    assert evenly(np.arange(10), 5).tolist() == [0, 2, 4, 6, 8]
    assert len(set(evenly(np.arange(822), 125, 7) % 7)) == 7  # by seven they would be of one


def test_a_newcomer_with_a_gap_does_not_say_which_days_come():
    week = days(np.arange(60.0)).loc[lambda frame: frame.index.day_of_week < 5].drop("2024-01-16")
    panel = Panel({"new": week.loc["2024-02-23":"2024-02-26"], "old": week[:"2024-02-26"]}, 4, 3)
    coming = [panel.times[end : end + 3].day.tolist() for end in panel.end]
    assert coming == [[27, 28, 29]] * 2
