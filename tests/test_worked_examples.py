import re
import runpy
import subprocess
import sys
from pathlib import Path

import worked_examples

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[1]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """One run of all the examples: their numbers and the folder of their pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    return worked_examples.main(["--output-dir", str(folder)]), folder


def test_one_picture_per_example(everything):
    results, folder = everything
    assert set(results) == set(worked_examples.EXAMPLES)
    assert {path.name for path in folder.iterdir()} == {f"{name}.png" for name in results}
    for path in folder.iterdir():
        assert path.read_bytes().startswith(PNG)


def test_encoding(everything):
    results = everything[0]["encoding"]
    # apple bag cat dog elephant are a diagonal behind the first dimension, "other"
    expected = np.vstack([np.eye(6)[1:], np.eye(6)[[0, 0]]])
    np.testing.assert_array_equal(results["one_hot"], expected)
    a, p, l, e = (ord(letter) - ord("a") for letter in "aple")  # noqa: E741
    places = sorted([a * 676 + p * 26 + p, p * 676 + p * 26 + l, p * 676 + l * 26 + e])
    assert results["trigrams"].tolist() == places


def test_rnn(everything):
    lecture, other = everything[0]["rnn"].values()
    assert lecture["hidden"].tolist() == [[2, 2], [6, 6], [16, 16]]
    assert lecture["outputs"].tolist() == [[4, 4], [12, 12], [32, 32]]
    assert other["outputs"].tolist() == [[8, 8], [20, 20], [44, 44]]


def test_jordan(everything):
    assert everything[0]["jordan"]["Jordan"]["outputs"].tolist() == [[4, 4], [20, 20], [88, 88]]


def test_bidirectional(everything):
    results = everything[0]["bidirectional"]
    assert results["forward"].tolist() == [1, 11, 111, 1111]
    assert results["backward"].tolist() == [1111, 1110, 1100, 1000]
    # each output of the two together contains every input
    assert (results["forward"] + results["backward"] - [1, 10, 100, 1000] == 1111).all()


def test_lstm_cell(everything):
    results = everything[0]["lstm-cell"]
    np.testing.assert_allclose(results["memory"], [0, 3, 7, 7, 7, 0], atol=1e-3)
    np.testing.assert_allclose(results["outputs"], [0, 0, 0, 7, 0], atol=1e-3)
    expected = [[1, 1, 0, 0, 0], [1, 1, 1, 1, 0], [0, 0, 0, 1, 0]]
    np.testing.assert_allclose(list(results["gates"].values()), expected, atol=1e-4)
    assert results["actions"] == ["write", "write", "hold", "read", "reset"]


def test_gru_cell(everything):
    results = everything[0]["gru-cell"]
    np.testing.assert_allclose(results["memory"], [0, 3, 7, 7, 5, 6], atol=1e-3)
    np.testing.assert_allclose(results["outputs"], results["memory"][1:])
    assert results["actions"] == ["add", "add", "hold", "replace", "add"]


def test_lstm_vector_forms_differ(everything):
    forms = [form["h"] for form in everything[0]["lstm-vector"].values()]
    assert len(forms) == 3
    assert np.abs(forms[0] - forms[1]).max() > 1e-2
    assert np.abs(forms[1] - forms[2]).max() > 1e-2


def test_parameters(everything):
    counts = everything[0]["parameters"]["counts"]
    assert counts == {
        "Jordan, with its output layer": 3402,
        "SimpleRNN": 6208,
        "GRU as in the lecture": 18624,
        "GRU, Keras' default": 18816,
        "LSTM": 24832,
        "LSTM with peepholes": 25024,
    }
    assert counts["LSTM"] == 4 * counts["SimpleRNN"]
    assert 4 * counts["GRU as in the lecture"] == 3 * counts["LSTM"]


def test_gradient(everything):
    results = everything[0]["gradient"]
    last = [output[-1] for output in results["outputs"].values()]
    np.testing.assert_allclose(last, [4.36073e-5, 1, 20751.6], rtol=1e-5)
    np.testing.assert_allclose(results["slopes"], [0.0440038, 999, 2.05256e7], rtol=1e-5)


# ------------------------------------------------------------------ properties

lstm = worked_examples.build_lstm_cell()
numbers = st.integers(-9, 9)


def lstm_run(inputs):
    memory, outputs = worked_examples.walk(lstm, inputs)
    return memory[1:, 0], outputs[:, 0]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(numbers, st.sampled_from([-1, 0, 1]), st.sampled_from([0, 1])),
                min_size=1, max_size=6))  # fmt: skip
def test_lstm_cell_follows_its_rules(inputs):
    c, expected_memory, expected_outputs = 0, [], []
    for x1, x2, x3 in inputs:
        c = c + x1 if x2 == 1 else 0 if x2 == -1 else c
        expected_memory.append(c)
        expected_outputs.append(c if x3 == 1 else 0)
    memory, outputs = lstm_run(inputs)
    np.testing.assert_allclose(memory, expected_memory, atol=0.02)
    np.testing.assert_allclose(outputs, expected_outputs, atol=0.02)


def test_walk_is_what_the_layer_computes():
    config = {**lstm.get_config(), "return_sequences": True}
    layer = keras.layers.LSTM.from_config(config)
    inputs = np.array([worked_examples.LSTM_INPUTS], "float32")
    layer.build(inputs.shape)
    layer.set_weights(lstm.get_weights())
    _, outputs = lstm_run(inputs[0])
    np.testing.assert_allclose(np.asarray(layer(inputs))[0, :, 0], outputs, atol=1e-6)


def test_order_matters_to_an_rnn_but_not_to_a_network_without_memory():
    layer = keras.layers.SimpleRNN(1, activation=None, use_bias=False)
    layer.build((1, None, 1))
    last = {}
    for recurrent in (0.0, 0.5):
        layer.set_weights([np.ones((1, 1)), np.full((1, 1), recurrent)])
        for inputs in ([[1], [3], [2]], [[3], [1], [2]]):
            _, outputs = worked_examples.walk(layer, inputs)
            last[recurrent, inputs[0][0]] = outputs[-1, 0]
    assert last[0.0, 1] == last[0.0, 3] == 2
    assert last[0.5, 1] == 3.75  # 2 + 3/2 + 1/4
    assert last[0.5, 3] == 3.25  # 2 + 1/2 + 3/4


@pytest.mark.parametrize(("gate_bias", "kept"), [(100, 1), (-100, 0)])
def test_forget_gate_fully_open_or_closed(gate_bias, kept):
    units = 3
    kernel, recurrent_kernel = np.zeros((1, 12)), np.zeros((units, 12))
    kernel[0, 6:9] = [1.0, -2.0, 0.5]  # only z sees the input
    bias = np.repeat([100.0, gate_bias, 0, 100], units)
    steps = worked_examples.lstm_by_hand(
        [[1.0], [0.0]], kernel, recurrent_kernel, bias, np.zeros((3, units))
    )
    np.testing.assert_allclose(steps["f"], kept, atol=1e-9)
    np.testing.assert_allclose(steps["c"][1], kept * steps["c"][0], atol=1e-9)


def test_numbers():
    assert worked_examples.numbers([3, -0.0001, -1]) == "3 0 -1"
    assert worked_examples.numbers(6.9995) == "7"


def test_weighted_sums_are_written_as_on_the_board():
    assert worked_examples.sum_of([1, 2], [3, -0.5]) == "1·3 + 2·-0.5"
    assert worked_examples.sum_of([-1, 100], [3, 1], -10) == "-1·3 + 100·1 - 10"


def printed_lines(name, capsys, tmp_path):
    worked_examples.main([name, "--output-dir", str(tmp_path)])
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("name", ["rnn", "jordan", "bidirectional", "gru-cell", "lstm-cell"])
def test_the_worked_lines_add_up(name, capsys, tmp_path):
    sums = []
    for line in printed_lines(name, capsys, tmp_path):
        for part in re.findall(
            r"[-\d.·+ ]+·[-\d.·+ ]+ = [-\d.]+|(?<!\w)[-\d.]+ = \d[-\d.·+ ]+", line
        ):
            left, right = (eval(side.replace("·", "*")) for side in part.strip("+ ").split(" = "))
            sums.append(left - right)
    assert len(sums) >= (1 if name == "lstm-cell" else 2)
    assert sums == pytest.approx([0] * len(sums))


@pytest.mark.parametrize("name", ["rnn", "jordan", "lstm-cell", "gru-cell", "lstm-vector"])
def test_inputs_and_weights_have_names(name, capsys, tmp_path):
    lines = printed_lines(name, capsys, tmp_path)
    assert any(line.startswith("W:") for line in lines)
    assert any(line.split()[:1] == ["x2"] for line in lines)


# ------------------------------------------------------------------ the command


@pytest.mark.parametrize(
    ("name", "constant", "wrong"),
    [
        ("rnn", "RNN_OUTPUTS", [4, 12, 31]),
        ("jordan", "JORDAN_OUTPUTS", [4, 20, 89]),
        ("lstm-cell", "LSTM_MEMORY", [3, 7, 7, 7, 7]),
        ("lstm-cell", "LSTM_OUTPUTS", [0, 0, 0, 8, 5]),
    ],
)
def test_a_wrong_number_ends_with_exit_code_1(name, constant, wrong, monkeypatch, tmp_path):
    monkeypatch.setattr(worked_examples, constant, wrong)
    with pytest.raises(SystemExit) as stop:
        worked_examples.main([name, "--output-dir", str(tmp_path)])
    message = stop.value.code  # a text as the exit code is printed, and exits with 1
    assert message.startswith("worked_examples.py: error: ") and "\n" not in message
    assert f"{wrong[-1]}" in message.split("by hand")[1]
    assert not list(tmp_path.iterdir())


def test_wrong_weights_are_noticed(monkeypatch, tmp_path):
    layer = worked_examples.build_lstm_cell()
    kernel, recurrent_kernel, bias = layer.get_weights()
    layer.set_weights([kernel, recurrent_kernel, -bias])
    monkeypatch.setattr(worked_examples, "build_lstm_cell", lambda: layer)
    with pytest.raises(SystemExit, match="memory: computed"):
        worked_examples.main(["lstm-cell", "--output-dir", str(tmp_path)])


def test_unknown_example(capsys):
    with pytest.raises(SystemExit) as stop:
        worked_examples.main(["lstm"])
    assert stop.value.code == 2
    assert "lstm-cell" in capsys.readouterr().err


def test_the_script_itself(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["worked_examples.py", "rnn", "--output-dir", str(tmp_path)])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(ROOT / "worked_examples.py"), run_name="__main__")
    assert stop.value.code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["rnn.png"]


def test_exit_code_of_a_wrong_number(tmp_path):
    code = (
        "import worked_examples; from utils import cli; worked_examples.LSTM_OUTPUTS[3] = 8; "
        "cli.run(worked_examples.main, 'worked_examples.py')"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code, "lstm-cell", "--output-dir", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert finished.returncode == 1
    assert "worked_examples.py: error: outputs: computed" in finished.stderr
    assert "Traceback" not in finished.stderr
