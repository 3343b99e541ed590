import re
from pathlib import Path

from utils import plotting

import pandas as pd

REPOSITORY = Path(__file__).parents[1]


def test_only_plotting_imports_matplotlib():
    files = [*REPOSITORY.glob("*.py"), *REPOSITORY.glob("utils/*.py")]
    assert len(files) > 10
    importing = {
        file.name
        for file in files
        if re.search(r"^\s*(import|from) matplotlib", file.read_text(encoding="utf-8"), re.M)
    }
    assert importing == {"plotting.py"}


def test_the_forecast_is_red_and_goes_on_from_the_data(tmp_path):
    figure, axes = plotting.new_figure("A", size=(6, 3))
    actual = pd.Series([1.0, 2.0, 3.0])
    forecast = pd.DataFrame({"forecast": [4.0, 5.0], "lower": [3.0, 3.0], "upper": [5.0, 7.0]})
    forecast.index = [3, 4]
    plotting.draw_forecast(axes["A"], actual, forecast, pd.Series([1.0, 2.0, 3.0], name="GRU"))
    lines = {line.get_label(): line for line in axes["A"].get_lines()}
    assert list(lines) == ["actual", "GRU, one step ahead", "forecast"]
    assert lines["forecast"].get_color() == plotting.RED
    assert lines["forecast"].get_xydata().tolist() == [[2, 3], [3, 4], [4, 5]]
    band = axes["A"].collections[0].get_paths()[0].get_extents()
    assert (band.ymin, band.ymax) == (3, 7)
    plotting.save(figure, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert len(list(tmp_path.iterdir())) == 1
