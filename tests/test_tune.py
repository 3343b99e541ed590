"""Sweeps: what they are asked, what they keep, and that no kill costs what is finished."""

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

import tune
from utils import InputError, on_ray, sweep
from utils.sweep import Journal, Range

import numpy as np
import pandas as pd
import pytest

REPOSITORY = Path(__file__).parents[1]
DUMMY = [sys.executable, str(REPOSITORY / "tests" / "dummy_lesson.py"), "dummy_lesson"]
PATHS = f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'tests'}"
FACT = {"status": "done", "epochs": 9, "seconds": 1.5, "node": "a", "failed": ""}
WHY = "tune.py needs Ray Tune: pip install -r requirements-tune.txt"


# ------------------------------------------------------------------ without Ray


@pytest.mark.parametrize(
    ("text", "values", "inside", "outside"),
    [
        ("16:128", (16, 128), [16, 20, 128], [15, 129, None]),
        ("0.001:0.1", (0.001, 0.1), [0.001, 0.05], [0.2]),
        ("0:0.5", (0.0, 0.5), [0, 0.1], [0.6]),
        ("32/64", (32, 64), [32, 64], [48]),
        ("gru/lstm", ("gru", "lstm"), ["gru"], ["simple"]),
        ("yes/no", (True, False), [True, False], [None]),
    ],
)
def test_a_range(text, values, inside, outside):
    found = Range.parse(text)
    assert found.values == values and found.choices == ("/" in text)
    assert all(map(found.holds, inside)) and not any(map(found.holds, outside))


@pytest.mark.parametrize(
    "text", ["", "5", "5:", "9:3", "3:3", "1:2:3", "a:b", "a/", "1/1", "0:inf"]
)
def test_no_range(text):
    with pytest.raises(ValueError, match="is no range"):
        Range.parse(text)


def test_settings_as_flags():
    settings = {"units": 16, "learning-rate": 0.00123456, "layer": "gru", "crf": False, "a": True}
    assert sweep.flags(settings) == (
        ["--units", "16", "--learning-rate", "0.001235", "--layer", "gru", "--no-crf", "--a"]
    )
    assert sweep.rounded(settings)["learning-rate"] == 0.001235


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["GRU", "--unit", "3"], "GRU.py: error: unrecognized arguments: --unit"),
        (["GRU", "--layers", "none"], "GRU.py: error: argument --layers"),
        (["GRU", "--search", "colour=1:2"], "GRU.py: error: unrecognized arguments: --colour"),
        (["GRU", "--search", "units=0:9"], "GRU.py: error: argument --units: '0'"),
        (["GRU", "--search", "=3:4"], "tune.py: error: --search =3:4: what varies?"),
        (["GRU", "--search", "units=9"], "tune.py: error: --search: '9' is no range"),
        (["GRU", "--units", "3", "--search", "units=2:9"], "--units is given twice; leave"),
        (["GRU", "--search", "units=2:9,units=3:8"], "units=3:8: --units is given twice; leave"),
        (["GRU", "--load", "model.keras"], "no settings to vary"),
        (["GRU", "--trials", "0"], "argument --trials: '0'"),
        (["none"], "argument lesson: invalid choice: 'none'"),
    ],
)
def test_bad_flags_are_told_before_anything_starts(argv, words, capsys):
    with pytest.raises(SystemExit) as exit:
        tune.parse_args(argv)
    complaint = capsys.readouterr().err
    assert exit.value.code == 2 and words in complaint and complaint.count("\n") == 1


@pytest.mark.parametrize("lesson", tune.LESSONS)
def test_what_a_lesson_varies(lesson):
    args, words, parsed, space = tune.parse_args([lesson, "--trials", "5", "--epochs", "3"])
    assert args.trials == 5 and words[:2] == ["--epochs", "3"] and parsed.epochs == 3
    assert {"units", "learning-rate", "batch-size"} <= set(space)
    held = [name for name, value in tune.defaults_of(parsed, space).items() if value is not None]
    assert all(space[name].holds(tune.defaults_of(parsed, space)[name]) for name in held)


