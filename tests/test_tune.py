"""Sweeps: what they vary, what they keep, and that no kill costs what has ended."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dummy_lesson
import tune
from utils import InputError, cli, sweep

import pandas as pd
import pytest

PATHS = os.pathsep.join(map(str, [Path(__file__).parents[1], Path(__file__).parent]))


def test_a_range_and_settings_as_flags():
    for text, inside, outside in (
        ("16:128", [16, 20, 128], [15, 129, None]),
        ("0.001:0.1", [0.001, 0.05], [0.2]),
        ("32/64", [32, 64], [48]),
        ("gru/lstm", ["gru"], ["simple"]),
        ("yes/no", [True, False], [None, "yes"]),
    ):
        assert all(sweep.holds(text, value) for value in inside)
        assert not any(sweep.holds(text, value) for value in outside)
    for text in ("", "5", "5:", "9:3", "3:3", "1:2:3", "a:b", "a/", "1/1", "0:inf"):
        with pytest.raises(InputError, match="is no range"):
            sweep.values(text)
    settings = {"learning-rate": 0.00123456, "layer": "gru", "crf": False, "a": True}
    assert " ".join(sweep.flags(settings)) == "--learning-rate 0.001235 --layer gru --no-crf --a"


def test_bad_flags_get_one_line_before_anything_starts(capsys):
    for flags, words in (
        ("GRU --unit 3", "GRU.py: error: unrecognized arguments: --unit"),
        ("GRU --search colour=1:2", "GRU.py: error: unrecognized arguments: --colour"),
        ("GRU --search units=0:9", "GRU.py: error: argument --units: '0'"),
        ("GRU --search =3:4", "tune.py: error: --search =3:4: what varies?"),
        ("GRU --search units=9", "tune.py: error: --search: '9' is no range"),
        ("GRU --units 3 --search units=2:9", "--units is given twice; leave"),
        ("GRU --load model.keras", "is trained already"),
        ("GRU --search batch-size=8/0/16", "GRU.py: error: argument --batch-size: '0'"),
    ):
        with pytest.raises(SystemExit) as exit:
            cli.run(lambda flags=flags: tune.parse_args(flags.split()), "tune.py")
        complaint = capsys.readouterr().err
        assert exit.value.code == 2 and words in complaint and complaint.count("\n") == 1


@pytest.mark.parametrize("lesson", tune.LESSONS)
def test_what_a_lesson_varies(lesson):
    args = tune.parse_args([lesson, "--trials", "5", "--epochs", "3"])
    assert args.trials == 5 and args.words[:2] == ["--epochs", "3"] and args.parsed.epochs == 3
    assert {"learning-rate", "batch-size"} <= set(args.space)
    held = {name: value for name, value in args.defaults.items() if value is not None}
    assert all(sweep.holds(args.space[name], value) for name, value in held.items())
    given = ["--batch-size", "7", *["--no-crf"] * (lesson == "slot_filling")]
    assert not {"batch-size", "crf"} & set(tune.parse_args([lesson, *given]).space)


def test_without_ray_one_line_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setattr(tune.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install -r requirements-tune\.txt"):
        tune.main(["GRU", "--output-dir", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_the_winner_is_reported_as_it_is():
    for test, usual, words in (
        (2.0, 1.9, "the best is 5.3% worse: validation promised too much."),
        (1.8, 1.9, "which chose nothing, the best is 5.3% better, with this seed."),
        (1.9, 1.9, "nothing is gained over the defaults"),
        (None, None, "There is no test part"),
    ):
        result = {"metric": "MAE", "best": dict(val=1.0, test=test), "command": "python GRU.py"}
        assert words in tune.report(result | {"defaults": dict(val=1.1, test=usual)}, min)


COMMAND = "import tune; from utils import cli; tune.LESSONS['dummy_lesson'] = tune.LESSONS['GRU'];"
COMMAND += "cli.run(tune.main, 'tune.py')"


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Return what starts a sweep of the dummy lesson; in the end, no process may be left."""
    pytest.importorskip("ray", reason="needs Ray Tune: pip install -r requirements-tune.txt")
    processes, pipes = [], {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    monkeypatch.setenv("PYTHONPATH", PATHS)
    monkeypatch.setenv("TUNE_TEST", str(tmp_path))

    def start(*flags):
        command = [sys.executable, "-c", COMMAND, "dummy_lesson", "--output-dir", tmp_path / "out"]
        processes.append(subprocess.Popen([*map(str, [*command, *flags])], **pipes))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
    nothing_runs(tmp_path)


def marked(tmp_path, title=b""):
    """Return the processes that a test started, and whose command has the title."""
    found, mark = [], f"TUNE_TEST={tmp_path}\0".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            ours = mark in (folder / "environ").read_bytes() + b"\0"
            found += [int(folder.name)] * (ours and title in (folder / "cmdline").read_bytes())
    return found


def nothing_runs(tmp_path):
    deadline = time.monotonic() + 90  # after kill -9, Ray notices in its own time
    while left := marked(tmp_path):
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


def wait_for_trials(tmp_path, count, process):
    """Return the trials that have ended, as soon as they are so many."""
    deadline = time.monotonic() + 120
    while True:
        with contextlib.suppress(FileNotFoundError):
            found = pd.read_csv(tmp_path / "out" / "trials.csv", keep_default_na=False)
            if len(found) >= count:
                return found
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.05)


