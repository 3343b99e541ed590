import subprocess
import sys
from pathlib import Path

from utils.cells import JordanCell, PeepholeLSTMCell

import keras
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
BATCH, STEPS, FEATURES, UNITS, OUTPUTS = 4, 6, 3, 5, 2

CELLS = {
    "jordan": lambda: JordanCell(UNITS, OUTPUTS, output_activation="softmax"),
    "peephole": lambda: PeepholeLSTMCell(UNITS),
}


def random_weights(layer, seed=0):
    """Give every weight of a built layer a random value, so that no two terms can be mixed up."""
    rng = np.random.default_rng(seed)
    layer.set_weights([rng.normal(size=w.shape).astype("float32") for w in layer.weights])


def random_inputs(seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(BATCH, STEPS, FEATURES)).astype("float32")


def unrolled(cell, **kwargs):
    """The cell as a layer over a sequence, with random weights."""
    layer = keras.layers.RNN(cell, return_sequences=True, **kwargs)
    layer.build((BATCH, STEPS, FEATURES))
    random_weights(layer)
    return layer


def as_array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


def linear(z):
    return z


def relu(z):
    return np.maximum(z, 0)


@pytest.mark.parametrize(
    ("activation", "output_activation", "g", "s"),
    [
        ("tanh", "softmax", np.tanh, softmax),
        ("linear", None, linear, linear),
        ("relu", "sigmoid", relu, sigmoid),
    ],
)
def test_jordan_equals_numpy_loop(activation, output_activation, g, s):
    layer = unrolled(JordanCell(UNITS, OUTPUTS, activation, output_activation))
    W, U, b, V, c = layer.get_weights()
    x = random_inputs()
    y = np.zeros((BATCH, OUTPUTS))
    expected = []
    for t in range(STEPS):
        y = s(g(x[:, t] @ W + y @ U + b) @ V + c)
        expected.append(y)
    expected = np.stack(expected, axis=1)
    scale = np.abs(expected).max()  # a linear network with random weights grows
    np.testing.assert_allclose(as_array(layer(x)) / scale, expected / scale, atol=2e-6)


def test_peephole_equals_numpy_loop():
    layer = unrolled(PeepholeLSTMCell(UNITS))
    W, U, b, p = layer.get_weights()
    x = random_inputs()
    outputs = as_array(layer(x))
    h = c = np.zeros((BATCH, UNITS))
    for t in range(STEPS):
        z_i, z_f, z_c, z_o = np.split(x[:, t] @ W + h @ U + b, 4, axis=1)
        i, f = sigmoid(z_i + p[0] * c), sigmoid(z_f + p[1] * c)
        c = f * c + i * np.tanh(z_c)
        h = sigmoid(z_o + p[2] * c) * np.tanh(c)
        np.testing.assert_allclose(outputs[:, t], h, atol=2e-6)


def test_peephole_without_peepholes_is_keras_lstm():
    layer = unrolled(PeepholeLSTMCell(UNITS))
    *lstm_weights, peepholes = layer.get_weights()
    x = random_inputs()
    lstm = keras.layers.LSTM(UNITS, return_sequences=True)
    lstm.build(x.shape)
    lstm.set_weights(lstm_weights)
    assert np.abs(as_array(layer(x)) - as_array(lstm(x))).max() > 1e-2
    layer.set_weights([*lstm_weights, np.zeros_like(peepholes)])
    np.testing.assert_allclose(as_array(layer(x)), as_array(lstm(x)), atol=1e-6)


def test_peephole_starts_as_keras_lstm_starts():
    cell, lstm = PeepholeLSTMCell(UNITS), keras.layers.LSTMCell(UNITS)
    cell.build((BATCH, FEATURES))
    lstm.build((BATCH, FEATURES))
    np.testing.assert_array_equal(as_array(cell.bias), as_array(lstm.bias))
    assert not as_array(cell.peephole_kernel).any()
    assert [w.shape for w in cell.weights[:3]] == [w.shape for w in lstm.weights]


@pytest.mark.parametrize("kind", CELLS)
def test_masked_steps_leave_the_memory_alone(kind):
    layer = unrolled(CELLS[kind](), return_state=True)
    x = random_inputs()
    lengths = np.array([6, 4, 1, 3])
    mask = np.arange(STEPS) < lengths[:, None]
    outputs, *states = (as_array(tensor) for tensor in layer(x, mask=mask))
    for row, length in enumerate(lengths):
        alone_outputs, *alone_states = layer(x[row : row + 1, :length])
        np.testing.assert_allclose(outputs[row, :length], as_array(alone_outputs)[0], atol=1e-6)
        for state, alone in zip(states, alone_states, strict=True):
            np.testing.assert_allclose(state[row], as_array(alone)[0], atol=1e-6)


@pytest.mark.parametrize("kind", CELLS)
def test_every_weight_gets_a_gradient(kind):
    model = keras.Sequential([keras.layers.RNN(CELLS[kind]()), keras.layers.Dense(1)])
    x = random_inputs()
    model(x)
    random_weights(model)
    before = model.get_weights()
    model.compile("sgd", "mse")
    model.train_on_batch(x, np.ones((BATCH, 1)))
    for weight, old, new in zip(model.weights, before, model.get_weights(), strict=True):
        assert np.abs(new - old).max() > 0, weight.path


@pytest.mark.parametrize("kind", CELLS)
def test_both_directions(kind):
    layer = keras.layers.Bidirectional(keras.layers.RNN(CELLS[kind](), return_sequences=True))
    outputs = as_array(layer(random_inputs()))
    assert outputs.shape == (BATCH, STEPS, 2 * CELLS[kind]().output_size)


def test_bad_widths():
    with pytest.raises(ValueError, match="received 0 and 2"):
        JordanCell(0, 2)
    with pytest.raises(ValueError, match="received 3 and -1"):
        JordanCell(3, -1)
    with pytest.raises(ValueError, match="received 0"):
        PeepholeLSTMCell(0)


def both_cells_model():
    inputs = keras.Input((None, FEATURES))
    jordan = keras.layers.RNN(CELLS["jordan"](), return_sequences=True)(inputs)
    peephole = keras.layers.RNN(CELLS["peephole"](), return_sequences=True)(inputs)
    model = keras.Model(inputs, keras.layers.Concatenate()([jordan, peephole]))
    random_weights(model)
    return model


def in_fresh_process(code, *args):
    command = [sys.executable, "-c", code, *map(str, args)]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


# importing utils.cells is what registers the two classes; nothing else is handed to load_model
LOAD = """
import sys
import utils.cells
import keras
import numpy as np
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
np.save(sys.argv[3], keras.ops.convert_to_numpy(model(np.load(sys.argv[2]))))
"""


def test_save_and_load_in_a_fresh_process(tmp_path):
    model, x = both_cells_model(), random_inputs()
    model.save(tmp_path / "cells.keras")
    np.save(tmp_path / "x.npy", x)
    paths = [tmp_path / name for name in ("cells.keras", "x.npy", "y.npy")]
    in_fresh_process(LOAD, *paths)
    np.testing.assert_allclose(np.load(paths[-1]), as_array(model(x)), atol=1e-5)
