"""Simulated series, patches, the pass through the network in NumPy, what known inputs do."""

from utils import InputError
from utils.series import pretrained, prior
from utils.series.blend import Blend, blended
from utils.series.effects import Effects
from utils.series.network import build_network, weights_of
from utils.series.panel import Panel
from utils.series.patches import SIMPLE, patches, targets

import keras
import numpy as np
import pytest
from frames import days, rows

RNG = np.random.default_rng(0)
PLAIN = (0.05, 0.5, 0.95)


@pytest.fixture(scope="module")
def network():
    """A network with random weights, none of them zero."""
    keras.utils.set_random_seed(0)
    network = build_network(units=8)
    for layer in network.layers:
        layer.set_weights([w + RNG.normal(0, 0.1, w.shape) for w in layer.get_weights()])
    return network


def test_series_are_seeded_and_of_all_kinds():
    values, seasons = prior.draw(np.random.default_rng(1), 400, 300)
    again, _ = prior.draw(np.random.default_rng(1), 400, 300)
    np.testing.assert_array_equal(values, again)
    assert values.shape == (400, 300) and values.dtype == np.float32
    assert (np.isnan(values).any(axis=1)).mean() == pytest.approx(0.08, abs=0.05)
    assert np.abs(np.nan_to_num(values)).max() < 1e6
    assert {0, 4, 7, 12, 24, 52} < set(seasons[:, 0]) and {168, 364} < set(seasons[:, 1])
    of_day = seasons[:, 0] == 24
    near, far = (
        np.nanmean(np.abs(values[of_day, lag:] - values[of_day, :-lag])) for lag in (24, 36)
    )
    assert near < 0.9 * far


def test_simple_forecasts_of_a_clean_season_are_what_they_say():
    t = np.arange(96.0)
    line = 0.5 * t + 10 * np.sin(2 * np.pi * t / 8)
    known = np.r_[line[:64], np.full(32, np.nan)]
    cut = patches(known[None], np.array([[8, 32]]))
    said = cut.outer(cut.simple[:, 3:], 3)[0, :32]  # after the last patch known
    said = dict(zip(SIMPLE, said.T, strict=True))
    drift = 4 * np.arange(1, 5).repeat(8)  # the line rises by 4 a season
    season, four = np.tile(line[56:64], 4), np.tile(line[56:64] - 6, 4)
    for name, expected in {
        "last value": line[63],
        "last value and its drift": line[63] + 0.5 * np.arange(1, 33),
        "mean of the newest values": line[61:64].mean(),
        "mean of the last season": line[56:64].mean(),
        "mean of the window": line[:64].mean(),
        "last season": season,
        "last longer season": line[32:64],
        "mean of four seasons": four,
        "mean of four longer seasons": (line[32:64] + line[:32]) / 2,
        "four seasons and their drift": season + drift,
        "four seasons and the last error": four + 10,
        "four seasons and the newest errors": four + 10,
    }.items():
        np.testing.assert_allclose(said[name], np.broadcast_to(expected, 32), atol=1e-4)
    # the longer season's rows of the last but one, which alone has one before it
    np.testing.assert_allclose(
        said["four longer seasons and the newest errors"],
        (line[32:64] + line[:32]) / 2 + 16,
        atol=1e-4,
    )
    assert cut.known[0, 3:].all()
    nothing = patches(known[None], np.array([[0, 0]]))
    assert not nothing.known[..., 5:].any() and nothing.known[0, 3:, :, :5].all()


def test_what_is_hidden_is_not_read_and_is_the_target():
    values = RNG.normal(size=(2, 96))
    hidden = np.zeros((2, 96), bool)
    hidden[:, 64:] = True
    cut = patches(values, np.zeros((2, 2), int), hidden, ~hidden)
    changed = patches(np.where(hidden, 99.0, values), np.zeros((2, 2), int), hidden, ~hidden)
    for name, read in cut.inputs.items():
        np.testing.assert_array_equal(read, changed.inputs[name])
    target = targets(cut, np.ones((2, 6)))
    came = cut.last[:, 3, None] + cut.change * target[:, 3, :, 0]
    np.testing.assert_allclose(came * cut.std + cut.mean, values[:, 64:80], rtol=1e-4)
    assert (target[..., 1] == 1).all()


