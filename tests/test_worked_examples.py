"""The examples check themselves against numbers worked out by hand; here is what can go wrong."""

import re

import worked_examples
from utils import cli

import keras
import numpy as np
import pytest


def test_all_of_them_and_the_picture_of_the_cell(tmp_path, capsys):
    worked_examples.main(["--output-dir", str(tmp_path)])
    (picture,) = tmp_path.iterdir()
    assert picture.name == "lstm-cell.png" and picture.read_bytes().startswith(b"\x89PNG\r\n")
    printed = capsys.readouterr().out
    assert all(f"=== {name}: " in printed for name in worked_examples.EXAMPLES)


def test_walk_is_what_the_layer_computes():
    rng = np.random.default_rng(0)
    layer = keras.layers.LSTM(3, return_sequences=True)
    inputs = rng.normal(size=(1, 5, 2)).astype("float32")
    layer.build(inputs.shape)
    layer.set_weights([rng.normal(size=w.shape) for w in layer.get_weights()])
    _, outputs = worked_examples.walk(layer, inputs[0])
    np.testing.assert_allclose(np.asarray(layer(inputs))[0], outputs, atol=1e-6)


@pytest.mark.parametrize("name", ["rnn", "jordan", "bidirectional", "gru-cell", "lstm-cell"])
def test_the_worked_lines_add_up(name, capsys, tmp_path):
    worked_examples.main([name, "--output-dir", str(tmp_path)])
    printed = capsys.readouterr().out
    equation = r"[-\d.·+ ]+·[-\d.·+ ]+ = [-\d.]+|(?<!\w)[-\d.]+ = \d[-\d.·+ ]+"
    sides = [part.strip("+ ").split(" = ") for part in re.findall(equation, printed)]
    values = [[eval(side.replace("·", "*")) for side in pair] for pair in sides]
    assert len(values) >= (1 if name == "lstm-cell" else 2)
    np.testing.assert_allclose([left for left, _ in values], [right for _, right in values])


@pytest.mark.parametrize(
    ("name", "constant", "wrong"),
    [
        ("gru-cell", "GRU_MEMORY", [3, 7, 7, 5, 5]),
        ("lstm-cell", "LSTM_MEMORY", [3, 7, 7, 7, 7]),
    ],
)
def test_a_wrong_number_is_named(name, constant, wrong, monkeypatch, tmp_path):
    monkeypatch.setattr(worked_examples, constant, wrong)
    argv = [name, "--output-dir", str(tmp_path)]
    with pytest.raises(SystemExit) as stop:
        cli.run(lambda: worked_examples.main(argv), "worked_examples.py")
    message = stop.value.code  # a text as the exit code is printed, and exits with 1
    assert message.startswith("worked_examples.py: error: ") and "\n" not in message
    assert message.endswith(f"by hand {wrong}")
    assert not list(tmp_path.iterdir())
