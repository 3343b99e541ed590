"""One step of an LSTM layer in NumPy."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step(x, h_prev, c_prev, W, U, b):
    """Return h and c after one step.

    Args:
        x: (features,), what comes in.
        h_prev: (units,), the output a step ago.
        c_prev: (units,), the memory a step ago.
        W: (features, 4 * units), the weights of x: side by side those of the input gate i, of the
            forget gate f, of the new content g, and of the output gate o.
        U: (units, 4 * units), the weights of h_prev, in the same order.
        b: (4 * units,), likewise.
    """
    z_i, z_f, z_g, z_o = np.split(x @ W + h_prev @ U + b, 4)  # each (units,)
    raise NotImplementedError
