"""Train a tagger, score it, save it, load it, and ask it.

A tagger is a Keras model from what `Vocabulary.encode` returns to (batch, steps, tags), the
probability of each tag of its vocabulary.
"""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from utils import (
    InputError,
    cells,  # noqa: F401  Keras must know them to load a model with one
    training,
)
from utils.slots.tagging import (
    OTHER,
    PADDING,
    Sentence,
    Vocabulary,
    decode,
    normal,
    score,
    spans,
    without_marks,
)

import keras
import numpy as np
import pandas as pd

SCRIPT = "slot_filling.py"
RARE = 0.02  # see Batches
AVERAGED = 100  # steps, at most an epoch, over which the weights are averaged
MAX_WORDS = 8192  # at once, padding included, so that long sentences don't fill the memory


class Batches(keras.utils.PyDataset):
    """Sentences to train on, in batches of about the same length, mixed anew each epoch.

    A batch is the inputs, as `Vocabulary.encode` gives them; the numbers of the tags (batch,
    steps); and the weights (batch, steps) that keep the padding out of the loss.

    So that a tagger learns what to make of a word that it will not know, the rarest words are
    replaced by OTHER, letters excepted, half of the time.

    Args:
        sentences: the train part.
        vocabulary: of the train part.
        batch_size: sentences per batch.
        rare: how much of the text consists of words that are rare: 0 is nothing, 1 all of it.
        seed: of the order and the replacements.
    """

    def __init__(self, sentences, vocabulary, batch_size, rare, seed):
        super().__init__()
        self.sentences, self.vocabulary, self.batch_size = sentences, vocabulary, batch_size
        self.tags = {tag: number for number, tag in enumerate(vocabulary.tags)}
        self.lengths = np.array([len(sentence.words) for sentence in sentences])
        counts = Counter(normal(word) for sentence in sentences for word in sentence.words)
        words = sorted(vocabulary.words, key=counts.get)
        share = np.cumsum([counts[word] for word in words]) / counts.total()
        self.rare = [
            vocabulary.words[word] for word in words[: np.searchsorted(share, rare, "right")]
        ]
        self.rng = np.random.default_rng(seed)
        self.on_epoch_end()
        # Keras takes what varies from the first two batches: the shortest and the longest
        order = np.argsort([self.lengths[rows].max() for rows in self.batches])
        self.batches = [self.batches[i] for i in (*order[:1], *order[:0:-1])]

    def __len__(self):
        return -(-len(self.sentences) // self.batch_size)

    def on_epoch_end(self):
        """Mix the sentences of the same length, and the batches."""
        order = np.lexsort([self.rng.random(len(self.lengths)), self.lengths])
        batches = [order[i : i + self.batch_size] for i in range(0, len(order), self.batch_size)]
        self.batches = [batches[i] for i in self.rng.permutation(len(batches))]

    def __getitem__(self, index):
        rows = self.batches[index]
        sentences, steps = [self.sentences[row] for row in rows], self.lengths[rows].max()
        inputs = self.vocabulary.encode([sentence.words for sentence in sentences], steps)
        weights = (inputs["words"] != PADDING).astype("float32")
        replaced = np.isin(inputs["words"], self.rare) & (self.rng.random(weights.shape) < 0.5)
        inputs["words"][replaced] = OTHER
        targets = np.zeros((len(rows), steps), "int32")
        for row, sentence in enumerate(sentences):
            targets[row, : len(sentence.tags)] = [self.tags[tag] for tag in sentence.tags]
        return inputs, targets, weights


class BestEpoch(keras.callbacks.Callback):
    """Score the dev part after each epoch, print how it goes, and keep the best weights."""

    def __init__(self, title, vocabulary, dev):
        super().__init__()
        self.title, self.vocabulary, self.dev = title, vocabulary, dev
        self.f1, self.weights = -1.0, None

    def on_epoch_end(self, epoch, logs=None):
        """Score the dev part."""
        f1 = evaluate(self.model, self.vocabulary, self.dev).loc["all", "f1"]
        if f1 > self.f1:
            self.f1, self.weights = f1, self.model.get_weights()
        progress = f"epoch {epoch + 1}/{self.params['epochs']}, loss {logs['loss']:.4f}"
        print(
            f"\r{self.title}: {progress}, dev F1 {f1:.2f}, best {self.f1:.2f} ", end="", flush=True
        )


def fit(
    model: keras.Model,
    vocabulary: Vocabulary,
    parts: dict[str, list[Sentence]],
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    title: str,
) -> float:
    """Train on the train part; keep the weights of the epoch with the best F1 on the dev part.

    Adam with a cosine schedule down to zero, gradients clipped to norm 1, and the weights averaged
    over the last steps (`use_ema`).

    Args:
        model: a tagger.
        vocabulary: of the train part.
        parts: "train" and "dev".
        epochs: passes over the train part.
        batch_size: sentences per batch.
        learning_rate: at the start.
        seed: of the order of the sentences, and of the words replaced by "other".
        title: of the progress that is printed.

    Returns:
        seconds.

    Raises:
        InputError: if the weights ran away to infinity.
    """
    batches = Batches(parts["train"], vocabulary, batch_size, RARE, seed)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * len(batches))
    momentum = 1 - 1 / min(AVERAGED, len(batches))
    model.compile(
        keras.optimizers.Adam(schedule, clipnorm=1.0, use_ema=True, ema_momentum=momentum),
        keras.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight"),
        jit_compile=False,  # XLA would compile anew for every length
    )
    averaged = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    best = BestEpoch(title, vocabulary, parts["dev"])
    start = time.perf_counter()
    model.fit(batches, epochs=epochs, callbacks=[averaged, best], verbose=0)
    print()
    model.set_weights(best.weights)
    if not all(np.isfinite(weights).all() for weights in best.weights):
        raise InputError("the training diverged; lower --learning-rate")
    return time.perf_counter() - start


