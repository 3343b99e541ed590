"""The network of forecast.py and pretrain.py, in Keras: any backend trains it."""

from __future__ import annotations

from typing import Any

from utils.series.patches import PATCH, QUANTILES, SIMPLE, VALUES

import keras
import numpy as np


def build_network(without: str | None = None, units: int = 128, recurrent: int = 2) -> keras.Model:
    """Return a network from `Patches.inputs` to quantiles, (series, patches, PATCH, quantiles).

    They are changes from the last value known, in `Patches.change`, of the patch after each.
    `without` leaves out the "memory" (dense layers instead) or what "simple" methods say.
    """
    layers, ops, GRU = keras.layers, keras.ops, keras.layers.GRU
    if keras.config.backend() == "tensorflow":
        from utils.fused import GRU  # the same, faster on a CPU
    values = keras.Input((None, VALUES), name="values")
    simple = keras.Input((None, PATCH, len(SIMPLE)), name="simple")
    known = keras.Input((None, PATCH, len(SIMPLE)), name="known")

    inputs = [values, simple, known]
    if without == "simple":
        simple, known = 0 * simple, 0 * known

    # 1. a patch as it is, and what simple methods say of the next one
    flat = layers.Reshape((-1, PATCH * len(SIMPLE)))
    read = ops.concatenate([values, ops.arcsinh(flat(simple)), flat(known)], axis=-1)
    x = layers.Dense(units, name="straight")(read)
    x += layers.Dense(units, name="embed")(layers.Dense(units, "gelu", name="hidden")(read))

    # 2. what came before
    for number in range(recurrent):
        normal = layers.LayerNormalization(name=f"normal_{number}")(x)
        if without == "memory":
            x += layers.Dense(units, "tanh", name=f"memory_{number}")(normal)
        else:
            x += GRU(units, return_sequences=True, name=f"memory_{number}")(normal)

    # 3. which simple forecast to trust at each step to come, how to correct it, how sure that is
    x = layers.Dense(units, "gelu", name="head")(ops.concatenate([x, read], axis=-1))
    by_step = layers.Reshape((-1, PATCH, len(SIMPLE)))
    heed = by_step(layers.Dense(PATCH * len(SIMPLE), name="heed")(x)) - 1e4 * (1 - known)
    heed = ops.softmax(heed)
    middle = ops.sum(heed * known * simple, axis=-1, keepdims=True)
    middle += layers.Dense(PATCH, kernel_initializer="zeros", name="correction")(x)[..., None]
    half = len(QUANTILES) // 2
    apart = layers.Dense(PATCH * 2 * half, "softplus", name="apart")(x)
    blind = ops.exp(0.5 * values[..., 3 * PATCH, None, None])  # sqrt(1 + patches without a value)
    apart = layers.Reshape((-1, PATCH, 2 * half))(apart) * blind
    lower = middle - ops.flip(ops.cumsum(ops.flip(apart[..., :half], -1), -1), -1)
    upper = middle + ops.cumsum(apart[..., half:], -1)
    return keras.Model(inputs, ops.concatenate([lower, middle, upper], -1))


def weights_of(network: keras.Model) -> dict[str, np.ndarray]:
    """Return the weights of a network by "layer/weight", NumPy arrays."""
    to_numpy = keras.ops.convert_to_numpy
    return {f"{a.name}/{w.name}": to_numpy(w) for a in network.layers for w in a.weights}


def set_weights(network: keras.Model, weights: dict[str, np.ndarray]) -> keras.Model:
    """Give a network weights that `weights_of` returned; return it."""
    for layer in network.layers:
        layer.set_weights([weights[f"{layer.name}/{weight.name}"] for weight in layer.weights])
    return network


def pinball(actual: Any, predicted: Any) -> Any:
    """Return the loss of quantiles, (); see `utils.series.patches.targets`."""
    value, weight, unit = actual[..., :1], actual[..., 1], actual[..., 2]
    q = np.array(QUANTILES, "float32")
    error = value - predicted
    loss = keras.ops.mean(keras.ops.maximum(q * error, (q - 1) * error), axis=-1)
    loss = keras.ops.minimum(unit * loss, 20.0)  # a spike must not outweigh the batch
    return keras.ops.sum(weight * loss) / keras.ops.sum(weight)
