"""Cut a series into windows, so that nothing of the future leaks into the past."""

import numpy as np


def windows(values, input_steps, test_steps):
    """Return inputs and targets, of the train part and of the test part, normalised.

    Args:
        values: (time,), oldest first.
        input_steps: values per window; the target is the value after them.
        test_steps: the last values of the series, each of which is the target of one test window.

    Returns:
        train inputs (windows, input_steps), train targets (windows,), test inputs, test targets:
        all as (value - mean) / standard deviation.
    """
    raise NotImplementedError