def tag(
    model: keras.Model, vocabulary: Vocabulary, sentences: Sequence[Sequence[str]]
) -> list[list[str]]:
    """Return a tag for each word of each sentence; sentences may be empty, and of any length."""
    tags: list[list[str]] = [[] for _ in sentences]
    left = [row for row, sentence in enumerate(sentences) if sentence]
    left.sort(key=lambda row: len(sentences[row]))
    while left:
        steps = len(sentences[left[-1]])
        count = max(1, MAX_WORDS // steps)
        rows, left = left[-count:], left[:-count]
        inputs = vocabulary.encode([sentences[row] for row in rows], steps)
        probabilities = model.predict_on_batch(inputs)  # (rows, steps, tags)
        for row, found in zip(rows, probabilities, strict=True):
            tags[row] = decode(found[: len(sentences[row])], vocabulary.tags)
    return tags


def evaluate(
    model: keras.Model, vocabulary: Vocabulary, sentences: Sequence[Sentence]
) -> pd.DataFrame:
    """Return the table of `utils.slots.tagging.score`."""
    predicted = tag(model, vocabulary, [sentence.words for sentence in sentences])
    return score([sentence.tags for sentence in sentences], predicted)


def answer(model: keras.Model, vocabulary: Vocabulary, texts: Sequence[str]) -> list[dict]:
    """Return what each text says: "words", a tag for each in "tags", and the filled "slots"."""
    sentences = [text.split() for text in texts]
    answers = []
    for words, tags in zip(sentences, tag(model, vocabulary, sentences), strict=True):
        slots = [
            {"slot": slot, "text": without_marks(" ".join(words[start:stop]))}
            for slot, start, stop in sorted(spans(tags), key=lambda span: span[1])
        ]
        answers.append({"words": words, "tags": tags, "slots": slots})
    return answers


def save(path: str | Path, model: keras.Model, vocabulary: Vocabulary) -> None:
    """Save a tagger and its vocabulary as one `.keras` file, whole or not at all."""
    training.save(path, model, {"script": SCRIPT, **vocabulary.to_json()})


def load(path: str | Path) -> tuple[keras.Model, Vocabulary]:
    """Load what `save` wrote, in Keras' safe mode: a stranger's file must not run code.

    Raises:
        InputError: if there is no such file, it can't be read, or it would have to run code.
    """
    if not Path(path).exists():
        raise InputError(f"no saved model at {path}; train one first, without --predict")
    model, facts = training.load(path, SCRIPT)
    model.jit_compile = False  # as in `fit`
    return model, Vocabulary.from_json(facts)
