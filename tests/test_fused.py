import itertools
import subprocess
import sys

from utils import fused

import keras
import numpy as np
import pytest
import tensorflow as tf

NAMES = ["SimpleRNN", "GRU", "LSTM"]
LAYERS = [*zip(NAMES, ["float64"] * 3, strict=True), ("LSTM", "float32")]  # which is another path
UNITS = 4
RIGHT_PADDED = np.arange(7) < np.array([7, 3, 1, 0, 5])[:, None]  # one sequence has no steps
HOLES = np.random.default_rng(1).random((5, 7)) < 0.5
OTHER = [{"recurrent_dropout": 0.5}, {"activation": "relu"}, {"dtype": "mixed_bfloat16"}]
EXACT = {"float64": 1e-12, "float32": 1e-5}


def pair(name, shape, dtype="float64", **arguments):
    """Return Keras' layer and ours, with the same random weights, biases included."""
    rng = np.random.default_rng(0)
    both = [getattr(of, name)(UNITS, dtype=dtype, **arguments) for of in (keras.layers, fused)]
    for layer in both:
        layer.build(shape)
    weights = [rng.normal(size=weight.shape) / 2 for weight in both[0].weights]
    for layer in both:
        layer.set_weights(weights)
    return both


def outputs_and_gradients(layer, x, states, mask, unknown):
    """Return all outputs of a layer, then the gradients of the inputs, states and weights."""

    def run(x, *states):
        sources = [x, *states, *[weight.value for weight in layer.weights]]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            outputs = layer(x, mask=mask, initial_state=list(states) or None)
            loss = sum(tf.reduce_sum(tf.cumsum(tf.cumsum(o, 1), 0) ** 2) for o in outputs)
        return [*outputs, *tape.gradient(loss, sources)]

    shapes = [(*[None] * (value.ndim - 1), value.shape[-1]) for value in (x, *states)]
    signature = [tf.TensorSpec(shape, x.dtype) for shape in shapes] if unknown else None
    return [value.numpy() for value in tf.function(run, input_signature=signature)(x, *states)]


def assert_same(name, shape=(5, 7, 3), mask=None, start=False, unknown=False, **arguments):
    rng, dtype = np.random.default_rng(3), arguments.setdefault("dtype", "float64")
    x = rng.normal(size=shape).astype(dtype)
    count = 0 if not start else 2 if name == "LSTM" else 1
    states = [rng.normal(size=(shape[0], UNITS)).astype(dtype) for _ in range(count)]
    layers = pair(name, x.shape, return_state=True, **arguments)
    expected, actual = (outputs_and_gradients(of, x, states, mask, unknown) for of in layers)
    for right, found in zip(expected, actual, strict=True):
        assert found.shape == right.shape
        assert np.abs(found - right).max() <= EXACT[dtype] * np.abs(right).max()


