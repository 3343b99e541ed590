"""Put each page together: HTML, style, scripts and weights in one file that asks for nothing.

    python page/build.py

A page is src/NAME.html in src/frame.html with the SCRIPTS of its name, which share all names that
they declare, in this order, and it carries the files of its DATA. Its policy lets its own script
run and no other, and forbids every request.
"""

import base64
import hashlib
import json
import re
from pathlib import Path

import numpy as np

PAGE = Path(__file__).parent
DATA = {
    "cell": [],
    "slots": ["models/taggers.safetensors"],
    "forecast": ["models/forecaster.npz", "data/weather_greensboro.csv"],
}
SCRIPTS = {
    "cell": "maths page dom lstm rnn board lstm_board rnn_board cell_texts cell",
    "slots": "maths page dom weights rnn gru crf tagger text twin slots_texts slots",
    "forecast": "maths page dom weights gru patches forecaster csv series panel heads intervals "
    "blend chart forecast_texts forecast",
}
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{}'"


def source(name: str) -> str:
    """Return the text of a file of page/src."""
    return (PAGE / "src" / name).read_text(encoding="utf-8")


def script(names: str) -> str:
    """Return scripts as one."""
    return "".join(source(f"{name}.js") for name in names.split())


def stored(path: Path) -> str:
    """Return a file as an element that a page carries, in base64; of an .npz, what is float16."""
    content = path.read_bytes()
    if path.suffix == ".npz":
        content = safetensors({n: a for n, a in np.load(path).items() if a.dtype == "<f2"}, {})
    text = base64.b64encode(content).decode()
    return f'<script type="text/plain" id="{path.stem}">{text}</script>\n'


def safetensors(arrays: dict[str, np.ndarray], facts: dict[str, str]) -> bytes:
    """Return a safetensors file with float16 arrays and texts, each by name.

    Eight bytes say how long a JSON header is, the header where each array begins.
    """
    header, data = {"__metadata__": facts}, b""
    for name, array in arrays.items():
        content = np.asarray(array, "<f2").tobytes()
        place = [len(data), len(data) + len(content)]
        header[name] = {"dtype": "F16", "shape": array.shape, "data_offsets": place}
        data += content
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def build(name: str) -> str:
    """Return the HTML of a page."""
    code = f'"use strict";\n{script(SCRIPTS[name])}'
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    parts = {
        "name": name,
        "policy": POLICY.format(digest),
        "style": source("style.css"),
        "main": source(f"{name}.html"),
        "data": "".join(stored(PAGE.parent / file) for file in DATA[name]),
        "script": code,
    }
    return re.sub(r"\[(\w+)\]", lambda part: parts[part[1]], source("frame.html"))


if __name__ == "__main__":
    for name in DATA:
        (PAGE / f"{name}.html").write_text(build(name), encoding="utf-8", newline="\n")
