"""How long does slot filling take, in units of `import tensorflow` on the same machine?

python benchmarks/slot_filling.py                    # the default comparison, and 1,000 queries
python benchmarks/slot_filling.py --data FOLDER      # ATIS or the like: elman, and the default
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))
SCRIPT = "slot_filling.py"


def seconds(*words):
    """Run a Python command and return its wall-clock time."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *words],
        cwd=REPOSITORY,
        env={**os.environ, "MPLBACKEND": "Agg"},
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def prediction(path):
    """Return the seconds that a loaded model takes for its first, and next, 1,000 queries."""
    from utils.slots import tagger, travel  # here: nothing is loaded while others are timed

    model = tagger.load(path)
    queries = travel.generate(1000, "speed", travel.grammar("en")["cities"]["test"])
    texts = [" ".join(query.words) for query in queries]
    times = []
    for _ in range(2):
        start = time.perf_counter()
        list(tagger.answer(model, texts))
        times.append(time.perf_counter() - start)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", metavar="FOLDER", help="default: the travel grammar")
    data = parser.parse_args().data
    unit = min(seconds("-c", "import tensorflow") for _ in range(3))
    print(f"{'import tensorflow':40}{unit:8.1f} s")

    def report(what, wall):
        print(f"{what:40}{wall:8.1f} s{wall / unit:8.1f} x", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        commands = {"the default comparison": []}
        if data:
            commands = {"elman": ["--model", "elman"], "the default network": []}
            data = ["--data", str(Path(data).resolve())]
        for name, flags in commands.items():
            report(name, seconds(SCRIPT, *flags, *(data or []), "--output-dir", folder))
            networks = json.loads(Path(folder, "scores.json").read_text())["networks"]
            report(
                "    of this, training", sum(entry["fit_seconds"] for entry in networks.values())
            )
        first, later = prediction(Path(folder, "model.keras"))
        report("1,000 queries with a model just loaded", first)
        report("the next 1,000", later)


if __name__ == "__main__":
    main()
