"""Recurrent cells that Keras lacks; `keras.layers.RNN` unrolls them, and `MinGRU` needs no loop.

A cell is one step: `call(inputs, states)` returns the output and the states for the next step.
"""

import utils  # noqa: F401  keeps TensorFlow's start-up lines off the screen

import keras
from keras import ops


def starting_with(*values):
    """Return an initializer of biases: the first value for the first n units, and so on."""
    return lambda shape, dtype: ops.repeat(ops.array(values, dtype), shape[0] // len(values))


@keras.saving.register_keras_serializable(package="utils")
class JordanCell(keras.Layer):
    """A recurrent step whose memory is the network's own previous output.

        h_t = activation(x_t W + y_{t-1} U + b)
        y_t = h_t V + c

    An Elman network (`keras.layers.SimpleRNN`) remembers its hidden layer h instead. Source:
    Jordan, "Serial order: a parallel distributed processing approach" (1986), without the decaying
    self-connections of his state units, as the lecture draws it.

    Args:
        units: width of the hidden layer h.
        output_units: width of the output y, and so of the memory.
        activation: of h, by its name in Keras.

    Weights, in order: kernel W (features, units), recurrent_kernel U (output_units, units),
    bias b (units,), output_kernel V (units, output_units), output_bias c (output_units,).
    """

    def __init__(self, units, output_units, activation="tanh", **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.output_units = self.state_size = self.output_size = output_units
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        """Make the weights for inputs (batch, features)."""
        add, units, outputs = self.add_weight, self.units, self.output_units
        self.kernel = add((input_shape[-1], units), "glorot_uniform", name="kernel")
        self.recurrent_kernel = add((outputs, units), "orthogonal", name="recurrent_kernel")
        self.bias = add((units,), "zeros", name="bias")
        self.output_kernel = add((units, outputs), "glorot_uniform", name="output_kernel")
        self.output_bias = add((outputs,), "zeros", name="output_bias")

    def call(self, inputs, states):
        """Return y_t (batch, output_units) of x_t (batch, features) and [y_{t-1}], and [y_t]."""
        (y_prev,) = states
        h = self.activation(
            ops.matmul(inputs, self.kernel) + ops.matmul(y_prev, self.recurrent_kernel) + self.bias
        )  # (batch, units)
        y = ops.matmul(h, self.output_kernel) + self.output_bias
        return y, [y]


@keras.saving.register_keras_serializable(package="utils")
class PeepholeLSTMCell(keras.Layer):
    """An LSTM step whose gates also look at the memory cell they guard.

        i = sigmoid(x_t W_i + h_{t-1} U_i + p_i * c_{t-1} + b_i)      input gate
        f = sigmoid(x_t W_f + h_{t-1} U_f + p_f * c_{t-1} + b_f)      forget gate
        c_t = f * c_{t-1} + i * tanh(x_t W_c + h_{t-1} U_c + b_c)     memory
        o = sigmoid(x_t W_o + h_{t-1} U_o + p_o * c_t + b_o)          output gate
        h_t = o * tanh(c_t)                                           output

    A peephole is element-wise: each gate sees its own memory cell only. With the peepholes at zero,
    where they start, this is `keras.layers.LSTM`. Source: Gers, Schraudolph & Schmidhuber,
    "Learning precise timing with LSTM recurrent networks" (2002).

    Weights, in order: those of `keras.layers.LSTM`, with its start values, and peephole_kernel
    (3, units), its rows p_i, p_f, p_o.
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.output_size = units
        self.state_size = [units, units]  # h, c

    def build(self, input_shape):
        """Make the weights for inputs (batch, features)."""
        add, units = self.add_weight, self.units
        self.kernel = add((input_shape[-1], 4 * units), "glorot_uniform", name="kernel")
        self.recurrent_kernel = add((units, 4 * units), "orthogonal", name="recurrent_kernel")
        self.bias = add((4 * units,), starting_with(0, 1, 0, 0), name="bias")
        self.peephole_kernel = add((3, units), "zeros", name="peephole_kernel")

    def call(self, inputs, states):
        """Return h_t (batch, units) of x_t (batch, features), h_{t-1}, c_{t-1}; and [h_t, c_t]."""
        h_prev, c_prev = states
        z = ops.matmul(inputs, self.kernel) + ops.matmul(h_prev, self.recurrent_kernel) + self.bias
        z_i, z_f, z_c, z_o = ops.split(z, 4, axis=-1)  # each (batch, units)
        p_i, p_f, p_o = ops.split(self.peephole_kernel, 3)  # each (1, units)
        i = ops.sigmoid(z_i + p_i * c_prev)
        f = ops.sigmoid(z_f + p_f * c_prev)
        c = f * c_prev + i * ops.tanh(z_c)
        o = ops.sigmoid(z_o + p_o * c)
        h = o * ops.tanh(c)
        return h, [h, c]


@keras.saving.register_keras_serializable(package="utils")
class MinGRUCell(keras.Layer):
    """A GRU step whose gate sees only the input, so that it need not wait for the step before.

        z_t  = sigmoid(x_t W_z + b_z)                   how much of the memory is replaced
        h~_t = x_t W_h + b_h                            by what
        h_t  = (1 - z_t) * h_{t-1} + z_t * h~_t         memory and output

    Source: Feng et al., "Were RNNs all we needed?" (2024).

    Args:
        units: width of the memory.
        gate_bias: b_z at the start: at -4, a memory half fades in 38 steps; at 0, in one.

    Weights, in order: kernel (features, 2 * units) and bias (2 * units,), each first z, then h~.
    """

    def __init__(self, units, gate_bias=-4.0, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = units
        self.gate_bias = gate_bias

    def build(self, input_shape):
        """Make the weights for inputs (batch, features)."""
        add, width = self.add_weight, 2 * self.units
        self.kernel = add((input_shape[-1], width), "glorot_uniform", name="kernel")
        self.bias = add((width,), starting_with(self.gate_bias, 0), name="bias")

    def gated(self, inputs):
        """Return z_t and z_t * h~_t, each (..., units), of inputs (..., features)."""
        z, new = ops.split(ops.matmul(inputs, self.kernel) + self.bias, 2, axis=-1)
        z = ops.sigmoid(z)
        return z, z * new

    def call(self, inputs, states):
        """Return h_t (batch, units) of x_t (batch, features) and [h_{t-1}], and [h_t]."""
        z, new = self.gated(inputs)
        h = (1 - z) * states[0] + new
        return h, [h]


def all_steps(keep, new):
    """Return what `linear_scan` does, by passes that each double how far every step sees back."""

    def wider(reach, keep, new):
        past, late = keep[:, :-reach], keep[:, reach:]
        new = ops.concatenate([new[:, :reach], new[:, reach:] + late * new[:, :-reach]], axis=1)
        return 2 * reach, ops.concatenate([keep[:, :reach], late * past], axis=1), new

    state, steps = (1, keep, new), ops.shape(keep)[1]
    if not isinstance(steps, int):
        return ops.while_loop(lambda reach, *_: reach < steps, wider, state)[2]
    while state[0] < steps:
        state = wider(*state)
    return state[2]


@ops.custom_gradient
def linear_scan(keep, new):
    """Return h_t = keep_t h_{t-1} + new_t, h_{-1} being 0; each (batch, steps, units).

    Two steps in a row are again h -> keep h + new. After pass n, each step knows the last 2^n:
    log2(steps) passes over all steps replace a loop over them (Hillis & Steele, "Data parallel
    algorithms", 1986). The gradient is the same recurrence, from the end.
    """
    h = all_steps(keep, new)

    def gradient(upstream):
        after = ops.concatenate([keep[:, 1:], ops.zeros_like(keep[:, :1])], axis=1)
        d_new = ops.flip(all_steps(ops.flip(after, 1), ops.flip(upstream, 1)), 1)
        before = ops.concatenate([ops.zeros_like(h[:, :1]), h[:, :-1]], axis=1)
        return d_new * before, d_new

    return h, gradient


@keras.saving.register_keras_serializable(package="utils")
class MinGRU(keras.layers.RNN):
    """A layer of `MinGRUCell` without a loop: h_t is linear in h_{t-1}, so `linear_scan` serves.

    Arguments and weights are those of the cell; all else is as in `keras.layers.RNN`.
    """

    def __init__(self, units, gate_bias=-4.0, **kwargs):
        super().__init__(MinGRUCell(units, gate_bias, dtype=kwargs.get("dtype")), **kwargs)

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Return the last output, all outputs (batch, steps, units), and the last states."""
        z, new = self.cell.gated(sequences)
        if mask is not None:  # a masked step changes nothing
            mask = ops.cast(mask, z.dtype)[..., None]
            z, new = z * mask, new * mask
        keep, new = (ops.flip(v, 1) if self.go_backwards else v for v in (1 - z, new))
        first = new[:, :1] + keep[:, :1] * initial_state[0][:, None]
        h = linear_scan(keep, ops.concatenate([first, new[:, 1:]], axis=1))
        return h[:, -1], h, [h[:, -1]]

    def get_config(self):
        """Return what `from_config` needs to build this layer again."""
        config = {"units": self.cell.units, "gate_bias": self.cell.gate_bias}
        return {name: v for name, v in (super().get_config() | config).items() if name != "cell"}

    @classmethod
    def from_config(cls, config):
        """Build a layer from what `get_config` returns."""
        return cls(**config)
