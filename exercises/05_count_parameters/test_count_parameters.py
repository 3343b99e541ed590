import utils
from exercises.compare import same

import keras
import pytest


def in_keras(layer, features, units):
    kind = layer.split()[-1]
    built = getattr(keras.layers, kind)(units)
    if layer.startswith("Bidirectional"):
        built = keras.layers.Bidirectional(built)
    built.build((None, None, features))
    return built.count_params()


@pytest.mark.parametrize("layer", ["SimpleRNN", "LSTM", "GRU", "Bidirectional LSTM"])
def test_count(yours, layer):
    products = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4, "Bidirectional LSTM": 8}[layer]
    for features, units in [(1, 1), (2, 7), (10, 3)]:
        mistakes = {
            "without the biases": products * units * (features + units),
            "without the recurrent weights": products * units * (features + 1),
        }
        if layer == "GRU":
            mistakes["with one bias; Keras' GRU has two"] = 3 * units * (features + units + 1)
        what = f"{layer}, {features} features, {units} units"
        same(what, yours.count(layer, features, units), in_keras(layer, features, units), mistakes)
