"""The pages in a real Chromium, as a person would use them: no server, no request."""

import json
import os
import re
import shutil

import forecast
import slot_filling
from page import build, train
from utils.cells import PeepholeLSTMCell
from utils.series.table import read_table
from utils.slots import tagger, travel
from utils.slots.vocabulary import Vocabulary

import keras
import numpy as np
import pandas as pd
import pytest

api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: see docs/pages.md")
CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "google-chrome", "chrome"])), None)
if not CHROMIUM:
    pytest.skip("needs a browser: apt-get install chromium", allow_module_level=True)
every_page = pytest.mark.parametrize("name", build.DATA)


@pytest.fixture(scope="module")
def chromium():
    as_root = ["--no-sandbox"] if getattr(os, "getuid", lambda: 1)() == 0 else []
    with api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=as_root)


@pytest.fixture
def visit(chromium):
    """Return what opens a page; none may ask for anything, and no script may fail."""
    context, complaints = chromium.new_context(viewport={"width": 1280, "height": 800}), []
    context.on("request", lambda request: complaints.append(request.url))
    context.on("weberror", lambda error: complaints.append(str(error.error)))

    def visit(name, settings="lang=en"):
        page, url = context.new_page(), f"{(build.PAGE / name).as_uri()}.html"
        page.goto(f"{url}#{settings}")
        complaints.remove(url)
        return page

    yield visit
    context.close()
    assert not complaints


def row(page, label):
    """Return the texts of the row that has this label, in the table that is shown."""
    return page.locator(f"tr:visible:has(th:text-is('{label}')) td").all_inner_texts()


def tab_to(page, label):
    """Press the tab key until what has this label, name or text has the focus."""
    name = "(e => e.ariaLabel ?? (e.name || e.innerText))(document.activeElement)"
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate(name) == label:
            return
    raise AssertionError(f"{label} can't be reached by the tab key")


@every_page
def test_pages_are_as_built_and_small(name):
    page = (build.PAGE / f"{name}.html").read_text(encoding="utf-8")
    assert page == build.build(name)
    assert len(page.encode()) < (1e5 if name == "cell" else 2e6)


@every_page
def test_both_languages_are_complete(visit, name):
    page = visit(name)
    texts = [*page.evaluate("Object.values(TEXTS)")]
    static = "all => all.map(e => [e.dataset.en.trim(), e.dataset.zh])"
    texts += page.locator("[data-zh]").evaluate_all(static)
    assert all(len(both) == 2 and all(both) for both in texts)
    page.locator("[name=lang]").select_option("zh")
    seen = page.locator("body").inner_text()
    assert not [one for one, other in texts if one != other and len(one) > 9 and one in seen]
    title = page.locator("h1").inner_text()
    assert title == page.title() == visit(name, "").locator("h1").inner_text()  # remembered


@every_page
@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_nothing_is_cut(visit, name, width):
    for language in ("en", "zh"):
        page = visit(name, f"lang={language}")
        page.set_viewport_size({"width": width, "height": 800})
        cut = "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)"
        assert page.locator("html, button, td, th, p").evaluate_all(cut) == []


def peephole(units, **sequences):
    return keras.layers.RNN(PeepholeLSTMCell(units), **sequences)


def bidirectional(units, **sequences):
    return keras.layers.Bidirectional(keras.layers.GRU(units, **sequences))


LSTM = "lstm(x, {W: w[0], U: w[1], b: w[2], P: w[3] ?? w[2].slice(w[2].length / 4).fill(0)})"
LAYERS = [  # and the same in JavaScript, of inputs x and weights w
    (keras.layers.LSTM, f"{LSTM}.map(step => step.a)"),
    (peephole, f"{LSTM}.map(step => step.a)"),
    (keras.layers.GRU, "gru(x, w)"),
    (keras.layers.SimpleRNN, "rnn(x, w)"),
    (bidirectional, "bidirectional(gru, x, w.slice(0, 3), w.slice(3))"),
]


