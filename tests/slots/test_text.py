"""Texts as words."""

from utils.slots import text

import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("arrive Taipei on November 2nd", "arrive Taipei on November 2nd"),
        ("十一月二日抵達台北", "十 一 月 二 日 抵 達 台 北"),
        ("arrive 台北 tomorrow", "arrive 台 北 tomorrow"),
        ("arrive台北on Monday", "arrive 台 北 on Monday"),
        ("11月2日，離開台北！", "11 月 2 日 ， 離 開 台 北 ！"),
        ("leave Taipei, at 7:30; o'clock?", "leave Taipei , at 7:30 ; o'clock ?"),
        ("$1,000 a,b St. d.c. x/y", "$1,000 a , b St . d.c . x/y"),
        ("カタカナ 한국어 नमस्ते", "カ タ カ ナ 한국어 नमस्ते"),
        ("🛫 Taipei 🛬", "🛫 Taipei 🛬"),
        ("台北·高雄→台南", "台 北 · 高 雄 → 台 南"),
        ("New\u00a0Delhi\u3000tomorrow", "New Delhi tomorrow"),
        ("", ""),
    ],
)
def test_cut(given, words):
    assert [given[start:stop] for start, stop in text.cut(given)] == words.split()


@given(st.text())
def test_nothing_is_lost_but_spaces(given):
    everything = "".join(given.split())
    pieces = [given[start:stop] for start, stop in text.cut(given)]
    assert all(pieces) and "".join("".join(pieces).split()) == everything
    words = [word for word, _ in text.cut_tagged(given, "B-to")]
    shown = text.ZERO_WIDTH.sub("", given).strip()
    assert "".join("".join(words).split()) == (everything if shown else "")


def test_words_of_files_are_cut_where_chinese_and_at_spaces():
    assert text.cut_tagged("台北", "B-to") == [("台", "B-to"), ("北", "I-to")]
    assert text.cut_tagged("11月", "O") == [("11", "O"), ("月", "O")]
    assert text.cut_tagged("a,b", "B-to") == [("a,b", "B-to")]
    assert text.cut_tagged("New\u3000Delhi", "B-to") == [("New", "B-to"), ("Delhi", "I-to")]


@pytest.mark.parametrize(
    ("words", "normal"),
    [
        ("Taipei 2nd. st. o’clock ! ... 1,000", "taipei 0nd st o'clock ! ... 0,000"),
        ('"Hi!" 台北 İ １Ａ De\u00adlhi\u200b', "hi 台北 i̇ 0a delhi"),
    ],
)
def test_normal(words, normal):
    assert [text.normal(word) for word in words.split()] == normal.split()
