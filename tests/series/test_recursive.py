"""A network that feeds on its own forecasts, in the series' own unit."""

from utils.series.panel import Panel
from utils.series.recursive import Recursive, in_own_unit

import keras
import numpy as np
import pytest
from frames import days, rows


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


@pytest.fixture
def panel():
    rng = np.random.default_rng(0)
    values, promotion = rng.normal(20, 3, 103), rng.integers(0, 2, 103) * 1.0
    values[40:43] = values[100:] = np.nan
    frame = days(values, promotion=promotion, other=rng.normal(5, 1, 103))
    return Panel({"": frame}, 5, 3, known=["promotion"])


def test_it_is_the_plain_loop(panel):
    """With features that are fed back, the calendar, a known column, and gaps."""
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
    found = forecaster(panel, origins)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
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
