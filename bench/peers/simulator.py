"""What peers that begin each turn anew share: the conversation of `peer.py`, patterns, and the clock.

    {"do": "start", "setup": {...}}       -> {"version": "..."}
    {"do": "run"}                         -> {"cpu_seconds": 0.41, "circuit_hz": 199.7}, or what else a turn gives
    {"do": "weights", "folder": "..."}    -> {}
"""

import json
import os
import sys
import time

import numpy as np

# What a package prints, some when they are imported, must not break the conversation: import this module first.
OUT = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def rate(hz):
    """What a turn of a circuit gives."""
    return {"circuit_hz": hz}


def serve(start, result=rate):
    """Answers until standard input ends. `start(setup)` makes the circuit, which has `version`, `run()` for one turn, and
    `weights()` as (neurons, inputs). `run()` gives processor seconds, and what `result` makes the answer of."""
    circuit = None
    for line in sys.stdin:
        order = json.loads(line)
        answer = {}
        if order["do"] == "start":
            circuit = start(order["setup"])
            answer["version"] = circuit.version
        elif order["do"] == "run":
            answer["cpu_seconds"], found = circuit.run()
            answer |= result(found)
        elif order["do"] == "weights":
            np.ascontiguousarray(circuit.weights(), np.float32).tofile(os.path.join(order["folder"], "w.f32"))
        else:
            raise ValueError("unknown order " + order["do"])
        print(json.dumps(answer), file=OUT)


def clocked(work):
    began = time.process_time()
    work()
    return time.process_time() - began


def rates(setup):
    """Rate of every input in each presentation, (presentations, inputs), in Hz: 0 or `input_hz`."""
    on = np.fromfile(setup["patterns_file"], np.uint8)
    return on.reshape(setup["presentations"], setup["inputs"]) * float(setup["input_hz"])
