from utils import InputError, training
from utils.series.windows import in_order, shuffled, split_by_time
from utils.training import averaging_adam, fit, refit, steps_per_epoch

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers

ROWS = split_by_time(400, 5)


@pytest.fixture
def values():
    return np.sin(0.3 * np.arange(400))[:, None] + np.random.default_rng(0).normal(0, 0.1, (400, 1))


def network(units=4):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5, 1))
    return keras.Model(inputs, layers.Dense(1)(layers.SimpleRNN(units)(inputs)))


def train(model, values, loss="mse", seed=0, batch_size=32, **settings):
    settings = {"epochs": 3, "steps": 16, "learning_rate": 0.01, "quiet": True} | settings
    batches = shuffled(values, ROWS.train, 5, 1, batch_size, seed)
    return fit(model, loss, batches, in_order(values, ROWS.val, 5, 1), **settings)


def mae(actual, predicted):
    return keras.ops.abs(actual[:, 0] - predicted[:, 0])


def predicted(model, values, rows):
    return model.predict(values[rows[:, None] + np.arange(-5, 0)], verbose=0)


def test_the_best_epoch_is_kept():
    model, values = network(64), np.random.default_rng(0).normal(size=(400, 1))
    learnt = train(model, values, epochs=30)
    assert list(learnt.history) == ["loss", "val_loss"]
    assert learnt.history.index[0] == 1 and learnt.history.index.name == "epoch"
    assert learnt.best_epoch == learnt.history["val_loss"].idxmin()
    assert learnt.best_epoch == len(learnt.history) - 10  # noise can only be learnt by heart
    loss = np.mean((predicted(model, values, ROWS.val) - values[ROWS.val]) ** 2)
    assert loss == pytest.approx(learnt.lowest, rel=1e-4)
    assert not learnt.interrupted and learnt.seconds > 0


def test_the_metric_chooses_the_epoch_where_there_is_one():
    """The loss draws the network towards 100, where the metric doesn't want it."""
    model, values = network(), np.random.default_rng(0).normal(size=(400, 1))

    def loss(actual, predicted):
        return keras.ops.square(predicted[:, 0] - 100)

    learnt = train(model, values, loss, metric=mae, epochs=3, learning_rate=0.01)
    assert list(learnt.history) == ["loss", "mae", "val_loss", "val_mae"]
    assert learnt.judged == "val_mae" and learnt.best_epoch == 0  # as it was is best
    assert learnt.history["val_loss"].idxmin() == len(learnt.history) > 1
    error = np.abs(predicted(model, values, ROWS.val) - values[ROWS.val]).mean()
    assert error == pytest.approx(learnt.lowest, rel=1e-4)


@pytest.mark.parametrize(
    ("last", "interrupted", "words"),
    [
        (9, False, "stopped, since a third of the epochs had brought nothing better, after epoch"),
        (9, True, "was interrupted after epoch 9 of 30; kept is epoch 4."),
        (30, False, "ended as planned after epoch 30 of 30; kept is epoch 4."),
    ],
)
def test_what_a_fit_says(last, interrupted, words):
    history = pd.DataFrame({"val_mae": 1.0, "val_loss": 0.0}, pd.RangeIndex(1, last + 1))
    history.loc[4, "val_mae"] = 0.5
    learnt = training.Fit(history, "val_mae", 0.9, 30, 1.0, interrupted)
    assert words in str(learnt)
    assert learnt.lowest == 0.5 and learnt.best_epoch == 4
    worse = learnt._replace(before=0.4)
    assert worse.lowest == 0.4 and worse.best_epoch == 0


def test_training_learns_and_repeats_itself(values):
    a, b, c = network(8), network(8), network(8)
    first, again, other = (
        train(model, values, seed=seed, epochs=8).history
        for model, seed in ((a, 1), (b, 1), (c, 2))
    )
    assert first["val_loss"].iloc[-1] < first["val_loss"].iloc[0] / 2
    assert first.equals(again) and not first.equals(other)
    for one, same in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(one, same)


def test_no_step_weighs_more_than_a_later_one_in_the_average():
    """Keras' own average would be the weights after the first step, to 72 %, after 16 steps."""
    weight = keras.Variable([0.0])
    optimizer = averaging_adam(0.1, steps=10**9)
    optimizer.build([weight])
    at = []
    for step in range(1, 151):
        optimizer.apply([keras.ops.ones(1)])
        at.append(float(weight[0]))
        average = float(optimizer._model_variables_moving_average[0][0])
        if step in (1, 2, 16, 49):
            assert average == pytest.approx(np.mean(at), rel=1e-4), step
    assert at[-1] < at[0] < 0
    # from then on, a mean over about 50 steps
    shares = 0.98 ** np.arange(100)[::-1] * 0.02
    old = 0.98**100 * np.mean(at[:50])
    assert average == pytest.approx(shares @ at[50:] + old, rel=1e-3)


@pytest.mark.parametrize(
    ("windows", "batch_size", "steps"),
    [(275, 32, 16), (275, 8, 48), (1, 1, 16), (10**7, 128, 784), (512, 32, 16), (513, 32, 32)],
)
def test_the_steps_of_an_epoch(windows, batch_size, steps):
    """As many as see all windows, in whole calls; a long series is scored before it ends."""
    assert steps_per_epoch(windows, batch_size) == steps
    assert steps % training.AT_ONCE == 0


def test_the_learning_rate_ends_with_the_training_not_before(values):
    model = network()
    train(model, values, epochs=4, steps=32)
    assert model.optimizer.iterations == 4 * 32
    schedule = model.optimizer._learning_rate
    assert schedule(4 * 32) == 0 and schedule(4 * 32 - 2) > 0


def test_a_refit_goes_as_far_as_validation_found_best(values):
    """On the same rows, it leads to the weights that were kept."""
    model, again = network(64), network(64)
    noise = np.random.default_rng(0).normal(size=(400, 1))
    learnt = train(model, noise, epochs=12)
    assert 1 <= learnt.best_epoch < len(learnt.history)
    plan = {"steps": 16, "epochs": learnt.best_epoch, "planned": 12, "learning_rate": 0.01}
    refit(again, "mse", shuffled(noise, ROWS.train, 5, 1, 32, seed=0), **plan)
    assert again.optimizer.iterations == 16 * learnt.best_epoch
    for one, same in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, same, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("learning_rate", [0.01, 1e6])
def test_divergence_is_told(values, learning_rate):
    """By numbers that aren't finite, or by an error far above that before the first step."""
    factor = 1e30 if learning_rate < 1 else 1
    with pytest.raises(InputError, match=r"diverged: .* lower --learning-rate$") as error:
        train(network(), values * factor, epochs=2, learning_rate=learning_rate)
    assert "\n" not in str(error.value)


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
