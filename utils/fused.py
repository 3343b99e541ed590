"""Keras' recurrent layers, faster on a CPU: `from utils.fused import GRU, LSTM, SimpleRNN`.

The constructors, the weights and the results are Keras' own, and so is a saved model: plain Keras
loads it as its own layers. What makes a training step faster:

- All gates of a step, their biases included, are one product: K' [x_t; 1; h_{t-1}].
- The batch is the last axis: gates are blocks of rows, which TensorFlow splits without copying.
- The gradient is written out: a step back is two products and a dozen element-wise operations.
- Up to `UNROLLED` steps there is no loop; TensorFlow's costs more than a small step does.
- The batch is halved, and the halves don't wait for each other: two threads have work.
- Masked steps are sorted to the end of their sequence, so that the loop needs no mask.

All else runs Keras' own code: a GPU, recurrent dropout, other activations, half precision,
`unroll=True`, a GRU with `reset_after=False`, a backend that isn't TensorFlow. There are no
gradients of gradients.

Source: Hochreiter & Schmidhuber, "Long short-term memory" (1997), with the forget gate of Gers et
al. (2000); Cho et al., "Learning phrase representations using RNN encoder-decoder" (2014), with the
reset gate after the product, as in cuDNN.
"""

import utils  # noqa: F401  keeps TensorFlow's start-up lines off the screen

import keras
from keras import layers, ops

ON_TENSORFLOW = keras.config.backend() == "tensorflow"
if ON_TENSORFLOW:
    import tensorflow as tf

UNROLLED = 64  # steps at most: each takes milliseconds to trace

# ------------------------------------------------ one step, and back; every tensor is (rows, batch)


def _simple_step(a, h):
    """Take a = K' [x; 1; h]; return the new states, and what `_simple_back` takes."""
    h = tf.tanh(a)
    return [h], [h]


def _simple_back(dh, h):
    """Return the gradient of a, and those of the old states beside the way through a."""
    return tf.raw_ops.TanhGrad(y=h, dy=dh), [None]


def _gru_step(a, h):
    units = h.shape[0]
    z, r = tf.split(tf.sigmoid(a[: 2 * units]), 2)
    from_h, from_x = tf.split(a[2 * units :], 2)
    candidate = tf.tanh(from_x + r * from_h)
    gap = h - candidate
    return [candidate + z * gap], [z, r, from_h, candidate, gap]


def _gru_back(dh, z, r, from_h, candidate, gap):
    past = dh * z
    d_candidate = tf.raw_ops.TanhGrad(y=candidate, dy=dh - past)
    dz = tf.raw_ops.SigmoidGrad(y=z, dy=dh * gap)
    dr = tf.raw_ops.SigmoidGrad(y=r, dy=d_candidate * from_h)
    return tf.concat([dz, dr, d_candidate * r, d_candidate], 0), [past]


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
    return tf.concat([di, df, do, d_candidate], 0), [None, dc * f]


# ------------------------------------------------ all steps


def _scan(step, states, given, rows, steps, reverse=False):
    """Run `step` over all time steps, unrolled if their number is a Python integer.

    Args:
        step: of the states and what is given at a time -> new states, and what is kept of it.
        states: list of tensors.
        given: lists of tensors (unrolled), or TensorArrays.
        rows: of each tensor that is kept.
        steps: number of time steps.
        reverse: whether the last comes first.

    Returns:
        the final states, and what was kept, each in the order of time, as `given` is.
    """
    if isinstance(steps, int):
        kept = [None] * steps
        for t in range(steps)[:: -1 if reverse else 1]:
            states, kept[t] = step(states, [tensors[t] for tensors in given])
        return states, list(zip(*kept, strict=True))

    def body(done, states, kept):
        t = steps - 1 - done if reverse else done
        states, new = step(states, [array.read(t) for array in given])
        return done + 1, states, [array.write(t, n) for array, n in zip(kept, new, strict=True)]

    dtype = states[0].dtype
    arrays = [tf.TensorArray(dtype, steps, element_shape=(row, None)) for row in rows]
    _, states, kept = tf.while_loop(lambda done, *_: done < steps, body, (0, states, arrays))
    return states, kept


def _recur(step, back, x, weights, states, streams):
    """Run a recurrent layer.

    Args:
        step: as `_simple_step`.
        back: as `_simple_back`.
        x: (steps, features and a one, batch).
        weights: K (features + 1 + units, gates * units).
        states: each (units, batch).
        streams: of how many states all values are wanted.

    Returns:
        the values of these at all steps, each (steps, units, batch), then all final states.
    """
    units, inputs = states[0].shape[0], x.shape[1]
    unrolled = x.shape[0] is not None and x.shape[0] <= UNROLLED
    steps = x.shape[0] if unrolled else tf.shape(x)[0]

    def apart(tensor):
        return tf.unstack(tensor) if unrolled else tf.TensorArray(tensor.dtype, steps).unstack(tensor)

    def together(tensors):
        return tf.stack(tensors) if unrolled else tensors.stack()

    @tf.custom_gradient
    def run(x, weights, *states):
        def forward(states, now):
            a = tf.matmul(weights, tf.concat([now[0], states[0]], 0), transpose_a=True)
            new, used = step(a, *states)
            return new, [*new[:streams], states[0], *used]

        by_step = apart(x)
        kept_rows = [units] * (streams + 1 + USED[step])
        last, kept = _scan(forward, list(states), [by_step], kept_rows, steps)

        def gradients(*upstream):
            def backward(carried, now):
                *d_states, d_weights = carried
                for k in range(streams):
                    d_states[k] += now[k]
                x_now, h, *used = now[streams:]
                da, past = back(*d_states, *used)
                dh = tf.matmul(weights[inputs:], da)
                past[0] = dh if past[0] is None else past[0] + dh
                d_weights += tf.matmul(tf.concat([x_now, h], 0), da, transpose_b=True)
                return [*past, d_weights], [da]

            given = [*map(apart, upstream[:streams]), by_step, *kept[streams:]]
            carried = [*upstream[streams:], tf.zeros_like(weights)]
            (*d_states, d_weights), (da,) = _scan(
                backward, carried, given, [weights.shape[1]], steps, reverse=True
            )
            return tf.matmul(weights[:inputs], together(da)), d_weights, *d_states

        return (*map(together, kept[:streams]), *last), gradients

    return run(x, weights, *states)


