"""A recurrent cell that Keras lacks, for slot_filling.py: the minimal gated unit."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="exercises")
class MinimalGatedCell(keras.Layer):
    """A recurrent step with a single gate, which does the work of a GRU's two.

        f = sigmoid(x W_f + h_prev U_f + b_f)              forget gate
        n = tanh(x W_n + (f * h_prev) U_n + b_n)           new content
        h = (1 - f) * h_prev + f * n

    Source: Zhou et al., "Minimal gated unit for recurrent neural networks" (2016).
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = self.output_size = units

    def build(self, input_shape):
        """Make the weights for inputs (batch, features): kernels of f and of n side by side."""
        features, units = input_shape[-1], self.units
        self.kernel = self.add_weight((features, 2 * units), name="kernel")
        self.recurrent_kernel = self.add_weight(
            (units, 2 * units), initializer="orthogonal", name="recurrent_kernel"
        )
        self.bias = self.add_weight((2 * units,), initializer="zeros", name="bias")

    def call(self, inputs, states):
        """Take one step.

        Args:
            inputs: (batch, features), x.
            states: a list with one tensor (batch, units), h_prev.

        Returns:
            h (batch, units), and the states for the next step: [h].
        """
        (h_prev,) = states
        W_f, W_n = ops.split(self.kernel, 2, axis=1)
        U_f, U_n = ops.split(self.recurrent_kernel, 2, axis=1)
        b_f, b_n = ops.split(self.bias, 2)
        f = ops.sigmoid(inputs @ W_f + h_prev @ U_f + b_f)
        n = ops.tanh(inputs @ W_n + (f * h_prev) @ U_n + b_n)
        h = (1 - f) * h_prev + f * n
        return h, [h]

    def get_config(self):
        """Return what `from_config` needs to build this cell again."""
        return {**super().get_config(), "units": self.units}
