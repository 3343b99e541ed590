import json
import math
import runpy
import sys
from pathlib import Path

import long_memory
from long_memory import NETWORKS, TASKS
from utils import InputError, cli

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[1]
PNG = b"\x89PNG\r\n\x1a\n"
PICTURES = {"errors.png", "gradients.png", "training.png"}


def tiny_model(name="lstm", task="adding", lag=10, learning_rate=0.01, clip_norm=1.0):
    keras.utils.set_random_seed(0)
    return long_memory.build_model(NETWORKS[name], TASKS[task], lag, 4, learning_rate, clip_norm)


# ------------------------------------------------------------------ the tasks

seeds, lags = st.integers(0, 2**32), st.integers(10, 120)


@settings(max_examples=50, deadline=None)
@given(seeds, lags)
def test_adding_marks_one_number_in_each_half(seed, lag):
    inputs, sums = long_memory.adding(np.random.default_rng(seed), 20, lag)
    numbers, marks = inputs[..., 0], inputs[..., 1]
    assert inputs.shape == (20, lag, 2) and sums.shape == (20,)
    assert set(np.unique(marks)) == {0, 1}
    assert (marks[:, : lag // 2].sum(axis=1) == 1).all()
    assert (marks[:, lag // 2 :].sum(axis=1) == 1).all()
    assert (numbers >= 0).all() and (numbers <= 1).all()
    np.testing.assert_allclose(sums, numbers[marks == 1].reshape(20, 2).sum(axis=1), rtol=1e-6)


@settings(max_examples=50, deadline=None)
@given(seeds, lags)
def test_order_has_two_symbols_to_remember(seed, lag):
    inputs, classes = long_memory.order(np.random.default_rng(seed), 20, lag)
    assert inputs.shape == (20, lag, 6) and classes.shape == (20,)
    assert (inputs.sum(axis=-1) == 1).all()
    symbols = inputs.argmax(axis=-1)
    rows, steps = np.nonzero(symbols < 2)  # X or Y
    assert rows.tolist() == np.repeat(np.arange(20), 2).tolist()
    first, second = steps.reshape(20, 2).T
    assert (first >= lag // 10).all() and (first < lag // 5).all()
    assert (second >= lag // 2).all() and (second < lag * 3 // 5).all()
    answers = ["XX", "XY", "YX", "YY"]
    for row, answer in enumerate(classes):
        assert ["XY".index(symbol) for symbol in answers[answer]] == [
            symbols[row, first[row]], symbols[row, second[row]],
        ]  # fmt: skip


def test_every_position_is_used():
    marks = long_memory.adding(np.random.default_rng(0), 2000, 10)[0][..., 1]
    assert (marks.sum(axis=0) > 300).all()  # 400 expected at each step


def test_the_trivial_line_of_adding_is_exact():
    # E (a + b - 1)^2 over the unit square, by the midpoint rule; no other constant does better
    middle = (np.arange(1000) + 0.5) / 1000
    sums = middle[:, None] + middle
    assert np.mean((sums - 1) ** 2) == pytest.approx(1 / 6, abs=1e-6)
    assert sums.mean() == pytest.approx(1)
    assert TASKS["adding"].trivial == 1 / 6


@pytest.mark.parametrize(
    ("name", "answer"), [("adding", [1.0]), *(("order", row) for row in np.eye(4).tolist())]
)
def test_answers_without_looking_reach_the_trivial_line(name, answer):
    task = TASKS[name]
    _, targets = task.make(np.random.default_rng(1), 100_000, 10)
    outputs = np.tile(np.float32(answer), (len(targets), 1))
    metric = keras.metrics.MeanMetricWrapper(task.error)
    metric.update_state(targets, outputs)
    assert float(metric.result()) == pytest.approx(task.trivial, rel=0.01)


def test_error_of_the_order_task_counts_wrong_answers():
    scores = np.eye(4, dtype="float32")[[0, 1, 2, 3]]
    assert np.asarray(long_memory.share_wrong([0, 1, 3, 2], scores)).tolist() == [0, 0, 1, 1]


# ------------------------------------------------------------------ the networks


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_parameters_are_as_near_to_4500_as_units_allow(network, task):
    units = long_memory.units_for(network, task, 4500)
    counts = [
        long_memory.build_model(network, task, 10, n, 0.01, 1.0).count_params()
        for n in (units - 1, units, units + 1)
    ]
    distances = [abs(count - 4500) for count in counts]
    assert min(distances) == distances[1] < 150


def test_units_of_the_adding_problem():
    units = {
        name: long_memory.units_for(NETWORKS[name], TASKS["adding"], 4500) for name in NETWORKS
    }
    assert units == {"simple": 65, "irnn": 65, "gru": 37, "lstm": 32, "lstm-f0": 32, "lstm-f3": 32}


def test_irnn_starts_as_an_adder():
    cell = tiny_model("irnn").layers[0].cell
    _, recurrent_kernel, bias = cell.get_weights()
    np.testing.assert_array_equal(recurrent_kernel, np.eye(4))
    np.testing.assert_array_equal(bias, np.zeros(4))
    assert cell.activation is keras.activations.relu


@pytest.mark.parametrize(("name", "forget_bias"), [("lstm", 1), ("lstm-f0", 0), ("lstm-f3", 3)])
def test_forget_bias(name, forget_bias):
    bias = tiny_model(name).layers[0].get_weights()[2]
    np.testing.assert_array_equal(bias, np.repeat([0, forget_bias, 0, 0], 4))


# ------------------------------------------------------------------ gradients


def by_step(model, task, inputs):
    gradients = long_memory.input_gradients(model)
    return long_memory.gradients_by_step(gradients, TASKS[task], inputs)


@pytest.mark.parametrize("w", [0.3, 0.5, -0.9, 1.0, 1.1])
def test_gradients_of_a_linear_neuron(w):
    lag = 60
    layer = keras.layers.SimpleRNN(1, activation=None)
    model = keras.Sequential([keras.Input((lag, 2)), layer, keras.layers.Dense(2)])
    layer.set_weights([np.array([[0.6], [0.8]]), np.array([[w]]), np.zeros(1)])
    model.layers[1].set_weights([np.array([[3.0, 4.0]]), np.zeros(2)])
    inputs, _ = long_memory.adding(np.random.default_rng(0), 300, lag)
    table = by_step(model, "adding", inputs)
    assert table.index.tolist() == list(range(lag))[::-1]
    # 0.6 of the number enters, not its mark; the output is 3 and 4 times the memory: 5 long
    expected = 3 * abs(w) ** np.arange(lag)[::-1]
    np.testing.assert_allclose(table["counts"], expected, rtol=1e-4)  # at 0.3: float64 squares
    np.testing.assert_allclose(table["others"], expected, rtol=1e-4)


def test_gradients_of_an_order_network_are_those_of_swapping_symbols():
    layer = keras.layers.SimpleRNN(1, activation=None)
    model = keras.Sequential([keras.Input((20, 6)), layer, keras.layers.Dense(1)])
    layer.set_weights([np.array([[9.0], [2], [5], [4], [1], [1]]), np.ones((1, 1)), np.zeros(1)])
    model.layers[1].set_weights([np.ones((1, 1)), np.zeros(1)])
    inputs, _ = long_memory.order(np.random.default_rng(0), 200, 20)
    table = by_step(model, "order", inputs)
    counting = inputs[..., :2].any(axis=(0, 2))
    np.testing.assert_allclose(table["counts"][counting], 7)  # X for Y, or Y for X
    assert table["counts"][~counting].isna().all()
    assert table["others"].between(0, 1).all()  # a for b: 1; c for d: 0


def test_gradients_where_it_counts_are_kept_apart():
    # relu(number + mark - 1) lets marked numbers through, and no others; the sum is kept
    cell = tiny_model("irnn").layers[0]
    model = keras.Sequential([keras.Input((10, 2)), cell, keras.layers.Dense(1)])
    cell.set_weights([np.ones((2, 4)), np.zeros((4, 4)), -np.ones(4)])
    model.layers[1].set_weights([np.full((4, 1), 0.25), np.zeros(1)])
    inputs, _ = long_memory.adding(np.random.default_rng(0), 300, 10)
    table = by_step(model, "adding", inputs)
    assert table.loc[0, "counts"] == pytest.approx(1) and table.loc[0, "others"] == 0
    assert (table.loc[1:9] == 0).all(axis=None)  # no memory


def test_reach_reads_the_rounds():
    frame = long_memory.pd.DataFrame(
        {"first": [1e-3, 1e-9, 1.0], "second": [0.1, 0.2, 1.0], "others": [0.1, 0.1, 0.01]}
    )
    row = long_memory.reach({"gru": frame}).loc["gru"]
    assert row.tolist() == pytest.approx([1e-3, 1e-9, 1.0, 100.0])


@pytest.mark.parametrize(("clip_norm", "followed"), [(0, 12), (1, 1), (100, 12)])
def test_optimizer_remembers_the_gradient_before_clipping(clip_norm, followed):
    weight = keras.Variable([3.0])
    optimizer = long_memory.WatchfulAdam(0.1, beta_1=0.5, global_clipnorm=clip_norm or None)
    for gradient in (-12.0, 2.0):
        optimizer.apply([keras.ops.array([gradient])], [weight])
        if gradient == -12.0:
            momentum = next(v for v in optimizer.variables if "momentum" in v.path)
            assert float(momentum[0]) == pytest.approx(-0.5 * followed)
    assert float(optimizer.largest_norm) == 12


# ------------------------------------------------------------------ training


def validation_error(model, lag):
    validation = long_memory.adding(np.random.default_rng([1, lag]), long_memory.VALIDATION, lag)
    return model.evaluate(*validation, batch_size=500, verbose=0)[1]


def test_training_keeps_the_best_weights_and_the_budget(monkeypatch):
    monkeypatch.setattr(long_memory, "ROUND", 64)
    model = tiny_model(learning_rate=2.0)  # so that the error goes up and down
    history = long_memory.train(model, TASKS["adding"], 10, 0, 300, 16)
    assert history.index.tolist() == [0, 64, 128, 192, 256, 300]
    assert history["error"].min() < history["error"].iloc[-1]
    assert validation_error(model, 10) == pytest.approx(history["error"].min(), rel=1e-5)
    assert history["largest gradient"].iloc[0] == 0  # none yet
    assert (history.iloc[1:] > 0).all(axis=None)


def test_training_ends_when_the_task_is_solved(monkeypatch):
    monkeypatch.setattr(long_memory, "SOLVED", 3.0)  # any network is
    history = long_memory.train(tiny_model(), TASKS["adding"], 10, 0, 10**9, 32)
    assert len(history) <= 2 and history["error"].iloc[-1] < 1


def test_training_sees_other_sequences_than_the_tests(monkeypatch):
    parts = []

    def spy(rng, sequences, lag):
        parts.append(long_memory.adding(rng, sequences, lag))
        return parts[-1]

    task = TASKS["adding"]._replace(make=spy)
    monkeypatch.setattr(long_memory, "ROUND", 50)
    for seed in (0, 1):
        long_memory.train(tiny_model(), task, 10, seed, 100, 50)
    # validation and two rounds each: the same validation, all the rounds new
    first_sums = [sums[:3].tolist() for _, sums in parts]
    assert first_sums[0] == first_sums[3]
    assert len(set(map(tuple, first_sums))) == 5


def test_training_that_explodes_ends_with_finite_weights():
    model = tiny_model("irnn", learning_rate=1e30, clip_norm=0)
    history = long_memory.train(model, TASKS["adding"], 10, 0, 10**9, 32)
    assert not math.isfinite(history["error"].iloc[-1])
    assert math.isfinite(validation_error(model, 10))


@pytest.mark.parametrize(
    ("errors", "word"),
    [
        ([0.001, 0.009], "solved"),
        ([0.001, 0.011], "partly"),
        ([0.16, 0.14], "partly"),
        ([0.16, 0.17], "trivial"),
    ],
)
def test_verdict(errors, word):
    assert long_memory.verdict(errors, 1 / 6) == word


# ------------------------------------------------------------------ the command

TINY = ["--sequences", "64", "--parameters", "100", "--lags", "12,10"]


@pytest.mark.parametrize("task", TASKS)
def test_tiny_run(task, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(long_memory, "TEST", 500)
    flags = ["--task", task, "--networks", "gru,lstm", "--output-dir", str(tmp_path)]
    scores = long_memory.main([*TINY, *flags])
    assert {path.name for path in tmp_path.iterdir()} == {*PICTURES, "scores.json"}
    assert all((tmp_path / name).read_bytes().startswith(PNG) for name in PICTURES)
    assert json.loads((tmp_path / "scores.json").read_text()) == scores
    assert [(run["lag"], run["network"]) for run in scores["runs"]] == [
        (10, "gru"), (10, "lstm"), (12, "gru"), (12, "lstm"),
    ]  # fmt: skip
    assert {run["sequences"] for run in scores["runs"]} == {64}
    assert set(scores["verdicts"]) == {"gru", "lstm"}
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines()]
    for run in scores["runs"][:2]:
        row = next(row for row in rows if row and row[0] == run["network"])
        assert row[1] == f"{run['error']:.4f}"
    assert f"trivial line  {TASKS[task].trivial:.4f}" in printed


@pytest.mark.parametrize("finished", [0, 3])
def test_ctrl_c_keeps_the_finished_networks(finished, monkeypatch, tmp_path, capsys):
    real_run, done = long_memory.run, []

    def run(*args):
        if len(done) == finished:
            raise KeyboardInterrupt
        done.append(args)
        return real_run(*args)

    monkeypatch.setattr(long_memory, "run", run)
    monkeypatch.setattr(long_memory, "TEST", 500)
    argv = [*TINY, "--networks", "gru,lstm", "--output-dir", str(tmp_path)]
    with pytest.raises(SystemExit) as stop:
        cli.run(lambda: long_memory.main(argv), "long_memory.py")
    assert stop.value.code == 130
    written = {path.name for path in tmp_path.iterdir()}
    assert written == ({*PICTURES, "scores.json"} if finished else set())
    if finished:
        scores = json.loads((tmp_path / "scores.json").read_text())
        assert [(run["lag"], run["network"]) for run in scores["runs"]] == [
            (10, "gru"), (10, "lstm"), (12, "gru"),
        ]  # fmt: skip
        assert set(scores["verdicts"]["lstm"]) == {"10"}
        assert "seed 0" in capsys.readouterr().out


def test_runs_can_be_repeated(monkeypatch, tmp_path):
    monkeypatch.setattr(long_memory, "TEST", 500)
    flags = ["--networks", "lstm", "--lags", "10", "--sequences", "64", "--output-dir"]
    runs = [long_memory.main([*flags, str(tmp_path / name)])["runs"] for name in "ab"]
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--lags", "10,ten"], "'ten' is not a whole number of at least 10"),
        (["--lags", "9"], "'9' is not a whole number of at least 10"),
        (["--lags", ","], "at least one"),
        (
            ["--networks", "lstm,gpt"],
            "'gpt' is not one of simple, irnn, gru, lstm, lstm-f0, lstm-f3",
        ),
        (["--networks", ""], "at least one"),
        (["--seeds", "-1"], "'-1' is not a whole number of at least 0"),
        (["--clip-norm", "-1"], "'-1' is not a number at least 0"),
        (["--clip-norm", "nan"], "'nan' is not a number at least 0"),
        (["--learning-rate", "0"], "'0' is not a number above 0"),
        (["--task", "copying"], "copying"),
        (["--parameters", "3"], "at least 50"),
    ],
)
def test_bad_flags_are_one_line_and_exit_code_2(flags, complaint, capsys):
    with pytest.raises(SystemExit) as stop:
        long_memory.parse_args(flags)
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert complaint in message and message.count("\n") == 1


def test_output_folder_is_tried_before_training(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="--output-dir"):
        long_memory.main(["--output-dir", str(tmp_path / "file")])


def test_the_script_itself(monkeypatch, tmp_path):
    flags = ["--networks", "simple", "--lags", "10", "--sequences", "32", "--clip-norm", "0"]
    monkeypatch.setattr(sys, "argv", ["long_memory.py", *flags, "--output-dir", str(tmp_path)])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(ROOT / "long_memory.py"), run_name="__main__")
    assert stop.value.code == 0
    assert (tmp_path / "scores.json").exists()
