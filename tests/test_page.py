"""The pages in a real Chromium, as a person would use them: no server, no request."""

import os
import re
import shutil
from pathlib import Path

from page import build
from utils.cells import PeepholeLSTMCell

import keras
import numpy as np
import pytest

api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: see docs/pages.md")
CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "google-chrome", "chrome"])), None)
if not CHROMIUM:
    pytest.skip("needs a browser: apt-get install chromium", allow_module_level=True)
WIDTHS = [360, 768, 1280, 1920]


@pytest.fixture(scope="module")
def chromium():
    with api.sync_playwright() as playwright:
        as_root = ["--no-sandbox"] if getattr(os, "getuid", lambda: 1)() == 0 else []
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=as_root)


@pytest.fixture
def visit(chromium):
    """Return what opens a page; none may ask for anything, and no script may fail."""
    context, complaints = chromium.new_context(viewport={"width": 1280, "height": 800}), []
    context.on("request", lambda request: complaints.append(request.url))
    context.on("weberror", lambda error: complaints.append(str(error.error)))

    def visit(name, settings="lang=en"):
        page = context.new_page()
        page.goto(f"{(build.PAGE / name).as_uri()}.html#{settings}")
        complaints.remove(f"{(build.PAGE / name).as_uri()}.html")
        return page

    yield visit
    context.close()
    assert not complaints


def row(page, label):
    """Return the texts of the picture's row of this label, of the tab that is shown."""
    cells = page.locator(f".picture:visible tr:has(th:text-is('{label}')) td")
    return [text.strip() for text in cells.all_inner_texts()]


def fill(page, label, value):
    page.get_by_label(label, exact=True).first.fill(str(value))


def tab_to(page, label):
    """Press the tab key until what has this label, or text, has the focus."""
    name = "document.activeElement.ariaLabel ?? document.activeElement.innerText"
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate(name) == label:
            return
    raise AssertionError(f"{label} can't be reached by the tab key")


def bidirectional(units, **sequences):
    return keras.layers.Bidirectional(keras.layers.GRU(units, **sequences))


def peephole(units, **sequences):
    return keras.layers.RNN(PeepholeLSTMCell(units), **sequences)


LSTM = "lstm(x, {W: w[0], U: w[1], b: w[2], P: w[3] ?? w[2].map(() => 0)}).map(step => step.a)"
LAYERS = [  # and the same in JavaScript, of inputs x and weights w
    (keras.layers.LSTM, LSTM),
    (peephole, LSTM),
    (keras.layers.GRU, "gru(x, w)"),
    (keras.layers.SimpleRNN, "rnn(x, w)"),
    (bidirectional, "bidirectional(gru, x, w.slice(0, 3), w.slice(3))"),
]


@pytest.mark.parametrize(("kind", "code"), LAYERS)
def test_layers_equal_keras_of_200_random_settings(visit, kind, code):
    page, rng = visit("cell"), np.random.default_rng(0)
    modules = build.script("lstm.js", "gru.js", "rnn.js")
    function = f"([xs, w]) => {{ {modules} return xs.map(x => {code}); }}"
    for _ in range(8):
        units, features, steps = rng.integers(1, 9, 3)
        layer = kind(int(units), return_sequences=True)
        layer.build((None, None, features))
        layer.set_weights([rng.normal(0, 0.7, w.shape) for w in layer.get_weights()])
        x = rng.normal(size=(25, steps, features))
        w = [weights.ravel().tolist() for weights in layer.get_weights()]
        found = page.evaluate(function, [x.tolist(), w])
        np.testing.assert_allclose(found, layer(x), atol=1e-5)


@pytest.mark.parametrize("name", build.DATA)
def test_pages_are_as_built(name):
    assert (build.PAGE / f"{name}.html").read_text(encoding="utf-8") == build.build(name)


@pytest.mark.parametrize(("preset", "memory", "outputs"), [
    ("lecture", "3 7 7 7 0", "0 0 0 7 0"),
    ("counter", "1 1 2 3 3", "1 1 2 3 3"),
    ("adder", "3 3 7 7 13", "0 0 0 0 13"),
    ("leak", "8 7.2 6.48 5.83 5.25", "8 7.2 6.48 5.83 5.25"),
    ("never", "3 7 7 7 7", "0 0 0 7 0"),
])  # fmt: skip
def test_presets(visit, preset, memory, outputs):
    page = visit("cell")
    page.get_by_label("Example:").first.select_option("counter")
    page.get_by_label("Example:").first.select_option(preset)
    assert row(page, "memory") == memory.split()
    assert row(page, "output") == outputs.split()


