"""The pages name files, functions and commands that exist, and say the same in both languages."""

import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
CHINESE = REPOSITORY / "docs" / "zh-TW"
PAIRS = {
    REPOSITORY / "README.md": REPOSITORY / "README.zh-TW.md",
    **{page: CHINESE / page.name for page in sorted((REPOSITORY / "docs").glob("*.md"))},
}
PAGES = [*PAIRS, *PAIRS.values(), REPOSITORY / "CONTRIBUTING.md"]
COMMAND = re.compile(r"python3? ((?:benchmarks/)?\w+\.py)([^`\n#|]*)")


def name_of(page):
    return str(page.relative_to(REPOSITORY))


def text(page):
    return page.read_text(encoding="utf-8")


@functools.cache
def flags_of(script):
    """Return the flags that a script's --help shows."""
    command = [sys.executable, script, "--help"]
    shown = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, encoding="utf-8"
    )
    assert shown.returncode == 0, shown.stderr
    return set(re.findall(r"--[a-z][a-z-]*", shown.stdout))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_linked_files_exist(page):
    for target in re.findall(r"\]\((?!http)([^)#]*)", text(page)):
        assert (page.parent / target).is_file(), target


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_linked_names_are_defined_there(page):
    for name, file in re.findall(r"\[`(\w+)`\]\(([\w./]+\.py)\)", text(page)):
        source = text(page.parent / file)
        assert re.search(rf"^\s*(def|class) {name}\b", source, re.M), f"{name} in {file}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_have_flags_that_exist(page):
    for script, words in COMMAND.findall(text(page)):
        assert (REPOSITORY / script).is_file(), script
        known, wanted = flags_of(script), set(re.findall(r"--[a-z][a-z-]*", words))
        if script == "tune.py" and wanted:  # what it doesn't know goes to the lesson
            known = known | flags_of(f"{words.split()[0]}.py")
        assert wanted <= known, f"{script}{words}"


@pytest.mark.parametrize("english", PAIRS, ids=name_of)
def test_both_languages_say_the_same(english):
    pages = text(english), text(PAIRS[english])
    for pattern in (
        r"^(#+) ",
        r"!\[.*?\]\((?:\.\./)*(.*?)\)",
        r"\[`(\w+)`\]\((?:\.\./)*([\w./]+\.py)\)",
        r"^\| (`python [^`|]*)",
        r"^((?:python|pytest|pip|make|ray) [^#\n]*?) *(?:#|$)",
        r"^<!-- (/?measured.*?) -->",
    ):
        one, other = (re.findall(pattern, page, re.M) for page in pages)
        assert one == other, pattern
    rows = (re.findall(r"^\|.*", page, re.M) for page in pages)
    one, other = (re.findall(r"\d+(?:[.,]\d+)*", "".join(some)) for some in rows)
    assert one == other


@pytest.mark.parametrize("readme", ["README.md", "README.zh-TW.md"])
def test_readmes_are_short(readme):
    assert len(text(REPOSITORY / readme).splitlines()) <= 200
