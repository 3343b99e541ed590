"""Public data sets of tagged queries, downloaded and checked."""

import contextlib
import os
from pathlib import Path

from utils import InputError

import keras

DATASETS = "atis", "snips"
# Tur, Hakkani-Tür & Heck, "What is left to be understood in ATIS?" (2010); Coucke et al., "Snips
# voice platform" (2018); in the split of JointBERT: https://github.com/monologg/JointBERT
ORIGIN = (
    "https://raw.githubusercontent.com/monologg/JointBERT/"
    "00324f60dda4a491b2913bc3065ae93966caea3f/data"
)
CHECKSUMS = Path(__file__).with_name("datasets.sha256")  # as sha256sum writes them


def download(name: str) -> Path:
    """Fetch one of `DATASETS`, unless an earlier call did, and return its folder.

    Raises:
        InputError: if it can't be fetched, or is not what it should be; then it isn't kept.
    """
    cache = Path(os.environ.get("KERAS_HOME", "~/.keras"), "slot_filling").expanduser()
    for line in CHECKSUMS.read_text(encoding="utf-8").splitlines():
        sha256, file = line.split()
        if not file.startswith(f"{name}/"):
            continue
        origin, target = f"{ORIGIN}/{file}", cache / file
        try:
            target.parent.mkdir(parents=True, exist_ok=True)  # else `get_file` goes to /tmp
            keras.utils.get_file(
                target.name, origin, file_hash=sha256, cache_dir=target.parent, cache_subdir=""
            )
        except Exception as error:  # `get_file` raises just that, and leaves a wrong file there
            with contextlib.suppress(OSError):
                target.unlink()
            reason = str(error).strip().partition("\n")[0]
            raise InputError(f"--dataset {name}: cannot fetch {origin} ({reason})") from error
    return cache / name
