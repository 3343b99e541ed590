"""What does Keras do all day? The three recurrent networks as plain loops in NumPy.

A step of each layer, the loop over time, and backpropagation through time: from the last step to
the first, each hands the gradient on and adds its share to that of the weights they all use.

    python from_scratch.py                  # a simple recurrent layer learns the noisy sine
    python from_scratch.py --layer lstm     # or gru
    python from_scratch.py --check          # every gradient, beside Keras' and the loss's own slope

The weights have Keras' shapes: W (1, n * units), U (units, n * units) and b (n * units,) of n
products side by side, one in the simple layer, z r n in the GRU (b has two rows, for x and for h),
i f g o in the LSTM; then V (units, 1) and c (1,) of an output layer. Keras starts from the same and
must reach the same loss.
"""

from utils import cli
from utils.series import sine

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from scipy.special import expit as sigmoid

INPUT_STEPS, UNITS, BATCH_SIZE, LEARNING_RATE, CLIP_NORM = 30, 32, 64, 0.003, 1.0
TEST = 600  # windows at the end that are not trained on

# ------------------------------------------------------------------ a step, forward and backward
# d_x is the gradient of the loss by x; `seen` is what the backward step needs from the forward one


def simple_step(x, states, W, U, b):
    (h_prev,) = states
    h = np.tanh(x @ W + h_prev @ U + b)  # (batch, units)
    return (h,), (x, h_prev, h)


def simple_back(d_states, seen, W, U, b):
    (d_h,), (x, h_prev, h) = d_states, seen
    d_a = d_h * (1 - h**2)  # through tanh
    return (d_a @ U.T,), (x.T @ d_a, h_prev.T @ d_a, d_a.sum(axis=0))


def lstm_step(x, states, W, U, b):
    h_prev, c_prev = states
    a_i, a_f, a_g, a_o = np.split(x @ W + h_prev @ U + b, 4, axis=1)  # each (batch, units)
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
    c = f * c_prev + i * g  # the memory: f keeps, i writes
    h = o * np.tanh(c)  # o reads
    return (h, c), (x, h_prev, c_prev, i, f, g, o, c)


def lstm_back(d_states, seen, W, U, b):
    (d_h, d_c), (x, h_prev, c_prev, i, f, g, o, c) = d_states, seen
    d_c = d_c + d_h * o * (1 - np.tanh(c) ** 2)  # c went to the next step, and into h
    d_i, d_f, d_g, d_o = d_c * g, d_c * c_prev, d_c * i, d_h * np.tanh(c)
    parts = d_i * i * (1 - i), d_f * f * (1 - f), d_g * (1 - g**2), d_o * o * (1 - o)
    d_a = np.concatenate(parts, axis=1)  # (batch, 4 * units)
    return (d_a @ U.T, d_c * f), (x.T @ d_a, h_prev.T @ d_a, d_a.sum(axis=0))


def gru_step(x, states, W, U, b):  # b (2, 3 * units): one for x's products, one for h's
    (h_prev,) = states
    a_z, a_r, a_n = np.split(x @ W + b[0], 3, axis=1)  # each (batch, units)
    m_z, m_r, m_n = np.split(h_prev @ U + b[1], 3, axis=1)
    z, r = sigmoid(a_z + m_z), sigmoid(a_r + m_r)
    n = np.tanh(a_n + r * m_n)  # the new content
    h = z * h_prev + (1 - z) * n
    return (h,), (x, h_prev, z, r, n, m_n)


def gru_back(d_states, seen, W, U, b):
    (d_h,), (x, h_prev, z, r, n, m_n) = d_states, seen
    d_z = d_h * (h_prev - n) * z * (1 - z)
    d_n = d_h * (1 - z) * (1 - n**2)
    d_r = d_n * m_n * r * (1 - r)
    d_a = np.concatenate([d_z, d_r, d_n], axis=1)  # (batch, 3 * units)
    d_m = np.concatenate([d_z, d_r, d_n * r], axis=1)
    d_b = np.stack([d_a.sum(axis=0), d_m.sum(axis=0)])
    return (d_h * z + d_m @ U.T,), (x.T @ d_a, h_prev.T @ d_m, d_b)


LAYERS = {  # step forward, step backward, products, states, in Keras
    "simple": (simple_step, simple_back, 1, 1, "SimpleRNN"),
    "lstm": (lstm_step, lstm_back, 4, 2, "LSTM"),
    "gru": (gru_step, gru_back, 3, 1, "GRU"),
}

# ------------------------------------------------------------------ the loop over time, and back


def start(layer, units, rng):
    """Return weights W, U, b, V, c drawn as Keras draws them: random, U orthogonal, b zero."""
    width = LAYERS[layer][2] * units
    W, V = (rng.uniform(-1, 1, (m, n)) * np.sqrt(6 / (m + n)) for m, n in [(1, width), (units, 1)])
    U = np.linalg.qr(rng.normal(size=(width, units)))[0].T
    b = np.zeros((2, width) if layer == "gru" else width)
    b[units : 2 * units] = layer == "lstm"  # its forget gate starts open
    return [W, U, b, V, np.zeros(1)]


def forward(layer, weights, inputs):
    """Return outputs (batch, 1) of inputs (batch, steps, 1), the last states, what steps saw."""
    *recurrent, V, c = weights
    step, _, _, n_states, _ = LAYERS[layer]
    states, seen = (np.zeros((len(inputs), len(V))),) * n_states, []  # an empty memory
    for x in inputs.swapaxes(0, 1):  # x (batch, 1)
        states, seen_now = step(x, states, *recurrent)
        seen.append(seen_now)
    return states[0] @ V + c, states, seen


