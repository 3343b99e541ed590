import json
import shutil
import zipfile

from utils import InputError
from utils.series.forecasting import LEVELS, Forecaster, Record, Spread, scale_ahead, scales
from utils.series.windows import cut

import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

# ------------------------------------------------------------------ how far off forecasts have been


def test_scales_are_known_before_the_error():
    errors, expected = np.array([1.0, -3.0, 0.0]), [2.0]
    for error in errors:
        expected.append(np.sqrt(0.9 * expected[-1] ** 2 + 0.1 * error**2))
    np.testing.assert_allclose(scales(errors, start=2.0, decay=0.9), expected)


def test_the_scale_far_ahead_is_the_usual_one():
    now, usual = np.array([1.0, 4.0]), np.array([2.0, 2.0])
    assert scale_ahead(now, usual, 1, 0.9).tolist() == [1, 4]
    share = (1 + 0.9 + 0.9**2) / 3
    expected = now**share * usual ** (1 - share)
    np.testing.assert_allclose(scale_ahead(now, usual, 3, 0.9), expected)
    np.testing.assert_allclose(scale_ahead(now, usual, 10_000, 0.9), usual, rtol=0.01)
    np.testing.assert_allclose(scale_ahead(usual, usual, 7, 0.9), usual)


def record(sizes, unseen=0):
    """The record of forecasts from rows 0, 1, 2, ..."""
    return Record(np.arange(len(sizes)), np.array(sizes, float), unseen)


def test_a_quantile_is_that_of_the_ordered_errors():
    """Of 19 errors, the 18th: the next one is below it with a probability of 18 / 20."""
    sizes = np.random.default_rng(0).permutation(np.arange(1, 20))[:, None]
    assert record(sizes).quantiles(19, 1, [0.9, 0.5, 0.05, 0.999]).tolist() == [18, 10, 1, 19]


def test_a_quantile_knows_only_what_has_happened():
    sizes = np.random.default_rng(0).random((60, 4))
    before = record(sizes).quantiles(40, 3, LEVELS)
    happened = np.arange(60)[:, None] + np.arange(4) < 40
    later = np.where(happened, sizes, 1e6)
    np.testing.assert_array_equal(record(later).quantiles(40, 3, LEVELS), before)
    earlier = np.where(happened, 1e6, sizes)  # the errors of 3 steps from rows 0 to 37 are known
    assert (record(earlier).quantiles(40, 3, LEVELS) == 1e6).all()


def test_errors_that_overlap_are_few():
    """200 errors of 10 steps in 210 rows are worth 1.5 x 21: the quantile is 0.9 (1 + 1 / 31.5)."""
    sizes = np.random.default_rng(0).permutation(np.arange(1, 201))[:, None].repeat(10, axis=1)
    assert record(sizes).quantiles(210, 10, [0.9, 0.5]).tolist() == [186, 104]


def test_errors_of_the_training_help_only_while_others_are_few():
    sizes = np.concatenate([np.full(50, 7.0), np.ones(50)])[:, None].repeat(2, axis=1)
    unseen = record(sizes, unseen=50)
    assert unseen.quantiles(60, 1, [0.9]) == 7  # 10 errors since: they have half of the weight
    assert unseen.quantiles(60, 1, [0.4]) == 1
    assert unseen.quantiles(70, 1, [0.999]) == 1
    assert unseen.quantiles(70, 2, [0.9]) == 7  # errors of two steps overlap
    assert unseen.quantiles(90, 2, [0.999]) == 1


def test_a_few_errors_make_no_interval():
    sizes = np.ones((30, 1))
    sizes[9:20] = np.nan
    assert np.isnan(record(sizes).quantiles(20, 1, [0.9, 0.5])).all()
    assert record(sizes).quantiles(21, 1, [0.9]) == 1


def test_neighbouring_steps_lend_their_errors():
    sizes = np.tile(np.arange(1.0, 21), (200, 1))
    assert record(sizes).quantiles(200, 7, [0.001, 0.999]).tolist() == [7, 7]
    assert record(sizes).quantiles(200, 16, [0.001, 0.999]).tolist() == [14, 18]
    assert record(sizes).quantiles(200, 20, [0.001, 0.999]).tolist() == [18, 20]  # none beyond


