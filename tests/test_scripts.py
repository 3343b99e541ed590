"""Each forecasting lesson end to end, at a tiny size: what it writes, what it refuses."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import GRU
import LSTM
import SimpleRNN
from utils import InputError, cli

import keras
import numpy as np
import pandas as pd
import pytest

REPOSITORY = Path(__file__).parents[1]
LESSONS = {"SimpleRNN": SimpleRNN, "GRU": GRU, "LSTM": LSTM}
TINY = ["--units", "3", "--epochs", "2", "--input-steps", "8", "--forecast", "5"]
FILES = {"model.keras", "forecast.csv", "test_predictions.csv", "scores.json", "history.csv"}
FILES |= {"figure.png"}


@pytest.fixture
def csv(tmp_path):
    """Three days' worth of hours, always above zero, with a second column and one missing value."""
    hours = np.arange(300)
    level = 20 + 5 * np.sin(2 * np.pi * hours / 24) + np.random.default_rng(0).normal(0, 1, 300)
    frame = pd.DataFrame({"level": level.round(3), "other": (30 - level).round(3)})
    frame.insert(0, "when", pd.date_range("2001-01-01", periods=300, freq="h"))
    frame.loc[50, "level"] = np.nan
    frame.to_csv(tmp_path / "mine.csv", index=False)
    return tmp_path / "mine.csv"


def run(name, argv):
    """Run a lesson as its command does; return the exit code."""
    with pytest.raises(SystemExit) as exit:
        cli.run(lambda: LESSONS[name].main([str(word) for word in argv]), f"{name}.py")
    return exit.value.code


@pytest.mark.parametrize("name", LESSONS)
def test_demo(name, tmp_path, capsys):
    scores = LESSONS[name].main([*TINY, "--output-dir", str(tmp_path)])
    assert {path.name for path in tmp_path.iterdir()} == FILES
    written = (tmp_path / "scores.json").read_text(encoding="utf-8")
    assert json.loads(written) == json.loads(json.dumps(scores))
    assert (scores["script"], scores["network"], scores["seed"]) == (f"{name}.py", name, 0)
    assert scores["input_steps"] == 8 and scores["data"] == "simulated"
    expected = {name, "persistence", "seasonal_naive", "linear", "optimal"}
    assert set(scores["test"]) == expected
    for line in scores["test"].values():
        assert set(line) == {"mae", "rmse", "mase", "skill", "ratio_to_optimal"}
        assert line["rmse"] >= line["mae"] > 0
    assert scores["test"]["optimal"]["ratio_to_optimal"] == 1
    assert set(scores["seconds"]) == {"fit", "total"} and 0 <= scores["p_value"] <= 1
    assert 0.5 < scores["coverage"]["0.9"] <= 1

    forecast = pd.read_csv(tmp_path / "forecast.csv")
    assert list(forecast) == ["time", "forecast", "lower", "upper"] and len(forecast) == 5
    assert (forecast["lower"] < forecast["upper"]).all()
    test = pd.read_csv(tmp_path / "test_predictions.csv")
    assert list(test)[:4] == ["time", "actual", "predicted", "persistence"]
    error = (test["actual"] - test["predicted"]).abs().mean()
    assert error == pytest.approx(scores["test"][name]["mae"])
    history = pd.read_csv(tmp_path / "history.csv")
    assert list(history) == ["epoch", "loss", "val_loss"] and len(history) == 2
    printed = capsys.readouterr().out
    assert "best baseline" in printed and "The 90 % interval held" in printed


@pytest.mark.parametrize("name", LESSONS)
def test_own_csv_and_the_saved_model(name, csv, tmp_path):
    out = tmp_path / "out"
    data = ["--csv", csv, "--column", "level", "--features", "other", "--fill"]
    assert run(name, [*data, *TINY, "--layers", 2, "--output-dir", out]) == 0
    assert {path.name for path in out.iterdir()} == FILES
    scores = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    assert scores["test"]["optimal"] is None and scores["data"] == str(csv)
    assert scores["test"][name]["ratio_to_optimal"] is None
    forecast = pd.read_csv(out / "forecast.csv")
    assert forecast["time"][0] == "2001-01-13 12:00:00"

    # the same network, loaded in a fresh process, says the same
    loaded = tmp_path / "loaded"
    command = [sys.executable, f"{name}.py", "--load", out / "model.keras", *data]
    command += ["--forecast", "5", "--output-dir", loaded]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert {path.name for path in loaded.iterdir()} == {"forecast.csv", "figure.png"}
    pd.testing.assert_frame_equal(pd.read_csv(loaded / "forecast.csv"), forecast, rtol=1e-4)


