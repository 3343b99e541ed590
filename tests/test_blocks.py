from utils import training
from utils.series import blocks
from utils.series.evaluation import LinearAutoregression

import keras
import numpy as np
import pytest


def test_scale_passes_over_a_single_outlier():
    values = np.random.default_rng(0).normal(0, [[1.0, 3.0]], (5000, 2))
    values[17, 0] = 1e6
    np.testing.assert_allclose(blocks.scale(values), [1, 3], rtol=0.05)
    rare = np.zeros((5000, 1))
    rare[:3] = 1.0  # all of it is outermost
    assert blocks.scale(rare) == pytest.approx(rare.std())


def test_what_a_network_reads():
    train = np.random.default_rng(0).normal(20, 2, (1000, 2))
    inputs = keras.Input((4, 3))
    read = keras.Model(inputs, blocks.normalised(inputs, train, noise=1.0))
    window = np.array([[20.0, 21, 1], [22, 20, 2], [2000, 20, 3], [18, 22, 4]])
    found = np.array(read(window[None]))[0]
    assert found.shape == (4, 5)  # level of two, change of two, calendar
    unit = blocks.scale(train)
    normal = (window[:, :2] - train.mean(axis=0)) / unit
    np.testing.assert_allclose(found[[0, 1, 3], :2], normal[[0, 1, 3]], atol=1e-3)
    assert found[2, 0] <= 4  # an unheard-of level means nothing
    np.testing.assert_allclose(found[:, 2:4], (window - window[-1])[:, :2] / unit, rtol=1e-3)
    assert found[:, 4].tolist() == [1, 2, 3, 4]
    noisy = np.array(read(window[None], training=True))[0]
    changed = (np.abs(noisy - found) > 1e-6).any(axis=0)
    assert changed.tolist() == [True, False, True, False, False]  # the target, and it alone


def test_column_weights_by_hand():
    train = np.array([[0.0, 0, 0], [2, 10, 1], [0, 0, 2], [2, 10, 3]])  # changes 2, 10, 1
    np.testing.assert_allclose(blocks.column_weights(train), [1 / 2, 0.125 / 10, 0.125])
    assert blocks.column_weights(train[:, :1]) == 0.5


def test_what_is_believed_can_be_saved(tmp_path):
    """Also of a network that was trained, with an optimiser that Keras doesn't know."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3, 2))
    network = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(inputs)))
    network.compile(training.averaging_adam(0.1, 10), "mse")
    network.fit(np.ones((4, 3, 2)), np.ones((4, 1)), verbose=0)
    windows = np.random.default_rng(0).normal(size=(5, 3, 2)).astype("float32")
    full, last = np.array(network(windows)), windows[:, -1, :1]
    start = blocks.starting_point("persistence", np.ones((9, 1)), None)
    assert blocks.believed(network, start, 1.0) is network
    for share in (1.0, 0.3, 0.0):
        training.save(
            tmp_path / "m.keras", blocks.believed(network, start, share), {"script": "GRU.py"}
        )
        again, _ = training.load(tmp_path / "m.keras", "GRU.py")
        np.testing.assert_allclose(again(windows), last + share * (full - last), atol=1e-5)


def test_summary_counts_the_weights():
    inputs = keras.Input((8, 2))
    outputs = keras.layers.Dense(1)(keras.layers.SimpleRNN(3)(inputs))
    lines = blocks.summary(keras.Model(inputs, outputs)).splitlines()
    assert lines[0].strip() == "inputs (windows, 8, 2)"
    assert lines[1].split()[-2:] == ["18", "weights"]  # 3 (2 + 3 + 1)
    assert lines[-1].strip() == "82% of the weights are in recurrent layers"


def test_a_weighted_sum_of_prices_stays_above_zero():
    linear = LinearAutoregression(2, 1)
    linear.kernel, linear.bias = np.array([[-1.0], [0.5]]), np.array([0.0])
    train, windows = np.ones((9, 1)), np.array([[[3.0], [1.0]], [[1.0], [6.0]]])
    found = []
    for positive in (False, True):
        start = blocks.starting_point("linear", train, linear, positive=positive)
        inputs = keras.Input((2, 1))
        found.append(np.array(keras.Model(inputs, start.forecast(inputs))(windows)))
    np.testing.assert_allclose(np.ravel(found[0]), [-2.5, 2.0])
    np.testing.assert_allclose(np.ravel(found[1]), [0.1, 2.0])
