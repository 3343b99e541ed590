from utils.series import evaluation
from utils.series.evaluation import (
    LinearAutoregression,
    baselines,
    best_baseline,
    constant,
    diebold_mariano,
    persistence,
    scored_steps,
    scores,
    scores_by_steps,
    seasonal_naive,
)
from utils.series.windows import cut, split_by_time

import numpy as np
import pytest
from scipy import optimize, signal

# ------------------------------------------------------------------ baselines


def test_naive_baselines():
    values, origins = np.arange(0, 100, 10)[:, None] * [1, 7], np.array([6, 7])
    assert persistence(values, origins, 2).tolist() == [[50, 50], [60, 60]]
    found = seasonal_naive(3)(values, origins, 7)
    assert found.tolist() == [[30, 40, 50, 30, 40, 50, 30], [40, 50, 60, 40, 50, 60, 40]]
    assert constant(4.0)(values, origins, 3).tolist() == [[4, 4, 4], [4, 4, 4]]


@pytest.mark.parametrize("forecast", [persistence, seasonal_naive(5), constant(1.0)])
def test_no_baseline_sees_what_comes(forecast):
    values = np.random.default_rng(0).normal(size=(40, 2))
    before = forecast(values, np.array([20]), 12)
    values[20:] = np.nan
    np.testing.assert_array_equal(forecast(values, np.array([20]), 12), before)


@pytest.fixture
def walk():
    """Two series and a calendar column."""
    return np.random.default_rng(0).normal(5, 3, (300, 3)).cumsum(axis=0)


def regressors(values, rows, input_steps, targets):
    past = cut(values[:, :targets], rows, input_steps).reshape(len(rows), -1)
    return np.column_stack([past, values[rows - 1, targets:], np.ones(len(rows))])


def test_linear_autoregression_has_the_least_absolute_errors(monkeypatch):
    """Against the linear program that solves it exactly; a heavy tail tells it from squares."""
    monkeypatch.setattr(evaluation, "PENALTIES", (1e-6,))
    rng = np.random.default_rng(0)
    noise = rng.standard_t(1.5, 400)
    values = signal.lfilter([1], [1, -0.6, 0.2], noise)[:, None]
    parts = split_by_time(400, 3)
    x, y = regressors(values, parts.train, 3, 1), values[parts.train, 0]
    rows, columns = x.shape
    exact = optimize.linprog(
        np.concatenate([np.zeros(columns), np.ones(2 * rows)]),
        A_eq=np.hstack([x, np.eye(rows), -np.eye(rows)]),
        b_eq=y,
        bounds=[(None, None)] * columns + [(0, None)] * (2 * rows),
    )
    squares = np.linalg.lstsq(x, y, rcond=None)[0]

    def mae(weights):
        return np.abs(y - x @ weights).mean()

    linear = LinearAutoregression(3, 1).fit(values, parts)
    found = mae([*linear.kernel[:, 0], *linear.bias])
    assert exact.fun / rows <= found < exact.fun / rows + 0.1 * (mae(squares) - exact.fun / rows)
    np.testing.assert_allclose(linear.kernel[:, 0], exact.x[:3], atol=0.02)


def test_linear_forecasts_are_fed_back(walk, monkeypatch):
    parts = split_by_time(300, 4)
    linear = LinearAutoregression(4, targets=2).fit(walk, parts)
    origins = np.array([200, 217, 280])
    whole = linear(walk, origins, 7)
    expected = np.empty((3, 7))
    for i, origin in enumerate(origins):
        values = walk.copy()
        values[origin:, :2] = np.nan  # what comes is not known, but for the calendar
        for step in range(7):
            inputs = regressors(values, np.array([origin + step]), 4, 2)[:, :-1]
            values[origin + step, :2] = inputs @ linear.kernel + linear.bias
        expected[i] = values[origin : origin + 7, 0]
    np.testing.assert_allclose(whole, expected)
    monkeypatch.setattr(evaluation, "MAX_FITTED", 1)
    np.testing.assert_allclose(linear(walk, origins, 7), expected)


def test_linear_autoregression_with_columns_that_say_the_same():
    values = np.random.default_rng(0).normal(size=(200, 1)).cumsum(axis=0).repeat(2, axis=1)
    parts, rows = split_by_time(200, 3), np.arange(3, 200)
    alone = LinearAutoregression(3, targets=1).fit(values[:, :1], parts)(values[:, :1], rows, 1)
    found = LinearAutoregression(3, targets=2).fit(values, parts)(values, rows, 1)
    errors = [np.abs(values[rows, 0] - f[:, 0]).mean() for f in (found, alone)]
    assert errors[0] == pytest.approx(errors[1], rel=0.03)  # the penalty is shared otherwise


def test_the_linear_baseline_never_sees_the_test_part(walk):
    parts = split_by_time(300, 4)
    other = walk.copy()
    other[parts.test[1] :] += 1e6
    first, again = (
        LinearAutoregression(4, 2).fit(values, parts)(values, parts.test[:2], 1)
        for values in (walk, other)
    )
    np.testing.assert_allclose(again, first)


