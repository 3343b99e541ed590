"""Chunks of tags, and their scores."""

from utils.slots import chunks, travel

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st


def conlleval(tags):
    """The chunks by the rules of conlleval.pl's startOfChunk and endOfChunk."""
    chunks, start = set(), None
    pairs = [tag.partition("-")[::2] for tag in ["O", *tags, "O"]]
    for i in range(1, len(pairs)):
        (prev_tag, prev_type), (tag, kind) = pairs[i - 1], pairs[i]
        ends = (prev_tag in "BI" and tag in "BO") or (prev_tag != "O" and prev_type != kind)
        starts = (
            tag == "B" or (prev_tag == "O" and tag == "I") or (tag != "O" and prev_type != kind)
        )
        if ends:
            chunks.add((prev_type, start, i - 1))
        if starts:
            start = i - 1
    return chunks


TAGS = st.lists(st.sampled_from(["O", "B-x", "I-x", "B-a-b", "I-a-b"]), max_size=12)


@given(TAGS)
def test_spans_as_conlleval(tags):
    assert chunks.spans(tags) == conlleval(tags)


@given(TAGS)
def test_begun_keeps_the_chunks(tags):
    strict = chunks.begun(tags)
    assert chunks.spans(strict) == chunks.spans(tags)
    begins = {start for _, start, _ in chunks.spans(tags)}
    assert [tag[0] == "B" for tag in strict] == [n in begins for n in range(len(tags))]


@given(st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=4))
def test_score_against_counting(pairs):
    pairs = [(a[: min(len(a), len(b))], b[: min(len(a), len(b))]) for a, b in pairs]
    true, predicted = zip(*pairs, strict=True)
    row = chunks.score(true, predicted).loc["all"]
    both = sum(len(conlleval(a) & conlleval(b)) for a, b in pairs)
    precision = 100 * both / (sum(len(conlleval(b)) for b in predicted) or 1)
    recall = 100 * both / (sum(len(conlleval(a)) for a in true) or 1)
    assert row["precision"] == pytest.approx(precision)
    assert row["recall"] == pytest.approx(recall)
    assert row["f1"] == pytest.approx(2 * precision * recall / ((precision + recall) or 1))


def test_scores_of_slots():
    true = [["B-x", "I-x", "O", "B-y"], ["B-y", "O"]]
    predicted = [["B-x", "O", "O", "I-y"], ["B-y", "B-x"]]
    table = chunks.score(true, predicted)
    assert table.index.tolist() == ["all", "x", "y"]
    assert table.loc["x"].tolist() == [0, 0, 0, 1] and table.loc["y"].tolist() == [100] * 3 + [2]
    assert chunks.score([["B-all", "O"]], [["B-all", "B-x"]]).loc["all"].tolist() == [
        pytest.approx(200 / 3), 50, 100, 1
    ]  # fmt: skip


def test_confusion():
    true = ["x", "x", "O", "y", "y", "O", "O", "O"]
    predicted = ["x", "y", "O", "y", "O", "O", "O", "x"]
    table = chunks.confusion(true, predicted)
    assert table.index.tolist() == table.columns.tolist() == ["O", "x", "y"]
    assert table.to_numpy().tolist() == [[75, 25, 0], [0, 50, 50], [50, 0, 50]]
    assert chunks.confusion(true, predicted, most=1).index.tolist() == ["O"]


def test_f1_p_value():
    rng, rejected = np.random.default_rng(5), 0
    true = [["B-a", "O", "B-b"]] * 60
    for _ in range(100):
        one, other = (
            [[tag if rng.random() < 0.8 else "O" for tag in tags] for tags in true]
            for _ in range(2)
        )
        rejected += chunks.f1_p_value(true, one, other, shuffles=500) < 0.05
    assert rejected <= 12  # of 100, 5 by chance
    worse = [["B-a", "O", "O"] if i % 5 == 0 else tags for i, tags in enumerate(true)]
    assert chunks.f1_p_value(true, true, worse) < 0.001 > chunks.f1_p_value(true, worse, true)
    nearly = [["B-a", "O", "O"], *true[1:]]
    assert chunks.f1_p_value(true, true, nearly) == 1.0  # one sentence changes hands: as far
    assert chunks.f1_p_value([["O"]] * 9, [["O"]] * 9, [["O"]] * 9) == 1.0


def test_commonest_tags():
    words = ["to York to Rome", "from York to Oslo", "fly to York Bonn", "fly to Bonn"]
    tags = ["O B-to O B-to", "O B-from O B-to", "O O B-to B-from", "O O B-from"]
    found = chunks.commonest_tags([w.split() for w in words], [t.split() for t in tags])
    tags[1] = "O B-to O B-to"  # York is twice a destination, once not
    assert found == [t.split() for t in tags]


def test_calibration_error():
    assert chunks.calibration_error([0.75] * 4, [True, True, True, False]) == 0
    assert chunks.calibration_error([1.0, 1.0], [True, False]) == pytest.approx(50)
    # two bins, 10 too sure and 20 not sure enough, one answer and three
    sure, right = [0.1, 0.8, 0.8, 0.8], [False, True, True, True]
    assert chunks.calibration_error(sure, right) == pytest.approx((10 + 3 * 20) / 4)
    assert chunks.calibration_error([], []) == 0


def test_no_tagger_without_context_passes_the_bound():
    queries = travel.generate(200, "bound", travel.grammar("en").cities["test"])
    words, tags = [query.words for query in queries], [query.tags for query in queries]
    best = chunks.score(tags, chunks.commonest_tags(words, tags)).loc["all", "f1"]
    assert 20 < best <= travel.WITHOUT_CONTEXT
