from utils.series.evaluation import (
    LinearAutoregression,
    baselines,
    best_baseline,
    diebold_mariano,
    evaluate,
    persistence,
    report,
    scores,
    seasonal_naive,
    table,
    verdict,
)
from utils.series.forecasting import Forecaster, Spread
from utils.series.windows import cut, split_by_time

import keras
import numpy as np
import pandas as pd
import pytest
from scipy import stats


def test_naive_baselines():
    values, rows = np.arange(0, 100, 10), np.array([7, 8, 9])
    assert persistence(values, rows).tolist() == [60, 70, 80]
    assert seasonal_naive(values, rows, 3).tolist() == [40, 50, 60]


@pytest.fixture
def walk():
    """Two series and a calendar column."""
    return np.random.default_rng(0).normal(5, 3, (300, 3)).cumsum(axis=0)


@pytest.mark.parametrize("chunk", [20_000, 17])
def test_linear_autoregression_is_least_squares(walk, chunk, monkeypatch):
    monkeypatch.setattr(LinearAutoregression, "CHUNK", chunk)
    fit, predict = np.arange(4, 200), np.arange(200, 300)

    def inputs(rows):
        past = cut(walk[:, :2], rows, 4).reshape(len(rows), -1)
        return np.column_stack([past, walk[rows, 2], np.ones(len(rows))])

    weights = np.linalg.lstsq(inputs(fit), walk[fit, 0], rcond=None)[0]
    found = LinearAutoregression(4, targets=2).fit(walk, fit).predict(walk, predict)
    np.testing.assert_allclose(found, inputs(predict) @ weights, rtol=1e-5)


def test_linear_autoregression_with_columns_that_say_the_same():
    values = np.random.default_rng(0).normal(size=(200, 1)).repeat(2, axis=1)
    rows = np.arange(3, 200)
    found = LinearAutoregression(3, targets=2).fit(values, rows).predict(values, rows)
    alone = LinearAutoregression(3, targets=1).fit(values[:, :1], rows)
    np.testing.assert_allclose(found, alone.predict(values[:, :1], rows), atol=1e-5)


def test_seasonal_naive_only_where_a_season_is_known_and_past(walk):
    parts = split_by_time(300, 4)
    assert list(baselines(walk, parts, 4, 3, season=None)) == ["persistence", "linear"]
    assert "seasonal_naive" in baselines(walk, parts, 4, 3, season=255)
    assert "seasonal_naive" not in baselines(walk, parts, 4, 3, season=256)


def test_scores_by_hand():
    actual = np.array([1.0, 2.0, 4.0])
    forecasts = {
        "net": np.array([1.0, 2.0, 1.0]),
        "persistence": np.array([0.0, 1.0, 2.0]),
        "optimal": np.array([1.0, 2.0, 3.0]),
    }
    found = scores(actual, forecasts, train_values=np.array([0.0, 2.0, 0.0]))
    assert found["net"] == pytest.approx(
        {
            "mae": 1.0,
            "rmse": np.sqrt(3),
            "mase": 0.5,
            "skill": 0.25,  # 1 - 1 / (4/3)
            "ratio_to_optimal": 3.0,
        }
    )
    assert found["persistence"]["skill"] == 0
    del forecasts["optimal"]
    assert scores(actual, forecasts, np.array([1.0, 1.0]))["net"]["ratio_to_optimal"] is None
    assert scores(actual, forecasts, np.array([1.0, 1.0]))["net"]["mase"] is None


def test_best_baseline_is_the_one_of_the_lowest_mae():
    by_name = {"GRU": {"mae": 1}, "persistence": {"mae": 3}, "linear": {"mae": 2}}
    assert best_baseline({**by_name, "optimal": {"mae": 0}}) == "linear"


def test_diebold_mariano_one_step_is_a_t_test():
    rng = np.random.default_rng(0)
    actual, a, b = rng.normal(size=(3, 40))
    expected = stats.ttest_1samp(np.abs(actual - a) - np.abs(actual - b), 0).pvalue
    assert diebold_mariano(actual, a, b) == pytest.approx(expected)


