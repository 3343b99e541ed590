import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from utils import InputError
from utils.series import forecasting
from utils.series.forecasting import Forecaster, Spread, interval, one_step, past_the_end, recursive

import keras
import numpy as np
import pandas as pd
import pytest
from keras import layers

REPOSITORY = Path(__file__).parents[1]


def linear_network(input_steps, columns, targets, seed=0):
    """A network whose forecast is a weighted sum of its window, and the weights."""
    inputs = keras.Input((input_steps, columns))
    network = keras.Model(inputs, layers.Dense(targets)(layers.Flatten()(inputs)))
    rng = np.random.default_rng(seed)
    weights = rng.normal(0, 0.3, (input_steps * columns, targets)), rng.normal(size=targets)
    network.set_weights(weights)
    return network, weights


def test_one_step_against_matrix_product():
    network, (kernel, bias) = linear_network(3, 2, 1)
    values, rows = np.random.default_rng(1).normal(size=(20, 2)), np.array([3, 7, 19])
    expected = [values[row - 3 : row].ravel() @ kernel + bias for row in rows]
    np.testing.assert_allclose(one_step(network, values, rows), expected, rtol=1e-5)


def test_one_step_sees_only_the_past_of_every_column():
    network, _ = linear_network(3, 2, 1)
    values, rows = np.random.default_rng(1).normal(size=(20, 2)), np.array([7])
    before = one_step(network, values, rows)
    values[7:] += 100  # the row to be forecast, and all that follow
    np.testing.assert_array_equal(one_step(network, values, rows), before)
    values[6, 1] += 1  # another column, one row before
    assert one_step(network, values, rows) != before


@pytest.mark.parametrize("relative", [False, True])
def test_recursive_against_a_loop(relative):
    network, (kernel, bias) = linear_network(3, 3, 2)
    rng = np.random.default_rng(1)
    windows, calendar = rng.normal(size=(4, 3, 3)), rng.normal(size=(6, 4, 1))
    shocks = rng.normal(0, 0.1, (6, 4, 2))
    found = recursive(network, windows, calendar, shocks, relative)
    assert found.shape == (6, 4, 2)
    for path in range(4):
        window = windows[path]
        for step in range(6):
            forecast, shock = window.ravel() @ kernel + bias, shocks[step, path]
            forecast = forecast * np.exp(shock) if relative else forecast + shock
            np.testing.assert_allclose(found[step, path], forecast, rtol=1e-4, atol=1e-5)
            window = np.vstack([window[1:], [*forecast, *calendar[step, path]]])


def test_scales_are_known_before_the_error():
    spread = Spread(decay=0.9, relative=False, start=[2.0], z=[])
    expected, errors = [2.0], np.array([[1.0], [-3.0], [0.0]])
    for error in errors[:, 0]:
        expected.append(np.sqrt(0.9 * expected[-1] ** 2 + 0.1 * error**2))
    np.testing.assert_allclose(spread.scales(errors)[:, 0], expected)


def test_interval_holds_the_ninth_of_nine_errors():
    spread = Spread(0.9, False, [1.0], [[z] for z in (-0.9, 0.8, 0.1, 0.2, -0.3, 0.4, 0.5, 0.6, 7)])
    lower, upper = spread.interval(np.array([10.0, 10.0]), np.array([1.0, 2.0]), level=0.9)
    assert lower.tolist() == [3, -4] and upper.tolist() == [17, 24]
    lower, upper = spread.interval(np.array([10.0]), np.array([1.0]), level=0.8)
    assert (lower.item(), upper.item()) == pytest.approx((9.1, 10.9))
    relative = spread._replace(relative=True)
    lower, upper = relative.interval(np.array([10.0]), np.array([1.0]), level=0.8)
    assert (lower.item(), upper.item()) == pytest.approx((10 / np.e**0.9, 10 * np.e**0.9))


def random_walk(volatility, seed=0):
    return np.random.default_rng(seed).normal(0, volatility).cumsum()[:, None]


def last_value(input_steps=2, columns=1):
    inputs = keras.Input((input_steps, columns))
    return keras.Model(inputs, inputs[:, -1, :1])


def test_interval_follows_a_volatility_that_changes():
    volatility = np.repeat([1.0, 1.0, 4.0, 0.5], 1000)
    values, rows = random_walk(volatility), np.arange(2, 4000)
    network = last_value()
    spread = Spread.measured(network, values, rows[:1500], decay=0.94)
    forecast = one_step(network, values, rows)
    errors = spread.errors(values[rows], forecast)
    lower, upper = spread.interval(forecast[:, 0], spread.scales(errors)[:-1, 0], level=0.9)
    inside = (lower <= values[rows, 0]) & (values[rows, 0] <= upper)
    for start in (1500, 2000, 3000):
        assert 0.85 < inside[start : start + 900].mean() < 0.95


def forecaster_of(values, network, calendar=(), step="D"):
    rows = np.arange(network.input_shape[1], len(values))
    spread = Spread.measured(network, values, rows)
    return Forecaster(network, ["y"], list(calendar), step, spread)


