"""What other packages say, for acceptance/audit; runs in an interpreter with cleanlab 2.9 and scikit-learn.

    audit_peer.py vectors FOLDER SEED COUNT     random cases, each p-I.npy, y-I.npy and what cleanlab says, theirs-I.json
    audit_peer.py texts TABLE.csv AUDIT.csv TRUE GIVEN SEED     how well five-fold logistic regression on TF-IDF features
                                                with confident learning finds the wrong labels of the audited texts
    audit_peer.py folds COMPARISON TRUTH.csv CLASSES    how well the networks of a comparison's held-out folds do by
                                                themselves: by the probability of the given label. CLASSES: a JSON list

Prints one JSON object.
"""

import csv
import json
import pathlib
import sys
import warnings

import numpy as np


def vectors(folder, seed, count):
    from cleanlab import count as counts
    from cleanlab import dataset, filter, rank
    from cleanlab.outlier import OutOfDistribution

    filters = ["prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "predicted_neq_given",
               "low_normalized_margin", "low_self_confidence"]
    scores = ["self_confidence", "normalized_margin", "confidence_weighted_entropy"]
    sizes = []
    for i in range(int(count)):
        given, p = case(np.random.default_rng([int(seed), i]), i)
        np.save(f"{folder}/p-{i}.npy", p)
        np.save(f"{folder}/y-{i}.npy", given)
        joint, off = counts.compute_confident_joint(given, p, calibrate=False, return_indices_of_off_diagonals=True)
        answer = {
            "thresholds": counts.get_confident_thresholds(given, p).tolist(),
            "joint": joint.tolist(),
            "calibrated": counts.compute_confident_joint(given, p).tolist(),
            "disagreeing": sorted(int(k) for k in off),
            "health": float(dataset.overall_label_health_score(given, p, verbose=False)),
            "filters": {hyphens(f): np.where(filter.find_label_issues(given, p, filter_by=f, n_jobs=1))[0].tolist()
                        for f in filters},
            "scores": {hyphens(s): rank.get_label_quality_scores(given, p, method=s).tolist() for s in scores},
            "issues": filter.find_label_issues(
                given, p, return_indices_ranked_by="self_confidence", n_jobs=1).tolist(),
            "distribution": OutOfDistribution().fit_score(pred_probs=p, labels=given, verbose=False).tolist(),
        }
        answer["scores"].update({
            "adjusted-" + hyphens(s): rank.get_label_quality_scores(
                given, p, method=s, adjust_pred_probs=True).tolist() for s in scores[:2]})
        pathlib.Path(f"{folder}/theirs-{i}.json").write_text(json.dumps(answer))
        sizes.append(p.shape)
    return {"sizes": sizes}


def case(random, i):
    """Given labels, int64, and probabilities, float64, without equal numbers: between equals numpy's order is arbitrary.
    Small and large, few and many classes, even and uneven, with and without noise, sure and unsure; every fifth with
    a class that nobody gave."""
    classes = 40 if i % 10 == 9 else int(random.integers(2, 17))
    samples = int(random.integers(3 * classes, 40 * classes))
    prior = random.dirichlet(np.full(classes, random.choice([1, 5, 1000])))
    true = random.choice(classes, samples, p=prior)
    true[:2 * classes] = np.arange(2 * classes) % classes
    given = true.copy()
    flips = random.random(samples) < random.uniform(0, 0.5)
    given[flips] = (given[flips] + random.integers(1, classes, flips.sum())) % classes
    z = random.normal(0, random.uniform(0.5, 2), (samples, classes))
    z[np.arange(samples), true] += random.uniform(0, 8)
    if i % 5 == 4 and classes > 2:
        given[given == classes - 1] = 0
    p = np.exp(z - z.max(1, keepdims=True))
    return given.astype(np.int64), p / p.sum(1, keepdims=True)


def hyphens(name):
    return name.replace("_", "-")


def texts(table, audit, true, given, seed):
    """Over the texts of the audit's learning samples, on their given labels."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with open(audit, newline="", encoding="utf-8") as file:
        judged = sorted(int(row["sample"]) for row in csv.DictReader(file) if row["split"] != "test")
    names = sorted({row[given] for row in rows})
    labels = np.array([names.index(rows[i][given]) for i in judged])
    wrong = np.array([rows[i][given] != rows[i][true] for i in judged])
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=int(seed))
    p = cross_val_predict(model, [rows[i]["text"] for i in judged], labels, cv=folds, method="predict_proba")
    answer = {"samples": len(judged), "wrong": float(wrong.mean())}
    for method in ["self_confidence", "normalized_margin"]:
        for adjusted in [False, True]:
            score = get_label_quality_scores(labels, p, method=method, adjust_pred_probs=adjusted)
            answer[("adjusted " if adjusted else "") + method.replace("_", " ")] = float(roc_auc_score(wrong, -score))
    # The issues of confident learning first.
    issues = find_label_issues(labels, p, n_jobs=1)
    score = get_label_quality_scores(labels, p) - issues
    answer["confident learning, then self confidence"] = float(roc_auc_score(wrong, -score))
    return answer


def folds(comparison, truth, classes):
    from sklearn.metrics import roc_auc_score

    with open(truth, newline="", encoding="utf-8") as file:
        rows = {int(row["index"]): (row["given"], row["clean"]) for row in csv.DictReader(file)}
    given, wrong, p = [], [], []
    for path in sorted(pathlib.Path(comparison).glob("phases/*/judged.safetensors")):
        tensors = safetensors(path)
        held = tensors["role"] == 3
        for i, logs in zip(tensors["index"][held], tensors["log-probabilities"][held]):
            given.append(rows[int(i)][0])
            wrong.append(rows[int(i)][0] != rows[int(i)][1])
            p.append(np.exp(logs))
    p, wrong = np.array(p), np.array(wrong)
    labels = np.array([json.loads(classes).index(name) for name in given])
    score = p[np.arange(len(p)), labels]
    listed = p.argmax(1) != labels
    found, lengths = np.cumsum(wrong[np.argsort(score, kind="stable")]), np.arange(1, len(p) + 1)
    return {"samples": len(p), "auc": float(roc_auc_score(wrong, -score)),
            "f1": float(2 * (wrong & listed).sum() / (wrong.sum() + listed.sum())),
            "best-f1": float((2 * found / (lengths + wrong.sum())).max())}


def safetensors(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    kinds = {"F32": np.float32, "I64": np.int64}
    found = {}
    for name, value in json.loads(data[8:8 + size]).items():
        if name != "__metadata__":
            start, end = (8 + size + offset for offset in value["data_offsets"])
            found[name] = np.frombuffer(data[start:end], kinds[value["dtype"]]).reshape(value["shape"])
    return found


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    print(json.dumps({"vectors": vectors, "texts": texts, "folds": folds}[sys.argv[1]](*sys.argv[2:])))
