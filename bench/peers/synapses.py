"""What the peers that let synapses diffuse share: the conversation of `peer.py`, and the clock.

    {"do": "start", "setup": {...}}       -> {"version": "..."}
    {"do": "run"}                         -> {"cpu_seconds": 0.41, "mean": 0.005, "variance": 0.02}

A turn takes `synapses` numbers from 0 through `steps` steps `x <- shift + decay x + sd z`; mean and variance are those
at its end."""

import json
import os
import sys
import time

import numpy as np

# What a package prints, some when they are imported, must not break the conversation: import this module first.
OUT = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def serve(start):
    """Answers until standard input ends. `start(setup)` makes the synapses, which have `version` and `run()`, which gives
    processor seconds and the numbers."""
    synapses = None
    for line in sys.stdin:
        order = json.loads(line)
        answer = {}
        if order["do"] == "start":
            synapses = start(order["setup"])
            answer["version"] = synapses.version
        elif order["do"] == "run":
            answer["cpu_seconds"], x = synapses.run()
            x = np.asarray(x, np.float64)
            answer["mean"], answer["variance"] = x.mean(), x.var()
        else:
            raise ValueError("unknown order " + order["do"])
        print(json.dumps(answer), file=OUT)


def clocked(work):
    began = time.process_time()
    work()
    return time.process_time() - began
