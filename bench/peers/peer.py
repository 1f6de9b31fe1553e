"""What the peers share: a conversation in JSON lines, the data, weights in files, and the clock.

A peer answers every line of standard input with one line of standard output:

    {"do": "start", "setup": {...}}       -> {"version": "..."}
    {"do": "train", "images": 10000}      -> {"cpu_seconds": 0.41}
    {"do": "parameters", "folder": "..."} -> {}

It runs one machine, on one thread (the driver sets the thread variables before Python starts).
"""

import json
import os
import sys
import time

import numpy as np


def serve(start):
    """Answers until standard input ends. `start(setup)` makes the trainer, which has `version`, `train(first, last)`
    for the images of one mini-batch, and `parameters()` as a dict of arrays."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a package prints must not break the conversation
    trainer = setup = None
    at = 0
    for line in sys.stdin:
        order = json.loads(line)
        answer = {}
        if order["do"] == "start":
            setup = order["setup"]
            trainer = start(setup)
            answer["version"] = trainer.version
        elif order["do"] == "train":
            batch, count = setup["batch"], setup["train_images"]
            began = time.process_time()
            for _ in range(order["images"] // batch):
                if at + batch > count:
                    at = 0
                trainer.train(at, at + batch)
                at += batch
            answer["cpu_seconds"] = time.process_time() - began
        elif order["do"] == "parameters":
            for name, array in trainer.parameters().items():
                np.ascontiguousarray(array, np.float32).tofile(os.path.join(order["folder"], name + ".f32"))
        else:
            raise ValueError("unknown order " + order["do"])
        print(json.dumps(answer), file=out)


def images(setup):
    """Training images of 0 and 1, (count, visible), float32."""
    pixels = np.fromfile(setup["images_file"], np.uint8)
    return pixels.reshape(setup["train_images"], setup["visible_units"]).astype(np.float32)


def parameters(setup):
    """Where training starts: w (visible, hidden), b (visible), c (hidden), and a (visible, hidden) if synapses
    release."""
    shapes = {"w": (setup["visible_units"], setup["hidden_units"]), "b": (-1,), "c": (-1,)}
    if setup["releases"]:
        shapes["a"] = shapes["w"]
    folder = setup["parameters_folder"]
    return {n: np.fromfile(os.path.join(folder, n + ".f32"), np.float32).reshape(s) for n, s in shapes.items()}
