from exercises.compare import same

import numpy as np
import pytest

VALUES = np.array([2.0, 4, 6, 4, 2, 4, 6, 4, 2, 4, 16, 14, 12, 14])  # a level shift near the end
STEPS, TEST = 3, 4
NAMES = ["train inputs", "train targets", "test inputs", "test targets"]


def right(known, steps=STEPS):
    """What comes out if `known` gives the mean and the standard deviation."""
    normal = (VALUES - known.mean()) / known.std()
    inputs = np.array([normal[t - steps : t] for t in range(steps, len(VALUES))])
    targets = normal[steps:]
    return inputs[:-TEST], targets[:-TEST], inputs[-TEST:], targets[-TEST:]


@pytest.mark.parametrize("k", range(4), ids=NAMES)
def test_windows(yours, k):
    found = yours.windows(VALUES, STEPS, TEST)
    assert len(found) == 4, f"four arrays are expected: {', '.join(NAMES)}"
    if np.shape(found[k]) != np.shape(right(VALUES)[k]) and k >= 2:
        pytest.fail(
            f"{NAMES[k]}: the last {TEST} values are one target each, so there are {TEST} test "
            f"windows, whose inputs may reach back into the train part; yours has shape "
            f"{np.shape(found[k])}",
            False,
        )
    train = VALUES[:-TEST]
    mistakes = {
        "when the test part, too, gives the mean and the standard deviation: a leak": right(VALUES)[
            k
        ],
        "without normalising": right(np.array([-1.0, 1]))[k],
        "when the sample's standard deviation is taken (ddof=1)": right(train)[k]
        * train.std()
        / train.std(ddof=1),
    }
    same(NAMES[k], found[k], right(train)[k], mistakes)


def test_what_cannot_be_known_is_not_known(yours):
    noise = np.random.default_rng(0).normal(size=2000)  # nothing in it can be foreseen
    inputs, targets, test_inputs, test_targets = yours.windows(noise, 5, 500)
    weights = np.linalg.lstsq(inputs, targets, rcond=None)[0]
    explained = 1 - np.mean((test_inputs @ weights - test_targets) ** 2) / np.var(test_targets)
    assert explained < 0.1, (
        f"a weighted sum of your windows explains {explained:.0%} of pure noise: "
        "the windows hold their own targets"
    )