def test_a_sweep_interrupted_killed_resumed_and_prolonged(start, tmp_path):
    """No trial is lost or repeated, and nothing is left running."""
    csv, kept = tmp_path / "data.csv", []
    csv.write_text("40")
    flags = ["--csv", csv, "--seconds", 0.2, "--bad-above", 110]
    for kill in (signal.SIGINT, signal.SIGKILL):
        process = start(*flags, "--trials", 8, *["--resume"] * bool(kept))
        wait_for_trials(tmp_path, len(kept) + 3, process)
        process.send_signal(kill)
        said, complaint = process.communicate(timeout=150)
        if kill == signal.SIGINT:
            assert process.returncode == 130 and complaint == "tune.py: interrupted\n"
            assert "The best so far" in said
        kept = wait_for_trials(tmp_path, 3, process).to_dict("records")
        nothing_runs(tmp_path)
    csv.write_text("41")
    _, complaint = start(*flags, "--resume").communicate()
    assert "--resume" in complaint and "holds a sweep of other flags or data" in complaint
    csv.write_text("40")
    process = start(*flags, "--trials", 9, "--resume")
    said, complaint = process.communicate(timeout=300)
    assert (process.returncode, complaint) == (0, ""), said
    assert f"{len(kept)} trials have ended" in said
    trials = wait_for_trials(tmp_path, 9, process)
    assert trials.to_dict("records")[: len(kept)] == kept
    assert list(trials["trial"]) == list(range(1, 10))

    failed = trials["status"] == "failed"
    assert ((trials["units"] > 110) == failed).all() and trials["status"].eq("done").any()
    assert (trials["failed"][failed] == "the training diverged").all()
    out, names = tmp_path / "out", {"trials.csv", "scores.json", "model.keras"}
    assert {path.name for path in out.iterdir()} == names | {"defaults", "best", "sweep.json"}
    scores = json.loads((out / "scores.json").read_text(encoding="utf-8"))
    assert scores["data"] == str(csv) and scores["trials"] == 9 and scores["metric"] == "MAE"
    best = scores["best"]["settings"]
    assert best["units"] == trials.loc[trials["val"].idxmin(), "units"]
    assert (out / "model.keras").read_text() == f"{best['units']} units"
    assert scores["best"]["val"] < scores["defaults"]["val"]
    words = scores["command"].removeprefix("python dummy_lesson.py ").split()
    again = dummy_lesson.main([*words, "--output-dir", str(tmp_path / "again")])
    assert scores["best"]["val"] == again["val"]["dummy"]["by_step"]["mae"][0]


def test_a_worker_and_a_node_are_killed_and_another_comes(start, tmp_path):
    """No trial is lost with them; one that kills its worker, each time anew, costs only itself."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_dashboard": False}
    nodes = Cluster(initialize_head=True, head_node_args=head)
    try:
        second = nodes.add_node(num_cpus=1)
        flags = ["--trials", 9, "--seconds", 0.2, "--deadly", 100]
        process = start(*flags, "--address", nodes.address)
        wait_for_trials(tmp_path, 1, process)
        while not (workers := marked(tmp_path, b"ray::ImplicitFunc")):
            time.sleep(0.05)
        os.kill(workers[0], signal.SIGKILL)
        wait_for_trials(tmp_path, 3, process)
        nodes.remove_node(second, allow_graceful=False)
        wait_for_trials(tmp_path, 5, process)
        nodes.add_node(num_cpus=1)
        said, complaint = process.communicate(timeout=300)
        assert (process.returncode, complaint) == (0, ""), said
    finally:
        nodes.shutdown()
    trials = wait_for_trials(tmp_path, 9, process)
    assert list(trials["trial"]) == list(range(1, 10))
    deadly = trials["units"] == 100
    assert deadly.any() and (trials["status"].eq("failed") == deadly).all()
    assert trials["failed"][deadly].str.contains("died again and again").all()


def test_what_is_wrong_costs_no_earlier_sweep(start, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "trials.csv").write_text("of another sweep")
    for flags, words in (
        (["--address", "127.0.0.1:1"], "--address 127.0.0.1:1: no Ray cluster answers there"),
        (["--csv", tmp_path / "none.csv"], "none.csv: cannot be read"),
        (["--bad-above", 50], "dummy_lesson.py: error: the training diverged"),
    ):
        process = start(*flags)
        _, complaint = process.communicate(timeout=100)
        assert process.returncode == 2 and words in complaint and complaint.count("\n") == 1
        assert [path.read_text() for path in (tmp_path / "out").iterdir()] == ["of another sweep"]
