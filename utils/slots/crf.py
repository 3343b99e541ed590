"""A conditional random field: why the tag before matters.

A softmax for each word chooses each tag alone: "York" after "New" may become a second city. A
linear-chain CRF gives a score to a whole sequence of tags y instead,

    score(y) = sum over t of  x_t[y_t] + A[y_{t-1}, y_t]          (y_0 is O)

where the network says what tag j is worth at word t, x_t[j], and A[i, j], learned too, what it is
worth that j follows i. The probability of y is exp(score(y)) / Z, and Z sums over all sequences,
far too many to list. A loop over the words is enough, because all that came before a tag acts
through the tag just before it. The loop is itself a recurrent network. Its memory is what all ways
to each tag are worth together:

    a_t[j] = x_t[j] + log sum over i of exp(a_{t-1}[i] + A[i, j])
    log Z = log sum over j of exp(a_T[j])

With the best way in place of the sum of all ways, it finds the best sequence (Viterbi). Run from
either end, it says how probable a tag is, and a slot (forward-backward).

Source: Lafferty, McCallum & Pereira, "Conditional random fields" (2001).
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

NEVER = -1e4  # is worth nothing at all: exp(NEVER) is 0
TINY = 1e-37  # the least sum that 32 bits can take the logarithm of


@keras.saving.register_keras_serializable(package="utils")
class CRF(keras.Layer):
    """The last layer of a tagger: scores (batch, steps, tags) pass; `loss` and `viterbi` know A.

    Whatever it learns, an I- must continue its slot.

    Args:
        tags: their names, as `utils.slots.chunks.spans` reads them; "O" is one of them.
        learned: `False` leaves A at zero and trains each word's softmax alone.

    Weights: temperature (), by which all scores are divided, 1 until a calibration sets it; and
    transitions A (tags, tags).
    """

    supports_masking = True

    def __init__(self, tags, learned=True, **kwargs):
        super().__init__(**kwargs)
        self.tags, self.learned = list(tags), learned
        self.start = self.tags.index("O")  # as if it came before the first word
        self.beginning = np.where(np.array(self.tags) == "O", 0, NEVER).astype("float32")
        self.follows = np.array(
            [[b[:2] != "I-" or a in (b, f"B-{b[2:]}") for b in self.tags] for a in self.tags]
        )  # may the tag of this column come after the tag of this row?

    def build(self, input_shape):
        """Make the weights."""
        self.temperature = self.add_weight((), "ones", trainable=False, name="temperature")
        shape, more = (len(self.tags), len(self.tags)), {"trainable": self.learned}
        self.transitions = self.add_weight(shape, "zeros", name="transitions", **more)

    def call(self, scores):
        """Return scores / temperature."""
        return scores / self.temperature

    def links(self):
        """Return A (tags, tags) over the temperature, NEVER where an I- would continue nothing."""
        return ops.where(self.follows, self.transitions / self.temperature, NEVER)

    def loss(self, tags, scores):
        """Return -log of the probability of the true tags, per word.

        Args:
            tags: (batch, steps), their numbers; -1 where there is no word.
            scores: (batch, steps, tags).
        """
        tags = ops.cast(tags, "int32")  # Keras makes them floats
        real = tags >= 0
        words = ops.cast(real, scores.dtype)  # (batch, steps)
        tags = ops.where(real, tags, self.start)
        true = ops.sum(ops.one_hot(tags, len(self.tags)) * scores, axis=-1)
        if self.learned:
            before = ops.pad(tags[:, :-1], [[0, 0], [1, 0]], constant_values=self.start)
            links = ops.reshape(self.links(), (-1,))
            true = true + ops.take(links, before * len(self.tags) + tags)
            everything = ops.sum(ops.logsumexp(self.forward(scores, real)[-1], axis=-1))
        else:
            everything = ops.sum(words * ops.logsumexp(scores, axis=-1))
        return (everything - ops.sum(words * true)) / ops.sum(words)

    def forward(self, scores, real):
        """Return what all ways to each tag of each word are worth together, a_t.

        Args:
            scores: (batch, steps, tags).
            real: (batch, steps), False where there is no word: there a_t stays as it was.

        Returns:
            (steps, batch, tags).
        """
        weights = ops.exp(self.links())
        start = ops.zeros_like(scores[:, 0]) + self.beginning
        return scan(lambda before, x: x + log_sum(before, weights), start, scores, real)[1:]

    def backward(self, scores, real):
        """Return what all ways on from each tag of each word are worth, as `forward` does."""
        weights = ops.transpose(ops.exp(self.links()))
        last = ops.zeros_like(scores[:, 0])
        return scan(lambda after, x: log_sum(x + after, weights), last, scores, real, True)[1:]

    def viterbi(self, scores, real):
        """Return the best tags (batch, steps), their numbers; without a meaning past the end."""
        links = ops.transpose(self.links())  # (to, from)

        def ahead(before, score):
            after = score + ops.max(before[:, None] + links, axis=-1)
            return after - ops.max(after, axis=-1, keepdims=True)  # only differences matter

        def back(tag, before):
            return ops.argmax(before + ops.take(links, tag[:, 0], axis=0), axis=-1, keepdims=True)

        best = scan(ahead, ops.zeros_like(scores[:, 0]) + self.beginning, scores, real)
        tag = ops.argmax(best[-1], axis=-1, keepdims=True)
        before = ops.transpose(best[:-1], (1, 0, 2))
        return ops.transpose(scan(back, tag, before, real, True)[1:, :, 0])


def scan(step, start, values, real, reverse=False):
    """Return the start and all that `step` makes of it: (1 + steps, batch, ...), in order of time.

    Its second argument is each word's of `values` (batch, steps, tags), from the last word back if
    `reverse`; where there is no word, the first stays as it was.
    """

    def kept(before, now):
        value, word = now
        return tf.where(word[:, None], step(before, value), before)

    by_step = ops.transpose(values, (1, 0, 2)), ops.transpose(real)
    found = tf.scan(kept, by_step, start, reverse=reverse)
    return ops.concatenate([found, start[None]] if reverse else [start[None], found])


def log_sum(worth, weights):
    """Return log of exp(worth) @ weights, (batch, tags), without an overflow."""
    top = ops.max(worth, axis=-1, keepdims=True)
    return top + ops.log(ops.maximum(ops.matmul(ops.exp(worth - top), weights), TINY))
