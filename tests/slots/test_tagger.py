"""Reading sentences, how sure a tagger is, and its answers; the networks are slot_filling.py's."""

import itertools

from slot_filling import Network, arriving, build_network
from utils import InputError, training
from utils.slots import chunks, tagger
from utils.slots.crf import CRF

import keras
import numpy as np
import pytest


@pytest.fixture
def tagged(vocabulary):
    return tagger.Tagger(build_network(Network("gru"), vocabulary, units=4), vocabulary)


def test_chunk_probability_against_every_path():
    tags = ["B-x", "B-y", "I-x", "O"]
    crf = CRF(tags)
    crf.build((None, None, 4))
    rng = np.random.default_rng(0)
    crf.transitions.assign(rng.normal(size=(4, 4)))
    links = keras.ops.convert_to_numpy(crf.links())
    scores = rng.normal(size=(1, 4, 4)).astype("float32")
    real = np.ones((1, 4), bool)
    ways = [
        keras.ops.convert_to_numpy(way(scores, real))[:, 0] for way in (crf.forward, crf.backward)
    ]
    total, weights = 0.0, {}
    for path in itertools.product(range(4), repeat=4):
        steps = itertools.pairwise([3, *path])
        weight = np.exp(sum(links[step] for step in steps) + scores[0][range(4), path].sum())
        total += weight
        for span in chunks.spans([tags[tag] for tag in path]):
            weights[span] = weights.get(span, 0.0) + weight
    assert len(weights) == 4 + 4 + 3 + 2 + 1  # y is one word, x of any length, anywhere
    for span, weight in weights.items():
        found = tagger.chunk_probability(span, tags, scores[0], links, *ways)
        assert found == pytest.approx(weight / total, abs=1e-5)


def test_long_sentences_in_small_batches(tagged, queries, monkeypatch):
    sentences = [query.words for query in queries] + [["leave"] * 50, [], ["Taipei"]]
    expected = tagged.read(sentences)
    assert [len(reading.tags) for reading in expected] == [len(words) for words in sentences]
    monkeypatch.setattr(tagger, "MAX_WORDS", 20)
    for reading, again in zip(expected, tagged.read(sentences), strict=True):
        assert (reading.tags, reading.intent) == (again.tags, again.intent)
        assert reading.probability == pytest.approx(again.probability, abs=1e-5)


def test_safe_mode(vocabulary, tmp_path):
    """A model with a lambda, which is code, is not loaded."""
    inputs = keras.Input((None,), dtype="int32", name="words")
    model = keras.Model({"words": inputs}, keras.layers.Lambda(lambda x: x)(inputs))
    facts = {"script": "slot_filling.py", **vocabulary._asdict()}
    training.save(tmp_path / "model.keras", model, facts)
    with pytest.raises(InputError, match="not a model that slot_filling"):
        tagger.load(tmp_path / "model.keras")


# ------------------------------------------------------------------ asking


def reading(tags, *probabilities):
    spans = sorted(chunks.spans(tags), key=lambda span: span[1])
    sure = [(*span, sure) for span, sure in zip(spans, probabilities, strict=True)]
    return tagger.Reading(tags, sure, "go", 0.7)


def test_slots_of_an_answer(tagged, monkeypatch):
    tags = ["O", "B-departure", "O", "B-time", "I-time", "B-departure"]
    monkeypatch.setattr(tagged, "read", lambda _: [reading(tags, 0.99, 0.5, 0.96)])
    text = "leave Taipei, on November  2nd! Zzyzx"
    (answer,) = tagger.answer(tagged, [text])
    assert answer["slots"] == [
        {"slot": "departure", "text": "Taipei", "probability": 0.99},
        {"slot": "time", "text": "November  2nd", "probability": 0.5},
        {"slot": "departure", "text": "Zzyzx", "probability": 0.96},
    ]
    assert (answer["intent"], answer["intent_probability"]) == ("go", 0.7)
    assert answer["tags"] == tags and "Zzyzx" in answer["unknown"]
    (sure,) = tagger.answer(tagged, [text], min_confidence=0.9)
    assert [slot["text"] for slot in sure["slots"]] == ["Taipei", "Zzyzx"]
    assert sure["tags"] == ["O", "B-departure", "O", "O", "O", "B-departure"]
    assert (sure["intent"], sure["intent_probability"]) == (None, 0.7)


def test_lines_as_they_come():
    class Pipe:
        blocks = iter([b"\xef\xbb\xbfone\r\ntwo\nth", b"ree\n", b"last", b"", b""])

        def read1(self, _):
            return next(self.blocks)

    assert [line for line in arriving(Pipe()) if line] == [["one", "two"], ["three"], ["last"]]
