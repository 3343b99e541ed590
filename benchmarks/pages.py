"""How fast do the pages redraw, and how fast do they forecast?

    python benchmarks/pages.py        # seconds; needs what tests/test_page.py needs

In Chromium, without a window, 1280 pixels wide: a slider is moved MOVES times, and each time it is
measured how long it takes until all is computed and laid out. A forecast alone is the network's
pass over the newest window. Medians, and the fastest, in milliseconds; take them while nothing else
runs.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from page.build import PAGE

import numpy as np
from playwright.sync_api import sync_playwright

MOVES = 40
TIMED = """(count) => {
  const act = () => { %s };
  return Array.from({ length: count }, () => {
    const begin = performance.now();
    act();
    document.body.getBoundingClientRect();
    return performance.now() - begin;
  });
}"""
ACTS = {  # page, settings, what is timed, the most milliseconds it may take
    "an input of the cell": (
        "cell", "", "enter(inputs.lstm_x[3], (Number(inputs.lstm_x[3].value) + 1) % 9)", 50
    ),
    "a letter typed into a query": (
        "slots", "q=find a flight from Taipei to Tokyo", "enter(inputs.q, inputs.q.value + 'a')", 50
    ),
    "the origin, of 8,760 hours": (
        "forecast", "", "enter(inputs.origin, Number(inputs.origin.value) - 1)", 50
    ),
    "a forecast of 48 hours": ("forecast", "", "predict(Number(inputs.origin.value))", 200),
}  # fmt: skip


def measure() -> dict[str, np.ndarray]:
    """Return milliseconds, (MOVES,), by what was moved; ten more, which warm up, are left out."""
    chromium = next(filter(None, map(shutil.which, ["chromium", "google-chrome", "chrome"])), None)
    as_root = ["--no-sandbox"] if getattr(os, "getuid", lambda: 1)() == 0 else []
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=as_root)
        for name, (page, settings, act, _) in ACTS.items():
            tab = browser.new_page(viewport={"width": 1280, "height": 800})
            tab.goto(f"{(PAGE / page).as_uri()}.html#lang=en&{settings}")
            tab.wait_for_timeout(3000)
            found[name] = np.array(tab.evaluate(TIMED % act, MOVES + 10)[10:])
            tab.close()
    return found


def main():
    """Measure and print all."""
    for name, times in measure().items():
        most = ACTS[name][-1]
        told = f"{np.median(times):6.1f} ms, fastest {times.min():6.1f} ms (bar: {most} ms)"
        print(f"{name:28} {told}")


if __name__ == "__main__":
    main()