def gradients(layer, weights, inputs, targets):
    """Return the mean squared error and its gradient by each of the weights, through time."""
    *recurrent, V, _ = weights
    outputs, states, seen = forward(layer, weights, inputs)
    d_outputs = 2 * (outputs - targets) / len(targets)  # (batch, 1)
    d_states = (d_outputs @ V.T, *(np.zeros_like(state) for state in states[1:]))
    d_weights = [np.zeros_like(w) for w in recurrent]
    for seen_then in reversed(seen):  # the last step first
        d_states, d_now = LAYERS[layer][1](d_states, seen_then, *recurrent)
        d_weights = [total + now for total, now in zip(d_weights, d_now, strict=True)]
    d_weights += [states[0].T @ d_outputs, d_outputs.sum(axis=0)]  # by V, by c
    return np.mean((outputs - targets) ** 2), d_weights


def clip(grads, norm):
    """Shorten the gradients, seen as one long vector, to this norm if they are longer."""
    length = np.sqrt(sum(np.sum(grad**2) for grad in grads))
    return [grad * norm / max(length, norm) for grad in grads]


def adam(weights, grads, memory):
    """Move the weights by one step of Adam (Kingma & Ba, 2015); `memory` is {} before the first."""
    memory["t"] = t = memory.get("t", 0) + 1
    for k, (w, grad) in enumerate(zip(weights, grads, strict=True)):
        m, v = memory.get(k, (0, 0))
        m = 0.9 * m + 0.1 * grad  # where the gradients have pointed lately
        v = 0.999 * v + 0.001 * grad**2  # and how large they were
        memory[k] = m, v
        w -= LEARNING_RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)


def learn(layer, weights, inputs, targets, orders):
    """Train the weights in place, one epoch per order of the windows; return the mean losses."""
    memory, losses = {}, []
    for batch in np.reshape(orders, (-1, BATCH_SIZE)):
        loss, grads = gradients(layer, weights, inputs[batch], targets[batch])
        adam(weights, clip(grads, CLIP_NORM), memory)
        losses.append(loss)
    return np.reshape(losses, (len(orders), -1)).mean(axis=1)


# ------------------------------------------------------------------ the same in Keras


def keras_network(layer, weights):
    """Return the same network in Keras, with these weights, Adam and clipping."""
    recurrent = getattr(keras.layers, LAYERS[layer][-1])(len(weights[-2]))
    model = keras.Sequential([keras.Input((None, 1)), recurrent, keras.layers.Dense(1)])
    model.set_weights(weights)
    model.compile(keras.optimizers.Adam(LEARNING_RATE, global_clipnorm=CLIP_NORM), "mse")
    return model


def check(layer, rng, units=4, step=1e-5):
    """Compare the gradients with Keras', and with how the loss moves when a weight does.

    Returns a row per weight: the largest number in its gradient, the largest distance from Keras'
    number, and from the slope of the loss (central differences).
    """
    weights = [w + rng.normal(0, 0.3, w.shape) for w in start(layer, units, rng)]
    inputs, targets = rng.normal(size=(8, 12, 1)), rng.normal(size=(8, 1))
    model = keras_network(layer, weights)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(inputs) - targets))
    by_keras = map(np.asarray, tape.gradient(loss, [w.value for w in model.weights]))
    by_hand = gradients(layer, weights, inputs, targets)[1]
    table = pd.DataFrame(index=["largest", "off Keras'", "off the loss's slope"])
    for name, w, grad, its in zip("WUbVc", weights, by_hand, by_keras, strict=True):
        slope = np.zeros_like(w)
        for place in np.ndindex(w.shape):
            for move in (step, -step):
                w[place] += move
                slope[place] += gradients(layer, weights, inputs, targets)[0] / (2 * move)
                w[place] -= move
        table[name] = [np.abs(numbers).max() for numbers in (grad, grad - its, grad - slope)]
    return table.T


def main(argv=None):
    """Train by hand and by Keras, on the same windows in the same order; return the losses."""
    parser = cli.Parser(prog="from_scratch.py", description=__doc__.splitlines()[0])
    parser.add_argument("--layer", choices=LAYERS, default="simple")
    parser.add_argument("--check", action="store_true", help="compare the gradients; no training")
    parser.add_argument("--epochs", type=cli.whole_number(1), default=8)
    parser.add_argument("--seed", type=cli.whole_number(0), default=0, help="of data and weights")
    args = parser.parse_args(argv)
    layer, rng = args.layer, np.random.default_rng(args.seed)
    if args.check:
        print(check(layer, rng).to_string())
        return None
    values = sine.simulated(4000, args.seed).to_numpy()
    windows = np.lib.stride_tricks.sliding_window_view(values, INPUT_STEPS + 1)[..., None]
    inputs, targets = windows[:, :-1], windows[:, -1]  # (windows, INPUT_STEPS, 1), (windows, 1)
    train = (len(windows) - TEST) // BATCH_SIZE * BATCH_SIZE
    orders = [rng.permutation(train) for _ in range(args.epochs)]
    weights = start(layer, UNITS, rng)
    model = keras_network(layer, weights)  # before they are trained
    losses = pd.DataFrame({"NumPy": learn(layer, weights, inputs, targets, orders)})
    losses["Keras"] = [
        model.fit(inputs[o], targets[o], BATCH_SIZE, shuffle=False, verbose=0).history["loss"][0]
        for o in orders
    ]
    losses.index = [f"epoch {epoch + 1}" for epoch in losses.index]
    x, y = inputs[-TEST:], targets[-TEST:]
    outputs = forward(layer, weights, x)[0], model.predict_on_batch(x)
    losses.loc["test"] = [np.mean((predicted - y) ** 2) for predicted in outputs]
    print(losses.to_string(float_format="{:.5f}".format))
    return losses


if __name__ == "__main__":
    cli.run(main, "from_scratch.py")
