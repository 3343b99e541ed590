from exercises.compare import same

import numpy as np
import pytest

LONG = [np.array([3.0, -2.0]), np.array([[6.0, 0.0]])]  # together 7 long
SHORT = [np.array([0.1, -0.2]), np.array([[0.3, 0.0]])]


def flat(grads):
    return np.concatenate([np.ravel(grad) for grad in grads])


def test_long_gradients_are_shortened(yours):
    mistakes = {
        "when each array is clipped by itself": flat(
            [grad / np.linalg.norm(grad) for grad in LONG]
        ),
        "when each number is clipped: the direction changes": flat(
            [np.clip(grad, -1, 1) for grad in LONG]
        ),
        "when the square root is missing": flat(LONG) / 49,
        "when nothing is clipped": flat(LONG),
    }
    same("clipped at 1", flat(yours.clip(LONG, 1.0)), flat(LONG) / 7, mistakes)
    same("clipped at 3.5", flat(yours.clip(LONG, 3.5)), flat(LONG) / 2)


def test_short_gradients_stay(yours):
    length = np.linalg.norm(flat(SHORT))
    mistakes = {"when short gradients are lengthened": flat(SHORT) / length}
    same("a short gradient", flat(yours.clip(SHORT, 1.0)), flat(SHORT), mistakes)
    same("no gradient", flat(yours.clip([np.zeros(3)], 1.0)), np.zeros(3))


def test_shapes_stay(yours):
    assert [np.shape(grad) for grad in yours.clip(LONG, 1.0)] == [(2,), (1, 2)]


def test_the_wall_is_survived(yours):
    w = 1.2
    for _ in range(1000):
        (grad,) = yours.clip([np.array([60 * (w**30 - 0.5) * w**29])], 1.0)
        w = float(w - 0.01 * grad[0])
    assert w**30 == pytest.approx(0.5, abs=0.05)
