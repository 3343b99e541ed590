import numpy as np


def windows(values, input_steps, test_steps):
    """Return inputs and targets, of the train part and of the test part, normalised."""
    known = values[:-test_steps]  # what there is when the network is trained
    normal = (values - known.mean()) / known.std()
    cut = np.lib.stride_tricks.sliding_window_view(normal, input_steps + 1)
    inputs, targets = cut[:, :-1], cut[:, -1]
    return inputs[:-test_steps], targets[:-test_steps], inputs[-test_steps:], targets[-test_steps:]
