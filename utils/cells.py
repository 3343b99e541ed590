"""Two recurrent cells that the lecture draws and Keras lacks; `keras.layers.RNN` unrolls them.

A cell is one step: `call(inputs, states)` returns the output and the states for the next step.
"""

import utils  # noqa: F401  keeps TensorFlow's start-up lines off the screen

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="utils")
class JordanCell(keras.Layer):
    """A recurrent step whose memory is the network's own previous output.

        h_t = activation(x_t W + y_{t-1} U + b)
        y_t = output_activation(h_t V + c)

    An Elman network (`keras.layers.SimpleRNN`) remembers its hidden layer h instead, for which
    there is no target; y has one, so what this memory learns to hold is known.

    Source: Jordan, "Serial order: a parallel distributed processing approach" (1986), without the
    decaying self-connections of his state units, as the lecture draws it.

    Args:
        units: width of the hidden layer h.
        output_units: width of the output y, and so of the memory.
        activation: Keras activation of h.
        output_activation: Keras activation of y; `None` is linear.

    Weights, in order: kernel W (features, units), recurrent_kernel U (output_units, units),
    bias b (units,), output_kernel V (units, output_units), output_bias c (output_units,).

    Raises:
        ValueError: if a width is below 1.
    """

    def __init__(self, units, output_units, activation="tanh", output_activation=None, **kwargs):
        super().__init__(**kwargs)
        if units < 1 or output_units < 1:
            raise ValueError(
                f"units and output_units must be at least 1, received {units} and {output_units}"
            )
        self.units = units
        self.output_units = output_units
        self.activation = keras.activations.get(activation)
        self.output_activation = keras.activations.get(output_activation)
        self.state_size = output_units
        self.output_size = output_units

    def build(self, input_shape):
        """Make the weights for inputs (batch, features)."""
        add, units, outputs = self.add_weight, self.units, self.output_units
        self.kernel = add((input_shape[-1], units), "glorot_uniform", name="kernel")
        self.recurrent_kernel = add((outputs, units), "orthogonal", name="recurrent_kernel")
        self.bias = add((units,), "zeros", name="bias")
        self.output_kernel = add((units, outputs), "glorot_uniform", name="output_kernel")
        self.output_bias = add((outputs,), "zeros", name="output_bias")

    def call(self, inputs, states):
        """Take one step.

        Args:
            inputs: (batch, features), x_t.
            states: one tensor (batch, output_units), y_{t-1}.

        Returns:
            y_t (batch, output_units), and the states for the next step: y_t again.
        """
        (y_prev,) = states
        h = self.activation(
            ops.matmul(inputs, self.kernel) + ops.matmul(y_prev, self.recurrent_kernel) + self.bias
        )  # (batch, units)
        y = self.output_activation(ops.matmul(h, self.output_kernel) + self.output_bias)
        return y, [y]

    def get_config(self):
        """Return what `from_config` needs to build this cell again."""
        return {
            **super().get_config(),
            "units": self.units,
            "output_units": self.output_units,
            "activation": keras.activations.serialize(self.activation),
            "output_activation": keras.activations.serialize(self.output_activation),
        }


@keras.saving.register_keras_serializable(package="utils")
class PeepholeLSTMCell(keras.Layer):
    """An LSTM step whose gates also look at the memory cell they guard.

        i = sigmoid(x_t W_i + h_{t-1} U_i + p_i * c_{t-1} + b_i)      input gate
        f = sigmoid(x_t W_f + h_{t-1} U_f + p_f * c_{t-1} + b_f)      forget gate
        c_t = f * c_{t-1} + i * tanh(x_t W_c + h_{t-1} U_c + b_c)     memory
        o = sigmoid(x_t W_o + h_{t-1} U_o + p_o * c_t + b_o)          output gate
        h_t = o * tanh(c_t)                                           output

    The output gate sees the new memory c_t, the other two the old one. A peephole is element-wise:
    each gate sees its own memory cell only. With the peepholes at zero, where they start, this is
    `keras.layers.LSTM`.

    Source: Gers & Schmidhuber, "Recurrent nets that time and count" (2000); Gers, Schraudolph &
    Schmidhuber, "Learning precise timing with LSTM recurrent networks" (2002).

    Args:
        units: number of memory cells, and width of the output.

    Weights, in order: kernel (features, 4 * units), recurrent_kernel (units, 4 * units) and
    bias (4 * units,), each in Keras' gate order i, f, c, o, with the forget gate's bias starting
    at 1; peephole_kernel (3, units), its rows p_i, p_f, p_o.

    Raises:
        ValueError: if units is below 1.
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"units must be at least 1, received {units}")
        self.units = units
        self.state_size = [units, units]  # h, c
        self.output_size = units

    def build(self, input_shape):
        """Make the weights for inputs (batch, features)."""

        def unit_forget_bias(shape, dtype):
            return ops.repeat(ops.convert_to_tensor([0, 1, 0, 0], dtype), units)

        add, units = self.add_weight, self.units
        self.kernel = add((input_shape[-1], 4 * units), "glorot_uniform", name="kernel")
        self.recurrent_kernel = add((units, 4 * units), "orthogonal", name="recurrent_kernel")
        self.bias = add((4 * units,), unit_forget_bias, name="bias")
        self.peephole_kernel = add((3, units), "zeros", name="peephole_kernel")

    def call(self, inputs, states):
        """Take one step.

        Args:
            inputs: (batch, features), x_t.
            states: h_{t-1} and c_{t-1}, each (batch, units).

        Returns:
            h_t (batch, units), and the states for the next step: h_t and c_t.
        """
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

    def get_config(self):
        """Return what `from_config` needs to build this cell again."""
        return {**super().get_config(), "units": self.units}
