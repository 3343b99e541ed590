import json
import math
import re

import long_memory
from long_memory import NETWORKS, TASKS

import keras
import numpy as np
import pytest


def tiny_model(name="lstm", learning_rate=0.01, clip_norm=1.0):
    keras.utils.set_random_seed(0)
    layer, *_ = NETWORKS[name]
    return long_memory.build_model(layer(4), TASKS["adding"], 10, learning_rate, clip_norm)


def rng(seed=0):
    return np.random.default_rng(seed)


# ------------------------------------------------------------------ the tasks

some_lags = pytest.mark.parametrize("lag", [10, 11, 19, 120])


@some_lags
def test_adding_marks_one_number_in_each_half(lag):
    inputs, sums, *_ = TASKS["adding"].make(rng(), 200, lag)
    numbers, marks = inputs[..., 0], inputs[..., 1]
    assert inputs.shape == (200, lag, 2) and sums.shape == (200,)
    assert set(np.unique(marks)) == {0, 1}
    assert (marks[:, : lag // 2].sum(axis=1) == 1).all()
    assert (marks[:, lag // 2 :].sum(axis=1) == 1).all()
    assert (numbers >= 0).all() and (numbers <= 1).all()
    np.testing.assert_allclose(sums, numbers[marks == 1].reshape(200, 2).sum(axis=1), rtol=1e-6)


@some_lags
def test_order_has_two_symbols_to_remember(lag):
    inputs, classes, *_ = TASKS["order"].make(rng(), 200, lag)
    assert inputs.shape == (200, lag, 6) and (inputs.sum(axis=-1) == 1).all()
    symbols = inputs.argmax(axis=-1)
    rows, steps = np.nonzero(symbols < 2)  # X or Y
    assert rows.tolist() == np.repeat(np.arange(200), 2).tolist()
    first, second = steps.reshape(200, 2).T
    assert (first >= lag // 10).all() and (first < lag // 5).all()
    assert (second >= lag // 2).all() and (second < lag * 3 // 5).all()
    pairs = np.take_along_axis(symbols, np.stack([first, second], axis=1), axis=1)
    answers = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])  # XX, XY, YX, YY
    np.testing.assert_array_equal(answers[classes], pairs)


# ------------------------------------------------------------------ the networks


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", long_memory.SIX.split(","))
def test_parameters_are_as_near_to_4500_as_units_allow(name, task):
    layer, units, *_ = NETWORKS[name]
    counts = [
        long_memory.build_model(layer(n), TASKS[task], 10, 0.01, 1.0).count_params()
        for n in (units[task] - 1, units[task], units[task] + 1)
    ]
    distances = [abs(count - 4500) for count in counts]
    assert min(distances) == distances[1] < 150


@pytest.mark.parametrize(("name", "forget_bias"), [("lstm", 1), ("lstm-f0", 0), ("lstm-f3", 3)])
def test_forget_bias(name, forget_bias):
    bias = tiny_model(name).layers[0].get_weights()[2]
    np.testing.assert_array_equal(bias, np.repeat([0, forget_bias, 0, 0], 4))


# ------------------------------------------------------------------ gradients


def linear_neuron(lag, kernel, recurrent, output_kernel):
    """One linear unit with these weights, and outputs."""
    kernel, output_kernel = np.array(kernel), np.array(output_kernel)
    layer = keras.layers.SimpleRNN(1, activation=None, use_bias=False)
    output_layer = keras.layers.Dense(len(output_kernel), use_bias=False)
    model = keras.Sequential([keras.Input((lag, len(kernel))), layer, output_layer])
    model.set_weights([kernel[:, None], np.array([[recurrent]]), output_kernel[None]])
    return model


@pytest.mark.parametrize("w", [0.3, -0.9, 1.1])
def test_gradients_of_a_linear_neuron(w):
    lag = 60
    model = linear_neuron(lag, [0.6, 0.8], w, [3.0, 4.0])
    inputs, _, *steps = TASKS["adding"].make(rng(), 300, lag)
    table = long_memory.gradients_by_step(model, inputs, *steps)
    assert table.index.tolist() == list(range(lag))[::-1]
    # 0.6 of the number enters, not its mark; the output is 3 and 4 times the memory: 5 long
    expected = 3 * abs(w) ** np.arange(lag)[::-1]
    np.testing.assert_allclose(table["counts"], expected, rtol=1e-4)  # at 0.3: float64 squares
    np.testing.assert_allclose(table["others"], expected, rtol=1e-4)


def test_gradients_of_an_order_network_are_those_of_swapping_symbols():
    model = linear_neuron(20, [9.0, 2, 5, 4, 1, 1], 1.0, [1.0])
    inputs, _, *steps = TASKS["order"].make(rng(), 200, 20)
    table = long_memory.gradients_by_step(model, inputs, *steps)
    counting = inputs[..., :2].any(axis=(0, 2))
    np.testing.assert_allclose(table["counts"][counting], 7)  # X for Y, or Y for X
    assert table["counts"][~counting].isna().all()
    assert table["others"].between(0, 1).all()  # a for b: 1; c for d: 0


# ------------------------------------------------------------------ training


def validation_error(model):
    validation = TASKS["adding"].make(rng([1, 10]), long_memory.VALIDATION, 10)
    return model.evaluate(*validation[:2], batch_size=500, verbose=0)


def test_training_keeps_the_best_weights_and_the_budget(monkeypatch):
    monkeypatch.setattr(long_memory, "ROUND", 64)
    monkeypatch.setattr(long_memory, "BATCH", 16)
    model = tiny_model(learning_rate=2.0)  # so that the error goes up and down
    rounds, _ = long_memory.train(model, TASKS["adding"], 10, 0, 300)
    assert rounds.index.tolist() == [0, 64, 128, 192, 256, 300]
    assert rounds["error"].min() < rounds["error"].iloc[-1]
    assert validation_error(model) == pytest.approx(rounds["error"].min(), rel=1e-5)
    assert rounds["largest gradient"].iloc[0] == 0  # none yet
    assert rounds["largest gradient"].max() > 2  # though all are cut to 1
    assert (rounds.iloc[1:] > 0).all(axis=None)


def test_training_ends_when_its_time_is_over_or_the_task_is_solved(monkeypatch):
    rounds, _ = long_memory.train(tiny_model(), TASKS["adding"], 10, 0, 10**9, seconds=0.001)
    assert len(rounds) <= 2
    monkeypatch.setattr(long_memory, "SOLVED", 3.0)  # any network solves it
    rounds, _ = long_memory.train(tiny_model(), TASKS["adding"], 10, 0, 10**9)
    assert len(rounds) <= 2 and rounds["error"].iloc[-1] < 1


def test_training_that_explodes_ends_with_finite_weights():
    model = tiny_model("irnn", learning_rate=1e30, clip_norm=0)
    rounds, _ = long_memory.train(model, TASKS["adding"], 10, 0, 10**9)
    assert not math.isfinite(rounds["error"].iloc[-1])
    assert math.isfinite(validation_error(model))


# ------------------------------------------------------------------ the command


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """A small test part, and flags for a run of seconds."""
    monkeypatch.setattr(long_memory, "TEST", 500)
    flags = ["--sequences", "64", "--lags", "12,10", "--networks", "gru,lstm"]
    return [*flags, "--output-dir", str(tmp_path)]


@pytest.mark.parametrize("task", TASKS)
def test_tiny_run(task, tiny, tmp_path, capsys):
    scores = long_memory.main([*tiny, "--task", task])
    names = {"errors.png", "gradients.png", "scores.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert json.loads((tmp_path / "scores.json").read_text()) == scores
    runs = {(run["lag"], run["network"]): run for run in scores["runs"]}
    assert list(runs) == [(10, "gru"), (10, "lstm"), (12, "gru"), (12, "lstm")]
    assert {run["sequences"] for run in scores["runs"]} == {64}
    gru = (f"{runs[lag, 'gru']['error']:.4f}" for lag in (10, 12))
    row = r"^gru +{}\*? +{}\*? +(10|12|-)$".format(*gru)
    assert re.search(row, capsys.readouterr().out, re.M)
    again = long_memory.main([*tiny, "--task", task, "--networks", "lstm", "--lags", "10"])
    assert again["runs"] == [runs[10, "lstm"]]  # the same digits


def test_ctrl_c_keeps_the_finished_networks(tiny, monkeypatch, tmp_path, capsys):
    real_train, done = long_memory.train, []

    def train(*args):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(args)
        return real_train(*args)

    monkeypatch.setattr(long_memory, "train", train)
    with pytest.raises(KeyboardInterrupt):
        long_memory.main([*tiny, "--clip-norm", "0"])
    runs = json.loads((tmp_path / "scores.json").read_text())["runs"]
    assert [(r["lag"], r["network"]) for r in runs] == [(10, "gru"), (10, "lstm"), (12, "gru")]
    assert "nan" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--lags", "9"], "9 is not between 10 and 1000"),
        (["--networks", ","], "'' is not one of simple, irnn"),
        (["--networks", "lstm,gpt"], "'gpt' is not one of simple, irnn, gru, lstm, lstm-f0, lstm-"),
    ],
)
def test_bad_flags_are_one_line_and_exit_code_2(flags, complaint, capsys):
    with pytest.raises(SystemExit) as stop:
        long_memory.main(flags)
    message = capsys.readouterr().err
    assert stop.value.code == 2 and complaint in message and message.count("\n") == 1
