#!/usr/bin/env python3
"""Figures for tests/op/test_step_jacobian.c, made with PyTorch 2.15 in double precision from float32
weights and inputs:

    python3 make_jacobian.py        writes jacobian.safetensors beside itself

Of each cell, plain (kind 0) and layer-normalised (kind 1), over T = 9 steps of one sequence:
  jacobian.K     ds_T/ds_{T-K} for K = 1, 3, 8 by torch.func.jacrev; s is h, of an LSTM h beside c
  dh, dc [T,H]   the gradients that reach h_t and c_t, by all paths, of the loss w . h_T"""
import os

import torch
from safetensors.torch import save_file
from torch.func import jacrev
from torch.nn.functional import layer_norm

HERE = os.path.dirname(os.path.abspath(__file__))
T, I, H = 9, 3, 5
torch.manual_seed(20240601)


def draw(*shape, scale=1.0):
    return (torch.randn(*shape, dtype=torch.float32) * scale).double()


def sums(p, x, h, normalised, joint):
    """What x and h add up to: of a normalised cell each part (joint gates, then the rest) alone."""
    a, b = p["weight_ih"] @ x, p["weight_hh"] @ h
    if not normalised:
        return a + p["bias_ih"], b + p["bias_hh"]

    def norm(v, gain):
        parts = [v[: joint * H], v[joint * H:]]
        gains = [gain[: joint * H], gain[joint * H:]]
        return torch.cat([layer_norm(q, q.shape, g) for q, g in zip(parts, gains) if q.numel()])

    return norm(a, p["gain_ih"]) + p["bias_ih"], norm(b, p["gain_hh"])


def step(cell, normalised, p, x, s):
    h, gates = s[:H], {"rnn": 1, "rnn-relu": 1, "lstm": 4, "gru": 3}[cell]
    a, b = sums(p, x, h, normalised, 2 if cell == "gru" else gates)
    if cell == "rnn":
        return torch.tanh(a + b)
    if cell == "rnn-relu":
        return torch.relu(a + b)
    if cell == "lstm":
        i, f, g, o = (a + b).chunk(4)
        c = torch.sigmoid(f) * s[H:] + torch.sigmoid(i) * torch.tanh(g)
        t = layer_norm(c, c.shape, p["gain_cell"], p["bias_cell"]) if normalised else c
        return torch.cat([torch.sigmoid(o) * torch.tanh(t), c])
    (ar, az, an), (br, bz, bn) = a.chunk(3), b.chunk(3)
    r, z = torch.sigmoid(ar + br), torch.sigmoid(az + bz)
    n = torch.tanh(an + r * bn)
    return (1 - z) * n + z * h


def gradients(cell, normalised, p, xs, w):
    """dh, dc by hand-kept leaves: every h_t and c_t is a node whose gradient is kept."""
    state = torch.zeros(2 * H if cell == "lstm" else H, dtype=torch.float64)
    hs, cs = [], []
    for x in xs:
        state = step(cell, normalised, p, x, state.clone())
        if cell != "lstm":
            h = state + torch.zeros(H, requires_grad=True, dtype=torch.float64)
            h.retain_grad()
            hs.append(h)
            state = h
            continue
        # c first, h made of it, so that c's gradient has the way through its own h
        a, b = sums(p, x, hs[-1] if hs else torch.zeros(H, dtype=torch.float64), normalised, 4)
        i, f, g, o = (a + b).chunk(4)
        before = cs[-1] if cs else torch.zeros(H, dtype=torch.float64)
        c = torch.sigmoid(f) * before + torch.sigmoid(i) * torch.tanh(g)
        c = c + torch.zeros(H, requires_grad=True, dtype=torch.float64)
        c.retain_grad()
        t = layer_norm(c, c.shape, p["gain_cell"], p["bias_cell"]) if normalised else c
        h = torch.sigmoid(o) * torch.tanh(t)
        h.retain_grad()
        hs.append(h)
        cs.append(c)
        state = torch.cat([h, c])
    (w * hs[-1]).sum().backward()
    return torch.stack([h.grad for h in hs]), torch.stack([c.grad for c in cs]) if cs else None


def case(cell, normalised):
    G = {"rnn": 1, "rnn-relu": 1, "lstm": 4, "gru": 3}[cell]
    p = {"weight_ih": draw(G * H, I), "weight_hh": draw(G * H, H, scale=0.7),
         "bias_ih": draw(G * H, scale=0.3)}
    if normalised:
        p["gain_ih"], p["gain_hh"] = 1 + draw(G * H, scale=0.3), 1 + draw(G * H, scale=0.3)
        if cell == "lstm":
            p["gain_cell"], p["bias_cell"] = 1 + draw(H, scale=0.3), draw(H, scale=0.3)
    else:
        p["bias_hh"] = draw(G * H, scale=0.3)
    p = {k: v.float().double() for k, v in p.items()}
    xs, w = draw(T, I), draw(H)
    out = {**p, "x": xs, "w": w}
    states = [torch.zeros(2 * H if cell == "lstm" else H, dtype=torch.float64)]
    for x in xs:
        states.append(step(cell, normalised, p, x, states[-1]))
    for k in (1, 3, 8):
        def run(s):
            for x in xs[T - k:]:
                s = step(cell, normalised, p, x, s)
            return s
        out[f"jacobian.{k}"] = jacrev(run)(states[T - k])
    dh, dc = gradients(cell, normalised, p, xs, w)
    out["dh"] = dh
    if dc is not None:
        out["dc"] = dc
    return out


tensors = {}
for number, cell in enumerate(["rnn", "rnn-relu", "lstm", "gru"]):
    for normalised in (False, True):
        for name, value in case(cell, normalised).items():
            tensors[f"{number}.{int(normalised)}.{name}"] = value.float().contiguous().clone()
save_file(tensors, os.path.join(HERE, "jacobian.safetensors"))
