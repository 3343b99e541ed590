"""The slot-filling lesson at a tiny size: its networks, its runs, its answers, its complaints."""

import functools
import io
import itertools
import json
import subprocess
import sys
from pathlib import Path

import slot_filling
from slot_filling import KINDS, Network, build_network
from utils import cli
from utils.slots import chunks, files, learning, tagger, travel
from utils.slots.vocabulary import Vocabulary

import keras
import numpy as np
import pandas as pd
import pytest

REPOSITORY = Path(__file__).parents[1]
TINY = ["--units", "4", "--epochs", "1"]
QUERIES = travel.generate(24, "tests", travel.grammar("en")["cities"]["train"])
NETWORKS = [
    *map(Network, KINDS), Network("lstm", True), Network("mingru", True),
    Network("feedforward", layers=2), Network("jordan", True, 3),
]  # fmt: skip
HARD = ["", "  ", "?!", "LEAVE TAIPEI", "台北 到 高雄", "🛫 Taipei 🛬", "word " * 500, "x" * 5000]
SAMPLE = [["leave", "Taipei"], ["we", "want", "to", "arrive", "in", "Ulan", "Bator", "soon"]]


@pytest.fixture(scope="module", params=[False, True], ids=["words", "letters"])
def vocabulary(request):
    return Vocabulary.of(QUERIES, letters=request.param)


def run(argv):
    """Run the lesson as its command does; return the exit code."""
    with pytest.raises(SystemExit) as exit:
        cli.run(lambda: slot_filling.main([str(word) for word in argv]), "slot_filling.py")
    return exit.value.code


# ------------------------------------------------------------------ the networks


def scores(network, inputs):
    return {name: keras.ops.convert_to_numpy(found) for name, found in network(inputs).items()}


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_networks(network, vocabulary, tmp_path):
    letters = bool(vocabulary.letters)
    words = "one-hot" if letters else "embedding"
    model = build_network(network, vocabulary, words, units=4, learn_links=letters)
    found = scores(model, vocabulary.encode(SAMPLE, steps=8))
    assert found["tags"].shape == (2, 8, len(vocabulary.tags))
    assert found["intent"].shape == (2, len(vocabulary.intents))

    # more padding changes nothing: the masks are in place, from both ends
    padded = scores(model, vocabulary.encode(SAMPLE, steps=11))
    alone = scores(model, vocabulary.encode(SAMPLE[:1], steps=2))
    np.testing.assert_allclose(padded["tags"][1, :8], found["tags"][1], atol=1e-5)
    np.testing.assert_allclose(padded["tags"][0, :2], alone["tags"][0], atol=1e-5)
    np.testing.assert_allclose(padded["intent"][0], alone["intent"][0], atol=1e-5)

    tagger.save(tmp_path / "model.keras", tagger.Tagger(model, vocabulary))
    loaded = tagger.load(tmp_path / "model.keras")
    assert loaded.vocabulary == vocabulary and loaded.crf.learned == letters
    again = scores(loaded.network, vocabulary.encode(SAMPLE, steps=8))
    np.testing.assert_allclose(again["tags"], found["tags"], atol=1e-6)


@pytest.mark.parametrize("network", NETWORKS[:-2], ids=str)
def test_what_tells_sentences_apart(network, vocabulary):
    """A word before, if there is a memory; a word behind, if one reads from the end."""
    keras.utils.set_random_seed(0)
    model = build_network(network, vocabulary, "one-hot", units=8)

    def differ(*sentences):
        inputs = vocabulary.encode([text.split() for text in sentences], len(sentences[0].split()))
        first, second = scores(model, inputs)["tags"]
        return (np.abs(first - second) > 1e-6).any(axis=-1)  # beyond rounding

    before = differ("arrive Taipei on November 2nd", "leave Taipei on November 2nd")
    assert before[0] and (before[1:] == (network.kind != "feedforward")).all()
    behind = differ("Taipei is where our trip begins", "Taipei is where our trip ends")
    assert behind[-1] and behind[0] == network.bidirectional


