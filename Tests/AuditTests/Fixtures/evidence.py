"""Makes evidence.json: logistic regressions with coefficients that are not negative (scipy's bounded minimiser),
isotonic regressions (scikit-learn), exact intervals of shares (scipy), and AUC. Needs numpy, scipy, scikit-learn."""
import json
import numpy as np
from scipy.optimize import minimize
from scipy.stats import hypergeom
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score

g = np.random.default_rng(5)


def logistic():
    n = 240
    t = g.random(n) < 0.3
    x = np.round(np.stack([t + g.normal(size=n), 2 * t + 3 * g.normal(size=n), g.normal(size=n) - 0.8 * t,
                           g.normal(size=n)], 1), 3)
    z = (x - x.mean(0)) / (x.std(0) + 1e-9)
    assert np.abs(z).max() < 5

    def loss(b):
        m = z @ b[1:] + b[0]
        r = 1 / (1 + np.exp(-m)) - t
        return (np.logaddexp(0, m) - t * m).sum() + 0.5 * (b[1:] ** 2).sum(), np.r_[r.sum(), z.T @ r + b[1:]]

    found = minimize(loss, np.zeros(5), jac=True, method="L-BFGS-B", bounds=[(None, None)] + [(0, None)] * 4,
                     options=dict(ftol=1e-15, gtol=1e-11, maxiter=5000))
    return dict(columns=x.T.tolist(), changed=t.tolist(), intercept=found.x[0], coefficients=found.x[1:].tolist())


def isotonic():
    v, w = np.round(g.normal(size=40) - np.arange(40) / 20, 3), np.round(g.random(40) * 3 + 0.1, 3)
    f = IsotonicRegression(increasing=False).fit_transform
    return dict(values=v.tolist(), weights=w.tolist(), plain=f(np.arange(40), v).tolist(),
                weighted=f(np.arange(40), v, sample_weight=w).tolist())


def share(found, drawn, population):
    marked = np.arange(found, population - drawn + found + 1)
    low = marked[hypergeom.sf(found - 1, population, marked, drawn) > 0.025].min()
    high = marked[hypergeom.cdf(found, population, marked, drawn) > 0.025].max()
    law = hypergeom(population, int(round(0.2 * population)), drawn)
    p = law.pmf(np.arange(drawn + 1))
    return dict(found=found, drawn=drawn, population=population, low=low / population, high=high / population,
                probability=float(p[p <= law.pmf(found) * (1 + 1e-7)].sum()))


scores = np.round(g.normal(size=60), 6)
changed = g.random(60) < 1 / (1 + np.exp(-2 * scores))
json.dump(dict(
    logistic=logistic(), isotonic=isotonic(),
    shares=[share(*a) for a in [(8, 50, 3400), (0, 50, 3400), (50, 50, 3400), (3, 10, 10), (4, 12, 20), (1, 1, 500),
                                (150, 200, 600), (7, 50, 1000000)]],
    area=dict(scores=scores.tolist(), changed=changed.tolist(), auc=roc_auc_score(changed, scores)),
), open("evidence.json", "w"))
