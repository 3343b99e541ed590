"""Which came first, A or B? A network must see the order of its inputs to answer."""

import keras
import numpy as np
from keras import layers

STEPS, SYMBOLS = 12, 6  # A and B, and four others


def sequences(number, rng):
    """Return inputs (number, STEPS, SYMBOLS), 1-of-N, and answers (number,): 1 if A comes first."""
    symbols = rng.integers(2, SYMBOLS, (number, STEPS))
    places = np.array([rng.permutation(STEPS)[:2] for _ in range(number)])  # of A and of B
    np.put_along_axis(symbols, places, np.tile([0, 1], (number, 1)), axis=1)
    return np.eye(SYMBOLS, dtype="float32")[symbols], (places[:, 0] < places[:, 1]).astype(int)


def without_order():
    """Return a network that takes the mean over the steps, and so can't see their order."""
    inputs = keras.Input((STEPS, SYMBOLS))
    x = layers.Dense(16, activation="tanh")(inputs)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))


def with_order():
    """Return a network like the one above, but one that can see the order."""
    raise NotImplementedError


def accuracy(network, seed=0):
    """Train a network; return its share of right answers to new sequences."""
    keras.utils.set_random_seed(seed)
    network.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    network.fit(*sequences(3000, np.random.default_rng(seed)), epochs=8, verbose=0)
    return network.evaluate(*sequences(1000, np.random.default_rng([seed, 1])), verbose=0)[1]


if __name__ == "__main__":
    print(f"without order: {accuracy(without_order()):.0%} right")
    print(f"with order:    {accuracy(with_order()):.0%} right")
