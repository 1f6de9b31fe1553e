"""Brian2, C++ standalone, single precision: synapses that diffuse, one number each, a step of 1 ms.

The generated program writes its own processor clock just before and after the run loop: neither compilation nor
construction counts."""

import os
import tempfile
from importlib.metadata import version

import synapses  # first: packages may print when they are imported

import numpy as np
from brian2 import Network, NeuronGroup, defaultclock, device, ms, prefs, set_device


class Brian2:
    version = version("brian2")

    def __init__(self, setup):
        self.folder = tempfile.mkdtemp(prefix="brian2-")
        set_device("cpp_standalone", build_on_run=False, directory=self.folder)
        prefs.devices.cpp_standalone.openmp_threads = 0
        prefs.codegen.cpp.extra_compile_args_gcc = ["-O3", "-march=native", "-ffast-math", "-std=c++17"]
        prefs.core.default_float_dtype = np.float32
        defaultclock.dt = 1 * ms
        tau = 1 * ms / (1 - setup["decay"])
        names = dict(tau=tau, mu=setup["shift"] / (1 - setup["decay"]), s=setup["sd"] * (tau / (1 * ms)) ** 0.5)
        equation = "dx/dt = (mu - x)/tau + s*tau**-0.5*xi : 1"
        self.group = NeuronGroup(setup["synapses"], equation, method="euler", namespace=names)
        network = Network(self.group)
        for slot, name in (("before_network_run", "began"), ("after_network_run", "ended")):
            clock = '{ std::ofstream f("%s/%s"); f.precision(12); f << (double)std::clock()/CLOCKS_PER_SEC; }'
            device.insert_code(slot, clock % (self.folder, name))
        network.run(setup["steps"] * ms)
        device.build(directory=self.folder, compile=True, run=False)

    def run(self):
        device.run(with_output=False)
        began, ended = (float(open(os.path.join(self.folder, name)).read()) for name in ("began", "ended"))
        return ended - began, self.group.x[:]


if __name__ == "__main__":
    synapses.serve(Brian2)