@pytest.mark.parametrize(("kind", "code"), LAYERS)
def test_layers_equal_keras_of_200_random_settings(visit, kind, code):
    page, rng = visit("cell"), np.random.default_rng(0)
    modules = build.script("maths lstm gru rnn")
    for _ in range(8):
        units, features, steps = rng.integers(1, 9, 3)
        layer = kind(int(units), return_sequences=True)
        layer.build((None, None, features))
        layer.set_weights([rng.normal(0, 0.7, w.shape) for w in layer.get_weights()])
        x = rng.normal(size=(25, steps, features))
        given = [x.tolist(), [w.ravel().tolist() for w in layer.get_weights()]]
        found = page.evaluate(f"([xs, w]) => {{{modules} return xs.map(x => {code}) }}", given)
        np.testing.assert_allclose(found, layer(x), atol=1e-5)


def test_presets(visit):
    page = visit("cell", "lang=en&lstm=task_6")
    for preset, memory, outputs in [
        ("lecture", "3 7 7 7 0", "0 0 0 7 0"),
        ("counter", "1 1 2 3 3", "1 1 2 3 3"),
        ("adder", "3 3 7 7 13", "0 0 0 0 13"),
        ("leak", "8 7.2 6.48 5.83 5.25", "8 7.2 6.48 5.83 5.25"),
        ("never", "3 7 7 7 7", "0 0 0 7 0"),
    ]:
        page.locator("[name=lstm]").select_option(preset)
        assert " ".join(row(page, "memory")) == memory
        assert " ".join(row(page, "output")) == outputs


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
        page = visit("cell", f"lang=en&lstm=task_{number}")
        page.get_by_text("Peepholes").click()
        solved = page.get_by_text("✓ Solved!").filter(visible=True)
        assert solved.count() == 0
        for label, value in solution.items():
            page.get_by_label(label, exact=True).last.fill(str(value))
        assert solved.count() == 1
        page.wait_for_url(lambda url: "lstm_w=" in url)  # the address follows
        linked = visit("cell", page.url.partition("#")[2])
        assert linked.get_by_text("✓ Solved!").filter(visible=True).count() == 1


def test_by_keyboard_alone(visit):
    page = visit("cell")
    tab_to(page, "lstm")
    page.keyboard.type("Task 1")
    tab_to(page, "step 4")
    assert "z_o = 100·0 − 10 = −10, f(z_o) = 0" in page.locator(".arithmetic").first.inner_text()
    tab_to(page, "x3 at step 4")
    page.keyboard.press("ArrowUp")
    assert row(page, "output gate (read)")[3] == "1"
    assert page.get_by_text("✓ Solved!").filter(visible=True).count() == 1
    page.keyboard.press("Home")
    page.evaluate("document.activeElement.blur()")
    tab_to(page, "tab")
    page.keyboard.press("ArrowRight")
    assert row(page, "output y1") == ["4", "12", "32"]
    tab_to(page, "swap steps 2 and 3")
    page.keyboard.press("Enter")
    assert row(page, "output y1") == ["4", "16", "36"]


@pytest.mark.parametrize("settings", [
    "lstm_x=1 2&lstm_w=NaN&g=constructor&lstm=toString&tab=item&length=1&lang=__proto__",
    "lstm_x=<script>alert(1)</script>&lstm_w=1e999&lstm=-1&lstm_steps=99&namedItem=1",
])  # fmt: skip
def test_an_address_that_makes_no_sense_is_the_lecture(visit, settings):
    page = visit("cell", f"{settings}&lang=en")
    assert row(page, "memory") == ["3", "7", "7", "7", "0"]
    page.locator("[name=lstm_steps]").fill("12")
    assert len(row(page, "memory")) == 12


def saved_taggers(language):
    """Yield the taggers of a language, in Keras."""
    stored = train.FILE.read_bytes()
    begin = 8 + int.from_bytes(stored[:8], "little")
    header = json.loads(stored[8:begin])
    facts = json.loads(header["__metadata__"][language])
    words = {word: number for number, word in enumerate(facts.pop("words"), 2)}
    vocabulary = Vocabulary(words, {}, **facts)
    for name, network in train.NETWORKS.items():
        model = slot_filling.build_network(network, vocabulary, units=train.UNITS)
        places = [header[key] for key in header if key.startswith(f"{language}/{name}/")]
        for weight, place in zip(train.weights_of(model), places, strict=True):
            start, stop = (begin + offset for offset in place["data_offsets"])
            weight.assign(np.frombuffer(stored[start:stop], "<f2").reshape(place["shape"]))
        yield tagger.Tagger(model, vocabulary)