@pytest.mark.parametrize("name", LESSONS)
def test_one_seed_one_result(name, csv, tmp_path):
    argv = ["--csv", csv, "--column", "level", "--fill", *TINY, "--output-dir", tmp_path / "out"]
    runs = []
    for seed in (1, 1, 2):
        scores = LESSONS[name].main([str(word) for word in [*argv, "--seed", seed]])
        del scores["seconds"]
        runs.append((scores, (tmp_path / "out" / "forecast.csv").read_text()))
    assert runs[0] == runs[1]
    assert runs[0][0]["test"] != runs[2][0]["test"]


@pytest.mark.parametrize("predict", ["level", "change"])
def test_the_gru_predicts_a_level_or_a_change(predict):
    train = np.random.default_rng(0).normal(20, 2, (200, 3))
    network = GRU.build_network(train, 2, 8, units=3, depth=1, predict=predict)
    windows = np.random.default_rng(1).normal(20, 2, (5, 8, 3)).astype("float32")
    found = network.predict(windows, verbose=0)
    # before training, the network says the mean, or that nothing changes
    expected = windows[:, -1, :2] if predict == "change" else train.mean(axis=0)[None, :2]
    np.testing.assert_allclose(found, np.broadcast_to(expected, (5, 2)), rtol=1e-5)


def test_the_lstm_starts_as_a_random_walk_with_drift():
    train = 100 * np.exp(0.01 * np.arange(50.0))[:, None]
    train[::2] *= 1.001
    network = LSTM.build_network(train, 8, units=3, depth=1)
    window = np.linspace(90, 110, 8).reshape(1, 8, 1)
    drift = np.diff(np.log(train[:, 0])).mean()
    assert network.predict(window, verbose=0).item() == pytest.approx(110 * np.exp(drift), rel=1e-5)


def test_the_lstm_sees_returns_not_prices():
    train = np.exp(np.random.default_rng(0).normal(0, 0.1, (50, 1)).cumsum(axis=0))
    network = LSTM.build_network(train, 8, units=3, depth=1)
    weights = [np.random.default_rng(1).normal(size=w.shape) for w in network.get_weights()]
    network.set_weights(weights)
    window = train[:8][None]
    small, large = network.predict(np.concatenate([window, 1000 * window]), verbose=0)
    assert large.item() == pytest.approx(1000 * small.item(), rel=1e-4)


def test_r_squared():
    actual = np.array([1.0, 2.0, 3.0])
    assert LSTM.r_squared(actual, actual) == 1
    assert LSTM.r_squared(actual, np.full(3, 2.0)) == 0
    assert LSTM.r_squared(actual, actual[::-1]) == -3


def test_errors_far_ahead_by_hand():
    """Persistence, on a series that grows by one, is off by as many as the steps ahead."""
    inputs = keras.Input((4, 1))
    network = keras.Model(inputs, inputs[:, -1, :] + 1)
    frame = pd.DataFrame({"y": np.arange(200.0)})
    forecaster = SimpleRNN.Forecaster(network, ["y"], [], "no time", None)
    far = SimpleRNN.score_far_ahead(forecaster, frame, np.arange(150, 200), None)
    assert {step: line["persistence"] for step, line in far.items()} == {k: k for k in far}
    assert all(line["SimpleRNN"] < 1e-4 for line in far.values())
    assert list(far) == [1, 5, 10, 20, 40]
    short = SimpleRNN.score_far_ahead(forecaster, frame, np.arange(188, 200), None)
    assert list(short) == [1, 5, 10]


