"""Texts as words."""

import re
import unicodedata

# Han, kana, bopomofo and full-width marks, but not full-width letters and digits
WITHOUT_SPACES = (
    "\u2e80-\u2fdf\u3001-\u303f\u3040-\u30ff\u3100-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\U00020000-\U0003ffff"
)
MARKS = ".,;:!?'\"()\\[\\]{}¡¿«»‘’“”„…‧·—"
LETTER = rf"[^\s{WITHOUT_SPACES}{MARKS}]"
THOUSANDS = "\u00a0\u2009\u202f"  # spaces that hold a number together, as in 10 000
WORD = re.compile(rf"{LETTER}+(?:(?:[.:'’]|(?<=\d)[,{THOUSANDS}](?=\d)){LETTER}+)*|\S")
WITHOUT_SPACE = re.compile(rf"(?:\S|(?<=\d)[{THOUSANDS}](?=\d))+")
ZERO_WIDTH = re.compile("[\u00ad\u200b\u200e\u200f\u2060\ufeff]")  # there, but never seen


def cut(text: str) -> list[tuple[int, int]]:
    """Return where each word of a text begins and ends.

    A Chinese character is a word; in other scripts words end at spaces and at punctuation, but for
    what holds a word together, as in o'clock, 7:30 and 1,000. A mark is a word of its own.
    """
    return [match.span() for match in WORD.finditer(text)]


def cut_tagged(word: str, tag: str) -> list[tuple[str, str]]:
    """Return a word of a file, with its tag, as the words that `cut` makes of it.

    It is cut at spaces ("New Delhi") and at Chinese characters; else it stays as the file has it.
    Of a word that is nothing but spaces, nothing is left.
    """
    words = []
    for part in WITHOUT_SPACE.findall(word if ZERO_WIDTH.sub("", word).strip() else ""):
        chinese = len(part) > 1 and re.search(f"[{WITHOUT_SPACES}]", part)
        words += [part[start:stop] for start, stop in cut(part)] if chinese else [part]
    inside = tag.replace("B-", "I-", 1)
    return [(piece, inside if n else tag) for n, piece in enumerate(words)]


def without_marks(text: str) -> str:
    """Return the text without punctuation around it, unless there is nothing else."""
    return text.strip(".,;:!?'\"()") or text


def normal(word: str) -> str:
    """Return the word as a tagger knows it: small letters, every digit 0, no marks around it.

    Full-width letters and digits are the same as the others.
    """
    word = unicodedata.normalize("NFKC", ZERO_WIDTH.sub("", word)).replace("’", "'")
    return re.sub(r"\d", "0", without_marks(word.lower()))