# ------------------------------------------------------------------ the script


@pytest.fixture(scope="module")
def travelled(tmp_path_factory):
    """A comparison of two networks on a small travel grammar: scores, folder, what was printed."""
    folder = tmp_path_factory.mktemp("travel")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(travel, "parts", functools.partial(travel.parts, train=30, dev=12, test=12))
        patch.setattr(slot_filling, "COMPARED", [Network("feedforward"), Network("gru", True)])
        printed = io.StringIO()
        patch.setattr(sys, "stdout", printed)
        scores = slot_filling.main([*TINY, "--seeds", "0,1", "--output-dir", str(folder)])
    return scores, folder, printed.getvalue()


def test_comparison(travelled):
    scores, folder, printed = travelled
    names = "figure.png model.keras scores.json sentences.csv slots.csv taipei.png"
    assert sorted(path.name for path in folder.iterdir()) == names.split()
    assert json.loads((folder / "scores.json").read_text(encoding="utf-8")) == scores
    assert scores["data"] == "travel" and scores["letters"] is scores["crf"] is False
    assert list(scores["networks"]) == ["feedforward", "bidirectional gru"]
    assert 0 < scores["commonest_tags_f1"] <= 50 == scores["ceiling_without_context"]
    for entry in scores["networks"].values():
        by_seed = [seed["test"]["f1"] for seed in entry["seeds"]]
        assert entry["test"]["f1"] == pytest.approx(np.mean(by_seed))
        assert entry["test"]["f1_sd"] == pytest.approx(np.std(by_seed, ddof=1))
        assert set(entry["test_f1_by_cue"]) == {"before", "far", "after"}
    for phrase in ("seed 1: epoch 1/1", "-> find", "of this grammar", "cue before", "±"):
        assert phrase in printed
    sentences = pd.read_csv(folder / "sentences.csv")
    columns = (sentences[name].str.split() for name in ("tags", "predicted_tags"))
    f1 = chunks.score(*([files.Sentence(tags, tags) for tags in some] for some in columns))
    best = [seed["test"] for seed in scores["networks"][scores["best"]]["seeds"]]
    assert f1.loc["all", "f1"] in [seed["f1"] for seed in best]
    assert 100 * sentences["right"].mean() in [seed["sentence_accuracy"] for seed in best]


