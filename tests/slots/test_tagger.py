"""Reading sentences, and a tagger's answers; the networks are slot_filling.py's."""

import io
import types

from slot_filling import Network, arriving, build_network
from utils import InputError
from utils.slots import tagger

import pytest


@pytest.fixture
def tagged(vocabulary):
    return tagger.Tagger(build_network(Network("gru"), vocabulary, units=4), vocabulary)


def test_long_sentences_in_small_batches(tagged, queries, monkeypatch):
    sentences = [query.words for query in queries] + [["leave"] * 50, [], ["Taipei"]]
    expected = tagged.read(sentences)
    assert [len(reading.tags) for reading in expected] == [len(words) for words in sentences]
    monkeypatch.setattr(tagger, "MAX_WORDS", 20)
    for reading, again in zip(expected, tagged.read(sentences), strict=True):
        assert (reading.tags, reading.intent) == (again.tags, again.intent)
        assert reading.probability == pytest.approx(again.probability, abs=1e-5)


def test_slots_of_an_answer(tagged, monkeypatch):
    tags = ["O", "B-departure", "O", "B-time", "I-time", "B-departure"]
    sure = [("departure", 1, 2, 0.99), ("time", 3, 5, 0.5), ("departure", 5, 6, 0.96)]
    monkeypatch.setattr(tagged, "read", lambda _: [tagger.Reading(tags, sure, "go", 0.7)])
    text = "leave Taipei, on November  2nd! Zzyzx"
    (answer,) = tagger.answer(tagged, [text])
    found = [(slot["slot"], slot["text"], slot["probability"]) for slot in answer["slots"]]
    taipei, zzyzx = ("departure", "Taipei", 0.99), ("departure", "Zzyzx", 0.96)
    assert found == [taipei, ("time", "November  2nd", 0.5), zzyzx]
    assert (answer["intent"], answer["intent_probability"]) == ("go", 0.7)
    assert answer["tags"] == tags and "Zzyzx" in answer["unknown"]
    (sure,) = tagger.answer(tagged, [text], min_confidence=0.9)
    assert [slot["text"] for slot in sure["slots"]] == ["Taipei", "Zzyzx"]
    assert sure["tags"] == ["O", "B-departure", "O", "O", "O", "B-departure"]
    assert (sure["intent"], sure["intent_probability"]) == (None, 0.7)


def test_lines_as_they_come():
    blocks = iter([b"\xef\xbb\xbfone\r\ntwo\nth", b"ree\n", b"last", b"", b""])
    pipe = types.SimpleNamespace(read1=lambda _: next(blocks))
    assert [lines for lines in arriving(pipe) if lines] == [["one", "two"], ["three"], ["last"]]
    with pytest.raises(InputError, match=r"--predict -: b'leave .xff' is not UTF-8"):
        list(arriving(io.BytesIO(b"leave\nleave \xff")))
