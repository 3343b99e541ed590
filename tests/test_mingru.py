from utils.cells import MinGRU, linear_scan

import numpy as np
import pytest
import tensorflow as tf

BATCH, STEPS, FEATURES, UNITS = 4, 13, 3, 5
MASK = np.arange(STEPS) < np.array([13, 7, 1, 9])[:, None]
MASK[0, 4:6] = False


def layer(**arguments):
    """Return a MinGRU with random weights."""
    rng = np.random.default_rng(0)
    made = MinGRU(UNITS, dtype="float64", **arguments)
    made.build((None, None, FEATURES))
    made.set_weights([rng.normal(size=weight.shape) for weight in made.weights])
    return made


X = np.random.default_rng(1).normal(size=(BATCH, STEPS, FEATURES))
START = np.random.default_rng(2).normal(size=(BATCH, UNITS))


def numpy_states(x, h, mask):
    """Return all states (batch, steps, units), by the equations of the docstring."""
    kernel, bias = layer().get_weights()
    states = []
    for t in range(x.shape[1]):
        a, new = np.split(x[:, t] @ kernel + bias, 2, axis=1)
        z = 1 / (1 + np.exp(-a))
        h = np.where(mask[:, t, None], (1 - z) * h + z * new, h)
        states.append(h)
    return np.stack(states, axis=1)


@pytest.mark.parametrize("backwards", [False, True])
def test_states_are_those_of_the_equations(backwards):
    there = slice(None, None, -1 if backwards else 1)
    expected = numpy_states(X[:, there], START, MASK[:, there])
    made = layer(go_backwards=backwards, return_sequences=True, return_state=True)
    outputs, last = made(X, initial_state=[START], mask=MASK)
    np.testing.assert_allclose(outputs, expected, rtol=1e-10)
    np.testing.assert_allclose(last, expected[:, -1], rtol=1e-10)


@pytest.mark.parametrize("steps", [1, 2, 8, 13])
@pytest.mark.parametrize("known", [True, False])
def test_the_scan_is_the_loop_gradients_included(steps, known):
    def loop(keep, new):
        h = [0 * keep[:, 0] + new[:, 0]]
        for t in range(1, steps):
            h.append(keep[:, t] * h[-1] + new[:, t])
        return tf.stack(h, axis=1)

    rng = np.random.default_rng(3)
    keep, new, weights = rng.normal(size=(3, BATCH, steps, UNITS))

    def outputs_and_gradients(run):
        signature = tf.TensorSpec((None, steps if known else None, UNITS), "float64")

        @tf.function(input_signature=[signature] * 2)
        def of(*sources):
            with tf.GradientTape() as tape:
                tape.watch(sources)
                h = run(*sources)
                loss = tf.reduce_sum(h * weights)
            return h, tape.gradient(loss, sources)

        return tf.nest.flatten(of(keep, new))

    pairs = zip(outputs_and_gradients(linear_scan), outputs_and_gradients(loop), strict=True)
    for scanned, looped in pairs:
        np.testing.assert_allclose(scanned, looped, rtol=1e-9, atol=1e-12)
