"""A simulated noisy sine, beside the best possible forecast of it.

No forecast can do better on average than the mean of a coming value given the window, the
Bayes-optimal one under squared errors. Where the law is known, that mean can be worked out.
"""

import numpy as np
import pandas as pd

STEP = 0.1  # radians per time step
PHASES = 2 * np.pi * np.arange(720) / 720  # half a degree apart
CHUNK = 2_000  # windows at once


def simulated(steps: int, seed: int, noise: float = 0.1, jumps: float = 0.0) -> pd.Series:
    """Return y_t = sin(0.1 t + phase) + N(0, noise), t = 0 ... steps - 1.

    The phase starts at 0, and in a share `jumps` of the steps it is drawn anew.
    """
    values = np.random.default_rng(seed).normal(0, noise, steps) + clean(steps, seed, jumps)
    return pd.Series(values, pd.RangeIndex(steps, name="time"), name="y")


def clean(steps: int, seed: int = 0, jumps: float = 0.0) -> np.ndarray:
    """Return the sine without its noise; one period is 62.8 steps."""
    rng = np.random.default_rng([seed, 1])
    phase, jumped = rng.uniform(0, 2 * np.pi, steps), rng.random(steps) < jumps
    last = np.maximum.accumulate(np.where(jumped, np.arange(steps), -1))  # the jump before t
    return np.sin(STEP * np.arange(steps) + np.where(last < 0, 0, phase[last]))


def optimal(
    windows: np.ndarray, steps: int = 1, noise: float = 0.1, jumps: float = 0.0
) -> np.ndarray:
    """Forecast the noisy sine as well as anyone could who knows all but its phase.

    The phase is uniform on the circle before the window is seen. With each value, P(phase) is
    multiplied by the likelihood of the value (Bayes), and where phases jump, mixed with the uniform
    from step to step (the forward algorithm of a hidden Markov model). The forecast is the mean
    over the phases: from windows (windows, input_steps) to (windows, steps).
    """
    input_steps = windows.shape[1]
    stays = (1 - jumps) ** np.arange(1, steps + 1)
    future = np.sin(PHASES[:, None] + STEP * np.arange(input_steps, input_steps + steps))
    forecasts = []
    for chunk in np.array_split(windows, -(-len(windows) // CHUNK)):
        belief = np.full((len(chunk), len(PHASES)), 1 / len(PHASES))
        for t, value in enumerate(chunk.T):
            belief = (1 - jumps) * belief + jumps / len(PHASES)
            error = (value[:, None] - np.sin(PHASES + STEP * t)) / noise
            belief *= np.exp(-(error**2 - np.square(error).min(axis=1, keepdims=True)) / 2)
            belief /= belief.sum(axis=1, keepdims=True)
        forecasts.append(stays * (belief @ future))  # after a jump, the mean is zero
    return np.concatenate(forecasts)
