"""The examples check themselves against numbers worked out by hand; here is what can go wrong."""

import re

import worked_examples
from utils import cli
from utils.board import numbers

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """One run of all the examples: their numbers and the folder of their pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    return worked_examples.main(["--output-dir", str(folder)]), folder


def test_one_picture_per_example(everything):
    results, folder = everything
    assert {path.name for path in folder.iterdir()} == {f"{name}.png" for name in results}
    assert len(results) == 9
    assert all(path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n") for path in folder.iterdir())


def test_what_the_gates_do(everything):
    lstm, gru = everything[0]["lstm-cell"], everything[0]["gru-cell"]
    np.testing.assert_allclose(lstm["memory"], [0, 3, 7, 7, 7, 0], atol=1e-3)
    expected = [[1, 1, 0, 0, 0], [1, 1, 1, 1, 0], [0, 0, 0, 1, 0]]
    np.testing.assert_allclose(list(lstm["gates"].values()), expected, atol=1e-4)
    assert lstm["actions"].tolist() == ["write", "write", "hold", "read", "reset"]
    np.testing.assert_allclose(gru["memory"], [0, 3, 7, 7, 5, 6], atol=1e-3)
    np.testing.assert_allclose(gru["outputs"], gru["memory"][1:])
    assert gru["actions"].tolist() == ["add", "add", "hold", "replace", "add"]


# ------------------------------------------------------------------ properties

lstm = worked_examples.build_lstm_cell()
steps = st.tuples(st.integers(-9, 9), st.sampled_from([-1, 0, 1]), st.sampled_from([0, 1]))


@settings(max_examples=25, deadline=None)
@given(st.lists(steps, min_size=1, max_size=6))
def test_lstm_cell_follows_its_rules(inputs):
    c, expected = 0, []
    for x1, x2, x3 in inputs:
        c = c + x1 if x2 == 1 else 0 if x2 == -1 else c
        expected.append([c, c if x3 == 1 else 0])
    memory, outputs = worked_examples.walk(lstm, inputs)
    np.testing.assert_allclose(np.hstack([memory[1:], outputs]), expected, atol=0.02)


def test_walk_is_what_the_layer_computes():
    layer = keras.layers.LSTM.from_config({**lstm.get_config(), "return_sequences": True})
    inputs = np.array([worked_examples.LSTM_INPUTS], "float32")
    layer.build(inputs.shape)
    layer.set_weights(lstm.get_weights())
    _, outputs = worked_examples.walk(lstm, inputs[0])
    np.testing.assert_allclose(np.asarray(layer(inputs))[0], outputs, atol=1e-6)


# ------------------------------------------------------------------ what is printed


def test_numbers_are_written_as_on_the_board():
    assert numbers([3, -0.0001, -1]) == "3 0 -1" and numbers(6.9995) == "7"
    assert worked_examples.sum_of([1, 2], [3, -0.5]) == "1·3 + 2·-0.5"
    assert worked_examples.sum_of([-1, 100], [3, 1], -10) == "-1·3 + 100·1 - 10"


@pytest.mark.parametrize("name", ["rnn", "jordan", "bidirectional", "gru-cell", "lstm-cell"])
def test_the_worked_lines_add_up(name, capsys, tmp_path):
    worked_examples.main([name, "--output-dir", str(tmp_path)])
    printed = capsys.readouterr().out
    equation = r"[-\d.·+ ]+·[-\d.·+ ]+ = [-\d.]+|(?<!\w)[-\d.]+ = \d[-\d.·+ ]+"
    sides = [part.strip("+ ").split(" = ") for part in re.findall(equation, printed)]
    values = [[eval(side.replace("·", "*")) for side in pair] for pair in sides]
    assert len(values) >= (1 if name == "lstm-cell" else 2)
    np.testing.assert_allclose([left for left, _ in values], [right for _, right in values])
    if name != "bidirectional":
        assert re.search(r"^W: .*\n +x1 .*\n +x2 ", printed, re.M)


# ------------------------------------------------------------------ the command


@pytest.mark.parametrize(
    ("name", "constant", "wrong"),
    [
        ("rnn", "RNN_OUTPUTS", [[4, 4], [12, 12], [32, 31]]),
        ("jordan", "JORDAN_OUTPUTS", [[4, 4], [20, 20], [88, 89]]),
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


def test_unknown_example(capsys):
    with pytest.raises(SystemExit) as stop:
        worked_examples.main(["lstm"])
    assert stop.value.code == 2
    assert "lstm-cell" in capsys.readouterr().err
