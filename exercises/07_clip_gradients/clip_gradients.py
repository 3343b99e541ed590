"""Clip gradients by their common norm, and see what it saves."""

import numpy as np


def clip(grads, norm):
    """Return the gradients, shortened if they are too long.

    Args:
        grads: a list of arrays of any shape, the gradient of the loss by each weight.
        norm: how long all of them together, seen as one vector, may be.
    """
    raise NotImplementedError


def descend(clipping, w=1.2, steps=1000, learning_rate=0.01, norm=1.0):
    """Let a neuron that multiplies by w thirty times learn to return 0.5; return each step's w."""
    path = [np.array([w])]
    with np.errstate(all="ignore"):  # what isn't clipped may leave the range of numbers
        for _ in range(steps):
            grad = 2 * (path[-1] ** 30 - 0.5) * 30 * path[-1] ** 29
            (grad,) = clipping([grad], norm)
            path.append(path[-1] - learning_rate * grad)
    return np.concatenate(path)


if __name__ == "__main__":
    for name, clipping in [("not clipped", lambda grads, norm: grads), ("clipped", clip)]:
        path = descend(clipping)
        steps = ", ".join(f"{w:.4g}" for w in path[:4])
        print(f"{name}: w = {steps} ... {path[-1]:.4g}; wanted {0.5 ** (1 / 30):.4g}")
