"""What the exercises' tests say when something differs."""

import numpy as np
import pytest


def same(what, yours, right, mistakes=None, atol=1e-6):
    """Fail if two arrays differ; say where, and name the mistake if it is a well-known one.

    Args:
        what: they are, for the message.
        yours: numbers.
        right: numbers.
        mistakes: by what it does, the numbers that a well-known mistake leads to.
        atol: how far apart they may be.
    """
    right = np.asarray(right, float)
    try:
        yours = np.asarray(yours, float)
    except (TypeError, ValueError):
        pytest.fail(f"{what}: numbers are expected, yours is {yours!r}", pytrace=False)
    if yours.shape != right.shape:
        pytest.fail(f"{what}: the shape should be {right.shape}, yours is {yours.shape}", False)
    wrong = ~np.isclose(yours, right, rtol=0, atol=atol)
    if not wrong.any():
        return
    place = tuple(np.argwhere(wrong)[0].tolist())
    where = f" at {list(place)}" if place else ""
    message = (
        f"{what}: {wrong.sum()} of {wrong.size} numbers differ; the first{where}: "
        f"yours {yours[place]:.6g}, right {right[place]:.6g}"
    )
    for mistake, numbers in (mistakes or {}).items():
        numbers = np.asarray(numbers, float)
        if numbers.shape == yours.shape and np.allclose(yours, numbers, rtol=0, atol=atol):
            message += f"\nThis is what comes out {mistake}."
    pytest.fail(message, pytrace=False)
