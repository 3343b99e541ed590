"""Windows of the next step, on arange, and a network that feeds on its own forecasts."""

from utils.series.next_step import Recursive, in_order, in_own_unit, shuffled
from utils.series.panel import Panel

import keras
import numpy as np
import pytest
from frames import days, rows

# ------------------------------------------------------------------ windows


def taken(panel, batches):
    """Return which rows of a panel of arange the batches have as targets, in order."""
    targets = np.concatenate([batch[1][:, 0] for batch in batches])
    return np.rint(targets * panel.std[0] + panel.mean[0]).astype(int).tolist()


@pytest.mark.parametrize(("length", "batch_size"), [(60, 8), (40, 9), (30, 50)])
def test_each_pass_takes_every_window_once_in_a_new_order(length, batch_size):
    """An incomplete last batch is filled up, so that none is left out."""
    panel = Panel({"": rows(np.arange(length))}, 4, 2)
    origins = set((panel.known_origins("train") - panel.start[0]).tolist())
    batches = -(-len(origins) // batch_size)
    order = taken(panel, shuffled(panel, batch_size, seed=3).take(2 * batches))
    first, second = order[: batches * batch_size], order[batches * batch_size :]
    assert set(first) == set(second) == origins and first != second
    assert len(set(first[: len(origins)])) == len(origins)
    assert order == taken(panel, shuffled(panel, batch_size, 3).take(2 * batches))
    assert order != taken(panel, shuffled(panel, batch_size, 4).take(2 * batches))


def test_in_order_is_complete_and_in_order_and_without_gaps():
    values = np.arange(20_000.0)
    values[[15_000, 16_000]] = np.nan
    panel = Panel({"": rows(values)}, 4, 2)
    expected = set(range(14_000, 17_000)) - {15_000, 16_000}
    assert taken(panel, in_order(panel)) == sorted(expected)


def test_a_window_is_what_came_before_and_what_is_known_of_the_row_after_each_row():
    y = np.r_[np.arange(60.0), [np.nan] * 3]
    panel = Panel({"": days(y, promotion=np.arange(63.0), x=100 * y)}, 4, 3, known=["promotion"])
    inputs, targets = next(iter(in_order(panel, "train")))
    assert inputs.shape[1:] == (4, 2 + 7 + 1)
    first = inputs[0].numpy()  # rows 0 to 3
    np.testing.assert_allclose(
        first[:, :2] * panel.std + panel.mean, np.c_[y[:4], 100 * y[:4]], atol=1e-3
    )
    np.testing.assert_allclose(targets[0] * panel.std + panel.mean, [4, 400], rtol=1e-6)
    assert first[:, 2:9].argmax(axis=1).tolist() == [1, 2, 3, 4]  # row 1 is a Tuesday
    assert first[:, -1].tolist() == [1, 2, 3, 4]


# ------------------------------------------------------------------ fed back


def network_of(panel, seed=0):
    """Return a weighted sum of the window, and its weights and bias."""
    rng = np.random.default_rng(seed)
    targets = len(panel.columns)
    inputs = keras.Input((panel.input_steps, targets + panel.inputs))
    dense = keras.layers.Dense(targets)
    network = keras.Model(inputs, dense(keras.layers.Flatten()(inputs)))
    kernel = rng.normal(0, 0.2, dense.kernel.shape).astype("float32")
    dense.set_weights([kernel, rng.normal(0, 0.1, targets).astype("float32")])
    return network, [np.float64(weight) for weight in dense.get_weights()]


def test_it_is_the_plain_loop():
    """With features that are fed back, the calendar, a known column, and gaps."""
    rng = np.random.default_rng(0)
    values, promotion = rng.normal(20, 3, 103), rng.integers(0, 2, 103) * 1.0
    values[40:43] = values[100:] = np.nan
    frame = days(values, promotion=promotion, other=rng.normal(5, 1, 103))
    panel = Panel({"": frame}, 5, 3, known=["promotion"])
    network, (kernel, bias) = network_of(panel)
    forecaster = Recursive(in_own_unit(network, panel))
    origins = np.append(panel.start[0] + np.array([5, 42, 60]), panel.end)
    filled, expected = panel.filled, np.empty((4, 3))
    for i, origin in enumerate(origins):
        window = filled[origin - 5 : origin]
        for step in range(3):
            rows_after = origin + step - 5 + np.arange(1, 6)
            z = (window - panel.mean) / panel.std
            inputs = np.concatenate([z, panel.coming(rows_after)], axis=1).ravel()
            ahead = (inputs @ kernel + bias) * panel.std + panel.mean
            expected[i, step] = ahead[0]
            window = np.vstack([window[1:], ahead])
    np.testing.assert_allclose(forecaster(panel, origins), expected, rtol=1e-5)
    np.testing.assert_allclose(forecaster(panel, origins, 1), expected[:, :1], rtol=1e-5)


def test_changes_of_one_at_a_level_of_two_billion():
    swing = np.round(60 * np.sin(np.arange(200) * 2 * np.pi / 7))
    low, high = (Panel({"": rows(swing + level)}, 7, 5) for level in (0, 2e9))
    network, _ = network_of(low)
    origins = low.origins("test", 5)
    one, other = (Recursive(in_own_unit(network, p))(p, origins) for p in (low, high))
    np.testing.assert_allclose(other - 2e9, one, atol=1e-3)


def test_logarithms_go_in_and_prices_come_out():
    prices = np.exp(np.random.default_rng(0).normal(0, 0.02, 200).cumsum())
    panel = Panel({"": rows(prices)}, 3, 2, log=True)
    network, (kernel, bias) = network_of(panel)
    z = (np.log(prices[7:10]) - panel.mean[0]) / panel.std[0]
    expected = np.exp((z @ kernel[:, 0] + bias[0]) * panel.std[0] + panel.mean[0])
    found = Recursive(in_own_unit(network, panel))(panel, panel.start + 10)
    assert found[0, 0] == pytest.approx(expected, rel=1e-5)


def test_no_forecast_lies_below_what_the_train_part_knows():
    panel = Panel({"": rows(np.arange(100) % 5)}, 3, 4)
    network, _ = network_of(panel)
    *_, dense = network.layers
    dense.set_weights([dense.kernel.numpy(), np.float32([-9])])
    assert (Recursive(in_own_unit(network, panel))(panel, panel.end) == 0).all()
