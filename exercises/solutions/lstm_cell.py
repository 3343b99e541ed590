import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step(x, h_prev, c_prev, W, U, b):
    """Return h and c after one step."""
    z_i, z_f, z_g, z_o = np.split(x @ W + h_prev @ U + b, 4)  # each (units,)
    i, f, g, o = sigmoid(z_i), sigmoid(z_f), np.tanh(z_g), sigmoid(z_o)
    c = f * c_prev + i * g
    h = o * np.tanh(c)
    return h, c