def test_in_chinese(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(travel, "parts", functools.partial(travel.parts, train=30, dev=12, test=12))
    argv = ["--language=zh", "--model", "gru", *TINY, "--output-dir", str(tmp_path)]
    scores = slot_filling.main(argv)
    assert scores["language"] == "zh" and scores["crf"] is True
    capsys.readouterr()
    slot_filling.main(["--predict", "十一月二日抵達台北", "--output-dir", str(tmp_path)])
    line = capsys.readouterr().out
    assert "抵" in line and json.loads(line)["words"] == list("十一月二日抵達台北")


def write_folder(folder):
    for part in ("train", "dev"):
        (folder / part).mkdir(parents=True)
        for n, name in enumerate(("seq.in", "seq.out", "label")):
            lines = [query[n] if n == 2 else " ".join(query[n]) for query in QUERIES]
            (folder / part / name).write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_own_folder_without_test_part_and_intents(tmp_path):
    data, out = write_folder(tmp_path / "data"), tmp_path / "out"
    for part in ("train", "dev"):
        (data / part / "label").unlink()
    flags = ["--words", "one-hot", "--layers", 2, "--bidirectional", "--no-crf"]
    argv = ["--data", data, "--model", "jordan", *flags, *TINY, "--output-dir", out]
    assert run(argv) == 0
    scores = json.loads((out / "scores.json").read_text())
    assert (scores["data"], scores["words"], scores["letters"]) == (str(data), "one-hot", True)
    entry = scores["networks"]["bidirectional jordan, 2 layers"]
    assert entry["test"] is None and "test_f1_by_cue" not in entry
    assert entry["dev"]["intent_accuracy"] is None and entry["dev"]["sentence_accuracy"] >= 0


def test_a_trial_of_tune(tmp_path, monkeypatch, capsys):
    """The network that the flags name is trained, here the best one, and nothing else is done."""
    monkeypatch.setattr(files, "download", lambda name: write_folder(tmp_path / name))
    told, flags = [], ["--dataset", "snips", "--units", "4", "--epochs", "2", "--seeds", "3"]
    slot_filling.main([*flags, "--output-dir", str(tmp_path / "out")], told.append)
    assert len(told) == 2 and told == sorted(told) and not list((tmp_path / "out").iterdir())
    printed = capsys.readouterr().out
    assert "bidirectional gru, seed 3: epoch 2/2" in printed and "Right in" not in printed


def test_interrupted(tmp_path, monkeypatch, capsys):
    """Ctrl-C in the second training: the first is kept, and the best epoch of the second."""
    data, out = write_folder(tmp_path / "data"), tmp_path / "out"
    epochs = itertools.count(1)

    def evaluate(*args):
        if next(epochs) == 4:
            raise KeyboardInterrupt
        return chunks.evaluate(*args)

    monkeypatch.setattr(learning, "evaluate", evaluate)
    argv = ["--data", data, "--model", "gru", "--units", 4, "--epochs", 2, "--seeds", "0,1,2"]
    assert run([*argv, "--output-dir", out]) == 130
    (entry,) = json.loads((out / "scores.json").read_text())["networks"].values()
    assert [seed["epoch"] for seed in entry["seeds"]][1:] == [1]
    assert (out / "model.keras").exists()
    printed, error = capsys.readouterr()
    assert "Interrupted: going on with what is finished" in printed
    assert error == "slot_filling.py: interrupted\n"


def test_predict_in_a_fresh_process(travelled, capsys):
    """Line by line while the pipe stays open, together in batches, or alone: the same answers."""
    folder, last = travelled[1], "arrive Kaohsiung tomorrow morning."
    answers, pipes = [], dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command = [sys.executable, "slot_filling.py", "--predict", "-", "--output-dir", folder]
    with subprocess.Popen(command, cwd=REPOSITORY, encoding="utf-8", **pipes) as process:
        for lines in ([HARD[0]], HARD[1:], [last]):
            process.stdin.write("".join(f"{line}\n" for line in lines))
            process.stdin.flush()
            answers += [json.loads(process.stdout.readline()) for _ in lines]
        assert process.communicate() == ("", "") and process.returncode == 0
    nothing = {"intent": None, "intent_probability": None, "slots": [], "words": [], "tags": []}
    assert answers[:3] == [nothing | {"unknown": []}] * 3  # "", spaces, marks
    assert answers[HARD.index("台北 到 高雄")]["words"] == list("台北到高雄")
    assert answers[-1]["words"] == ["arrive", "Kaohsiung", "tomorrow", "morning"]
    assert answers[-1]["unknown"] == ["Kaohsiung"] and answers[-1]["intent_probability"] > 0
    assert run(["--predict", last, "--load", folder / "model.keras"]) == 0
    assert json.loads(capsys.readouterr().out) == answers[-1]


# ------------------------------------------------------------------ what it refuses


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        ("--bidirectional", "--bidirectional: they need --model"),
        ("--model feedforward --bidirectional", "feedforward has no memory"),
        ("--dataset atis --data here", "argument --data: not allowed with argument --dataset"),
        ("--data here --language zh", "argument --language: not allowed with argument --data"),
        ("--data=", "has neither of train/ and train.txt; one is needed"),
        ("--predict hello --output-dir nowhere", "no saved model at nowhere"),
        ("--predict hello --data x --crf", "--crf and --data: --predict asks a trained model"),
        ("--min-confidence 0.5", "--min-confidence: only for --predict"),
    ],
)
def test_refused(argv, complaint, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(argv.split()) == 2
    error = capsys.readouterr().err
    assert complaint in error and error.count("\n") == 1
    assert error.startswith("slot_filling.py: error: ")
