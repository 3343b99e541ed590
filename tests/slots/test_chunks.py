"""Chunks of tags, and their scores."""

import itertools

from utils.slots import chunks
from utils.slots.files import Sentence
from utils.slots.tagger import Reading

import pytest
from hypothesis import given
from hypothesis import strategies as st


def conlleval(tags):
    """The chunks by the rules of conlleval.pl's startOfChunk and endOfChunk."""
    found, start = set(), None
    pairs = [tag.partition("-")[::2] for tag in ["O", *tags, "O"]]
    for i, ((before, last), (tag, slot)) in enumerate(itertools.pairwise(pairs)):
        other = last != slot
        if (before in "BI" and tag in "BO") or (before != "O" and other):
            found.add((last, start, i))
        if tag == "B" or (before == "O" and tag == "I") or (tag != "O" and other):
            start = i
    return found


TAGS = st.lists(st.sampled_from(["O", "B-x", "I-x", "B-a-b", "I-a-b"]), max_size=12)


@given(TAGS)
def test_spans_as_conlleval(tags):
    assert chunks.spans(tags) == sorted(conlleval(tags), key=lambda span: span[1])


@given(TAGS)
def test_begun_keeps_the_chunks(tags):
    strict = chunks.begun(tags)
    assert chunks.spans(strict) == chunks.spans(tags)
    assert sum(tag[0] == "B" for tag in strict) == len(chunks.spans(tags))


def test_scores_of_slots():
    true = [["B-x", "I-x", "O", "B-y"], ["B-y", "O"], ["B-all"]]
    predicted = [["B-x", "O", "O", "I-y"], ["B-y", "B-x"], ["B-all"]]
    table = chunks.score(*([Sentence(tags, tags) for tags in some] for some in (true, predicted)))
    assert table.index.tolist() == ["all", "x", "y"]  # no slot is mistaken for the sum
    assert table.to_numpy().tolist() == [
        [pytest.approx(600 / 9), 60, 75, 4], [0, 0, 0, 1], [100, 100, 100, 2],
    ]  # fmt: skip


def test_confusion():
    true = ["x", "x", "O", "y", "y", "O", "O", "O"]
    predicted = ["x", "y", "O", "y", "O", "O", "O", "x"]
    table = chunks.confusion(true, predicted)
    assert table.index.tolist() == table.columns.tolist() == ["O", "x", "y"]
    assert table.to_numpy().tolist() == [[75, 25, 0], [0, 50, 50], [50, 0, 50]]
    assert chunks.confusion(true, predicted, most=1).index.tolist() == ["O"]


def test_commonest_tags():
    words = ["to York to Rome", "from York to Oslo", "fly to York Bonn", "fly to Bonn"]
    tags = ["O B-to O B-to", "O B-from O B-to", "O O B-to B-from", "O O B-from"]
    pairs = zip(words, tags, strict=True)
    found = chunks.commonest_tags([Sentence(w.split(), t.split()) for w, t in pairs])
    tags[1] = "O B-to O B-to"  # York is twice a destination, once not
    assert [one.tags for one in found] == [t.split() for t in tags]


SENTENCES = [
    Sentence(["a", "b"], ["B-x", "I-x"], "go"),
    Sentence(["a", "b"], ["B-x", "O"], "stay"),
    Sentence(["a"], ["O"], "go"),
]
READINGS = [
    Reading(["B-x", "I-x"], [("x", 0, 2, 0.9)], "go", 0.8),
    Reading(["B-x", "I-x"], [("x", 0, 2, 0.6)], "stay", 0.7),
    Reading(["O"], [], "stay", 0.4),
]


def test_evaluate():
    found = chunks.evaluate(SENTENCES, READINGS)
    assert (found["f1"], found["precision"], found["recall"]) == (50, 50, 50)
    assert found["intent_accuracy"] == pytest.approx(200 / 3)
    assert found["sentence_accuracy"] == pytest.approx(100 / 3)
    without = [sentence._replace(intent=None) for sentence in SENTENCES]
    found = chunks.evaluate(without, READINGS)
    assert found["intent_accuracy"] is None
    assert found["sentence_accuracy"] == pytest.approx(200 / 3)


def test_f1_by_cue():
    queries = [
        one._replace(cue=cue) for one, cue in zip(SENTENCES, ("far", "before", "far"), strict=True)
    ]
    assert chunks.f1_by_cue(queries, READINGS) == {"far": 100, "before": 0}


def test_sentence_table():
    """A tag with a space is one word there, so that who reads it can split the tags again."""
    spaced = [Sentence(["a", "b"], ["B-home city", "I-home city"], "go"), *SENTENCES[1:]]
    table = chunks.sentence_table(spaced, READINGS)
    assert table.index.tolist() == ["a b", "a b", "a"]
    assert table["tags"].tolist() == ["B-home_city I-home_city", "B-x O", "O"]
    assert table["predicted_tags"].tolist() == ["B-x I-x", "B-x I-x", "O"]
    assert table["right"].tolist() == [False, False, False]
    assert chunks.sentence_table(SENTENCES, READINGS)["right"].tolist() == [True, False, False]