def test_a_given_setting_is_not_varied():
    *_, parsed, space = tune.parse_args(["GRU", "--units", "7", "--search", "layers=1:3"])
    assert "units" not in space and parsed.units == 7 and space["layers"].values == (1, 3)


def test_without_ray_one_line_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(tune.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install -r requirements-tune\.txt"):
        tune.main(["GRU", "--output-dir", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_the_journal_survives_a_cut_line(tmp_path, capsys):
    plan = {"space": {"units": Range.parse("1:9")}, "layer": "gru"}
    settings = ["units", "layer", "crf"]
    journal = Journal(tmp_path, settings, plan, min, resume=False)
    journal.begin()
    journal.append(at=1.0, val=2.5, units=3, layer="gru", crf=True, **FACT)
    journal.append(
        at=1.5, val=math.inf, units=4, layer="lstm", crf=False, **FACT | {"failed": "it, too"}
    )
    journal.append(at=2.0, val=1.5, units=5, layer="gru", crf=False, **FACT)
    assert len(pd.read_csv(tmp_path / "trials.csv")) == 3
    with open(tmp_path / "trials.csv", "a") as file:
        file.write("4,done,0.1,")
    again = Journal(tmp_path, settings, plan, min, resume=True)
    assert again.rows == journal.rows and "3 trials are finished" in capsys.readouterr().out
    assert again.best()["units"] == 5
    again.begin()
    assert Journal(tmp_path, settings, plan, max, resume=True).best()["units"] == 3
    assert len(pd.read_csv(tmp_path / "trials.csv")) == 3
    with pytest.raises(InputError, match="holds a sweep of other flags or data"):
        Journal(tmp_path, settings, plan | {"data": "x"}, min, resume=True)
    fresh = Journal(tmp_path, settings, plan, min, resume=False)
    assert fresh.rows == [] and fresh.best() is None
    assert len(pd.read_csv(tmp_path / "trials.csv")) == 3  # until another sweep has begun
    fresh.begin()
    assert len(pd.read_csv(tmp_path / "trials.csv")) == 0


def test_a_sweep_starts_with_the_defaults_if_they_lie_within(tmp_path):
    journal = Journal(tmp_path, ["units", "layers"], {}, min, resume=False)
    space = {"units": Range.parse("5:6"), "layers": Range.parse("1:2")}
    inside = {"units": 5, "layers": 1}
    assert on_ray.known_points(journal, space, inside) == {"points_to_evaluate": [inside]}
    assert on_ray.known_points(journal, space, {"units": 32, "layers": 1}) == {}


def test_the_line_that_says_how_it_goes(tmp_path):
    journal = Journal(tmp_path, ["units"], {}, min, resume=False)
    journal.begin()
    watch = sweep.Watch(journal, trials=4)
    assert watch.line(5).split() == ["0", "0", "0", "0", "nan", "?"]
    for number, status in enumerate(("done", "stopped", "done")):
        watch.goes_on("x", 1.0)
        watch.ended("x", {"units": 3}, **FACT | {"status": status, "val": 3.0 - number})
    watch.goes_on("y", 0.5)  # a trial counts when it has ended
    assert watch.line(150).split() == ["2", "1", "0", "1", "1", "0:50"]


def test_the_winner_is_reported_as_it_is():
    best, usual = {"settings": {}, "val": 1.0, "test": 2.0}, {"val": 1.1, "test": 1.9}
    result = {"metric": "MAE", "best": best, "defaults": usual, "command": "python GRU.py"}
    assert "5.3% worse than the defaults, which may be luck" in tune.report(
        result | {"p_value": 0.4}, min
    )
    assert "5.3% better than the defaults, more than luck" in tune.report(
        result | {"p_value": 0.01}, max
    )
    assert "The defaults were the best" in tune.report(
        result | {"p_value": 1.0, "defaults": {"val": 1.0, "test": 2.0}}, min
    )
    untested = {"best": best | {"test": None}, "defaults": usual | {"test": None}}
    assert "There is no test part" in tune.report(result | untested | {"p_value": None}, max)


@pytest.mark.parametrize("scores", [[3.0, 1.0, 2.0], [2.0, 2.0, 2.0]])
def test_a_picture_of_any_settings(tmp_path, scores):
    settings = {"units": [8, 9, 64], "learning-rate": [0.001, 0.01, 0.02], "dropout": [0.0, 0.1, 0]}
    settings |= {"layer": ["gru", "lstm", "gru"], "crf": [True, True, True]}
    journal = Journal(tmp_path, settings, {}, max, False)
    journal.begin()
    for number, score in enumerate(scores):
        chosen = {name: values[number] for name, values in settings.items()}
        journal.append(val=score, at=float(number), **FACT, **chosen)
    defaults = {name: values[0] for name, values in settings.items()} | {"units": None}
    figure = sweep.draw(journal, "F1", defaults)
    figure.draw_without_rendering()
    panels = {axes.get_title(loc="left") or axes.get_title(): axes for axes in figure.axes}
    assert set(panels) == {*settings, "the best so far"}
    assert panels["units"].get_xscale() == "log" and panels["dropout"].get_xscale() == "linear"
    low, high = panels["units"].get_ylim()
    assert low < min(scores) and max(scores) < high


def two_runs(folder, name, tables):
    folders = folder / "one", folder / "other"
    for path, table in zip(folders, tables, strict=True):
        path.mkdir(exist_ok=True)
        table.to_csv(path / name, index=False)
    return folders


def test_what_a_sweep_gained_is_luck_or_more(tmp_path):
    rng = np.random.default_rng(3)
    noise, size = rng.normal(0, 1, (2, 400)), np.repeat([1.0, 100.0], 200)
    times = {"time": np.arange(400), "actual": 0.0}
    steps = {"series": np.repeat(["a", "b"], 200), "origin": np.tile(np.arange(200) // 2, 2)}
    steps |= {"step": np.tile([1, 2], 200), "time": np.tile(np.arange(200) // 2 + 2, 2)}
    steps |= {"actual": 0.0}
    for better, least, most in ((1.0, 0.05, 1.0), (0.5, 0.0, 0.01)):
        pair = better * noise[0], noise[1]
        tables = [pd.DataFrame(times | {"predicted": errors}) for errors in pair]
        found = tune.LESSONS["GRU"].p_value(*two_runs(tmp_path, "test_predictions.csv", tables))
        assert least <= found <= most
        tables = [pd.DataFrame(steps | {"gru": size * errors}) for errors in pair]
        found = tune.LESSONS["forecast"].p_value(*two_runs(tmp_path, "backtest.csv", tables))
        assert least <= found <= most
    steps["actual"], tables = 0.0, [pd.DataFrame(steps | {"gru": 0.0 * noise[0]})] * 2
    same = two_runs(tmp_path, "backtest.csv", tables)
    assert tune.LESSONS["forecast"].p_value(*same) == 1.0
    tags = {"tags": ["B-a O"] * 50, "predicted_tags": ["B-a O"] * 50}
    worse = tags | {"predicted_tags": ["B-a O"] * 30 + ["O O"] * 20}
    tables = [pd.DataFrame(tags), pd.DataFrame(worse)]
    p_value = tune.LESSONS["slot_filling"].p_value
    assert p_value(*two_runs(tmp_path, "sentences.csv", tables)) < 0.001
    assert p_value(*two_runs(tmp_path, "sentences.csv", tables[:1] * 2)) == 1.0


def test_forecasts_that_are_alike_of_many_short_series(tmp_path):
    rng, rejected = np.random.default_rng(4), 0
    steps = {"series": [*map(str, range(29)), "NA"], "origin": 5, "step": 1, "time": 6}
    steps = pd.DataFrame(steps | {"actual": 0.0})
    for _ in range(100):
        tables = [steps.assign(gru=rng.normal(0, 1, 30)) for _ in range(2)]
        pair = two_runs(tmp_path, "backtest.csv", tables)
        rejected += tune.LESSONS["forecast"].p_value(*pair) < 0.05
    assert rejected <= 12  # of 100, 5 by chance


# ------------------------------------------------------------------ with Ray


@pytest.fixture
def ray():
    return pytest.importorskip("ray", reason=WHY)


def start(out, *flags, **environment):
    environment = os.environ | {"PYTHONPATH": PATHS, "MPLBACKEND": "Agg"} | environment
    return subprocess.Popen(
        [*DUMMY, "--output-dir", str(out), *map(str, flags)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def ended(process):
    """Wait for a process; return what it said on its two streams."""
    try:
        return process.communicate(timeout=150)
    finally:
        process.kill()


def trials(out):
    """Return the finished trials so far."""
    try:
        return pd.read_csv(out / "trials.csv", keep_default_na=False)
    except (FileNotFoundError, pd.errors.EmptyDataError):
        return pd.DataFrame()


def wait_for_trials(out, count, process):
    deadline = time.monotonic() + 120
    while len(trials(out)) < count:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)


def left_running(mark):
    """Return the command lines of processes whose environment has the mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ")[:200])
        except OSError:
            pass
    return found


def workers(mark):
    """Return the processes of trials whose environment has the mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            title, environment = (folder / "cmdline", folder / "environ")
            if b"ray::ImplicitFunc" in title.read_bytes() and mark in environment.read_text():
                found.append(int(folder.name))
    return found


def nothing_runs(mark):
    deadline = time.monotonic() + 90  # after kill -9, Ray notices in its own time
    while left := left_running(mark):
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


def test_a_sweep_interrupted_killed_and_resumed(ray, tmp_path):
    """Ctrl-C, then kill -9, then to the end: no trial is lost or repeated, nothing is left."""
    csv, out, mark = tmp_path / "data.csv", tmp_path / "out", f"TUNE_TEST={tmp_path}"
    csv.write_text("40")
    flags = ["--csv", csv, "--trials", 24, "--seconds", 0.1, "--bad-above", 110]
    search = ["--search", "units=8:128,learning-rate=0.001:0.1"]
    kept = []
    for kill in (signal.SIGINT, signal.SIGKILL):
        process = start(out, *flags, *search, *["--resume"] * bool(kept), TUNE_TEST=str(tmp_path))
        wait_for_trials(out, len(kept) + 3, process)
        process.send_signal(kill)
        said, complaint = ended(process)
        if kill == signal.SIGINT:
            assert process.returncode == 130 and complaint == "tune.py: interrupted\n"
            assert "The best so far" in said
        kept, killed = trials(out).to_dict("records"), process.pid
        nothing_runs(mark)
    csv.rename(tmp_path / "moved.csv")
    process = start(out, *flags, *search, "--resume", TUNE_TEST=str(tmp_path))
    _, complaint = ended(process)
    assert process.returncode == 2 and "data.csv: cannot be read" in complaint
    (tmp_path / "moved.csv").rename(csv)
    process = start(out, *flags, *search, "--resume", TUNE_TEST=str(tmp_path))
    said, complaint = ended(process)
    assert (process.returncode, complaint) == (0, ""), said
    nothing_runs(mark)
    assert not [*Path(tempfile.gettempdir()).glob(f"tune{killed}-*")]  # nor are its files left
    assert f"{len(kept)} trials are finished" in said

    table = trials(out)
    assert table.to_dict("records")[: len(kept)] == kept
    assert list(table["trial"]) == list(range(1, 25))
    assert table["status"].isin(["done", "stopped", "failed"]).all()
    failed = table["status"] == "failed"
    assert ((table["units"] > 110) == failed).all()
    assert (table["failed"][failed] == "the training diverged").all()
    assert table["status"].eq("stopped").any()
    names = {"trials.csv", "sweep.json", "scores.json", "model.keras", "figure.png"}
    assert {path.name for path in out.iterdir()} == names
    scores = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    assert list(scores) == [
        "lesson", "data", "trials", "metric", "best", "defaults", "p_value", "command", "seconds"
    ]  # fmt: skip
    assert scores["data"] == str(csv) and scores["trials"] == 24 and scores["metric"] == "MAE"
    best = scores["best"]["settings"]
    assert best["units"] == table.loc[table["val"].idxmin(), "units"]
    assert (out / "model.keras").read_text() == f"{best['units']} units"
    assert scores["best"]["val"] <= scores["defaults"]["val"]
    assert f"--units {best['units']}" in scores["command"]


def test_a_worker_and_a_node_are_killed_and_another_comes(ray, tmp_path, monkeypatch):
    """A sweep on two nodes loses a worker, then a node in the middle, and no trial with them."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", PATHS)
    monkeypatch.setenv("TUNE_TEST", str(tmp_path))
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    csv, out = tmp_path / "data.csv", tmp_path / "out"
    csv.write_text("40")
    nodes = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
    )
    try:
        second = nodes.add_node(num_cpus=1)
        flags = ["--csv", csv, "--trials", 16, "--seconds", 0.2, "--address", nodes.address]
        process = start(out, *flags)
        wait_for_trials(out, 2, process)
        os.kill(workers(f"TUNE_TEST={tmp_path}\0")[0], signal.SIGKILL)
        wait_for_trials(out, 4, process)
        nodes.remove_node(second, allow_graceful=False)
        wait_for_trials(out, 8, process)
        nodes.add_node(num_cpus=1)
        said, complaint = ended(process)
        assert (process.returncode, complaint) == (0, ""), said
    finally:
        nodes.shutdown()
    table = trials(out)
    assert list(table["trial"]) == list(range(1, 17)) and not table["status"].eq("failed").any()
    nothing_runs(f"TUNE_TEST={tmp_path}\0")


@pytest.mark.parametrize("poisoned", [1, 12])
def test_a_trial_that_kills_its_worker_costs_only_itself(ray, tmp_path, monkeypatch, poisoned):
    """With Ray's Tuner replaced: rounds of 4 trials, one or all of which kill their workers."""
    from ray.tune import Tuner

    rounds = []

    def fit(tuner):
        config = tuner._local_tuner._tune_config
        told, rounds[:] = tuner._local_tuner._run_config.callbacks[0], [*rounds, config.num_samples]
        for number in range(config.num_samples):
            settings = config.search_alg.suggest(f"{len(rounds)} {number}")
            trial = types.SimpleNamespace(trial_id=str(number), config=settings)
            trial.last_result = {"score": 1.0, "failed": "", "ended": True, "time_total_s": 1.0}
            trial.last_result |= {"training_iteration": 2, "hostname": "here"}
            bad = settings["units"] in deadly
            (told.on_trial_error if bad else told.on_trial_complete)(1, [], trial)

    cluster = contextlib.nullcontext(str(tmp_path))
    monkeypatch.setattr(on_ray, "cluster", lambda address: cluster)
    monkeypatch.setattr(on_ray, "ROUND", 4)
    monkeypatch.setattr(ray, "cluster_resources", dict)
    monkeypatch.setattr(Tuner, "fit", fit)
    space = {"units": Range.parse("1:1000000")}
    deadly = range(10**6 + 1) if poisoned == 12 else [5]
    journal = Journal(tmp_path, space, {}, min, False)
    on_ray.search("GRU", [], {}, space, {"units": 5}, journal, trials=12, epochs=9, best=min,
                  seed=0, address=None)  # fmt: skip
    failed = [row for row in journal.rows if row["status"] == "failed"]
    assert len(journal.rows) == 12 and sum(rounds) <= 12 + 4 * 12
    assert len(failed) == poisoned
    assert "died again and again" in failed[0]["failed"]


def test_no_cluster_there(ray, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "trials.csv").write_text("of another sweep")
    process = start(out, "--address", "127.0.0.1:1")
    _, complaint = ended(process)
    assert process.returncode == 2 and complaint.count("\n") == 1
    assert "tune.py: error: --address 127.0.0.1:1: no Ray cluster answers there" in complaint
    assert [path.read_text() for path in out.iterdir()] == ["of another sweep"]
