import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step(x, h_prev, W, U, b, c):
    """Return h after one step."""
    x_z, x_r, x_n = np.split(x @ W + b, 3)  # each (units,)
    h_z, h_r, h_n = np.split(h_prev @ U + c, 3)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    n = np.tanh(x_n + r * h_n)
    return z * h_prev + (1 - z) * n
