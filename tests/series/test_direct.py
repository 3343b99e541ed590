"""Networks that forecast all steps at once, with quantiles."""

from utils.series import direct
from utils.series.heads import inner_of
from utils.series.panel import Panel

import keras
import numpy as np
import pytest
from frames import days, rows


def test_windows_hold_what_is_known_and_weights_mark_what_is_missing():
    values = np.arange(30.0)
    values[12] = np.nan
    frames = {"a": days(values, x=values), "b": days(values[:25], "2024-01-06", x=values[:25])}
    panel = Panel(frames, 4, 3, short_windows=True)
    cut = direct.many_steps(panel, np.array([2.0, 5.0]), log=False)
    inputs, targets = cut(panel.start + np.array([12, 1]))
    assert inputs["past"].shape == (2, 4, 2) and inputs["coming"].shape == (2, 7, 7)
    assert inputs["past"][0, :, 0].numpy().tolist() == [8, 9, 10, 11]
    np.testing.assert_array_equal(inputs["past"][1, :, 0], [np.nan, np.nan, np.nan, 0])
    assert inputs["coming"][0].numpy().argmax(axis=1).tolist() == [1, 2, 3, 4, 5, 6, 0]  # Tuesday
    assert inputs["coming"][1, 3:].numpy().argmax(axis=1).tolist() == [5, 6, 0, 1]
    assert inputs["series"].numpy().tolist() == [[1], [2]]
    np.testing.assert_allclose(inputs["spread"][:, 0], inner_of(panel).spread)
    assert targets[0].numpy().tolist() == [[1, 0], [13, 2], [14, 2]]  # a missing one weighs nothing
    assert targets[1].numpy().tolist() == [[1, 5], [2, 5], [3, 5]]


def constant(panel, outputs):
    """Return a network that always says the same of all steps."""
    past = keras.Input((panel.input_steps, len(panel.columns)), name="past")
    coming = keras.Input((panel.input_steps + panel.horizon, panel.inputs), name="coming")
    series = keras.Input((1,), dtype="int32", name="series")
    spread = keras.Input((1,), name="spread")
    x = 0 * spread[:, None] + np.float32(outputs)[None, None]  # (batch, 1, outputs)
    return keras.Model([past, coming, series, spread], keras.ops.repeat(x, panel.horizon, axis=1))


@pytest.mark.parametrize(("squared", "point"), [(False, 4), (True, 7)])
def test_a_forecaster_gives_its_point_and_the_quantiles_in_the_series_unit(squared, point):
    panel = Panel({"a": rows(2e9 + np.arange(60) % 2), "b": rows(2e9 + np.arange(40) % 2)}, 4, 3)
    network = constant(panel, [7, -3, 4, 5])
    forecaster = direct.Direct(network, (0.05, 0.5, 0.95), squared, log=False)
    found = forecaster(panel, panel.end)
    assert found.shape == (2, 3, 4) and forecaster.levels == [0.9]
    assert (found[1, 2] - inner_of(panel).level[1]).tolist() == [point, -3, 4, 5]
    counts = Panel({"": rows(np.arange(60) % 5)}, 4, 3)
    said = direct.Direct(constant(counts, [7.6, -3, 4.6, 5.5]), (0.05, 0.5, 0.95), False, False)
    np.testing.assert_allclose(direct.Whole(said)(counts, counts.end)[0, 0], [5, 0, 4.6, 5.5])


def test_the_mean_of_networks():
    panel = Panel({"": rows(np.arange(60) % 5 - 2)}, 4, 3)
    networks = [constant(panel, [i, 2 * i, 5, 6]) for i in (1, 3)]
    found = direct.Direct(direct.mean_of(networks), (0.05, 0.5, 0.95), True, False)
    np.testing.assert_allclose(found(panel, panel.end)[0, 0], [2, 4, 5, 6])
    assert direct.mean_of(networks[:1]) is networks[0]


def test_quantiles_are_made_symmetric():
    assert direct.symmetric(None) == (0.05, 0.5, 0.95)
    assert direct.symmetric((0.5, 0.9)) == (0.1, 0.5, 0.9)
    assert direct.symmetric((0.2, 0.5, 0.9)) == (0.1, 0.2, 0.5, 0.8, 0.9)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("share", direct.SHARES)
def test_the_share_that_is_best_in_validation_is_found(share, log):
    panel = Panel({"": rows(np.exp(np.random.default_rng(0).normal(0, 0.5, 200)))}, 4, 3)
    shift = np.exp if log else np.positive

    def linear(panel, origins):  # what comes, but for a share of what the network learned
        ahead = panel.targets(origins)
        return ahead / shift(share * 0.4) if log else ahead - share * 0.4

    class Learned:
        squared = False

        def __call__(self, panel, origins):
            start = linear(panel, origins)
            return (start * shift(0.4) if log else start + 0.4)[..., None]

    learned = Learned()
    learned.log = log
    assert direct.best_share(learned, linear, panel) == share