@pytest.mark.parametrize("sequences, backwards", [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("mask", [None, RIGHT_PADDED, HOLES], ids=["whole", "padded", "holes"])
@pytest.mark.parametrize("name, dtype", LAYERS)
def test_same_outputs_and_gradients_as_keras(name, dtype, mask, sequences, backwards):
    wanted = {"return_sequences": sequences, "go_backwards": backwards}
    assert_same(name, dtype=dtype, mask=mask, start=True, **wanted)


CASES = [
    {"dtype": "float32", "shape": (17, 24, 1)},
    {"shape": (5, 1, 3)},
    {"shape": (fused.LARGE_BATCH + 1, 4, 3), "start": True, "return_sequences": True},
    {"shape": (1, 7, 3), "use_bias": False},
    {"unroll": True, "return_sequences": True, "start": True},
    {"unroll": True, "mask": HOLES, "go_backwards": True},
    {"mask": RIGHT_PADDED, "zero_output_for_mask": True, "return_sequences": True},
    {"mask": RIGHT_PADDED[:, ::-1], "zero_output_for_mask": True},
    {"unknown": True, "start": True, "return_sequences": True},
    {"unknown": True, "mask": RIGHT_PADDED, "go_backwards": True},
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: ", ".join(case))
@pytest.mark.parametrize("name, dtype", LAYERS)
def test_same_in_special_cases(name, dtype, case):
    assert_same(name, **{"dtype": dtype, **case})


@pytest.mark.parametrize(
    "name, arguments", [*itertools.product(NAMES, OTHER), ("GRU", {"reset_after": False})], ids=str
)
def test_anything_else_is_left_to_keras(name, arguments):
    x = np.random.default_rng(0).normal(size=(2, 3, 1))
    theirs, ours = pair(name, x.shape, **{"dtype": "float32", **arguments})
    np.testing.assert_array_equal(tf.cast(ours(x), "float32"), tf.cast(theirs(x), "float32"))


def network(layers):
    """Return tokens -> a number: an embedding with a mask, a stack, both directions."""
    tokens = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(9, 3, mask_zero=True)
    both = keras.layers.Bidirectional(layers.LSTM(4, return_sequences=True))
    stack = [layers.GRU(5, return_sequences=True, dropout=0.2), layers.SimpleRNN(6)]
    return keras.Sequential([tokens, vectors, both, *stack, keras.layers.Dense(1)])


TOKENS = np.array([[1, 2, 3, 4, 5], [6, 7, 0, 0, 0], [8, 0, 0, 0, 0]])


@pytest.mark.parametrize("saved, built", [(fused, keras.layers), (keras.layers, fused)])
def test_a_model_saved_with_one_loads_with_the_other(saved, built, tmp_path):
    model, other = network(saved), network(built)
    model.save(tmp_path / "model.keras")
    other.load_weights(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    for same in (other, loaded):
        np.testing.assert_allclose(same(TOKENS), model(TOKENS), rtol=1e-5, atol=1e-6)
    types = {type(layer) for layer in [loaded.layers[1].forward_layer, *loaded.layers[2:4]]}
    assert types == {saved.LSTM, saved.GRU, saved.SimpleRNN}


def test_plain_keras_loads_a_model_saved_with_ours(tmp_path):
    model = network(fused)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "tokens.npy", TOKENS)
    code = "import keras, numpy; model = keras.saving.load_model('model.keras', safe_mode=True);"
    code += "numpy.save('answers.npy', model(numpy.load('tokens.npy')))"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=tmp_path)
    answers = np.load(tmp_path / "answers.npy")
    np.testing.assert_allclose(answers, model(TOKENS), rtol=1e-5, atol=1e-6)


def test_a_network_learns_alike_in_fit():
    models = [
        keras.Sequential([keras.Input((6, 2)), of.GRU(4), keras.layers.Dense(1)])
        for of in (keras.layers, fused)
    ]
    models[1].set_weights(models[0].get_weights())
    x = np.random.default_rng(0).normal(size=(70, 6, 2))  # the last batch is smaller
    for model in models:
        model.compile("adam", "mse", steps_per_execution=2)
        model.fit(x, x[:, 0, 0], batch_size=32, epochs=3, shuffle=False, verbose=0)
    for right, found in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-4, atol=1e-5)


def test_dropout_drops_an_input_at_all_steps_in_training_only():
    x, ones = np.ones((1000, 3, 1), "float32"), {"kernel_initializer": "ones"}
    layer = fused.SimpleRNN(1, dropout=0.5, recurrent_initializer="zeros", **ones)
    values = np.unique(np.round(layer(x, training=True), 5))
    np.testing.assert_allclose(values, [0, np.tanh(2)], atol=1e-4)
    np.testing.assert_allclose(layer(x), np.tanh(1), rtol=1e-5)


def test_a_stateful_layer_goes_on_where_it_was():
    x = np.random.default_rng(0).normal(size=(2, 6, 3))
    whole = pair("LSTM", x.shape)[1]
    parts = pair("LSTM", x.shape, stateful=True)[1]
    parts(x[:, :2])
    np.testing.assert_allclose(parts(x[:, 2:]), whole(x), rtol=1e-12)


def test_gradient_through_a_loop_around_the_layer():
    theirs, ours = pair("GRU", (2, 5, UNITS), return_sequences=True)
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 5, UNITS)))

    @tf.function
    def gradient(layer):
        with tf.GradientTape() as tape:
            tape.watch(x)
            last = tf.while_loop(lambda n, _: n < 3, lambda n, v: (n + 1, layer(v)), (0, x))[1]
        return tape.gradient(last, x)

    np.testing.assert_allclose(gradient(ours), gradient(theirs), rtol=1e-10)
