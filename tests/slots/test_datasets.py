"""Fetching public data sets, from a file:// address."""

import hashlib

from utils import InputError
from utils.slots import datasets, files
from utils.slots.files import Sentence

import pytest


@pytest.fixture
def origin(tmp_path, monkeypatch):
    """A data set "mini" at a file:// address, and an empty cache."""
    served = tmp_path / "served" / "mini"
    for part in ("train", "dev", "test"):
        (served / part).mkdir(parents=True)
        (served / part / "seq.in").write_text(f"to {part}\n")
        (served / part / "seq.out").write_text("O B-to\n")
        (served / part / "label").write_text(f"{part}\n")
    paths = sorted(path for path in served.rglob("*") if path.is_file())
    sums = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    names = [path.relative_to(served.parent).as_posix() for path in paths]
    lines = [f"{sha256}  {name}" for sha256, name in zip(sums, names, strict=True)]
    checksums = tmp_path / "sums"
    checksums.write_text("\n".join([*lines, f"{'0' * 64}  other/train/seq.in\n"]))
    monkeypatch.setattr(datasets, "CHECKSUMS", checksums)
    monkeypatch.setattr(datasets, "ORIGIN", (tmp_path / "served").as_uri())
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    return served


def test_download(origin, tmp_path):
    folder = datasets.download("mini")
    assert folder.is_relative_to(tmp_path / "cache")
    data = files.read(folder)
    for name in ("train", "dev", "test"):
        assert data.parts[name] == [Sentence(["to", name], ["O", "B-to"], name)]
    for path in [*origin.rglob("seq.*"), *origin.rglob("label")]:
        path.unlink()
    assert files.read(datasets.download("mini")) == data  # nothing is fetched twice


def test_broken_download(origin, tmp_path):
    """A file that isn't what it should be is not kept."""
    (origin / "dev" / "seq.out").write_text("O B-from\n")
    with pytest.raises(InputError, match=r"mini: cannot fetch file:.*dev/seq.out") as error:
        datasets.download("mini")
    assert "\n" not in str(error.value)
    assert list((tmp_path / "cache").rglob("dev/seq.in"))
    assert not list((tmp_path / "cache").rglob("dev/seq.out"))


def test_checksums():
    """Of the real ones, which no test may fetch: as many files as the sets have."""
    lines = [line.split() for line in datasets.CHECKSUMS.read_text(encoding="utf-8").splitlines()]
    files = [f"{p}/{n}" for p in ("train", "dev", "test") for n in ("seq.in", "seq.out", "label")]
    assert [file for _, file in lines] == [
        f"{d}/{file}" for d in datasets.DATASETS for file in files
    ]
    assert all(len(bytes.fromhex(sha256)) == 32 for sha256, _ in lines)
