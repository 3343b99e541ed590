"""The loops in NumPy do what Keras does, and what calculus says."""

import from_scratch

import numpy as np
import pytest

LAYERS = list(from_scratch.LAYERS)


def example(layer, seed=0, units=5, steps=9, batch=4):
    """Random asymmetric weights, inputs (batch, steps, 1) and targets (batch, 1)."""
    rng = np.random.default_rng(seed)
    weights = [w + rng.normal(0, 0.3, w.shape) for w in from_scratch.start(layer, units, rng)]
    return weights, rng.normal(size=(batch, steps, 1)), rng.normal(size=(batch, 1))


@pytest.mark.parametrize("layer", LAYERS)
def test_gradients_are_those_of_keras_and_the_slope_of_the_loss(layer):
    table = from_scratch.check(layer, np.random.default_rng(1))
    assert table.index.tolist() == list("WUbVc") and (table["largest"] > 1e-3).all()
    assert (table["off Keras'"] < 1e-5).all()
    assert (table["off the loss's slope"] < 1e-4).all()


def test_a_wrong_gradient_is_seen(monkeypatch):
    def wrong(layer, weights, inputs, targets):
        loss, (W, U, *rest) = right(layer, weights, inputs, targets)
        return loss, [W, 0.99 * U, *rest]

    right = from_scratch.gradients
    monkeypatch.setattr(from_scratch, "gradients", wrong)
    far = from_scratch.check("lstm", np.random.default_rng(1)).drop(columns="largest") > 1e-4
    assert far.loc["U"].all() and not far.drop("U").any(axis=None)


@pytest.mark.parametrize("clip_norm", [0.05, 100.0])  # clipped at every step; at none
@pytest.mark.parametrize("layer", LAYERS)
def test_ten_steps_of_training_are_those_of_keras(layer, clip_norm, monkeypatch):
    monkeypatch.setattr(from_scratch, "CLIP_NORM", clip_norm)
    monkeypatch.setattr(from_scratch, "BATCH_SIZE", 16)
    weights, inputs, targets = example(layer, batch=160)
    model = from_scratch.keras_network(layer, weights)
    orders = np.random.default_rng(2).permutation(160).reshape(10, 16)  # an epoch of one step each
    by_keras = [model.train_on_batch(inputs[order], targets[order]) for order in orders]
    by_hand = from_scratch.learn(layer, weights, inputs, targets, orders)
    np.testing.assert_allclose(by_hand, by_keras, rtol=1e-5)
    for w, its in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_allclose(w, its, atol=1e-5)


def test_the_command(capsys, monkeypatch):
    monkeypatch.setattr(from_scratch, "UNITS", 4)
    from_scratch.main(["--layer", "gru", "--check"])
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in printed[1:]] == list("WUbVc")
    losses = from_scratch.main(["--epochs", "1"])
    assert losses.index.tolist() == ["epoch 1", "test"] and "epoch 1" in capsys.readouterr().out
    assert losses["NumPy"].to_numpy() == pytest.approx(losses["Keras"].to_numpy(), rel=1e-3)