@pytest.mark.parametrize(("language", "space"), [("en", " "), ("zh", "")])
def test_taggers_read_500_times_what_keras_reads(visit, language, space):
    sentences = [sentence.words for sentence in travel.parts(language=language)["test"][::5]]
    code = "({words, readings}) => [words, readings.map(({hidden, ...told}) => told)]"
    texts = [space.join(words) for words in sentences]
    code = f"texts => JSON.stringify(texts.map(read).map({code}))"
    found = json.loads(visit("slots").evaluate(code, texts))
    assert [words for words, _ in found] == sentences
    for number, keras_tagger in enumerate(saved_taggers(language)):
        readings = [each[number] for _, each in found]
        for mine, theirs in zip(readings, keras_tagger.read(sentences), strict=True):
            assert (mine["tags"], mine["intent"]) == (theirs.tags, theirs.intent)
            assert abs(mine["sure"] - theirs.probability) < 1e-5
        for words, mine in zip(sentences[:20], readings, strict=False):
            wanted = keras_tagger.tag_probabilities(words)  # of 32 bits
            np.testing.assert_allclose(mine["probabilities"], wanted, atol=3e-5)


def test_arrive_becomes_leave(visit):
    page = visit("slots")
    for slot in ("destination", "departure"):
        assert page.locator("#table tr").nth(4).locator("td").nth(1).inner_text().startswith(slot)
        assert page.locator("#arcs path.destination, #arcs path.departure").count() == 1
        page.get_by_role("button", name="arrive ⇄ leave").click()
    assert page.locator(".strip").count() == 3 * 5  # of the GRU, in the twin, the difference


@pytest.mark.parametrize(("text", "message"), [
    ("", "Type a sentence."),
    (" ?! ", "Type a sentence."),
    ("<script>alert(1)</script> <img src=x onerror=alert(1)>", ""),
    ("leave Gandalf " * 700, "Only the first 60 of 1400 words are read."),
])  # fmt: skip
def test_odd_sentences_get_one_clear_line(visit, text, message):
    page = visit("slots")
    page.locator("#sentence").fill(text)
    assert page.locator("#message").inner_text() == message
    assert page.locator("main script, main img").count() == 0
    page.locator("#sentence").fill("leave Gandalf")
    assert page.locator("th[scope=col]").all_inner_texts()[1] == "Gandalf\nother"


def open_csv(visit, path, decimal="."):
    """Return the page after it has read a file."""
    page = visit("forecast", f"lang=en&data=drawing&decimal={decimal}")
    page.locator("#file").set_input_files(path)
    api.expect(page.locator("[name=data]")).to_have_value("file")
    return page


def download(page):
    """Return the path of the forecast.csv that a page gives."""
    with page.expect_download() as found:
        page.get_by_role("button", name="Download").click()
    return found.value.path()


STEPS = ["h", "D", "B", "W", "MS", "QS", "YS", "15min", "30min", None]  # None: rows are counted


@pytest.mark.parametrize("number", range(20))
def test_the_download_is_what_forecast_py_writes(visit, number, tmp_path):
    rng, step, path = np.random.default_rng(number), STEPS[number % 10], tmp_path / "some.csv"
    rows = int(rng.integers(40, 90 if step in ("QS", "YS") else 400))
    rows = {9: 1000, 10: 2001}.get(number, rows)  # more than are scored
    values = 5 * np.sin(np.arange(rows) / 4) + rng.normal(size=rows).cumsum() / 3
    values = np.abs(values).round(number % 2) if number >= 10 else 30 + values
    values[1:-1][rng.random(rows - 2) < 0.03] = np.nan
    values[-9:] -= 60 * (number == 6)  # below zero for the first time
    values[np.arange(rows) % 3 > 2 * (number != 10)] = np.nan  # every third row alone
    table = pd.DataFrame({"<b>value": values})
    if step:
        table.insert(0, "time", pd.date_range("2001-01-01", periods=rows, freq=step))
    separator, decimal = (";", ",") if number % 4 == 3 else (",", ".")
    table.to_csv(path, index=False, sep=separator, decimal=decimal)

    given = ["--column", "<b>value", "--decimal", decimal, "--output-dir", str(tmp_path)]
    forecast.main(["--csv", str(path), *given])
    wanted = pd.read_csv(tmp_path / "forecast.csv")
    found = pd.read_csv(download(open_csv(visit, path, decimal)))
    near = {"rtol": 1e-4, "atol": 1e-4 * np.nanstd(values)}
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False, **near)


