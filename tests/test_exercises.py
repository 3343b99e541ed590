"""Every solution passes its exercise's test; no hole does; the tests say what is wrong."""

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
EXERCISES = sorted((REPOSITORY / "exercises").glob("[0-9][0-9]_*"))
HOLE = "raise NotImplementedError"


def file_of(exercise):
    """Return the file with the hole: 03_lstm_cell/lstm_cell.py."""
    return exercise / f"{exercise.name[3:]}.py"


def results(folder, *flags):
    """Run pytest on all the exercises; return the messages of failed tests by exercise."""
    command = [sys.executable, "-m", "pytest", "exercises", *flags, "-p", "no:cacheprovider"]
    report = folder / "report.xml"
    subprocess.run([*command, f"--junitxml={report}"], cwd=REPOSITORY, capture_output=True)
    failed = {exercise.name: [] for exercise in EXERCISES}
    tests = list(ET.parse(report).iter("testcase"))
    for test in tests:
        _, exercise, *_ = test.get("classname", "").split(".")
        failed[exercise] += [failure.get("message") for failure in test if failure.tag != "skipped"]
    assert len(tests) >= len(EXERCISES)
    return failed


def test_each_is_in_the_index_in_both_languages():
    index = (REPOSITORY / "exercises" / "README.md").read_text(encoding="utf-8")
    assert [index.count(f"({exercise.name}/README.md)") for exercise in EXERCISES] == [2] * 12


def test_all_solutions_pass(tmp_path):
    assert results(tmp_path, "--solutions") == {exercise.name: [] for exercise in EXERCISES}


def test_holes_fail(tmp_path):
    failed = results(tmp_path)
    for exercise in EXERCISES:
        if HOLE in file_of(exercise).read_text(encoding="utf-8"):  # or else it is filled in
            complaint = f"there is still a hole in {file_of(exercise).relative_to(REPOSITORY)}"
            assert any(complaint in message for message in failed[exercise.name])


WRONG = {  # in a solution, and what the test then says
    "lstm_cell": ("c = f * c_prev + i * g", "c = c_prev + i * g", "without the forget gate"),
    "gru_cell": ("z * h_prev + (1 - z) * n", "(1 - z) * h_prev + z * n", "the other way round"),
    "windows": ("known = values[:-test_steps]", "known = values", "a leak"),
    "through_time": ("d_h = d_a * w", "d_h = d_a", "handed on without w"),
    "yesterdays_price": (
        "np.log(forecasts / prices[:-1])", "forecasts / prices[:-1] - 1", "numbers differ",
    ),
}  # fmt: skip


def test_mistakes_are_named(tmp_path):
    exercises = tmp_path / "exercises"
    for name, (right, wrong, _) in WRONG.items():
        folder = next(exercise for exercise in EXERCISES if exercise.name[3:] == name)
        copy = shutil.copytree(folder, exercises / folder.name)
        solution = (REPOSITORY / "exercises" / "solutions" / f"{name}.py").read_text()
        assert right in solution
        (copy / f"{name}.py").write_text(solution.replace(right, wrong))
    shutil.copy(REPOSITORY / "exercises" / "conftest.py", exercises)
    shutil.copytree(REPOSITORY / "data", tmp_path / "data")
    command = [sys.executable, "-m", "pytest", "-q", "-o", f"pythonpath={REPOSITORY}", exercises]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert all(complaint in done.stdout for _, _, complaint in WRONG.values()), done.stdout
