#!/usr/bin/env python3
"""Figures for the operations and layers that read whole sequences: pooling, rows, class and element
losses (tests/op), attention pooling and stacks (tests/nn); made with PyTorch 2.15 in double
precision from float32 inputs:

    python3 make_reading.py        writes reading.safetensors beside itself

The loss of a case is its result where that is a scalar, else the sum of every result's elements
weighed by 0.5 + (37 i mod 64)/64; the gradients of the inputs "NAME" are "d.NAME"."""
import os

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(20240301)
LENGTHS = [3, 0, 6, 1, 6, 2, 5]


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

    def done(self, kind, y, inputs, **more):
        (y if y.dim() == 0 else weigh(y)).backward()
        p = self.case(kind)
        self.put(p, y=y, **inputs, **more)
        self.put(p, **{"d." + k: v.grad for k, v in inputs.items()})
        return p


def steps(x, b):
    return x[:LENGTHS[b], b]


def pooling(f):
    """x [T,B,W], padded."""
    T, B = max(LENGTHS), len(LENGTHS)
    pools = {
        "last": lambda x, s: x[-1],
        "mean": lambda x, s: x.mean(0),
        "max": lambda x, s: x.max(0).values,
        "weighted": lambda x, s: torch.softmax(s, 0) @ x,
    }
    for kind, pool in pools.items():
        for W in (1, 7, 33):
            x, scores = draw(T, B, W), draw(T, B, scale=2)
            rows = [pool(steps(x, b), steps(scores, b)) if LENGTHS[b] else torch.zeros(W).double()
                    for b in range(B)]
            inputs = {"x": x, "scores": scores} if kind == "weighted" else {"x": x}
            f.done("pool_" + kind, torch.stack(rows), inputs,
                   lengths=torch.tensor(LENGTHS))


def rows(f):
    for R, W in ((1, 1), (5, 3), (9, 17)):
        x = draw(R, W)
        index = torch.randint(-1, R, (3 * R,))
        y = torch.where(index[:, None] < 0, torch.zeros(1).double(), x[index.clamp(min=0)])
        f.done("rows", y, {"x": x}, rows=index)


def class_losses(f):
    for n, V in ((1, 1), (6, 2), (9, 17), (13, 40)):
        for weighed in (False, True):
            for smoothing in (0.0, 0.1, 1.0):
                for reduction in ("mean", "sum"):
                    x, targets = draw(n, V, scale=3), torch.randint(0, V, (n,))
                    if n > 2:
                        targets[n // 2] = -100
                    weights = torch.rand(V, dtype=torch.float32).double() + 0.25
                    y = F.cross_entropy(x, targets, weight=weights if weighed else None,
                                        label_smoothing=smoothing, reduction=reduction)
                    plain = F.cross_entropy(x, targets, reduction="sum")
                    f.done("class_loss", y, {"x": x}, targets=targets, weights=weights,
                           nats=plain,
                           options=torch.tensor([weighed, reduction == "sum"]).to(torch.int32),
                           smoothing=torch.tensor([smoothing]))


QUANTILES = torch.tensor([0.1, 0.5, 0.75, 0.9])


def element_loss(kind, p, y, delta):
    none = {"reduction": "none"}
    if kind == "squared":
        return F.mse_loss(p[:, 0], y, **none)
    if kind == "absolute":
        return F.l1_loss(p[:, 0], y, **none)
    if kind == "huber":
        return F.huber_loss(p[:, 0], y, delta=delta, **none)
    if kind == "binary":
        return F.binary_cross_entropy_with_logits(p[:, 0], y, **none)
    if kind == "quantile":
        e, q = y[:, None] - p, QUANTILES.double()
        return torch.maximum(q * e, (q - 1) * e).mean(1)
    loss = torch.nn.GaussianNLLLoss(full=False, eps=1e-30, reduction="none")
    return loss(p[:, 0], y, torch.exp(p[:, 1]))


def element_losses(f):
    kinds = {"squared": 1, "absolute": 1, "huber": 1, "binary": 1, "quantile": 4, "gaussian": 2}
    for kind, C in kinds.items():
        for n in (1, 17, 40):
            for weighed in (False, True):
                p = draw(n, C, scale=2)
                y = torch.randn(n, dtype=torch.float32).double()
                if kind == "binary":
                    y = (torch.arange(n) % 3 / 2).double()
                w = torch.rand(n, dtype=torch.float32).double() if weighed else torch.ones(n).double()
                if weighed and n > 2:
                    w[n // 2] = 0
                l = w * element_loss(kind, p, y, 0.75)
                f.done("loss_" + kind, l.sum() / w.sum(), {"p": p}, targets=y, weights=w,
                       quantiles=QUANTILES, total=l.sum())


def attention_pool(f):
    T, B = max(LENGTHS), len(LENGTHS)
    for W, A in ((1, 1), (7, 5), (18, 33)):
        x, weight, bias, context = draw(T, B, W), draw(A, W), draw(A), draw(A)
        y, a = [], []
        for b in range(B):
            u = torch.tanh(F.linear(steps(x, b), weight, bias))
            s = torch.softmax(u @ context, 0)
            a.append(F.pad(s, (0, T - LENGTHS[b])))
            y.append(s @ steps(x, b))
        f.done("attention_pool", torch.stack(y),
               {"x": x, "weight": weight, "bias": bias, "context": context},
               a=torch.stack(a, 1), lengths=torch.tensor(LENGTHS))


def stack(f, cell, layers, bidirectional, residual, norm, I, H):
    """A recurrent layer's stack, one module of PyTorch's a layer."""
    T, B, D = max(LENGTHS), len(LENGTHS), 2 if bidirectional else 1
    lengths = [max(n, 1) for n in LENGTHS]
    kind = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell]
    x0 = x = draw(T, B, I)
    named = {}
    for l in range(layers):
        net = kind(I if l == 0 else D * H, H, bidirectional=bidirectional)
        with torch.no_grad():
            for q in net.parameters():
                q.copy_(torch.randn_like(q) * 0.4)
        net = net.double()
        named |= {k.replace("_l0", f"_l{l}"): q for k, q in net.named_parameters()}
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths),
                                                         enforce_sorted=False)
        y, _ = net(packed)
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, total_length=T)
        if residual and l > 0:
            y = y + x
        if norm:
            g, b = draw(D * H), draw(D * H)
            named |= {f"norm_l{l}.weight": g, f"norm_l{l}.bias": b}
            y = F.layer_norm(y, (D * H,), g, b)
        x = y
    inside = torch.arange(T)[:, None] < torch.tensor(lengths)
    y = torch.where(inside[:, :, None], x, torch.zeros(1).double())
    p = f.done("stack", y, {"x": x0}, lengths=torch.tensor(lengths),
               options=torch.tensor([{"rnn": 0, "lstm": 2, "gru": 3}[cell], layers, bidirectional,
                                     residual, norm, H]))
    f.put(p + "w.", **named)
    f.put(p + "g.", **{k: q.grad for k, q in named.items()})


f = File()
pooling(f)
rows(f)
class_losses(f)
element_losses(f)
attention_pool(f)
stack(f, "gru", 2, False, True, False, 3, 5)
stack(f, "lstm", 3, True, True, True, 4, 5)
stack(f, "rnn", 2, True, False, True, 6, 3)
stack(f, "lstm", 1, False, True, True, 7, 7)
path = os.path.join(HERE, "reading.safetensors")
save_file(f.tensors, path)
os.chmod(path, 0o644)
