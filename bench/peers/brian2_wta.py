"""Brian2, C++ standalone: the winner-take-all circuit by the clock, with the same rule of learning.

The generated program runs one turn, from the same start each time, and writes its own processor clock just before and
after the run loop: neither compilation nor construction counts."""

import os
import tempfile
from importlib.metadata import version

import simulator

import numpy as np
from brian2 import (
    Hz, Network, NeuronGroup, SpikeMonitor, Synapses, TimedArray, defaultclock, device, linked_var, ms, prefs, set_device,
)


class Circuit:
    version = version("brian2")

    def __init__(self, setup):
        self.setup = setup
        self.folder = tempfile.mkdtemp(prefix="brian2-")
        set_device("cpp_standalone", build_on_run=False, directory=self.folder)
        prefs.devices.cpp_standalone.openmp_threads = 0
        prefs.codegen.cpp.extra_compile_args_gcc = ["-O3", "-march=native", "-ffast-math", "-std=c++17"]
        n, k = setup["inputs"], setup["neurons"]
        defaultclock.dt = 1 * ms
        rates = TimedArray(simulator.rates(setup) * Hz, dt=setup["presentation_ms"] * ms)
        names = dict(tau=setup["tau_ms"] * ms, R=setup["circuit_hz"] * Hz, rates=rates)
        # Potentials are read after they have decayed by a step; a jump that is half a step's decay too high keeps the mean.
        names |= dict(jump=float(np.exp(0.5 / setup["tau_ms"])))
        names |= dict(eta=setup["eta"], c=setup["c"], w_min=setup["weight_floor"])
        inputs = NeuronGroup(
            n, "dy/dt = -y/tau : 1", threshold="rand() < rates(t, i)*dt", reset="y += jump", method="exact", namespace=names
        )
        circuit = NeuronGroup(
            k, "du/dt = -u/tau : 1\nZ : 1 (linked)", threshold="rand() < R*dt*exp(u)/Z", method="exact", namespace=names
        )
        inhibition = NeuronGroup(1, "Z : 1")
        circuit.Z = linked_var(inhibition, "Z", index=np.zeros(k, int))
        summed = Synapses(circuit, inhibition, "Z_post = exp(u_pre) : 1 (summed)")
        summed.connect()
        summed.summed_updaters["Z_post"].when = "before_thresholds"  # the sum must see the decayed u
        learn = "w = clip(w + eta*(c*y_pre - exp(w))/clip(exp(w), c*eta, 1e300), w_min, 1e300)"
        self.plastic = Synapses(inputs, circuit, "w : 1", on_pre="u_post += jump*w", on_post=learn, namespace=names)
        self.plastic.connect()
        self.plastic.w = "log(c) - 0.01*abs(randn())"
        self.spikes = SpikeMonitor(circuit, record=False)
        network = Network(inputs, circuit, inhibition, summed, self.plastic, self.spikes)
        for slot, name in (("before_network_run", "began"), ("after_network_run", "ended")):
            clock = '{ std::ofstream f("%s/%s"); f.precision(12); f << (double)std::clock()/CLOCKS_PER_SEC; }'
            device.insert_code(slot, clock % (self.folder, name))
        self.seconds = setup["presentations"] * setup["presentation_ms"] / 1000
        network.run(self.seconds * 1000 * ms)
        device.build(directory=self.folder, compile=True, run=False)

    def run(self):
        device.run(with_output=False)
        began, ended = (float(open(os.path.join(self.folder, name)).read()) for name in ("began", "ended"))
        return ended - began, int(self.spikes.num_spikes) / self.seconds

    def weights(self):
        w = np.zeros((self.setup["neurons"], self.setup["inputs"]), np.float32)
        w[self.plastic.j[:], self.plastic.i[:]] = self.plastic.w[:]
        return w


if __name__ == "__main__":
    simulator.serve(Circuit)
