"""Train a tagger, say how sure it is, save it, load it, and ask it.

A tagger's network takes what `Vocabulary.encode` returns. It gives scores: "tags" (batch, steps,
tags) from a layer `CRF` of this name and, where the data have intents, "intent" (batch, intents)
from a layer `Tempered` of this name; a softmax makes them probabilities.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from utils import InputError, training
from utils.cells import JordanCell, PeepholeLSTMCell  # noqa: F401  Keras must know them to load
from utils.checkpoint import Checkpoint
from utils.slots import chunks
from utils.slots.crf import CRF
from utils.slots.files import Sentence
from utils.slots.scores import evaluate, right_ones
from utils.slots.text import normal, without_marks
from utils.slots.vocabulary import OTHER, PADDING, Vocabulary

import keras
import numpy as np
import tensorflow as tf
from scipy.optimize import minimize_scalar
from scipy.special import softmax

SCRIPT = "slot_filling.py"
RARE = 0.02  # see Batches
AVERAGED = 100  # steps, at most an epoch, over which the weights are averaged
INTENT_WEIGHT = 0.3  # of the intent's loss, beside the loss per word
SMOOTHING = 0.1  # of the intents: the right one is to get 90 %, and its share of the rest
DIVERGED = "the training diverged; lower --learning-rate"
TEMPERATURES = 0.25, 8  # that a calibration may find
MAX_WORDS = 8192  # at once, padding included, so that long sentences don't fill the memory


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
        scores = keras.Input((None, len(vocabulary.tags)))
        real = keras.Input((None,), dtype="bool")
        self._scores = compiled(lambda inputs: network(inputs, training=False), network.input)
        self._ways = compiled(self.crf.ways, scores, real)

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
            yield rows, self._scores(inputs), inputs["words"] != PADDING

    def decode(self, scores: dict[str, np.ndarray], real: np.ndarray) -> Iterator[Reading]:
        """Yield the most probable reading of each sentence."""
        found = self._ways(scores["tags"], real)
        links = keras.ops.convert_to_numpy(self.crf.links())
        if self.vocabulary.intents:
            intents = softmax(scores["intent"], axis=-1)  # (batch, intents)
        for row, steps in enumerate(real.sum(axis=1)):
            tags = [self.vocabulary.tags[number] for number in found["tags"][row, :steps]]
            ways = [found[name][:steps, row] for name in ("forward", "backward")]
            sure = [
                (*span, chunk_probability(span, self.crf.tags, scores["tags"][row], links, *ways))
                for span in sorted(chunks.spans(tags), key=lambda span: span[1])
            ]
            intent, probability = None, 0.0
            if self.vocabulary.intents:
                intent = self.vocabulary.intents[intents[row].argmax()]
                probability = float(intents[row].max())
            yield Reading(tags, sure, intent, probability)

    def tag_probabilities(self, words: Sequence[str]) -> np.ndarray:
        """Return how probable each tag of each word of one sentence is: (words, tags)."""
        ((_, scores, real),) = self.scores([words])
        found = self._ways(scores["tags"], real)
        return softmax((found["forward"] + found["backward"])[:, 0], axis=-1)


def compiled(function: Callable, *inputs) -> Callable:
    """Return a function of arrays, traced once for sentences of all lengths.

    `predict` traces anew for the first lengths that come, which takes longer than 1,000 sentences.

    Args:
        function: of tensors.
        *inputs: like `keras.Input`, None where a length varies.
    """
    signature = keras.tree.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype), inputs)
    traced = tf.function(function, input_signature=signature, autograph=False)
    return lambda *arrays: keras.tree.map_structure(np.asarray, traced(*arrays))


def chunk_probability(
    span: tuple[str, int, int],
    tags: Sequence[str],
    scores: np.ndarray,
    links: np.ndarray,
    forward: np.ndarray,
    backward: np.ndarray,
) -> float:
    """Return how probable it is that a sentence has this very chunk, whatever else it has.

    All ways to its first word, the one way through it, all ways on but those that prolong it.

    Args:
        span: slot, start, stop.
        tags: their names.
        scores: (steps, tags).
        links: (tags, tags), `CRF.links`.
        forward: (words, tags), `CRF.forward`.
        backward: (words, tags), `CRF.backward`.
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


# ------------------------------------------------------------------ training


