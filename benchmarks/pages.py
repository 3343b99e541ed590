"""How fast do the pages redraw, and how fast do they forecast?

    python benchmarks/pages.py        # seconds; needs what tests/test_page.py needs

In Chromium, without a window, 1280 pixels wide: a slider is moved 50 times, and each time it is
measured how long it takes until all is computed and laid out; the first ten warm up. A forecast is
the network's pass over the newest window; all that forecast.py does takes some hundred, and linear
heads. Medians, and the fastest, in milliseconds; take them while nothing else runs.
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

TIMED = """async (count) => {
  const found = [];
  while (found.length < count) {
    const begin = performance.now();
    await (%s);
    document.body.getBoundingClientRect();
    found.push(performance.now() - begin);
  }
  return found;
}"""
ACTS = {  # page, settings, what is timed, how often, the most milliseconds it may take
    "an input of the cell": (
        "cell", "", "enter(inputs.lstm_x[3], (+inputs.lstm_x[3].value + 1) % 9)", 50, 50
    ),
    "a letter typed into a query": (
        "slots", "q=fly from Taipei to Tokyo", "enter(inputs.q, inputs.q.value + 'a')", 50, 50
    ),
    "the origin, of 8,760 hours": (
        "forecast", "", "enter(inputs.origin, Number(inputs.origin.value) - 1)", 50, 50
    ),
    "a forecast of 48 hours": (
        "forecast", "", "alone(weights, panel)(series.values.length)", 50, 200
    ),
    "all that forecast.py does": (
        "forecast", "", "learn(weights, panel, async () => {}).then(() => {})", 2, 20_000
    ),
}  # fmt: skip


def measure() -> dict[str, np.ndarray]:
    """Return milliseconds by what was done; those of the first fifth, which warms up, are out."""
    chromium = next(filter(None, map(shutil.which, ["chromium", "google-chrome", "chrome"])), None)
    as_root = ["--no-sandbox"] if getattr(os, "getuid", lambda: 1)() == 0 else []
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=as_root)
        for name, (page, settings, act, count, _) in ACTS.items():
            tab = browser.new_page(viewport={"width": 1280, "height": 800})
            tab.goto(f"{(PAGE / page).as_uri()}.html#lang=en&{settings}")
            tab.evaluate("typeof learned === 'undefined' || learned")  # nothing else runs then
            found[name] = np.array(tab.evaluate(TIMED % act, count)[count // 5 :])
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
