"""The long array, its windows and parts; baselines, scores and intervals on known series."""

import hashlib

from utils import InputError
from utils.series import backtest, datasets, intervals, synthetic
from utils.series.panel import calendar_columns, calendar_names, evenly, lay_out, split, stream

import numpy as np
import pandas as pd
import pytest


def frame(values, start="2024-01-01", freq="D", **known):
    times = pd.date_range(start, periods=len(values), freq=freq)
    return pd.DataFrame({"y": np.asarray(values, float), **known}, times)


def two(**settings):
    """Two series of 40 and 20 days, 0, 1, 2, ... and 100, 101, ..., windows of 4, 3 ahead."""
    frames = {"a": frame(np.arange(40)), "b": frame(100 + np.arange(20.0), "2024-02-01")}
    return lay_out(frames, 4, 3, 2, **settings)


def test_windows_and_targets_are_cut_around_the_origin():
    panel = two()
    assert panel.windows(panel.start[1:] + 5).tolist() == [[101, 102, 103, 104]]
    assert panel.targets(panel.start[1:] + 5).tolist() == [[105, 106, 107]]
    ends = np.array([panel.end[0], panel.start[1], panel.end[1]])
    assert panel.series_of(ends).tolist() == [0, 1, 1]


def test_a_window_may_begin_before_its_series_and_never_reaches_into_another():
    panel = two()
    window = panel.windows(panel.start + 1)
    assert window[:, -1].tolist() == [0, 100] and np.isnan(window[:, :-1]).all()
    assert np.isnan(panel.targets(panel.end)).all()
    assert [str(times[-1].date()) for times in panel.times] == ["2024-02-12", "2024-02-23"]


def test_parts_hold_whole_horizons_and_train_targets_end_before_validation():
    panel = two()
    parts = split(panel)
    for number, (val, test) in enumerate(panel.borders):
        of_series = [part[panel.series_of(part) == number] for part in parts]
        assert of_series[0].max() + 3 == val
        assert (of_series[1].min(), of_series[1].max() + 3) == (val, test)
        assert (of_series[2].min(), of_series[2].max() + 3) == (test, panel.end[number])
    assert (panel.end - panel.borders[:, 1]).tolist() == [6, 3]  # 15 %, at least a horizon


def test_too_short_a_series_gives_no_window_but_has_a_future():
    panel = lay_out({"long": frame(np.arange(60)), "short": frame([1, 2])}, 8, 5, 1)
    assert (panel.series_of(np.concatenate(split(panel))) == 0).all()
    assert panel.windows(panel.end)[1, -2:].tolist() == [1, 2]


def test_evenly():
    assert evenly(np.arange(10), 4).tolist() == [0, 3, 6, 9]
    assert len(evenly(np.arange(3), 4)) == 3 and len(evenly(np.arange(0), 4)) == 0


def test_known_columns_reach_into_the_future():
    promotion = np.arange(23.0)
    values = np.r_[np.arange(20.0), np.full(3, np.nan)]
    panel = lay_out({"a": frame(values, promotion=promotion)}, 4, 3, 1, ["promotion"])
    assert panel.end[0] - panel.start[0] == 20
    assert panel.known[panel.end[0] : panel.end[0] + 3, 0].tolist() == [20, 21, 22]
    with pytest.raises(InputError, match="'promotion' ends 1 steps after the last value"):
        lay_out({"a": frame(values, promotion=promotion).iloc[:21]}, 4, 3, 1, ["promotion"])
    promotion[7] = np.nan
    with pytest.raises(InputError, match="'promotion' is missing at 2024-01-08"):
        lay_out({"a": frame(values, promotion=promotion)}, 4, 3, 1, ["promotion"])


def test_stream_gathers_inputs_and_weights_and_marks_what_is_missing():
    values = np.arange(30.0)
    values[12] = np.nan
    panel = lay_out({"a": frame(values), "b": frame(values[:25])}, 4, 3, 1)
    origins = np.array([panel.start[0] + 12, panel.start[1] + 5])
    ((inputs, targets),) = stream(panel, origins, 8, np.array([2.0, 5.0]))
    assert inputs["past"].shape == (2, 4, 1) and inputs["known"].shape == (2, 7, 0)
    assert inputs["past"][0, :, 0].numpy().tolist() == [8, 9, 10, 11]
    assert inputs["series"].numpy().tolist() == [[1], [2]]
    assert targets[0].numpy().tolist() == [[1, 0], [13, 2], [14, 2]]  # a missing one weighs nothing
    assert targets[1, :, 1].numpy().tolist() == [5, 5, 5]


