"""The way of a forecasting lesson: where forecasts start from, what is scored, what is written."""

import argparse

import GRU
import LSTM
import SimpleRNN
from utils import lesson
from utils.series import blocks
from utils.series.evaluation import LinearAutoregression
from utils.series.forecasting import Forecaster, Spread, scale_ahead
from utils.series.windows import cut, split_by_time

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

ARGS = argparse.Namespace(csv="mine.csv", forecast=60, units=3, layers=1)


def data_of(values, input_steps=2, filled=(), index=None):
    frame = pd.DataFrame(values, index, ["y", "z"][: values.shape[1]])
    frame.attrs["filled"] = list(filled)
    parts = split_by_time(len(frame), input_steps, filled)
    return lesson.Data(frame, [], values, parts, None, input_steps, None)


def multiple(factor, input_steps=2):
    """A network that forecasts a multiple of the last value."""
    inputs = keras.Input((input_steps, 1))
    return keras.Model(inputs, factor * inputs[:, -1])


def run_of(network, data, relative=False, lowest=None):
    """What `learn` returns, for a network that needs no training."""
    memory = np.clip(len(data.parts.val) / 10, 10, 100)
    forecaster = Forecaster(
        network, list(data.frame), [], "no time", spread=Spread(relative, 1 - 1 / memory, lowest)
    )
    linear = LinearAutoregression(data.input_steps, data.targets).fit(data.values, data.parts)
    return lesson.Run("net", forecaster, fit=True, linear=linear)


def scored(network, data, **settings):
    return lesson.score(run_of(network, data, **settings), data, ARGS, None)


# ------------------------------------------------------------------ intervals


def walk(rng):
    return rng.normal(size=60_000).cumsum()


def slow_wave(rng):
    """AR(1) of 0.9, started long ago."""
    return signal.lfilter([1], [1, -0.9], rng.normal(size=60_500))[500:]


def prices(rng):
    return 100 * np.exp(rng.normal(0, 0.01, 60_000).cumsum())


@pytest.mark.parametrize(
    ("law", "factor", "relative"),
    [(walk, 1.0, False), (slow_wave, 0.9, False), (prices, 1.0, True)],
)
def test_the_interval_holds_what_it_promises(law, factor, relative):
    """Where the network is exact; rolled over origins, at each step."""
    network, held = multiple(factor), []
    for seed in range(2):
        data = data_of(law(np.random.default_rng(seed))[:, None])
        by_steps = scored(network, data, relative=relative).results["by_steps"]
        held.append({step: line["coverage"] for step, line in by_steps.items()})
    held = pd.DataFrame(held).mean()
    assert {"1", "60"} < set(held.index)
    assert held.min() > 0.86 and held.max() < 0.94, held


def test_the_interval_at_step_10():
    data = data_of(walk(np.random.default_rng(5))[:, None])
    args = argparse.Namespace(csv="mine.csv", forecast=10)
    found = lesson.score(run_of(multiple(1.0), data), data, args, None)
    assert 0.86 < found.results["by_steps"]["10"]["coverage"] < 0.94


def test_the_interval_in_the_file_is_the_one_that_was_scored():
    """Just past the end, it is as wide as it would be around one more forecast of the test part."""
    data = data_of(walk(np.random.default_rng(0))[:4000, None])
    run = run_of(multiple(1.0), data)
    found = lesson.score(run, data, ARGS, None)
    forecaster = run.forecaster._replace(spread=found.spread)
    ahead = forecaster.past_the_end(data.frame, 60)
    _, now, usual = lesson.one_step_errors(run.forecaster, data)
    record, *_ = lesson.many_steps(run, data, {}, (now, usual), 60)
    for step in (1, 12, 60):
        scale = scale_ahead(now[-1], usual[-1], step, run.forecaster.spread.decay)
        width = 2 * record.quantiles(4000, step, [0.9])[0] * scale
        row = ahead.iloc[step - 1]
        assert row["upper"] - row["lower"] == pytest.approx(width, rel=1e-4)


