"""Known columns that reach far enough, intervals of young series, scores by series."""

from utils import InputError
from utils.series import baselines, many
from utils.series.backtest import Backtest
from utils.series.panel import Panel

import numpy as np
import pytest
from frames import days, rows


def shop():
    """20 days with sales and 3 to come; 2024-01-08 is closed."""
    frame = days(np.r_[np.arange(20.0), [np.nan] * 3], promotion=1.0, holiday=2.0)
    frame.loc["2024-01-08"] = np.nan
    return frame


@pytest.mark.parametrize(
    ("at", "columns", "horizon", "said"),
    [
        ("2024-01-23", ["promotion", "holiday"], 3,
         "'promotion' ends 2 steps after the last value, and 3 steps are to be forecast"),
        ("2024-01-09", ["holiday"], 3, "'holiday' is missing at 2024-01-09 00:00:00; fill it in"),
        ("2024-01-22", ["y"], 4, "'promotion' ends 3 steps after the last value"),
    ],
)  # fmt: skip
def test_known_columns_must_reach_into_the_future(at, columns, horizon, said):
    frame = shop()
    many.check_known({"a": frame}, ["promotion", "holiday"], 3)
    frame.loc["2024-01-21"] = np.nan  # the first day to come is closed, too
    many.check_known({"a": frame}, ["promotion", "holiday"], 3)
    frame.loc[at, columns] = np.nan
    with pytest.raises(InputError, match=rf"^series 'a': --known {said}"):
        many.check_known({"a": frame}, ["promotion", "holiday"], horizon)


def test_one_series_has_no_name_and_none_may_be_known():
    many.check_known({"": rows([1.0, np.nan, 2.0])}, [], 5)
    with pytest.raises(InputError, match=r"^--known 'x' ends 0 steps after the last value"):
        many.check_known({"": rows([1.0, 2.0], x=1.0)}, ["x"], 5)


def test_young_series_have_the_corrections_of_their_age():
    """Windows of the validation part, cut down: here, the fewer values the larger the error."""

    class Forecaster:
        levels, log = (0.9,), False

        def __call__(self, panel, origins, newest):
            forecast = panel.targets(origins) + 10.0 / newest
            return np.repeat(forecast[..., None], 3, axis=-1)

    panel = Panel(
        {"old": rows(np.arange(200) % 2), "young": rows([5.0, 6.0])}, 8, 2, short_windows=True
    )
    usual = np.array([[3.0, 4.0]])
    young = many.of_young(panel, Forecaster(), usual)
    np.testing.assert_allclose(young[:, 0, 0], 10 / np.arange(1, 8))
    found = many.by_age(panel, usual, young.tolist())
    np.testing.assert_allclose(found, [[[3, 4], [5, 5]]])


def test_by_series():
    frames = {"a": rows(np.arange(40)), "b": rows(10 * np.arange(20)), "c": rows([1])}

    def ours(panel, origins):
        return baselines.persistence(panel, origins) + 1

    found = Backtest(
        {"persistence": baselines.persistence, "GRU": ours}, Panel(frames, 4, 1), "GRU"
    )
    table = many.by_series(found)
    assert table.index.tolist() == ["a", "b", "c"]
    assert table.columns.tolist() == ["values", "GRU", "persistence", "mase"]
    assert table.loc["b"].tolist() == [20, 9, 10, 0.9] and np.isnan(table.loc["c", "mase"])


def test_bounds_of_quantiles_are_drawn_by_their_level():
    assert many.outer(["q0.1", "q0.5", "q0.9"]) == ["lower_0.8", "upper_0.8"]
