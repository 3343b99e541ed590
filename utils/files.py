"""Files that appear whole or not at all."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from utils import InputError

import pandas as pd


def output_folder(path: str | Path) -> Path:
    """Make the folder and prove that it can be written, before any work is put into its content.

    Raises:
        InputError: if a file stands in its place or nothing can be written there.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        what = f"cannot write there ({error.strerror}); name another folder"
        raise InputError(f"--output-dir {folder}: {what}") from error


@contextlib.contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; it becomes `path` only if the block succeeds.

    Raises:
        InputError: if it can't be written.
    """
    path = Path(path)
    # the ending stays, because Keras and matplotlib choose the format by it; what a killed run
    # leaves there is overwritten by the next one
    beside = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield beside
        os.replace(beside, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        beside.unlink(missing_ok=True)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table, its index as the first column, whole or not at all."""
    with written_whole(path) as beside:
        frame.to_csv(beside)


def write_json(value: dict, path: Path) -> None:
    """Write strict JSON, whole or not at all."""
    with written_whole(path) as beside:
        text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)
        beside.write_text(text + "\n", encoding="utf-8")
