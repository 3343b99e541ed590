"""Keras' recurrent layers, faster on a CPU: `from utils.fused import GRU, LSTM, SimpleRNN`.

The constructors, the weights and the results are Keras' own, and so is a saved model: plain Keras
loads it as its own layers. What makes a training step faster:

- All products of a step that share their input are one, biases included: K' [x_t; 1; h_{t-1}].
- The batch is the last axis: gates are blocks of rows, which TensorFlow splits without copying.
- The gradient is written out: a step back is two products and a dozen element-wise operations.
- Up to `UNROLLED` steps there is no loop: TensorFlow's costs more than a small step does.
- A large batch is halved: the halves don't wait for each other, so that two threads have work.
- Masked steps are sorted to the end of their sequence: the loop needs no mask.

All else runs Keras' own code: a GPU, recurrent dropout, other activations, half precision,
`unroll=True`, a GRU with `reset_after=False`, a backend that isn't TensorFlow. There are no
gradients of gradients.

Source: Hochreiter & Schmidhuber, "Long short-term memory" (1997), with the forget gate of Gers et
al. (2000); Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014), with the
reset gate after the product, as in cuDNN.
"""

# mypy: disable-error-code="attr-defined, call-arg, misc"

import utils  # noqa: F401  keeps TensorFlow's start-up lines off the screen

import keras
from keras import layers

ON_TENSORFLOW = keras.config.backend() == "tensorflow"
if ON_TENSORFLOW:
    import tensorflow as tf

UNROLLED = 64  # steps at most: each takes milliseconds to trace
HALVED = 128  # sequences in a batch, at least

# ------------------------------------------ a step, and back; all tensors are (rows, batch)


def _simple_step(a, h):
    """Take a = K' [x; 1; h]; return the new states, and what `_simple_back` takes."""
    h = tf.tanh(a)
    return [h], [h]


def _simple_back(dh, h):
    """Return the gradients of the products, of h_{t-1} beside these (if any), of other states."""
    return [tf.raw_ops.TanhGrad(y=h, dy=dh)], []


def _gru_step(gates, from_h, from_x, h):
    z, r = tf.split(tf.sigmoid(gates), 2)
    candidate = tf.tanh(from_x + r * from_h)
    gap = h - candidate
    return [candidate + z * gap], [z, r, from_h, candidate, gap]


def _gru_back(dh, z, r, from_h, candidate, gap):
    past = dh * z
    d_candidate = tf.raw_ops.TanhGrad(y=candidate, dy=dh - past)
    dz = tf.raw_ops.SigmoidGrad(y=z, dy=dh * gap)
    dr = tf.raw_ops.SigmoidGrad(y=r, dy=d_candidate * from_h)
    return [tf.concat([dz, dr], 0), d_candidate * r, d_candidate], [past]


def _lstm_step(a, h, c):
    units = h.shape[0]
    i, f, o = tf.split(tf.sigmoid(a[: 3 * units]), 3)
    candidate = tf.tanh(a[3 * units :])
    new = f * c + i * candidate
    seen = tf.tanh(new)
    return [o * seen, new], [i, f, o, candidate, c, seen]


def _lstm_back(dh, dc, i, f, o, candidate, c, seen):
    dc += tf.raw_ops.TanhGrad(y=seen, dy=dh * o)
    di = tf.raw_ops.SigmoidGrad(y=i, dy=dc * candidate)
    df = tf.raw_ops.SigmoidGrad(y=f, dy=dc * c)
    do = tf.raw_ops.SigmoidGrad(y=o, dy=dh * seen)
    d_candidate = tf.raw_ops.TanhGrad(y=candidate, dy=dc * i)
    return [tf.concat([di, df, do, d_candidate], 0)], [], dc * f


# ------------------------------------------ all steps


