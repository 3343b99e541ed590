"""Reading, checking, splitting and fetching sentences."""

import hashlib
import shutil

from utils import InputError
from utils.slots import files
from utils.slots.files import Sentence

import pytest

TRAIN = [
    Sentence(["fly", "to", "New", "York"], ["O", "O", "B-to", "I-to"]),
    Sentence(["fly", "from", "York", "!"], ["O", "O", "B-from", "O"]),
]
NAMES = "seq.in", "seq.out", "label"


def write(folder, part, *texts):
    """Write a part: text of seq.in, seq.out and, perhaps, label; or one text, of a .txt file."""
    paths = [folder / part / name for name in NAMES] if texts[1:] else [folder / f"{part}.txt"]
    for path, text in zip(paths, texts, strict=False):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


def read_train(folder, *texts):
    """Read a train part, beside a good dev.txt."""
    write(folder, "train", *texts)
    write(folder, "dev", "from O\nYork B-from\n")
    return files.read(folder)["train"]


@pytest.fixture
def folder(tmp_path):
    """A good folder without a test part."""
    write(tmp_path, "train", "fly to New York\nfly from York !\n", "O O B-to I-to\nO O B-from O\n")
    write(tmp_path, "dev", "to York", "O B-to")
    return tmp_path


def test_lines(folder):
    dev = [Sentence(["to", "York"], ["O", "B-to"])]
    assert files.read(folder) == {"train": TRAIN, "dev": dev}
    write(folder, "test", "\ufefffrom  York \r\n\r\n", "O\tB-from\r\n\r\n")
    assert files.read(folder)["test"] == [Sentence(["from", "York"], ["O", "B-from"])]


def test_columns(tmp_path):
    columns = "fly O\nto O\nNew\tI-to\nYork  I-to\n \n\nfly O\nfrom O\nYork B-from\n! O"
    aligned = columns.replace("  ", " ").replace(" ", " \t ")
    for text in (columns, "\ufeff" + columns.replace("\n", "\r\n"), aligned):
        assert read_train(tmp_path, text) == TRAIN
    columns = "-DOCSTART- -X- -X- O\n\n# id 1\nIn IN B-PP O\nYork NNP I-NP I-to\n"
    assert read_train(tmp_path, columns) == [Sentence(["In", "York"], ["O", "B-to"])]


@pytest.mark.parametrize(
    ("texts", "words", "tags"),
    [
        # between tabs, words and tags may hold spaces
        (["fly\tO\nNew Delhi\tB-a b\n"], "fly New Delhi", ["O", "B-a b", "I-a b"]),
        (["to O\nHo Chi\tI-a\u00a0b\n"], "to Ho Chi", ["O", "B-a b", "I-a b"]),
        (["fly\tNew York\n", "O\tB-a b\n"], "fly New York", ["O", "B-a b", "I-a b"]),
        # words that are nothing but spaces are passed over
        *[
            ([f"a\tO\n{space}\tB-x\nb\tI-x\n\n{space}\tO\n"], "a b", ["O", "B-x"])
            for space in ("\u3000", " ", "\u00a0", "\u200b", "")
        ],
        (["\u3000 to York\n", "O O B-to\n"], "to York", ["O", "B-to"]),
        # a no-break space: one number, or the words of one slot
        (["10\u00a0000\n", "B-x\n"], "10\u00a0000", ["B-x"]),
        (["in New\u00a0Delhi\n", "O B-x\n"], "in New Delhi", ["O", "B-x", "I-x"]),
    ],
)
def test_spaces(tmp_path, texts, words, tags):
    assert read_train(tmp_path, *texts) == [Sentence(words.split(" "), tags)]


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        (["a b\nc d e\n", "O O\nO O\n"], r"train/seq.out, line 2: 2 tags for 3 words, 'c d e'"),
        (["a b\n", "O X-to\n"], r"train/seq.out, line 1: tag 'X-to' is not O, B-slot or I-slot"),
        (["a\u00a0b c\n", "O\n"], r"1 tags for 2 words, 'a\\xa0b c'"),
        (["\n \n", "\n\n"], r"the train part is empty"),
        (["a b\n", "O O\n"], r"the train part has no slot, its tags are all O"),
        (["a b\nc\n", "O B-x\nO\n", "fly\n"], r"no intent for 'c' in train, but for others"),
        (["a b\n", "O B-x\n", "fly\n"], r"no intent for 'from York' in dev, but for others"),
        (["a b\n", "O B-x\n", "fly\nask"], r"line 2: no sentence has the intent 'ask'"),
        (["a O\nb\n"], r"train.txt, line 2: 'b' has no tag"),
        (["a O\n\nb E-x\n"], r"line 3: tag 'E-x' is not O, B-slot or I-slot; write B- for S-"),
        (["a O\nNew York B-x\n"], r"line 2: 3 columns, but 2 before; a word or a tag may hold"),
        (["New\tB-x I-x\n"], r"line 1: tag 'B-x I-x' is not"),
        (["a O\nb\u00a0O\n"], r"line 2: 'b\\xa0O' has no tag"),
        (["a B-x\n# intent: fly\n\nb O\n"], r"no intent for 'a' in train, but for"),
        (["a B-x\n# intent: fly\n\n# intent: ask\n"], r"line 2: no sentence has the intent 'fly'"),
        (["a B-x\n\nb O\n# intent: ask\n"], r"line 4: no sentence has the intent 'ask'"),
    ],
)
def test_bad_parts(tmp_path, texts, complaint):
    with pytest.raises(InputError, match=complaint) as error:
        read_train(tmp_path, *texts)
    assert "\n" not in str(error.value)


