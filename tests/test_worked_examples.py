"""The examples check themselves against numbers worked out by hand; here is what can go wrong."""

import re

import worked_examples
from utils import cli

import numpy as np
import pytest


def test_all_of_them_and_the_picture_of_the_cell(tmp_path, capsys):
    worked_examples.main(["--output-dir", str(tmp_path)])
    (picture,) = tmp_path.iterdir()
    assert picture.name == "lstm-cell.png" and picture.read_bytes().startswith(b"\x89PNG\r\n")
    printed = capsys.readouterr().out
    assert all(f"=== {name}: " in printed for name in worked_examples.EXAMPLES)


@pytest.mark.parametrize("name", ["rnn", "jordan", "bidirectional", "gru-cell", "lstm-cell"])
def test_the_worked_lines_add_up(name, capsys, tmp_path):
    worked_examples.main([name, "--output-dir", str(tmp_path)])
    printed = capsys.readouterr().out
    equation = r"[-\d.·+ ]+·[-\d.·+ ]+ = [-\d.]+|(?<!\w)[-\d.]+ = \d[-\d.·+ ]+"
    sides = [part.strip("+ ").split(" = ") for part in re.findall(equation, printed)]
    values = [[eval(side.replace("·", "*")) for side in pair] for pair in sides]
    assert len(values) >= (1 if name == "lstm-cell" else 2)
    np.testing.assert_allclose([left for left, _ in values], [right for _, right in values])


@pytest.mark.parametrize("name", ["rnn", "gru-cell", "lstm-cell"])
def test_a_wrong_number_is_named(name, monkeypatch, tmp_path):
    def wrong(*args):
        memory, outputs = right(*args)
        return memory + 1, outputs

    right = worked_examples.walk
    monkeypatch.setattr(worked_examples, "walk", wrong)
    argv = [name, "--output-dir", str(tmp_path)]
    with pytest.raises(SystemExit) as stop:
        cli.run(lambda: worked_examples.main(argv), "worked_examples.py")
    message = stop.value.code  # a text as the exit code is printed, and exits with 1
    assert message.startswith("worked_examples.py: error: ") and "\n" not in message
    assert re.search(r": computed \[.*\], by hand \[.*\]$", message)
    assert not list(tmp_path.iterdir())
