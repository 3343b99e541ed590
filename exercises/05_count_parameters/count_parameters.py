"""How many weights has a recurrent layer?"""


def count(layer, features, units):
    """Return the number of weights, biases included.

    Args:
        layer: "SimpleRNN", "GRU" or "LSTM", as in Keras; or "Bidirectional LSTM", two LSTMs with
            `units` each.
        features: numbers that come in per step.
        units: numbers that the layer holds.
    """
    raise NotImplementedError
