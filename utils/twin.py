"""What from_scratch.py is compared with: the same network in Keras, and the slope of its loss."""

from collections.abc import Callable, Iterable

import utils  # noqa: F401  keeps TensorFlow's start-up lines off the screen

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

STEP = 1e-5  # by which a weight is moved to see how the loss moves


def network(
    layer: str, weights: list[np.ndarray], learning_rate: float = 0.001, clip_norm: float = 1.0
) -> keras.Model:
    """Return a recurrent layer and an output layer, compiled for Adam and the squared error.

    Args:
        layer: "simple", "lstm" or "gru".
        weights: W, U, b of the recurrent layer, V, c of the output layer, shapes as Keras has them.
        learning_rate: of Adam.
        clip_norm: of all the gradients together.
    """
    recurrent = {
        "simple": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU
    }[layer]  # fmt: skip
    units, outputs = weights[-2].shape
    model = keras.Sequential(
        [keras.Input((None, len(weights[0]))), recurrent(units), keras.layers.Dense(outputs)]
    )
    model.set_weights(weights)
    model.compile(keras.optimizers.Adam(learning_rate, global_clipnorm=clip_norm), "mse")
    return model


def gradients(model: keras.Model, inputs: np.ndarray, targets: np.ndarray) -> list[np.ndarray]:
    """Return the gradient of the mean squared error by each of the weights, in their order."""
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(inputs) - targets))
    return [grad.numpy() for grad in tape.gradient(loss, [w.value for w in model.weights])]


def learn(
    model: keras.Model,
    inputs: np.ndarray,
    targets: np.ndarray,
    orders: Iterable[np.ndarray],
    batch_size: int,
) -> list[float]:
    """Train the model, one epoch per order of the windows; return the mean loss of each."""
    losses = []
    for order in orders:
        log = model.fit(inputs[order], targets[order], batch_size, shuffle=False, verbose=0)
        losses += log.history["loss"]
    return losses


def compare(
    layer: str, by_hand: Callable, weights: list[np.ndarray], rng: np.random.Generator
) -> pd.DataFrame:
    """Compare gradients by hand with Keras' and with how the loss moves when a weight does.

    Args:
        layer: "simple", "lstm" or "gru".
        by_hand: (layer, weights, inputs, targets) -> the loss, and its gradient by each weight.
        weights: W, U, b, V, c, which are made asymmetric by noise.
        rng: of the noise, the inputs and the targets.

    Returns:
        a row per weight: the largest number in its gradient, the largest distance from Keras'
        number, and from the slope of the loss (central differences).
    """
    weights = [w + rng.normal(0, 0.3, w.shape) for w in weights]
    inputs, targets = rng.normal(size=(8, 12, len(weights[0]))), rng.normal(size=(8, 1))
    by_keras = gradients(network(layer, weights), inputs, targets)
    table = {}
    for name, w, grad, its in zip(
        "WUbVc", weights, by_hand(layer, weights, inputs, targets)[1], by_keras, strict=True
    ):
        slope = np.zeros_like(w)
        for place in np.ndindex(w.shape):
            for step in (STEP, -STEP):
                w[place] += step
                slope[place] += by_hand(layer, weights, inputs, targets)[0] / (2 * step)
                w[place] -= step
        table[name] = [np.abs(each).max() for each in (grad, grad - its, grad - slope)]
    columns = ["largest", "off Keras'", "off the loss's slope"]
    return pd.DataFrame.from_dict(table, orient="index", columns=columns)
