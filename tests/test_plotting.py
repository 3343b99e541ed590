from utils import plotting

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def axes():
    figure, axes = plotting.plt.subplot_mosaic("A", figsize=(6, 3))
    yield axes["A"]
    plotting.plt.close(figure)


def lines_of(axes):
    return {line.get_label(): line.get_xydata().tolist() for line in axes.get_lines()}


def test_errors_by_hour_of_the_day(axes):
    index = pd.date_range("2001-01-01 22:00", periods=48, freq="h")
    test = pd.DataFrame({"actual": 0.0, "persistence": 1.0, "linear": 2.0}, index)
    test["GRU"] = -1.0 * index.hour
    plotting.draw_errors(axes, test, "GRU")
    found = lines_of(axes)
    assert list(found) == ["persistence", "linear", "GRU"]
    assert found["GRU"] == [[hour, hour] for hour in range(24)]
    assert "hour" in axes.get_title("left")


@pytest.mark.parametrize("rows", [10, 1000])
def test_errors_from_piece_to_piece(axes, rows):
    test = pd.DataFrame({"actual": 0.0, "persistence": 1.0, "linear": 2.0}, index=range(rows))
    test["GRU"] = np.where(np.arange(rows) < rows / 2, 1.0, -3.0)
    plotting.draw_errors(axes, test, "GRU")
    found = np.array(lines_of(axes)["GRU"])
    assert len(found) == min(rows, plotting.PIECES) and found[0, 0] == 0
    assert set(found[found[:, 0] < rows / 2, 1]) == {1.0}
    assert set(found[found[:, 0] >= rows / 2, 1]) == {3.0}


def test_errors_by_steps(axes):
    mae = {"seasonal_naive": [1, 1, 2], "GRU": [0.1, 0.2, None]}
    scores = {name: {"by_step": {"mae": line}} for name, line in mae.items()}
    plotting.draw_by_steps(axes, scores, "GRU")
    found = lines_of(axes)
    assert found["seasonal naive"] == [[1, 1], [2, 1], [3, 2]]
    np.testing.assert_array_equal(found["GRU"], [[1, 0.1], [2, 0.2], [3, np.nan]])


def test_the_forecast_is_red_and_goes_on_from_the_data_within_its_intervals(axes, tmp_path):
    forecast = pd.DataFrame({"forecast": [4.0, 5.0], "lower": [1.0, 0.0], "lower_0.5": [3.0, 3.0]})
    forecast = forecast.assign(**{"upper_0.5": [5.0, 7.0], "upper": [8.0, 9.0]}).set_axis([3, 4])
    actual = pd.Series([1.0, 2.0, 3.0], name="price")
    plotting.draw_forecast(axes, actual, forecast, actual.rename("GRU"))
    assert list(lines_of(axes)) == ["actual", "GRU, one step ahead", "forecast, with intervals"]
    assert axes.get_lines()[-1].get_color() == plotting.RED
    assert axes.get_lines()[-1].get_xydata().tolist() == [[2, 3], [3, 4], [4, 5]]
    spans = [band.get_paths()[0].get_extents() for band in axes.collections]
    assert [(span.ymin, span.ymax) for span in spans] == [(0, 9), (3, 7)]
    assert [text.get_text() for text in axes.texts] == [" 90%", " 50%"]
    plotting.save(axes.figure, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == 1