class Batches(keras.utils.PyDataset):
    """Sentences to train on, in batches of about the same length, mixed anew each epoch.

    A batch is the inputs, as `Vocabulary.encode` gives them, and the targets: "tags" (batch,
    steps), their numbers, -1 where there is no word; and "intent" (batch, intents), 1-of-N.

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
        self.start(self.rng.bit_generator.state)
        # Keras takes what varies from the first two batches: the shortest and the longest
        order = np.argsort([self.lengths[rows].max() for rows in self.batches])
        self.batches = [self.batches[i] for i in (*order[:1], *order[:0:-1])]

    def __len__(self):
        return -(-len(self.sentences) // self.batch_size)

    def start(self, state):
        """Begin the epoch that has this state of the random numbers, kept in `state`."""
        self.rng.bit_generator.state = state
        self.on_epoch_end()

    def on_epoch_end(self):
        """Mix the sentences of the same length, and the batches."""
        self.state = self.rng.bit_generator.state  # the next epoch's, see `start`
        order = np.lexsort([self.rng.random(len(self.lengths)), self.lengths])
        batches = [order[i : i + self.batch_size] for i in range(0, len(order), self.batch_size)]
        self.batches = [batches[i] for i in self.rng.permutation(len(batches))]

    def __getitem__(self, index):
        rows = self.batches[index]
        sentences, steps = [self.sentences[row] for row in rows], self.lengths[rows].max()
        inputs = self.vocabulary.encode([sentence.words for sentence in sentences], steps)
        words = inputs["words"]
        words[np.isin(words, self.rare) & (self.rng.random(words.shape) < 0.5)] = OTHER
        targets = {"tags": np.full(words.shape, -1, "int32")}
        for row, sentence in enumerate(sentences):
            targets["tags"][row, : len(sentence.tags)] = [self.tags[tag] for tag in sentence.tags]
        if intents := self.vocabulary.intents:
            numbers = [intents.index(sentence.intent) for sentence in sentences]
            targets["intent"] = np.eye(len(intents), dtype="float32")[numbers]
        return inputs, targets


class BestEpoch(keras.callbacks.Callback):
    """Score the dev part after each epoch, print how it goes, and keep the best weights."""

    def __init__(self, title, tagger, dev, batches):
        super().__init__()
        self.title, self.tagger, self.dev, self.batches = title, tagger, dev, batches
        self.best, self.epoch, self.weights = -1.0, 0, None
        self.last, self.loss = 0, np.inf

    def on_epoch_end(self, epoch, logs=None):
        """Score the dev part: by F1 and, where there are intents, their accuracy."""
        self.last, self.loss = epoch + 1, logs["loss"]
        if not all(np.isfinite(weights).all() for weights in self.model.get_weights()):
            print()  # ends the line of the epochs before
            raise InputError(DIVERGED)
        scores = evaluate(self.dev, self.tagger.read([sentence.words for sentence in self.dev]))
        score, said = scores["f1"], f"dev F1 {scores['f1']:.2f}"
        if scores["intent_accuracy"] is not None:
            score += scores["intent_accuracy"]
            said += f", intent {scores['intent_accuracy']:.2f}"
        if score > self.best:
            self.best, self.epoch, self.weights = score, epoch + 1, self.model.get_weights()
        progress = f"epoch {epoch + 1}/{self.params['epochs']}, loss {logs['loss']:.4f}"
        line = f"{self.title}: {progress}, {said}, best epoch {self.epoch}"
        print(f"\r{line}  ", end="", flush=True)

    def kept(self):
        """Return what a checkpoint takes: the best weights, and what else is needed to go on."""
        judging = {name: getattr(self, name) for name in ("best", "epoch", "last", "loss")}
        return self.weights, {"judging": judging, "batches": self.batches.state}

    def give_back(self, weights, state):
        """Take what `kept` returned."""
        vars(self).update(state["judging"], weights=weights)
        self.batches.start(state["batches"])


class Fit(NamedTuple):
    """What a training leaves behind, besides the weights."""

    epoch: int  # whose weights were kept
    seconds: float
    interrupted: bool


def fit(
    tagger: Tagger,
    parts: dict[str, list[Sentence]],
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    title: str,
    checkpoint: Checkpoint | None = None,
    on_epoch: Callable[[float], None] | None = None,
) -> Fit:
    """Train on the train part; keep the weights of the epoch that is best on the dev part.

    Adam with a cosine schedule down to zero, gradients clipped to norm 1, and the weights averaged
    over the last steps (`use_ema`).

    Args:
        tagger: untrained.
        parts: "train" and "dev".
        epochs: passes over the train part.
        batch_size: sentences per batch.
        learning_rate: at the start.
        seed: of the order of the sentences, and of the words replaced by "other".
        title: of the progress that is printed.
        checkpoint: from which to go on, and which is renewed after each epoch.
        on_epoch: is told after each epoch the best score so far on the dev part.

    Returns:
        what happened; after Ctrl-C the tagger has the best weights so far.

    Raises:
        KeyboardInterrupt: if Ctrl-C came before the first epoch ended.
        InputError: if it ended worse than guessing.
    """
    network = tagger.network
    batches = Batches(parts["train"], tagger.vocabulary, batch_size, RARE, seed)
    _compile(tagger, learning_rate, epochs, len(batches))
    averaged = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    best = BestEpoch(title, tagger, parts["dev"], batches)
    callbacks, first = [averaged, best], 0
    start, interrupted = time.perf_counter(), False
    if checkpoint:
        start -= checkpoint.seconds
        first = checkpoint.epoch
        state = best.kept, best.give_back
        callbacks.append(training.survival(checkpoint, network, averaged, start, *state))
    if on_epoch:
        told = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: on_epoch(float(best.best)))
        callbacks.append(told)
    try:
        network.fit(batches, epochs=epochs, initial_epoch=first, callbacks=callbacks, verbose=0)
    except KeyboardInterrupt:
        if best.weights is None:  # not one epoch: nothing worth keeping
            raise
        interrupted = True
    seconds = time.perf_counter() - start
    why = f"was interrupted after epoch {best.last}" if interrupted else "ended as planned"
    kept = f"kept is epoch {best.epoch}, best on the dev part."
    print(f"\n    Training {why}, {seconds:.0f} s; {kept}")
    if not best.loss < 2 * _loss_of_guessing(tagger.vocabulary):
        raise InputError(DIVERGED)
    network.set_weights(best.weights)
    return Fit(best.epoch, seconds, interrupted)


def _compile(tagger, learning_rate, epochs, steps):
    losses, weights = {"tags": tagger.crf.loss}, {"tags": 1.0}
    if tagger.vocabulary.intents:
        losses["intent"] = keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=SMOOTHING
        )
        weights["intent"] = INTENT_WEIGHT
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * steps)
    momentum = 1 - 1 / min(AVERAGED, steps)
    adam = training.one_device(keras.optimizers.Adam)
    tagger.network.compile(
        adam(schedule, clipnorm=1.0, use_ema=True, ema_momentum=momentum),
        losses,
        loss_weights=weights,
        jit_compile=False,  # XLA would compile anew for every length
    )


def _loss_of_guessing(vocabulary):
    return np.log(len(vocabulary.tags)) + np.log(max(len(vocabulary.intents), 1))


# ------------------------------------------------------------------ how sure


def calibrate(tagger: Tagger, sentences: Sequence[Sentence]) -> list[str]:
    """Fit the temperatures of slots and intents: the ones by which what was found is likeliest.

    A temperature above 1 makes a network less sure of itself, and changes no answer. So that it is
    never wholly sure, n right answers count as (n + 1) / (n + 2) right each, n wrong ones as
    1 / (n + 2); Platt, "Probabilistic outputs for support vector machines" (1999).

    Args:
        tagger: trained, with temperatures of 1.
        sentences: the dev part.

    Returns:
        which of "slots" and "intents" can't be fitted, as none were found; their temperature stays
        at 1.
    """
    batches = list(tagger.scores([sentence.words for sentence in sentences]))

    def slots(temperature):
        tagger.crf.temperature.assign(temperature)
        sure, right = [], []
        for rows, scores, real in batches:
            readings = list(tagger.decode({**scores, "tags": scores["tags"] / temperature}, real))
            right += right_ones([sentences[row] for row in rows], readings)[0]
            sure += [chunk[3] for reading in readings for chunk in reading.chunks]
        return np.array(sure), np.array(right)

    def intents(temperature):
        names = np.array(tagger.vocabulary.intents)
        scores = np.concatenate([scores["intent"] for _, scores, _ in batches])
        true = np.array([sentences[row].intent for rows, *_ in batches for row in rows])
        right = names[scores.argmax(axis=-1)] == true
        return softmax(scores / temperature, axis=-1).max(axis=-1), right

    kinds = {"slots": (tagger.crf, slots)}
    if tagger.vocabulary.intents:
        kinds["intents"] = (tagger.network.get_layer("intent"), intents)
    failed = []
    for kind, (layer, answers) in kinds.items():
        _, right = answers(1.0)
        if not len(right):
            failed.append(kind)
            continue
        count = right.sum()
        kept = np.where(right, (count + 1) / (count + 2), 1 / (len(right) - count + 2))

        def surprise(log_temperature, answers=answers, kept=kept):
            sure, _ = answers(np.exp(log_temperature))
            sure = np.clip(sure, 1e-6, 1 - 1e-6)
            return -(kept * np.log(sure) + (1 - kept) * np.log(1 - sure)).mean()

        bounds = np.log(TEMPERATURES)
        found = minimize_scalar(surprise, bounds=bounds, method="bounded", options={"xatol": 0.02})
        layer.temperature.assign(np.exp(found.x))
    return failed


# ------------------------------------------------------------------ asking, saving, loading


def answer(tagger: Tagger, texts: Sequence[str], min_confidence: float = 0.0) -> list[dict]:
    """Return what each text says.

    Args:
        tagger: trained.
        texts: of any length and script.
        min_confidence: slots and intents that are less probable are withheld.

    Returns:
        of each text its "intent" (None without one, or withheld) and "intent_probability"; its
        "slots", each with "slot", "text" and "probability"; its "words", a tag for each in "tags",
        and those never seen in training in "unknown".
    """
    places = [tagger.vocabulary.cut(text) for text in texts]
    sentences = [
        [text[start:stop] for start, stop in cuts] for text, cuts in zip(texts, places, strict=True)
    ]
    answers = []
    readings = tagger.read(sentences)
    for text, cuts, words, reading in zip(texts, places, sentences, readings, strict=True):
        tags, slots = ["O"] * len(words), []
        for slot, start, stop, probability in reading.chunks:
            if probability >= min_confidence:
                tags[start:stop] = reading.tags[start:stop]
                found = without_marks(text[cuts[start][0] : cuts[stop - 1][1]])
                slots.append({"slot": slot, "text": found, "probability": round(probability, 4)})
        sure = reading.intent is not None and reading.probability >= min_confidence
        answers.append(
            {
                "intent": reading.intent if sure else None,
                "intent_probability": round(reading.probability, 4) if reading.intent else None,
                "slots": slots,
                "words": words,
                "tags": tags,
                "unknown": [word for word in words if normal(word) not in tagger.vocabulary.words],
            }
        )
    return answers


def arriving(stream: BinaryIO) -> Iterator[list[str]]:
    """Yield the lines of a stream as they come: one, or as many as have come meanwhile.

    Raises:
        InputError: at a line that is not UTF-8.
    """
    rest, number = b"", 0
    while block := stream.read1(1 << 16):
        *lines, rest = (rest + block).split(b"\n")
        if lines:
            yield [_text(line, number + i) for i, line in enumerate(lines, 1)]
            number += len(lines)
    if rest:
        yield [_text(rest, number + 1)]


def _text(line: bytes, number: int) -> str:
    try:
        return line.decode("utf-8-sig").rstrip("\r")
    except UnicodeDecodeError as error:
        raise InputError(f"--predict -: line {number} is not UTF-8") from error


def save(path: str | Path, tagger: Tagger) -> None:
    """Save a tagger as one `.keras` file, whole or not at all."""
    training.save(path, tagger.network, {"script": SCRIPT, **tagger.vocabulary.to_json()})


def load(path: str | Path) -> Tagger:
    """Load what `save` wrote, in Keras' safe mode: a stranger's file must not run code.

    Raises:
        InputError: if there is no such file, it can't be read, or it would have to run code.
    """
    if not Path(path).exists():
        raise InputError(f"no saved model at {path}; train one first, without --predict")
    network, facts = training.load(path, SCRIPT)
    try:
        return Tagger(network, Vocabulary.from_json(facts))
    except (KeyError, ValueError) as error:
        raise InputError(f"{path} is a model of an older {SCRIPT}; train it again") from error
