import utils
from exercises.compare import same

import keras
import numpy as np

rng = np.random.default_rng(0)
X, H = rng.normal(size=3), rng.normal(size=2)
W, U = rng.normal(size=(3, 6)), rng.normal(size=(2, 6))
B, C = rng.normal(size=6), rng.normal(size=6)

x_z, x_r, x_n = np.split(X @ W + B, 3)
h_z, h_r, h_n = np.split(H @ U + C, 3)
z, r = (1 / (1 + np.exp(-sum_)) for sum_ in (x_z + h_z, x_r + h_r))
N = np.tanh(x_n + r * h_n)


def test_step(yours):
    reset_first = np.tanh(x_n + ((r * H) @ U + C)[4:])
    mistakes = {
        "when the update gate works the other way round": (1 - z) * H + z * N,
        "without the reset gate": z * H + (1 - z) * np.tanh(x_n + h_n),
        "when the reset gate also holds back the input": z * H + (1 - z) * np.tanh(r * (x_n + h_n)),
        "when h_prev is reset before the product (Keras' reset_after=False)": z * H
        + (1 - z) * reset_first,
        "when the gates change places": r * H + (1 - r) * np.tanh(x_n + z * h_n),
        "when the new content is not squashed by tanh": z * H + (1 - z) * (x_n + r * h_n),
    }
    same("h", yours.step(X, H, W, U, B, C), z * H + (1 - z) * N, mistakes)


def test_ten_steps_are_those_of_keras(yours):
    layer = keras.layers.GRU(2)
    layer.build((None, None, 3))
    layer.set_weights([W, U, np.stack([B, C])])
    inputs, h = rng.normal(size=(10, 3)), np.zeros(2)
    for x in inputs:
        h = yours.step(x, h, W, U, B, C)
    same("h after ten steps", h, layer(inputs[None])[0], atol=1e-5)
