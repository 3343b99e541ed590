"""What a forecast leaves behind, and how a saved model reads new data."""

import argparse
import re

from utils import InputError, plotting
from utils.series import baselines, outputs
from utils.series.backtest import backtest
from utils.series.panel import Panel

import numpy as np
import pandas as pd
import pytest
from frames import days, rows

HALF = np.array([[2.0, 2.0, 2.0]])  # corrections; the mean change is 1


def test_forecast_csv_of_one_series():
    panel = Panel({"": days(np.arange(60) % 2)}, 4, 3)
    table = outputs.ahead(panel, baselines.persistence, [0.9, 0.5], np.vstack([HALF, HALF / 4]))
    assert table.index.name == "time" and str(table.index[0].date()) == "2024-03-01"
    assert table.columns.tolist() == ["forecast", "lower", "lower_0.5", "upper_0.5", "upper"]
    assert table.iloc[0].tolist() == [1, 0, 0.5, 1.5, 3]  # none was below 0


def test_forecast_csv_of_many_series_and_quantiles():
    panel = Panel({"a": rows(np.arange(60) % 2 - 9), "b": rows(np.arange(80) % 2)}, 4, 3)

    def forecaster(panel, origins):
        point = baselines.persistence(panel, origins)
        return np.stack([point, point - 0.25, point, point + 0.25], axis=-1)

    names = ["q0.1", "q0.5", None]
    table = outputs.ahead(panel, forecaster, [0.8], HALF / 2, names=names)
    assert table.index.tolist() == ["a"] * 3 + ["b"] * 3
    assert table.columns.tolist() == ["time", "forecast", "q0.1", "q0.5"]
    assert table.loc["a", "time"].tolist() == [60, 61, 62]
    assert table.loc["a"].iloc[0, 1:].tolist() == [-8, -9.25, -8]


def test_counts_have_whole_medians_and_bounds():
    panel = Panel({"": rows(np.arange(60) % 5)}, 4, 2)

    def forecaster(panel, origins):
        return np.array([[[0.4, 0.2, 0.4, 1.7], [1.6, 0.6, 1.4, 3.2]]])

    names = ["lower", "q0.5", "upper"]
    table = outputs.ahead(panel, forecaster, [0.9], np.zeros((1, 2)), names=names, whole=True)
    assert table.to_numpy().tolist() == [[0, 0, 0, 1], [2, 1, 1, 3]]


def test_a_run_writes_all_its_files_and_none_of_another_run_stays(tmp_path):
    for name in ("history.csv", "series.csv", "mine.csv"):
        (tmp_path / name).write_text("old")
    forecast = pd.DataFrame({"forecast": [1.0, 2.0]}, pd.Index([5, 6], name="time"))
    said = outputs.write(
        tmp_path, forecast, plotting.new_figure("A", (2, 2))[0], False,
        tables={"series.csv": forecast}, scores={"a": 1},
    )  # fmt: skip
    assert "The next 2:" in said and str(tmp_path) in said
    names = {"forecast.csv", "series.csv", "scores.json", "figure.png", "mine.csv"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert (tmp_path / "series.csv").read_text() == "time,forecast\n5,1.0\n6,2.0\n"
    outputs.write(tmp_path, forecast, plotting.new_figure("A", (2, 2))[0], False)
    assert {path.name for path in tmp_path.iterdir()} == {"forecast.csv", "figure.png", "mine.csv"}


@pytest.fixture(scope="module")
def facts():
    """Facts of a model of days with a number and a column of words, rain and sun."""
    rain = np.arange(200) % 3 == 0
    frame = days(np.arange(200) % 7, wind=np.arange(200) % 5, **{"w=rain": rain, "w=sun": ~rain})
    panel = Panel({"": frame}, 14, 3)
    found = backtest(
        {"persistence": baselines.persistence, "GRU": baselines.persistence}, panel, "GRU"
    )
    args = argparse.Namespace(features=["wind", "w"])
    return outputs.facts_of("GRU.py", args, found)


def test_columns_are_matched_by_name(facts):
    frame = days(np.arange(50), **{"w=snow": 1.0, "w=sun": 0.5, "wind": np.arange(50)})
    panel = outputs.panel_of({"": frame}, 5, facts, "m.keras")
    assert panel.columns == ["y", "wind", "w=rain", "w=sun"] and panel.horizon == 5
    assert panel.values[panel.start[0]].tolist() == [0, 0, 0, 0.5]
    assert panel.calendar_names == facts["calendar"] and panel.lowest == 0


WORDS = {"w=rain": 1.0}
BAD = {
    "another step": (
        days(np.arange(150), wind=1, **WORDS).resample("7D").first(),
        "learned a step",
    ),
    "too short": (days(np.arange(14), wind=1, **WORDS), "14 steps, so it needs at least 15 rows"),
    "another zone": (days(np.arange(50), wind=1, **WORDS).tz_localize("UTC"), "is of UTC; bring"),
    "no feature": (days(np.arange(50), **WORDS), "learned column 'wind' as numbers"),
    "numbers for words": (days(np.arange(50), wind=1, w=3), "learned column 'w' as words"),
}


@pytest.mark.parametrize(("frame", "said"), BAD.values(), ids=BAD)
def test_what_does_not_fit_the_model_is_refused(facts, frame, said):
    with pytest.raises(InputError, match=f"--load m.keras: .*{re.escape(said)}"):
        outputs.panel_of({"": frame}, 5, facts, "m.keras")
