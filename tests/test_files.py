from utils import InputError
from utils.files import write_csv, write_json, written_whole

import numpy as np
import pandas as pd
import pytest


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), written_whole(path) as beside:
        beside.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_tables_and_json(tmp_path):
    index = pd.date_range("2001-01-01", periods=2, freq="h", name="time")
    write_csv(pd.DataFrame({"y": [1.5, 2.0]}, index), tmp_path / "y.csv")
    assert (tmp_path / "y.csv").read_text() == (
        "time,y\n2001-01-01 00:00:00,1.5\n2001-01-01 01:00:00,2.0\n"
    )
    write_json({"unit": "°C", "none": None}, tmp_path / "a.json")
    assert (tmp_path / "a.json").read_text() == '{\n  "unit": "°C",\n  "none": null\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        write_json({"x": np.nan}, tmp_path / "b.json")
    assert not (tmp_path / "b.json").exists()


def test_a_folder_in_the_place_of_a_file(tmp_path):
    (tmp_path / "scores.json").mkdir()
    with pytest.raises(InputError, match=r"scores.json: cannot be written"):
        write_json({}, tmp_path / "scores.json")
    assert [path.name for path in tmp_path.iterdir()] == ["scores.json"]
