"""Diffusing synapses in torch, and in numpy, in single precision, as an expert would write them for one core: the noise
straight into a buffer, then one pass."""

import synapses  # first: packages may print when they are imported

import numpy as np
import torch

torch.set_num_threads(1)
torch.set_flush_denormal(True)


class Torch:
    version = torch.__version__

    def __init__(self, setup):
        torch.manual_seed(7)
        self.setup = setup
        self.x = torch.zeros(setup["synapses"])
        self.z = torch.empty_like(self.x)

    def run(self):
        shift, decay, sd = (self.setup[name] for name in ("shift", "decay", "sd"))
        x, z = self.x.zero_(), self.z

        def turn():
            with torch.inference_mode():
                for _ in range(self.setup["steps"]):
                    torch.add(z.normal_(shift, sd), x, alpha=decay, out=x)

        return synapses.clocked(turn), x.numpy()


class Numpy:
    version = np.__version__

    def __init__(self, setup):
        self.setup = setup
        self.x = np.zeros(setup["synapses"], np.float32)
        self.z = np.empty_like(self.x)
        self.random = np.random.Generator(np.random.SFC64(7))

    def run(self):
        shift, decay, sd = (np.float32(self.setup[name]) for name in ("shift", "decay", "sd"))
        x, z = self.x, self.z
        x[:] = 0

        def turn():
            for _ in range(self.setup["steps"]):
                self.random.standard_normal(out=z, dtype=np.float32)
                np.multiply(z, sd, out=z)
                np.multiply(x, decay, out=x)
                np.add(x, z, out=x)
                np.add(x, shift, out=x)

        return synapses.clocked(turn), x


if __name__ == "__main__":
    synapses.serve(lambda setup: {"torch": Torch, "numpy": Numpy}[setup["mode"]](setup))
