def count(layer, features, units):
    """Return the number of weights, biases included."""
    simple = units * (features + units + 1)  # W, U, b
    return {
        "SimpleRNN": simple,
        "GRU": 3 * simple + 3 * units,  # Keras adds a bias to the products of h, too
        "LSTM": 4 * simple,
        "Bidirectional LSTM": 2 * 4 * simple,
    }[layer]
