"""The package rbms (on torch): persistent contrastive divergence, one sweep, by plain gradient ascent.

Its `fit_batch_pcd` divides the gradient by its norm, which is another rule of learning; here its parts are called
without that, which also saves it the time."""

from importlib.metadata import version

import torch
from rbms.bernoulli_bernoulli.classes import BBRBM

import peer

torch.set_num_threads(1)
torch.set_flush_denormal(True)


class Machine:
    version = version("rbms")

    def __init__(self, setup):
        torch.manual_seed(setup["seed"])
        self.data = torch.from_numpy(peer.images(setup))
        start = {name: torch.from_numpy(array) for name, array in peer.parameters(setup).items()}
        self.machine = BBRBM(start["w"], start["b"], start["c"])
        self.machine.init_grad()
        self.chains = self.machine.init_chains(setup["batch"])
        self.weights = torch.ones(setup["batch"])
        self.optimizer = torch.optim.SGD(self.machine.parameters(), lr=setup["eta"], maximize=True)

    def train(self, first, last):
        with torch.no_grad():
            self.optimizer.zero_grad(set_to_none=False)
            data = self.machine.init_chains(last - first, weights=self.weights, start_v=self.data[first:last])
            self.chains = self.machine.sample_state(chains=self.chains, n_steps=1)
            self.machine.compute_gradient(data=data, chains=self.chains, centered=False)
            self.optimizer.step()

    def parameters(self):
        return {"w": self.machine.weight_matrix, "b": self.machine.vbias, "c": self.machine.hbias}


if __name__ == "__main__":
    peer.serve(Machine)
