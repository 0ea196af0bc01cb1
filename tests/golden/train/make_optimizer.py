#!/usr/bin/env python3
"""Figures for tests/train/test_optimizer.c, made with PyTorch 2.15 in double precision:

    python3 make_optimizer.py        writes optimizer.safetensors beside itself

Values and gradients are fractions of 64 that the test makes by the same formulas; a case has the
weights after each of six updates, one row an update, and the norms before clipping by them."""
import os

import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
SHAPES = {"first.weight": (17, 13), "first.bias": (17,), "second.weight": (3, 5)}
RATES = [0.125, 0.125, 0.0625, 0.25, 0.03125, 0.125]
SCALES = [1, 0.0078125, 4, 0.5, 0, 16]  # of the gradients, update by update


def value(p, shape):
    i = torch.arange(torch.Size(shape).numel())
    return ((((i * 29 + p * 7) % 127) - 63).double() / 64).reshape(shape)


def gradient(p, s, shape):
    i = torch.arange(torch.Size(shape).numel())
    return ((((i * 37 + p * 11 + s * 101) % 129) - 64).double() / 64 * SCALES[s]).reshape(shape)


CASES = {
    "sgd": dict(kind="sgd"),
    "momentum": dict(kind="sgd", momentum=0.9),
    "nesterov": dict(kind="sgd", momentum=0.75, nesterov=True),
    "sgd_decay": dict(kind="sgd", momentum=0.5, decay=0.25),
    "adam": dict(kind="adam"),
    "betas": dict(kind="adam", betas=(0.5, 0.75), eps=0.125),
    "adamw": dict(kind="adam", decay=0.5),
    "clip": dict(kind="sgd", clip=5.0),
    "clip_value": dict(kind="sgd", clip_value=0.375),
    "clip_both": dict(kind="sgd", momentum=0.9, clip=3.0, clip_value=0.5),
}


def run(kind, decay=0.0, clip=0.0, clip_value=0.0, **more):
    parameters = [torch.nn.Parameter(value(p, s)) for p, s in enumerate(SHAPES.values())]
    # decay is decoupled for every kind; biases are left alone
    groups = [{"params": [q], "decay": decay if q.dim() > 1 else 0.0} for q in parameters]
    if kind == "adam":
        for g in groups:
            g["weight_decay"] = g["decay"]
        optimizer = torch.optim.AdamW(groups, lr=1.0, **more)
    else:
        optimizer = torch.optim.SGD(groups, lr=1.0, **more)
    rows, norms = [[] for _ in parameters], []
    for s, rate in enumerate(RATES):
        for p, q in enumerate(parameters):
            q.grad = gradient(p, s, tuple(q.shape))
        if clip_value:
            torch.nn.utils.clip_grad_value_(parameters, clip_value)
        norms.append(torch.nn.utils.clip_grad_norm_(parameters, clip if clip else float("inf")))
        for g in optimizer.param_groups:
            g["lr"] = rate
            if kind == "sgd":
                with torch.no_grad():
                    g["params"][0].mul_(1 - rate * g["decay"])
        optimizer.step()
        for row, q in zip(rows, parameters):
            row.append(q.detach().clone())
    return rows, norms


tensors = {}
for name, options in CASES.items():
    rows, norms = run(**options)
    for p, row in zip(SHAPES, rows):
        tensors[f"{name}.{p}"] = torch.stack(row).flatten(1).float().contiguous()
    tensors[f"{name}.norm"] = torch.stack(norms).float()
save_file(tensors, os.path.join(HERE, "optimizer.safetensors"))
