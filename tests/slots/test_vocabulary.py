"""Words as numbers."""

import json

from utils.slots.files import Sentence
from utils.slots.vocabulary import MAX_LETTERS, OTHER, PADDING, Vocabulary, spell

import numpy as np

TRAIN = [
    Sentence(["fly", "to", "New", "York"], ["O", "O", "B-to", "I-to"], "fly"),
    Sentence(["fly", "from", "York", "!"], ["O", "O", "B-from", "O"], "ask"),
]


def test_vocabulary():
    vocabulary = Vocabulary.of(TRAIN, letters=False)
    words = {"!": 2, "fly": 3, "from": 4, "new": 5, "to": 6, "york": 7}
    assert vocabulary == Vocabulary(words, {}, ["B-from", "B-to", "I-to", "O"], ["ask", "fly"])
    assert vocabulary.size == 8
    encoded = vocabulary.encode([["Fly", "to", "Boston"], [], ["YORK,"]], steps=4)
    assert list(encoded) == ["words"] and encoded["words"].dtype == np.int32
    assert encoded["words"].tolist() == [[3, 6, OTHER, PADDING], [PADDING] * 4, [7, 0, 0, 0]]


def test_with_letters_a_word_must_come_twice():
    vocabulary = Vocabulary.of(TRAIN, letters=True)
    once = dict.fromkeys(["!", "from", "new", "to"], OTHER)
    assert vocabulary.words == {"fly": 2, "york": 3, **once} and vocabulary.size == 4
    assert "y" in vocabulary.letters and min(vocabulary.letters.values()) == OTHER + 1
    assert Vocabulary(**json.loads(json.dumps(vocabulary._asdict()))) == vocabulary
    letters = vocabulary.encode([["yorks"], ["zz", "fly"]], steps=2)["letters"]
    assert letters.shape == (2, 2, MAX_LETTERS)
    known = [vocabulary.letters[letter] for letter in "^york"]
    assert letters[0, 0, :8].tolist() == [*known, OTHER, vocabulary.letters["$"], PADDING]
    assert not letters[0, 1].any()
    assert spell("a" * 100 + "bc") == "^aaaaaaaaaaaabc$"  # of a long word, the ends count


def test_marks_never_seen_are_left_out():
    given = "fly, to York! 🛫"
    words = [given[start:stop] for start, stop in Vocabulary.of(TRAIN, False).cut(given)]
    assert words == ["fly", "to", "York", "!"]
