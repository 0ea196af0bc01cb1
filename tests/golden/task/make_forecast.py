#!/usr/bin/env python3
"""Figures for tests/task/test_forecast_network.c, made with PyTorch 2.15 in double precision from
float32 weights:

    python3 make_forecast.py        writes forecast.safetensors beside itself

Written from the description in src/task/forecast_windows.h and forecast_network.h, window by
window, with no batch: what is read, what is answered, the loss and its gradients."""
import math
import os

import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(20240501)
ROWS, TRAIN = 40, 30


def table(C, K, holes):
    t = torch.arange(ROWS, dtype=torch.float64)
    y = torch.stack([3 * c + torch.sin(t / (2 + c)) * (1 + c) + 0.1 * torch.randn(ROWS).double()
                     for c in range(C)], 1)
    for r, c in holes:
        y[r, c] = math.nan
    return y.float().double(), (torch.randn(ROWS, K) * 2 + 1).double()


def scaled(x):
    m = torch.nanmean(x[:TRAIN], 0)
    d = torch.sqrt(torch.nanmean((x[:TRAIN] - m) ** 2, 0))
    m, d = m.float().double(), d.float().double()
    return (x - m) / d, m, d


def filled(x):
    out = x.clone()
    for r in range(ROWS):
        for c in range(x.shape[1]):
            if math.isnan(out[r, c]):
                out[r, c] = out[r - 1, c] if r else 0.0
    return out


class Case:
    def __init__(self, **o):
        self.__dict__.update(o)
        C, K, W, cols = self.C, self.K, self.width, 1 if self.shared else self.C
        self.ahead = W if self.stepwise else self.H
        self.heads = 2 if self.loss == "gaussian" else 1 + len(self.quantiles)
        F = cols * (2 if self.indicator else 1) + K + (1 if K else 0)
        D = 2 if self.bidirectional else 1
        rnn = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[self.cell]
        self.rnn = rnn(W * F, self.hidden, self.layers, bidirectional=self.bidirectional)
        self.output = torch.nn.Linear(D * self.hidden, cols * self.ahead * self.heads)
        self.skip = torch.nn.Linear(self.L + K * self.ahead, self.ahead * self.heads, bias=False)
        for m in (self.rnn, self.output, self.skip):
            for p in m.parameters():
                with torch.no_grad():
                    p.copy_(torch.randn_like(p) * 0.3)
            m.double()
        self.values, self.known = table(C, K, self.holes)
        self.x, self.mean, self.deviation = scaled(self.values)
        self.cov, self.cmean, self.cdeviation = scaled(self.known)
        self.margin = (torch.randn(self.H, len(self.quantiles)) * 0.1).double()

    def normal(self, w):
        if self.normalise == "none":
            return 0.0, 1.0
        if self.normalise == "last":
            return w[-1], 1.0
        if self.normalise == "mean":
            return w.mean(), 1.0
        return w.mean(), torch.sqrt(((w - w.mean()) ** 2).mean()) + 0.01

    def answer(self, x, missing, cov, t, columns):
        """[columns, ahead, heads] in standardised units, and each column's spread."""
        u, shifts, spreads, W = [], [], [], self.width
        for c in columns:
            w = x[t - self.L:t, c]
            m, s = self.normal(w)
            shifts.append(m), spreads.append(s), u.append((w - m) / s)
        steps = []
        total = self.L + (math.ceil(self.ahead / W) * W if self.K else 0)
        for first in range(0, total, W):
            step = []
            for i in range(first, first + W):
                row = t - self.L + i
                step += [v[i] if i < self.L else torch.tensor(0.0).double() for v in u]
                if self.K:
                    step += list(cov[row]) if i < self.L + self.ahead else [torch.tensor(0.0)] * self.K
                if self.indicator:
                    step += [missing[row, c].double() if i < self.L else torch.tensor(0.0)
                             for c in columns]
                if self.K:
                    step.append(torch.tensor(1.0 if i >= self.L else 0.0))
            steps.append(torch.stack([v.double() for v in step]))
        y, _ = self.rnn(torch.stack(steps)[:, None])
        H = self.hidden
        last = torch.cat([y[-1, 0, :H], y[0, 0, H:]])
        z = self.output(last).reshape(len(columns), self.ahead, self.heads)
        out = []
        for j in range(len(columns)):
            seen = torch.cat([u[j], cov[t:t + self.ahead].reshape(-1)]) if self.K else u[j]
            a = z[j] + self.skip(seen).reshape(self.ahead, self.heads)
            if self.loss == "gaussian":
                s = torch.as_tensor(spreads[j]).double()
                out.append(torch.stack([a[:, 0] * s + shifts[j], a[:, 1] + 2 * torch.log(s)], 1))
            else:
                out.append(a * spreads[j] + shifts[j])
        return torch.stack(out), spreads

    def groups(self):
        return [[c] for c in range(self.C)] if self.shared else [list(range(self.C))]

    def cost(self, origins):
        total, count, F = 0.0, 0, torch.nn.functional
        x, missing = filled(self.x), torch.isnan(self.x)
        for t in origins:
            for g in self.groups():
                a, _ = self.answer(x, missing, self.cov, t, g)
                for j, c in enumerate(g):
                    for h in range(self.ahead):
                        if missing[t + h, c]:
                            continue
                        y, p = x[t + h, c], a[j, h]
                        count += 1
                        e = y - p[0]
                        total = total + {
                            "squared": lambda: e * e, "absolute": lambda: e.abs(),
                            "huber": lambda: F.huber_loss(p[0], y),
                            "quantile": lambda: e.abs() / 2,
                            "gaussian": lambda: (p[1] + e * e * torch.exp(-p[1])) / 2}[self.loss]()
                        if self.loss != "gaussian":
                            for k, q in enumerate(self.quantiles):
                                d = y - p[1 + k]
                                total = total + torch.maximum(q * d, (q - 1) * d) / len(self.quantiles)
        return total, count

    def forecast(self, t):
        x, missing = filled(self.x), torch.isnan(self.x)
        x[t:], missing[t:] = math.nan, False
        cov = self.cov.clone()
        if self.stepwise:
            cov[t + self.H:] = 0
        Q = len(self.quantiles)
        point = torch.zeros(self.H, self.C).double()
        quantiles = torch.zeros(self.H, self.C, Q).double()
        for first in range(0, self.H, self.ahead):
            for g in self.groups():
                a, spreads = self.answer(x, missing, cov, t + first, g)
                for j, c in enumerate(g):
                    for i in range(self.ahead):
                        h = first + i
                        if h >= self.H:
                            continue
                        p = a[j, i]
                        point[h, c] = p[0]
                        if self.loss == "gaussian":
                            n = torch.distributions.Normal(p[0], torch.exp(p[1] / 2))
                            q = torch.stack([n.icdf(torch.tensor(v).double()) for v in self.quantiles])
                        else:
                            q = p[1:]
                        q = torch.sort(q)[0] + self.margin[h] * spreads[j]
                        q = torch.sort(q)[0]
                        for k, v in enumerate(self.quantiles):
                            q[k] = min(q[k], p[0]) if v < 0.5 else max(q[k], p[0]) if v > 0.5 else q[k]
                        quantiles[h, c] = q
            # every column of these rows is read before the next
            for i in range(self.ahead):
                if first + i < self.H and t + first + i < ROWS:
                    x[t + first + i] = point[first + i]
        return point, quantiles


