import itertools

from utils import InputError
from utils.series.windows import (
    MIN_WINDOWS,
    check,
    cut,
    in_order,
    shuffled,
    split_by_time,
    untouched,
)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st


@given(length=st.integers(1, 5000), input_steps=st.integers(1, 100))
def test_parts_cover_every_window_once_and_in_order(length, input_steps):
    try:
        parts = split_by_time(length, input_steps)
    except InputError:
        return
    np.testing.assert_array_equal(np.concatenate(parts), np.arange(input_steps, length))
    assert min(map(len, parts)) >= MIN_WINDOWS


def test_parts_have_the_shares_asked_for():
    train, val, test = split_by_time(1000, 24)
    assert (train[0], val[0], test[0], test[-1]) == (24, 700, 850, 999)


@pytest.mark.parametrize("input_steps", [2, 24, 500, 10**12])
def test_too_short_a_series_names_the_length_that_suffices(input_steps):
    with pytest.raises(InputError, match=r"too few rows: 12.*bring a longer series") as error:
        split_by_time(12, input_steps)
    assert "lower --input-steps" not in str(error.value)  # 12 rows are too few for any
    needed = int(str(error.value).split("need ")[1].split(";")[0])
    if needed < 10_000:
        split_by_time(needed, input_steps)
    with pytest.raises(InputError):
        split_by_time(needed - 1, input_steps)


def test_shorter_windows_are_advised_where_they_help():
    with pytest.raises(InputError, match="longer series or lower --input-steps"):
        split_by_time(100, 70)


def test_rows_that_know_the_future_are_no_targets():
    """An interpolated value knows the value after the gap."""
    whole, parts = split_by_time(200, 5), split_by_time(200, 5, filled=[20, 150, 151, 180])
    assert set(whole.train) - set(parts.train) == {20, 21}
    assert set(whole.val) - set(parts.val) == {150, 151, 152}
    assert set(whole.test) - set(parts.test) == {180, 181}
    with pytest.raises(InputError, match="--fill: of the 30 rows of the test part, only 8"):
        split_by_time(200, 5, filled=range(178, 200))
    with pytest.raises(InputError, match="--fill: of the 135 rows of the training part, only 5"):
        split_by_time(200, 5, filled=range(10, 139))


@given(filled=st.sets(st.integers(1, 98)))
def test_no_target_and_no_newest_input_of_a_target_is_interpolated(filled):
    rows = np.arange(1, 100)
    left = untouched(rows, sorted(filled))
    assert not filled & set(left.tolist())
    assert not filled & set((left - 1).tolist())
    lost = {*filled, *(row + 1 for row in filled)}
    assert set(left.tolist()) == set(range(1, 100)) - lost  # and no others are lost


def test_a_series_that_32_bits_cannot_hold():
    wave = np.sin(np.arange(200.0))[:, None]
    parts = split_by_time(200, 5)
    check(wave + 1e4, parts, ["y"])
    for values in (wave + 1e6, wave * 1e30):
        with pytest.raises(InputError, match="32-bit numbers can't hold"):
            check(values, parts, ["y"])


def test_a_target_that_stands_still_in_the_test_part():
    values = np.arange(200.0)[:, None].repeat(2, axis=1)
    values[150:, 1] = 3  # another column may
    parts = split_by_time(200, 5)
    check(values, parts, ["y", "z"])
    with pytest.raises(InputError, match="'z' is 3 in all of the last 30 rows"):
        check(values[:, ::-1], parts, ["z", "y"])


def test_a_series_that_stands_still_in_the_train_part():
    values = np.arange(200.0)[:, None].repeat(2, axis=1)
    parts = split_by_time(200, 5)
    check(values, parts, ["y", "z"])
    values[:140, 1] = 7
    with pytest.raises(InputError, match="'z' is 7 in all of the first 140 rows"):
        check(values, parts, ["y", "z"])
    check(values, parts, ["y"])  # the rest is the calendar


def test_a_window_is_what_came_before_its_target():
    values = np.arange(20.0)[:, None] * [1, 100]
    np.testing.assert_array_equal(
        cut(values, [3, 20], input_steps=3),
        [[[0, 0], [1, 100], [2, 200]], [[17, 1700], [18, 1800], [19, 1900]]],
    )
    np.testing.assert_array_equal(cut(values[:, 0], [3], input_steps=1), [[2]])


def test_streams_give_inputs_and_the_targets_right_after_them():
    values = np.arange(50.0)[:, None] * [1, 100]
    rows = np.arange(10, 50)
    for inputs, targets in itertools.chain(
        in_order(values, rows, 4, targets=1, batch_size=16),
        shuffled(values, rows, 4, targets=1, batch_size=16, seed=0).take(5),
    ):
        np.testing.assert_array_equal(inputs[:, :, 0], targets.numpy() + np.arange(-4, 0))
        np.testing.assert_array_equal(inputs[:, :, 1], 100 * inputs[:, :, 0])


def test_in_order_is_complete_and_in_order():
    values = np.arange(50.0)[:, None]
    batches = in_order(values, np.arange(10, 50), 4, targets=1, batch_size=16)
    assert [row for _, targets in batches for row in targets[:, 0]] == list(range(10, 50))


def drawn(seed, batches, rows=40, batch_size=8):
    values = np.arange(100.0)[:, None]
    stream = shuffled(values, np.arange(10, 10 + rows), 4, 1, batch_size, seed)
    return [int(row) for _, targets in stream.take(batches) for row in targets[:, 0]]


def test_each_pass_takes_every_window_once_in_a_new_order():
    order = drawn(seed=3, batches=10)
    first, second = order[:40], order[40:]
    assert sorted(first) == sorted(second) == list(range(10, 50))
    assert first != second != sorted(second)


def test_the_seed_decides_the_order():
    assert drawn(seed=3, batches=10) == drawn(seed=3, batches=10) != drawn(seed=4, batches=10)


def test_an_incomplete_last_batch_is_filled_up_so_that_none_is_left_out():
    order = drawn(seed=0, batches=3, rows=20)  # 20 windows in batches of 8
    assert len(order) == 24
    assert set(order) == set(range(10, 30))