OPEN = {f"weight from bias to {gate}": 10 for gate in ("z_i", "z_f", "z_o")}
SOLUTIONS = [
    {"x3 at step 4": 1},
    {"weight from x2 to z_f": 0},
    {"weight from bias to z_f": 0},
    OPEN | {"weight from bias to z": 1},
    OPEN | {"weight from x1 to z": 1, "weight from x2 to z_i": 100, "weight from x3 to z_o": 100}
    | {"weight from bias to z_i": -10, "weight from bias to z_o": -10},
    {"weight from c to z_i": -100},
]  # fmt: skip


def test_tasks_can_be_solved_and_a_link_holds_the_solution(visit):
    for number, solution in enumerate(SOLUTIONS, 1):
        page = visit("cell", f"lang=en&task={number}")
        page.get_by_text("Peepholes").click()
        assert page.locator("#solved").inner_text() == ""
        for label, value in solution.items():
            fill(page, label, value)
        assert page.locator("#solved").inner_text() == "✓ Solved!"
        page.wait_for_timeout(250)  # the address follows
        linked = visit("cell", page.url.partition("#")[2])
        assert linked.locator("#solved").inner_text() == "✓ Solved!"


def test_by_keyboard_alone(visit):
    page = visit("cell")
    tab_to(page, "1")
    page.keyboard.press("Enter")
    tab_to(page, "step 4")
    assert "z_o = 0·1 + 0·0 + 100·0 − 10 = −10" in page.locator(".arithmetic").first.inner_text()
    tab_to(page, "x3 at step 4")
    page.keyboard.type("1")
    assert page.locator("#solved").inner_text() == "✓ Solved!"
    page.locator("#lstm-tab").focus()
    page.keyboard.press("ArrowRight")
    assert row(page, "output y1") == ["4", "12", "32"]
    tab_to(page, "swap steps 2 and 3")
    page.keyboard.press("Enter")
    assert row(page, "output y1") == ["4", "16", "36"]


def test_the_gates_answer_while_a_slider_moves(visit):
    page = visit("cell")
    page.get_by_label("weight from x2 to z_i").last.press("Home")
    assert row(page, "input gate (write)")[:2] == ["0", "0"]
    assert row(page, "memory") == ["0", "0", "0", "0", "3"]


def test_steps_are_added_and_taken_away(visit):
    page = visit("cell")
    for _ in range(7):
        page.get_by_role("button", name="+ step").first.click()
    assert len(row(page, "memory")) == 12
    assert page.get_by_role("button", name="+ step").first.is_disabled()


@pytest.mark.parametrize("settings", [
    "x=1 2&w=NaN&g=constructor&task=length&tab=toString&lang=__proto__",
    "x=<script>alert(1)</script>&w=1e999&task=-1",
])  # fmt: skip
def test_an_address_that_makes_no_sense_is_the_lecture(visit, settings):
    assert row(visit("cell", f"{settings}&lang=en"), "memory") == ["3", "7", "7", "7", "0"]


@pytest.mark.parametrize("name", build.DATA)
def test_both_languages_are_complete(visit, name):
    page = visit(name)
    texts = page.evaluate(f"{name.upper()}_TEXTS")
    assert all(len(both) == 2 and all(both) for both in texts.values())
    page.get_by_role("button", name="中文").click()
    seen = page.locator("body").inner_text()
    assert texts["title"][1] in seen
    assert not [
        english for english, other in texts.values() if len(english) > 9 and english in seen
    ]
    assert texts["title"][1] in visit(name, "").locator("body").inner_text()  # remembered
    sources = "".join(p.read_text(encoding="utf-8") for p in Path(build.SOURCE).glob("*"))
    assert set(texts) >= set(re.findall(r'data-t="(\w+)"', build.build(name)))
    unused = [key for key in texts if not re.search(rf"\b{re.sub('_.*', '_', key)}", sources)]
    assert not unused


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", build.DATA)
def test_nothing_is_cut(visit, name, width):
    for language in ("en", "zh"):
        page = visit(name, f"lang={language}")
        page.set_viewport_size({"width": width, "height": 800})
        cut = "e => e.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)"
        assert page.locator("html, button, td, th, label, p").evaluate_all(cut) == []
