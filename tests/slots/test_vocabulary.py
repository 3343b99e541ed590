"""Texts as words, and words as numbers."""

import json

from utils.slots import text
from utils.slots.files import Sentence
from utils.slots.vocabulary import MAX_LETTERS, OTHER, PADDING, Vocabulary, spell

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

TRAIN = [
    Sentence(["fly", "to", "New", "York"], ["O", "O", "B-to", "I-to"], "fly"),
    Sentence(["fly", "from", "York", "!"], ["O", "O", "B-from", "O"], "ask"),
]


# ------------------------------------------------------------------ texts as words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("arrive Taipei on November 2nd", "arrive Taipei on November 2nd"),
        ("十一月二日抵達台北", "十 一 月 二 日 抵 達 台 北"),
        ("arrive 台北 tomorrow", "arrive 台 北 tomorrow"),
        ("arrive台北on Monday", "arrive 台 北 on Monday"),
        ("11月2日，離開台北！", "11 月 2 日 ， 離 開 台 北 ！"),
        ("１１月２日", "１１ 月 ２ 日"),  # full width
        ("leave Taipei, at 7:30; o'clock?", "leave Taipei , at 7:30 ; o'clock ?"),
        ("$1,000 a,b St. d.c. x/y", "$1,000 a , b St . d.c . x/y"),
        ("カタカナ 한국어 नमस्ते", "カ タ カ ナ 한국어 नमस्ते"),
        ("🛫 Taipei 🛬", "🛫 Taipei 🛬"),
        ("台北·高雄→台南", "台 北 · 高 雄 → 台 南"),
        ("  ?!\n", "? !"),
        ("", ""),
    ],
)
def test_cut(given, words):
    assert [given[start:stop] for start, stop in text.cut(given)] == words.split()


@given(st.text())
def test_cut_loses_nothing_but_spaces(given):
    pieces = [given[start:stop] for start, stop in text.cut(given)]
    assert all(pieces) and "".join(pieces) == "".join(given.split())


def test_words_of_files_are_cut_only_where_chinese():
    assert text.cut_tagged("台北", "B-to") == [("台", "B-to"), ("北", "I-to")]
    assert text.cut_tagged("北車", "I-to") == [("北", "I-to"), ("車", "I-to")]
    assert text.cut_tagged("11月", "O") == [("11", "O"), ("月", "O")]
    assert text.cut_tagged("a,b", "B-to") == [("a,b", "B-to")]


def test_normal():
    words = ["Taipei", "2nd.", "st.", '"Hi!"', "o’clock", "!", "...", "1,000", "台北", "İ", "１Ａ"]
    normal = ["taipei", "0nd", "st", "hi", "o'clock", "!", "...", "0,000", "台北", "i̇", "0a"]
    assert [text.normal(word) for word in words] == normal


# ------------------------------------------------------------------ words as numbers


def test_vocabulary():
    vocabulary = Vocabulary.of(TRAIN, letters=False)
    words = {"!": 2, "fly": 3, "from": 4, "new": 5, "to": 6, "york": 7}
    assert vocabulary == Vocabulary(words, {}, ["B-from", "B-to", "I-to", "O"], ["ask", "fly"])
    assert vocabulary.size == 8
    encoded = vocabulary.encode([["Fly", "to", "Boston"], [], ["YORK,"]], steps=4)
    assert list(encoded) == ["words"] and encoded["words"].dtype == np.int32
    assert encoded["words"].tolist() == [[3, 6, OTHER, PADDING], [PADDING] * 4, [7, 0, 0, 0]]
    assert Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json()))) == vocabulary


def test_with_letters_a_word_must_come_twice():
    vocabulary = Vocabulary.of(TRAIN, letters=True)
    once = dict.fromkeys(["!", "from", "new", "to"], OTHER)
    assert vocabulary.words == {"fly": 2, "york": 3, **once} and vocabulary.size == 4
    assert "y" in vocabulary.letters and min(vocabulary.letters.values()) == OTHER + 1
    letters = vocabulary.encode([["yorks"], ["zz", "fly"]], steps=2)["letters"]
    assert letters.shape == (2, 2, MAX_LETTERS)
    known = [vocabulary.letters[letter] for letter in "^york"]
    assert letters[0, 0, :8].tolist() == [*known, OTHER, vocabulary.letters["$"], PADDING]
    assert not letters[0, 1].any()
    assert Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json()))) == vocabulary


def test_of_a_long_word_the_ends_count():
    assert spell("taipei") == "^taipei$"
    assert spell("a" * 100 + "bc") == "^aaaaaaaaaaaabc$" and len(spell("x" * 10**5)) == MAX_LETTERS
    assert spell("") == "^$"


def test_marks_never_seen_are_left_out():
    given = "fly, to York! 🛫"
    words = [given[start:stop] for start, stop in Vocabulary.of(TRAIN, False).cut(given)]
    assert words == ["fly", "to", "York", "!"]
