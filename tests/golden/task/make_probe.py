#!/usr/bin/env python3
"""Models for tests/task/test_probe_golden.c, as folders beside this script, and what PyTorch 2.15
loses with the same weights, in double precision, over the 500 examples that Elman validates on:

    python3 make_probe.py        writes probe_TASK/ and probe.h

Examples are made here from the definitions in docs/tasks.md and from Philox 4x32-10, both written
anew; nothing of Elman is called."""
import json
import math
import os

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES, USE, VALID = 500, 4, 1
MASK = 0xFFFFFFFF


def philox(seed, counter):
    c, k = list(counter), [seed & MASK, seed >> 32]
    for _ in range(10):
        p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [q >> 32 ^ c[1] ^ k[0], q & MASK, p >> 32 ^ c[3] ^ k[1], p & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def words(seed, number, count):
    found = []
    for block in range(-(-count // 4)):
        found += philox(seed, [block, number & MASK, number >> 32, USE << 24 | VALID])
    return found


def uniform(word):
    return (word >> 8) * 2.0**-24


def adding(seed, number, lag, _):
    w = words(seed, number, 4 + lag)
    half = lag // 2
    marks = [w[0] * half >> 32, half + (w[1] * (lag - half) >> 32)]
    x = [[uniform(w[4 + t]), float(t in marks)] for t in range(lag)]
    return x, x[marks[0]][0] + x[marks[1]][0]


def copy(seed, number, lag, _):
    symbols = [w >> 29 for w in words(seed, number, 10)[:10]]
    read = symbols + [8] * (lag - 1) + [9] + [8] * 10
    return torch.eye(10)[read].tolist(), [8] * (lag + 10) + symbols


def parity(seed, number, lag, _):
    w = words(seed, number, -(-lag // 32))
    bits = [w[t // 32] >> t % 32 & 1 for t in range(lag)]
    return [[2.0 * b - 1] for b in bits], float(sum(bits) % 2)


def linear_recurrence(seed, number, lag, last):
    w = words(seed, number, lag)
    x = [float(torch.tensor((2 * uniform(v) - 1), dtype=torch.float32) *
               torch.tensor(math.sqrt(3), dtype=torch.float32)) for v in w[:lag]]
    a = 1 - 1 / last
    b = math.sqrt((1 - a * a) / (1 - a**(2 * last)))
    return [[v] for v in x], sum(b * a**(lag - 1 - t) * v for t, v in enumerate(x))


def guess(task, lag, last):
    a = 1 - 1 / last
    return {"adding": 1 / 6, "copy": 10 * math.log(8) / (lag + 20), "parity": math.log(2),
            "linear-recurrence": (1 - a**(2 * lag)) / (1 - a**(2 * last))}[task]


class Probe(nn.Module):
    def __init__(self, cell, inputs, hidden, outputs, layers):
        super().__init__()
        layer = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[cell]
        self.rnn = layer(inputs, hidden, num_layers=layers, batch_first=True)
        self.output = nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.output(self.rnn(x)[0])


def measure(task, model, x, y, lag, last):
    out = model(x)
    if task == "copy":
        loss = F.cross_entropy(out.flatten(0, 1), y.long().flatten())
        value = (out[:, -10:].argmax(2) == y[:, -10:]).double().mean()
    elif task == "parity":
        loss = F.binary_cross_entropy_with_logits(out[:, -1, 0], y)
        value = ((out[:, -1, 0] > 0) == (y > 0.5)).double().mean()
    else:
        loss = F.mse_loss(out[:, -1, 0], y)
        value = 1 - loss / guess(task, lag, last)
    return loss.item(), value.item()


def write(task, make, cell, lag, other, seed, layers):
    """lag: N or N..M; other: a second lag to evaluate at."""
    last = int(lag.split("..")[-1])
    torch.manual_seed(seed)
    inputs, outputs = {"adding": (2, 1), "copy": (10, 9)}.get(task, (1, 1))
    model = Probe(cell, inputs, 6, outputs, layers)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(2)
    name = "probe_" + task.replace("-", "_")
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    save_file({k: v.detach().clone() for k, v in model.state_dict().items()},
              os.path.join(folder, "model.safetensors"))
    config = {"format_version": 1, "numerics_version": 1, "task": "probe",
              "network": {"inputs": inputs, "outputs": outputs, "cell": cell, "layers": layers,
                          "hidden": 6, "dropout": 0.5},
              "training": {"seed": seed}, "data": {"probe": task, "lag": lag}}
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as f:
        json.dump(config, f)
        f.write("\n")
    model.double()
    rows = []
    for at in (last, other):
        made = [make(seed, i, at, last) for i in range(EXAMPLES)]
        x = torch.tensor([m[0] for m in made], dtype=torch.float64)
        y = torch.tensor([m[1] for m in made], dtype=torch.float64)
        with torch.no_grad():
            loss, value = measure(task, model, x, y, at, last)
        rows.append(f'    {{"{name}", {at}, {loss!r}, {guess(task, at, last)!r}, {value!r}}},\n')
    return rows


rows = write("adding", adding, "lstm", "21", 37, 5, 1)
rows += write("copy", copy, "gru", "4..9", 3, 2**40 + 7, 2)
rows += write("parity", parity, "rnn", "70", 33, 3, 1)
rows += write("linear-recurrence", linear_recurrence, "lstm", "2..30", 11, 4, 2)
with open(os.path.join(HERE, "probe.h"), "w", encoding="utf-8") as f:
    f.write("/* Made by make_probe.py. */\nstatic const struct {\n    const char *name;\n"
            "    int64_t lag;\n    double loss, guess, value;\n} probes[] = {\n")
    f.write("".join(rows) + "};\n")