class Interrupt(keras.callbacks.EarlyStopping):
    """Ctrl-C after the second epoch."""

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.parametrize("name", LESSONS)
def test_ctrl_c_keeps_what_was_learnt(name, csv, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(keras.callbacks, "EarlyStopping", Interrupt)
    argv = ["--csv", csv, "--column", "level", "--fill", *TINY, "--epochs", 99]
    assert run(name, [*argv, "--output-dir", tmp_path / "out"]) == 130
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    captured = capsys.readouterr()
    assert "going on with the best weights so far" in captured.out
    assert captured.err == f"{name}.py: interrupted\n"


# what: (arguments in place of a good one, words of the one line)
BAD = {
    "no such file": (["--csv", "none.csv"], "none.csv: cannot be read"),
    "a folder": (["--csv", "."], "is a folder"),
    "no such column": (["--column", "levle"], "no column 'levle' for --column; did you mean"),
    "text": (["--column", "when"], "is not a number"),
    "missing": ([], "line 52: missing or infinite values in column 'level': 1"),
    "too few rows": (["--fill", "1", "--input-steps", "280"], "too few rows: 300"),
    "units 0": (["--units", "0"], "--units: '0'"),
    "epochs -1": (["--epochs", "-1"], "--epochs: '-1'"),
    "unknown flag": (["--colour", "red"], "unrecognized arguments: --colour red"),
    "a file as output folder": (["--output-dir", "mine.csv"], "mine.csv: cannot write there"),
    "no model": (["--fill", "1", "--load", "mine.csv"], "mine.csv is not a model that"),
    "no such model": (["--fill", "1", "--load", "gone.keras"], "gone.keras is not a model that"),
}


@pytest.mark.parametrize(("argv", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_told_in_one_line(argv, words, csv, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    good = ["--csv", "mine.csv", "--column", "level", "--output-dir", "out"]
    for name in LESSONS:
        assert run(name, [*good, *argv]) == 2
        complaint = capsys.readouterr().err
        assert complaint.startswith(f"{name}.py: error: ") and complaint.count("\n") == 1
        assert words in complaint
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_price_must_be_above_zero(tmp_path):
    (tmp_path / "prices.csv").write_text("close,open\n1,1\n2,2\n0,3\n4,4\n")
    for column, feature in (("close", "open"), ("open", "close")):
        argv = ["--csv", str(tmp_path / "prices.csv"), "--column", column, "--features", feature]
        with pytest.raises(InputError, match="line 4: column 'close' is 0, and a price must be"):
            LSTM.main([*argv, "--output-dir", str(tmp_path / "out")])


def test_a_model_that_does_not_fit_the_data(csv, tmp_path):
    out = ["--output-dir", str(tmp_path / "out")]
    data = ["--csv", str(csv), "--column", "level", "--fill"]
    GRU.main([*data, *TINY, *out, "--epochs", "1"])
    model = str(tmp_path / "out" / "model.keras")
    with pytest.raises(
        InputError, match="reads the columns level, in this order; given are level, other"
    ):
        GRU.main([*data, "--features", "other", "--load", model, *out])
    with pytest.raises(InputError, match=r"is a model of GRU\.py, not of SimpleRNN\.py"):
        SimpleRNN.main([*data, "--load", model, *out])
    short = tmp_path / "short.csv"
    short.write_text("".join(csv.read_text().splitlines(keepends=True)[:9]))
    with pytest.raises(InputError, match="windows have 8 steps"):
        GRU.main(["--csv", str(short), "--column", "level", "--load", model, *out])
    days = tmp_path / "days.csv"
    table = pd.read_csv(csv).assign(when=pd.date_range("2001-01-01", periods=300))
    table.to_csv(days, index=False)
    with pytest.raises(InputError, match="at a step of h, the data's step is D"):
        GRU.main(["--csv", str(days), "--column", "level", "--fill", "--load", model, *out])


def test_the_model_file_holds_what_a_forecast_needs(csv, tmp_path):
    argv = ["--csv", str(csv), "--column", "level", "--fill", *TINY, "--epochs", "1"]
    GRU.main([*argv, "--output-dir", str(tmp_path / "out")])
    with zipfile.ZipFile(tmp_path / "out" / "model.keras") as archive:
        facts = json.loads(archive.read("facts.json"))
    assert facts["columns"] == ["level"] and facts["calendar"] == ["hour_sin", "hour_cos"]
    assert facts["step"] == "h" and set(facts["spread"]) >= {"decay", "z"}
