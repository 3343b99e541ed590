"""Reading, checking and splitting sentences."""

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


def write_part(folder, words, tags, part="train"):
    (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / part / "seq.in").write_text(words, encoding="utf-8")
    (folder / part / "seq.out").write_text(tags, encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    """A good folder without a test part."""
    write_part(tmp_path, "fly to New York\nfly from York !\n", "O O B-to I-to\nO O B-from O\n")
    write_part(tmp_path, "to York", "O B-to", "dev")
    return tmp_path


def test_lines(folder):
    dev = [Sentence(["to", "York"], ["O", "B-to"])]
    assert files.read(folder) == ({"train": TRAIN, "dev": dev}, [])
    write_part(folder, "\ufefffrom  York \r\n\r\n", "O\tB-from\r\n\r\n", "test")
    expected = [Sentence(["from", "York"], ["O", "B-from"])]
    assert files.read(str(folder))[0]["test"] == expected


def read_columns(folder, columns):
    """Read a train.txt, beside a good dev.txt."""
    (folder / "train.txt").write_text(columns, encoding="utf-8", newline="")
    (folder / "dev.txt").write_text("from O\nYork B-from\n", encoding="utf-8")
    parts, notes = files.read(folder)
    return parts["train"], [note for note in notes if "train.txt" in note]


def test_columns(tmp_path):
    columns = "fly O\nto O\nNew\tI-to\nYork  I-to\n \n\nfly O\nfrom O\nYork B-from\n! O"
    assert read_columns(tmp_path, columns) == (TRAIN, [])
    windows = "\ufeff" + columns.replace("\n", "\r\n")
    assert read_columns(tmp_path, windows) == (TRAIN, [])
    aligned = columns.replace("  ", " ").replace(" ", " \t ")
    assert read_columns(tmp_path, aligned) == (TRAIN, [])
    train, _ = read_columns(tmp_path, "台北 B-to\n\n")
    assert train == [Sentence(["台", "北"], ["B-to", "I-to"])]


def test_conll_with_four_columns(tmp_path):
    columns = "-DOCSTART- -X- -X- O\n\n# id 1\nIn IN B-PP O\nYork NNP I-NP I-to\nnow RB X O\n"
    train, (note,) = read_columns(tmp_path, columns)
    assert train == [Sentence(["In", "York", "now"], ["O", "B-to", "O"])]
    assert note.endswith("4 columns; the first is the word, the last its tag")


def test_words_and_tags_with_spaces(tmp_path):
    """Between tabs, both may hold spaces; nothing of a word is lost."""
    columns = "fly\tO\nto\tO\nNew Delhi\tB-home city\nand\tO\nHo Chi Minh\tI-home\u00a0city\n"
    ((words, tags, *_),), notes = read_columns(tmp_path, columns)
    assert words == ["fly", "to", "New", "Delhi", "and", "Ho", "Chi", "Minh"]
    home = ["B-home city", "I-home city"]
    assert tags == ["O", "O", *home, "O", *home, "I-home city"] and not notes


@pytest.mark.parametrize("space", ["\u3000", " ", "\u00a0", "\u200b", ""])
def test_words_that_are_spaces(tmp_path, space):
    """They are passed over, as in a text to predict."""
    columns = f"to\tO\nNew\tB-to\n{space}\tI-to\nYork\tI-to\n\n{space}\tO\n"
    train, _ = read_columns(tmp_path, columns)
    assert train == [Sentence(["to", "New", "York"], ["O", "B-to", "I-to"])]


def test_words_with_a_no_break_space(folder):
    """Of one tag, it is one number or the words of one slot."""
    words = "pay 10\u00a0000 in New\u00a0Delhi\n\u3000 to York\n"
    write_part(folder, words, "O B-price O B-to\nO O B-to\n")
    (words, tags, *_), other = files.read(folder)[0]["train"]
    assert words == ["pay", "10\u00a0000", "in", "New", "Delhi"]
    assert tags == ["O", "B-price", "O", "B-to", "I-to"]
    assert other == Sentence(["to", "York"], ["O", "B-to"])


def test_lines_with_tabs(folder):
    write_part(folder, "fly\tto\tNew York\n", "O\tO\tB-home city\n")
    tags = ["O", "O", "B-home city", "I-home city"]
    assert files.read(folder)[0]["train"] == [Sentence(["fly", "to", "New", "York"], tags)]


@pytest.mark.parametrize(
    ("words", "tags", "complaint"),
    [
        ("a b\nc d e\n", "O O\nO O\n", r"train/seq.out, line 2: 2 tags for 3 words"),
        ("a b\n", "O O\nO\n", r"train/seq.out, line 2: 1 tags for 0 words"),
        ("a b\n", "O X-to\n", r"train/seq.out, line 1: tag 'X-to' is not O, B-slot or I-slot"),
        ("a b\n", "O B-\n", r"line 1: tag 'B-'"),
        ("a\u00a0b c\n", "O\n", r"1 tags for 2 words, 'a\\xa0b c'"),
        ("a\n", "\n", r"line 1: 0 tags for 1 words"),
        ("\n \n", "\n\n", r"the train part is empty"),
        ("a b\n", "O O\n", r"the train part has no slot, its tags are all O"),
    ],
)
def test_bad_lines(folder, words, tags, complaint):
    write_part(folder, words, tags)
    with pytest.raises(InputError, match=complaint) as error:
        files.read(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ("a O\nb\n", r"train.txt, line 2: 'b' has no tag"),
        ("a O\n\nb E-x\n", r"line 3: tag 'E-x' is not O, B-slot or I-slot; write B- for S-"),
        ("a O\nNew York B-x\n", r"line 2: 3 columns, but 2 before; a word or a tag may hold"),
        ("a\tO\nNew\tYork\tB-x\n", r"line 2: 3 columns, but 2 before"),
        ("\ta\tO\n", r"line 1: nothing in the first column, where the word should be"),
        ("New\tB-x I-x\n", r"line 1: tag 'B-x I-x' is not"),
        ("a O\n\u200bb\n", r"line 2: '\\u200bb' has no tag"),
        ("1\ta\ta\tDET\n", r"line 1: tag 'DET' is not"),
        ("# intent: fly\na O\n# intent: ask\nb B-x\n", r"line 3: an intent, but no empty line"),
        ("# intent: fly\na B-x\n\n# intent: ask\n", r"no sentence after the last intent, ask"),
        ("# intent: fly\na B-x\n\nb O\n", r"no intent for 'b' in train, but for others"),
    ],
)
def test_bad_columns(folder, columns, complaint):
    shutil.rmtree(folder / "train")
    (folder / "train.txt").write_text(columns, encoding="utf-8")
    with pytest.raises(InputError, match=complaint) as error:
        files.read(folder)
    assert "\n" not in str(error.value)