def test_an_endless_stream_takes_every_window_once_per_pass():
    panel = two()
    origins = split(panel).train
    batches = stream(panel, origins, len(origins), np.ones(2), seed=1)
    first, second = (set(targets[:, 0, 0].numpy()) for _, targets in batches.take(2))
    assert first == second == set(panel.targets(origins)[:, 0])


@pytest.mark.parametrize(("values", "whole"), [([1, 2, np.nan, 3], True), ([1, 2.5, 3, 4], False)])
def test_whole_numbers(values, whole):
    panel = lay_out({"a": frame(values * 5)}, 4, 2, 1)
    assert panel.whole() is whole
    linear = backtest.Linear(panel, split(panel))
    forecast = backtest.baselines(panel, panel.end, linear, None, whole)["linear"]
    assert np.array_equal(forecast, np.rint(forecast)) is whole


def test_each_row_has_the_calendar_of_its_time():
    frames = {"a": frame(np.arange(40)), "b": frame(np.arange(30), "2024-01-06")}
    panel = lay_out(frames, 4, 3, 7, calendar=["weekday"])
    rows = np.array([panel.start, panel.end - 1, panel.end + 2])
    monday, saturday = (0, 39 % 7, 42 % 7), (5, (5 + 29) % 7, (5 + 32) % 7)
    known = panel.known_at(rows)
    assert known.shape == (3, 2, 7) and (known.sum(axis=-1) == 1).all()
    assert known.argmax(axis=-1).T.tolist() == [list(monday), list(saturday)]
    assert not panel.known_at(panel.start - 1).any()  # a margin
    inputs, _ = next(iter(stream(panel, panel.start + 4, 2, np.ones(2))))
    np.testing.assert_array_equal(inputs["known"][1, 0], known[0, 1])


def test_calendar():
    hours = pd.date_range("2024-01-01 06:00", periods=24 * 20, freq="h")
    assert calendar_names(hours) == ["hour", "weekday"]
    assert calendar_names(pd.date_range("2020-01-01", periods=30, freq="MS")) == ["year"]
    assert calendar_names(pd.RangeIndex(50)) == []
    columns = calendar_columns(hours, ["hour", "weekday"])
    assert columns.shape == (480, 4 + 7)
    assert columns[0, :4].round(6).tolist() == [1, 0, 0, -1]  # 6 o'clock: a quarter, a half turn
    assert columns[0, 4:].tolist() == [1, 0, 0, 0, 0, 0, 0]  # a Monday


def test_baselines_repeat_the_last_value_and_the_last_season():
    values = np.tile([1.0, 2.0, 3.0], 10)
    values[-1] = np.nan
    panel = lay_out({"a": frame(values[:-1])}, 6, 5, 3)
    at = panel.end
    assert backtest.last_value(panel, at).tolist() == [[2] * 5]
    assert backtest.seasonal_naive(panel, at).tolist() == [[3, 1, 2, 3, 1]]
    gap = values[:-1].copy()
    gap[-2] = np.nan  # the season before knows it
    panel = lay_out({"a": frame(gap)}, 6, 5, 3)
    assert backtest.seasonal_naive(panel, panel.end).tolist() == [[3, 1, 2, 3, 1]]


def test_of_rare_demands_the_median_is_forecast():
    parts = synthetic.spare_parts(0).to_frame()
    panel = lay_out({"all": parts}, 28, 7, 7)
    origins = split(panel)
    forecasts = backtest.Linear(panel, origins).predict(panel, origins.test)
    np.testing.assert_allclose(forecasts, 0, atol=1e-9)


def test_linear_heads_know_a_line_and_what_is_known():
    rng = np.random.default_rng(0)
    promotion = rng.integers(0, 2, 303).astype(float)
    values = 50 + 10 * np.sin(2 * np.pi * np.arange(303) / 7) + 5 * promotion
    values[300:] = np.nan
    panel = lay_out({"a": frame(values, promotion=promotion)}, 14, 3, 7, ["promotion"])
    parts = split(panel)
    linear = backtest.Linear(panel, parts)
    error = np.abs(linear.predict(panel, parts.test) - panel.targets(parts.test))
    assert error.max() < 0.5  # without promotion: about 2.5


