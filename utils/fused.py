"""Keras' recurrent layers, faster on a CPU: `from utils.fused import GRU, LSTM, SimpleRNN`.

The constructors, weights and results are Keras' own; plain Keras loads a model saved with these.

- The gradient is written out: a step back is two products and a dozen element-wise operations.
- All products of a step that share their input are one, biases included: K' [x_t; 1; h_{t-1}].
- The batch is the last axis: gates are blocks of rows, which TensorFlow splits without copying.
- Masked steps are sorted to the end of their sequence: the loop needs no mask.
- A small LSTM is one operation of TensorFlow's, unless the batch is large.
- The halves of a large batch, and of any of a small LSTM, are chains of their own, on two threads.

`unroll=True` takes longer to trace, then half or less per small batch. Keras' own code runs on a
GPU, with recurrent dropout, other activations, half precision, `reset_after=False`, other backends.
There are no gradients of gradients. Source: Gers et al. (2000), Cho et al. (2014) as in cuDNN.
"""

# mypy: disable-error-code="attr-defined, call-arg, misc"
import keras
import tensorflow as tf

LARGE_BATCH, SMALL_LAYER = 128, 100  # sequences, if known when traced; units


class _Fast:
    """The loop over time of a Keras layer, which says what a step does and how its gradient is."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        standard = {"recurrent_activation": keras.activations.sigmoid, "reset_after": True}
        standard |= {"activation": keras.activations.tanh, "recurrent_dropout": 0}
        self.fast = (
            keras.config.backend() == "tensorflow"
            and not tf.config.list_logical_devices("GPU")
            and all(getattr(self, name, value) == value for name, value in standard.items())
            and self.compute_dtype in ("float32", "float64")
        )
        self.supports_jit &= not self.fast  # XLA compiles for seconds, and gains nothing

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Return the last output, all outputs (if wanted), and the last states, as Keras does."""
        if not self.fast:
            return super().inner_loop(sequences, initial_state, mask=mask, training=training)
        states, mask = keras.tree.flatten(initial_state), keras.tree.flatten(mask)[0]
        if training and self.dropout:
            sequences *= self.cell.get_dropout_mask(sequences[:, 0])[:, None]
        if self.go_backwards:
            sequences = tf.reverse(sequences, [1])
        streams = int(self.return_sequences)  # states of which all values are wanted
        if mask is not None:
            mask = tf.cast(tf.reverse(mask, [1]) if self.go_backwards else mask, "int32")
            order = tf.argsort(mask, direction="DESCENDING", stable=True)
            sequences, streams = tf.gather(sequences, order, batch_dims=1), len(states)

        kernel, bias = self.cell.kernel, self.cell.bias
        bias = 0 * kernel[:1] if bias is None else tf.reshape(bias, (-1, kernel.shape[1]))
        weights = tf.concat([kernel, bias, self.cell.recurrent_kernel], 0)
        batch = keras.ops.shape(sequences)[0]
        large = isinstance(batch, int) and batch >= LARGE_BATCH
        small = isinstance(self, LSTM) and not large and self.units <= SMALL_LAYER
        small = small and self.compute_dtype == "float32"
        chain = self._one_operation if small else self._loop
        parts = [slice(batch // 2), slice(batch // 2, None)] if large or small else [slice(None)]
        parts = [chain(sequences[at], [s[at] for s in states], weights, streams) for at in parts]
        series, last = keras.tree.map_structure(lambda *values: tf.concat(values, 0), *parts)
        if mask is None:
            return last[0], (series or last)[0], last
        seen = tf.cumsum(mask, 1)  # steps so far
        series = [tf.concat([s[:, None], v], 1) for s, v in zip(states, series, strict=True)]
        last = [tf.gather(values, seen[:, -1], batch_dims=1) for values in series]
        wanted = slice(None if self.return_sequences else -1, None)
        shown = (mask if self.zero_output_for_mask else seen)[:, wanted, None] > 0
        outputs = tf.where(shown, tf.gather(series[0], seen[:, wanted], batch_dims=1), 0)
        return outputs[:, -1], outputs, last

    def _one_operation(self, sequences, states, weights, streams):
        x = tf.pad(tf.transpose(sequences, (1, 0, 2)), [(0, 0), (0, 0), (0, 1)], constant_values=1)
        every = _block_lstm(x, *states, weights)
        return [tf.transpose(e, (1, 0, 2)) for e in every[:streams]], [e[-1] for e in every]

    def _loop(self, sequences, states, weights, streams):
        """Return all values of the first `streams` states, and the last ones of all."""
        x, *states = [keras.ops.moveaxis(values, 0, -1) for values in (sequences, *states)]
        (steps, features, batch), units = keras.ops.shape(x), self.units
        rows = slice(None), slice(-1 - units, None), slice(-1 - units)  # v, [1; h], [x; 1]
        ones = tf.ones((weights.shape[0] - features - units, batch), x.dtype)
        stack, unstack = tf.TensorArray.stack, lambda v: tf.TensorArray(x.dtype, steps).unstack(v)
        if self.unroll:
            stack, unstack = tf.stack, lambda values: tf.unstack(values, steps)

        @tf.custom_gradient
        def run(x, states, blocks):
            def forward(states, now):
                v = tf.concat([now[0], ones, states[0]], 0)  # of GRU, two biases: [x; 1; 1; h]
                products = map(lambda k, at: tf.matmul(k, v[at]), turned, rows)
                states, for_back = self._step(*products, *states)
                return states, [*states[:streams], v, *for_back]

            def backward(carried, now):
                (d_states, d_blocks), (v, *for_back) = carried, now[streams:]
                d_states = [d + now[k] if k < streams else d for k, d in enumerate(d_states)]
                da, beside, *others = self._back(*d_states, *for_back)
                dh = tf.add_n([*beside, *map(tf.matmul, to_h, da[:2])])
                new = map(lambda at, d: tf.matmul(v[at], d, transpose_b=True), rows, da)
                return [[dh, *others], list(map(tf.add, d_blocks, new))], da

            to_h, turned = [k[-units:] for k in blocks[:2]], list(map(tf.transpose, blocks))
            sizes = [*[units] * streams, weights.shape[0], *[units * count for count in self.KEPT]]
            last, kept = _scan(forward, states, [unstack(x)], sizes, steps)

            def gradients(*upstream):
                carried = [list(upstream[streams:]), list(map(tf.zeros_like, blocks))]
                given = [*map(unstack, upstream[:streams]), *kept[streams:]]
                sizes = [k.shape[1] for k in blocks]
                carried, da = _scan(backward, carried, given, sizes, steps, order=-1)
                dx = map(lambda k, d: tf.matmul(k[:features], stack(d)), blocks[::2], da[::2])
                return tf.add_n(list(dx)), *carried

            return (*map(stack, kept[:streams]), *last), gradients

        weights = tf.roll(weights, units, 1) if isinstance(self, LSTM) else weights  # o, i, f, c
        blocks = [weights]
        if isinstance(self, GRU):
            blocks = [weights[:, :-units], *(weights[at, -units:] for at in rows[1:])]
        outputs = [keras.ops.moveaxis(values, -1, 0) for values in run(x, states, blocks)]
        return outputs[:streams], outputs[streams:]


def _scan(step, carried, given, sizes, steps, order=1):
    """Run `step` over time, back if `order` is -1; return what is carried at last, what is kept.

    What is given and kept are lists of a tensor per step, or in a loop of the graph TensorArrays.
    """
    if not isinstance(given[0], tf.TensorArray):
        kept = []
        for now in list(zip(*given, strict=True))[::order]:
            carried, new = step(carried, now)
            kept.append(new)
        return carried, list(zip(*kept[::order], strict=True))

    def body(t, carried, kept):
        carried, new = step(carried, [array.read(t) for array in given])
        return t + order, carried, [array.write(t, n) for array, n in zip(kept, new, strict=True)]

    kept = [tf.TensorArray(given[0].dtype, steps, element_shape=(size, None)) for size in sizes]
    start, end = (0, steps) if order == 1 else (steps - 1, -1)
    return tf.while_loop(lambda t, *_: t != end, body, (start, carried, kept))[1:]


class SimpleRNN(_Fast, keras.layers.SimpleRNN):
    """`keras.layers.SimpleRNN`; `__module__`: a saved model names Keras' layer."""

    __module__, KEPT = "keras.layers", [1]  # values per unit in each tensor that `_back` takes

    def _step(self, a, h):
        """Take the products (rows, batch) and states; return new states, what `_back` takes."""
        h = tf.tanh(a)
        return [h], [h]

    def _back(self, dh, h):
        """Return gradients: of the products, of h_{t-1} beside these (if any), of other states."""
        return [tf.raw_ops.TanhGrad(y=h, dy=dh)], []


class LSTM(_Fast, keras.layers.LSTM):
    """`keras.layers.LSTM`."""

    __module__, KEPT = "keras.layers", [3, 1, 1, 1]

    def _step(self, a, h, c):
        gates, candidate = tf.sigmoid(a[: 3 * self.units]), tf.tanh(a[3 * self.units :])
        o, i, f = tf.split(gates, 3)
        new = f * c + i * candidate
        seen = tf.tanh(new)
        return [o * seen, new], [gates, candidate, c, seen]

    def _back(self, dh, dc, gates, candidate, c, seen):
        o, i, f = tf.split(gates, 3)
        dc += tf.raw_ops.TanhGrad(y=seen, dy=dh * o)
        da = tf.raw_ops.SigmoidGrad(y=gates, dy=tf.concat([dh * seen, dc * candidate, dc * c], 0))
        return [tf.concat([da, tf.raw_ops.TanhGrad(y=candidate, dy=dc * i)], 0)], [], dc * f


class GRU(_Fast, keras.layers.GRU):
    """`keras.layers.GRU`."""

    __module__, KEPT = "keras.layers", [2, 1, 1, 1]

    def _step(self, gates, from_h, from_x, h):
        gates = tf.sigmoid(gates)
        z, r = tf.split(gates, 2)
        candidate = tf.tanh(from_x + r * from_h)
        change = h - candidate
        return [candidate + z * change], [gates, from_h, candidate, change]

    def _back(self, dh, gates, from_h, candidate, change):
        z, r = tf.split(gates, 2)
        past = dh * z  # what goes to h_{t-1} beside the products
        d_candidate = tf.raw_ops.TanhGrad(y=candidate, dy=dh - past)
        d_gates = tf.concat([dh * change, d_candidate * from_h], 0)
        return [tf.raw_ops.SigmoidGrad(y=gates, dy=d_gates), d_candidate * r, d_candidate], [past]


@tf.custom_gradient
def _block_lstm(x, h, c, weights):
    """Return all h and c (steps, batch, units); the gradient that TensorFlow has of it is wrong."""
    given = {"x": x, "h_prev": h, "cs_prev": c, "w": weights, "b": tf.zeros(weights.shape[1])}
    given |= dict.fromkeys(("wci", "wcf", "wco"), tf.zeros(h.shape[1]))  # peepholes, not used
    given |= {"use_peephole": False, "seq_len_max": tf.shape(x, "int64")[0]}
    kept = tf.raw_ops.BlockLSTMV2(**given)._asdict()

    def gradients(dh, dc):
        d = tf.raw_ops.BlockLSTMGradV2(**given, **kept, h_grad=dh, cs_grad=dc)
        d_weights = tf.where(tf.size(h) > 0, d.w_grad, 0)  # of no sequences, it isn't set
        return d.x_grad, d.h_prev_grad, d.cs_prev_grad, d_weights

    return (kept["h"], kept["cs"]), gradients


# a saved model names keras.layers.GRU, and so on; where this module is imported, that is this one
keras.saving.get_custom_objects().update(SimpleRNN=SimpleRNN, LSTM=LSTM, GRU=GRU)
