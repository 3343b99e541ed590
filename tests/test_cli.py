import argparse

from utils import InputError, cli

import pytest


@pytest.fixture
def parser():
    return cli.forecasting_parser("GRU", "Forecast.", column=None, input_steps=24, epochs=30)


@pytest.mark.parametrize(
    ("parse", "good", "bad"),
    [
        (cli.whole_number(1), {"1": 1, "007": 7}, ["0", "-1", "1.5", "x", "", "inf"]),
        (cli.number_above(0), {"0.5": 0.5, "1e-3": 0.001}, ["0", "-1", "nan", "inf", "x"]),
        (cli.number_above(0, inclusive=True), {"0": 0}, ["-0.1", "nan"]),
        (cli.number_above(-1, below=1), {"-0.5": -0.5}, ["-1", "1", "nan", "inf"]),
        (cli.whole_number(0, 9), {"9": 9}, ["10", "-1"]),
    ],
)
def test_numbers(parse, good, bad):
    assert {text: parse(text) for text in good} == good
    for text in bad:
        with pytest.raises(argparse.ArgumentTypeError, match="is not a"):
            parse(text)


def test_names():
    assert cli.names("a, b c,,d") == ["a", "b c", "d"]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["--units", "0"], "--units: '0' is not a whole number of at least 1"),
        (["--epochs", "-1"], "--epochs: '-1' is not a whole number of at least 1"),
        (["--input-steps", "1"], "at least 2"),
        (["--learning-rate", "nan"], "'nan' is not a number above 0"),
        (["--forecast", "two"], "--forecast: 'two'"),
        (["--fill", "0"], "--fill: '0'"),
        (["--unit", "3"], "unrecognized arguments: --unit 3"),
        (["--csv", "a.csv"], "--csv needs --column"),
        (["--column", "y"], "--column, --time-column, --features and --fill need --csv"),
        (["--fill"], "need --csv"),
        (["--csv", "", "--column", "y"], "--csv and --load need the name of a file"),
        (["--seed", "4294967296"], "at most 4294967295"),
    ],
)
def test_a_wrong_flag_is_told_in_one_line(parser, argv, words, capsys):
    with pytest.raises(SystemExit) as exit:
        cli.parse_forecasting(parser, argv)
    assert exit.value.code == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith("GRU.py: error: ") and complaint.count("\n") == 1
    assert words in complaint


def test_flags_and_defaults(parser):
    argv = ["--csv", "a.csv", "--column", "y", "--features", "a,b", "--fill", "--epochs", "3"]
    args = cli.parse_forecasting(parser, argv)
    assert (args.csv, args.column, args.features, args.fill) == ("a.csv", "y", ["a", "b"], 6)
    assert (args.epochs, args.input_steps, args.output_dir) == (3, 24, "outputs/GRU")
    assert cli.parse_forecasting(parser, []).fill == 0


def test_every_flag_is_explained(parser):
    for action in parser._actions:
        assert action.help, action.dest


@pytest.mark.parametrize(
    ("outcome", "code", "words"),
    [
        (None, 0, ""),
        (InputError("the file is gone"), 2, "X.py: error: the file is gone\n"),
        (KeyboardInterrupt(), 130, "X.py: interrupted\n"),
    ],
)
def test_how_a_lesson_ends(outcome, code, words, capsys):
    def main():
        if outcome:
            raise outcome

    with pytest.raises(SystemExit) as exit:
        cli.run(main, "X.py")
    assert exit.value.code == code
    assert capsys.readouterr().err == words


def test_help_shows_the_defaults_that_say_something(parser):
    shown = parser.format_help()
    assert "(default: 24)" in shown and "(default: outputs/GRU)" in shown
    for nothing in ("None", "[]", "False"):
        assert f"default: {nothing}" not in shown


@pytest.mark.parametrize(
    ("argv", "missing"),
    [
        (["--missing", "-9999"], ["-9999"]),
        (["--missing", "-9999,-99.9,NA?"], ["-9999", "-99.9", "NA?"]),
        (["--missing", "-"], ["-"]),
    ],
)
def test_a_code_for_missing_may_be_negative(parser, argv, missing):
    args = cli.parse_forecasting(parser, ["--csv", "a.csv", "--column", "y", *argv])
    assert args.missing == missing