def test_scores_by_hand():
    panel = lay_out({"a": frame(np.r_[np.arange(20.0), 25.0])}, 4, 2, 1, held_back=(2, 2))
    origins = panel.end - 2  # 19, 25
    found = backtest.scores(panel, origins, {"flat": np.array([[18.0, 18.0]])})["flat"]
    assert found["by_step"] == [1, 7] and found["mae"] == 4
    assert found["mase"] == 4  # the train part rises by 1 a day
    assert found["rmse"] == pytest.approx(5)
    assert found["smape"] == pytest.approx((200 / 37 + 200 * 7 / 43) / 2)


def conformal(panel, parts, half):
    """Return what widens an interval from -half to half, and by how much in the test part."""
    both = np.concatenate([parts.val, parts.test])
    bounds = np.zeros((len(both), panel.horizon, 3)) + np.array([-half, 0, half])
    sizes = np.ones(len(panel.names))
    found = intervals.Conformal(
        panel, both, bounds, (0.05, 0.5, 0.95), len(parts.val), sizes, log=False
    )
    return found, found.rolling(len(parts.val))


@pytest.mark.parametrize("louder", [1, 2])
def test_intervals_hold_also_when_the_noise_grows(louder):
    rng = np.random.default_rng(0)
    size = np.where(np.arange(20_000) < 17_000, 1, louder)  # the test part begins there
    panel = lay_out({"a": frame(rng.normal(0, size))}, 4, 10, 1)
    parts = split(panel)
    found, wider = conformal(panel, parts, 0.3)
    bounds = np.zeros((len(parts.test), 10, 3)) + np.array([-0.3, 0, 0.3])
    bounds = intervals.corrected(
        bounds, (0.05, 0.5, 0.95), wider, np.ones(len(parts.test)), False, -np.inf
    )
    late = parts.test >= parts.test[-1000]
    held = intervals.interval_scores(
        panel, parts.test[late], bounds[late, :, 0], bounds[late, :, 2], 0.9
    )
    assert all(0.86 < share < 0.94 for share in held["coverage"]["by_step"])
    np.testing.assert_allclose(found.at(0)["0.9"], louder * 1.645 - 0.3, rtol=0.1)


def test_an_interval_knows_no_error_whose_steps_are_still_to_come():
    values = np.zeros(200)
    values[180] = 100.0  # in the test part, from 170 on
    panel = lay_out({"a": frame(values)}, 4, 10, 1)
    parts = split(panel)
    found, wider = conformal(panel, parts, 1.0)
    time = parts.test - panel.start[0]
    assert wider["0.9"][time <= 180].max() == -1
    assert found.at(-20)["0.9"].max() == -1 and found.at(0)["0.9"].max() == 99


def test_few_windows_apart_widen_the_interval():
    panel = lay_out({"a": frame(np.arange(1000.0) % 100)}, 4, 10, 1)
    origins = np.arange(panel.start[0] + 500, panel.start[0] + 600)  # ten blocks of ten
    bounds = np.zeros((100, 10, 3))
    found = intervals.Conformal(
        panel, origins, bounds, (0.05, 0.5, 0.95), 100, np.ones(1), log=False
    )
    assert found.at(0)["0.9"].tolist() == [98] * 10  # the 99 % quantile: 0.9 * 11 / 10
    found = intervals.Conformal(
        panel, origins[:20], bounds[:20], (0.05, 0.5, 0.95), 20, np.ones(1), log=False
    )
    assert found.at(0)["0.9"][0] == 26  # of two blocks: the largest of the neighbouring steps


@pytest.mark.parametrize("log", [False, True])
def test_bounds_stay_in_order_and_above_what_the_series_never_is_below(log):
    bounds = np.array([[[3.0, 2.0, 1.0]] * 3] * 2)
    kept = intervals.corrected(
        bounds, (0.05, 0.5, 0.95), {"0.9": [9.0, 9.0, -9.0]}, np.ones(2), log, 0.0
    )
    assert (np.diff(kept, axis=-1) >= 0).all() and kept.min() >= 0
    assert kept[0, 0, 2] == pytest.approx(np.exp(9) if log else 10)


