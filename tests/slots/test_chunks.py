"""Chunks of tags, and their scores."""

import itertools

from utils.slots import chunks
from utils.slots.files import Sentence

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
    assert chunks.spans(tags) == conlleval(tags)


@given(TAGS)
def test_begun_keeps_the_chunks(tags):
    strict = chunks.begun(tags)
    assert chunks.spans(strict) == chunks.spans(tags)
    assert sum(tag[0] == "B" for tag in strict) == len(chunks.spans(tags))


def test_scores_of_slots():
    true = [["B-x", "I-x", "O", "B-y"], ["B-y", "O"], ["B-all"]]
    predicted = [["B-x", "O", "O", "I-y"], ["B-y", "B-x"], ["B-all"]]
    table = chunks.score(true, predicted)
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
    assert found == [t.split() for t in tags]


def test_calibration_error():
    assert chunks.calibration_error([0.75] * 4, [True, True, True, False]) == 0
    assert chunks.calibration_error([1.0, 1.0], [True, False]) == pytest.approx(50)
    # two bins: 10 too sure, once, and 20 not sure enough, three times
    sure, right = [0.1, 0.8, 0.8, 0.8], [False, True, True, True]
    assert chunks.calibration_error(sure, right) == pytest.approx((10 + 3 * 20) / 4)
    assert chunks.calibration_error([], []) == 0
