from utils.series.report import (
    LEGEND,
    OPTIMAL,
    report,
    table,
    table_by_steps,
    verdict,
    verdict_by_steps,
    verdict_on_interval,
)

import pytest


def results(ours, p_value):
    by_name = {"GRU": {"mae": ours}, "linear": {"mae": 2.0}, "seasonal_naive": {"mae": 3.0}}
    return {"test": by_name, "best_baseline": "linear", "p_value": p_value}


@pytest.mark.parametrize(
    ("ours", "p_value", "windows", "words"),
    [
        (1.5, 0.0001, 999, "GRU beats the best baseline, linear: its mean absolute error is 1.5 "),
        (1.5, 0.0001, 999, "against 2, 25.0% less (p < 0.001)."),
        (2.2, 0.012, 999, "GRU loses to the best baseline, linear"),
        (2.2, 0.012, 999, "2.2 against 2, 10.0% more (p = 0.012)."),
        (1.99, 0.31, 999, "can't be told apart"),
        (1.99, 0.31, 999, "0.5% less, which chance could make (p = 0.31)."),
        (2.94, 0.31, 18, "47.0% more, and 18 windows are too few to tell (p = 0.31)."),
    ],
)
def test_verdict(ours, p_value, windows, words):
    assert words in verdict("GRU", results(ours, p_value), windows)


def by_steps(ours, theirs, coverage=(0.9, 0.9, 0.9)):
    return {
        step: {
            "GRU": {"mae": a},
            "persistence": {"mae": 10.0},
            "seasonal_naive": {"mae": b},
            "optimal": {"mae": 0.1},
            "coverage": c,
            "width": 7.123456,
        }
        for step, a, b, c in zip(("1", "6", "24"), ours, theirs, coverage, strict=True)
    }


@pytest.mark.parametrize(
    ("ours", "words"),
    [
        ((1.0, 2.0, 3.0), "Fed back, GRU is no worse than any baseline up to step 24."),
        ((1.0, 5.0, 3.0), "up to step 1; at 6 it has 5, seasonal naive 4. Beyond"),
        ((1.0, 2.0, 5.0), "up to step 6; at 24 it has 5, seasonal naive 4. Beyond"),
        ((5.0, 2.0, 3.0), "behind from the first step; at 1 it has 5, seasonal naive 4"),
    ],
)
def test_verdict_by_steps(ours, words):
    found = verdict_by_steps("GRU", by_steps(ours, (4.0, 4.0, 4.0)))
    assert words in found
    assert ("forecast.py" in found) == (max(ours) > 4)


@pytest.mark.parametrize(
    ("coverage", "words", "not_said"),
    [
        ((0.90, 0.88, 0.93), "held 88% to 93% of the test part, by step.", "narrow"),
        ((0.90, 0.50, 0.93), "At 6 steps it is too narrow", "wider"),
        ((0.90, 0.99, 0.93), "it is wider than it need be", "narrow"),
    ],
)
def test_verdict_on_the_interval(coverage, words, not_said):
    found = verdict_on_interval(by_steps((1, 1, 1), (1, 1, 1), coverage))
    assert words in found and not_said not in found


def test_table_shows_a_dash_for_what_does_not_apply():
    line = {"mae": 1.23456, "rmse": 2.0, "mase": None, "skill": 0.5, "ratio_to_optimal": None}
    found = table({"GRU": line | {"mase": 0.5}, "seasonal_naive": line}).splitlines()
    assert found[0].split() == ["MAE", "RMSE", "MASE", "skill"]
    assert found[2].split() == ["seasonal", "naive", "1.235", "2", "-", "+50.0%"]


def test_table_by_steps():
    found = table_by_steps(by_steps((1, 2, 3), (4, 5, 1234.5678), (0.9, 0.856, 1))).splitlines()
    titles = ["GRU", "persistence", "seasonal", "naive", "optimal", "90", "%", "held", "width"]
    assert found[0].split() == titles
    assert found[-1].split() == ["24", "3", "10", "1235", "0.1", "100%", "7.123"]
    assert found[-2].split()[-2:] == ["86%", "7.123"]


def test_the_report_says_all_of_it():
    line = {"mae": 1.0, "rmse": 2.0, "mase": 0.5, "skill": 0.5, "ratio_to_optimal": None}
    found = {
        "test": {"GRU": line, "linear": line | {"mae": 2.0}, "optimal": None},
        "best_baseline": "linear",
        "p_value": 0.01,
        "by_steps": by_steps((1, 2, 3), (4, 5, 6)),
    }
    text = report("GRU", found, windows=100)
    for part in (
        table({"GRU": line, "linear": line | {"mae": 2.0}}),
        verdict("GRU", found, 100),
        table_by_steps(found["by_steps"]),
        verdict_by_steps("GRU", found["by_steps"]),
        verdict_on_interval(found["by_steps"]),
        LEGEND,
    ):
        assert part in text
    assert OPTIMAL not in text
    found["test"]["optimal"] = line | {"ratio_to_optimal": 1.0}
    assert OPTIMAL in report("GRU", found, windows=100)
