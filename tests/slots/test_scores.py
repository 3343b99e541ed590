"""What taggers got right, and the tables of it."""

from utils.slots.files import Sentence
from utils.slots.scores import evaluate, f1_by_cue, sentence_table
from utils.slots.tagger import Reading

import pytest

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
    found = evaluate(SENTENCES, READINGS)
    assert (found["f1"], found["precision"], found["recall"]) == (50, 50, 50)
    assert found["intent_accuracy"] == pytest.approx(200 / 3)
    assert found["sentence_accuracy"] == pytest.approx(100 / 3)
    assert found["slot_calibration_error"] == pytest.approx((10 + 60) / 2)
    assert found["intent_calibration_error"] == pytest.approx((20 + 30 + 40) / 3)
    without = [sentence._replace(intent=None) for sentence in SENTENCES]
    found = evaluate(without, READINGS)
    assert found["intent_accuracy"] is None and found["intent_calibration_error"] is None
    assert found["sentence_accuracy"] == pytest.approx(200 / 3)


def test_f1_by_cue():
    queries = [
        one._replace(cue=cue) for one, cue in zip(SENTENCES, ("far", "before", "far"), strict=True)
    ]
    assert f1_by_cue(queries, READINGS) == {"far": 100, "before": 0}


def test_sentence_table():
    """A tag with a space is one word there, so that who reads it can split the tags again."""
    spaced = [Sentence(["a", "b"], ["B-home city", "I-home city"], "go"), *SENTENCES[1:]]
    table = sentence_table(READINGS, spaced)
    assert table.index.tolist() == ["a b", "a b", "a"]
    assert table["tags"].tolist() == ["B-home_city I-home_city", "B-x O", "O"]
    assert table["predicted_tags"].tolist() == ["B-x I-x", "B-x I-x", "O"]
    assert table["right"].tolist() == [False, False, False]
    assert sentence_table(READINGS, SENTENCES)["right"].tolist() == [True, False, False]