def test_the_scale_at_the_end_comes_from_errors_out_of_sample():
    values = np.random.default_rng(0).normal(size=(400, 1)).cumsum(axis=0)
    data = data_of(values)
    run = run_of(multiple(1.0), data)
    forecasts, *both = lesson.one_step_errors(run.forecaster, data)
    np.testing.assert_allclose(forecasts[2:], values[1:-1, 0], rtol=1e-5)
    wild = values.copy()
    wild[: data.parts.val[0] - 1] *= 1000
    _, *others = lesson.one_step_errors(run.forecaster, data._replace(values=wild))
    val = data.parts.val[0]
    for scale, other in zip(both, others, strict=True):
        np.testing.assert_array_equal(other[val:], scale[val:])
        assert (other[3 : val - 1] > 10 * scale[3 : val - 1]).mean() > 0.9


def test_nothing_that_was_interpolated_is_scored_at_any_step():
    filled = [150, 151, 300, 301, 350, 380, 398]
    values = np.random.default_rng(0).normal(size=(400, 1)).cumsum(axis=0)
    data = data_of(values, filled=filled)
    assert np.flatnonzero(np.isnan(data.truth)).tolist() == filled
    run = run_of(multiple(1.0), data)
    _, *both = lesson.one_step_errors(run.forecaster, data)
    record, _, truth = lesson.many_steps(run, data, {}, both, 20)
    rows = record.origins[:, None] + np.arange(20)
    unknown = np.isin(rows, filled) | (rows >= 400)
    np.testing.assert_array_equal(np.isnan(record.sizes), unknown)
    np.testing.assert_array_equal(np.isnan(truth), unknown[-len(truth) :])
    found = scored(multiple(1.0), data)
    touched = {*filled, *(row + 1 for row in filled)}
    assert not touched & {*found.test.index, *record.origins.tolist()}


def test_counts_have_no_bound_below_zero():
    counts = np.random.default_rng(0).poisson(0.6, (400, 1)).astype(float)
    data = data_of(counts)
    inputs = keras.Input((2, 1))
    network = keras.Model(inputs, inputs[:, -1] - 0.4)  # which is below zero now and then
    run = run_of(network, data, lowest=0.0)
    found = lesson.score(run, data, ARGS, None)
    assert found.test["lower"].min() == 0
    ahead = run.forecaster._replace(spread=found.spread).past_the_end(data.frame, 60)
    assert ahead["lower"].min() == 0 <= ahead["forecast"].min()
    assert (ahead["forecast"] <= ahead["upper"]).all()
    assert "median" in found.results["by_steps"]["1"]


@pytest.mark.parametrize("forecast", [1, 2, 60])
def test_a_short_series_can_be_scored(forecast):
    values = np.random.default_rng(0).normal(size=(68, 1)).cumsum(axis=0)
    data = data_of(values)
    args = argparse.Namespace(csv="mine.csv", forecast=forecast)
    found = lesson.score(run_of(multiple(1.0), data), data, args, None)
    assert list(found.results["by_steps"])[-1] == str(min(forecast, len(data.parts.test)))
    numbers = pd.json_normalize(found.results["by_steps"]).to_numpy(float)
    assert np.isfinite(numbers).all()
    assert np.isfinite(found.spread.sizes).all() and found.spread.scale > 0


# ------------------------------------------------------------------ where forecasts start from


def test_the_loss_looks_at_the_target_above_all():
    train = np.exp(np.random.default_rng(0).normal(0, 0.1, (50, 3)).cumsum(axis=0))
    shifts = 0.01 * np.eye(3, dtype="float32")[:2]
    for module in (SimpleRNN, GRU, LSTM):
        loss = module.build_loss(train)
        actual = train[10:12].astype("float32")
        assert np.array(loss(actual, actual)) == pytest.approx([0, 0], abs=1e-6)
        one, other = (np.array(loss(actual, actual + shift)) for shift in shifts)
        assert (one > 3 * other).all() and other.min() > 0


# ------------------------------------------------------------------ what is believed


def test_a_change_is_believed_as_far_as_validation_bears_it_out():
    y = signal.lfilter([1], [1, -0.5], np.random.default_rng(0).normal(size=3000))[:, None]
    data = data_of(y)
    same = LinearAutoregression(2, 1)
    same.kernel, same.bias = np.array([[0.0], [1.0]]), np.array([0.0])  # as persistence
    believed = [
        lesson.believable(run_of(multiple(factor), data).forecaster, data, same)
        for factor in (0.5, 0.0, -0.5, 1.5)  # exact; twice, three times too much; the wrong way
    ]
    assert {baseline for baseline, _ in believed} == {"persistence"}
    shares = [share for _, share in believed]
    assert shares[0] >= 0.9
    assert shares[1] == pytest.approx(0.5, abs=0.11) and shares[2] == pytest.approx(1 / 3, abs=0.11)
    assert shares[3] == 0