def test_widths_are_those_known_at_each_origin():
    sizes = np.random.default_rng(0).random((300, 3)) * np.arange(1, 301)[:, None]
    found = record(sizes)
    origins = np.arange(200, 290)
    expected = [found.quantiles(now, 2, [0.9])[0] for now in origins]
    np.testing.assert_array_equal(found.widths(origins, 2), expected)
    # where origins are many, none knows what comes after it
    many = record(np.random.default_rng(0).random((1500, 1)) * np.arange(1, 1501)[:, None])
    origins = np.arange(500, 1490)
    earlier = np.array([many.quantiles(now, 1, [0.9])[0] for now in range(500, 1490)])
    assert (many.widths(origins, 1) <= np.maximum.accumulate(earlier)).all()
    assert len(set(many.widths(origins, 1))) > 50


@pytest.mark.parametrize("relative", [False, True])
def test_bounds_hold_an_error_of_their_width(relative):
    spread = Spread(relative, 0.9, None)
    forecast, width = np.array([10.0, 20.0]), np.array([0.5, 1.0])
    lower, upper = spread.bounds(forecast, width)
    np.testing.assert_allclose(spread.errors(lower, forecast), -width)
    np.testing.assert_allclose(spread.errors(upper, forecast), width)


def test_no_bound_lies_below_what_the_series_ever_was():
    lower, upper = Spread(False, 0.9, 0.0).bounds(np.array([1.0, -3.0]), np.array([2.0, 2.0]))
    assert lower.tolist() == [0, 0] and upper.tolist() == [3, 0]
    lower, _ = Spread(False, 0.9, None).bounds(np.array([1.0]), np.array([2.0]))
    assert lower.tolist() == [-1]


def test_beyond_what_was_measured_errors_grow_on():
    steps = [1, 2, 4, 8, 16]
    spread = Spread(False, 0.9, None, 2.0, 2.0, "", steps, [[s**0.5] * len(LEVELS) for s in steps])
    _, upper = spread.interval(np.zeros(64), 0.9)
    np.testing.assert_allclose(upper[np.array([1, 4, 16, 64]) - 1], [2, 4, 8, 16])
    level = spread._replace(sizes=[[3.0] * len(LEVELS)] * 5)  # a season's errors do not
    np.testing.assert_allclose(level.interval(np.zeros(64), 0.9)[1], 6.0)


@given(
    forecast=st.lists(st.floats(-50, 50), min_size=1, max_size=20),
    sizes=st.lists(st.floats(0, 20), min_size=3, max_size=3),
    lowest=st.sampled_from([None, 0.0]),
)
def test_a_forecast_lies_within_its_interval(forecast, sizes, lowest):
    spread = Spread(False, 0.9, lowest, 1.5, 1.5, "", [1, 3, 6], [[size] * 4 for size in sizes])
    forecast = spread.possible(np.array(forecast))
    for level in LEVELS:
        lower, upper = spread.interval(forecast, level)
        assert (lower <= forecast).all() and (forecast <= upper).all()
        assert lowest is None or lower.min() >= lowest


# ------------------------------------------------------------------ forecasts


def linear_network(input_steps, columns, targets, seed=0):
    """A network whose forecast is a weighted sum of its window, and the weights."""
    inputs = keras.Input((input_steps, columns))
    network = keras.Model(inputs, layers.Dense(targets)(layers.Flatten()(inputs)))
    rng = np.random.default_rng(seed)
    weights = rng.normal(0, 0.3, (input_steps * columns, targets)), rng.normal(size=targets)
    network.set_weights(weights)
    return network, weights


def test_one_step_against_matrix_product():
    network, (kernel, bias) = linear_network(3, 3, 2)
    forecaster = Forecaster(network, ["y", "z"], ["hour_sin"], "h")
    values, rows = np.random.default_rng(1).normal(size=(20, 3)), np.array([3, 7, 19])
    expected = [(values[row - 3 : row].ravel() @ kernel + bias)[0] for row in rows]
    found = forecaster.one_step(values, rows)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    values[7:] += 100  # the row to be forecast, and all that follow
    np.testing.assert_array_equal(forecaster.one_step(values, rows)[:2], found[:2])


