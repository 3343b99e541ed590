"""The arithmetic of utils.fused: layers over all steps, with gradients written out, on a CPU.

- All products of a step that share their input are one, biases included: K' [x_t; 1; h_{t-1}].
- The batch is the last axis: gates are blocks of rows, which TensorFlow splits without copying.
- A step back is two products and a dozen element-wise operations.

There are no gradients of gradients. Source: the LSTM of Gers et al. (2000); the GRU of Cho et al.
(2014), in the form of cuDNN.
"""

import tensorflow as tf


def simple_step(a, h):
    """Take a = K' [x; 1; h], (rows, batch); return new states, and what `simple_back` takes."""
    h = tf.tanh(a)
    return [h], [h]


def simple_back(dh, past, h):
    """Return the gradients of the products, of h_{t-1} beside these (if any), of other states."""
    return [tf.raw_ops.TanhGrad(y=h, dy=dh)], []


def gru_step(gates, from_h, from_x, h):
    gates = tf.sigmoid(gates)
    z, r = tf.split(gates, 2)
    candidate = tf.tanh(from_x + r * from_h)
    return [candidate + z * (h - candidate)], [gates, from_h, candidate]


def gru_back(dh, h, gates, from_h, candidate):
    z, r = tf.split(gates, 2)
    past = dh * z  # what goes to h_{t-1} beside the products
    d_candidate = tf.raw_ops.TanhGrad(y=candidate, dy=dh - past)
    d_gates = tf.concat([dh * (h - candidate), d_candidate * from_h], 0)
    return [tf.raw_ops.SigmoidGrad(y=gates, dy=d_gates), d_candidate * r, d_candidate], [past]


def lstm_step(a, h, c):
    gates, candidate = tf.sigmoid(a[: -h.shape[0]]), tf.tanh(a[-h.shape[0] :])
    i, f, o = tf.split(gates, 3)
    new = f * c + i * candidate
    seen = tf.tanh(new)
    return [o * seen, new], [gates, candidate, c, seen]


def lstm_back(dh, dc, _, gates, candidate, c, seen):
    i, f, o = tf.split(gates, 3)
    dc += tf.raw_ops.TanhGrad(y=seen, dy=dh * o)
    d_gates = tf.raw_ops.SigmoidGrad(y=gates, dy=tf.concat([dc * candidate, dc * c, dh * seen], 0))
    return [tf.concat([d_gates, tf.raw_ops.TanhGrad(y=candidate, dy=dc * i)], 0)], [], dc * f


def _scan(step, states, given, rows, steps, order):
    """Run `step` over time, back if `order` is -1; return the last states, and what is kept.

    What is given and kept are lists of a tensor per step, or in a loop of the graph TensorArrays.
    """
    if isinstance(steps, int):
        kept = [[None] * steps for _ in rows]
        for t in range(steps)[::order]:
            states, new = step(states, [values[t] for values in given])
            for values, n in zip(kept, new, strict=True):
                values[t] = n
        return states, kept

    def body(done, states, kept):
        t = done if order == 1 else steps - 1 - done
        states, new = step(states, [array.read(t) for array in given])
        return done + 1, states, [array.write(t, n) for array, n in zip(kept, new, strict=True)]

    kept = [tf.TensorArray(given[0].dtype, steps, element_shape=(row, None)) for row in rows]
    return tf.while_loop(lambda done, *_: done < steps, body, (0, states, kept))[1:]


def recur(step, back, used, streams, steps, x, blocks, states):
    """Run a layer; return all values of its first states (steps, units, batch), then all last ones.

    All values are wanted of so many states as there are `streams`. A block is (first row, end, K),
    for the product K' [x; 1; h][first row : end], where x (steps, features + 1, batch) has the 1;
    `used` are the rows of each tensor that `back` takes from `step`, in units.
    """
    units, inputs = states[0].shape[0], x.shape[1]
    rows = [slice(first, end) for first, end, _ in blocks]
    of_x, of_h = ([k for k, block in enumerate(blocks) if not block[side]] for side in (0, 1))

    @tf.custom_gradient
    def run(x, states, weights):
        def forward(states, now):
            v = tf.concat([now[0], states[0]], 0)
            products = map(lambda w, row: tf.matmul(w, v[row], transpose_a=True), weights, rows)
            new, for_back = step(*products, *states)
            return new, [*new[:streams], v, *for_back]

        def backward(carried, now):
            (d_states, d_weights), (v, *for_back) = carried, now[streams:]
            d_states = [d + now[k] if k < streams else d for k, d in enumerate(d_states)]
            da, beside, *others = back(*d_states, v[inputs:], *for_back)
            dh = tf.add_n([*beside, *[tf.matmul(weights[k][-units:], da[k]) for k in of_h]])
            new = map(lambda row, d: tf.matmul(v[row], d, transpose_b=True), rows, da)
            return [[dh, *others], [d + n for d, n in zip(d_weights, new, strict=True)]], da

        sizes = [*[units] * streams, inputs + units, *[units * count for count in used]]
        last, kept = _scan(forward, states, arrays([x]), sizes, steps, 1)

        def gradients(*upstream):
            carried = [list(upstream[streams:]), list(map(tf.zeros_like, weights))]
            given, rows = arrays(upstream[:streams]) + kept[streams:], [w.shape[1] for w in weights]
            carried, da = _scan(backward, carried, given, rows, steps, -1)
            return tf.add_n([tf.matmul(weights[k][:inputs], stack(da[k])) for k in of_x]), *carried

        return (*map(stack, kept[:streams]), *last), gradients

    def arrays(values):
        if isinstance(steps, int):
            return [tf.unstack(value, steps) for value in values]
        return [tf.TensorArray(x.dtype, steps).unstack(value) for value in values]

    def stack(values):
        return tf.stack(values) if isinstance(steps, int) else values.stack()

    return run(x, states, [weights for *_, weights in blocks])


@tf.custom_gradient
def block_lstm(x, h, c, weights, bias):
    """Return all h and c (steps, batch, units); the gradient that TensorFlow has of it is wrong."""
    given = {"x": x, "h_prev": h, "cs_prev": c, "w": weights, "b": bias, "use_peephole": False}
    given |= dict.fromkeys(("wci", "wcf", "wco"), tf.zeros(h.shape[1]))  # peepholes, not used
    given["seq_len_max"] = tf.shape(x, "int64")[0]
    kept = tf.raw_ops.BlockLSTMV2(**given)._asdict()

    def gradients(dh, dc):
        d = tf.raw_ops.BlockLSTMGradV2(**given, **kept, h_grad=dh, cs_grad=dc)
        sums = d.w_grad, d.b_grad  # of no sequences, they aren't set
        if not x.shape[1]:
            sums = [tf.math.multiply_no_nan(d, tf.cast(tf.size(h) > 0, h.dtype)) for d in sums]
        return d.x_grad, d.h_prev_grad, d.cs_prev_grad, *sums

    return (kept["h"], kept["cs"]), gradients
