import numpy as np


def clip(grads, norm):
    """Return the gradients, shortened if they are too long."""
    length = np.sqrt(sum(np.sum(np.square(grad)) for grad in grads))
    return [grad * (norm / length) for grad in grads] if length > norm else grads