@pytest.mark.parametrize("targets", [1, 2])
def test_recursive_is_its_five_lines(targets):
    """The loop that is compiled once, and the plain one of its docstring."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, targets + 2))
    network = keras.Model(inputs, layers.Dense(targets)(layers.GRU(5)(inputs)))
    forecaster = Forecaster(network, ["y", "z"][:targets], ["hour_sin", "hour_cos"], "h")
    values = np.random.default_rng(1).normal(size=(40, targets + 2))
    origins, steps = np.array([6, 17, 32]), 8

    windows, forecasts = cut(values, origins, 6), []
    for i in range(steps):
        forecast = np.array(network(windows))
        newest = np.concatenate([forecast, values[origins + i, targets:]], axis=1)
        windows = np.concatenate([windows[:, 1:], newest[:, None]], axis=1)
        forecasts.append(forecast[:, 0])

    values[40 - steps :, :targets] = (
        np.nan
    )  # to come after the last origin: only the calendar is read
    found = forecaster.recursive(values, origins, steps)
    assert found.shape == (3, 8)
    np.testing.assert_allclose(found, np.transpose(forecasts), rtol=1e-4, atol=1e-5)


def random_walk(rows, seed=0):
    values = np.random.default_rng(seed).normal(size=rows).cumsum()
    return pd.DataFrame({"y": values}, pd.date_range("2001-01-01", periods=rows))


def last_value(input_steps=2, columns=1, factor=1.0):
    inputs = keras.Input((input_steps, columns))
    return keras.Model(inputs, factor * inputs[:, -1, :1])


def test_past_the_end_of_a_random_walk():
    frame = random_walk(2000)
    forecaster = Forecaster(last_value(), ["y"], [], "D")
    y, origins = frame["y"].to_numpy(), np.arange(2, 2000)
    padded = np.append(y, np.full(50, np.nan))
    errors = np.abs(padded[origins[:, None] + np.arange(50)] - y[origins - 1][:, None])
    spread = Spread(False, 0.99, None).measured(
        Record(origins, errors, 2), 1.0, 1.0, frame.index[-1], 50
    )
    table = forecaster._replace(spread=spread).past_the_end(frame, 50)
    assert table.index[0] == frame.index[-1] + pd.Timedelta(days=1) and len(table) == 50
    assert list(table) == ["forecast", "lower", "upper"]
    np.testing.assert_allclose(table["forecast"], y[-1], rtol=1e-5)
    # the spread of a random walk grows with the root of time: 1.645 sigma sqrt(k)
    width = (table["upper"] - table["lower"]) / 2 / (1.645 * np.sqrt(np.arange(1, 51)))
    assert width.min() > 0.8 and width.max() < 1.25


def test_past_the_end_reads_the_calendar_to_come():
    frame = pd.DataFrame(
        {"y": np.arange(100.0)}, pd.date_range("2001-01-01", periods=100, freq="h")
    )
    inputs = keras.Input((3, 2))
    network = keras.Model(inputs, inputs[:, -1, 1:])  # the cosine of the hour before
    spread = Spread(False, 0.9, None, 1.0, 1.0, "", [1], [[1.0] * len(LEVELS)])
    table = Forecaster(network, ["y"], ["hour_cos"], "h", spread=spread).past_the_end(frame, 5)
    expected = np.cos(2 * np.pi * (table.index - pd.Timedelta(hours=1)).hour / 24)
    np.testing.assert_allclose(table["forecast"], expected, atol=1e-6)


def test_new_rows_tell_the_scale_of_today():
    frame = random_walk(60)
    spread = Spread(False, 0.9, None, 5.0, 7.0, str(frame.index[49]), [1], [[1.0] * len(LEVELS)])
    forecaster = Forecaster(last_value(), ["y"], [], "D", spread=spread)
    assert forecaster.since(frame[:50]).spread.scale == 5.0
    changes = np.diff(frame["y"])[49:]
    expected = scales(changes, 5.0, 0.9)[-1]
    assert forecaster.since(frame).spread.scale == pytest.approx(expected, rel=1e-5)
    usual = scales(changes, 7.0, spread.slow)[-1]
    assert forecaster.since(frame).spread.usual == pytest.approx(usual, rel=1e-5)
    assert forecaster.since(frame[20:]).spread.scale == pytest.approx(expected, rel=1e-5)
    counted = frame.reset_index(drop=True)
    forecaster = forecaster._replace(spread=spread._replace(until="49"))
    assert forecaster.since(counted).spread.scale == pytest.approx(expected, rel=1e-5)


@pytest.fixture
def saved(tmp_path):
    """A saved forecaster, the path, and a frame that fits it."""
    frame = random_walk(60)
    inputs = keras.Input((4, 1))
    outputs = layers.Dense(1)(layers.GRU(3)(layers.GaussianNoise(0.1)(inputs)))
    spread = Spread(False, 0.9, 0.0, 5.0, 7.0, str(frame.index[-1]), [1, 2], [[1.0] * 4, [2.0] * 4])
    forecaster = Forecaster(keras.Model(inputs, outputs), ["y"], [], "D", spread=spread)
    path = tmp_path / "model.keras"
    forecaster.save(path, "GRU.py")
    return forecaster, path, frame


def test_a_saved_forecaster_forecasts_the_same(saved):
    forecaster, path, frame = saved
    again = Forecaster.load(path, "GRU.py")
    assert again._replace(network=None) == forecaster._replace(network=None)
    pd.testing.assert_frame_equal(again.past_the_end(frame, 5), forecaster.past_the_end(frame, 5))


def test_what_a_saved_forecaster_does_not_fit(saved):
    forecaster, path, frame = saved
    forecaster.check(frame, path)
    for other, given_columns in (
        (frame.assign(z=1.0), "y, z"),
        (frame.set_axis(["x"], axis=1), "x"),
    ):
        words = f"reads the columns y, in this order; given are {given_columns}; name"
        with pytest.raises(InputError, match=words):
            forecaster.check(other, path)
    with pytest.raises(InputError, match="at least 5 rows; the data have 4"):
        forecaster.check(frame[:4], path)
    with pytest.raises(InputError, match="learned a step of h, the data's step is D"):
        forecaster._replace(calendar=["hour_sin"], step="h").check(frame, path)
    with pytest.raises(InputError, match=r"model of GRU\.py, not of LSTM\.py"):
        Forecaster.load(path, "LSTM.py")


def test_rows_that_are_counted_for_a_model_of_dates(saved):
    forecaster, path, frame = saved
    counted = frame.reset_index(drop=True)
    with pytest.raises(InputError):
        forecaster.check(counted, path)


def test_times_with_a_zone_for_a_model_without(saved):
    forecaster, path, frame = saved
    zoned = frame.tz_localize("Asia/Taipei")
    with pytest.raises(InputError):
        forecaster.check(zoned, path)


def test_what_is_no_saved_forecaster(saved, tmp_path):
    _, path, _ = saved
    with zipfile.ZipFile(path) as archive:
        facts = json.loads(archive.read("facts.json"))
    assert facts["columns"] == ["y"]
    (tmp_path / "text.keras").write_text("no model")
    keras.Sequential([keras.Input((4, 1)), layers.Dense(1)]).save(tmp_path / "stranger.keras")
    whole = path.read_bytes()
    (tmp_path / "broken.keras").write_bytes(whole[: len(whole) // 2])
    for name, facts in {"empty": {}, "list": [], "old": {"script": "GRU.py"}}.items():
        shutil.copy(tmp_path / "stranger.keras", tmp_path / f"{name}.keras")
        with zipfile.ZipFile(tmp_path / f"{name}.keras", "a") as archive:
            archive.writestr("facts.json", json.dumps(facts))
    for name in ("text", "stranger", "broken", "missing", "empty", "list", "old"):
        with pytest.raises(InputError, match=f"{name}.keras is not a model that GRU") as error:
            Forecaster.load(tmp_path / f"{name}.keras", "GRU.py")
        assert "\n" not in str(error.value)


def test_a_strangers_model_runs_no_code(saved, tmp_path):
    forecaster, path, _ = saved
    trace = tmp_path / "trace"

    def attack(x, trace=str(trace)):
        open(trace, "w").close()
        return x[:, -1]

    inputs = keras.Input((4, 1))
    network = keras.Model(inputs, layers.Lambda(attack, output_shape=(1,))(inputs))
    network(np.zeros((1, 4, 1)))
    trace.unlink()  # it runs here, where it was written
    forecaster._replace(network=network).save(path, "GRU.py")
    with pytest.raises(InputError, match=r"not a model that GRU\.py saved") as error:
        Forecaster.load(path, "GRU.py")
    assert "\n" not in str(error.value)
    assert not trace.exists()
