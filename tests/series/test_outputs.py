"""What a forecast leaves behind, and how a saved model reads new data."""

import argparse
import re

from utils import InputError
from utils.series import baselines, outputs
from utils.series.backtest import Backtest
from utils.series.panel import Panel

import numpy as np
import pytest
from frames import days, rows


def ahead(panel, forecaster, levels, corrections):
    facts = {"levels": levels, "corrections": corrections, "log": False}
    return outputs.ahead(panel, forecaster, facts)


def test_forecast_csv_of_one_series():
    panel = Panel({"": days(np.arange(60) % 2)}, 4, 3)  # the mean change is 1
    table = ahead(panel, baselines.persistence, [0.9, 0.5], [[2.0, 2.0], [0.5, 0.5]])
    assert table.index.name == "time" and str(table.index[0].date()) == "2024-03-01"
    assert table.columns.tolist() == ["forecast", "lower", "lower_0.5", "upper_0.5", "upper"]
    assert table.iloc[0].tolist() == [1, 0, 0.5, 1.5, 3]  # none was below 0
    assert len(table) == 3


def test_forecast_csv_of_many_series_and_quantiles():
    panel = Panel({"a": rows(np.arange(60) % 2 - 9), "b": rows(np.arange(80) % 2)}, 4, 2)

    def forecaster(panel, origins):
        point = baselines.persistence(panel, origins)
        return np.stack([point + 9, point - 0.25, point, point + 0.25], axis=-1)

    of_series = [[[1.0, 1.0], [0.0, 0.0]]]
    table = ahead(panel, forecaster, [0.8], of_series)
    assert table.index.tolist() == ["a"] * 2 + ["b"] * 2
    assert table.columns.tolist() == ["time", "forecast", "lower_0.8", "median", "upper_0.8"]
    assert table.loc["a", "time"].tolist() == [60, 61]
    assert table.loc["a"].iloc[0, 1:].tolist() == [-6.75, -9.25, -8, -6.75]  # within the interval
    assert table.loc["b"].iloc[0, 1:].tolist() == [1.25, 0.75, 1, 1.25]


@pytest.fixture(scope="module")
def found():
    """A backtest of days with a number and a column of words, rain and sun."""
    rain = np.arange(200) % 3 == 0
    frame = days(np.arange(200) % 7, wind=np.arange(200) % 5, **{"w=rain": rain, "w=sun": ~rain})
    panel = Panel({"": frame}, 14, 3)
    rivals = dict.fromkeys(["persistence", "GRU"], baselines.persistence)
    return Backtest(rivals, panel, "GRU")


@pytest.fixture(scope="module")
def facts(found):
    return outputs.facts_of("GRU.py", argparse.Namespace(features=["wind", "w"]), found)


def test_a_model_matches_columns_by_name_and_measures_by_what_it_has_learned(found, facts):
    words = {"w=snow": 1.0, "w=sun": 0.5}
    frames = {"": days(-np.arange(50.0), **words, wind=np.arange(50.0))}
    frames[""].iloc[7] = np.nan  # a closed day
    panel = outputs.panel_of(frames, 5, facts, "m.keras")
    assert panel.columns == ["y", "wind", "w=rain", "w=sun"] and panel.horizon == 5
    assert panel.values[panel.start[0]].tolist() == [0, 0, 0, 0.5]
    assert np.isnan(panel.values[panel.start[0] + 7]).all()
    assert panel.calendar_names == facts["panel"]["calendar_names"] and panel.season == 7
    assert panel.lowest == 0
    assert panel.error_size == found.panel.error_size and panel.size == found.panel.size
    stranger = outputs.panel_of({"b": frames[""]}, 5, facts, "m.keras")
    assert stranger.size == (16.5 * 34 - 7) / 33  # the mean of 0, ..., 33 without 7


WORDS = {"w=rain": 1.0}
BAD = {
    "another step": (days(np.arange(150), wind=1, **WORDS).resample("7D").first(),
                     "step that the model has learned: D, that the data have: 7D"),
    "counted rows": (rows(np.arange(50), wind=1, **WORDS), "learned: D, that the data have: rows"),
    "too short": (days(np.arange(14), wind=1, **WORDS), "14 steps, so it needs at least 15 rows"),
    "another zone": (days(np.arange(50), wind=1, **WORDS).tz_localize("UTC"),
                     "learned: none, that the data have: UTC"),
    "no feature": (days(np.arange(50), **WORDS), "model has learned: ['wind'], that the data"),
    "numbers for words": (days(np.arange(50), wind=1, w=3), "that the data have: ['wind', 'w']"),
}  # fmt: skip


@pytest.mark.parametrize(("frame", "said"), BAD.values(), ids=BAD)
def test_what_does_not_fit_the_model_is_refused(facts, frame, said):
    with pytest.raises(InputError, match=f"--load m.keras: .*{re.escape(said)}"):
        outputs.panel_of({"": frame}, 5, facts, "m.keras")
