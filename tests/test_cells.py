from utils.cells import JordanCell, PeepholeLSTMCell

import keras
import numpy as np
import pytest
from scipy.special import expit as sigmoid

BATCH, STEPS, FEATURES, UNITS, OUTPUTS = 4, 6, 3, 5, 2


def run(cell):
    """Return inputs, their outputs and the weights: all random, so that no two can be mixed up."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(BATCH, STEPS, FEATURES)).astype("float32")
    layer = keras.layers.RNN(cell, return_sequences=True)
    layer.build(inputs.shape)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.weights])
    return inputs, keras.ops.convert_to_numpy(layer(inputs)), layer.get_weights()


@pytest.mark.parametrize(("activation", "g"), [("tanh", np.tanh), ("linear", np.positive)])
def test_jordan_equals_numpy_loop(activation, g):
    x, outputs, (W, U, b, V, c) = run(JordanCell(UNITS, OUTPUTS, activation))
    y = np.zeros((BATCH, OUTPUTS))
    scale = np.abs(outputs).max()  # a linear network with random weights grows
    for t in range(STEPS):
        y = g(x[:, t] @ W + y @ U + b) @ V + c
        np.testing.assert_allclose(outputs[:, t] / scale, y / scale, atol=2e-6)


def test_peephole_equals_numpy_loop():
    x, outputs, (W, U, b, p) = run(PeepholeLSTMCell(UNITS))
    h = c = np.zeros((BATCH, UNITS))
    for t in range(STEPS):
        z_i, z_f, z_c, z_o = np.split(x[:, t] @ W + h @ U + b, 4, axis=1)
        i, f = sigmoid(z_i + p[0] * c), sigmoid(z_f + p[1] * c)
        c = f * c + i * np.tanh(z_c)
        h = sigmoid(z_o + p[2] * c) * np.tanh(c)
        np.testing.assert_allclose(outputs[:, t], h, atol=2e-6)
