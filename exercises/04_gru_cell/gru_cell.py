"""One step of a GRU layer in NumPy, as Keras computes it."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step(x, h_prev, W, U, b, c):
    """Return h after one step.

    Args:
        x: (features,), what comes in.
        h_prev: (units,), the output, and memory, a step ago.
        W: (features, 3 * units), the weights of x: side by side those of the update gate z, of the
            reset gate r, and of the new content n.
        U: (units, 3 * units), the weights of h_prev, in the same order.
        b: (3 * units,), added to the products of x.
        c: (3 * units,), added to the products of h_prev.
    """
    x_z, x_r, x_n = np.split(x @ W + b, 3)  # each (units,)
    h_z, h_r, h_n = np.split(h_prev @ U + c, 3)
    raise NotImplementedError