def _scan(step, states, given, rows, steps, order):
    """Run `step` over time; return the final states and what it kept, in the form of `given`.

    Args:
        step: of the states and what is given at a time -> new states, and what is kept.
        states: tensors.
        given: lists of tensors, if `steps` is an integer: without a loop; else TensorArrays.
        rows: of each tensor that is kept.
        steps: number of time steps.
        order: 1, or -1 if the last step comes first.
    """
    if isinstance(steps, int):
        kept = [None] * steps
        for t in range(steps)[::order]:
            states, kept[t] = step(states, [tensors[t] for tensors in given])
        return states, list(zip(*kept, strict=True))

    def body(done, states, kept):
        t = done if order == 1 else steps - 1 - done
        states, new = step(states, [array.read(t) for array in given])
        return done + 1, states, [array.write(t, n) for array, n in zip(kept, new, strict=True)]

    kept = [tf.TensorArray(given[0].dtype, steps, element_shape=(row, None)) for row in rows]
    return tf.while_loop(lambda done, *_: done < steps, body, (0, states, kept))[1:]


def _recur(step, back, used, streams, x, blocks, states):
    """Run a layer; return all values of its first states (steps, units, batch), then all last ones.

    Args:
        step: as `_simple_step`.
        back: as `_simple_back`.
        used: how many tensors `back` takes from `step`.
        streams: of how many states all values are wanted.
        x: (steps, features + 1, batch), the last row 1.
        blocks: (first row, end, K) for each product K' [x; 1; h][first row : end].
        states: at the start, each (units, batch).
    """
    units, inputs = states[0].shape[0], x.shape[1]
    steps = x.shape[0] if x.shape[0] and x.shape[0] <= UNROLLED else tf.shape(x)[0]
    rows = [slice(first, end) for first, end, _ in blocks]
    of_h = [k for k, row in enumerate(rows) if not row.stop]
    of_x = [k for k, row in enumerate(rows) if not row.start]

    def apart(a):
        known = isinstance(steps, int)
        return tf.unstack(a) if known else tf.TensorArray(a.dtype, steps).unstack(a)

    def together(a):
        return tf.stack(a) if isinstance(steps, int) else a.stack()

    @tf.custom_gradient
    def run(x, states, weights):
        def forward(states, now):
            v = tf.concat([now[0], states[0]], 0)
            products = map(lambda w, row: tf.matmul(w, v[row], transpose_a=True), weights, rows)
            new, for_back = step(*products, *states)
            return new, [*new[:streams], states[0], *for_back]

        def backward(carried, now):
            (d_states, d_weights), (x, h, *for_back) = carried, now[streams:]
            d_states = [d + now[k] if k < streams else d for k, d in enumerate(d_states)]
            da, beside, *others = back(*d_states, *for_back)
            dh = tf.add_n([*beside, *[tf.matmul(weights[k][-units:], da[k]) for k in of_h]])
            v = tf.concat([x, h], 0)
            new = map(lambda row, d: tf.matmul(v[row], d, transpose_b=True), rows, da)
            return [[dh, *others], [d + n for d, n in zip(d_weights, new, strict=True)]], da

        xs = apart(x)
        last, kept = _scan(forward, states, [xs], [units] * (streams + 1 + used), steps, 1)

        def gradients(*upstream):
            given = [*map(apart, upstream[:streams]), xs, *kept[streams:]]
            carried = [list(upstream[streams:]), list(map(tf.zeros_like, weights))]
            carried, da = _scan(backward, carried, given, [w.shape[1] for w in weights], steps, -1)
            dx = tf.add_n([tf.matmul(weights[k][:inputs], together(da[k])) for k in of_x])
            return dx, *carried

        return (*map(together, kept[:streams]), *last), gradients

    return run(x, states, [weights for *_, weights in blocks])


# ------------------------------------------ the layers