def test_bad_files(folder, tmp_path):
    def complaint(path=folder):
        with pytest.raises(InputError) as error:
            files.read(path)
        return str(error.value)

    (folder / "dev.txt").write_bytes("to O\nZürich B-to".encode("latin-1"))
    assert "has both dev.txt and dev; remove one" in complaint()
    shutil.rmtree(folder / "dev")
    assert complaint().endswith("dev.txt: not UTF-8 at byte 6; save it as UTF-8")
    (folder / "dev.txt").unlink()
    assert "has neither dev/seq.in nor dev.txt" in complaint()
    (folder / "train" / "seq.out").unlink()
    assert "train/seq.out: cannot be read (No such file" in complaint()
    assert "nowhere: has neither train/seq.in nor train.txt" in complaint(tmp_path / "nowhere")


# ------------------------------------------------------------------ intents


def write_intents(folder, **parts):
    for part, intents in parts.items():
        (folder / part / "label").write_text("\n".join(intents), encoding="utf-8")


def test_label(folder):
    write_intents(folder, train=["fly", "ask"], dev=["pray", ""])
    parts, notes = files.read(folder)
    assert [sentence.intent for sentence in parts["train"]] == ["fly", "ask"]
    assert [sentence.intent for sentence in parts["dev"]] == ["pray"]
    assert notes == ["the dev part has 1 intents that train lacks: pray"]


@pytest.mark.parametrize(
    ("intents", "complaint"),
    [
        (["fly"], r"no intent for 'fly from York !' in train, but for others"),
        (["fly", "ask", "ask"], r"train/label, line 3: an intent without a sentence"),
        (None, r"no intent for 'fly to New York' in train, but for others"),
    ],
)
def test_bad_label(folder, intents, complaint):
    write_intents(folder, dev=["fly"], **({"train": intents} if intents else {}))
    with pytest.raises(InputError, match=complaint):
        files.read(folder)


