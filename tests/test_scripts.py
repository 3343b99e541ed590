"""Each forecasting lesson end to end, at a tiny size: what it writes, what it refuses."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import GRU
import LSTM
import SimpleRNN
from utils import InputError, cli, lesson

import keras
import numpy as np
import pandas as pd
import pytest

REPOSITORY = Path(__file__).parents[1]
LESSONS = {"SimpleRNN": SimpleRNN, "GRU": GRU, "LSTM": LSTM}
TINY = ["--units", "3", "--epochs", "2", "--input-steps", "8", "--forecast", "5"]
FILES = {"model.keras", "forecast.csv", "test_predictions.csv", "scores.json", "history.csv"}
FILES |= {"figure.png"}
GAPS = [50, 280]  # missing rows, of which one lies in the test part


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    """Days of hours, always above zero, two more columns, missing values; counts with zeros."""
    hours, rng = np.arange(300), np.random.default_rng(0)
    level = 20 + 5 * np.sin(2 * np.pi * hours / 24) + rng.normal(0, 1, 300)
    frame = pd.DataFrame({"level": level.round(3), "other": (30 - level).round(3)})
    frame["parts"] = rng.poisson(0.5, 300)
    frame.insert(0, "when", pd.date_range("2001-01-01", periods=300, freq="h"))
    frame.loc[GAPS, "level"] = np.nan
    path = tmp_path_factory.mktemp("data") / "mine.csv"
    frame.to_csv(path, index=False)
    return path


def words(*argv):
    return [str(word) for word in argv]


def run(name, argv):
    """Run a lesson as its command does; return the exit code."""
    with pytest.raises(SystemExit) as exit:
        cli.run(lambda: LESSONS[name].main(words(*argv)), f"{name}.py")
    return exit.value.code


def in_a_shell(name, argv, **environment):
    """Run a lesson in a process of its own; return what it printed."""
    command = words(sys.executable, f"{name}.py", *argv)
    environment = os.environ | environment
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode(environment.get("PYTHONIOENCODING", "utf-8"))


# ------------------------------------------------------------------ simulated


@pytest.mark.parametrize("name", LESSONS)
def test_demo(name, tmp_path, capsys, monkeypatch):
    if name == "LSTM":  # on a console that lacks the ²
        printed = in_a_shell(name, [*TINY, "--output-dir", tmp_path], PYTHONIOENCODING="ascii")
        assert "an R? of 0.9" in printed
        scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    else:
        scores = LESSONS[name].main([*TINY, "--output-dir", str(tmp_path)])
        written = (tmp_path / "scores.json").read_text(encoding="utf-8")
        assert json.loads(written) == json.loads(json.dumps(scores))
        printed = capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == FILES
    assert (scores["script"], scores["network"], scores["seed"]) == (f"{name}.py", name, 0)
    assert scores["input_steps"] == 8 and scores["data"] == "simulated"
    forecasts = {name, "persistence", "seasonal_naive", "linear", "optimal"}
    for part in ("val", "test"):
        assert set(scores[part]) == forecasts
        for line in scores[part].values():
            assert set(line) == {"mae", "rmse", "mase", "skill", "ratio_to_optimal"}
            assert line["rmse"] >= line["mae"] > 0
        assert scores[part]["optimal"]["ratio_to_optimal"] == 1
    assert set(scores["seconds"]) == {"fit", "total"} and 0 <= scores["p_value"] <= 1
    assert list(scores["by_steps"]) == ["1", "2", "3", "5"]
    for step, line in scores["by_steps"].items():
        assert set(line) == forecasts | {"coverage", "width"}
        assert 0.7 < line["coverage"] <= 1, step
    for forecast in forecasts:  # many windows, not all: about the same
        by_steps, test = scores["by_steps"]["1"][forecast]["mae"], scores["test"][forecast]["mae"]
        assert by_steps == pytest.approx(test, rel=1e-4)

    forecast = pd.read_csv(tmp_path / "forecast.csv")
    assert list(forecast) == ["time", "forecast", "lower", "upper"] and len(forecast) == 5
    assert (forecast["lower"] < forecast["forecast"]).all()
    assert (forecast["forecast"] < forecast["upper"]).all()
    test = pd.read_csv(tmp_path / "test_predictions.csv")
    assert list(test)[:4] == ["time", "actual", "predicted", "persistence"]
    assert list(test)[-2:] == ["lower", "upper"]
    error = (test["actual"] - test["predicted"]).abs().mean()
    assert error == pytest.approx(scores["test"][name]["mae"])
    inside = (test["lower"] <= test["actual"]) & (test["actual"] <= test["upper"])
    assert inside.mean() == pytest.approx(scores["coverage"]["0.9"])
    history = pd.read_csv(tmp_path / "history.csv")
    assert list(history) == ["epoch", "loss", "mae", "val_loss", "val_mae"] and len(history) == 2
    for said in ("best baseline", "The 90 % interval held", "Fed back,", "--refit trains on all"):
        assert said in printed


def test_one_seed_one_result(tmp_path, monkeypatch):
    """Also of windows with a single step."""
    monkeypatch.setattr(SimpleRNN, "STEPS", 400)
    argv = [*TINY, "--input-steps", 1, "--seed", 1, "--output-dir", tmp_path]
    runs = []
    for _ in range(2):
        scores = SimpleRNN.main(words(*argv))
        del scores["seconds"]
        runs.append((scores, (tmp_path / "forecast.csv").read_text()))
    assert runs[0] == runs[1] and scores["input_steps"] == 1


def test_a_training_that_diverges_is_told_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(SimpleRNN, "STEPS", 400)
    argv = [*TINY, "--learning-rate", 100, "--output-dir", tmp_path]
    assert run("SimpleRNN", argv) == 2
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1 and complaint.startswith("SimpleRNN.py: error: the training")
    assert "diverged" in complaint and "lower --learning-rate" in complaint
    assert not any(tmp_path.iterdir())


class Interrupt(keras.callbacks.EarlyStopping):
    """Ctrl-C after the second epoch."""

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        if epoch == 1:
            raise KeyboardInterrupt


def test_ctrl_c_keeps_what_was_learnt(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(keras.callbacks, "EarlyStopping", Interrupt)
    monkeypatch.setattr(LSTM, "DAYS", 400)
    argv = [*TINY, "--epochs", 99, "--output-dir", tmp_path / "out"]
    assert run("LSTM", argv) == 130
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*FILES, "checkpoint.npz"}
    captured = capsys.readouterr()
    assert "going on with the best weights so far" in captured.out
    assert captured.err == "LSTM.py: interrupted\n"


# ------------------------------------------------------------------ a CSV


@pytest.fixture(scope="module")
def own(csv, tmp_path_factory):
    """GRU.py with all flags of a CSV: its folder, its scores, the rows it trained on."""
    folder = tmp_path_factory.mktemp("own")
    argv = ["--csv", csv, "--column", "level", "--features", "other", "--fill", "--refit"]
    trained, shuffled = [], lesson.shuffled

    def spy(values, rows, *args):
        trained.append(set(np.array(rows).tolist()))
        return shuffled(values, rows, *args)

    with pytest.MonkeyPatch().context() as patch:
        patch.setattr(lesson, "shuffled", spy)
        scores = GRU.main(words(*argv, *TINY, "--layers", 2, "--output-dir", folder))
    return folder, scores, trained


def test_own_csv(own, csv):
    folder, scores, trained = own
    assert {path.name for path in folder.iterdir()} == FILES
    assert scores["test"]["optimal"] is None and scores["data"] == str(csv)
    assert scores["test"]["GRU"]["ratio_to_optimal"] is None
    assert set(scores["by_steps"]["5"]) == {
        "GRU", "persistence", "seasonal_naive", "linear", "coverage", "width",
    }  # fmt: skip
    forecast = pd.read_csv(folder / "forecast.csv")
    assert forecast["time"][0] == "2001-01-13 12:00:00"

    known = {gap + after for gap in GAPS for after in (0, 1)}
    *trials, refitted = trained
    assert all(rows == {*range(8, 210)} - known for rows in trials)
    assert refitted == {*range(8, 300)} - known
    tested = pd.read_csv(folder / "test_predictions.csv", parse_dates=["time"])["time"]
    hours = (tested - pd.Timestamp("2001-01-01")) // pd.Timedelta(hours=1)
    assert set(hours) == {*range(255, 300)} - known


def test_the_saved_model_forecasts_the_same_in_another_process(own, csv, tmp_path):
    """Without --column: the model knows it. What it did not write does not stay beside it."""
    folder, _, _ = own
    for name in ("scores.json", "history.csv", "test_predictions.csv"):
        (tmp_path / name).write_text("of another forecast")
    argv = ["--load", folder / "model.keras", "--csv", csv, "--fill", "--forecast", 5]
    in_a_shell("GRU", [*argv, "--output-dir", tmp_path])
    assert {path.name for path in tmp_path.iterdir()} == {"forecast.csv", "figure.png"}
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "forecast.csv"), pd.read_csv(folder / "forecast.csv"), rtol=1e-4
    )


def test_a_model_that_does_not_fit_the_data(own, csv, tmp_path):
    model, out = own[0] / "model.keras", ["--output-dir", tmp_path / "out"]
    data = ["--csv", csv, "--fill", "--load", model, *out]
    with pytest.raises(InputError, match="columns level, other, in this order; given are level, p"):
        GRU.main(words(*data, "--features", "parts"))
    with pytest.raises(InputError, match=r"is a model of GRU\.py, not of SimpleRNN\.py"):
        SimpleRNN.main(words(*data))
    short = tmp_path / "short.csv"
    short.write_text("".join(csv.read_text().splitlines(keepends=True)[:9]))
    with pytest.raises(InputError, match="windows have 8 steps"):
        GRU.main(words("--csv", short, "--load", model, *out))
    days = tmp_path / "days.csv"
    table = pd.read_csv(csv).assign(when=pd.date_range("2001-01-01", periods=300))
    table.to_csv(days, index=False)
    with pytest.raises(InputError, match="learned a step of h, the data's step is D"):
        GRU.main(words("--csv", days, "--fill", "--load", model, *out))
    assert not (tmp_path / "out").exists()


def test_the_model_file_holds_what_a_forecast_needs(own):
    with zipfile.ZipFile(own[0] / "model.keras") as archive:
        facts = json.loads(archive.read("facts.json"))
    assert facts["columns"] == ["level", "other"]
    assert facts["calendar"] == ["hour_sin", "hour_cos"] and facts["step"] == "h"
    assert facts["spread"]["until"] == "2001-01-13 11:00:00" and facts["spread"]["lowest"] == 0


def test_counts_are_never_below_zero(csv, tmp_path):
    argv = ["--csv", csv, "--column", "parts", *TINY, "--output-dir", tmp_path]
    scores = SimpleRNN.main(words(*argv))
    assert "median" in scores["test"] and "median" in scores["by_steps"]["5"]
    forecast = pd.read_csv(tmp_path / "forecast.csv")
    assert forecast["lower"].min() == 0 <= forecast["forecast"].min()
    assert (forecast["forecast"] <= forecast["upper"]).all()
    assert pd.read_csv(tmp_path / "test_predictions.csv")["lower"].min() == 0


# ------------------------------------------------------------------ bad input


# what: (arguments in place of a good one, words of the one line)
BAD = {
    "no such file": (["--csv", "none.csv"], "none.csv: cannot be read"),
    "a folder": (["--csv", "."], "is a folder"),
    "no such column": (["--column", "levle"], "no column 'levle' for --column; did you mean"),
    "text": (["--column", "when"], "is not a number"),
    "missing": ([], "line 52: missing or infinite values in column 'level': 2"),
    "too few rows": (["--fill", "1", "--input-steps", "280"], "too few rows: 300"),
    "units 0": (["--units", "0"], "--units: '0'"),
    "too many units": (["--units", "100000"], "at most 4096"),
    "epochs -1": (["--epochs", "-1"], "--epochs: '-1'"),
    "unknown flag": (["--colour", "red"], "unrecognized arguments: --colour red"),
    "a file as output folder": (
        ["--fill", "1", "--output-dir", "mine.csv"],
        "mine.csv: cannot write there",
    ),
    "no model": (["--fill", "1", "--load", "mine.csv"], "mine.csv is not a model that"),
    "no such model": (["--fill", "1", "--load", "gone.keras"], "gone.keras is not a model that"),
    "flags of training": (["--load", "gone.keras", "--refit"], "--refit: the model that --load"),
}


@pytest.mark.parametrize(("argv", "said"), BAD.values(), ids=BAD)
def test_bad_input_is_told_in_one_line(argv, said, csv, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copy(csv, "mine.csv")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    good = ["--csv", "mine.csv", "--column", "level", "--output-dir", "out"]
    for name in LESSONS:
        assert run(name, [*good, *argv]) == 2
        complaint = capsys.readouterr().err
        assert complaint.startswith(f"{name}.py: error: ") and complaint.count("\n") == 1
        assert said in complaint
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_price_must_be_above_zero(tmp_path):
    (tmp_path / "prices.csv").write_text("close,open\n1,1\n2,2\n0,3\n4,4\n")
    for column, feature in (("close", "open"), ("open", "close")):
        argv = ["--csv", tmp_path / "prices.csv", "--column", column, "--features", feature]
        with pytest.raises(InputError, match="line 4: column 'close' is 0, and a price must be"):
            LSTM.main(words(*argv, "--output-dir", tmp_path / "out"))


def test_r_squared():
    actual = np.array([1.0, 2.0, 3.0])
    assert LSTM.r_squared(actual, actual) == 1
    assert LSTM.r_squared(actual, np.full(3, 2.0)) == 0
    assert LSTM.r_squared(actual, actual[::-1]) == -3


@pytest.mark.parametrize(
    ("p_value", "lstm", "linear", "said"),
    [
        (0.4, 1.0, 2.0, "-50.00% against that of the last value: that is luck"),
        (0.01, 2.0, 1.0, "+0.00% against that of the last value: nothing was found that beats it"),
        (0.01, 1.0, 2.0, "-50.00% against that of the last value: this is no random walk"),
        (0.01, 2.5, 1.0, "+25.00% against that of the last value: nothing was found that beats it"),
    ],
)
def test_the_truth_about_the_overlay(p_value, lstm, linear, said):
    walk = 100 + np.random.default_rng(0).normal(size=50).cumsum()
    test = pd.DataFrame({"actual": walk[1:], "persistence": walk[:-1], "predicted": walk[:-1]})
    errors = {"LSTM": {"rmse": lstm}, "persistence": {"rmse": 2.0}, "linear": {"rmse": linear}}
    results = {"p_value": p_value, "test": errors | {"seasonal_naive": None}}
    assert said in LSTM.truth(lesson.Scored(results, test, None))
