"""Contrastive divergence in torch, written as an expert would for one core: products straight into the velocity,
everything else in place, subnormal numbers flushed, no autograd."""

import os
import subprocess
import sys

import torch

import peer

torch.set_num_threads(1)
torch.set_flush_denormal(True)


class Machine:
    """What all variants share: CD-1 with one set of weights, momentum, decay of w.

    v = m v + eta (gradient - decay w); w += v. Visible units are sampled; hidden probabilities or samples enter the
    statistics."""

    version = torch.__version__

    def __init__(self, setup):
        torch.manual_seed(setup["seed"])
        self.data = torch.from_numpy(peer.images(setup))
        for name, array in peer.parameters(setup).items():
            setattr(self, name, torch.from_numpy(array))
        self.vw, self.vb, self.vc = (torch.zeros_like(x) for x in (self.w, self.b, self.c))
        self.eta, self.momentum, self.decay = setup["eta"], setup["momentum"], setup["weight_decay"]
        self.rate = self.eta / setup["batch"]
        self.samples = setup["statistics"] == "samples"
        self.uh = torch.empty(setup["batch"], setup["hidden_units"])
        self.uv = torch.empty(setup["batch"], setup["visible_units"])

    def hidden_prob(self, v, w):
        return torch.addmm(self.c, v, w).sigmoid_()

    def visible_prob(self, h, w):
        return torch.addmm(self.b, h, w.t()).sigmoid_()

    def sample_hidden(self, p):
        return torch.rand(p.shape, out=self.uh).lt(p).to(p.dtype)

    def sample_visible(self, p):
        return torch.rand(p.shape, out=self.uv).lt(p).to(p.dtype)

    def phases(self, v0):
        """v and what stands for h in the statistics, at the data and after one sweep."""
        w = self.w
        h0 = self.hidden_prob(v0, w)
        h = self.sample_hidden(h0)
        v1 = self.sample_visible(self.visible_prob(h, w))
        h1 = self.hidden_prob(v1, w)
        return v1, *self.units(h0, h, h1)

    def units(self, h0, h, h1):
        return (h, self.sample_hidden(h1)) if self.samples else (h0, h1)

    def train(self, first, last):
        with torch.inference_mode():
            v0 = self.data[first:last]
            v1, h0, h1 = self.phases(v0)
            self.learn(v0, h0, v1, h1)
            self.vb.mul_(self.momentum).add_((v0 - v1).sum(0), alpha=self.rate)
            self.vc.mul_(self.momentum).add_((h0 - h1).sum(0), alpha=self.rate)
            self.b.add_(self.vb)
            self.c.add_(self.vc)

    def learn(self, v0, h0, v1, h1):
        self.vw.addmm_(v0.t(), h0, beta=self.momentum, alpha=self.rate).addmm_(v1.t(), h1, alpha=-self.rate)
        self.climb_w()

    def climb_w(self):
        self.vw.add_(self.w, alpha=-self.eta * self.decay)
        self.w.add_(self.vw)

    def parameters(self):
        names = [name for name in ("w", "a", "b", "c") if hasattr(self, name)]
        return {name: getattr(self, name).numpy() for name in names}


class HalfPrecision(Machine):
    """The five products in bfloat16 (matrix units where the processor has them); all else stays float32."""

    def phases(self, v0):
        w = self.w.to(torch.bfloat16)
        self.v0 = v0.to(torch.bfloat16)
        h0 = self.hidden_prob(self.v0, w)
        h = self.sample_hidden(h0)
        v1 = self.sample_visible(self.visible_prob(h.to(torch.bfloat16), w))
        self.v1 = v1.to(torch.bfloat16)
        return v1, *self.units(h0, h, self.hidden_prob(self.v1, w))

    def hidden_prob(self, v, w):
        return (v @ w).float().add_(self.c).sigmoid_()

    def visible_prob(self, h, w):
        return (h @ w.t()).float().add_(self.b).sigmoid_()

    def learn(self, v0, h0, v1, h1):
        self.vw.mul_(self.momentum)
        self.vw.add_(self.v0.t() @ h0.to(torch.bfloat16), alpha=self.rate)
        self.vw.add_(self.v1.t() @ h1.to(torch.bfloat16), alpha=-self.rate)
        self.climb_w()


