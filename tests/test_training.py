from utils import InputError, training
from utils.series.windows import split_by_time
from utils.training import fit

import keras
import numpy as np
import pytest
from keras import layers


@pytest.fixture
def values():
    return np.sin(0.3 * np.arange(400))[:, None] + np.random.default_rng(0).normal(0, 0.1, (400, 1))


def network(units=4):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5, 1))
    return keras.Model(inputs, layers.Dense(1)(layers.SimpleRNN(units)(inputs)))


def train(model, values, **settings):
    settings = {"epochs": 3, "batch_size": 32, "learning_rate": 0.01, "seed": 0} | settings
    return fit(model, "mse", values, split_by_time(len(values), 5), **settings)


def test_the_best_epoch_is_kept():
    model, values = network(64), np.random.default_rng(0).normal(size=(400, 1))
    learnt = train(model, values, epochs=30)
    assert list(learnt.history) == ["loss", "val_loss"]
    assert learnt.history.index[0] == 1 and learnt.history.index.name == "epoch"
    best = learnt.history["val_loss"].idxmin()
    assert best == len(learnt.history) - 10  # noise can only be learnt by heart
    rows = split_by_time(len(values), 5).val
    windows = values[rows[:, None] + np.arange(-5, 0)]
    loss = np.mean((model.predict(windows, verbose=0) - values[rows]) ** 2)
    assert loss == pytest.approx(learnt.history["val_loss"].min(), rel=1e-4)
    assert not learnt.interrupted and learnt.seconds > 0


def test_training_learns(values):
    history = train(network(8), values, epochs=20).history
    assert history["val_loss"].iloc[-1] < history["val_loss"].iloc[0] / 3


def test_one_seed_one_result(values):
    a, b, c = network(), network(), network()
    histories = [
        train(model, values, seed=seed).history for model, seed in ((a, 1), (b, 1), (c, 2))
    ]
    assert histories[0].equals(histories[1]) and not histories[0].equals(histories[2])
    for one, other in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("at_most", "steps_expected"), [(50, 7), (100_000, 35)])
def test_the_steps_of_an_epoch(values, monkeypatch, at_most, steps_expected):
    """A long series is scored before it ends: an epoch has at most so many windows."""
    monkeypatch.setattr(training, "MAX_WINDOWS", at_most)
    monkeypatch.setattr(training, "AT_ONCE", 1)
    steps = []
    original = keras.Model.fit

    def spy(self, *args, **kwargs):
        steps.append(kwargs["steps_per_epoch"])
        assert sum(len(batch[0]) for batch in kwargs["validation_data"]) <= at_most
        return original(self, *args, **kwargs)

    monkeypatch.setattr(keras.Model, "fit", spy)
    train(network(), values, epochs=1, batch_size=8)
    assert steps == [steps_expected]


def test_a_short_series_trains_as_many_steps(values):
    model = network()
    train(model, values[:150], epochs=2)
    assert model.optimizer.iterations == 2 * training.AT_ONCE


def test_the_learning_rate_ends_with_the_training_not_before(values):
    model = network()
    train(model, values, epochs=4, batch_size=16)  # 275 windows are 18 batches, in two calls
    assert model.optimizer.iterations == 4 * 32
    schedule = model.optimizer._learning_rate
    assert schedule(4 * 32) == 0 and schedule(4 * 32 - 2) > 0


def test_divergence_is_told(values):
    with pytest.raises(InputError, match="diverged; lower --learning-rate"):
        train(network(), values * 1e30, epochs=2)


def test_interrupt_keeps_the_best_weights(values, monkeypatch, capsys):
    model, kept = network(), []

    class Recorded(keras.callbacks.EarlyStopping):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            kept.append([weight.copy() for weight in self.best_weights])
            if epoch == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(keras.callbacks, "EarlyStopping", Recorded)
    learnt = train(model, values, epochs=10)
    assert learnt.interrupted and len(learnt.history) == 2
    for weight, best in zip(model.get_weights(), kept[-1], strict=True):
        np.testing.assert_array_equal(weight, best)
    assert "best weights so far" in capsys.readouterr().out


def test_interrupt_before_the_first_epoch_ends(values, monkeypatch):
    def fit(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.Model, "fit", fit)
    with pytest.raises(KeyboardInterrupt):
        train(network(), values)
