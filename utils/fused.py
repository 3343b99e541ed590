"""Keras' recurrent layers, faster on a CPU: `from utils.fused import GRU, LSTM, SimpleRNN`.

The constructors, weights and results are Keras' own; plain Keras loads a model saved with these.

- All products of a step that share their input are one, biases included: K' [x_t; 1; h_{t-1}].
- The batch is the last axis: gates are blocks of rows, which TensorFlow splits without copying.
- The gradient is written out: a step back is two products and a dozen element-wise operations.
- Masked steps are sorted to the end of their sequence: the loop needs no mask.

`unroll=True` takes longer to trace, then a quarter less per batch: at 24 steps, it pays after some
thousands. Keras' own code runs on a GPU, with recurrent dropout, other activations, half precision,
`reset_after=False`, other backends. There are no gradients of gradients. Source: the LSTM of Gers
et al. (2000); the GRU of Cho et al. (2014), in the form of cuDNN.
"""

# mypy: disable-error-code="attr-defined, call-arg, misc"

import utils  # noqa: F401  keeps TensorFlow's start-up lines off the screen

import keras
import tensorflow as tf
from keras import layers


def _simple_step(a, h):
    """Take a = K' [x; 1; h], (rows, batch); return new states, and what `_simple_back` takes."""
    h = tf.tanh(a)
    return [h], [h]


def _simple_back(dh, past, h):
    """Return the gradients of the products, of h_{t-1} beside these (if any), of other states."""
    return [tf.raw_ops.TanhGrad(y=h, dy=dh)], []


def _gru_step(gates, from_h, from_x, h):
    gates = tf.sigmoid(gates)
    z, r = tf.split(gates, 2)
    candidate = tf.tanh(from_x + r * from_h)
    return [candidate + z * (h - candidate)], [gates, from_h, candidate]


def _gru_back(dh, h, gates, from_h, candidate):
    z, r = tf.split(gates, 2)
    past = dh * z  # what goes to h_{t-1} beside the products
    d_candidate = tf.raw_ops.TanhGrad(y=candidate, dy=dh - past)
    d_gates = tf.concat([dh * (h - candidate), d_candidate * from_h], 0)
    d_gates = tf.raw_ops.SigmoidGrad(y=gates, dy=d_gates)
    return [d_gates, d_candidate * r, d_candidate], [past]


def _lstm_step(a, h, c):
    gates, candidate = tf.sigmoid(a[: -h.shape[0]]), tf.tanh(a[-h.shape[0] :])
    i, f, o = tf.split(gates, 3)
    new = f * c + i * candidate
    seen = tf.tanh(new)
    return [o * seen, new], [gates, candidate, c, seen]


def _lstm_back(dh, dc, _, gates, candidate, c, seen):
    i, f, o = tf.split(gates, 3)
    dc += tf.raw_ops.TanhGrad(y=seen, dy=dh * o)
    d_gates = tf.concat([dc * candidate, dc * c, dh * seen], 0)
    d_gates = tf.raw_ops.SigmoidGrad(y=gates, dy=d_gates)
    d_candidate = tf.raw_ops.TanhGrad(y=candidate, dy=dc * i)
    return [tf.concat([d_gates, d_candidate], 0)], [], dc * f


def _scan(step, states, given, rows, steps, order):
    """Run `step` over time, back if `order` is -1; what is given and kept are TensorArrays."""

    def body(done, states, kept):
        t = done if order == 1 else steps - 1 - done
        states, new = step(states, [array.read(t) for array in given])
        return done + 1, states, [array.write(t, n) for array, n in zip(kept, new, strict=True)]

    kept = [tf.TensorArray(given[0].dtype, steps, element_shape=(row, None)) for row in rows]
    if isinstance(steps, int):
        for done in range(steps):
            _, states, kept = body(done, states, kept)
        return states, kept
    return tf.while_loop(lambda done, *_: done < steps, body, (0, states, kept))[1:]


def _recur(step, back, used, streams, steps, x, blocks, states):
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
        given = [tf.TensorArray(x.dtype, steps).unstack(x)]
        last, kept = _scan(forward, states, given, sizes, steps, 1)

        def gradients(*upstream):
            given = [tf.TensorArray(x.dtype, steps).unstack(d) for d in upstream[:streams]]
            carried = [list(upstream[streams:]), list(map(tf.zeros_like, weights))]
            given, rows = [*given, *kept[streams:]], [w.shape[1] for w in weights]
            carried, da = _scan(backward, carried, given, rows, steps, -1)
            dx = tf.add_n([tf.matmul(weights[k][:inputs], da[k].stack()) for k in of_x])
            return dx, *carried

        return (*[a.stack() for a in kept[:streams]], *last), gradients

    return run(x, states, [weights for *_, weights in blocks])


class _Fast:
    """Replaces the loop over time of the Keras layer that it is mixed into."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fast = (
            keras.config.backend() == "tensorflow"
            and not tf.config.list_logical_devices("GPU")
            and self.activation is keras.activations.tanh
            and getattr(self, "recurrent_activation", None) in (None, keras.activations.sigmoid)
            and getattr(self, "reset_after", True)
            and not self.recurrent_dropout
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
        order = tf.argsort(tf.cast(~mask, "int32"), stable=True)
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
        kernel, bias = tf.convert_to_tensor(self.cell.kernel), self.cell.bias
        bias = 0 * kernel[:1] if bias is None else tf.reshape(bias, (-1, kernel.shape[1]))
        blocks = self._blocks(kernel, bias, tf.convert_to_tensor(self.cell.recurrent_kernel))
        steps = x.shape[0] if self.unroll and x.shape[0] else tf.shape(x)[0]
        outputs = _recur(*self.CELL, streams, steps, x, blocks, list(map(tf.transpose, states)))
        series = [tf.transpose(values, (2, 0, 1)) for values in outputs[:streams]]
        series = [tf.ensure_shape(values, (*sequences.shape[:2], None)) for values in series]
        return series, list(map(tf.transpose, outputs[streams:]))


class SimpleRNN(_Fast, layers.SimpleRNN):
    """`keras.layers.SimpleRNN`; `__module__`: a saved model names Keras' layer."""

    __module__, CELL = "keras.layers", (_simple_step, _simple_back, [1])

    def _blocks(self, kernel, bias, recurrent):
        return [(0, None, tf.concat([kernel, bias, recurrent], 0))]


class LSTM(_Fast, layers.LSTM):
    """`keras.layers.LSTM`."""

    __module__, CELL = "keras.layers", (_lstm_step, _lstm_back, [3, 1, 1, 1])

    def _blocks(self, kernel, bias, recurrent):
        i, f, candidate, o = tf.split(tf.concat([kernel, bias, recurrent], 0), 4, axis=1)
        return [(0, None, tf.concat([i, f, o, candidate], 1))]


class GRU(_Fast, layers.GRU):
    """`keras.layers.GRU`."""

    __module__, CELL = "keras.layers", (_gru_step, _gru_back, [2, 1, 1])

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