class Releasing(Machine):
    """Synapses that release: learns w and the log-odds a, and keeps p = s(a) from step to step."""

    def __init__(self, setup):
        super().__init__(setup)
        self.a_limit, self.a_rate = setup["a_limit"], self.rate * setup["r"]
        self.va = torch.zeros_like(self.a)
        self.p, self.d, self.g, self.u, self.masked = (torch.empty_like(self.w) for _ in range(5))
        self.xi = torch.empty(self.w.shape, dtype=torch.bool)
        self.refresh()

    def draw(self):
        """w with the synapses that do not release set to zero, in a buffer."""
        torch.rand(self.w.shape, out=self.u)
        torch.lt(self.u, self.p, out=self.xi)
        return torch.mul(self.w, self.xi, out=self.masked)

    def learn(self, v0, h0, v1, h1):
        torch.mm(v0.t(), h0, out=self.d)
        self.d.addmm_(v1.t(), h1, alpha=-1)
        self.gradients()
        self.vw.mul_(self.momentum).add_(self.d, alpha=self.rate)
        self.va.mul_(self.momentum).add_(self.g, alpha=self.a_rate)
        self.climb_w()
        self.a.add_(self.va).clamp_(-self.a_limit, self.a_limit)
        self.refresh()

    def refresh(self):
        torch.sigmoid(self.a, out=self.p)

    def gradients(self):
        """da = p (1 - p) w D into g; dw = D stays where it is."""
        torch.addcmul(self.p, self.p, self.p, value=-1, out=self.g).mul_(self.w).mul_(self.d)


class MaskPerBatch(Releasing):
    """One mask for both phases of a mini-batch; dw = xi D."""

    def phases(self, v0):
        w = self.draw()
        h0 = self.hidden_prob(v0, w)
        h = self.sample_hidden(h0)
        v1 = self.sample_visible(self.visible_prob(h, w))
        return v1, *self.units(h0, h, self.hidden_prob(v1, w))

    def gradients(self):
        super().gradients()
        self.d.mul_(self.xi)


class MaskPerHalfStep(Releasing):
    """A fresh mask for each of the three half steps."""

    def phases(self, v0):
        h0 = self.hidden_prob(v0, self.draw())
        h = self.sample_hidden(h0)
        v1 = self.sample_visible(self.visible_prob(h, self.draw()))
        return v1, *self.units(h0, h, self.hidden_prob(v1, self.draw()))


class MaskPerExample(Releasing):
    """A fresh mask for each example in each of the three half steps."""

    def draw_all(self, examples):
        return (torch.rand(examples, *self.w.shape) < self.p) * self.w

    def phases(self, v0):
        n = len(v0)
        h0 = torch.einsum("bv,bvh->bh", v0, self.draw_all(n)).add_(self.c).sigmoid_()
        h = self.sample_hidden(h0)
        v1 = torch.einsum("bvh,bh->bv", self.draw_all(n), h).add_(self.b).sigmoid_()
        v1 = self.sample_visible(v1)
        h1 = torch.einsum("bv,bvh->bh", v1, self.draw_all(n)).add_(self.c).sigmoid_()
        return v1, *self.units(h0, h, h1)


class Collapsed(Releasing):
    """Releases that belong to the energy, summed out: an RBM of weff = ln(1 - p + p e^w); dw = q D, da = (q - p) D with
    q = s(a + w). `p` holds 1 - p here, so that no difference from 1 is taken."""

    def refresh(self):
        torch.neg(self.a, out=self.p).sigmoid_()

    def phases(self, v0):
        torch.add(self.a, self.w, out=self.u).neg_().sigmoid_()
        torch.div(self.p, self.u, out=self.masked).log_()
        w = self.masked
        h0 = self.hidden_prob(v0, w)
        h = self.sample_hidden(h0)
        v1 = self.sample_visible(self.visible_prob(h, w))
        return v1, *self.units(h0, h, self.hidden_prob(v1, w))

    def gradients(self):
        torch.sub(self.p, self.u, out=self.g).mul_(self.d)
        self.d.mul_(self.u.neg_().add_(1))


MODES = {
    "plain": Machine,
    "bf16": HalfPrecision,
    "mask-batch": MaskPerBatch,
    "mask-half-step": MaskPerHalfStep,
    "mask-example": MaskPerExample,
    "collapse": Collapsed,
}

TRIAL = "import torch; torch.rand(100, 784).bfloat16() @ torch.rand(784, 500).bfloat16()"


def start(setup):
    """Some virtual machines announce AMX but hide its tiles; there torch's bfloat16 products fail or crash, and run only
    below that level. oneDNN reads its level at the first product, so it can still be set here."""
    crashes = setup["mode"] == "bf16" and subprocess.run([sys.executable, "-c", TRIAL], capture_output=True).returncode
    if crashes:
        os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX512_CORE_FP16"
    machine = MODES[setup["mode"]](setup)
    if crashes:
        machine.version += " (AMX does not work here, AVX-512 does the bfloat16 products)"
    return machine


if __name__ == "__main__":
    peer.serve(start)
