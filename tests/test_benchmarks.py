"""What benchmarks do before and after they measure: downloads, published measures."""

import hashlib
import json

from benchmarks import datasets, forecast
from utils import InputError

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def origin(tmp_path, monkeypatch):
    """A function that offers files as a data set's, at a file:// address; and where they go."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))

    def offer(name, **files):
        known = {}
        for file, text in files.items():
            path = tmp_path / f"{file}.csv"
            path.write_text(text)
            known[path.as_uri()] = hashlib.sha256(text.encode()).hexdigest()
        monkeypatch.setitem(datasets.FILES, name, known)
        return tmp_path / "home" / "forecast" / name

    return offer


def test_m4_is_joined_and_held_back(origin):
    folder = origin(
        "m4_weekly",
        train='"V1","V2","V3","V4"\n"W1",1,2,3\n"W2",5,6,\n',
        test='"V1","V2","V3"\n"W1",4,5\n"W2",7,8\n',
    )
    data = datasets.load("m4_weekly")
    assert {path.name for path in folder.iterdir()} == {"train.csv", "test.csv"}
    assert data.frames["W1"]["value"].tolist() == [1, 2, 3, 4, 5]
    assert data.frames["W2"]["value"].tolist() == [5, 6, 7, 8]
    assert (data.held_back, data.horizon) == ((26, 13), 13)
    assert (data.season, data.mase_season) == (52, 1)


def test_ett_is_scaled_by_its_train_rows(origin):
    rows = datasets.ETT_ROWS[-1] + 5  # the rest of the file isn't used
    times = pd.date_range("2016-07-01", periods=rows, freq="h", name="date")
    values = np.random.default_rng(0).normal(3, 2, (rows, 2))
    values[datasets.ETT_ROWS[0] :] += 10
    origin("etth1", ETTh1=pd.DataFrame(values, times, columns=["HUFL", "OT"]).to_csv())
    data = datasets.load("etth1", 336)
    train, later = np.split(data.frames["OT"]["value"].to_numpy(), [datasets.ETT_ROWS[0]])
    assert len(train) + len(later) == datasets.ETT_ROWS[-1]
    assert (train.mean(), train.std()) == pytest.approx((0, 1))
    assert later.mean() == pytest.approx(5, abs=0.2)
    assert (data.held_back, data.horizon, data.season) == ((2880, 2880), 336, 24)


def test_another_file_than_the_known_one_is_refused(origin):
    folder = origin("etth2", ETTh2="date,OT\n")
    address, _ = datasets.FILES["etth2"].popitem()
    datasets.FILES["etth2"][address] = "0" * 64
    with pytest.raises(InputError, match=rf"etth2: can't download {address}.*{folder}"):
        datasets.load("etth2")
    assert not list(folder.iterdir())


def test_published_measures():
    actual, forecast = np.array([[1.0, 3.0], [4.0, 4.0]]), np.array([[1.0, 1.0], [2.0, 4.0]])
    found = datasets.published_measures("m4_hourly", actual, forecast, np.array([1.0, 2.0]))
    smape = (0 + 400 / 4 + 400 / 6 + 0) / 4
    assert found["smape"] == pytest.approx(smape)
    assert found["mase"] == pytest.approx((1 / 1 + 1 / 2) / 2)
    assert found["owa"] == pytest.approx((smape / 18.383 + 0.75 / 2.395) / 2)
    found = datasets.published_measures("etth1", actual, forecast, np.ones(2))
    assert found == pytest.approx({"mse": (4 + 4) / 4, "mae": (2 + 2) / 4})


@pytest.mark.parametrize("train", [False, True])
def test_a_public_data_set_is_scored(origin, tmp_path, train):
    rng = np.random.default_rng(0)
    weeks = pd.DataFrame(100 + rng.normal(size=(3, 93)).cumsum(axis=1), ["W1", "W2", "W3"])
    origin("m4_weekly", train=weeks.iloc[:, :80].to_csv(), test=weeks.iloc[:, 80:].to_csv())
    forecast.score_dataset("m4_weekly", None, 0, train, tmp_path)
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert set(scores["published_measures"]) == {"smape", "mase", "owa"}
    assert ("trained" in scores["measures"]) == train
    assert scores["measures"]["blend"] == scores["published_measures"]
