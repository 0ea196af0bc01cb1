#!/usr/bin/env python3
"""Models for tests/task/test_tag_golden.c, as folders beside this script, and what PyTorch 2.15
answers with the same weights, in double precision:

    python3 make_tag.py        writes tag/ and tag_crf/

Each sentence is answered alone. expected.safetensors has, for each of the sentences below, the
probability of every tag (with the conditional random field the sums over all paths) and the best
tags."""
import itertools
import json
import os

import torch
from safetensors.torch import save_file
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
SENTENCES = [["the", "The", "cat"], ["sleeps"], ["zebra", "on", "été", "mats"],
             ["a", "cat", "sleeps", "the", "q"]]
WORDS = ["<unk>", "<eos>", "the", "cat", "sleeps", "on", "été"]
CHARACTERS = sorted(set("thecatsleepsonémTq"))
TAGS = ["ADP", "DET", "NOUN", "VERB"]
E, EC, HC, H, LAYERS, K = 5, 4, 3, 6, 2, len(TAGS)


class Tagger(nn.Module):
    def __init__(self, cell, crf):
        super().__init__()
        layer = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.embedding = nn.Embedding(len(WORDS), E)
        self.char_embedding = nn.Embedding(len(CHARACTERS) + 1, EC)
        self.char_rnn = layer(EC, HC, bidirectional=True)
        self.rnn = layer(E + 2 * HC, H, num_layers=LAYERS, bidirectional=True)
        self.output = nn.Linear(2 * H, K)
        if crf:
            self.crf = nn.Module()
            self.crf.transitions = nn.Parameter(torch.randn(K, K))
            self.crf.start_transitions = nn.Parameter(torch.randn(K))
            self.crf.end_transitions = nn.Parameter(torch.randn(K))

    def forward(self, words):
        rows = []
        for word in words:
            ids = torch.tensor([CHARACTERS.index(c) + 1 if c in CHARACTERS else 0 for c in word])
            final = self.char_rnn(self.char_embedding(ids))[1]
            h = final[0] if isinstance(final, tuple) else final
            number = WORDS.index(word) if word in WORDS else 0
            rows.append(torch.cat([self.embedding(torch.tensor(number)), h[0], h[1]]))
        return self.output(self.rnn(torch.stack(rows))[0])


def answer(model, logits):
    if not hasattr(model, "crf"):
        return torch.softmax(logits, 1), logits.argmax(1)
    T, c = len(logits), model.crf
    paths = list(itertools.product(range(K), repeat=T))
    scores = torch.stack([
        c.start_transitions[p[0]] + c.end_transitions[p[-1]] +
        sum(logits[t, p[t]] for t in range(T)) +
        sum((c.transitions[p[t - 1], p[t]] for t in range(1, T)), torch.zeros(()).double())
        for p in paths])
    share = torch.softmax(scores, 0)
    marginals = torch.zeros(T, K).double()
    for p, s in zip(paths, share):
        for t in range(T):
            marginals[t, p[t]] += s
    return marginals, torch.tensor(paths[int(scores.argmax())])


def write(name, cell, crf, seed):
    torch.manual_seed(seed)
    model = Tagger(cell, crf)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(2)
    folder = os.path.join(HERE, name)
    os.makedirs(folder, exist_ok=True)
    weights = {k: v.detach().clone() for k, v in model.state_dict().items()}
    save_file(weights, os.path.join(folder, "model.safetensors"))
    config = {"format_version": 1, "numerics_version": 1, "task": "tag",
              "network": {"cell": cell, "layers": LAYERS, "hidden": H, "embedding": E,
                          "dropout": 0.5, "bidirectional": True, "residual": False,
                          "output_norm": False, "char_hidden": HC,
                          "char_embedding": EC, "crf": crf, "vocabulary": len(WORDS),
                          "characters": len(CHARACTERS) + 1, "outputs": K},
              "training": {}, "data": {"fold_case": False}}
    for file, value in [("config.json", config), ("labels.json", TAGS),
                        ("vocabulary.json", {"level": "word", "tokens": WORDS}),
                        ("characters.json", {"level": "char", "tokens": CHARACTERS})]:
        with open(os.path.join(folder, file), "w", encoding="utf-8") as f:
            json.dump(value, f, ensure_ascii=False)
            f.write("\n")
    model.double()
    tensors = {}
    with torch.no_grad():
        for i, words in enumerate(SENTENCES):
            p, tags = answer(model, model(words))
            tensors[f"{i}.probabilities"] = p.float().contiguous()
            tensors[f"{i}.tags"] = tags.int().contiguous()
    save_file(tensors, os.path.join(folder, "expected.safetensors"))


write("tag", "lstm", False, 1)
write("tag_crf", "gru", True, 2)
