"""Writes Fixtures/cleanlab-annotators.json and Fixtures/cleanlab-scores.json: answers of the package cleanlab
(pip install cleanlab==2.9.0) for several annotators and for out-of-distribution scores.

    python3 vectors.py
"""

import json
import pathlib
import warnings

import cleanlab
import numpy as np
from cleanlab.multiannotator import get_label_quality_multiannotator, get_majority_vote_label
from cleanlab.outlier import OutOfDistribution

warnings.filterwarnings("ignore")
FIXTURES = pathlib.Path(__file__).parent / "Fixtures"


def probabilities(random, truth, classes, sharpness):
    z = random.normal(0, 1, (len(truth), classes))
    z[np.arange(len(truth)), truth] += sharpness
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    p = np.round(p, 4)
    p[np.arange(len(truth)), p.argmax(1)] += 1 - p.sum(1)
    return np.round(p, 4)


def numbers(values):
    return [None if np.isnan(v) else float(v) for v in np.asarray(values, dtype=float)]


def annotators(name, seed, samples, classes, errors, missing, sharpness):
    random = np.random.default_rng(seed)
    truth = np.arange(samples) % classes
    labels = np.full((samples, len(errors)), np.nan)
    for j, error in enumerate(errors):
        wrong = random.random(samples) < error
        labels[:, j] = np.where(
            wrong, (truth + 1 + random.integers(0, classes - 1, samples)) % classes, truth
        )
    gone = random.random(labels.shape) < missing
    gone[np.arange(samples), random.integers(0, len(errors), samples)] = False
    labels[gone] = np.nan
    p = probabilities(random, truth, classes, sharpness)
    case = {"name": name, "classes": classes, "pred_probs": p.tolist()}
    case["labels"] = [[None if np.isnan(v) else int(v) for v in row] for row in labels]
    case["majority_with_model"] = get_majority_vote_label(labels, p, verbose=False).tolist()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        case["majority"] = get_majority_vote_label(labels, verbose=False).tolist()
    # Ties that are broken at random are no vectors.
    case["random"] = [int(i) for w in caught for i in eval(str(w.message).split("examples ")[1].split(" by ")[0])]
    for method in ["crowdlab", "agreement"]:
        weights = method == "crowdlab"
        found = get_label_quality_multiannotator(
            # Without a model: ties are not broken by equal probabilities.
            labels, p if weights else np.full(p.shape, 1 / classes), quality_method=method, return_weights=weights, verbose=False,
            consensus_method="best_quality" if weights else "majority_vote",
        )
        quality = found["label_quality"]
        case[method] = {
            "consensus": quality["consensus_label"].tolist(),
            "quality": numbers(quality["consensus_quality_score"]),
            "agreement": numbers(quality["annotator_agreement"]),
            "annotators": numbers(
                found["annotator_stats"].sort_index()["annotator_quality"]
            ),
        }
        if weights:
            case[method]["model_weight"] = float(found["model_weight"])
            case[method]["annotator_weights"] = numbers(found["annotator_weight"])
    return case


def scores(seed, samples, classes):
    random = np.random.default_rng(seed)
    truth = np.arange(samples) % classes
    p = probabilities(random, truth, classes, 2.0)
    case = {"classes": classes, "labels": truth.tolist(), "pred_probs": p.tolist()}
    for name, method, adjusted in [
        ("adjusted-entropy", "entropy", True),
        ("entropy", "entropy", False),
        ("adjusted-maximum", "least_confidence", True),
        ("maximum", "least_confidence", False),
        ("generalized-entropy", "gen", False),
    ]:
        finder = OutOfDistribution(params={"method": method, "adjust_pred_probs": adjusted})
        case[name] = numbers(finder.fit_score(pred_probs=p, labels=truth, verbose=False))
    return case


def write(name, cases):
    made = {"made_with": "cleanlab " + cleanlab.__version__, "cases": cases}
    (FIXTURES / name).write_text(json.dumps(made, separators=(",", ":")) + "\n")


write(
    "cleanlab-annotators.json",
    [
        annotators("three-of-five", 1, 40, 3, [0.1, 0.2, 0.3, 0.1, 0.6], 0.4, 2.0),
        annotators("poor-model", 2, 30, 4, [0.05, 0.1, 0.4], 0.3, 0.2),
        annotators("two-classes", 3, 24, 2, [0.2, 0.2, 0.2, 0.2], 0.5, 1.5),
        annotators("nothing-missing", 4, 24, 3, [0.2, 0.3, 0.4], 0.0, 2.0),
    ],
)
write("cleanlab-scores.json", [scores(5, 24, 3), scores(6, 130, 120)])