def test_a_network_that_loses_gives_way_to_the_best_baseline():
    y = signal.lfilter([1], [1, -0.5], np.random.default_rng(0).normal(size=3000))[:, None]
    run = run_of(multiple(1.5), data := data_of(y))
    assert lesson.believable(run.forecaster, data, run.linear) == ("linear", 0.0)
    zeros = y * (np.random.default_rng(1).random((3000, 1)) < 0.3)
    run = run_of(multiple(1.0), data := data_of(zeros))
    assert lesson.believable(run.forecaster, data, run.linear) == ("median", 0.0)


def test_a_name_gives_way_only_to_one_that_is_better_by_more_than_chance():
    assert lesson.safest({"a": 1.0, "b": 0.96, "c": 0.97}, windows=100) == "a"  # 5 % is asked for
    assert lesson.safest({"a": 1.0, "b": 0.94, "c": 0.9}, windows=100) == "c"
    assert lesson.safest({"a": 1.0, "b": 0.96}, windows=400) == "b"


# ------------------------------------------------------------------ what is said


@given(rows=st.integers(1, 3000), most=st.integers(1, 500))
def test_thinned(rows, most):
    found = lesson.thinned(np.arange(rows), most)
    assert len(found) == min(rows, max(most, 100)) == len(set(found.tolist()))
    assert found[0] == 0 and found[-1] == rows - 1
    assert np.ptp(np.diff(found)) <= 1 if len(found) > 1 else True


def test_samples_show_windows_and_counts():
    lines = lesson.samples(data_of(np.arange(200.0)[:, None], input_steps=8)).splitlines()
    assert lines[1] == "    0 1 2 ... 6 7 -> 8"
    assert lines[-1] == "132 windows to train, 30 to validate, 30 to test."
    assert lesson.samples(data_of(np.arange(200.0)[:, None])).splitlines()[1] == "    0 1 -> 2"


def test_how_old_the_newest_training_row_is():
    index = pd.date_range("2001-01-01", periods=200, freq="h")
    data = data_of(np.arange(200.0)[:, None], index=index)
    assert "is 2001-01-06 19:00:00, 60 rows before the end" in lesson.age(data, refit=False)
    assert "60 rows" not in lesson.age(data, refit=True)


@pytest.mark.parametrize("start", [*lesson.START])
@pytest.mark.parametrize("module", [SimpleRNN, GRU, LSTM])
def test_an_untrained_network_says_what_it_starts_from(module, start):
    train = np.exp(np.random.default_rng(0).normal(0, 0.1, (300, 2)).cumsum(axis=0))
    data = data_of(train, input_steps=8)
    linear = LinearAutoregression(8, 2).fit(train, data.parts)
    place = blocks.starting_point(start, train, linear, season=5)
    network = module.build_network(train, place, data, ARGS)
    windows = cut(train, np.array([8, 30, 99]), 8)
    expected = {
        "mean": np.broadcast_to(train.mean(axis=0), (3, 2)),
        "median": np.broadcast_to(np.median(train, axis=0), (3, 2)),
        "persistence": windows[:, -1],
        "seasonal_naive": windows[:, 3],
        "linear": windows.reshape(3, -1) @ linear.kernel + linear.bias,
    }[start]
    np.testing.assert_allclose(network(windows), expected, rtol=1e-4, atol=1e-5)


def test_the_lstm_sees_returns_not_prices():
    train = np.exp(np.random.default_rng(0).normal(0, 0.1, (50, 1)).cumsum(axis=0))
    data = lesson.Data(pd.DataFrame(train), [], train, None, None, 8, None)
    network = LSTM.build_network(
        train, blocks.starting_point("persistence", train, None), data, ARGS
    )
    network.set_weights([np.random.default_rng(1).normal(size=w.shape) for w in network.weights])
    small, large = np.array(network(np.stack([train[:8], 1000 * train[:8]])))
    assert large.item() == pytest.approx(1000 * small.item(), rel=1e-3)
