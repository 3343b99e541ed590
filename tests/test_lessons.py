"""The three forecasting lessons end to end, at a tiny size: what they write, what they refuse."""

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import GRU
import LSTM
import SimpleRNN
from utils import InputError, cli
from utils.series import calendar, temperature

import keras
import numpy as np
import pandas as pd
import pytest

REPOSITORY = Path(__file__).parents[1]
LESSONS = {"SimpleRNN": SimpleRNN, "GRU": GRU, "LSTM": LSTM}
TINY = ["--units", "3", "--epochs", "2", "--input-steps", "8", "--forecast", "5"]
FILES = {"model.keras", "forecast.csv", "backtest.csv", "scores.json", "history.csv", "figure.png"}
KEYS = {
    "script", "data", "seed", "series", "season", "horizon", "input_steps", "network", "written",
    "val", "test", "coverage", "width", "best_baseline", "p_value", "seconds",
}  # fmt: skip


def words(*argv):
    return [str(word) for word in argv]


def files(folder):
    return {path.name for path in folder.iterdir()}


def run(name, argv):
    """Run a lesson as its command does; return the exit code."""
    with pytest.raises(SystemExit) as exit:
        cli.run(lambda: LESSONS[name].main(words(*argv)), f"{name}.py")
    return exit.value.code


@pytest.fixture(scope="module", autouse=True)
def short():
    """Shorter simulated series than a reader gets."""
    hours = temperature.simulated
    with pytest.MonkeyPatch().context() as patch:
        patch.setattr(SimpleRNN, "STEPS", 500)
        patch.setattr(LSTM, "DAYS", 500)
        patch.setattr(temperature, "simulated", lambda seed: hours(seed, 600))
        yield


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    """Days of hours above zero with gaps, of which one lies in the test part; two more columns."""
    hours, rng = np.arange(300), np.random.default_rng(0)
    level = 20 + 5 * np.sin(2 * np.pi * hours / 24) + rng.normal(0, 1, 300)
    frame = pd.DataFrame({"level": level.round(3), "other": (30 - level).round(3)})
    frame["sky"] = rng.choice(["sun", "rain", "fog"], 300)
    frame.insert(0, "when", pd.date_range("2001-01-01", periods=300, freq="h"))
    frame.loc[[50, 51, 280], "level"] = np.nan
    path = tmp_path_factory.mktemp("data") / "mine.csv"
    frame.to_csv(path, index=False)
    return path


# ------------------------------------------------------------------ simulated


@pytest.fixture(scope="module", params=LESSONS)
def demo(request, tmp_path_factory):
    """A lesson's name, its folder, its scores, what it printed."""
    folder, printed = tmp_path_factory.mktemp(request.param), io.StringIO()
    with contextlib.redirect_stdout(printed):
        scores = LESSONS[request.param].main([*TINY, "--output-dir", str(folder)])
    return request.param, folder, scores, printed.getvalue()


def test_scores(demo):
    name, folder, scores, _ = demo
    written = (folder / "scores.json").read_text(encoding="utf-8")
    assert json.loads(written) == scores and set(scores) == KEYS and files(folder) == FILES
    assert (scores["script"], scores["data"], scores["seed"]) == (f"{name}.py", "simulated", 0)
    assert (scores["network"], scores["written"], scores["series"]) == (name, name, 1)
    assert (scores["horizon"], scores["input_steps"]) == (5, 8)
    forecasts = {name, "persistence", "seasonal_naive", "linear", "optimal"}
    for part in ("val", "test"):
        assert set(scores[part]) == forecasts
        for line in scores[part].values():
            assert set(line) == {"mae", "rmse", "mase", "smape", "by_step"}
            assert line["rmse"] >= line["mae"] > 0
            assert len(line["by_step"]["mae"]) == len(line["by_step"]["rmse"]) == 5
    levels = {"0.9", "0.95", "0.8", "0.5"} if name == "LSTM" else {"0.9"}
    assert set(scores["coverage"]) == set(scores["width"]) == levels
    assert 0.7 < scores["coverage"]["0.9"]["all"] <= 1
    assert scores["best_baseline"] in forecasts - {name, "optimal"}
    assert 0 < scores["seconds"]["fit"] < scores["seconds"]["total"]


