import hashlib
import itertools
import json

from utils import InputError
from utils.slots import tagging, travel
from utils.slots.tagging import OTHER, PADDING, Sentence, Vocabulary

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

TRAIN = [
    Sentence(["fly", "to", "New", "York"], ["O", "O", "B-to", "I-to"]),
    Sentence(["fly", "from", "York", "!"], ["O", "O", "B-from", "O"]),
]

# ------------------------------------------------------------------ files


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
    assert tagging.read_folder(folder) == {
        "train": TRAIN,
        "dev": [Sentence(["to", "York"], ["O", "B-to"])],
    }
    write_part(folder, "\ufefffrom  York \r\n\r\n", "O\tB-from\r\n\r\n", "test")
    expected = [Sentence(["from", "York"], ["O", "B-from"])]
    assert tagging.read_folder(str(folder))["test"] == expected


def test_columns(tmp_path):
    columns = "fly O\nto O\nNew\tI-to\nYork _ I-to\n\n\nfly O\nfrom O\nYork B-from\n! O"
    (tmp_path / "train.txt").write_text(columns, encoding="utf-8")
    (tmp_path / "dev.txt").write_text("台北 B-to\n\n", encoding="utf-8")
    parts = tagging.read_folder(tmp_path)
    assert parts == {"train": TRAIN, "dev": [Sentence(["台北"], ["B-to"])]}


@pytest.mark.parametrize(
    ("words", "tags", "complaint"),
    [
        ("a b\nc d e\n", "O O\nO O\n", r"train/seq.out, line 2: 2 tags for 3 words"),
        ("a b\n", "O O\nO\n", r"train/seq.out, line 2: 1 tags for 0 words"),
        ("a b\n\nc\n", "O O\nO\n\n", r"train/seq.out, line 2: 1 tags for 0 words"),
        ("a b\n", "O X-to\n", r"train/seq.out, line 1: tag 'X-to' is not O, B-slot or I-slot"),
        ("a b\n", "O B-\n", r"line 1: tag 'B-'"),
        ("a b\n", "O to\n", r"line 1: tag 'to'"),
        ("", "", r"the train part is empty"),
        ("\n \n", "\n\n", r"the train part is empty"),
    ],
)
def test_bad_lines(folder, words, tags, complaint):
    write_part(folder, words, tags)
    with pytest.raises(InputError, match=complaint) as error:
        tagging.read_folder(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ("a O\nb\n", r"train.txt, line 2: 'b' has no tag"),
        ("a O\n\nb E-x\n", r"train.txt, line 3: tag 'E-x'"),
        ("\n\n", r"the train part is empty"),
    ],
)
def test_bad_columns(folder, columns, complaint):
    (folder / "train.txt").write_text(columns)
    with pytest.raises(InputError, match=complaint):
        tagging.read_folder(folder)


def test_bad_files(folder, tmp_path):
    (folder / "dev" / "seq.in").write_bytes("to Zürich".encode("latin-1"))
    with pytest.raises(InputError, match=r"dev/seq.in: not UTF-8 at byte 4; save it as UTF-8"):
        tagging.read_folder(folder)
    (folder / "dev" / "seq.in").unlink()
    with pytest.raises(InputError, match=r"has neither dev/seq.in nor dev.txt"):
        tagging.read_folder(folder)
    (folder / "train" / "seq.out").unlink()
    with pytest.raises(InputError, match=r"train/seq.out: cannot be read \(No such file"):
        tagging.read_folder(folder)
    with pytest.raises(InputError, match=r"nowhere: has neither train/seq.in nor train.txt"):
        tagging.read_folder(tmp_path / "nowhere")


@pytest.fixture
def origin(tmp_path, monkeypatch):
    """A data set "mini" at a file:// address, and an empty cache."""
    served = tmp_path / "served" / "data" / "mini"
    for part in ("train", "dev", "test"):
        write_part(served, f"to {part}\n", "O B-to\n", part)
    files = [path for path in sorted(served.rglob("*")) if path.is_file()]
    hashes = {
        path.relative_to(served).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }
    monkeypatch.setattr(tagging, "SHA256", {"mini": hashes})
    monkeypatch.setattr(tagging, "ORIGIN", (tmp_path / "served").as_uri())
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    return served


def test_download(origin, tmp_path):
    folder = tagging.download("mini")
    assert folder.is_relative_to(tmp_path / "cache")
    parts = tagging.read_folder(folder)
    assert {name: part[0].words[1] for name, part in parts.items()} == {
        "train": "train",
        "dev": "dev",
        "test": "test",
    }
    for path in origin.rglob("seq.*"):
        path.unlink()
    assert tagging.read_folder(tagging.download("mini")) == parts  # nothing is fetched twice


