"""Random numbers and random processes, for many series at a time."""

import numpy as np
from scipy import fft


class Processes:
    """What draws for `number` series of so many `steps`, float32 of steps 0, 1, ... in `t`."""

    def __init__(self, rng: np.random.Generator, number: int, steps: int):
        self.rng, self.shape = rng, (number, steps)
        self.t = np.arange(steps, dtype=np.float32)

    def uniform(self, low: float, high: float) -> np.ndarray:
        """Return a number for each series, (number, 1)."""
        return self.rng.uniform(low, high, (self.shape[0], 1)).astype(np.float32)

    def normal(self) -> np.ndarray:
        """Return a number for each series, (number, 1)."""
        return self.rng.standard_normal((self.shape[0], 1), np.float32)

    def on(self, share: float) -> np.ndarray:
        """Return 1 for a random share of the series, else 0, (number, 1)."""
        return (self.uniform(0, 1) < share).astype(np.float32)

    def rows(self, share: float) -> np.ndarray:
        """Return the numbers of a random share of the series."""
        return np.flatnonzero(self.on(share))

    def size(self, mean: float, deviation: float, share: float = 1.0) -> np.ndarray:
        """Return log-normal sizes, 0 but for a share of the series, (number, 1)."""
        return np.exp(mean + deviation * self.normal()) * self.on(share)

    def noise(self, share: float = 0.0, tail: float = 0.0) -> np.ndarray:
        """Return white noise, (number, steps), heavy-tailed in a share of the series."""
        noise, heavy = self.rng.standard_normal(self.shape, np.float32), self.rows(share)
        noise[heavy] *= np.exp(tail * self.rng.standard_normal(noise[heavy].shape, np.float32))
        return noise

    def stationary(self, low: float, high: float) -> np.ndarray:
        """Return stationary processes, (number, steps), of unit size.

        Their spectrum falls beyond a random frequency, 10**low to 10**high, at a random slope.
        """
        number, steps = self.shape
        frequency = np.fft.rfftfreq(2 * steps).astype(np.float32)
        knee = 10 ** self.uniform(low, high)
        amplitude = np.exp(-0.5 * self.uniform(0.4, 2.2) * np.log1p((frequency / knee) ** 2))
        amplitude[:, 0] = 0
        wave = self.rng.standard_normal((number, steps + 1, 2), np.float32).view(np.complex64)
        return unit(fft.irfft(amplitude * wave[..., 0], n=2 * steps, axis=1)[:, :steps])

    def periodic(self, period: np.ndarray, harmonics: int = 10) -> np.ndarray:
        """Return harmonics of random size and phase, by Horner's rule; 0 where the period is."""
        turn = np.exp(2j * np.pi * self.t / np.maximum(period, 1)[:, None]).astype(np.complex64)
        k = np.arange(1, harmonics + 1)
        waves = self.rng.standard_normal((len(period), harmonics, 2), np.float32)
        waves = waves.view(np.complex64)[..., 0] * (k < period[:, None] / 2 + 0.01)
        waves = (waves * k ** -self.uniform(0, 2)).astype(np.complex64)
        x = np.zeros((len(period), 1), np.complex64)
        for wave in waves.T[::-1]:
            x = (x + wave[:, None]) * turn
        return unit(x.real) * (period > 1)[:, None]


def unit(x: np.ndarray) -> np.ndarray:
    """Return series (number, steps) over their standard deviation."""
    return x / (x.std(axis=1, keepdims=True) + 1e-6)