def test_tables_and_what_is_printed(demo):
    name, folder, scores, printed = demo
    forecast = pd.read_csv(folder / "forecast.csv")
    assert list(forecast)[:2] == ["time", "forecast"] and len(forecast) == 5
    assert (forecast["lower"] < forecast["forecast"]).all()
    assert (forecast["forecast"] < forecast["upper"]).all()
    table = pd.read_csv(folder / "backtest.csv")
    assert list(table)[:5] == ["series", "origin", "step", "time", "actual"]
    error = (table["actual"] - table[name]).abs().mean()
    assert error == pytest.approx(scores["test"][name]["mae"])
    for other in ("persistence", "linear"):  # a network that was trained, and nothing else
        assert (table[name] != table[other]).mean() > 0.9
    history = pd.read_csv(folder / "history.csv")
    assert list(history) == ["epoch", "loss", "val_loss"] and len(history) == 2
    for said in ("windows to train", "best baseline", "The 90% interval held", "Fed back,"):
        assert said in printed
    assert ("As returns, the LSTM's R² is" in printed) == (name == "LSTM")


def test_a_loaded_model_says_the_same(demo, tmp_path):
    """Without a CSV, of the same simulated series; what it doesn't write doesn't stay beside it."""
    name, folder, _, _ = demo
    for file in ("scores.json", "history.csv", "backtest.csv"):
        (tmp_path / file).write_text("of another run")
    argv = ["--load", folder / "model.keras", "--forecast", 5, "--output-dir", tmp_path]
    assert LESSONS[name].main(words(*argv)) is None
    assert files(tmp_path) == {"forecast.csv", "figure.png"}
    assert (tmp_path / "forecast.csv").read_text() == (folder / "forecast.csv").read_text()
    LESSONS[name].main(words(*argv, "--forecast", 12))  # intervals grow on past what was measured
    longer = pd.read_csv(tmp_path / "forecast.csv")
    width = longer["upper"] - longer["lower"]
    assert len(longer) == 12 and width[11] >= width[4] > 0


def test_a_trial_of_tune_ends_with_the_same_training(demo, tmp_path):
    name, folder, _, _ = demo
    heard = []
    assert LESSONS[name].main([*TINY, "--output-dir", str(tmp_path)], heard.append) is None
    expected = pd.read_csv(folder / "history.csv")["val_loss"].cummin()
    assert heard == pytest.approx(expected.tolist()) and not files(tmp_path)


def test_ctrl_c_keeps_the_best_weights_and_writes_everything(tmp_path, monkeypatch, capsys):
    class Stop(keras.callbacks.History):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(keras.callbacks, "History", Stop)
    assert run("SimpleRNN", [*TINY, "--epochs", 99, "--output-dir", tmp_path]) == 130
    captured = capsys.readouterr()
    assert files(tmp_path) == FILES and captured.err == "SimpleRNN.py: interrupted\n"
    assert "Training was interrupted after epoch 2 of 99" in captured.out


def test_a_training_that_diverges_is_one_line_and_leaves_nothing(tmp_path, capsys):
    assert run("SimpleRNN", [*TINY, "--learning-rate", 1e30, "--output-dir", tmp_path]) == 2
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1 and complaint.startswith("SimpleRNN.py: error: the training")
    assert "diverged" in complaint and not files(tmp_path)


@pytest.mark.parametrize(
    ("p_value", "test", "said"),
    [(0.01, -1.0, "explains nothing of what came after"),
     (0.4, 0.5, "explains nothing of what came after"),
     (0.01, 0.5, "More than nothing")],
)  # fmt: skip
def test_the_truth_about_the_overlay(p_value, test, said):
    walk = pd.DataFrame({"actual": [1.0, 2, 3], "LSTM": [1.0, 2, 3], "persistence": [2.0, 2, 2]})
    found = SimpleNamespace(one_step=lambda: walk, scores={"p_value": p_value})
    actual, r2 = np.array([1.0, 2.0, 3.0]), 1 - (1 - test) ** 2
    forecasts = {"train": actual, "val": np.full(3, 2.0), "test": 2 + (actual - 2) * test}
    told = LSTM.truth(found, {part: (actual, ahead) for part, ahead in forecasts.items()})
    assert "R² of 1.0000 in the test part, and so does the last price again: 0.0000" in told
    assert f"+1.0000 in the train part, +0.0000 in validation, {r2:+.4f} in the test" in told
    assert said in told


# ------------------------------------------------------------------ a CSV


@pytest.fixture(scope="module")
def own(csv, tmp_path_factory):
    """GRU.py with features, one of words: its folder and its scores."""
    folder = tmp_path_factory.mktemp("own")
    argv = ["--csv", csv, "--column", "level", "--features", "other,sky", *TINY, "--layers", 2]
    return folder, GRU.main(words(*argv, "--output-dir", folder))


