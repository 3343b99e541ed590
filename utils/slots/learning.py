"""Train a tagger, and find out how sure it may be."""

import functools
import time
from collections import Counter
from collections.abc import Callable, Sequence

from utils import InputError, training
from utils.slots.chunks import evaluate, spans
from utils.slots.files import Sentence
from utils.slots.tagger import Tagger
from utils.slots.text import normal
from utils.slots.vocabulary import OTHER

import keras
import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import softmax


class Batches(keras.utils.PyDataset):
    """Sentences to train on, in batches of about the same length, mixed anew each epoch.

    A batch is the inputs, as `Vocabulary.encode` gives them, and the targets: "tags" (batch,
    steps), their numbers, -1 where there is no word; and "intent" (batch, intents), 1-of-N.

    So that a tagger learns what to make of a word that it will not know, the rarest words, which
    make up a share `rare` of the text, are replaced by OTHER, letters excepted, half of the time.
    """

    def __init__(self, sentences, vocabulary, batch_size, rare, seed):
        super().__init__()
        self.batch_size = batch_size
        self.lengths = np.array([len(sentence.words) for sentence in sentences])
        self.inputs = [vocabulary.encode([one.words], len(one.words)) for one in sentences]
        self.tags = [[vocabulary.tags.index(tag) for tag in one.tags] for one in sentences]
        intents = [vocabulary.intents.index(s.intent) for s in sentences if vocabulary.intents]
        self.intents = np.eye(len(vocabulary.intents), dtype="float32")[intents]
        counts = Counter(normal(word) for one in sentences for word in one.words)
        words = sorted(vocabulary.words, key=counts.get)
        share = np.cumsum([counts[word] for word in words]) / counts.total()
        self.rare = [vocabulary.words[word] for word in np.array(words)[share <= rare]]
        self.rng = np.random.default_rng(seed)
        self.on_epoch_end()
        # Keras takes what varies from the first two batches: the shortest and the longest
        order = np.argsort([self.lengths[rows].max() for rows in self.batches])
        self.batches = [self.batches[i] for i in (*order[:1], *order[:0:-1])]

    def __len__(self):
        return -(-len(self.lengths) // self.batch_size)

    def on_epoch_end(self):
        """Mix the sentences of the same length, and the batches."""
        order = np.lexsort([self.rng.random(len(self.lengths)), self.lengths])
        batches = [order[i : i + self.batch_size] for i in range(0, len(order), self.batch_size)]
        self.batches = [batches[i] for i in self.rng.permutation(len(batches))]

    def __getitem__(self, index):
        rows = self.batches[index]
        pad = functools.partial(keras.utils.pad_sequences, padding="post")
        each = [self.inputs[row] for row in rows]
        inputs = {name: pad([one[name][0] for one in each]) for name in each[0]}
        words = inputs["words"]
        words[np.isin(words, self.rare) & (self.rng.random(words.shape) < 0.5)] = OTHER
        targets = {"tags": pad([self.tags[row] for row in rows], value=-1)}
        if self.intents.size:
            targets["intent"] = self.intents[rows]
        return inputs, targets


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
    network, words, start = tagger.network, [one.words for one in dev], time.perf_counter()
    kept, interrupted = [], False  # kept: a score, its epoch, its weights
    names = tagger.vocabulary.tags, tagger.vocabulary.intents
    guessing = sum(np.log(max(len(found), 1)) for found in names)  # the loss, about

    def after_epoch(epoch, logs):  # while the averages are in the network
        finite = all(np.isfinite(weights).all() for weights in network.get_weights())
        if not finite or (epoch + 1 == epochs and not logs["loss"] < 2 * guessing):
            print()  # ends the line of the epochs before
            raise InputError("the training diverged; lower --learning-rate")
        scores = evaluate(dev, tagger.read(words))
        shown = {"dev F1": scores["f1"], "intent": scores["intent_accuracy"]}
        shown = {name: score for name, score in shown.items() if score is not None}
        if not kept or sum(shown.values()) > kept[0]:
            kept[:] = sum(shown.values()), epoch + 1, network.get_weights()
        said = ", ".join(f"{name} {score:.2f}" for name, score in shown.items())
        progress = f"{title}: epoch {epoch + 1}/{epochs}, loss {logs['loss']:.4f}, {said}"
        print(f"\r{progress}, best epoch {kept[1]}  ", end="", flush=True)
        if on_epoch:
            on_epoch(float(kept[0]))

    averaged = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    ours = keras.callbacks.LambdaCallback(on_epoch_end=after_epoch)
    # Keras would make these variables in its first step, and then trace it once more
    network.optimizer.build(network.trainable_variables)
    found = network(tagger.vocabulary.encode([["?"]], steps=1))
    network.compute_loss(y=found | {"tags": found["tags"][..., 0]}, y_pred=found)
    try:
        network.fit(batches, epochs=epochs, callbacks=[averaged, ours], verbose=0)
    except KeyboardInterrupt:
        if not kept:  # not one epoch: nothing worth keeping
            raise
        interrupted = True
    history, seconds = pd.DataFrame(network.history.history), time.perf_counter() - start
    found = training.Fit(history, kept[1], epochs, seconds, interrupted)
    print(f"\n    {found}")
    network.set_weights(kept[2])
    return found


def calibrate(tagger: Tagger, sentences: Sequence[Sentence]) -> None:
    """Fit the temperatures of slots and intents: the ones by which what was found is likeliest.

    A temperature above 1 makes a network less sure of itself, and changes no answer.
    """
    batches = list(tagger.scores([sentence.words for sentence in sentences]))
    ordered = [sentences[row] for rows, *_ in batches for row in rows]
    true = [spans(sentence.tags) for sentence in ordered]

    def slots(temperature):
        tagger.crf.temperature.assign(temperature)  # of the links
        readings = []
        for _, scores, real in batches:
            readings += tagger.decode({**scores, "tags": scores["tags"] / temperature}, real)
        pairs = zip(true, readings, strict=True)
        rows = [(sure, tuple(s) in right) for right, one in pairs for *s, sure in one.chunks]
        return np.array(rows, float).reshape(-1, 2).T

    tagger.crf.temperature.assign(likeliest_temperature(slots))
    if names := tagger.vocabulary.intents:
        logits = np.concatenate([scores["intent"] for _, scores, _ in batches])
        right = np.array(names)[logits.argmax(axis=-1)] == [one.intent for one in ordered]
        found = likeliest_temperature(lambda t: (softmax(logits / t, axis=-1).max(axis=-1), right))
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

    bounds = np.log([0.25, 8])
    found = minimize_scalar(surprise, bounds=bounds, method="bounded", options={"xatol": 0.02})
    return float(np.exp(found.x))