def test_which_baselines_there_are(walk):
    parts = split_by_time(300, 4)
    found = baselines(walk, parts, linear=None, season=None)
    assert list(found) == ["persistence", "linear"]
    assert "seasonal_naive" in baselines(walk, parts, None, season=210)
    assert "seasonal_naive" not in baselines(walk, parts, None, season=211)
    spare_parts = np.where(np.arange(300) % 3, 0.0, walk[:, 0])[:, None]
    found = baselines(spare_parts, parts, None, season=None)
    assert found["median"](spare_parts, parts.test[:2], 2).tolist() == [[0, 0], [0, 0]]
    walk[210:] = 0  # what comes later chooses no baseline
    assert "median" not in baselines(walk, parts, None, season=None)


# ------------------------------------------------------------------ scores


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


def test_scores_by_steps_by_hand():
    actual = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 6.0], [7.0, np.nan]])
    forecasts = {
        "net": actual + np.array([1, 2]),
        "persistence": actual - [[4, 3], [0, 0], [0, 1], [0, 0]],
    }
    bounds = {
        1: (np.array([0, 4, 4, 4]), np.array([1, 5, 6, 6])),  # two of four held; 1 is on the edge
        2: (np.array([0, 0, 7, 0]), np.array([3, 100, 8, 100])),  # what isn't known doesn't count
    }
    found = scores_by_steps(actual, forecasts, bounds)
    assert found == {
        "1": {
            "net": {"mae": 1, "rmse": 1},
            "persistence": {"mae": 1, "rmse": 2},
            "coverage": 0.5,
            "width": 1.5,
        },
        "2": {
            "net": {"mae": 2, "rmse": 2},
            "persistence": {"mae": 2, "rmse": pytest.approx(np.sqrt(5))},
            "coverage": 0.5,
            "width": 2.0,
        },
    }


def test_best_baseline_is_the_one_of_the_lowest_mae():
    by_name = {"GRU": {"mae": 1}, "persistence": {"mae": 3}, "linear": {"mae": 2}}
    assert best_baseline({**by_name, "optimal": {"mae": 0}}, "GRU") == "linear"


@pytest.mark.parametrize(
    ("most", "steps"),
    [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (5, [1, 2, 3, 5]), (24, [1, 2, 3, 6, 12, 24]),
     (60, [1, 2, 3, 6, 12, 24, 48, 60])],
)  # fmt: skip
def test_the_steps_that_are_scored(most, steps):
    assert scored_steps(most) == steps


def white(rng, n):
    return rng.normal(size=n)


def lag_1(rng, n):
    """AR(1) of 0.36, as from hour to hour in Greensboro."""
    return signal.lfilter([1], [1, -0.36], rng.normal(size=n + 200))[200:]


def lag_24(rng, n):
    """A correlation of 0.35 at lag 24, as from day to day in Greensboro."""
    return signal.lfilter([1], [1, *[0] * 23, -0.35], rng.normal(size=n + 500))[500:]


@pytest.mark.parametrize("differences", [white, lag_1, lag_24])
@pytest.mark.parametrize("n", [300, 1314])
def test_diebold_mariano_is_wrong_as_often_as_it_says(differences, n):
    """At 5 %, between 3 and 8 % of two forecasts that are equally good are told apart."""
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(2000):
        difference = differences(rng, n)
        # |0 - a| - |0 - b| is the difference
        a = 100 + difference
        wrong += diebold_mariano(np.zeros(n), a, np.full(n, 100.0)) < 0.05
    assert 0.03 < wrong / 2000 < 0.08


def test_diebold_mariano_tells_what_is_different():
    rng = np.random.default_rng(0)
    actual = np.zeros(1000)
    a, b = 100 + lag_1(rng, 1000), 100.3 + lag_1(rng, 1000)
    p_value = diebold_mariano(actual, a, b, season=1)
    assert p_value < 1e-3 and p_value == pytest.approx(diebold_mariano(actual, b, a, season=1))


def test_diebold_mariano_by_hand():
    """Of 8 differences, one cosine: cos(pi (t + 1/2) / 8), against t of one degree of freedom."""
    difference = np.array([3.0, 1, 4, 1, -5, 9, 2, 6])
    cosine = np.cos(np.pi * (np.arange(8) + 0.5) / 8) * np.sqrt(2 / 8)
    statistic = difference.mean() / np.sqrt((cosine @ difference) ** 2 / 8)
    expected = 2 * (0.5 - np.arctan(statistic) / np.pi)  # Cauchy
    assert int(0.41 * 8 ** (2 / 3)) == 1
    found = diebold_mariano(np.zeros(8), 10 + difference, np.full(8, 10.0))
    assert found == pytest.approx(expected)


def test_same_forecasts_are_no_different():
    assert diebold_mariano(np.arange(5.0), np.ones(5), np.ones(5)) == 1.0
