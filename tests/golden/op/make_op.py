#!/usr/bin/env python3
"""Figures for tests/op/test_figures.c and tests/nn/test_figures.c, made with PyTorch 2.15 in
double precision from float32 inputs:

    python3 make_op.py        writes operations.safetensors and layers.safetensors beside itself

The loss of a case is the sum of every result's elements weighed by 0.5 + (37 i mod 64)/64, so
that its gradients are the figures "d.NAME" of the inputs "NAME"."""
import os

import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(20240229)


def weigh(y):
    i = torch.arange(y.numel(), dtype=torch.int64)
    return ((0.5 + (i * 37 % 64).double() / 64) * y.reshape(-1)).sum()


def draw(*shape, scale=1.0):
    return (torch.randn(*shape, dtype=torch.float32) * scale).double().requires_grad_()


class File:
    def __init__(self):
        self.tensors, self.count = {}, {}

    def case(self, kind):
        number = self.count.setdefault(kind, 0)
        self.count[kind] += 1
        return f"{kind}.{number}."

    def put(self, prefix, **values):
        for name, v in values.items():
            v = torch.as_tensor(v).detach()
            v = v.to(torch.float32 if v.is_floating_point() else torch.int32)
            self.tensors[prefix + name] = v.contiguous().clone()

    def gradients(self, prefix, **inputs):
        self.put(prefix, **{"d." + k: v.grad for k, v in inputs.items()})

    def write(self, name):
        save_file(self.tensors, os.path.join(HERE, name))


SHAPES = [(1, 1), (3, 7), (5, 8), (2, 9), (4, 15), (3, 16), (2, 17), (13, 31), (1, 33)]


def operations():
    f = File()
    functions = {
        "tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu,
        "add": torch.add, "subtract": torch.sub, "multiply": torch.mul,
    }
    for kind, function in functions.items():
        for shape in SHAPES:
            two = kind in ("add", "subtract", "multiply")
            inputs = {"a": draw(*shape, scale=3)}
            if two:
                inputs["b"] = draw(*shape, scale=3)
            y = function(*inputs.values())
            weigh(y).backward()
            p = f.case(kind)
            f.put(p, y=y, **inputs)
            f.gradients(p, **inputs)
    for shape in SHAPES[1:]:
        x, gain, bias = draw(*shape), draw(shape[1]), draw(shape[1])
        y = torch.nn.functional.layer_norm(x, shape[1:], gain, bias)
        weigh(y).backward()
        p = f.case("layer_norm")
        f.put(p, y=y, x=x, gain=gain, bias=bias)
        f.gradients(p, x=x, gain=gain, bias=bias)
    for n, V in SHAPES:
        for reduction in ("mean", "sum"):
            x, targets = draw(n, V, scale=4), torch.randint(0, V, (n,))
            if n > 2:
                targets[n // 2] = -100
            y = torch.nn.functional.cross_entropy(x, targets, reduction=reduction)
            y.backward()
            p = f.case("cross_entropy_" + reduction)
            f.put(p, y=y, x=x, targets=targets)
            f.gradients(p, x=x)
    for shape in SHAPES:
        a, b = draw(*shape), draw(*shape)
        y = torch.nn.functional.mse_loss(a, b)
        y.backward()
        p = f.case("mean_squared_error")
        f.put(p, y=y, a=a, b=b)
        f.gradients(p, a=a, b=b)
    f.write("operations.safetensors")


def recurrent(f, cell, T, B, I, H, layers=1, bidirectional=False, bias=True, batch_first=False,
              state=False, lengths=None):
    kind = {"rnn": torch.nn.RNN, "rnn-relu": torch.nn.RNN, "lstm": torch.nn.LSTM,
            "gru": torch.nn.GRU}[cell]
    extra = {"nonlinearity": "relu"} if cell == "rnn-relu" else {}
    net = kind(I, H, layers, bias=bias, batch_first=batch_first, bidirectional=bidirectional,
               **extra)
    with torch.no_grad():
        for q in net.parameters():
            q.copy_(torch.randn_like(q) * 0.4)
    net = net.double()
    rows = layers * (2 if bidirectional else 1)
    inputs = {"x": draw(B, T, I) if batch_first else draw(T, B, I)}
    if state:
        inputs["h0"] = draw(rows, B, H, scale=0.5)
        if cell == "lstm":
            inputs["c0"] = draw(rows, B, H, scale=0.5)
    given = None
    if state:
        given = (inputs["h0"], inputs["c0"]) if cell == "lstm" else inputs["h0"]
    x = inputs["x"]
    if lengths:
        x = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), batch_first,
                                                    enforce_sorted=False)
    y, final = net(x, given)
    if lengths:
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first, total_length=T)
    results = {"y": y}
    results["hn"], results["cn"] = final if cell == "lstm" else (final, None)
    if cell != "lstm":
        del results["cn"]
    sum(weigh(r) for r in results.values()).backward()
    p = f.case(cell)
    f.put(p, options=torch.tensor([layers, bidirectional, bias, batch_first], dtype=torch.int64),
          **inputs, **results)
    if lengths:
        f.put(p, lengths=torch.tensor(lengths))
    f.gradients(p, **inputs)
    for name, q in net.named_parameters():
        f.put(p + "w.", **{name: q})
        f.put(p + "g.", **{name: q.grad})


def layers():
    f = File()
    for T, B, I, O in [(1, 1, 1, 1), (3, 2, 7, 5), (2, 5, 16, 17), (4, 3, 33, 8)]:
        x, w, b = draw(T, B, I), draw(O, I), draw(O)
        y = torch.nn.functional.linear(x, w, b)
        weigh(y).backward()
        p = f.case("linear")
        f.put(p, y=y, x=x, weight=w, bias=b)
        f.gradients(p, x=x, weight=w, bias=b)
    for T, B, V, E in [(1, 1, 1, 1), (3, 4, 5, 7), (5, 3, 11, 17)]:
        w, tokens = draw(V, E), torch.randint(0, V, (T, B))
        y = torch.nn.functional.embedding(tokens, w)
        weigh(y).backward()
        p = f.case("embedding")
        f.put(p, y=y, tokens=tokens, weight=w)
        f.gradients(p, weight=w)
    for cell in ("rnn", "rnn-relu", "lstm", "gru"):
        recurrent(f, cell, 1, 1, 1, 1)
        recurrent(f, cell, 5, 3, 7, 8, state=True)
        recurrent(f, cell, 4, 2, 3, 15, bias=False, batch_first=True)
        recurrent(f, cell, 3, 5, 2, 17, state=True, lengths=[2, 3, 1, 3, 1])
        recurrent(f, cell, 4, 3, 5, 7, layers=2, bidirectional=True, state=True,
                  lengths=[4, 1, 3])
        recurrent(f, cell, 3, 2, 9, 5, layers=3, batch_first=True, state=True, lengths=[2, 3])
    f.write("layers.safetensors")


operations()
layers()
