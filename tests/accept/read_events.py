"""Reads the event files of the runs that tests/accept/tensorboard.sh made, by TensorBoard's own
reader, and compares them with metrics.jsonl.

    python3 tests/accept/read_events.py MODEL MODEL...

beside which stand runs/MODEL. All the models are of one training: their figures must be equal."""

import json
import logging
import math
import struct
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

logging.getLogger("tensorboard").setLevel(logging.ERROR)  # what it drops is what we test

CLOCK = "_per_second"  # of the clock, and so of this run alone
NAMES = {"loss": "loss/training", "gradient_norm": "training/gradient_norm", "lr": "training/lr"}


def single(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def logged(model):
    """{tag: [(step, value)]} of metrics.jsonl."""
    found = {}
    for line in open(model + "/metrics.jsonl"):
        r = json.loads(line)
        if r["event"] == "interval":
            figures = {NAMES[k]: r[k] for k in NAMES}
        elif r["event"] == "validation":
            figures = {"loss/validation": r["loss"]}
        else:
            continue
        for tag, value in figures.items():
            found.setdefault(tag, []).append((r["step"], single(value)))
    return found


def read(model):
    everything = {"scalars": 0, "histograms": 0, "images": 0, "tensors": 0}
    events = EventAccumulator("runs/" + model, size_guidance=everything)
    events.Reload()
    return events


def rising(steps, what):
    assert all(a < b for a, b in zip(steps, steps[1:])), f"{what}: {steps}"


first = None
for model in sys.argv[1:]:
    events = read(model)
    tags = events.Tags()
    kinds = [tag for kind in ("scalars", "histograms", "images") for tag in tags[kind]]
    assert len(kinds) == len(set(kinds)), "TensorBoard shows one kind of thing under a tag"
    curves = {}
    for tag in tags["scalars"]:
        points = [(e.step, e.value) for e in events.Scalars(tag)]
        rising([step for step, _ in points], tag)
        curves[tag] = points
    for tag, points in logged(model).items():
        assert curves[tag] == points, f"{model}: {tag}: {curves[tag]} but logged {points}"
    for tag in tags["histograms"]:
        rows = [(e.step, e.histogram_value) for e in events.Histograms(tag)]
        rising([step for step, _ in rows], tag)
        for step, h in rows:
            assert math.isclose(sum(h.bucket), h.num, rel_tol=1e-9), (tag, step)
            assert h.min <= h.max and len(h.bucket) == len(h.bucket_limit)
    for tag in tags["images"]:
        images = events.Images(tag)
        rising([e.step for e in images], tag)
        assert all(e.encoded_image_string.startswith(b"\x89PNG") for e in images)
    mine = {tag: points for tag, points in curves.items() if CLOCK not in tag}
    if first is None:
        first = mine
    assert mine == first, f"{model} differs"
    print(f"{model}: {len(tags['scalars'])} curves, {len(tags['histograms'])} histograms, "
          f"{len(tags['images'])} pictures")