def test_broken_download(origin, tmp_path):
    (origin / "dev" / "seq.out").write_text("O B-from\n")
    with pytest.raises(InputError, match=r"--dataset mini: cannot fetch file:.*dev/seq.out"):
        tagging.download("mini")
    cached = {
        path.relative_to(tmp_path / "cache").parts[-2:] for path in tmp_path.rglob("cache/**/seq.*")
    }
    assert ("dev", "seq.out") not in cached
    (origin / "dev" / "seq.out").unlink()
    with pytest.raises(InputError, match=r"cannot fetch file:.*dev/seq.out") as error:
        tagging.download("mini")
    assert "\n" not in str(error.value)


def test_addresses():
    """The real ones, which no test may fetch."""
    assert tagging.ORIGIN.startswith("https://") and set(tagging.SHA256) == {"atis", "snips"}
    files = {f"{part}/seq.{end}" for part in ("train", "dev", "test") for end in ("in", "out")}
    for hashes in tagging.SHA256.values():
        assert set(hashes) == files
        assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in hashes.values())


# ------------------------------------------------------------------ words as numbers


def test_normal():
    words = ["Taipei", "2nd.", "st.", '"Hi!"', "o'clock", "!", "...", "1,000", "台北", "İ"]
    normal = ["taipei", "0nd", "st", "hi", "o'clock", "!", "...", "0,000", "台北", "i̇"]
    assert [tagging.normal(word) for word in words] == normal


def test_letter_grams():
    assert tagging.letter_grams("apple") == ["^ap", "app", "ppl", "ple", "le$"]
    assert tagging.letter_grams("a") == ["^a$"]
    assert tagging.letter_grams("") == ["^$"]
    assert len(tagging.letter_grams("x" * 1000)) == tagging.MAX_GRAMS


def test_vocabulary():
    vocabulary = Vocabulary.of(TRAIN, letters=False)
    words = {"!": 2, "fly": 3, "from": 4, "new": 5, "to": 6, "york": 7}
    assert vocabulary == Vocabulary(words, {}, ["B-from", "B-to", "I-to", "O"])
    encoded = vocabulary.encode([["Fly", "to", "Boston"], [], ["YORK,"]], steps=4)
    assert list(encoded) == ["words"] and encoded["words"].dtype == np.int32
    assert encoded["words"].tolist() == [[3, 6, OTHER, PADDING], [PADDING] * 4, [7, 0, 0, 0]]
    assert Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json()))) == vocabulary


def test_vocabulary_with_letters():
    vocabulary = Vocabulary.of(TRAIN, letters=True)
    assert "^yo" in vocabulary.grams and min(vocabulary.grams.values()) == OTHER + 1
    letters = vocabulary.encode([["yorks"], ["zz", "fly"]], steps=2)["letters"]
    assert letters.shape == (2, 2, tagging.MAX_GRAMS)
    known = [vocabulary.grams[gram] for gram in ("^yo", "yor", "ork")]
    assert letters[0, 0, :6].tolist() == [*known, OTHER, OTHER, PADDING]
    assert letters[1, 0, :3].tolist() == [OTHER, OTHER, PADDING]
    assert not letters[0, 1].any()
    assert Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json()))) == vocabulary


# ------------------------------------------------------------------ slots and their scores


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("", set()),
        ("O O", set()),
        ("B-x I-x O B-x", {("x", 0, 2), ("x", 3, 4)}),
        ("B-x B-x", {("x", 0, 1), ("x", 1, 2)}),
        ("O I-x I-x", {("x", 1, 3)}),  # an I- after O begins a chunk
        ("I-x I-y I-x", {("x", 0, 1), ("y", 1, 2), ("x", 2, 3)}),  # so does another slot
        ("B-x I-y I-y O", {("x", 0, 1), ("y", 1, 3)}),
        ("I-x B-x I-x", {("x", 0, 1), ("x", 1, 3)}),
        ("B-x O I-x", {("x", 0, 1), ("x", 2, 3)}),
        ("B-a-b I-a-b", {("a-b", 0, 2)}),
    ],
)
def test_spans(tags, expected):
    assert tagging.spans(tags.split()) == expected


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


TAGS = st.lists(st.sampled_from(["O", "B-x", "I-x", "B-y", "I-y"]), max_size=12)


@given(TAGS)
def test_spans_as_conlleval(tags):
    assert tagging.spans(tags) == conlleval(tags)


@given(st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=4))
def test_score_against_counting(pairs):
    pairs = [(a[: min(len(a), len(b))], b[: min(len(a), len(b))]) for a, b in pairs]
    true, predicted = zip(*pairs, strict=True)
    row = tagging.score(true, predicted).loc["all"]
    both = sum(len(conlleval(a) & conlleval(b)) for a, b in pairs)
    precision = 100 * both / (sum(len(conlleval(b)) for b in predicted) or 1)
    recall = 100 * both / (sum(len(conlleval(a)) for a in true) or 1)
    assert row["precision"] == pytest.approx(precision)
    assert row["recall"] == pytest.approx(recall)
    assert row["f1"] == pytest.approx(2 * precision * recall / ((precision + recall) or 1))


