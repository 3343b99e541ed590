"""Keras' recurrent layers, faster on a CPU: `from utils.fused import GRU, LSTM, SimpleRNN`.

The constructors, weights and results are Keras' own; plain Keras loads a model saved with these.

- The loop over time and its gradient are those of utils.kernels. Masked steps are sorted to the end
  of their sequence: the loop needs no mask.
- A small LSTM is one operation of TensorFlow's, unless the batch is large.
- The halves of a large batch, and of any of a small LSTM, are chains of their own, on two threads.

`unroll=True` takes longer to trace, then half or less per small batch. Keras' own code runs on a
GPU, with recurrent dropout, other activations, half precision, `reset_after=False`, other backends.
"""

# mypy: disable-error-code="attr-defined, call-arg, misc"

from utils import kernels

import keras
import tensorflow as tf
from keras import layers

LARGE_BATCH, SMALL_LAYER = 128, 100  # sequences, if known when traced; units


class _Fast:
    """Replaces the loop over time of the Keras layer that it is mixed into."""

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
            series, states = self._run(sequences, states, int(self.return_sequences))
            return states[0], series[0] if series else states[0][:, None], states
        mask = tf.cast(tf.reverse(mask, [1]) if self.go_backwards else mask, "bool")
        order = tf.argsort(tf.cast(~mask, "int32"), stable=True)
        series, _ = self._run(tf.gather(sequences, order, batch_dims=1), states, len(states))
        seen = tf.cumsum(tf.cast(mask, "int32"), 1)  # steps so far
        series = [tf.concat([s[:, None], v], 1) for s, v in zip(states, series, strict=True)]
        states = [tf.gather(values, seen[:, -1], batch_dims=1) for values in series]
        if not self.return_sequences:
            seen, mask = seen[:, -1:], mask[:, -1:]
        outputs = tf.gather(series[0], seen, batch_dims=1)
        shown = mask if self.zero_output_for_mask else seen > 0
        outputs = tf.where(shown[..., None], outputs, tf.zeros_like(outputs))
        return outputs[:, -1], outputs, states

    def _run(self, sequences, states, streams):
        """Return all values of the first `streams` states, and the final ones, batch first."""
        kernel, bias = tf.convert_to_tensor(self.cell.kernel), self.cell.bias
        bias = 0 * kernel[:1] if bias is None else tf.reshape(bias, (-1, kernel.shape[1]))
        weights = kernel, bias, tf.convert_to_tensor(self.cell.recurrent_kernel)
        batch = sequences.shape[0] or tf.shape(sequences)[0]
        large = isinstance(batch, int) and batch >= LARGE_BATCH
        small = isinstance(self, layers.LSTM) and not large and self.units <= SMALL_LAYER
        small = small and self.compute_dtype == "float32"
        loop = self._block if small else self._loop
        parts = [slice(batch // 2), slice(batch // 2, None)] if small or large else [slice(None)]
        parts = [loop(weights, sequences[at], [s[at] for s in states], streams) for at in parts]
        return [
            [tf.concat(p, 0) for p in zip(*lists, strict=True)]
            for lists in zip(*parts, strict=True)
        ]

    def _block(self, weights, sequences, states, streams):
        kernel, bias, recurrent = weights
        x, weights = tf.transpose(sequences, (1, 0, 2)), tf.concat([kernel, recurrent], 0)
        every = kernels.block_lstm(x, *states, weights, bias[0])
        return [tf.transpose(e, (1, 0, 2)) for e in every[:streams]], [e[-1] for e in every]

    def _loop(self, weights, sequences, states, streams):
        x = tf.transpose(sequences, (1, 2, 0))
        x = tf.concat([x, tf.ones_like(x[:, :1])], 1)
        steps = x.shape[0] if self.unroll and x.shape[0] else tf.shape(x)[0]
        states = list(map(tf.transpose, states))
        outputs = kernels.recur(*self.CELL, streams, steps, x, self._blocks(*weights), states)
        series = [tf.transpose(values, (2, 0, 1)) for values in outputs[:streams]]
        series = [tf.ensure_shape(values, (*sequences.shape[:2], None)) for values in series]
        return series, list(map(tf.transpose, outputs[streams:]))


class SimpleRNN(_Fast, layers.SimpleRNN):
    """`keras.layers.SimpleRNN`; `__module__`: a saved model names Keras' layer."""

    __module__, CELL = "keras.layers", (kernels.simple_step, kernels.simple_back, [1])

    def _blocks(self, kernel, bias, recurrent):
        return [(0, None, tf.concat([kernel, bias, recurrent], 0))]


class LSTM(_Fast, layers.LSTM):
    """`keras.layers.LSTM`."""

    __module__, CELL = "keras.layers", (kernels.lstm_step, kernels.lstm_back, [3, 1, 1, 1])

    def _blocks(self, kernel, bias, recurrent):
        i, f, candidate, o = tf.split(tf.concat([kernel, bias, recurrent], 0), 4, axis=1)
        return [(0, None, tf.concat([i, f, o, candidate], 1))]


class GRU(_Fast, layers.GRU):
    """`keras.layers.GRU`."""

    __module__, CELL = "keras.layers", (kernels.gru_step, kernels.gru_back, [2, 1, 1])

    def _blocks(self, kernel, bias, recurrent):
        features, gates = kernel.shape[0], 2 * self.units
        from_x, from_h = tf.concat([kernel, bias[:1]], 0), tf.concat([bias[-1:], recurrent], 0)
        both = [from_x[:-1, :gates], from_x[-1:, :gates] + from_h[:1, :gates], from_h[1:, :gates]]
        from_h, from_x = from_h[:, gates:], from_x[:, gates:]
        return [(0, None, tf.concat(both, 0)), (features, None, from_h), (0, features + 1, from_x)]


# a saved model names keras.layers.GRU, and so on; where this module is imported, that is this one
for _layer in (SimpleRNN, LSTM, GRU):
    keras.saving.get_custom_objects()[_layer.__name__] = _layer
