#!/usr/bin/env python3
"""Figures for tests/nn/test_crf_layer.c, made with pytorch-crf 0.7.2 and PyTorch 2.15 in double
precision from float32 inputs:

    python3 make_crf.py        writes crf.safetensors beside itself

Sequences are longest first; emissions, tags and gradients are packed rows (PackedSequence). The
loss is 0.75 times the sum of -log p; marginals are the derivatives of log Z."""
import os

import torch
from safetensors.torch import save_file
from torch.nn.utils.rnn import pack_padded_sequence
from torchcrf import CRF

HERE = os.path.dirname(os.path.abspath(__file__))
torch.manual_seed(20240301)


def packed(x, lengths):
    return pack_padded_sequence(x, lengths).data


def main():
    tensors = {}
    cases = [(1, [1]), (1, [5, 2]), (2, [1, 1, 1]), (3, [7]), (5, [6, 4, 4, 1]), (9, [12, 12, 3]),
             (17, [20, 9, 8, 8, 1]), (41, [31, 30])]
    for number, (K, lengths) in enumerate(cases):
        crf = CRF(K)
        with torch.no_grad():
            for p in crf.parameters():
                p.copy_(torch.randn_like(p))
        crf = crf.double()
        T, B, L = max(lengths), len(lengths), torch.tensor(lengths)
        e = (torch.randn(T, B, K) * 2).double().requires_grad_()
        tags = torch.randint(0, K, (T, B))
        mask = torch.arange(T)[:, None] < L[None]
        loss = -0.75 * crf(e, tags, mask=mask, reduction="sum")
        loss.backward()
        again = e.detach().requires_grad_()
        log_z = crf._compute_normalizer(again, mask)
        marginals, = torch.autograd.grad(log_z.sum(), again)
        paths = torch.zeros(T, B, dtype=torch.int64)
        for b, path in enumerate(crf.decode(e.detach(), mask)):
            paths[:len(path), b] = torch.tensor(path)
        found = {
            "loss": loss, "emissions": packed(e, L), "d.emissions": packed(e.grad, L),
            "tags": packed(tags, L), "lengths": L, "marginals": packed(marginals, L),
            "paths": packed(paths, L)}
        for name, p in crf.named_parameters():
            found[name] = p
            found["d." + name] = torch.zeros_like(p) if p.grad is None else p.grad
        for name, v in found.items():
            v = v.detach()
            v = v.to(torch.float32 if v.is_floating_point() else torch.int32)
            tensors[f"crf.{number}.{name}"] = v.contiguous().clone()
    save_file(tensors, os.path.join(HERE, "crf.safetensors"))


if __name__ == "__main__":
    main()
