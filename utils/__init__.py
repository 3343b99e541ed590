"""What the lessons share: two wings, series and slots, on one ground floor.

Keras and TensorFlow take seconds to import. Here `import keras` waits until the first of its names
is used, so that `--help`, a wrong flag and a missing file are answered at once.
"""

import contextlib
import importlib.util
import logging
import os
import sys
import types


class InputError(ValueError):
    """What the user gave can't be used: one line that says what is wrong, where, and what to do."""


class _Later(types.ModuleType):
    """A module there in name only, which is imported when its first attribute is asked for."""

    def __getattr__(self, name):
        if name == "is_tensor":  # matplotlib asks of what it draws: before the import, none is one
            raise AttributeError(name)
        if self.__name__ != "keras":
            hasattr(sys.modules["keras"], name)  # it must come first; it brings TensorFlow with it
        if type(self) is _Later:
            self.__class__ = types.ModuleType
            with _start_up_lines_hidden():
                self.__spec__.loader.exec_module(self)
        return getattr(self, name)


@contextlib.contextmanager
def _start_up_lines_hidden():
    """Hide what an import writes on standard error; after it, no more advice.

    TensorFlow's lines go straight to file descriptor 2, where no setting reaches them
    (tensorflow/tensorflow issue 100442), and would bury a lesson's own one-line messages. To see
    them, and any reason why a GPU is not used: TF_CPP_MIN_LOG_LEVEL=0 python GRU.py
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "3":
        yield
        return
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # no warnings of retracing
    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def import_when_used(name: str) -> None:
    """Let `import name` cost nothing until the first of the module's names is asked for."""
    if name not in sys.modules and (spec := importlib.util.find_spec(name)):
        sys.modules[name] = importlib.util.module_from_spec(spec)
        sys.modules[name].__class__ = _Later


os.environ.setdefault("KERAS_BACKEND", "tensorflow")
for name in ("keras", "tensorflow", "utils.cells", "utils.fused"):  # ours are Keras' classes
    import_when_used(name)