def test_begun():
    tags = ["I-x", "I-x", "I-y", "O", "I-y", "B-y", "I-y", "B-x", "I-y"]
    expected = ["B-x", "I-x", "B-y", "O", "B-y", "B-y", "I-y", "B-x", "B-y"]
    assert tagging.begun(tags) == expected
    assert tagging.begun([]) == []


@given(TAGS)
def test_begun_keeps_the_chunks(tags):
    strict = tagging.begun(tags)
    assert tagging.spans(strict) == tagging.spans(tags)
    assert tagging.begun(strict) == strict


@given(st.integers(0, 5), st.integers(0, 10**6))
def test_decode_against_all_sequences(words, seed):
    tags = ["B-x", "B-y", "I-x", "I-y", "O"]
    probabilities = np.random.default_rng(seed).dirichlet(np.full(len(tags), 0.5), size=words)
    sequences = [
        sequence
        for sequence in itertools.product(range(len(tags)), repeat=words)
        if (names := [tags[number] for number in sequence]) == tagging.begun(names)
    ]
    best = max(sequences, key=lambda s: np.log(probabilities[range(words), s]).sum())
    assert tagging.decode(probabilities, tags) == [tags[number] for number in best]


def test_decode():
    tags = ["B-x", "B-y", "I-x", "O"]
    nobody_begins = [[0.3, 0.0, 0.0, 0.7], [0.1, 0.0, 0.8, 0.1]]
    assert tagging.decode(np.array(nobody_begins), tags) == ["B-x", "I-x"]
    assert tagging.decode(np.eye(4)[[1, 3, 0, 2]], tags) == ["B-y", "O", "B-x", "I-x"]
    assert tagging.decode(np.zeros((0, 4)), tags) == []


def test_score():
    true = [["B-x", "I-x", "O", "B-y"], ["B-y", "O"]]
    predicted = [["B-x", "O", "O", "I-y"], ["B-y", "B-x"]]
    table = tagging.score(true, predicted)
    assert table.index.tolist() == ["all", "x", "y"]
    assert table.loc["all"].tolist() == pytest.approx([400 / 7, 50, 200 / 3, 3])
    assert table.loc["x"].tolist() == [0, 0, 0, 1]
    assert table.loc["y"].tolist() == [100, 100, 100, 2]
    assert tagging.score([["O"]], [["O"]]).loc["all"].tolist() == [0, 0, 0, 0]
    with pytest.raises(ValueError, match="1 predicted tags for a sentence of 2"):
        tagging.score([["O", "O"]], [["O"]])


def test_confusion():
    true = [["B-x", "I-x", "O", "B-y"], ["B-y", "O", "O", "O"]]
    predicted = [["I-x", "B-y", "O", "I-y"], ["O", "O", "O", "B-x"]]
    table = tagging.confusion(true, predicted)
    assert table.index.tolist() == table.columns.tolist() == ["O", "x", "y"]
    assert table.to_numpy().tolist() == [[75, 25, 0], [0, 50, 50], [50, 0, 50]]
    assert tagging.confusion(true, predicted, most=1).index.tolist() == ["O"]
    assert tagging.confusion([["O"]], [["O"]]).to_numpy().tolist() == [[100]]


def test_without_context():
    vocabulary = Vocabulary.of(TRAIN, letters=False)
    sentences = [
        Sentence(["to", "York", "to", "Rome"], ["O", "B-to", "O", "B-to"]),
        Sentence(["from", "York", "to", "Oslo"], ["O", "B-from", "O", "B-to"]),
        Sentence(["fly", "to", "york", "Bonn"], ["O", "O", "B-to", "B-from"]),
        Sentence(["fly", "to", "Bonn"], ["O", "O", "B-from"]),
    ]
    expected = ["O B-to O B-from", "O B-to O B-from", "O O B-to B-from", "O O B-from"]
    # Rome, Oslo and Bonn are all "other", as often to as from
    assert tagging.without_context(sentences, vocabulary) == [tags.split() for tags in expected]
    # letters tell them apart
    expected = ["O B-to O B-to", "O B-to O B-to", "O O B-to B-from", "O O B-from"]
    vocabulary = Vocabulary.of(TRAIN, letters=True)
    assert tagging.without_context(sentences, vocabulary) == [tags.split() for tags in expected]


def test_ceiling_of_the_travel_grammar():
    parts = travel.parts(train=600, dev=0, test=300)
    vocabulary = Vocabulary.of(parts["train"], letters=False)
    predicted = tagging.without_context(parts["test"], vocabulary)
    f1 = tagging.score([query.tags for query in parts["test"]], predicted).loc["all", "f1"]
    assert 20 < f1 <= 50