CASES = [
    dict(C=2, K=1, L=8, H=4, width=2, hidden=5, layers=1, cell="gru", shared=True, stepwise=False,
         bidirectional=False, indicator=True, normalise="scale", loss="huber",
         quantiles=[0.1, 0.9], holes=[(3, 0), (13, 1), (14, 1), (0, 0), (21, 0)]),
    dict(C=2, K=0, L=8, H=3, width=4, hidden=4, layers=2, cell="lstm", shared=False, stepwise=False,
         bidirectional=True, indicator=False, normalise="last", loss="gaussian",
         quantiles=[0.05, 0.5, 0.975], holes=[]),
    dict(C=2, K=2, L=6, H=5, width=2, hidden=3, layers=1, cell="gru", shared=True, stepwise=True,
         bidirectional=False, indicator=False, normalise="mean", loss="absolute",
         quantiles=[0.25], holes=[]),
    dict(C=1, K=0, L=6, H=3, width=1, hidden=3, layers=1, cell="gru", shared=True, stepwise=True,
         bidirectional=False, indicator=True, normalise="none", loss="squared",
         quantiles=[], holes=[(9, 0)]),
    dict(C=3, K=0, L=9, H=2, width=3, hidden=6, layers=1, cell="gru", shared=False, stepwise=False,
         bidirectional=False, indicator=True, normalise="scale", loss="quantile",
         quantiles=[0.2, 0.5, 0.8], holes=[(11, 2)]),
]


def main():
    tensors = {}
    for number, options in enumerate(CASES):
        case = Case(**options)
        origins = [case.L, 10, 15, 22]
        found = {"values": case.values, "known": case.known, "scale.mean": case.mean,
                 "scale.deviation": case.deviation, "calibration.margin": case.margin,
                 "covariate.mean": case.cmean, "covariate.deviation": case.cdeviation}
        total, count = case.cost(origins)
        (total / count).backward()
        found["loss"], found["count"] = total.detach() / count, torch.tensor(float(count))
        with torch.no_grad():
            answers = [case.forecast(t) for t in origins]
        found["point"] = torch.stack([a[0] for a in answers])
        found["quantiles"] = torch.stack([a[1] for a in answers])
        for prefix, module in (("rnn.", case.rnn), ("output.", case.output), ("skip.", case.skip)):
            for name, p in module.named_parameters():
                found[prefix + name] = p.detach()
                found["d." + prefix + name] = p.grad
        for name, v in found.items():
            if v.numel():
                tensors[f"{number}.{name}"] = v.float().contiguous().clone()
    save_file(tensors, os.path.join(HERE, "forecast.safetensors"))


if __name__ == "__main__":
    main()