def test_numpy_says_what_keras_says(network, tmp_path):
    weights = weights_of(network)
    values = np.cumsum(RNG.normal(size=(20, 160)), axis=1)
    values[:5, :50] = values[5:8, 60:90] = values[:, 120:] = np.nan
    cut = patches(values, np.tile([[24, 168], [7, 0]], (10, 1)))
    expected = network.predict(cut.inputs, verbose=0)
    found = pretrained.run(weights, cut, 0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
    np.testing.assert_allclose(pretrained.run(weights, cut, 7), found[:, 7:], rtol=1e-3, atol=1e-4)
    assert (np.diff(found, axis=-1) >= 0).all()  # quantiles don't cross
    pretrained.save(tmp_path / "a.npz", weights, {"series": 3})
    again, facts = pretrained.load(tmp_path / "a.npz")
    assert facts == {"version": pretrained.VERSION, "series": 3}
    np.testing.assert_allclose(pretrained.run(again, cut, 0), expected, rtol=0.02, atol=0.05)
    np.savez(tmp_path / "b.npz", facts='{"version": 0}')
    with pytest.raises(InputError, match="another version"):
        pretrained.load(tmp_path / "b.npz")


def test_forecasts_have_any_horizon_and_the_wanted_quantiles(network):
    weights = weights_of(network)
    for horizon in (1, 16, 40, 400):
        panel = Panel({"": days(100 + RNG.normal(size=900).cumsum())}, 300, horizon)
        wanted = pretrained.symmetric((0.025, 0.5))
        found = pretrained.AtOnce(weights, wanted)(panel, panel.end)
        assert found.shape == (1, horizon, 4) and np.isfinite(found).all()
        assert (np.diff(found[..., 1:], axis=-1) >= 0).all()
        plain = pretrained.AtOnce(weights, PLAIN)(panel, panel.end)
        np.testing.assert_allclose(plain[..., 0], found[..., 0])
        assert (found[..., 1] <= plain[..., 1]).all() and (found[..., 3] >= plain[..., 3]).all()
    normal = np.array([-1.6449, -1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416,
                       1.2816, 1.6449])  # fmt: skip
    np.testing.assert_allclose(
        pretrained.between(normal, (0.025, 0.5, 0.975)), [-1.96, 0, 1.96], atol=1e-3
    )


def test_a_window_may_show_that_its_season_is_another():
    panel = Panel({"": rows(RNG.normal(size=400))}, 300, 24, season=24)
    t = np.arange(300)
    windows = np.stack([np.sin(2 * np.pi * t / season) for season in (23, 24)])
    found = pretrained.seasons(panel, windows + RNG.normal(0, 0.05, windows.shape))
    np.testing.assert_array_equal(found, [[23, 0], [24, 168]])


def test_learning_on_reads_nothing_of_what_is_to_come():
    values, inputs = RNG.normal(size=200), []
    for later in (values[150:], values[150:] + 99):
        panel = Panel({"": days(np.r_[values[:150], later])}, 48, 20)
        read, _ = pretrained.examples(pretrained.AtOnce({}, PLAIN), panel, panel.start + 150)
        inputs.append(read)
    for name, read in inputs[0].items():
        np.testing.assert_array_equal(read, inputs[1][name])


# ------------------------------------------------------------------ known inputs, blends


def shops(number, seed=0):
    """Series whose promotions add a half, and which are closed on known days."""
    rng, frames = np.random.default_rng(seed), {}
    for name in range(number):
        promotion, closed = (rng.random(330) < share for share in (0.2, 0.03))
        week = 100 + 30 * np.sin(2 * np.pi * np.arange(330) / 7)
        y = (week + rng.normal(0, 2, 330)) * (1 + 0.5 * promotion) * ~closed
        y[320:] = np.nan
        frames[str(name)] = days(y, promotion=promotion * 1.0, closed=closed * 1.0)
    return frames


def test_effects_of_known_inputs_are_found_and_saved():
    panel = Panel(shops(3), 56, 10, known=["promotion", "closed"], short_windows=True)
    effects = Effects(panel)
    known = panel.known[: len(panel.values)].astype(bool)
    rows = np.concatenate(
        [np.arange(s, e + 10) for s, e in zip(panel.start, panel.end, strict=True)]
    )
    share, (promotion, closed) = effects.share[rows], known[rows].T
    np.testing.assert_allclose(share[promotion & ~closed], 1.5, atol=0.12)
    np.testing.assert_allclose(share[~promotion & ~closed], 1.0, atol=0.08)
    assert (share[closed] < 0.1).all()
    fewer = Panel({"1": shops(3)["1"][100:]}, 56, 10, known=["promotion", "closed"])
    again = Effects(fewer, effects.facts())
    ours = slice(panel.start[1] + 140, panel.end[1] + 10)
    theirs = slice(fewer.start[0] + 40, fewer.end[0] + 10)
    np.testing.assert_allclose(again.share[theirs], effects.share[ours], atol=0.2)


def test_effects_belong_to_the_weekday_in_any_file():
    rng = np.random.default_rng(0)
    promotion, saturday = rng.random(620) < 0.3, np.arange(620) % 7 == 5
    y = (100 + rng.normal(0, 2, 620)) * (1 + promotion * np.where(saturday, 0.8, 0.2))
    y[613:] = np.nan
    whole, facts = days(y, promotion=promotion * 1.0), None
    for begin in (0, 303):
        panel = Panel({"": whole[begin:]}, 56, 7, known=["promotion"], short_windows=True)
        effects = Effects(panel, facts)
        share, facts = effects.share[panel.start[0] : panel.end[0] + 7], effects.facts()
        of_saturdays = share[promotion[begin:] & saturday[begin:]]
        assert of_saturdays.min() > 1.4 > share[~saturday[begin:]].max()


def test_a_price_without_effect_changes_no_step():
    """Beside the first and the last row are margins, where no price is 0."""
    rng = np.random.default_rng(0)
    price = np.repeat(rng.normal(50, 2, 52), 14)
    y = 100 * (1 + rng.normal(0, 0.2, 728))
    y[700:] = np.nan
    panel = Panel({"a": days(y, price=price), "b": days(y, price=price)}, 56, 28, known=["price"])
    rows = np.concatenate(
        [np.arange(s, e + 28) for s, e in zip(panel.start, panel.end, strict=True)]
    )
    np.testing.assert_allclose(Effects(panel).share[rows], 1, atol=0.2)


def test_no_series_is_the_neighbour_of_another():
    """Of a year and a half of weeks, no row of the train part has one a year before or after."""
    y = np.where(np.arange(80) < 67, np.random.default_rng(0).normal(10, 1, 80), np.nan)
    known = np.random.default_rng(1).integers(0, 2, 80) * 1.0
    frames = {"small": days(y, known=known), "large": days(100 * y, known=1 - known)}
    panel = Panel(frames, 60, 13, known=["known"], season=52, short_windows=True)
    assert (Effects(panel).share == 1).all()


def test_validation_blends_and_the_trusted_part_counts():
    panel = Panel({"": days(np.tile(np.arange(7.0) + 50, 40))}, 14, 7)
    late, early = (lambda p, o, by=by: p.targets(o) + by for by in (1.0, -1.0))

    def network(p, o):
        spread = np.array([0.0, -5, 0, 5])
        return p.targets(o)[..., None] + 3 + spread

    blend = blended({"late": late, "early": early, "net": network}, panel, "net", 0.95, 100)
    heard = 1 - 3.5 / (3.5 + len(panel.origins("val", 7)))
    votes = {"late": 0.3 * heard, "early": 0.6 * heard, "net": 1 - 0.9 * heard}
    assert blend.weights == pytest.approx(votes)
    assert str(blend) == "0.5 early + 0.3 late + 0.2 net"
    origins = panel.origins("test", 7)
    found = blend(panel, origins)
    by = votes["late"] - votes["early"] + 3 * votes["net"]
    np.testing.assert_allclose(found[..., 0], panel.targets(origins) + by)
    np.testing.assert_allclose(found[..., 3] - found[..., 1], 10)
    far = Blend({"far": lambda p, o: p.targets(o) + 1e9, "net": network}, {"far": 1.0}, "net", 0.95)
    np.testing.assert_allclose(far(panel, origins)[..., 0], network(panel, origins)[..., 3])
