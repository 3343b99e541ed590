"""Backpropagation through three steps of one recurrent neuron, by hand."""

import numpy as np


def forward(xs, w, u):
    """Return h_0 ... h_3 of h_t = tanh(w h_{t-1} + u x_t), where h_0 = 0."""
    h = [0.0]
    for x in xs:
        h.append(np.tanh(w * h[-1] + u * x))
    return h


def gradients(xs, y, w, u):
    """Return dL/dw and dL/du of the loss L = (h_3 - y)^2.

    Args:
        xs: the inputs x_1, x_2, x_3.
        y: what h_3 should be.
        w: the weight of the memory, the same at each step.
        u: the weight of the input, the same at each step.
    """
    h = forward(xs, w, u)
    raise NotImplementedError


if __name__ == "__main__":
    for w in (0.5, 1.0, 2.0):
        print(f"w = {w}: dL/dw, dL/du =", gradients([1.0, 0.0, 0.0], 0.5, w, 0.1))
