"""pretrain.py, a tiny run: it learns, goes on after a kill, and leaves out what it is told."""

import pretrain
from utils import InputError
from utils.series import pretrained, tasks
from utils.series.network import build_network, pinball
from utils.series.patches import QUANTILES

import keras
import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def tiny(monkeypatch):
    """A network of four units, trained for two epochs of two steps of eight series."""
    build = pretrain.build_network
    monkeypatch.setattr(pretrain, "build_network", lambda without=None: build(without, 4, 1))
    monkeypatch.setattr(pretrain, "BATCH", 8)
    monkeypatch.setattr(pretrain, "EPOCH", 2)
    monkeypatch.setattr(tasks, "LENGTHS", (12, 3))
    judges = pretrain.judges()
    monkeypatch.setattr(pretrain, "judges", lambda: {n: (p, o[:5]) for n, (p, o) in judges.items()})


def run(folder, *more):
    pretrain.main(["--series", "64", "--output-dir", str(folder), *more])
    return pretrained.load(folder / "forecaster.npz")


def test_a_run_that_was_killed_ends_as_one_that_was_not(tiny, tmp_path, monkeypatch, capsys):
    whole, facts = run(tmp_path / "whole")
    assert facts["series"] == 64 and {"seconds", "date", "loss", "seed"} < set(facts)
    assert "64 series in" in capsys.readouterr().out
    history = pd.read_csv(tmp_path / "whole/history.csv")
    assert len(history) == 4 and history["shops"].notna().sum() == 3  # epochs 1, 2 and 4

    draw, drawn = tasks.prior.draw, []

    def killed(*args):
        drawn.append(1)
        if len(drawn) > 7:
            raise RuntimeError("killed")
        return draw(*args)

    monkeypatch.setattr(tasks.prior, "draw", killed)
    with pytest.raises(Exception, match="killed"):
        run(tmp_path / "cut")
    monkeypatch.setattr(tasks.prior, "draw", draw)
    assert len(pd.read_csv(tmp_path / "cut/history.csv")) < 4
    cut, _ = run(tmp_path / "cut")
    for name, weight in whole.items():
        np.testing.assert_allclose(cut[name], weight, atol=2e-3, err_msg=name)
    with pytest.raises(InputError, match="holds another run"):
        run(tmp_path / "cut", "--seed", "1")


def test_parts_can_be_left_out():
    plain, memory, simple = (build_network(without) for without in (None, "memory", "simple"))
    kinds = [type(layer).__name__ for layer in memory.layers]
    assert "GRU" not in kinds and "GRU" in [type(layer).__name__ for layer in plain.layers]
    inputs, _ = tasks.draw(np.random.default_rng(0), 4, 6)
    other = inputs | {"simple": inputs["simple"] + 1}
    assert np.ptp(plain.predict(other, verbose=0) - plain.predict(inputs, verbose=0)) > 0
    np.testing.assert_array_equal(*(simple.predict(x, verbose=0) for x in (inputs, other)))


def test_the_loss_is_least_at_the_quantiles():
    values = np.random.default_rng(0).normal(size=20_000).astype("float32")
    actual = np.stack([values, np.ones_like(values), np.ones_like(values)], -1)[:, None, None]
    best = np.quantile(values, QUANTILES).astype("float32")

    def cost(quantiles):
        predicted = np.broadcast_to(quantiles, (len(values), 1, 1, len(best)))
        return float(pinball(keras.ops.array(actual), keras.ops.array(predicted)))

    for i in range(len(best)):
        for by in (-0.1, 0.1):
            moved = best + np.float32(by) * (np.arange(len(best)) == i)
            assert cost(moved.astype("float32")) > cost(best)
    actual[:100, ..., 0], actual[:100, ..., 1] = 1e6, 0  # missing
    assert cost(best) == pytest.approx(cost(best), rel=1e-6) and cost(best) < 1