def lines(head, step, values, sep=","):
    """Return a small CSV of times, from 2001 on."""
    times = pd.date_range("2001-01-01", periods=len(values), freq=step)
    return "\n".join(
        [head, *(f"{time}{sep}{value}" for time, value in zip(times, values, strict=True))]
    )


WAVE = [k * k % 9 - 2.5 for k in range(24)]
SHORT = {  # too short to hold anything back: the column and the file
    "whole": ("sold", lines("month,sold", "MS", [7 * k % 12 for k in range(12)])),
    "of a zone": ("a", lines("t\ta", "h", WAVE, "\t").replace("00:00\t", "00+02:00\t")),
    "gaps": ("a b", lines('"t","a b"', "h", [*WAVE[:9], "", *WAVE[9:]]).replace(" 0", "T0")),
}


@pytest.mark.parametrize("kind", SHORT)
def test_of_a_short_series_forecast_py_writes_the_same(visit, kind, tmp_path):
    path, (column, text) = tmp_path / "short.csv", SHORT[kind]
    path.write_text(text)
    forecast.main(["--csv", str(path), "--column", column, "--output-dir", str(tmp_path)])
    wanted = pd.read_csv(tmp_path / "forecast.csv")
    found = pd.read_csv(download(open_csv(visit, path)))
    pd.testing.assert_frame_equal(found, wanted, rtol=1e-4, check_dtype=False)


DAYS, HOURS = lines("t,a", "D", range(10)), lines("t,a", "h", range(10))
FILES = [  # and the step that is said, or "" where forecast.py may read what the page refuses
    (lines("t,a", "15min", range(30)), "0.25 hours"),
    (lines("t,a", "2D", range(30)), "2 days"),
    (lines("t,a", "B", range(30)), "Monday to Friday"),
    (lines("t,a", "ME", range(30)), "1 month"),
    (lines("t,a", "YE", range(30)), "12 months"),
    (DAYS.replace("t,a", '"t, or not",a'), "1 day"),
    (DAYS.replace("\n", "\r\n") + "\r\n\r\n", "1 day"),
    (DAYS.replace("2001-01-05,4\n", ""), "1 day"),
    (DAYS.replace(",0", ",NA").replace(",9", ","), "1 day"),
    ("a,t\n" + "".join(f"{k},2001-{k:02}\n" for k in range(1, 11)), "1 month"),
    (lines("t;a", "h", ["1,5"] * 9 + ["2"], ";"), "1 hour"),
    (HOURS.replace(":00,", ":00Z,").replace(" ", "T"), "1 hour"),
    ("a\n" + "1\n\n3\n" * 4, "counted"),
    ("k\ta\n" + "".join(f"{k}\t{k % 3}\n" for k in range(1, 10)), "counted"),
    (DAYS.replace("-01-", "/01/"), ""),
    (DAYS.replace("2001-01-", "1.2."), ""),
    (DAYS.replace("2001-01-", "Jan 20"), ""),
    (DAYS.replace("-", "").replace(" 00:00:00", ""), ""),  # 20010101, 20010102, ...
    (DAYS.replace("2001-01-", "20").replace("t,", "year,"), ""),
    ("\n".join(DAYS.splitlines()[:1] + DAYS.splitlines()[:0:-1]), ""),
]  # fmt: skip


@pytest.mark.parametrize(("content", "step"), FILES, ids=range(len(FILES)))
def test_a_file_is_understood_as_forecast_py_does_or_refused(visit, content, step, tmp_path):
    path, decimal = tmp_path / "some.csv", "," if "1,5" in content else "."
    path.write_text(content)
    page = open_csv(visit, path, decimal)
    found = page.locator("#said").inner_text()
    assert page.locator("#result").is_visible() == bool(step)
    if not step:
        assert "2001-12-31" in found or found.startswith("Line 3 breaks")
        return
    frame = read_table(path, "a", decimal=decimal).frames[""]
    known = map(str, frame["a"].dropna().index[[0, -1]])
    span = " to ".join(re.sub(r"^(.{10}) 00:00:00$|^(.{16}):00$", r"\1\2", time) for time in known)
    assert found == f"{len(frame)} rows ({step}), {span}."


