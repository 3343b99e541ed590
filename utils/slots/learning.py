"""Train a tagger, and find out how sure it may be."""

import functools
import time
from collections import Counter
from collections.abc import Callable, Sequence

from utils import InputError, training
from utils.slots.chunks import evaluate, sure_and_right
from utils.slots.files import Sentence
from utils.slots.tagger import Tagger
from utils.slots.text import normal
from utils.slots.vocabulary import OTHER

import keras
import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

DIVERGED = "the training diverged; lower --learning-rate"
TEMPERATURES = 0.25, 8  # that a calibration may find


class Batches(keras.utils.PyDataset):
    """Sentences to train on, in batches of about the same length, mixed anew each epoch.

    A batch is the inputs, as `Vocabulary.encode` gives them, and the targets: "tags" (batch,
    steps), their numbers, -1 where there is no word; and "intent" (batch, intents), 1-of-N.

    So that a tagger learns what to make of a word that it will not know, the rarest words, which
    make up a share `rare` of the text, are replaced by OTHER, letters excepted, half of the time.
    """

    def __init__(self, sentences, vocabulary, batch_size, rare, seed):
        super().__init__()
        self.sentences, self.vocabulary, self.batch_size = sentences, vocabulary, batch_size
        self.tags = {tag: number for number, tag in enumerate(vocabulary.tags)}
        self.lengths = np.array([len(sentence.words) for sentence in sentences])
        counts = Counter(normal(word) for sentence in sentences for word in sentence.words)
        words = sorted(vocabulary.words, key=counts.get)
        share = np.cumsum([counts[word] for word in words]) / counts.total()
        rarest = words[: np.searchsorted(share, rare, "right")]
        self.rare = [vocabulary.words[word] for word in rarest]
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
        words = inputs["words"]
        words[np.isin(words, self.rare) & (self.rng.random(words.shape) < 0.5)] = OTHER
        tags = [[self.tags[tag] for tag in sentence.tags] for sentence in sentences]
        targets = {"tags": keras.utils.pad_sequences(tags, steps, padding="post", value=-1)}
        if intents := self.vocabulary.intents:
            numbers = [intents.index(sentence.intent) for sentence in sentences]
            targets["intent"] = np.eye(len(intents), dtype="float32")[numbers]
        return inputs, targets


class BestEpoch(keras.callbacks.Callback):
    """Score the dev part after each epoch, print how it goes, and keep the best weights."""

    def __init__(self, title, tagger, dev, on_epoch):
        super().__init__()
        self.title, self.tagger, self.dev, self.on_epoch = title, tagger, dev, on_epoch
        self.losses, self.score, self.epoch, self.weights = [], -1.0, 0, None  # of the best epoch

    def on_epoch_end(self, epoch, logs=None):
        """Score the dev part: by F1 and, where there are intents, their accuracy."""
        if not all(np.isfinite(weights).all() for weights in self.model.get_weights()):
            print()  # ends the line of the epochs before
            raise InputError(DIVERGED)
        scores = evaluate(self.dev, self.tagger.read([sentence.words for sentence in self.dev]))
        score, said = scores["f1"], f"dev F1 {scores['f1']:.2f}"
        if scores["intent_accuracy"] is not None:
            score += scores["intent_accuracy"]
            said += f", intent {scores['intent_accuracy']:.2f}"
        if score > self.score:
            self.score, self.epoch, self.weights = score, epoch + 1, self.model.get_weights()
        self.losses.append(logs["loss"])
        progress = f"epoch {epoch + 1}/{self.params['epochs']}, loss {logs['loss']:.4f}"
        print(f"\r{self.title}: {progress}, {said}, best epoch {self.epoch}  ", end="", flush=True)
        if self.on_epoch:
            self.on_epoch(float(self.score))


def fit(
    tagger: Tagger,
    batches: Batches,
    dev: Sequence[Sentence],
    epochs: int,
    title: str,
    on_epoch: Callable[[float], None] | None = None,
) -> training.Fit:
    """Train, with averaged weights (`use_ema`), and keep those of the best epoch on the dev part.

    The progress that is printed begins with the title. After each epoch, `on_epoch` gets the best
    score so far.

    Raises:
        KeyboardInterrupt: if Ctrl-C came before the first epoch ended.
        InputError: if it ended worse than guessing.
    """
    best, start, interrupted = BestEpoch(title, tagger, dev, on_epoch), time.perf_counter(), False
    callbacks = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True), best]
    try:
        tagger.network.fit(batches, epochs=epochs, callbacks=callbacks, verbose=0)
    except KeyboardInterrupt:
        if best.weights is None:  # not one epoch: nothing worth keeping
            raise
        interrupted = True
    history, seconds = pd.DataFrame({"loss": best.losses}), time.perf_counter() - start
    found = training.Fit(history, best.epoch, epochs, seconds, interrupted)
    print(f"\n    {found}")
    names = tagger.vocabulary.tags, tagger.vocabulary.intents
    guessing = sum(np.log(max(len(found), 1)) for found in names)  # the loss, about
    if not best.losses[-1] < 2 * guessing:
        raise InputError(DIVERGED)
    tagger.network.set_weights(best.weights)
    return found


def calibrate(tagger: Tagger, sentences: Sequence[Sentence]) -> None:
    """Fit the temperatures of slots and intents: the ones by which what was found is likeliest.

    A temperature above 1 makes a network less sure of itself, and changes no answer.
    """
    batches = list(tagger.scores([sentence.words for sentence in sentences]))
    ordered = [sentences[row] for rows, *_ in batches for row in rows]

    def answers(name, kind, temperature):
        readings = []
        for _, scores, real in batches:
            readings += tagger.decode({**scores, name: scores[name] / temperature}, real)
        return sure_and_right(ordered, readings)[kind]

    def slots(temperature):
        tagger.crf.temperature.assign(temperature)  # of the links
        return answers("tags", "slot", temperature)

    tagger.crf.temperature.assign(likeliest_temperature(slots))
    if tagger.vocabulary.intents:
        found = likeliest_temperature(functools.partial(answers, "intent", "intent"))
        layer = tagger.network.get_layer("intent")
        layer.set_weights([weights / found for weights in layer.get_weights()])


def likeliest_temperature(answers: Callable[[float], tuple[np.ndarray, np.ndarray]]) -> float:
    """Return the temperature by which right and wrong answers are likeliest; of none, 1.

    So that a network is never wholly sure, n right answers count as (n + 1) / (n + 2) right each, n
    wrong ones as 1 / (n + 2); Platt, "Probabilistic outputs for support vector machines" (1999).
    Given a temperature, `answers` returns how probable each one is, and whether it is right.
    """
    _, right = answers(1.0)
    if not len(right):
        return 1.0
    count = right.sum()
    kept = np.where(right, (count + 1) / (count + 2), 1 / (len(right) - count + 2))

    def surprise(log_temperature):
        sure = np.clip(answers(np.exp(log_temperature))[0], 1e-6, 1 - 1e-6)
        return -(kept * np.log(sure) + (1 - kept) * np.log(1 - sure)).mean()

    bounds = np.log(TEMPERATURES)
    found = minimize_scalar(surprise, bounds=bounds, method="bounded", options={"xatol": 0.02})
    return float(np.exp(found.x))
