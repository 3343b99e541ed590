import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest

PATH = Path(__file__).with_name("order_matters.py")
spec = importlib.util.spec_from_file_location("order_matters", PATH)
task = importlib.util.module_from_spec(spec)  # the data and the training, whoever's network it is
spec.loader.exec_module(task)


def test_the_network_sees_the_order(yours):
    keras.utils.set_random_seed(0)
    network = yours.with_order()
    right = task.accuracy(network)
    if right < 0.95:
        chance = " That is chance: it can't see the order." if right < 0.6 else ""
        pytest.fail(f"{right:.0%} of its answers are right, 95 % are wanted.{chance}", False)


def test_the_other_network_does_not():
    assert task.accuracy(task.without_order()) < 0.6
    inputs, _ = task.sequences(20, np.random.default_rng(0))
    network = task.without_order()
    np.testing.assert_allclose(network(inputs), network(inputs[:, ::-1]), atol=1e-5)
