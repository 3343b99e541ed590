import os
import subprocess
import sys
from pathlib import Path

from utils import InputError, cli

import pytest


@pytest.fixture
def parser():
    return cli.lesson_parser("GRU", "Forecast.", input_steps=24, epochs=30)


def test_names():
    assert cli.names("a, b c,,d") == ["a", "b c", "d"] and cli.names("") == []
    assert cli.names('"Vol, M",b') == ["Vol, M", "b"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--units", "0"], "--units: '0' is not a whole number of at least 1"),
        (["--units", "1.5"], "--units: '1.5' is not a whole number of at least 1"),
        (["--learning-rate", "0"], "--learning-rate: '0' is not a number above 0"),
        (["--learning-rate", "nan"], "--learning-rate: 'nan' is not a number above 0"),
        (["--learning-rate=inf"], "--learning-rate: 'inf' is not a number above 0"),
        (["--forecast", "1000000"], "at most 5000"),
        (["--input-steps", "9" * 30], "at most 5000"),
        (["--unit", "3"], "unrecognized arguments: --unit 3"),
        (["--csv", "a.csv"], "--csv needs --column"),
        (["--column", "y"], "--column: only with --csv"),
        (["--time-column=t", "--missing", "?"], "--time-column, --missing: only with --csv"),
        (["--load", "m", "--layers", "1", "--batch-size", "2"], "--layers, --batch-size: the"),
        (["--load", ""], "--load is empty; give it a value"),
        (
            ["--csv", "a.csv", "--column", "y", "--time-column=", "--missing", ","],
            "--missing, --time-column is empty; give it a value, or leave it out",
        ),
        (["--seed", "4294967296"], "at most 4294967295"),
    ],
)
def test_a_wrong_flag_is_told_in_one_line(parser, argv, words, capsys):
    with pytest.raises(SystemExit) as exit:
        cli.parse(parser, argv)
    assert exit.value.code == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith("GRU.py: error: ") and complaint.count("\n") == 1
    assert words in complaint


def test_a_loaded_model_knows_its_columns_and_has_a_folder_of_its_own(parser):
    argv = ["--load", "m.keras", "--csv", "a.csv", "--seed", "3", "--decimal", ","]
    args = cli.parse(parser, argv)
    assert (args.column, args.output_dir) == (None, "outputs/GRU/forecast")
    said = cli.reading(args, ["y", "a"])
    assert (said["target"], said["features"], said["decimal"]) == ("y", ["a"], ",")
    args = cli.parse(parser, [*argv, "--features", "b,a", "--column", "z", "--output-dir", "mine"])
    said = cli.reading(args, ["y", "a", "b"])
    assert (args.output_dir, said["target"], said["features"]) == ("mine", "z", ["b", "a"])
    with pytest.raises(InputError, match=r"--features b,a: the model .* has learned none; leave"):
        cli.reading(args, ["y"])


def test_help_shows_the_defaults_that_say_something(parser, capsys):
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "(default: 24)" in shown and "(default: outputs/GRU;" in shown
    for nothing in ("None", "[]", "False"):
        assert f"default: {nothing}" not in shown


def test_a_code_for_missing_may_be_negative(parser):
    argv = ["--csv", "a.csv", "--column", "y", "--missing"]
    for text in ("-9999", "-9999,-99.9,NA?", "-"):
        assert cli.parse(parser, [*argv, text]).missing == text.split(",")
    assert cli.parse(parser, [*argv, "?", "--missing", '"--"']).missing == ["?", "--"]


REPOSITORY = Path(__file__).parents[1]
LIGHT = """
import runpy, sys
for argv in (["--help"], ["--colour", "red"], ["--csv", "none.csv", "--column", "y"]):
    sys.argv = ["{0}.py", *argv]
    try:
        runpy.run_path("{0}.py", run_name="__main__")
    except SystemExit as exit:
        print("exit", exit.code, *{{"tensorflow.python", "keras.src"}} & sys.modules.keys())
sys.modules["keras"].layers.Dense
print("keras.src" in sys.modules, "tensorflow.python" in sys.modules)
"""


@pytest.mark.parametrize("lesson", ["forecast", "GRU"])
def test_no_answer_waits_for_tensorflow(lesson):
    """What is looked for is there once it is imported."""
    done = subprocess.run(
        [sys.executable, "-c", LIGHT.format(lesson)], cwd=REPOSITORY, capture_output=True, text=True
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"usage: {lesson}.py")
    assert lines[-4:] == ["exit 0", "exit 2", "exit 2", "True True"]
    wrong, missing = done.stderr.splitlines()
    assert "unrecognized arguments: --colour red" in wrong
    assert "--csv none.csv: is a folder, a pipe or nothing" in missing


def test_another_backend_is_told_in_one_line():
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    command = [sys.executable, "GRU.py", "--help"]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "KERAS_BACKEND=jax" in done.stderr


def test_who_has_read_enough_leaves_no_traceback():
    code = "from utils import cli; cli.run(lambda: [print('line') for _ in range(10**5)], 'x.py')"
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, **pipe) as run:
        assert run.stdout.readline() == b"line\n"
        run.stdout.close()
        assert run.stderr.read() == b""
    assert run.returncode == 0
