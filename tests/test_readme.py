"""The READMEs name files, lines, commands and figures that exist, and say the same in both."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
READMES = ["README.md", "README.zh-TW.md"]
LINE_LINK = re.compile(r"\[`(\w+)`\]\(([\w./]+)#L(\d+)\)")


def text(name):
    return (REPOSITORY / name).read_text(encoding="utf-8")


def line_of(symbol, file):
    """Return the line that defines a symbol, or None."""
    lines = enumerate(text(file).splitlines(), 1)
    return next((n for n, line in lines if re.match(rf"\s*(def|class) {symbol}\b", line)), None)


def renew_line_numbers():
    """Let each link to a symbol name the line where it stands today (make links)."""
    for readme in READMES:

        def renewed(link):
            symbol, file, _ = link.groups()
            return f"[`{symbol}`]({file}#L{line_of(symbol, file)})"

        path = REPOSITORY / readme
        path.write_text(LINE_LINK.sub(renewed, text(readme)), encoding="utf-8")


@pytest.mark.parametrize("readme", READMES)
def test_linked_symbols_exist(readme):
    links = LINE_LINK.findall(text(readme))
    assert len(links) > 15
    for symbol, file, _ in links:
        assert line_of(symbol, file), f"{symbol} in {file}"


@pytest.mark.parametrize("readme", READMES)
def test_linked_files_exist(readme):
    for target in re.findall(r"\]\((?!http)([^)#]+)", text(readme)):
        assert (REPOSITORY / target).exists(), target


@pytest.mark.parametrize("readme", READMES)
def test_commands_run_scripts_and_flags_that_exist(readme):
    commands = re.findall(r"python3? ((?:benchmarks/)?\w+\.py)([^`\n#|]*)", text(readme))
    assert len(commands) > 10
    for script, words in commands:
        source = text(script) + text("utils/cli.py")
        if script == "tune.py":  # what it doesn't know goes to the lesson
            source += text(f"{words.split()[0]}.py")
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


if __name__ == "__main__":
    renew_line_numbers()
