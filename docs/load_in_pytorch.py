"""Loads a language model that Elman trained and measures it with PyTorch.

    python load_in_pytorch.py MODEL [TEXT...]

Prints what `elman eval MODEL [TEXT...]` prints: nats a token over the texts as one stream from the
zero state. Needs torch and safetensors. Without TEXT: the part that MODEL was validated on.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import load_file


CELLS = {
    "rnn": torch.nn.RNN,
    "rnn-relu": lambda *sizes: torch.nn.RNN(*sizes, nonlinearity="relu"),
    "lstm": torch.nn.LSTM,
    "gru": torch.nn.GRU,
}


class LanguageModel(torch.nn.Module):
    def __init__(self, cell, layers, hidden, embedding, vocabulary, **others):
        super().__init__()
        self.embedding = torch.nn.Embedding(vocabulary, embedding)
        self.rnn = CELLS[cell](embedding, hidden, layers)
        self.output = torch.nn.Linear(hidden, vocabulary)

    def forward(self, tokens, state=None):
        y, state = self.rnn(self.embedding(tokens), state)
        return self.output(y), state


def load(folder):
    config = json.loads((folder / "config.json").read_text())
    if config["network"]["layer_norm"]:
        sys.exit("torch.nn has no layer-normalised cells")
    model = LanguageModel(**config["network"])
    # strict: every name and every shape must be there, and nothing else
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model.eval(), config["data"]


def encode(folder, data, texts):
    """The ids of the texts' tokens, one text after the other."""
    if data["level"] == "byte":
        return [byte for text in texts for byte in text]
    tokens = json.loads((folder / "vocabulary.json").read_text())["tokens"]
    ids = {token: number for number, token in enumerate(tokens)}
    if data["level"] == "char":
        return [ids[c] for text in texts for c in text.decode()]
    unknown = ids["<unk>"]
    stream = []
    for text in texts:
        for line in text.decode().removesuffix("\n").split("\n"):
            stream += [ids.get(word, unknown) for word in line.split()] + [ids["<eos>"]]
    return stream


def read(paths):
    return [pathlib.Path(path).read_bytes() for path in paths]


def validation(folder, data):
    """The ids that the model was validated on: a file, or the end of the text."""
    own = [record["path"] for record in data["files"] if record["use"] == "valid"]
    if own:
        return encode(folder, data, read(own))
    ids = encode(folder, data, read(record["path"] for record in data["files"]))
    return ids[int(len(ids) * (1.0 - float(data["valid"]))) :]


@torch.no_grad()
def main():
    folder = pathlib.Path(sys.argv[1])
    model, data = load(folder)
    if len(sys.argv) > 2:
        ids = encode(folder, data, read(sys.argv[2:]))
    else:
        ids = validation(folder, data)
    total, state, count = 0.0, None, len(ids) - 1
    for begin in range(0, count, 1000):
        end = min(begin + 1000, count)
        logits, state = model(torch.tensor(ids[begin:end])[:, None], state)
        targets = torch.tensor(ids[begin + 1 : end + 1])
        losses = torch.nn.functional.cross_entropy(logits[:, 0], targets, reduction="none")
        total += losses.double().sum().item()
    print(f"loss {total / count:.6f} nats a token over {count} tokens")


main()