def test_bad_files(folder):
    (folder / "dev.txt").write_bytes("to O\nZürich B-to".encode("latin-1"))
    for complaint, remedy in [
        ("has both of dev/ and dev.txt; one is needed", lambda: shutil.rmtree(folder / "dev")),
        ("dev.txt: not UTF-8 at byte 6; save it as UTF-8", (folder / "dev.txt").unlink),
        ("has neither of dev/ and dev.txt; one is needed", (folder / "train" / "seq.out").unlink),
        ("train/seq.out: cannot be read .No such file", None),
    ]:
        with pytest.raises(InputError, match=complaint):
            files.read(folder)
        if remedy:
            remedy()


def test_intents_in_columns(tmp_path):
    columns = "# text = hello\n# intent: fly away\nto O\nYork B-to\n\n# intent = ask\n# O\n# B-to\n"
    for part in ("train", "dev"):
        write(tmp_path, part, columns)
    assert files.read(tmp_path)["train"] == [
        Sentence(["to", "York"], ["O", "B-to"], "fly away"),
        Sentence(["#", "#"], ["O", "B-to"], "ask"),
    ]


def test_one_file_is_split(tmp_path):
    def read(sentences):
        columns = "".join(f"to O\ncity{n} B-to\n\n" for n in range(sentences))
        (tmp_path / "mine.conll").write_text(columns)
        return files.read(tmp_path / "mine.conll")

    parts = read(50)
    assert {name: len(part) for name, part in parts.items()} == {"train": 40, "dev": 5, "test": 5}
    cities = [sentence.words[1] for part in parts.values() for sentence in part]
    assert sorted(cities) == sorted(f"city{n}" for n in range(50)) and cities != sorted(cities)
    assert read(50) == parts
    with pytest.raises(InputError, match="the dev part is empty; an empty line ends a sentence"):
        read(2)


def test_what_is_said(folder):
    (folder / "train" / "label").write_text("fly\nask")
    write(folder, "dev", "fly to New York\nb", "O O B-to I-to\nB-x", "fly\npray")
    assert files.describe(files.read(folder)).splitlines() == [
        "2 train + 2 dev sentences",
        "2 slots in train, the rarest from (1), to (1)",
        "2 intents in train, the rarest ask (1), fly (1)",
        "note: dev has 1 slots that train lacks: x",
        "note: dev has 1 intents that train lacks: pray",
        "note: 50% of the dev sentences are in the train part, too",
        "    fly to New/B-to York/I-to  -> fly",
        "    fly from York/B-from !  -> ask",
    ]


def test_download(tmp_path, monkeypatch):
    """From a file:// address; nothing is fetched twice, and what is broken isn't kept."""
    served = tmp_path / "served"
    for part in ("train", "dev"):
        write(served / "mini", part, f"to {part}\n", "O B-to\n", f"{part}\n")
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(served)}\n"
        for path in served.glob("*/*/*")
    ]
    (tmp_path / "sums").write_text("".join([*lines, f"{'0' * 64}  other/train/seq.in\n"]))
    monkeypatch.setattr(files, "CHECKSUMS", tmp_path / "sums")
    monkeypatch.setattr(files, "ORIGIN", served.as_uri())
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    (served / "mini/dev/seq.out").write_text("O B-from\n")
    with pytest.raises(InputError, match=r"mini: cannot fetch file:.*dev/seq.out") as error:
        files.download("mini")
    assert "\n" not in str(error.value) and not list((tmp_path / "cache").rglob("dev/seq.out"))
    (served / "mini/dev/seq.out").write_text("O B-to\n")
    folder = files.download("mini")
    shutil.rmtree(served)
    assert files.download("mini") == folder
    assert files.read(folder)["dev"] == [Sentence(["to", "dev"], ["O", "B-to"], "dev")]
