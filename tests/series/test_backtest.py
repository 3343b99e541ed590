"""Every rival from the same origins; the table, and what it says in words."""

from types import SimpleNamespace

from utils.series import baselines, many
from utils.series.backtest import Backtest, shown_steps, verdict, verdict_by_step
from utils.series.panel import Panel

import numpy as np
import pandas as pd
import pytest
from frames import days

RNG = np.random.default_rng(0)


def oracle(panel, origins):
    """Know what comes, but for half a unit."""
    rows = np.minimum(origins[:, None] + np.arange(panel.horizon), len(panel.values) - 1)
    return np.nan_to_num(panel.values[rows, 0]) + 0.5


def with_quantiles(panel, origins):
    forecast = oracle(panel, origins)
    return np.stack([forecast, forecast - 3, forecast, forecast + 3], axis=-1)


@pytest.fixture(scope="module")
def panel():
    values = 50 + 10 * np.sin(np.arange(503) * 2 * np.pi / 7) + RNG.normal(0, 1, 503)
    values[480] = values[500:] = np.nan
    return Panel({"a": days(values), "b": days(3 + values[50:500], "2024-03-01")}, 14, 5)


@pytest.fixture(scope="module")
def found(panel):
    return Backtest(baselines.simple(panel) | {"GRU": oracle}, panel, "GRU")


def test_scores_and_table_are_of_the_same_forecasts(panel, found):
    assert found.scores["best_baseline"] == "seasonal_naive" and found.scores["p_value"] < 0.05
    table = found.table().reset_index()
    for name in ("GRU", "persistence", "seasonal_naive"):
        error, line = (table[name] - table["actual"]).abs(), found.scores["test"][name]
        assert error.mean() == pytest.approx(line["mae"])
        assert error.groupby(table["step"]).mean().tolist() == pytest.approx(line["by_step"]["mae"])
    held = table["actual"].between(table["lower"], table["upper"])
    assert held.mean() == pytest.approx(found.scores["coverage"]["0.9"]["all"])
    width = (table["upper"] - table["lower"]).groupby(table["step"]).mean()
    assert width.tolist() == pytest.approx(found.scores["width"]["0.9"]["by_step"])
    assert found.scores["val"]["GRU"]["mae"] == pytest.approx(0.5)


def test_each_row_of_the_table_is_where_it_says(panel, found):
    table = found.table().reset_index()
    assert ((table["time"] - table["origin"]).dt.days == table["step"]).all()
    for number, name in enumerate(panel.names):
        of_series = table[table["series"] == name]
        actual = panel.series(number)
        np.testing.assert_array_equal(of_series["actual"], actual[of_series["time"]])
        np.testing.assert_array_equal(of_series["persistence"], actual.ffill()[of_series["origin"]])
        border = actual.index[panel.borders[number, 1] - panel.start[number]]
        assert of_series["time"].min() == border and of_series["time"].max() == actual.index[-1]
        tested = actual[border:].dropna().index
        assert set(of_series.loc[of_series["step"] == 1, "time"]) == set(tested)  # every row


def test_one_step_ahead_of_one_series(panel):
    single = Panel({"": panel.series().to_frame()}, 14, 5)
    ahead = Backtest(
        {"persistence": baselines.persistence, "GRU": oracle}, single, "GRU"
    ).one_step()
    np.testing.assert_allclose((ahead["GRU"] - ahead["actual"]).dropna(), 0.5)
    np.testing.assert_array_equal(ahead["persistence"], panel.series().ffill().shift()[ahead.index])


def test_what_is_written_may_be_another_row_with_quantiles_of_its_own(panel):
    rivals = {"persistence": baselines.persistence, "GRU": many.window_mean}
    rivals |= {"blend": with_quantiles, "optimal": oracle}
    single = Panel({"": panel.series().to_frame()}, 14, 5)
    found = Backtest(rivals, single, "GRU", written="blend", levels=[0.9])
    assert found.scores["best_baseline"] == "persistence"
    # always half a unit too high, 2.5 above the lower bound: by so much the interval shrinks, but
    # for what n windows can't say of step h
    weight = (n := len(single.origins("val"))) / (n + np.arange(1, 6))
    assert found.scores["width"]["0.9"]["by_step"] == pytest.approx(list(6 - 2 * 2.5 * weight))
    assert "blend beats the best baseline, persistence: its MASE is" in str(found)
    assert "that of the best possible" in str(found) and "at 1  at 2  at 3  at 5" in str(found)


def test_the_steps_that_are_shown():
    assert shown_steps(1) == [1]
    assert shown_steps(60) == [1, 2, 3, 6, 12, 24, 48, 60]


@pytest.mark.parametrize(
    ("ours", "p_value", "said"),
    [
        (0.5, 0.0001, "GRU beats the best baseline, seasonal naive: its MASE is 0.5 against 1, "
         "50.0% less (p < 0.001)."),
        (1.2, 0.012, "GRU loses to the best baseline, seasonal naive: its MASE is 1.2 against 1, "
         "20.0% more (p = 0.012)."),
        (0.98, 0.3, "can't be told apart from the best baseline, seasonal naive: its MASE is 0.98 "
         "against 1, 2.0% less, maybe by chance (p = 0.300)."),
        (1.0, 1.0, "GRU is as good as the best baseline, seasonal naive: its MASE is 1 against 1."),
    ],
)  # fmt: skip
def test_verdict(ours, p_value, said):
    test = {"GRU": {"mase": ours}, "seasonal_naive": {"mase": 1.0}}
    scores = {"test": test, "best_baseline": "seasonal_naive", "p_value": p_value}
    about = SimpleNamespace(scores=scores, written="GRU", steps=5)
    assert said in verdict(about)


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        ([1.0, 2.0, 3.0], "Fed back, GRU is no worse than any baseline at all steps shown."),
        ([1.0, 3.0, 2.0], "Fed back, GRU falls behind at step 2: it has 3, linear 2. Where it"),
        ([1.5, 2.0, 3.0], "falls behind at step 1: it has 1.5, seasonal naive 1."),
    ],
)
def test_verdict_by_step(ours, said):
    mae = {"GRU": ours, "linear": [2, 2, 4], "seasonal_naive": [1, 3, 3], "optimal": [0, 0, 0]}
    assert said in verdict_by_step("GRU", pd.DataFrame(mae, [1, 2, 3], dtype=float))
