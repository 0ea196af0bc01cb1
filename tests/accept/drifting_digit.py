"""Clips of a handwritten digit that drifts over a canvas, from digits.csv (65 columns, 8x8 grey
levels and the label), as safetensors for `elman train classify` and `elman train tag`.

    python3 tests/accept/drifting_digit.py digits.csv FOLDER [CLIPS]

A clip is 8 frames of 16x16. The digit begins with its corner in 3..5 by 3..5, whatever the direction,
and moves by one pixel every other frame in one of 8 directions, so no frame alone tells the
direction. The last 20 % of the images make the validation clips, one each; the others CLIPS each
(8). Writes direction.train, direction.valid (a label a clip), digit.train and digit.valid (a label a
frame). Places and directions come from a generator of its own (Numerical Recipes' LCG)."""

import json
import struct
import sys
from array import array

SIZE, FRAMES = 16, 8
DIRECTIONS = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)]
state = 1


def draw(n):
    global state
    state = (state * 1664525 + 1013904223) % 2**32
    return (state >> 8) % n


def clip(image):
    x, y, direction = 3 + draw(3), 3 + draw(3), draw(8)
    dx, dy = DIRECTIONS[direction]
    frames = array("f", bytes(4 * FRAMES * SIZE * SIZE))
    for t in range(FRAMES):
        left, top = x + dx * (t // 2), y + dy * (t // 2)
        for row in range(8):
            at = (t * SIZE + top + row) * SIZE + left
            frames[at : at + 8] = image[8 * row : 8 * row + 8]
    return frames, direction


def write(path, x, n, labels, each_step):
    shape = [n, FRAMES] if each_step else [n]
    size = 4 * n * FRAMES * SIZE * SIZE
    head = {
        "x": {"dtype": "F32", "shape": [n, FRAMES, SIZE * SIZE], "data_offsets": [0, size]},
        "labels": {"dtype": "I64", "shape": shape, "data_offsets": [size, size + 8 * len(labels)]},
    }
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        x.tofile(file)
        labels.tofile(file)


def make(images, digits, clips, folder, name):
    x, directions, steps = array("f"), array("q"), array("q")
    for image, digit in zip(images, digits):
        for _ in range(clips):
            frames, direction = clip(image)
            x.extend(frames)
            directions.append(direction)
            steps.extend([digit] * FRAMES)
    n = len(directions)
    write(f"{folder}/direction.{name}.safetensors", x, n, directions, False)
    write(f"{folder}/digit.{name}.safetensors", x, n, steps, True)


if __name__ == "__main__":
    rows = [[int(v) for v in line.split(",")] for line in open(sys.argv[1])]
    images = [array("f", [v / 16 for v in row[:64]]) for row in rows]
    digits = [row[64] for row in rows]
    first = len(rows) - len(rows) // 5
    clips = int(sys.argv[3]) if len(sys.argv) > 3 else 8
    make(images[:first], digits[:first], clips, sys.argv[2], "train")
    make(images[first:], digits[first:], 1, sys.argv[2], "valid")
