"""Streams of windows, on arange."""

from utils.series.panel import Panel
from utils.series.windows import in_order, next_step, shuffled

import numpy as np
import pytest
from frames import days, rows


def identity(origins):
    return origins, origins


def drawn(seed, batches, windows=40, batch_size=8):
    stream = shuffled(identity, np.arange(10, 10 + windows), batch_size, seed)
    return [int(row) for origins, _ in stream.take(batches) for row in origins]


def test_each_pass_takes_every_window_once_in_a_new_order():
    order = drawn(seed=3, batches=10)
    first, second = order[:40], order[40:]
    assert sorted(first) == sorted(second) == list(range(10, 50))
    assert first != second != sorted(second)
    assert order == drawn(seed=3, batches=10) != drawn(seed=4, batches=10)


@pytest.mark.parametrize(("windows", "batch_size"), [(20, 8), (3, 8)])
def test_an_incomplete_last_batch_is_filled_up_so_that_none_is_left_out(windows, batch_size):
    batches = -(-windows // batch_size)
    order = drawn(seed=0, batches=batches, windows=windows)
    assert len(order) == batches * batch_size and set(order) == set(range(10, 10 + windows))


def test_in_order_is_complete_and_in_order():
    batches = in_order(identity, np.arange(10, 3000))
    assert [int(row) for origins, _ in batches for row in origins] == list(range(10, 3000))


def test_a_window_is_what_came_before_its_target():
    panel = Panel({"": rows(np.arange(50.0), x=100 * np.arange(50.0))}, 4, 2)
    inputs, targets = next_step(panel)(panel.start[0] + np.array([4, 49]))
    values = np.array(inputs) * panel.std + panel.mean
    np.testing.assert_allclose(values[:, :, 0], [[0, 1, 2, 3], [45, 46, 47, 48]], atol=1e-4)
    np.testing.assert_allclose(values[:, :, 1], 100 * values[:, :, 0], atol=1e-2)
    expected = [[4, 400], [49, 4900]]
    np.testing.assert_allclose(np.array(targets) * panel.std + panel.mean, expected, rtol=1e-5)


def test_each_row_of_a_window_holds_what_is_known_of_the_row_after_it():
    promotion = np.arange(63.0)
    frame = days(np.r_[np.arange(60.0), [np.nan] * 3], promotion=promotion)
    panel = Panel({"": frame}, 4, 3, known=["promotion"])
    inputs, _ = next_step(panel)(panel.start + 10)
    assert inputs.shape == (1, 4, 1 + 7 + 1)
    assert inputs[0, :, -1].numpy().tolist() == [7, 8, 9, 10]  # a window of rows 6 to 9
    assert inputs[0, :, 1:8].numpy().argmax(axis=1).tolist() == [0, 1, 2, 3]  # Monday is row 7
