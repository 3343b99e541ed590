"""Sentences, their tags and their intents: read from files, checked, split, described."""

import itertools
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from utils import InputError
from utils.slots.chunks import begun, spans
from utils.slots.text import ZERO_WIDTH, cut_tagged, odd_space

TAG = re.compile(r"O|[BI]-(?!.* (O|[BI]-.*)$)\S.*")  # a slot may hold a space, but no other tag


class Sentence(NamedTuple):
    """The words of a sentence, as many tags, and what it asks for, where that is known."""

    words: list[str]
    tags: list[str]
    intent: str | None = None


class Data(NamedTuple):
    """What `read` returns."""

    parts: dict[str, list[Sentence]]  # "train", "dev" and, where there is one, "test"
    notes: list[str]  # what looks suspicious, and how it was read


def read(path: str | Path, shares: Sequence[int] = (80, 10, 10)) -> Data:
    """Read a data set.

    Args:
        path: a folder that holds <part>/seq.in, a sentence per line, <part>/seq.out, its tags, and
            perhaps <part>/label, its intents, or that holds <part>.txt; <part> is train, dev or
            test, which may be missing. Or one such .txt file, or a folder with one seq.in, which
            are split at random, always in the same way. A .txt file has a word and its tag per
            line, the word first and the tag last, an empty line after each sentence (CoNLL), and
            perhaps a line "# intent: NAME" before it. An I- that begins a chunk is read as B-. A
            word and a tag may hold spaces where tabs are between them.
        shares: per cent of train, dev and test, where there is one file.

    Raises:
        InputError: if a part is missing, empty or not UTF-8, has a word without a tag, a tag that
            isn't O, B-slot or I-slot, lines of more columns than others, or intents for some
            sentences only.
    """
    path = Path(path)
    notes: list[str] = []
    parts: dict[str, list[Sentence]] = {}
    if path.is_file() or (path / "seq.in").exists():
        parts = _split(path, _read_part(path, notes), shares)
        notes.append(f"one file, split at random with seed 0: {shares[0]} % are the train part")
    else:
        for name in ("train", "dev", "test"):
            found = [place for place in (path / f"{name}.txt", path / name) if place.exists()]
            if len(found) == 2:
                raise InputError(f"--data {path}: has both {name}.txt and {name}; remove one")
            if found:
                parts[name] = _read_part(found[0], notes)
            elif name != "test":
                raise InputError(f"--data {path}: has neither {name}/seq.in nor {name}.txt")
    with_intents = any(sentence.intent for part in parts.values() for sentence in part)
    for name, part in parts.items():
        if not part:
            raise InputError(f"--data {path}: the {name} part is empty")
        for sentence in part:
            if with_intents and not sentence.intent:
                words = " ".join(sentence.words[:9])
                raise InputError(
                    f"--data {path}: others have an intent, but not {words!r} in the {name} part"
                )
    if not any(tag != "O" for sentence in parts["train"] for tag in sentence.tags):
        raise InputError(f"--data {path}: the train part has no slot, its tags are all O")
    return Data(parts, notes + _suspicious(parts))


def _split(path, sentences, shares):
    """Split sentences at random."""
    mixed = list(sentences)
    random.Random(0).shuffle(mixed)
    train, dev = (round(len(mixed) * sum(shares[:n]) / 100) for n in (1, 2))
    parts = {"train": mixed[:train], "dev": mixed[train:dev]}
    if shares[2]:
        parts["test"] = mixed[dev:]
    if not all(parts.values()):
        raise InputError(
            f"--data {path}: {len(mixed)} sentences can't be split into "
            f"{', '.join(map(str, shares))} %; an empty line ends a sentence"
        )
    return parts


# ------------------------------------------------------------------ one part


def _read_part(path: Path, notes: list[str]) -> list[Sentence]:
    """Read a .txt file, or a folder with seq.in, seq.out and perhaps label."""
    sentences = []
    for tagged, intent in _read_lines(path) if path.is_dir() else _read_columns(path, notes):
        pieces = [*itertools.chain(*itertools.starmap(cut_tagged, tagged))]
        if pieces:  # nothing is left of a word that is only spaces
            words, tags = zip(*pieces, strict=True)
            sentences.append(Sentence(list(words), begun(tags), intent))
    return sentences


def _read_text(path: Path) -> list[str]:
    try:
        return [line.strip(" ") for line in path.read_text(encoding="utf-8-sig").split("\n")]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error


def _shown(text: str) -> str:
    """Return a tag or an intent without spaces that nobody sees."""
    return " ".join(ZERO_WIDTH.sub("", text).split())


def _tag(text: str, where: str) -> str:
    tag = _shown(text)
    if not TAG.fullmatch(tag):
        advice = "; write B- for S- and U-, I- for E- and L-" if re.match("[SUEL]-", tag) else ""
        raise InputError(f"{where}: tag {tag!r} is not O, B-slot or I-slot{advice}")
    return tag


