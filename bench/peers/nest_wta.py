"""NEST: as many inputs, neurons, spikes and plastic synapses, by the clock.

NEST has no rule that depends on e^-w and no inhibition that normalises rates among its built-in models. Here each neuron
fires on its own at an equal part of the circuit's rate and learns by `stdp_synapse`: less work than the circuit's, so
that what is compared is the price of its spikes and synapses. Inputs fire at the mean rate of all."""

from importlib.metadata import version

import simulator  # first: NEST prints when it is imported

import nest
import numpy as np


class Circuit:
    version = version("nest-simulator")

    def __init__(self, setup):
        n, k = setup["inputs"], setup["neurons"]
        nest.set_verbosity("M_ERROR") if hasattr(nest, "set_verbosity") else setattr(nest, "verbosity", nest.VerbosityLevel.ERROR)
        nest.ResetKernel()
        nest.resolution = 1.0
        nest.local_num_threads = 1
        nest.rng_seed = 7
        generator = nest.Create("poisson_generator", params={"rate": setup["input_hz"] / 2})
        inputs = nest.Create("parrot_neuron", n)
        escape = {"c_1": 0.0, "c_2": setup["circuit_hz"] / k, "c_3": 0.001, "dead_time": 1e-3, "with_reset": False}
        circuit = nest.Create("pp_psc_delta", k, params={"tau_m": setup["tau_ms"], **escape})
        self.recorder = nest.Create("spike_recorder", params={"record_to": "memory"})
        plastic = {"synapse_model": "stdp_synapse", "weight": 0.1, "delay": 1.0, "Wmax": 1.0}
        nest.Connect(generator, inputs, syn_spec={"delay": 1.0})
        nest.Connect(inputs, circuit, "all_to_all", {**plastic, "tau_plus": setup["tau_ms"], "lambda": 0.001})
        nest.Connect(circuit, self.recorder)
        self.milliseconds = setup["presentations"] * setup["presentation_ms"]
        nest.Simulate(500.0)

    def run(self):
        before = self.recorder.n_events
        seconds = simulator.clocked(lambda: nest.Simulate(self.milliseconds))
        return seconds, (self.recorder.n_events - before) / (self.milliseconds / 1000)

    def weights(self):
        return np.zeros(0, np.float32)  # of another rule


if __name__ == "__main__":
    simulator.serve(Circuit)
