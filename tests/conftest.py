"""Which tests are left out of `make quick`; property tests may be slow on a busy machine."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

SLOW = {  # they train networks, draw many pictures, or start scripts as processes of their own
    "test_crf.py", "test_exercises.py", "test_forecast.py", "test_from_scratch.py",
    "test_lessons.py", "test_long_memory.py", "test_page.py", "test_slot_filling.py",
    "test_training.py", "test_tune.py", "test_worked_examples.py",
}  # fmt: skip
os.environ.setdefault("OMP_NUM_THREADS", "1")  # scikit-learn's trees: workers share the cores
settings.register_profile("house", deadline=None)
settings.load_profile("house")


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(item.path).name in SLOW:
            item.add_marker(pytest.mark.slow)
