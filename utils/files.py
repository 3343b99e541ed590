"""Files that appear whole or not at all."""

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from utils import InputError

import pandas as pd

BESIDE = re.compile(r"\..+\.(\d+)\.\w+")  # what `written_whole` writes to: .name.process.ending


def output_folder(path: str | Path) -> Path:
    """Make the folder and prove that it can be written, before any work is put into its content.

    What a killed run left half-written there is removed.

    Raises:
        InputError: if a file stands in its place or nothing can be written there.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        for path in folder.glob(".*"):
            if (beside := BESIDE.fullmatch(path.name)) and not alive(int(beside[1])):
                path.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"--output-dir {folder}: cannot write there ({error.strerror}); name another folder"
        ) from error
    return folder


def alive(process: int) -> bool:
    """Say whether a process of this machine is running; where that can't be known, it may be."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


@contextlib.contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Give a path beside `path` to write to; it becomes `path` only if the block succeeds.

    Raises:
        InputError: if it can't be written.
    """
    path = Path(path)
    # the ending stays, because Keras and matplotlib choose the format by it
    beside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield beside
        os.replace(beside, path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        beside.unlink(missing_ok=True)


@contextlib.contextmanager
def written_together(folder: Path) -> Iterator[None]:
    """Let no other run write into the folder meanwhile, so that its files belong together.

    It waits for its turn, where the system knows how to lock a folder (Windows doesn't).
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table, its index as the first column, whole or not at all."""
    with written_whole(path) as beside:
        frame.to_csv(beside)


def write_json(value: dict, path: Path) -> None:
    """Write strict JSON, whole or not at all."""
    with written_whole(path) as beside:
        beside.write_text(
            json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n",
            encoding="utf-8",
        )
