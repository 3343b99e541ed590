"""Fit, save and load; on a sine, in windows of five."""

import json
import shutil
import zipfile

from utils import InputError, training

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

TRAIN, VAL = np.arange(5, 280), np.arange(280, 340)
NOISE = np.random.default_rng(0).normal(size=400)
WAVE = np.sin(0.3 * np.arange(400)) + 0.1 * NOISE


def network(units=4, learning_rate=0.01, use_ema=True):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5, 1))
    model = keras.Model(inputs, layers.Dense(1)(layers.SimpleRNN(units)(inputs)))
    optimizer = keras.optimizers.Adam(learning_rate, use_ema=use_ema, ema_momentum=0.9)
    model.compile(optimizer, "mse", steps_per_execution=training.STEPS_PER_CALL, jit_compile=False)
    return model


def batches(values, rows, seed=None):
    windows = np.float32(values)[rows[:, None] + np.arange(-5, 0), None]
    stream = tf.data.Dataset.from_tensor_slices((windows, np.float32(values)[rows, None]))
    return stream.batch(64) if seed is None else stream.shuffle(400, seed).repeat().batch(32)


def train(model, values, seed=0, **settings):
    settings = {"epochs": 3, "steps": 16} | settings
    return training.fit(model, batches(values, TRAIN, seed), batches(values, VAL), **settings)


def val_loss(model, values):
    windows = values[VAL[:, None] + np.arange(-5, 0), None]
    return np.mean((model.predict(windows, verbose=0)[:, 0] - values[VAL]) ** 2)


@pytest.mark.parametrize("use_ema", [True, False])
def test_the_best_epoch_is_kept(use_ema):
    model, heard = network(64, use_ema=use_ema), []
    found = train(model, NOISE, epochs=30, on_epoch=heard.append)
    assert list(found.history) == ["loss", "val_loss"]
    assert found.history.index[0] == 1 and found.history.index.name == "epoch"
    assert found.best_epoch == found.history["val_loss"].idxmin()
    assert found.best_epoch == len(found.history) - 10  # noise can only be learned by heart
    assert val_loss(model, NOISE) == pytest.approx(found.history["val_loss"].min(), rel=1e-4)
    assert heard == pytest.approx(found.history["val_loss"].cummin().tolist())
    assert not found.interrupted and found.seconds > 0


def test_without_early_stopping_all_epochs_are_trained_and_the_last_weights_kept():
    model = network(64)
    found = train(model, NOISE, epochs=12, stop_early=False)
    assert found.best_epoch == len(found.history) == 12
    assert found.history["val_loss"].idxmin() < 12
    assert val_loss(model, NOISE) == pytest.approx(found.history["val_loss"][12], rel=1e-4)


def test_a_refit_goes_as_far_as_validation_found_best():
    """On the same rows, it leads to the weights that were kept."""
    model, again = network(64), network(64)
    found = train(model, NOISE, epochs=12)
    assert 1 <= found.best_epoch < len(found.history)
    rows = batches(NOISE, TRAIN, 0)
    training.fit(again, rows, None, steps=16, epochs=found.best_epoch)
    assert again.optimizer.iterations == 16 * found.best_epoch
    for one, same in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, same, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("stop_early", [True, False])
def test_ctrl_c_keeps_the_best_or_the_newest_weights(stop_early, monkeypatch, capsys):
    """It comes within the third epoch; within the first, nothing is worth keeping."""
    epochs = 2

    class Stop(keras.callbacks.History):
        def on_train_batch_begin(self, batch, logs=None):
            if len(self.epoch) == epochs:
                raise KeyboardInterrupt

    monkeypatch.setattr(keras.callbacks, "History", Stop)
    model = network(64)
    found = train(model, NOISE, epochs=9, stop_early=stop_early)
    assert found.interrupted and len(found.history) == 2
    kept = found.history["val_loss"][found.best_epoch]
    assert val_loss(model, NOISE) == pytest.approx(kept, rel=1e-4)
    assert "Interrupted" in capsys.readouterr().out
    assert str(found).startswith("Training was interrupted after epoch 2 of 9; kept is epoch")
    epochs = 0
    with pytest.raises(KeyboardInterrupt):
        train(network(), WAVE)


# ------------------------------------------------------------------ save and load


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path, model = tmp_path_factory.mktemp("model") / "model.keras", network()
    training.save(path, model, {"script": "GRU.py", "columns": ["y"]})
    return path, model


def test_a_saved_network_is_whole(saved):
    path, model = saved
    again, facts = training.load(path, "GRU.py")
    assert facts == {"columns": ["y"]} and [file.name for file in path.parent.iterdir()] == [
        path.name
    ]
    assert val_loss(again, WAVE) == val_loss(model, WAVE)
    with pytest.raises(InputError, match=r"is a model of GRU\.py, not of LSTM\.py"):
        training.load(path, "LSTM.py")


def test_what_is_no_saved_model(saved, tmp_path):
    path, model = saved
    model.save(tmp_path / "stranger.keras")
    (tmp_path / "text.keras").write_text("no model")
    (tmp_path / "broken.keras").write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for name, facts in {"empty": {}, "list": [], "old": {"script": "GRU.py"}}.items():
        shutil.copy(tmp_path / "stranger.keras", tmp_path / f"{name}.keras")
        with zipfile.ZipFile(tmp_path / f"{name}.keras", "a") as archive:
            archive.writestr("facts.json", json.dumps(facts))
    for name in ("text", "stranger", "broken", "missing", "empty", "list", "old"):
        with pytest.raises(InputError, match=rf"{name}\.keras is not a model that GRU") as error:
            training.load(tmp_path / f"{name}.keras", "GRU.py")
        assert "\n" not in str(error.value)


def test_a_strangers_model_runs_no_code(tmp_path):
    trace = tmp_path / "trace"

    def attack(x, trace=str(trace)):
        open(trace, "w").close()
        return x[:, -1]

    inputs = keras.Input((4, 1))
    model = keras.Model(inputs, layers.Lambda(attack, output_shape=(1,))(inputs))
    model(np.zeros((1, 4, 1)))
    trace.unlink()  # it runs here, where it was written
    training.save(tmp_path / "model.keras", model, {"script": "GRU.py"})
    with pytest.raises(InputError, match=r"not a model that GRU\.py saved") as error:
        training.load(tmp_path / "model.keras", "GRU.py")
    assert "\n" not in str(error.value) and not trace.exists()
