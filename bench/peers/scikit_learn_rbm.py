"""scikit-learn's BernoulliRBM: persistent contrastive divergence, one sweep, no momentum, no decay.

Mode `float32` or `float64`: the type of the images, which `fit` takes for everything.
"""

import numpy as np
import sklearn
from sklearn.neural_network import BernoulliRBM

import peer


class Machine:
    version = sklearn.__version__

    def __init__(self, setup):
        dtype = np.dtype(setup["mode"])
        self.data = peer.images(setup).astype(dtype)
        start = {name: array.astype(dtype) for name, array in peer.parameters(setup).items()}
        batch, hidden = setup["batch"], setup["hidden_units"]
        # Hyperparameters and attributes as `fit` leaves them, so that training can go on from the common start.
        self.rbm = BernoulliRBM(n_components=hidden, batch_size=batch, learning_rate=setup["eta"])
        self.rbm.components_ = np.asarray(start["w"].T, order="F")
        self.rbm.intercept_hidden_, self.rbm.intercept_visible_ = start["c"], start["b"]
        self.rbm.h_samples_ = np.zeros((batch, hidden), dtype)
        self.random = np.random.RandomState(setup["seed"])

    def train(self, first, last):
        # The body of the loop of `fit`. `partial_fit` would turn everything into float64 and be slower.
        self.rbm._fit(self.data[first:last], self.random)

    def parameters(self):
        return {"w": self.rbm.components_.T, "b": self.rbm.intercept_visible_, "c": self.rbm.intercept_hidden_}


if __name__ == "__main__":
    peer.serve(Machine)