def test_intents_in_columns(tmp_path):
    columns = "# text = hello\n# intent: fly away\nto O\nYork B-to\n\n# intent = ask\n# O\n# B-to\n"
    for part in ("train", "dev"):
        (tmp_path / f"{part}.txt").write_text(columns)
    assert files.read(tmp_path)[0]["train"] == [
        Sentence(["to", "York"], ["O", "B-to"], "fly away"),
        Sentence(["#", "#"], ["O", "B-to"], "ask"),
    ]


# ------------------------------------------------------------------ one file, and what is odd


def write_one(path, sentences):
    path.write_text("".join(f"to O\ncity{n} B-to\n\n" for n in range(sentences)))
    return path


def test_one_file_is_split(tmp_path):
    path = write_one(tmp_path / "mine.conll", 50)
    parts, notes = files.read(path)
    assert {name: len(part) for name, part in parts.items()} == {"train": 40, "dev": 5, "test": 5}
    cities = [sentence.words[1] for part in parts.values() for sentence in part]
    assert sorted(cities) == sorted(f"city{n}" for n in range(50)) and cities != sorted(cities)
    assert "split at random with seed 0: 80 % are the train part" in notes[0]
    assert files.read(path)[0] == parts
    assert [len(part) for part in files.read(path, [60, 40, 0])[0].values()] == [30, 20]
    with pytest.raises(InputError, match=r"2 sentences can't be split into 80, 10, 10 %"):
        files.read(write_one(path, 2))


def test_what_is_odd(folder):
    shutil.rmtree(folder / "dev")
    (folder / "dev.txt").write_text("fly O\nto O\nNew B-to\nYork I-to\n\nb B-x\n")
    assert files.read(folder)[1] == [
        "the dev part has 1 slots that train lacks: x",
        "50% of the dev sentences are in the train part, too",
    ]


def test_describe(folder):
    write_intents(folder, train=["fly", "ask"], dev=["fly"])
    said = files.describe(*files.read(folder)).splitlines()
    assert said == [
        "2 train + 1 dev sentences",
        "2 slots in train, the rarest from (1), to (1)",
        "2 intents in train, the rarest ask (1), fly (1)",
        "    fly to New/B-to York/I-to  -> fly",
        "    fly from York/B-from !  -> ask",
    ]


# ------------------------------------------------------------------ public data sets


@pytest.fixture
def origin(tmp_path, monkeypatch):
    """A data set "mini" at a file:// address, and an empty cache."""
    served = tmp_path / "served" / "mini"
    for part in ("train", "dev", "test"):
        write_part(served, f"to {part}\n", "O B-to\n", part)
        (served / part / "label").write_text(f"{part}\n")
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(served.parent)}"
        for path in sorted(served.glob("*/*"))
    ]
    checksums = tmp_path / "sums"
    checksums.write_text("\n".join([*lines, f"{'0' * 64}  other/train/seq.in\n"]))
    monkeypatch.setattr(files, "CHECKSUMS", checksums)
    monkeypatch.setattr(files, "ORIGIN", (tmp_path / "served").as_uri())
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    return served


def test_download(origin, tmp_path):
    folder = files.download("mini")
    assert folder.is_relative_to(tmp_path / "cache")
    parts, _ = files.read(folder)
    for name in ("train", "dev", "test"):
        assert parts[name] == [Sentence(["to", name], ["O", "B-to"], name)]
    shutil.rmtree(origin)
    assert files.read(files.download("mini"))[0] == parts  # nothing is fetched twice


def test_broken_download(origin, tmp_path):
    """A file that isn't what it should be is not kept."""
    (origin / "dev" / "seq.out").write_text("O B-from\n")
    with pytest.raises(InputError, match=r"mini: cannot fetch file:.*dev/seq.out") as error:
        files.download("mini")
    assert "\n" not in str(error.value)
    assert list((tmp_path / "cache").rglob("dev/seq.in"))
    assert not list((tmp_path / "cache").rglob("dev/seq.out"))


def test_checksums():
    """Of the real ones, which no test may fetch: as many files as the sets have."""
    lines = [line.split() for line in files.CHECKSUMS.read_text(encoding="utf-8").splitlines()]
    parts, names = ("train", "dev", "test"), ("seq.in", "seq.out", "label")
    expected = [f"{d}/{p}/{n}" for d in files.DATASETS for p in parts for n in names]
    assert [file for _, file in lines] == expected
    assert all(len(bytes.fromhex(sha256)) == 32 for sha256, _ in lines)
