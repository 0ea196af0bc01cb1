"""Word vectors that know syntax, as text for `elman train tag --embeddings`, from plain sentences
and no one's labels.

    python3 tests/accept/word_vectors.py DATA OUTPUT

DATA is the folder of the data sets. Read of it are the words of news/ag_news.csv, of
sentiment/sst2.train.tsv, of translation/multi30k.train.en, of text/tinyshakespeare.txt and of
tagging/en_partut.train.conllu; what a tagger is measured on (en_partut.dev.conllu) is not read.

A word (in lower case, met 3 times or more) is described by what stands directly before and
directly after it: counts of the 1,500 most frequent words, of any other and of none, each side by
itself. The counts become positive pointwise mutual information with contexts smoothed by 3/4, and
those the first 100 singular vectors, each scaled by the root of its value (Levy, Goldberg and Dagan
2015, sections 2 and 3). Writes "word 100 numbers" a line, as GloVe does.

Needs numpy and scipy. The last digits may depend on their versions and on the machine."""

import collections
import csv
import os
import re
import sys

# One thread, so that sums have one order.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import svds

WIDTH, CONTEXTS, FEWEST = 100, 1500, 3
TOKEN = re.compile(r"[^\W\d_]+(?:'[a-z]+)?|\d+|[^\w\s]")


def tokens(text):
    return TOKEN.findall(text.lower())


def lines(path):
    with open(path, encoding="utf-8") as file:
        yield from file


def sentences(data):
    with open(f"{data}/news/ag_news.csv", encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for row in rows:
            for cell in row[1:]:
                yield tokens(cell)
    for line in lines(f"{data}/sentiment/sst2.train.tsv"):
        yield tokens(line.rsplit("\t", 1)[0])
    for line in lines(f"{data}/translation/multi30k.train.en"):
        yield tokens(line)
    for line in lines(f"{data}/text/tinyshakespeare.txt"):
        yield tokens(line)
    words = []
    for line in lines(f"{data}/tagging/en_partut.train.conllu"):
        cells = line.split("\t")
        if len(cells) > 1 and cells[0].isdigit():
            words.append(cells[1].lower())
        elif words:
            yield words
            words = []


def count(texts, words):
    """[words, 2 sides x (CONTEXTS + other + none)]"""
    number = {word: i for i, word in enumerate(words)}
    other, none = min(CONTEXTS, len(words)), min(CONTEXTS, len(words)) + 1
    side = none + 1
    rows, columns = [], []
    for text in texts:
        at = [number.get(word, -1) for word in text]
        near = [none] + [i if 0 <= i < other else other for i in at] + [none]
        for j, i in enumerate(at):
            if i >= 0:
                rows += [i, i]
                columns += [near[j], side + near[j + 2]]
    ones = np.ones(len(rows))
    return sparse.coo_matrix((ones, (rows, columns)), shape=(len(words), 2 * side)).tocsr()


def positive_information(counts):
    """max(0, log(P(word, context) / P(word) P(context)^(3/4))), the last normalised."""
    words = np.asarray(counts.sum(1)).ravel()
    contexts = np.asarray(counts.sum(0)).ravel() ** 0.75
    contexts /= contexts.sum()
    c = counts.tocoo()
    information = np.log(c.data / (words[c.row] * contexts[c.col]))
    keep = information > 0
    return sparse.csr_matrix(
        (information[keep], (c.row[keep], c.col[keep])), shape=counts.shape
    )


def main(data, output):
    texts = list(sentences(data))
    often = collections.Counter(word for text in texts for word in text)
    words = [word for word, n in often.most_common() if n >= FEWEST]
    u, s, _ = svds(positive_information(count(texts, words)), k=WIDTH, random_state=0)
    vectors = u * np.sqrt(s)
    vectors = vectors / (vectors.std() + 1e-9) * 0.3
    with open(output, "w", encoding="utf-8") as file:
        for word, vector in zip(words, vectors):
            file.write(f"{word} {' '.join(f'{x:.4f}' for x in vector)}\n")
    print(f"{len(words)} words of {len(texts)} sentences")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
