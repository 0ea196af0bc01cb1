#!/usr/bin/env python3
"""Figures for tests/task/test_metrics.c, test_entities.c and test_forecast_metrics.c, made with
scikit-learn 1.9, seqeval 1.2.2, SciPy 1.17 and NumPy in double precision:

    python3 make_metrics.py        writes metrics.h, entities.h and forecast.h beside itself"""
import os
import warnings

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax
from seqeval.metrics import classification_report
from sklearn.metrics import (accuracy_score, confusion_matrix, mean_absolute_error,
                             mean_pinball_loss, mean_squared_error,
                             precision_recall_fscore_support)

HERE = os.path.dirname(os.path.abspath(__file__))
R = np.random.default_rng(20240302)
warnings.filterwarnings("ignore")


def numbers(values, kind="%.17g"):
    values = [(kind % v) for v in np.asarray(values).reshape(-1)]
    values = ["NAN" if v == "nan" else v for v in values]
    lines, line = [], "   "
    for v in values:
        if len(line) + len(v) + 2 > 99:
            lines.append(line)
            line = "   "
        line += " " + v + ","
    return "\n".join(lines + [line])


class Header:
    def __init__(self, made_from):
        self.text = "/* Made by make_metrics.py with %s. */\n" % made_from
        self.text += "/* clang-format off */\n"

    def array(self, kind, name, values):
        form = {"double": "%.17g", "float": "%.9gF"}.get(kind, "%d")
        self.text += "static const %s %s[] = {\n%s\n};\n" % (kind, name,
                                                             numbers(values, form))

    def strings(self, name, values):
        self.text += "static const char *const %s[] = {%s};\n" % (
            name, ", ".join('"%s"' % v for v in values))

    def write(self, name):
        with open(os.path.join(HERE, name), "w") as f:
            f.write(self.text)


def scores(*args):
    return [float(v) for v in args[:3]]


def classes(h):
    # three cases: mixed; class 3 occurs nowhere, 4 is never answered, 5 never true; one class
    for number, K in enumerate([4, 6, 1]):
        truth = R.integers(0, K, 200)
        answers = np.where(R.random(200) < 0.6, truth, R.integers(0, K, 200))
        if K == 6:
            truth = np.where((truth == 3) | (truth == 5), 0, truth)
            answers = np.where((answers == 3) | (answers == 4), 1, answers)
        c = "case%d_" % number
        h.array("int64_t", c + "counts", confusion_matrix(truth, answers, labels=range(K)))
        each = precision_recall_fscore_support(truth, answers, labels=range(K), zero_division=0)
        h.array("double", c + "classes", np.stack(each, axis=1))
        means = [scores(*precision_recall_fscore_support(truth, answers, average=how,
                                                         zero_division=0))
                 for how in ("macro", "micro", "weighted")]
        h.array("double", c + "means", means)
        h.array("double", c + "accuracy", [accuracy_score(truth, answers)])


def calibration(h):
    n, K = 300, 5
    z = (R.normal(size=(n, K)) * 3).astype(np.float32)
    noise = R.gumbel(size=(n, K)) * 2.2
    targets = (z + noise).argmax(1)
    h.array("float", "logits", z)
    h.array("int32_t", "targets", targets)
    wide = z.astype(np.float64)

    def nll(log_t):
        s = wide / np.exp(log_t)
        return (logsumexp(s, axis=1) - s[np.arange(n), targets]).mean()

    best = minimize_scalar(nll, bracket=(-1, 2), tol=1e-12)
    h.array("double", "temperature", [np.exp(best.x), nll(0.0), best.fun])
    p = softmax(wide, axis=1)
    top, right = p.max(1), p.argmax(1) == targets
    edges, error = np.linspace(0, 1, 16), 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        here = (top > low) & (top <= high)
        if here.any():
            error += here.mean() * abs(right[here].mean() - top[here].mean())
    h.array("double", "top", top)
    h.array("int32_t", "right", right)
    h.array("double", "calibration_error", [error])


def entities():
    h = Header("seqeval")
    sets = {
        "iob": ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-MISC-X", "I-MISC-X"],
        "io": ["I-PER", "O", "I-LOC"],
        "iobes": ["O"] + [p + "-" + t for t in ("PER", "LOC", "a-b") for p in "BIES"],
        "bilou": ["O"] + [p + "-" + t for t in ("PER", "LOC") for p in "BILU"],
        "rare": ["O", "B-Z", "I-Z", "B-A", "I-A", "B-NEVER"],
    }
    for name, labels in sets.items():
        K, lengths = len(labels), R.integers(0, 12, 60)
        lengths[0] = 1
        known = K - 1 if name == "rare" else K
        truth = [R.integers(0, known, n) for n in lengths]
        answers = [np.where(R.random(n) < 0.7, t, R.integers(0, known, n))
                   for n, t in zip(lengths, truth)]
        spell = {"L": "E", "U": "S"} if name == "bilou" else {}

        def words(ids):
            out = []
            for i in ids:
                label = labels[i]
                out.append(spell.get(label[0], label[0]) + label[1:] if label != "O" else label)
            return out

        report = classification_report([words(t) for t in truth], [words(a) for a in answers],
                                       output_dict=True, zero_division=0)
        types = sorted({l[2:] for l in labels if l != "O"})
        each = [[report[t][k] for k in ("precision", "recall", "f1-score", "support")]
                if t in report else [0, 0, 0, 0] for t in types]
        means = [[report[m + " avg"][k] for k in ("precision", "recall", "f1-score", "support")]
                 for m in ("micro", "macro", "weighted")]
        h.strings(name + "_labels", labels)
        h.strings(name + "_types", types)
        h.array("int32_t", name + "_lengths", lengths)
        h.array("int32_t", name + "_truth", np.concatenate(truth))
        h.array("int32_t", name + "_answers", np.concatenate(answers))
        h.array("double", name + "_each", each)
        h.array("double", name + "_means", means)
    h.write("entities.h")


def forecast():
    h = Header("scikit-learn and NumPy")
    n, season = 240, 12
    t = np.arange(n)
    y = 20 + 0.05 * t + 8 * np.sin(2 * np.pi * t / season) + R.normal(size=n)
    train, truth = y[:200].copy(), y[200:].copy()
    answers = truth + R.normal(size=40) * 2
    low, high = answers - 2, answers + 2.5
    train[[3, 17, 150]] = np.nan
    truth[[5, 30]] = np.nan
    truth[7] = answers[7] = low[7] = 0.0
    scale = np.nanmean(np.abs(train[season:] - train[:-season]))
    ok = ~np.isnan(truth)
    a, f = truth[ok], answers[ok]
    both = np.abs(a) + np.abs(f)
    smape = np.where(both == 0, 0, 200 * np.abs(a - f) / np.where(both == 0, 1, both)).mean()
    inside = (a >= low[ok]) & (a <= high[ok])
    h.array("double", "train", train)
    h.array("double", "truth", truth)
    h.array("double", "answers", answers)
    h.array("double", "low", low)
    h.array("double", "high", high)
    h.array("double", "scale", [scale])
    h.array("double", "figures", [
        mean_squared_error(a, f), mean_absolute_error(a, f), smape,
        mean_absolute_error(a, f) / scale, inside.mean(), (high - low)[ok].mean(),
        mean_pinball_loss(a, f, alpha=0.1)])
    h.write("forecast.h")


def main():
    h = Header("scikit-learn, SciPy and NumPy")
    classes(h)
    calibration(h)
    h.write("metrics.h")
    entities()
    forecast()


if __name__ == "__main__":
    main()
