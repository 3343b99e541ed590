"""A killed training goes on, to the same digits."""

import argparse
import importlib
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import GRU
from utils import InputError
from utils.checkpoint import Checkpoint, plan_of
from utils.files import output_folder
from utils.series.windows import in_order, shuffled, split_by_time
from utils.training import fit, steps_per_epoch

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers

REPOSITORY = Path(__file__).parents[1]
EPOCHS = 9
PLAN = {"units": 6, "data": "abc"}
NOISE = np.random.default_rng(0).normal(size=(300, 1))  # learnt by heart, so it stops early
SINE = np.sin(0.3 * np.arange(300))[:, None] + 0.1 * NOISE


class KilledError(Exception):
    """Stands for kill -9: nobody catches it, nothing is tidied up."""


def train(path, values, resume=False, killed_after=None):
    """Train with noise, dropout and statistics that are no weights; return fit and weights."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5, 1))
    x = layers.SimpleRNN(32)(layers.GaussianNoise(0.05)(inputs))
    x = layers.BatchNormalization()(layers.Dropout(0.05)(x))
    network = keras.Model(inputs, layers.Dense(1)(x))
    checkpoint, parts = Checkpoint(path, PLAN, resume), split_by_time(len(values), 5)
    epochs_left = iter(range(checkpoint.epoch + 1, EPOCHS + 1))

    def kill(best):
        if next(epochs_left) == killed_after:
            raise KilledError

    found = fit(
        network,
        "mse",
        shuffled(values, parts.train, 5, 1, 16, seed=3),
        in_order(values, parts.val, 5, 1),
        steps=steps_per_epoch(len(parts.train), 16),
        epochs=EPOCHS,
        learning_rate=0.02,
        quiet=True,
        checkpoint=checkpoint,
        on_epoch=kill,
    )
    return found, network.get_weights()


@pytest.mark.parametrize(
    ("values", "kills"), [(SINE, [2, 6]), (NOISE, [4])], ids=["all epochs", "stops early"]
)
def test_resumed_is_as_never_killed(values, kills, tmp_path):
    path = tmp_path / "checkpoint.npz"
    whole, weights = train(path, values)
    epochs = len(whole.history)
    assert (epochs < EPOCHS) == (values is NOISE)
    path.unlink()
    for epoch in (*kills, epochs):  # the last: once the training has ended
        with pytest.raises(KilledError):
            train(path, values, resume=epoch != kills[0], killed_after=epoch)
    resumed, again = train(path, values, resume=True)
    assert resumed.history.equals(whole.history)
    for one, other in zip(weights, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_new_run_forgets_the_checkpoint(tmp_path):
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(b"of another run")
    assert Checkpoint(path, PLAN, resume=False).epoch == 0
    assert not path.exists()


def test_no_checkpoint_yet(tmp_path, capsys):
    assert Checkpoint(tmp_path / "checkpoint.npz", PLAN, resume=True).epoch == 0
    assert "starting from the beginning" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 half an archive"])
def test_a_file_that_is_no_checkpoint(content, tmp_path):
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"checkpoint\.npz is not a checkpoint"):
        Checkpoint(path, PLAN, resume=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"units": 7}, "with --units 6"), ({"data": "abd"}, "other data"), ({"new": 1}, "--new None")],
)
def test_another_plan_is_refused(change, words, tmp_path):
    path = tmp_path / "checkpoint.npz"
    with pytest.raises(KilledError):
        train(path, SINE, killed_after=1)
    with pytest.raises(InputError, match=words):
        Checkpoint(path, PLAN | change, resume=True)


def test_the_plan_knows_what_changes_the_digits():
    args = argparse.Namespace(units=3, features=("a", "b"), output_dir="x", show=True, csv="a.csv")
    plan = plan_of(args, np.arange(3.0))
    assert json.loads(json.dumps(plan)) == plan and set(plan) == {"units", "features", "data"}
    args.output_dir, args.csv = "y", "copy.csv"
    assert plan_of(args, np.arange(3.0)) == plan
    assert plan_of(args, np.arange(4.0)) != plan
    args.units = 4
    assert plan_of(args, np.arange(3.0)) != plan


def test_what_a_killed_run_left_half_written_is_removed(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    (tmp_path / f".model.{child.pid}.keras").touch()
    kept = {f".model.{os.getpid()}.keras", ".hidden", "model.keras", ".a.b"}
    for name in kept:
        (tmp_path / name).touch()
    output_folder(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept


WHOLE = {  # lesson: its flags, and the files that must be alike
    "SimpleRNN": (["--jumps", "0.01", "--input-steps", "8"], ["history.csv", "forecast.csv"]),
    "LSTM": (["--input-steps", "8"], ["history.csv", "forecast.csv"]),
    "forecast": (["--csv", "panel.csv", "--column", "sales", "--horizon", "4", "--networks", "2"],
                 ["backtest.csv", "forecast.csv"]),
    "slot_filling": (["--data", "one.txt", "--model", "elman", "--seeds", "0,1"], ["slots.csv"]),
}  # fmt: skip


@pytest.mark.parametrize("lesson", WHOLE)
def test_each_lesson_goes_on(lesson, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    level = 20 + 5 * np.sin(np.arange(300) / 4) + rng.normal(0, 1, 300)
    days = pd.date_range("2001-01-01", periods=300)
    pd.DataFrame({"day": days, "sales": level}).to_csv("panel.csv", index=False)
    places = rng.choice(["Taipei", "Rome", "Oslo", "Lima"], 200)
    queries = [f"leave O\n{place} B-from\nnow O\n" for place in places]
    Path("one.txt").write_text("\n".join(queries), encoding="utf-8")
    module, (flags, files) = importlib.import_module(lesson), WHOLE[lesson]
    argv = [*flags, "--units", "6", "--epochs", "4", "--output-dir"]
    module.main([*argv, "whole"])

    saved, save = [], Checkpoint.save

    def killed(self, *args, **state):
        save(self, *args, **state)
        saved.append((self.path.name, state["epoch"]))
        if state["epoch"] == 2:
            raise KilledError

    monkeypatch.setattr(Checkpoint, "save", killed)
    trainings = 2 if lesson in ("forecast", "slot_filling") else 1
    with pytest.raises(KilledError):
        module.main([*argv, "killed"])
    if trainings == 2:
        with pytest.raises(KilledError):
            module.main([*argv, "killed", "--resume"])
    module.main([*argv, "killed", "--resume"])
    assert len(saved) == len(set(saved)) >= 2 * trainings  # no epoch twice
    assert {p.name for p in Path("killed").iterdir()} == {p.name for p in Path("whole").iterdir()}
    for name in files:
        assert Path("killed", name).read_text() == Path("whole", name).read_text()


def test_kill_9_at_random_moments(tmp_path):
    """The whole lesson: no broken file, and in the end the same files with the same digits."""
    argv = ["--units", "4", "--epochs", "40", "--input-steps", "8", "--forecast", "5"]
    whole, out = tmp_path / "whole", tmp_path / "killed"
    start = time.perf_counter()
    GRU.main([*argv, "--output-dir", str(whole)])
    seconds = time.perf_counter() - start
    assert not (whole / "checkpoint.npz").exists()
    command = [sys.executable, "GRU.py", *argv, "--output-dir", str(out), "--resume"]
    environment = os.environ | {"MPLBACKEND": "Agg"}
    for _ in range(2):
        with subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL
        ) as process:
            while process.poll() is None and not (out / "checkpoint.npz").exists():
                time.sleep(0.01)
            time.sleep(random.uniform(0.1, 0.5) * seconds)
            process.kill()
    subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True)
    assert {path.name for path in out.iterdir()} == {path.name for path in whole.iterdir()}
    for name in ("history.csv", "test_predictions.csv", "forecast.csv"):
        assert (out / name).read_text() == (whole / name).read_text()
