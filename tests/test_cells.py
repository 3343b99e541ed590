from utils.cells import JordanCell, PeepholeLSTMCell

import keras
import numpy as np
import pytest
from scipy.special import expit as sigmoid

as_array = keras.ops.convert_to_numpy
BATCH, STEPS, FEATURES, UNITS, OUTPUTS = 4, 6, 3, 5, 2


def random_weights(layer):
    """Give every weight of a built layer a random value, so that no two terms can be mixed up."""
    rng = np.random.default_rng(0)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])


def random_inputs():
    return np.random.default_rng(1).normal(size=(BATCH, STEPS, FEATURES)).astype("float32")


def unrolled(cell, **kwargs):
    """The cell as a layer over a sequence, with random weights."""
    layer = keras.layers.RNN(cell, return_sequences=True, **kwargs)
    layer.build((BATCH, STEPS, FEATURES))
    random_weights(layer)
    return layer


@pytest.mark.parametrize(("activation", "g"), [("tanh", np.tanh), ("linear", np.positive)])
def test_jordan_equals_numpy_loop(activation, g):
    layer = unrolled(JordanCell(UNITS, OUTPUTS, activation))
    W, U, b, V, c = layer.get_weights()
    x, y = random_inputs(), np.zeros((BATCH, OUTPUTS))
    outputs = as_array(layer(x))
    scale = np.abs(outputs).max()  # a linear network with random weights grows
    for t in range(STEPS):
        y = g(x[:, t] @ W + y @ U + b) @ V + c
        np.testing.assert_allclose(outputs[:, t] / scale, y / scale, atol=2e-6)


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


# importing utils.cells is what registers the two classes; nothing else is handed to load_model