USED = {_simple_step: 1, _gru_step: 5, _lstm_step: 6}  # number of tensors

# ------------------------------------------------ the layers


class _Fast:
    """Replaces the loop over the time steps of the Keras layer that it is mixed into."""

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
            self.supports_jit = False  # XLA takes seconds to compile it, and gains nothing

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Return the last output, all outputs if they are wanted, and the last states.

        Args:
            sequences: (batch, steps, features).
            initial_state: a tensor (batch, units), or a list of them.
            mask: `None` or (batch, steps), of any pattern.
            training: whether dropout applies.
        """
        mask = mask[0] if isinstance(mask, list | tuple) else mask
        if not self.fast or (mask is not None and len(mask.shape) != 2):
            return super().inner_loop(sequences, initial_state, mask=mask, training=training)
        if training and self.dropout:
            sequences *= self.cell.get_dropout_mask(sequences[:, 0])[:, None]
        if self.go_backwards:
            sequences = tf.reverse(sequences, [1])
        states = list(initial_state) if isinstance(initial_state, list | tuple) else [initial_state]
        if mask is None:
            series, states = self._loop(sequences, states, int(self.return_sequences))
            outputs = series[0] if self.return_sequences else states[0][:, None]
            return states[0], outputs, states

        mask = tf.cast(mask, "bool")
        if self.go_backwards:
            mask = tf.reverse(mask, [1])
        place = tf.range(tf.shape(mask)[1])
        order = tf.argsort(tf.where(mask, place, place + tf.shape(mask)[1]))
        series, _ = self._loop(tf.gather(sequences, order, batch_dims=1), states, len(states))
        series = [
            tf.concat([first[:, None], later], 1)
            for first, later in zip(states, series, strict=True)
        ]
        seen = tf.cumsum(tf.cast(mask, "int32"), 1)  # steps so far
        states = [tf.gather(values, seen[:, -1], batch_dims=1) for values in series]
        if not self.return_sequences:
            seen, mask = seen[:, -1:], mask[:, -1:]
        shown = mask if self.zero_output_for_mask else seen > 0
        outputs = tf.gather(series[0], seen, batch_dims=1)
        outputs = tf.where(shown[..., None], outputs, tf.zeros_like(outputs))
        return outputs[:, -1], outputs, states

    def _loop(self, sequences, states, streams):
        """Return all values of the first `streams` states, and the last ones, batch first."""
        x = tf.transpose(sequences, (1, 2, 0))
        x = tf.concat([x, tf.ones_like(x[:, :1])], 1)
        kernel, recurrent = map(
            ops.convert_to_tensor, (self.cell.kernel, self.cell.recurrent_kernel)
        )
        bias = self.cell.bias
        weights = self._weights(kernel, recurrent, None if bias is None else tf.convert_to_tensor(bias))
        out = _recur(
            self._step, self._back, x, weights, [tf.transpose(state) for state in states], streams
        )
        return (
            [tf.transpose(values, (2, 0, 1)) for values in out[:streams]],
            [tf.transpose(state) for state in out[streams:]],
        )


class SimpleRNN(_Fast, layers.SimpleRNN):
    """`keras.layers.SimpleRNN`: h_t = tanh(x_t W + h_{t-1} U + b)."""

    __module__ = "keras.layers"
    _step, _back = staticmethod(_simple_step), staticmethod(_simple_back)

    @staticmethod
    def _weights(kernel, recurrent, bias):
        bias = tf.zeros_like(kernel[0]) if bias is None else bias
        return tf.concat([kernel, bias[None], recurrent], 0)


class LSTM(_Fast, layers.LSTM):
    """`keras.layers.LSTM`."""

    __module__ = "keras.layers"
    _step, _back = staticmethod(_lstm_step), staticmethod(_lstm_back)

    @staticmethod
    def _weights(kernel, recurrent, bias):
        bias = tf.zeros_like(kernel[0]) if bias is None else bias
        i, f, candidate, o = tf.split(tf.concat([kernel, bias[None], recurrent], 0), 4, axis=1)
        return tf.concat([i, f, o, candidate], 1)


class GRU(_Fast, layers.GRU):
    """`keras.layers.GRU`."""

    __module__ = "keras.layers"
    _step, _back = staticmethod(_gru_step), staticmethod(_gru_back)

    @staticmethod
    def _weights(kernel, recurrent, bias):
        width = recurrent.shape[1]
        units = width // 3
        bias = tf.zeros((2, width), kernel.dtype) if bias is None else bias
        of_x = tf.concat([kernel, bias[:1], tf.zeros_like(recurrent)], 0)
        of_h = tf.concat([tf.zeros_like(kernel), bias[1:], recurrent], 0)
        both = of_x[:, : 2 * units] + of_h[:, : 2 * units]
        return tf.concat([both, of_h[:, 2 * units :], of_x[:, 2 * units :]], 1)


# a saved model names keras.layers.GRU, and so on; where this module is imported, that is this one
for _layer in (SimpleRNN, LSTM, GRU):
    keras.saving.get_custom_objects()[_layer.__name__] = _layer
