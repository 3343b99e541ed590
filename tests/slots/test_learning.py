"""Training a tagger, and how sure it may be; the networks are slot_filling.py's."""

import slot_filling
from slot_filling import Network, build_network, parse_args
from utils import InputError
from utils.slots import learning, tagger, travel
from utils.slots.chunks import evaluate
from utils.slots.files import Sentence
from utils.slots.vocabulary import OTHER, PADDING, Vocabulary

import keras
import numpy as np
import pytest
from scipy.special import softmax


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
            for words, tags, intent in zip(inputs["words"], *targets.values(), strict=True):
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


def train(queries, on_epoch, *flags):
    vocabulary, parts = Vocabulary.of(queries, letters=False), {"train": queries, "dev": queries}
    args = parse_args(["--batch-size", "4", *flags])
    return slot_filling.train(Network("gru"), vocabulary, parts, args, 0, on_epoch)


@pytest.mark.parametrize("links", ["--crf", "--no-crf"])
def test_learns_and_keeps_the_best_epoch(links, capsys):
    many = travel.generate(120, "tests", travel.grammar("en")["cities"]["train"])
    queries, best = [query for query in many if query.cue == "before"], []
    flags = "--epochs", "15", "--units", "32", "--learning-rate", "0.02", links
    tagged, fit = train(queries, best.append, *flags)
    found = evaluate(queries, tagged.read([query.words for query in queries]))
    assert found["f1"] > 80 and found["intent_accuracy"] > 90
    assert best == sorted(best) and len(best) == 15
    assert best[-1] == pytest.approx(found["f1"] + found["intent_accuracy"])
    assert fit.best_epoch == best.index(best[-1]) + 1 and not fit.interrupted
    learned = keras.ops.convert_to_numpy(tagged.crf.transitions)
    assert np.any(learned != 0) == (links == "--crf")
    assert "gru, seed 0: epoch 15/15, loss " in capsys.readouterr().out


@pytest.mark.parametrize("rate", ["100", "1e30"])
def test_divergence_is_said(rate, queries):
    with pytest.raises(InputError, match="the training diverged; lower --learning-rate"):
        train(queries, None, "--epochs", "2", "--units", "4", "--learning-rate", rate)


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
        head = tagged.network.get_layer("intent")
        before, _ = head.get_weights()
        learning.calibrate(tagged, sentences)
        assert float(tagged.crf.temperature) == pytest.approx(factor, rel=0.25)
        assert np.median(before / head.get_weights()[0]) == pytest.approx(factor, rel=0.25)


def test_a_network_is_never_wholly_sure():
    def all_right(temperature):
        return np.full(100, softmax(np.array([5, 0, 0, 0]) / temperature)[0]), np.ones(100)

    sure, _ = all_right(learning.likeliest_temperature(all_right))
    assert 0.98 < sure[0] < 0.999
