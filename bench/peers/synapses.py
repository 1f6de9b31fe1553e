"""What the peers that let synapses diffuse share: the conversation of `simulator.py`, with other results.

    {"do": "start", "setup": {...}}       -> {"version": "..."}
    {"do": "run"}                         -> {"cpu_seconds": 0.41, "mean": 0.005, "variance": 0.02}

A turn takes `synapses` numbers from 0 through `steps` steps `x <- shift + decay x + sd z`; mean and variance are those
at its end."""

import simulator  # first: packages may print when they are imported

import numpy as np

clocked = simulator.clocked


def moments(x):
    """What a turn of the synapses gives."""
    x = np.asarray(x, np.float64)
    return {"mean": x.mean(), "variance": x.var()}


def serve(start):
    """Answers until standard input ends. `start(setup)` makes the synapses, which have `version` and `run()`, which gives
    processor seconds and the numbers."""
    simulator.serve(start, moments)