def test_the_saved_model_alone_makes_the_row_of_the_network(own, csv):
    """Recomputed from the file: a window of a reader's own values in, the next one out."""
    folder, scores = own
    assert set(scores["test"]) == {"GRU", "persistence", "seasonal_naive", "linear"}
    assert scores["data"] == str(csv)
    model = keras.saving.load_model(folder / "model.keras", compile=False)
    table = pd.read_csv(csv, parse_dates=["when"], index_col="when")
    values = pd.concat([table[["level", "other"]], pd.get_dummies(table["sky"]) * 1.0], axis=1)
    names = calendar.cycles(table.index)  # of the hour after each row
    clock = calendar.columns(table.index + pd.Timedelta(hours=1), names)
    inputs = np.concatenate([values.ffill().to_numpy(), clock], axis=1)
    tested = pd.read_csv(folder / "backtest.csv", parse_dates=["origin", "time"])
    for row in tested[tested["step"] == 1].itertuples():
        at = table.index.get_loc(row.origin)
        found = model(inputs[None, at - 7 : at + 1])[0, 0]
        assert float(found) == pytest.approx(row.GRU, rel=1e-6)
        assert row.actual == table["level"][row.time] and row.time == table.index[at + 1]
    hours = set(tested.loc[tested["step"] == 1, "time"])
    assert hours == set(table.index[255:]) - {table.index[280]}  # a gap is not scored


def test_the_saved_model_forecasts_the_same_in_another_process(own, csv, tmp_path):
    """Without --column and --features, from columns in another order, at a poor console."""
    out = tmp_path / "näin"
    table = pd.read_csv(csv)
    table[table.columns[::-1]].to_csv(tmp_path / "turned.csv", index=False)
    argv = ["--load", own[0] / "model.keras", "--csv", tmp_path / "turned.csv", "--forecast", 5]
    done = subprocess.run(
        words(sys.executable, "GRU.py", *argv, "--output-dir", out),
        cwd=REPOSITORY, env=os.environ | {"PYTHONIOENCODING": "ascii"}, capture_output=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"") and b"n?in" in done.stdout
    assert files(out) == {"forecast.csv", "figure.png"}
    again = (out / "forecast.csv").read_text()
    assert again == (own[0] / "forecast.csv").read_text()
    assert again.splitlines()[1].startswith("2001-01-13 12:00:00,")


def test_a_price_must_be_above_zero(tmp_path):
    (tmp_path / "prices.csv").write_text("close,open\n1,1\n2,2\n0,3\n4,4\n")
    for column, feature in (("close", "open"), ("open", "close")):
        argv = ["--csv", tmp_path / "prices.csv", "--column", column, "--features", feature]
        with pytest.raises(InputError, match="column 'close' goes down to 0, and prices are above"):
            LSTM.main(words(*argv, "--output-dir", tmp_path / "out"))


# ------------------------------------------------------------------ bad input


BAD = {  # what: (arguments in place of a good one, words of the one line)
    "no such file": (["--csv", "none.csv"], "none.csv"),
    "a folder": (["--csv", "."], "is a folder"),
    "no such column": (["--column", "levle"], "'levle'"),
    "too few rows": (["--input-steps", "280"], "too few rows: 300"),
    "a file as output folder": (["--output-dir", "mine.csv"], "mine.csv: cannot write there"),
    "no model": (["--load", "mine.csv"], "mine.csv is not a model that"),
    "no such model": (["--load", "gone.keras"], "gone.keras is not a model that"),
}


@pytest.mark.parametrize(("argv", "said"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line(argv, said, csv, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copy(csv, "mine.csv")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for name in LESSONS:
        good = ["--csv", "mine.csv", "--column", "level", "--output-dir", "out"]
        assert run(name, [*good, *argv]) == 2
        complaint = capsys.readouterr().err
        assert complaint.startswith(f"{name}.py: error: ") and complaint.count("\n") == 1
        assert said in complaint
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("lesson", "argv", "said"),
    [
        ("LSTM", "--input-steps 1", "--input-steps must be at least 2"),
        ("LSTM", "--csv mine.csv --column y --drift 0.01", "--drift: only without --csv"),
        ("SimpleRNN", "--csv mine.csv --column y --jumps 0.1", "--jumps: only without --csv"),
    ],
)
def test_flags_of_one_lesson(lesson, argv, said, capsys):
    assert run(lesson, argv.split()) == 2
    complaint = capsys.readouterr().err
    assert said in complaint and complaint.count("\n") == 1
