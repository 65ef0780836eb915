"""The state evolution of two-stage self-distillation in plain NumPy and SciPy, for comparison.

    python self_distillation.py --repeat 20 --lambdas 1,1 --alpha 3 --delta 0.5 --theta 0.3

Solves the equations that `limbeck theory solve` solves (Documentation/self-distillation-theory.md):
cross-entropy, hard labels, balanced classes, b = 0. Written as one would for a paper: damped
iteration, Gauss-Hermite for the first stage, for the second Gauss-Legendre on both sides of the point
where the label flips times Gauss-Hermite, everything in vectors. Prints one JSON line with the errors of
both stages and the seconds of the fastest of the repeated solves.
"""

import argparse
import json
import time

import numpy as np
from scipy.special import expit
from scipy.stats import norm


def proximal(h, y, d):
    """u + d (sigmoid(u) - y) = h by Newton's method from u = 0; u, the force and the slope."""
    u = np.zeros_like(h)
    for _ in range(100):
        p = expit(u)
        step = (u + d * (p - y) - h) / (1 + d * p * (1 - p))
        u -= step
        if np.abs(step).max() < 1e-11:
            break
    p = expit(u)
    return u, y - p, p * (1 - p) / (1 + d * p * (1 - p))


def solve(alpha, delta, theta, lambdas, tolerance=1e-10, damping=0.8):
    flips = [(f, p) for f, p in ((1, 1 - theta), (-1, theta)) if p > 0]
    x, w = np.polynomial.hermite_e.hermegauss(64)
    w = w / w.sum()
    # First stage.
    qh, ch, mh = 0.1, 0.25 * alpha * delta, 0.5 * alpha
    for _ in range(4000):
        chi = 1 / (lambdas[0] + qh)
        m, q = mh * chi, (mh * mh + ch) * chi * chi
        new = np.zeros(3)
        for f, p in flips:
            _, g, slope = proximal(np.sqrt(delta * q) * x + m, (1 + f) / 2, delta * chi)
            new += p * alpha * np.array([delta * (w @ slope), delta * (w @ (g * g)), w @ g])
        old = np.array([qh, ch, mh])
        qh, ch, mh = old + damping * (new - old)
        if np.abs(new - old).max() < tolerance * max(1e-3, np.abs(new).max()):
            break
    # Points for the second stage.
    legendre, lw = np.polynomial.legendre.leggauss(48)
    hermite, hw = np.polynomial.hermite_e.hermegauss(24)
    hw = hw / hw.sum()
    scale, d = np.sqrt(delta * q), delta * chi
    points = []
    for f, p in flips:
        y = (1 + f) / 2
        flip = np.clip((d * (0.5 - y) - m) / scale, -8.49, 8.49)
        x1, w1 = [], []
        for a, b in ((-8.5, flip), (flip, 8.5)):
            t = 0.5 * ((b - a) * legendre + a + b)
            x1.append(t)
            w1.append(lw * 0.5 * (b - a) * norm.pdf(t))
        x1, w1 = np.concatenate(x1), np.concatenate(w1)
        u, g, _ = proximal(scale * x1 + m, y, d)
        grid = np.repeat(x1, len(hermite)), np.tile(hermite, len(x1))
        weight = np.outer(w1 / w1.sum(), hw).ravel()
        points.append((p, grid, weight, np.repeat(g, len(hermite)), np.repeat((u > 0) * 1.0, len(hermite))))
    # Second stage: Qh_12, Qh_22, Ch_12, Ch_22, mh_2.
    state = np.array([0.0, qh, 0.5 * ch, ch, mh])
    for _ in range(4000):
        q12, q22, c12, c22, m2h = state
        b22 = 1 / (lambdas[1] + q22)
        b21 = -q12 * chi * b22
        m2 = b21 * mh + b22 * m2h
        cov12 = m * m2 + chi * (b21 * ch + b22 * c12)
        cov22 = m2 * m2 + b21 * b21 * ch + 2 * b21 * b22 * c12 + b22 * b22 * c22
        r21 = delta * cov12 / scale
        r22 = np.sqrt(max(delta * cov22 - r21 * r21, 1e-14 * delta * cov22))
        new = np.zeros(5)
        for p, (a, b), weight, g1, y in points:
            h = r21 * a + r22 * b + m2 + delta * b21 * g1
            _, g, slope = proximal(h, y, delta * b22)
            wg = weight * g
            own = alpha * delta * (weight @ slope)
            new += p * np.array(
                [(-alpha * delta * (wg @ a) - r21 * own) / scale, own, alpha * delta * (wg @ g1),
                 alpha * delta * (wg @ g), alpha * wg.sum()])
        change = new - state
        state = state + damping * change
        if np.abs(change).max() < tolerance * max(1e-3, np.abs(new).max()):
            break
    return float(norm.sf(m / scale)), float(norm.sf(m2 / np.sqrt(delta * cov22)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--alpha", type=float, default=3)
    parser.add_argument("--delta", type=float, default=0.5)
    parser.add_argument("--theta", type=float, default=0.3)
    parser.add_argument("--lambdas", default="1,1")
    parser.add_argument("--repeat", type=int, default=20)
    options = parser.parse_args()
    lambdas = [float(x) for x in options.lambdas.split(",")]
    seconds = []
    for _ in range(max(1, options.repeat)):
        began = time.perf_counter()
        errors = solve(options.alpha, options.delta, options.theta, lambdas)
        seconds.append(time.perf_counter() - began)
    print(json.dumps({"errors": errors, "seconds": min(seconds), "repeat": len(seconds), "numpy": np.__version__}))


if __name__ == "__main__":
    main()