def test_interval_score_by_hand():
    panel = lay_out({"a": frame(np.r_[np.arange(20.0), 25.0])}, 4, 2, 1, held_back=(2, 2))
    lower, upper = np.array([[18.0, 18.0]]), np.array([[20.0, 20.0]])
    found = intervals.interval_scores(panel, panel.end - 2, lower, upper, 0.9)
    assert found["coverage"] == {"all": 0.5, "by_step": [1, 0]}
    assert found["interval_score"]["by_step"] == [2, pytest.approx(2 + 2 / 0.1 * 5)]


def test_symmetric_quantiles():
    assert intervals.symmetric((0.05, 0.5, 0.95)) == {"0.9": (0, 2)}
    assert intervals.symmetric((0.025, 0.05, 0.5, 0.95, 0.975)) == {"0.95": (0, 4), "0.9": (1, 3)}
    assert intervals.symmetric((0.5, 0.9)) == {}


def test_significance_finds_no_difference_where_there_is_none():
    rejected = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        panel = lay_out({"a": frame(rng.normal(0, 1, 400))}, 4, 5, 1)
        origins = split(panel).test
        noise = rng.normal(0, 0.3, (2, len(origins), 5))
        rejected += backtest.significance(panel, origins, noise[0], noise[1]) < 0.05
    assert rejected <= 24  # 12 %


# ------------------------------------------------------------------ data sets


@pytest.fixture
def origin(tmp_path, monkeypatch):
    """A local origin of two series of M4's kind, and a home for what is downloaded."""
    (tmp_path / "web").mkdir()
    text = {
        "Hourly-train.csv": "V1,V2,V3\nH1," + ",".join(map(str, range(1, 301))) + "\n"
        "H2," + ",".join(map(str, range(11, 261))) + "," * 50 + "\n",
        "Hourly-test.csv": "V1,V2\nH1," + ",".join(map(str, range(301, 349))) + "\n"
        "H2," + ",".join(map(str, range(261, 309))) + "\n",
    }
    text["Hourly-train.csv"] = text["Hourly-train.csv"].replace(
        "V1,V2,V3", ",".join(f"V{i}" for i in range(301))
    )
    text["Hourly-test.csv"] = text["Hourly-test.csv"].replace(
        "V1,V2", ",".join(f"V{i}" for i in range(49))
    )
    files = {}
    for name, content in text.items():
        (tmp_path / "web" / name).write_text(content)
        digest = hashlib.sha256(content.encode()).hexdigest()
        files[(tmp_path / "web" / name).as_uri()] = digest
    monkeypatch.setitem(datasets.FILES, "m4_hourly", files)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path


def test_a_data_set_is_downloaded_once(origin):
    frames, held_back, horizon, season = datasets.load("m4_hourly")
    assert list(frames) == ["H1", "H2"] and (horizon, season) == (48, 24)
    assert held_back[1] == 48
    assert frames["H1"]["value"].tolist() == list(range(1, 349))
    assert frames["H2"]["value"].tolist() == list(range(11, 309))  # no gap between the parts
    home = origin / "home" / "forecast" / "m4_hourly"
    assert {path.name for path in home.iterdir()} == {"Hourly-train.csv", "Hourly-test.csv"}
    for path in (origin / "web").iterdir():
        path.unlink()
    assert list(datasets.load("m4_hourly").frames) == ["H1", "H2"]


def test_a_wrong_file_and_no_network_are_refused(origin):
    (address, _), *rest = datasets.FILES["m4_hourly"].items()
    datasets.FILES["m4_hourly"] = {address: "0" * 64, **dict(rest)}
    with pytest.raises(InputError, match=r"m4_hourly: can't download .*Hourly-train.csv"):
        datasets.load("m4_hourly")
    assert not list((origin / "home").rglob("*.csv"))
    datasets.FILES["m4_hourly"] = {"file:///nowhere/Hourly-train.csv": "0" * 64}
    with pytest.raises(InputError, match="can't download"):
        datasets.load("m4_hourly")
    with pytest.raises(InputError, match="horizon of 48"):
        datasets.load("m4_hourly", 24)


def test_published_measures_by_hand():
    actual, forecast = np.array([[100.0, 100.0]]), np.array([[100.0, 50.0]])
    found = datasets.published_measures("m4_hourly", actual, forecast, np.array([10.0]))
    assert found["smape"] == pytest.approx(200 * 50 / 150 / 2)
    assert found["mase"] == 2.5
    assert found["owa"] == pytest.approx((found["smape"] / 18.383 + 2.5 / 2.395) / 2)
    assert datasets.published_measures("etth1", actual, forecast, None) == {"mse": 1250, "mae": 25}
