"""The READMEs name files, lines, commands and figures that exist, and say the same in both."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
READMES = ["README.md", "README.zh-TW.md"]
LINE_LINK = re.compile(r"\[`(\w+)`\]\(([\w./]+)#L(\d+)\)")


def text(name):
    return (REPOSITORY / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("readme", READMES)
def test_each_line_linked_defines_what_the_link_says(readme):
    links = LINE_LINK.findall(text(readme))
    assert len(links) > 15
    for symbol, file, line in links:
        found = text(file).splitlines()[int(line) - 1]
        assert re.match(rf"\s*(def|class) {symbol}\b", found), f"{symbol} in {file}#L{line}"


@pytest.mark.parametrize("readme", READMES)
def test_linked_files_exist(readme):
    for target in re.findall(r"\]\(([^)#:]+)", text(readme)):
        assert (REPOSITORY / target).exists(), target


@pytest.mark.parametrize("readme", READMES)
def test_commands_run_scripts_and_flags_that_exist(readme):
    commands = re.findall(r"python3? ((?:benchmarks/)?\w+\.py)([^`\n#|]*)", text(readme))
    assert len(commands) > 10
    for script, words in commands:
        source = text(script) + text("utils/cli.py")
        for flag in re.findall(r"--[a-z-]+", words):
            assert f'"{flag}"' in source, f"{script} {flag}"


def test_both_say_the_same():
    english, chinese = map(text, READMES)
    assert LINE_LINK.findall(english) == LINE_LINK.findall(chinese)
    patterns = [
        r"^(#+) ",
        r"!\[.*?\]\((.*?)\)",
        r"^\| (`python [^`|]*)",
        r"^(?:python|make) [^#\n]*",
    ]
    for pattern in patterns:
        assert re.findall(pattern, english, re.M) == re.findall(pattern, chinese, re.M), pattern
    numbers = [
        re.findall(r"\d[\d.,]*", "".join(re.findall(r"^\|.*", readme, re.M)))
        for readme in (english, chinese)
    ]
    assert numbers[0] == numbers[1]