class _Fast:
    """Replaces the loop over time of the Keras layer that it is mixed into."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fast = (
            ON_TENSORFLOW
            and not tf.config.list_logical_devices("GPU")
            and self.activation is keras.activations.tanh
            and getattr(self, "recurrent_activation", None) in (None, keras.activations.sigmoid)
            and getattr(self, "reset_after", True)
            and not (self.recurrent_dropout or self.unroll)
            and self.compute_dtype in ("float32", "float64")
        )
        if self.fast:
            self.supports_jit = False  # XLA compiles for seconds, and gains nothing

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Return the last output, all outputs (if wanted), and the last states, as Keras does."""
        if not self.fast:
            return super().inner_loop(sequences, initial_state, mask=mask, training=training)
        states, mask = keras.tree.flatten(initial_state), keras.tree.flatten(mask)[0]
        if training and self.dropout:
            sequences *= self.cell.get_dropout_mask(sequences[:, 0])[:, None]
        if self.go_backwards:
            sequences = tf.reverse(sequences, [1])
        if mask is None:
            series, states = self._loop(sequences, states, int(self.return_sequences))
            return states[0], series[0] if series else states[0][:, None], states
        mask = tf.cast(tf.reverse(mask, [1]) if self.go_backwards else mask, "bool")
        place = tf.range(tf.shape(mask)[1])
        order = tf.argsort(tf.where(mask, place, place + tf.shape(mask)[1]))
        series, _ = self._loop(tf.gather(sequences, order, batch_dims=1), states, len(states))
        seen = tf.cumsum(tf.cast(mask, "int32"), 1)  # steps so far
        series = [tf.concat([s[:, None], v], 1) for s, v in zip(states, series, strict=True)]
        states = [tf.gather(values, seen[:, -1], batch_dims=1) for values in series]
        if not self.return_sequences:
            seen, mask = seen[:, -1:], mask[:, -1:]
        outputs = tf.gather(series[0], seen, batch_dims=1)
        shown = mask if self.zero_output_for_mask else seen > 0
        outputs = tf.where(shown[..., None], outputs, tf.zeros_like(outputs))
        return outputs[:, -1], outputs, states

    def _loop(self, sequences, states, streams):
        """Return all values of the first `streams` states, and the final ones, batch first."""
        x = tf.transpose(sequences, (1, 2, 0))
        x = tf.concat([x, tf.ones_like(x[:, :1])], 1)
        states = [tf.transpose(state) for state in states]
        kernel, bias = tf.convert_to_tensor(self.cell.kernel), self.cell.bias
        bias = 0 * kernel[:1] if bias is None else tf.reshape(bias, (-1, kernel.shape[1]))
        blocks = self._blocks(kernel, bias, tf.convert_to_tensor(self.cell.recurrent_kernel))
        batch = x.shape[2] or 0
        halved = batch >= HALVED and batch > self.units  # else, threads share each product
        parts = [slice(batch // 2), slice(batch // 2, None)] if halved else [slice(None)]
        outputs = [
            _recur(*self.CELL, streams, x[:, :, part], blocks, [state[:, part] for state in states])
            for part in parts
        ]
        outputs = [tf.concat(halves, -1) for halves in zip(*outputs, strict=True)]
        series = [tf.transpose(values, (2, 0, 1)) for values in outputs[:streams]]
        return series, [tf.transpose(state) for state in outputs[streams:]]


class SimpleRNN(_Fast, layers.SimpleRNN):
    """`keras.layers.SimpleRNN`; `__module__`: a saved model names Keras' layer."""

    __module__, CELL = "keras.layers", (_simple_step, _simple_back, 1)

    def _blocks(self, kernel, bias, recurrent):
        return [(0, None, tf.concat([kernel, bias, recurrent], 0))]


class LSTM(_Fast, layers.LSTM):
    """`keras.layers.LSTM`."""

    __module__, CELL = "keras.layers", (_lstm_step, _lstm_back, 6)

    def _blocks(self, kernel, bias, recurrent):
        i, f, candidate, o = tf.split(tf.concat([kernel, bias, recurrent], 0), 4, axis=1)
        return [(0, None, tf.concat([i, f, o, candidate], 1))]


class GRU(_Fast, layers.GRU):
    """`keras.layers.GRU`."""

    __module__, CELL = "keras.layers", (_gru_step, _gru_back, 5)

    def _blocks(self, kernel, bias, recurrent):
        features, gates = kernel.shape[0], 2 * self.units
        from_x = tf.concat([kernel, bias[:1]], 0)
        from_h = tf.concat([bias[-1:], recurrent], 0)
        both = [from_x[:-1, :gates], from_x[-1:, :gates] + from_h[:1, :gates], from_h[1:, :gates]]
        from_h, from_x = from_h[:, gates:], from_x[:, gates:]
        return [(0, None, tf.concat(both, 0)), (features, None, from_h), (0, features + 1, from_x)]


# a saved model names keras.layers.GRU, and so on; where this module is imported, that is this one
for _layer in (SimpleRNN, LSTM, GRU):
    keras.saving.get_custom_objects()[_layer.__name__] = _layer