@pytest.mark.parametrize(("content", "message"), [
    ("", "It needs a line of different column names"),
    ("1,2\n3,4\n", "It needs a line of different column names"),
    ("PK\3\4\0", "This is no text"),
    (None, "This is no text"),
    ("a,b\n1,2\n3\n", "Line 3 has 1 fields, not 2."),
    ('a,b\n1,"2\n', "Line 2: a quote isn't closed there."),
    ("date,a\n01/02/2001,1\n01/03/2001,2\n", "date: only dates like 2001-12-31"),
    ("date,a\n2001-02-28,1\n2001-02-29,2\n", "Line 3: “2001-02-29” (date)"),
    (HOURS.replace("05:00:00", "05:00:00Z"), "Line 7: “2001-01-01 05:00:00Z” (t)"),
    ('a,b\n"1,5",2\n"2,5",3\n', "Line 2: “1,5” (a)"),
    ("a,b\n1,2\n1e999,3\n3,4\n", "Line 3: “1e999” (a)"),
    (DAYS.replace("-04", "-02"), "Line 5 breaks the step"),
    (DAYS.replace("-10", "-19"), "9 rows are missing"),
    ("a\n1\n2\n", "A series needs 8 values; this one has 2."),
    ("<img src=x onerror=alert(1)>,<script>alert(2)</script>\nx,y\n", "No column holds numbers."),
    (2 * 10**8, "200 MB: too large for a page"),
])  # fmt: skip
def test_a_bad_file_gets_one_clear_line(visit, tmp_path, content, message):
    page, path = visit("forecast"), tmp_path / "bad.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else b"\xff\xd8\xff\xe0")
    if isinstance(content, int):
        os.truncate(path, content)
    page.locator("#file").set_input_files(path)
    api.expect(page.locator("#said")).to_contain_text(message)
    assert not page.locator("#result").is_visible()
    page.locator("[name=data]").select_option("sine")
    assert page.locator("#result").is_visible()


def test_a_dropped_file_of_several_series_and_columns(visit):
    page, wide = visit("forecast"), "<b>one</b>"
    rows = (
        f"{time},{who},{k},{10 * k}" for k in range(20) for who, time in [(wide, k), ("two", k)]
    )
    drop = """text => { const data = new DataTransfer(); data.items.add(new File([text], "x.csv"));
        document.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true })) }"""
    page.evaluate(drop, "\n".join(["k,shop,sold,bought", *rows]))
    api.expect(page.locator("#said")).to_contain_text("40 rows (counted)")
    page.locator("[name=group]").select_option("shop")
    assert page.locator("#said").inner_text() == "20 rows (counted), 0 to 19."
    assert page.locator("[name=series] option").all_inner_texts() == [wide, "two"]
    page.locator("[name=series]").select_option("two")
    page.locator("[name=column]").select_option("bought")
    assert page.locator("[name=series]").input_value() == "two"
    assert page.locator("#chart text").all_text_contents()[2] > "190"


def test_a_drawing_goes_on(visit):
    page = visit("forecast", "lang=en&data=drawing")
    before = page.locator("#chart .median").get_attribute("d")
    box = page.locator("#chart").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 250)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 50, steps=3)
    page.mouse.up()
    past = page.locator("#chart .past").get_attribute("d")
    assert len({height for height in re.findall(r",([\d.]+)", past)}) == 4  # a move each, and 0
    assert page.locator("#chart .median").get_attribute("d") != before


def test_of_the_past_the_truth_stands_beside_the_forecast(visit):
    page = visit("forecast", "lang=en&data=sine&horizon=40&origin=300")
    assert page.locator("#chart .truth").get_attribute("d").count("L") == 39
    assert page.locator("#band path:not(.line)").count() == 9  # shares of simple forecasts
    tab_to(page, "origin")
    page.keyboard.press("End")
    assert page.locator("#chart .truth").get_attribute("d") == ""
    tab_to(page, "Download forecast.csv")
    api.expect(page.locator("#verdict")).to_contain_text("the best baseline", timeout=60_000)
