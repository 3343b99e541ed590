import utils
from exercises.compare import same

import keras
import numpy as np

rng = np.random.default_rng(0)
X, H, C = rng.normal(size=3), rng.normal(size=2), rng.normal(size=2)
W, U, B = rng.normal(size=(3, 8)), rng.normal(size=(2, 8)), rng.normal(size=8)

z_i, z_f, z_g, z_o = np.split(X @ W + H @ U + B, 4)
i, f, o = (1 / (1 + np.exp(-z)) for z in (z_i, z_f, z_o))
G = np.tanh(z_g)
MEMORY = f * C + i * G


def test_memory(yours):
    _, c = yours.step(X, H, C, W, U, B)
    mistakes = {
        "when the gates change places": i * C + f * G,
        "without the forget gate: the old memory stays whole": C + i * G,
        "without the input gate": f * C + G,
        "when the new content is not squashed by tanh": f * C + i * z_g,
        "when the old output, not the old memory, is kept": f * H + i * G,
        "when h is returned where c should be": o * np.tanh(MEMORY),
    }
    same("c", c, MEMORY, mistakes)


def test_output(yours):
    h, _ = yours.step(X, H, C, W, U, B)
    mistakes = {
        "when the memory is not squashed by tanh on its way out": o * MEMORY,
        "when the old memory is read, not the new one": o * np.tanh(C),
        "without the output gate": np.tanh(MEMORY),
        "when c is returned where h should be": MEMORY,
    }
    same("h", h, o * np.tanh(MEMORY), mistakes)


def test_ten_steps_are_those_of_keras(yours):
    layer = keras.layers.LSTM(2)
    layer.build((None, None, 3))
    layer.set_weights([W, U, B])
    inputs, h, c = rng.normal(size=(10, 3)), np.zeros(2), np.zeros(2)
    for x in inputs:
        h, c = yours.step(x, h, c, W, U, B)
    same("h after ten steps", h, layer(inputs[None])[0], atol=1e-5)
