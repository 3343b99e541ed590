import slot_filling
from exercises.compare import same

import keras
import numpy as np
import pytest


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_step(yours):
    rng = np.random.default_rng(0)
    x, h = rng.normal(size=(2, 3)), rng.normal(size=(2, 4))
    W, U, b = rng.normal(size=(3, 8)), rng.normal(size=(4, 8)), rng.normal(size=8)
    cell = yours.MinimalGatedCell(4)
    cell.build((None, 3))
    cell.set_weights([W, U, b])
    output, states = cell(x.astype("float32"), [h.astype("float32")])
    f = sigmoid(x @ W[:, :4] + h @ U[:, :4] + b[:4])

    def content(seen):
        return np.tanh(x @ W[:, 4:] + seen @ U[:, 4:] + b[4:])

    n = content(f * h)
    mistakes = {
        "when the gate works the other way round": f * h + (1 - f) * n,
        "when the new content sees all of h_prev": (1 - f) * h + f * content(h),
        "when f comes after the product with U_n": (1 - f) * h
        + f * np.tanh(x @ W[:, 4:] + f * (h @ U[:, 4:]) + b[4:]),
        "without the old memory": f * n,
    }
    same("h", output, (1 - f) * h + f * n, mistakes, atol=1e-5)
    same("the state for the next step", states[0], output)


def test_it_learns_to_fill_slots(yours, monkeypatch, tmp_path):
    def middle(network, units, tags, last):
        if network.kind != "mgu":
            return real_middle(network, units, tags, last)
        return keras.layers.RNN(yours.MinimalGatedCell(units), return_sequences=True)

    real_middle = slot_filling.middle
    monkeypatch.setattr(slot_filling, "KINDS", [*slot_filling.KINDS, "mgu"])
    monkeypatch.setattr(slot_filling, "middle", middle)
    flags = ["--model", "mgu", "--units", "32", "--epochs", "3", "--output-dir", str(tmp_path)]
    f1 = slot_filling.main(flags)["networks"]["mgu"]["dev"]["f1"]
    if f1 < 50:
        pytest.fail(f"F1 {f1:.1f} on the dev part; a network with a memory passes 50", False)
