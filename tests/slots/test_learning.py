"""Training a tagger, and how sure it may be; the networks are slot_filling.py's."""

from slot_filling import Network, build_network
from utils import InputError
from utils.slots import learning, tagger, travel
from utils.slots.files import Sentence
from utils.slots.scores import evaluate
from utils.slots.vocabulary import OTHER, PADDING, Vocabulary

import keras
import numpy as np
import pytest


def compiled(kind, vocabulary, units, learn_links=False):
    network = build_network(Network(kind), vocabulary, units=units, learn_links=learn_links)
    losses = {"tags": network.get_layer("tags").loss}
    losses["intent"] = keras.losses.CategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(0.02, use_ema=True), losses, jit_compile=False)
    return tagger.Tagger(network, vocabulary)


def test_batches(vocabulary, queries):
    """Each epoch has every sentence once, in another order, in batches of about one length."""
    batches = learning.Batches(queries, vocabulary, batch_size=5, rare=0, seed=0)
    lengths = [batches[i][1]["tags"].shape[1] for i in range(5)]
    assert lengths[:2] == [min(lengths), max(lengths)] and lengths[0] < lengths[1]
    numbers = [vocabulary.encode([q.words], len(q.words))["words"][0].tolist() for q in queries]
    expected = sorted((n, q.tags, q.intent) for n, q in zip(numbers, queries, strict=True))
    orders = []
    for _ in range(2):
        seen = []
        for inputs, targets in (batches[i] for i in range(len(batches))):
            for words, tags, intent in zip(
                inputs["words"], targets["tags"], targets["intent"], strict=True
            ):
                steps = int((words != PADDING).sum())
                assert (tags[steps:] == -1).all() and intent.sum() == 1
                names = [vocabulary.tags[number] for number in tags[:steps]]
                seen.append((words[:steps].tolist(), names, vocabulary.intents[intent.argmax()]))
        assert sorted(seen) == expected
        orders.append(seen)
        batches.on_epoch_end()
    assert orders[0] != orders[1]


def test_rare_words_become_other():
    train = [Sentence(["often"] * 7 + ["twice", "once", "twice"], ["O"] * 10)]
    vocabulary = Vocabulary.of(train, letters=False)
    for rare, expected in {0: [], 0.1: [8], 0.2: [8], 0.3: [7, 8, 9], 1: [*range(10)]}.items():
        batches = learning.Batches(train, vocabulary, batch_size=1, rare=rare, seed=0)
        drawn = np.array([batches[0][0]["words"][0] for _ in range(1000)])
        share = (drawn == OTHER).mean(axis=0)
        np.testing.assert_allclose(share, np.isin(range(10), expected) / 2, atol=0.06)
    vocabulary = Vocabulary.of(train, letters=True)
    inputs, _ = learning.Batches(train, vocabulary, batch_size=1, rare=1, seed=0)[0]
    assert OTHER in inputs["words"] and inputs["letters"][0, :, 0].all()  # they stay


@pytest.mark.parametrize("learn_links", [False, True])
def test_learns_and_keeps_the_best_epoch(learn_links, capsys):
    keras.utils.set_random_seed(0)
    many = travel.generate(120, "tests", travel.grammar("en").cities["train"])
    queries = [query for query in many if query.cue == "before"]
    vocabulary = Vocabulary.of(queries, letters=False)
    tagged = compiled("gru", vocabulary, 32, learn_links)
    batches = learning.Batches(queries, vocabulary, batch_size=4, rare=0, seed=0)
    best = []
    fit = learning.fit(tagged, batches, queries, 15, "gru", best.append)
    found = evaluate(queries, tagged.read([query.words for query in queries]))
    assert found["f1"] > 80 and found["intent_accuracy"] > 90
    assert best == sorted(best) and len(best) == 15
    assert best[-1] == pytest.approx(found["f1"] + found["intent_accuracy"])
    assert fit.best_epoch == best.index(best[-1]) + 1 and fit.seconds > 0 and not fit.interrupted
    links = keras.ops.convert_to_numpy(tagged.crf.transitions)
    assert np.any(links != 0) == learn_links
    progress = capsys.readouterr().out
    assert "gru: epoch 15/15, loss " in progress
    assert (
        f"Training ended as planned after epoch 15 of 15; kept is epoch {fit.best_epoch}"
        in progress
    )


def test_divergence_is_said(vocabulary, queries):
    tagged = compiled("elman", vocabulary, 4)
    tagged.network.set_weights([weight * np.nan for weight in tagged.network.get_weights()])
    batches = learning.Batches(queries, vocabulary, batch_size=4, rare=0, seed=0)
    with pytest.raises(InputError, match="the training diverged; lower --learning-rate"):
        learning.fit(tagged, batches, queries, 1, "elman")


# ------------------------------------------------------------------ how sure


def test_temperatures_are_found(vocabulary):
    """A network that is as sure as it should be, and one whose scores are five times as large."""
    rng = np.random.default_rng(0)
    tags, intents = len(vocabulary.tags), len(vocabulary.intents)
    softer = 2 * rng.normal(size=(400, 1, tags)), 2 * rng.normal(size=(400, intents))
    softer[0][:, :, [tag.startswith("I-") for tag in vocabulary.tags]] = -1e3  # of one word, none
    true_tags, true_intents = (
        (logits + rng.gumbel(size=logits.shape)).argmax(axis=-1) for logits in softer
    )
    sentences = [
        Sentence(["word"], [vocabulary.tags[tag]], vocabulary.intents[intent])
        for tag, intent in zip(true_tags[:, 0], true_intents, strict=True)
    ]
    tagged = tagger.Tagger(build_network(Network("feedforward"), vocabulary, units=2), vocabulary)
    for factor in (1, 5):
        found = {"tags": factor * softer[0].astype("float32"), "intent": factor * softer[1]}
        tagged.scores = lambda _, found=found: [(list(range(400)), found, np.ones((400, 1), bool))]
        learning.calibrate(tagged, sentences)
        for layer in (tagged.crf, tagged.network.get_layer("intent")):
            assert float(layer.temperature) == pytest.approx(factor, rel=0.25)


def test_a_network_is_never_wholly_sure(vocabulary):
    tagged = tagger.Tagger(build_network(Network("gru"), vocabulary, units=2), vocabulary)
    scores = {"tags": np.zeros((1, 1, len(vocabulary.tags))), "intent": 5 * np.eye(1, 4)}
    scores["tags"][..., vocabulary.tags.index("O")] = 9  # no slot at all
    tagged.scores = lambda _: [([n], scores, np.ones((1, 1), bool)) for n in range(100)]
    all_right = [Sentence(["word"], ["O"], vocabulary.intents[0])] * 100
    learning.calibrate(tagged, all_right)
    assert float(tagged.crf.temperature) == 1
    temperature = float(tagged.network.get_layer("intent").temperature)
    logits = np.array([5, 0, 0, 0]) / temperature
    assert 0.98 < np.exp(logits[0]) / np.exp(logits).sum() < 0.999