def test_past_the_end_of_a_random_walk():
    values = random_walk(np.full(800, 1.0))
    frame = pd.DataFrame(values, pd.date_range("2001-01-01", periods=800), ["y"])
    forecaster = forecaster_of(values, last_value())
    table, futures = past_the_end(forecaster, frame, steps=50, seed=0)
    assert table.index[0] == frame.index[-1] + pd.Timedelta(days=1) and len(table) == 50
    assert list(table) == ["forecast", "lower", "upper"]
    np.testing.assert_allclose(table["forecast"], values[-1, 0], rtol=1e-5)
    assert futures.shape == (1000, 50)
    # the spread of a random walk grows with the root of time: 1.645 sigma sqrt(k)
    width = (table["upper"] - table["lower"]) / 2 / (1.645 * np.sqrt(np.arange(1, 51)))
    np.testing.assert_allclose(width, 1, atol=0.2)
    again, _ = past_the_end(forecaster, frame, steps=50, seed=0)
    assert again.equals(table)


def test_past_the_end_reads_the_calendar_to_come():
    index = pd.date_range("2001-01-01", periods=100, freq="h")
    frame = pd.DataFrame({"y": np.arange(100.0)}, index)
    inputs = keras.Input((3, 2))
    network = keras.Model(inputs, inputs[:, -1, 1:])  # the cosine of the hour before
    spread = Spread(0.9, False, [0.0], [[0.0]])
    forecaster = Forecaster(network, ["y"], ["hour_cos"], "h", spread)
    table, _ = past_the_end(forecaster, frame, 5, seed=0)
    expected = np.cos(2 * np.pi * (table.index - pd.Timedelta(hours=1)).hour / 24)
    np.testing.assert_allclose(table["forecast"], expected, atol=1e-6)


def test_interval_of_futures():
    futures = np.arange(101.0)[:, None] * [1, 10]
    lower, upper = interval(futures, 0.9)
    np.testing.assert_allclose((lower, upper), [[5, 50], [95, 950]])


@pytest.fixture
def saved(tmp_path):
    """A saved forecaster, the path, and a frame that fits it."""
    values = random_walk(np.full(60, 1.0))
    frame = pd.DataFrame(values, pd.date_range("2001-01-01", periods=60), ["y"])
    inputs = keras.Input((4, 1))
    normal = layers.Normalization(mean=[1.0], variance=[4.0])(inputs)
    outputs = layers.Normalization(mean=[1.0], variance=[4.0], invert=True)(
        layers.Dense(1)(layers.GRU(3)(layers.GaussianNoise(0.1)(normal)))
    )
    forecaster = forecaster_of(values, keras.Model(inputs, outputs))
    path = tmp_path / "model.keras"
    forecaster.save(path, "GRU.py")
    return forecaster, path, frame


def test_a_saved_forecaster_forecasts_the_same_in_a_fresh_process(saved, tmp_path):
    forecaster, path, frame = saved
    expected, _ = past_the_end(forecaster, frame, 5, seed=0)
    frame.to_pickle(tmp_path / "frame")
    program = f"""
import pandas as pd
from utils.series.forecasting import Forecaster, past_the_end
frame = pd.read_pickle({str(tmp_path / "frame")!r})
forecaster = Forecaster.load({str(path)!r}, "GRU.py", frame)
past_the_end(forecaster, frame, 5, seed=0)[0].to_pickle({str(tmp_path / "table")!r})
"""
    subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=True)
    pd.testing.assert_frame_equal(pd.read_pickle(tmp_path / "table"), expected, rtol=1e-5)


def test_what_a_saved_forecaster_does_not_fit(saved):
    forecaster, path, frame = saved
    with pytest.raises(
        InputError, match="reads the columns y, in this order; given are y, z; name"
    ):
        Forecaster.load(path, "GRU.py", frame.assign(z=1.0))
    with pytest.raises(InputError, match="reads the columns y, in this order; given are x"):
        Forecaster.load(path, "GRU.py", frame.set_axis(["x"], axis="columns"))
    with pytest.raises(InputError, match=r"model of GRU\.py, not of LSTM\.py"):
        Forecaster.load(path, "LSTM.py", frame)
    with pytest.raises(InputError, match="at least 5 rows; the data have 4"):
        Forecaster.load(path, "GRU.py", frame[:4])
    forecaster._replace(calendar=["hour_sin"], step="h").save(path, "GRU.py")
    with pytest.raises(InputError, match="at a step of h, the data's step is D"):
        Forecaster.load(path, "GRU.py", frame)


def test_what_is_no_saved_forecaster(saved, tmp_path):
    _, path, frame = saved
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
            Forecaster.load(tmp_path / f"{name}.keras", "GRU.py", frame)
        assert "\n" not in str(error.value)


def test_a_strangers_model_runs_no_code(saved, tmp_path):
    forecaster, path, frame = saved
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
        Forecaster.load(path, "GRU.py", frame)
    assert "\n" not in str(error.value)
    assert not trace.exists()


def test_paths_are_few_where_each_is_long(monkeypatch):
    values = random_walk(np.full(50, 1.0))
    frame = pd.DataFrame(values, pd.date_range("2001-01-01", periods=50), ["y"])
    seen = []

    def recursive(network, windows, calendar, shocks, relative):
        seen.append(shocks.shape)
        return shocks

    monkeypatch.setattr(forecasting, "recursive", recursive)
    for steps in (1, 100, 5000):
        past_the_end(forecaster_of(values, last_value()), frame, steps, seed=0)
    assert seen == [(1, 1001, 1), (100, 501, 1), (5000, 51, 1)]
