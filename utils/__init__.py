"""What the lessons share: series -> windows -> training -> forecasting -> scores and picture."""

import os


class InputError(ValueError):
    """What the user gave can't be used: one line that says what is wrong, where, and what to do."""


def _import_keras_quietly():
    """Import Keras without TensorFlow's start-up lines.

    They go straight to file descriptor 2, where no setting reaches them (tensorflow/tensorflow
    issue 100442), and would bury a lesson's own one-line messages. To see them, and any reason why
    a GPU is not used: TF_CPP_MIN_LOG_LEVEL=0 python GRU.py
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "3":
        return
    stderr = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        import keras  # noqa: F401
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


_import_keras_quietly()
