import numpy as np


def forward(xs, w, u):
    """Return h_0 ... h_3 of h_t = tanh(w h_{t-1} + u x_t), where h_0 = 0."""
    h = [0.0]
    for x in xs:
        h.append(np.tanh(w * h[-1] + u * x))
    return h


def gradients(xs, y, w, u):
    """Return dL/dw and dL/du of the loss L = (h_3 - y)^2."""
    h = forward(xs, w, u)
    d_h, d_w, d_u = 2 * (h[3] - y), 0.0, 0.0
    for t in (3, 2, 1):
        d_a = d_h * (1 - h[t] ** 2)  # through tanh
        d_w += d_a * h[t - 1]  # what this step says of w
        d_u += d_a * xs[t - 1]
        d_h = d_a * w  # on to the step before
    return d_w, d_u
