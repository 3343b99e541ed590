"""A tagger: a network that reads sentences, how sure it is, its answers, save and load.

Its network takes what `Vocabulary.encode` returns. It gives scores: "tags" (batch, steps, tags)
from a layer `CRF` of this name and, where the data have intents, "intent" (batch, intents) from a
dense layer of this name; a softmax makes them probabilities.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from utils import InputError, training
from utils.cells import JordanCell, MinGRU, PeepholeLSTMCell  # noqa: F401  Keras loads them
from utils.slots import chunks
from utils.slots.crf import CRF
from utils.slots.text import normal, without_marks
from utils.slots.vocabulary import PADDING, Vocabulary

import keras
import numpy as np
import tensorflow as tf
from scipy.special import softmax

SCRIPT = "slot_filling.py"
MAX_WORDS = 2048  # at once, padding included; with more, more of it is padding


class Reading(NamedTuple):
    """What a tagger reads in a sentence."""

    tags: list[str]
    chunks: list[tuple[str, int, int, float]]  # slot, start, stop, probability
    intent: str | None  # none in an empty sentence, and where the data have no intents
    probability: float  # of the intent


class Tagger:
    """A network and the vocabulary that it speaks."""

    def __init__(self, network: keras.Model, vocabulary: Vocabulary):
        self.network, self.vocabulary = network, vocabulary
        self.crf: CRF = network.get_layer("tags")
        # traced once for all lengths; `predict` would trace anew for the first ones that come,
        # which takes longer than 1,000 sentences
        inputs = {name: tf.TensorSpec(x.shape, x.dtype) for name, x in network.input.items()}
        self._scores = tf.function(lambda x: network(x, training=False), [inputs], autograph=False)
        words = tf.TensorSpec((None, None, len(vocabulary.tags))), tf.TensorSpec((None, None), bool)
        ways = self.crf.viterbi, self.crf.forward, self.crf.backward
        self._ways = tf.function(lambda *x: [way(*x) for way in ways], words, autograph=False)

    def read(self, sentences: Sequence[Sequence[str]]) -> list[Reading]:
        """Read sentences, which may be empty, and of any length."""
        readings = [Reading([], [], None, 0.0)] * len(sentences)
        for rows, scores, real in self.scores(sentences):
            for row, reading in zip(rows, self.decode(scores, real), strict=True):
                readings[row] = reading
        return readings

    def scores(self, sentences: Sequence[Sequence[str]]) -> Iterator[tuple[list, dict, np.ndarray]]:
        """Yield row numbers of sentences of about the same length, scores, and where words are."""
        left = [row for row, sentence in enumerate(sentences) if sentence]
        left.sort(key=lambda row: len(sentences[row]))
        while left:
            steps = len(sentences[left[-1]])
            count = max(1, MAX_WORDS // steps)
            rows, left = left[-count:], left[:-count]
            inputs = self.vocabulary.encode([sentences[row] for row in rows], steps)
            found = {name: scores.numpy() for name, scores in self._scores(inputs).items()}
            yield rows, found, inputs["words"] != PADDING

    def decode(self, scores: dict[str, np.ndarray], real: np.ndarray) -> Iterator[Reading]:
        """Yield the most probable reading of each sentence."""
        best, forward, backward = map(np.asarray, self._ways(scores["tags"], real))
        links = keras.ops.convert_to_numpy(self.crf.links())
        names = self.vocabulary.intents or [None]
        intents = softmax(scores["intent"], axis=-1) if names[0] else np.zeros((len(real), 1))
        for row, steps in enumerate(real.sum(axis=1)):
            tags = [self.vocabulary.tags[number] for number in best[row, :steps]]
            ways = forward[:steps, row], backward[:steps, row]
            sure = [
                (*span, chunk_probability(span, self.crf.tags, scores["tags"][row], links, *ways))
                for span in chunks.spans(tags)
            ]
            yield Reading(tags, sure, names[intents[row].argmax()], float(intents[row].max()))

    def tag_probabilities(self, words: Sequence[str]) -> np.ndarray:
        """Return how probable each tag of each word of one sentence is: (words, tags)."""
        ((_, scores, real),) = self.scores([words])
        _, forward, backward = self._ways(scores["tags"], real)
        return softmax((forward + backward)[:, 0].numpy(), axis=-1)


def chunk_probability(span, tags, scores, links, forward, backward) -> float:
    """Return how probable it is that a sentence has this very chunk, whatever else it has.

    All ways to its first word, the one way through it, all ways on but those that prolong it; what
    they are worth, `CRF` says: links (tags, tags), the rest (words, tags).
    """
    slot, start, stop = span
    inside = tags.index(f"I-{slot}") if f"I-{slot}" in tags else None
    last = tags.index(f"B-{slot}")
    worth = forward[start, last]
    for step in range(start + 1, stop):
        worth += links[last, inside] + scores[step, inside]
        last = inside
    if stop < len(forward):
        on = links[last] + scores[stop] + backward[stop]
        worth += np.logaddexp.reduce(np.delete(on, [] if inside is None else inside))
    return float(np.exp(min(worth - np.logaddexp.reduce(forward[-1]), 0.0)))


def answer(tagger: Tagger, texts: Sequence[str], min_confidence: float = 0.0) -> Iterator[dict]:
    """Yield what each text says; slots and intents less probable than that are withheld.

    Yields:
        of each text its "intent" (None without one, or withheld) and "intent_probability"; its
        "slots", each with "slot", "text" and "probability"; its "words", a tag for each in "tags",
        and those never seen in training in "unknown".
    """
    places = [tagger.vocabulary.cut(text) for text in texts]
    sentences = [[text[a:b] for a, b in cuts] for text, cuts in zip(texts, places, strict=True)]
    rows = zip(texts, places, sentences, tagger.read(sentences), strict=True)
    for text, cuts, words, reading in rows:
        tags, slots = ["O"] * len(words), []
        for slot, start, stop, probability in reading.chunks:
            if probability >= min_confidence:
                tags[start:stop] = reading.tags[start:stop]
                found = without_marks(text[cuts[start][0] : cuts[stop - 1][1]])
                slots.append({"slot": slot, "text": found, "probability": round(probability, 4)})
        yield {
            "intent": reading.intent if reading.probability >= min_confidence else None,
            "intent_probability": round(reading.probability, 4) if reading.intent else None,
            "slots": slots,
            "words": words,
            "tags": tags,
            "unknown": [word for word in words if normal(word) not in tagger.vocabulary.words],
        }


def save(path: str | Path, tagger: Tagger) -> None:
    """Save a tagger as one `.keras` file, whole or not at all."""
    training.save(path, tagger.network, {"script": SCRIPT, **tagger.vocabulary._asdict()})


def load(path: str | Path) -> Tagger:
    """Load what `save` wrote, in Keras' safe mode: a stranger's file must not run code.

    Raises:
        InputError: if there is no such file, it can't be read, or it would have to run code.
    """
    if not Path(path).exists():
        raise InputError(f"no saved model at {path}; train one first, without --predict")
    network, facts = training.load(path, SCRIPT)
    return Tagger(network, Vocabulary(**facts))