def _read_lines(folder: Path) -> Iterator[tuple[list[tuple[str, str]], str | None]]:
    """Read seq.in, seq.out and perhaps label; yield words with tags, and the intent.

    Words end at tabs, if both lines have some, or else at blanks, so that a word may hold a
    no-break space.
    """
    paths = [folder / name for name in ("seq.in", "seq.out", "label")]
    columns = [_read_text(path) for path in paths if path.name != "label" or path.exists()]
    for line, row in enumerate(itertools.zip_longest(*columns, fillvalue=""), 1):
        word = "[^\t]+" if all("\t" in text for text in row[:2]) else "[^ \t]+"
        words, tags = (re.findall(word, text) for text in row[:2])
        where, intent = f"{paths[1]}, line {line}", _shown("".join(row[2:]))
        tags = [_tag(tag, where) for tag in tags]
        if len(words) != len(tags):
            odd = odd_space(row[0]) or odd_space(row[1])
            raise InputError(f"{where}: {len(tags)} tags for {len(words)} words{odd}")
        if intent and not words:
            raise InputError(f"{paths[2]}, line {line}: an intent without a sentence")
        yield list(zip(words, tags, strict=True)), intent or None


def _read_columns(path: Path, notes: list[str]) -> Iterator[tuple[list, str | None]]:
    """Read a file with a word and its tag per line, as `_read_lines` does."""
    rows, intent, columns = [], None, 0
    for line, text in enumerate([*_read_text(path), ""], 1):
        where = f"{path}, line {line}"
        fields = re.findall("[^ ]+", text) if "\t" not in text else text.rstrip().split("\t")
        comment = text.startswith("#") and not (fields[1:] and re.match("O$|[BI]-", fields[-1]))
        if named := re.fullmatch(r"#\s*intent\s*[:=]\s*(.*\S)\s*", text):
            if rows or intent:
                raise InputError(f"{where}: an intent, but no empty line ends what is before it")
            intent = _shown(named[1])
        elif comment or fields[:1] == ["-DOCSTART-"]:
            pass
        elif len(fields) >= 2:
            columns = columns or len(fields)
            if len(fields) != columns:
                raise InputError(
                    f"{where}: {len(fields)} columns, but {columns} before; a word or a tag may "
                    "hold a space only where tabs are between the columns"
                )
            if len(fields) > 2 and not fields[0].strip():
                raise InputError(f"{where}: nothing in the first column, where the word should be")
            rows.append((fields[0], _tag(fields[-1], where)))
        elif text.strip():
            raise InputError(f"{where}: {text.strip()!r} has no tag{odd_space(text)}")
        elif rows:
            yield rows, intent
            rows, intent = [], None
    if intent:
        raise InputError(f"{path}: no sentence after the last intent, {intent}")
    if columns > 2:
        notes.append(f"{path}: {columns} columns; the first is the word, the last its tag")


# ------------------------------------------------------------------ what was read


def _slots(sentences):
    return Counter(name for sentence in sentences for name, *_ in sorted(spans(sentence.tags)))


def _intents(sentences):
    return Counter(sentence.intent for sentence in sentences if sentence.intent)


def _suspicious(parts: dict[str, list[Sentence]]) -> list[str]:
    """Return what a reader of these parts would ask about."""
    notes, train = [], parts["train"]
    texts = {" ".join(sentence.words) for sentence in train}
    for name in list(parts)[1:]:
        for kind, found in {"slots": _slots, "intents": _intents}.items():
            if strange := sorted(found(parts[name]).keys() - found(train)):
                few = ", ".join(strange[:5]) + (", ..." if len(strange) > 5 else "")
                notes.append(f"the {name} part has {kind} that train lacks: {few}")
        known = sum(" ".join(sentence.words) in texts for sentence in parts[name])
        if known > 0.02 * len(parts[name]):
            share = f"{known / len(parts[name]):.0%}"
            notes.append(f"{share} of the {name} sentences are in the train part, too")
    return notes


def describe(data: Data) -> str:
    """Return lines that say what was read: counts, the rarest, what is suspicious, two examples."""
    train = data.parts["train"]
    parts = [f"{len(part):,} {name}" for name, part in data.parts.items()]
    lines = [f"{' + '.join(parts)} sentences"]
    for kind, counts in {"slots": _slots(train), "intents": _intents(train)}.items():
        few = ", ".join(f"{name} ({count})" for name, count in counts.most_common()[:-4:-1])
        lines += [f"{len(counts)} {kind} in train, the rarest {few}"] * bool(counts)
    lines += [f"note: {note}" for note in data.notes]
    for sentence in train[:2]:
        tagged = zip(sentence.words, sentence.tags, strict=True)
        said = " ".join(word if tag == "O" else f"{word}/{tag}" for word, tag in tagged)
        lines.append(f"    {said}" + (f"  -> {sentence.intent}" if sentence.intent else ""))
    return "\n".join(lines)