def test_diebold_mariano_three_steps_by_hand():
    a, b = np.array([3.0, 4, 3, 1, 0, 5]), np.array([1.0, 2, 2, 2, 2, 1])
    # differences 2, 2, 1, -1, -2, 4 with mean 1; autocovariances 24/6, -2/6, -8/6
    variance = (24 - 2 * 2 - 2 * 8) / 6 / 6
    statistic = 1 / np.sqrt(variance) * np.sqrt((6 + 1 - 2 * 3 + 3 * 2 / 6) / 6)
    expected = 2 * (1 - stats.t.cdf(statistic, df=5))
    assert diebold_mariano(np.zeros(6), a, b, horizon=3) == pytest.approx(expected)


def test_diebold_mariano_is_wrong_as_often_as_it_says():
    rng = np.random.default_rng(0)
    p_values = [diebold_mariano(np.zeros(30), *rng.normal(size=(2, 30))) for _ in range(2000)]
    assert 0.035 < np.mean(np.array(p_values) < 0.05) < 0.065


def test_same_forecasts_are_no_different():
    assert diebold_mariano(np.arange(5.0), np.ones(5), np.ones(5)) == 1.0


def results(ours, p_value):
    by_name = {"GRU": {"mae": ours}, "linear": {"mae": 2.0}, "seasonal_naive": {"mae": 3.0}}
    return {"test": by_name, "best_baseline": "linear", "p_value": p_value}


@pytest.mark.parametrize(
    ("ours", "p_value", "words"),
    [
        (
            1.5,
            0.0001,
            "GRU beats the best baseline, linear: its mean absolute error is 1.5 against",
        ),
        (1.5, 0.0001, "against 2, 25.0% smaller (p < 0.001)."),
        (2.2, 0.012, "GRU loses to the best baseline, linear"),
        (2.2, 0.012, "2.2 against 2, 10.0% larger (p = 0.012)."),
        (1.5, 0.31, "can't be told apart"),
    ],
)
def test_verdict(ours, p_value, words):
    assert words in verdict("GRU", results(ours, p_value))


def test_table_shows_a_dash_for_what_does_not_apply():
    line = {"mae": 1.23456, "rmse": 2.0, "mase": None, "skill": 0.5, "ratio_to_optimal": None}
    found = table({"seasonal_naive": line}).splitlines()
    assert found[0].split() == ["MAE", "RMSE", "MASE", "skill", "x", "optimal"]
    assert found[1].split() == ["seasonal", "naive", "1.235", "2", "-", "+50.0%", "-"]


def test_evaluate_a_network_that_repeats_the_last_value():
    rng = np.random.default_rng(0)
    index = pd.date_range("2001-01-01", periods=2000, freq="h")
    frame = pd.DataFrame({"y": rng.normal(size=2000).cumsum(), "z": rng.normal(size=2000)}, index)
    inputs = keras.Input((5, 4))
    network = keras.Model(inputs, inputs[:, -1, :2])
    parts = split_by_time(2000, 5)
    values = np.column_stack([frame, np.zeros((2000, 2))])
    spread = Spread.measured(network, values, parts.val)
    forecaster = Forecaster(network, ["y", "z"], ["hour_sin", "hour_cos"], "1 hour", spread)

    def optimal(windows):
        assert windows.shape == (300, 5)
        return windows[:, -1]

    test, found = evaluate("net", forecaster, frame, parts, season=24, optimal=optimal)
    assert list(test) == [
        *(
            "actual",
            "predicted",
            "persistence",
            "seasonal_naive",
            "linear",
            "optimal",
            "lower",
            "upper",
        )
    ]
    assert test.index.equals(index[1700:])
    np.testing.assert_allclose(test["predicted"], test["persistence"], rtol=1e-6)
    assert test["persistence"].tolist() == frame["y"].iloc[1699:-1].tolist()
    assert found["test"]["net"]["skill"] == pytest.approx(0, abs=1e-6)
    assert found["test"]["net"]["ratio_to_optimal"] == pytest.approx(1, abs=1e-6)
    inside = (test["lower"] <= test["actual"]) & (test["actual"] <= test["upper"])
    assert found["coverage"]["0.9"] == inside.mean()
    assert 0.86 < inside.mean() < 0.94
    assert found["best_baseline"] in ("persistence", "linear")
    lines = report("net", found).splitlines()
    assert len(lines) == 9 and lines[-1].startswith("The 90 % interval held ")


def test_the_linear_baseline_never_sees_the_test_part(walk):
    parts = split_by_time(300, 4)
    other = walk.copy()
    other[parts.test[1] :] += 1e6
    first = baselines(walk, parts, 4, 3, None)["linear"][:2]
    assert baselines(other, parts, 4, 3, None)["linear"][:2].tolist() == pytest.approx(first)
