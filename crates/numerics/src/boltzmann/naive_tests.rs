//! Steps against a dense one in f64, straight from the equations, with draws from the same addresses.

use super::super::law::suite_tests::LAWS;
use super::super::law::{Law, Outcome, Synapse};
use super::super::{Chain, Masks, Parameters, Statistics, Synapses, synapse_index, unit_index};
use super::tests::random_case;
use super::*;
use crate::Stream;
use crate::logistic::sigmoid;
use ndarray::{Array1, Array2, Axis};

struct Naive {
    synapses: Synapses,
    law: Law,
    /// w, a, ln s, b, c and their velocities; vectors are matrices of one row.
    x: [Array2<f64>; 5],
    velocity: [Array2<f64>; 5],
    chains: Array2<f64>,
}

fn uniform(stream: Stream, index: u64, draws: Draws) -> f64 {
    let mut u = [0.0];
    draws.fill_uniform(stream, index, &mut u);
    f64::from(u[0])
}

fn normal(index: u64, draws: Draws) -> f64 {
    let mut z = [0.0];
    draws.fill_normal(Stream::SynapseNoise, index, &mut z);
    z[0]
}

fn fires(p: &Array2<f64>, stream: Stream, sweep: usize, draws: Draws) -> Array2<f64> {
    Array2::from_shape_fn(p.dim(), |(example, unit)| {
        let u = uniform(stream, unit_index(sweep, example, unit), draws);
        f64::from(u8::from(u < p[[example, unit]]))
    })
}

/// What a half sweep of one example needs to know of a weight.
#[derive(Clone, Copy)]
struct At {
    half_sweep: usize,
    example: usize,
    masks: Masks,
}

impl Naive {
    fn of(state: &State) -> Self {
        let Parameters { synapses, w, a, b, c, law, log_sd } = &state.parameters;
        let wide =
            |x: &Array2<f32>| if x.is_empty() { Array2::zeros(w.raw_dim()) } else { x.mapv(f64::from) };
        let row = |x: &Array1<f32>| x.mapv(f64::from).insert_axis(Axis(0));
        let x = [wide(w), wide(a), wide(log_sd), row(b), row(c)];
        let velocity = x.each_ref().map(|x| Array2::zeros(x.raw_dim()));
        let chains = state.chains.hidden.to_dense().mapv(f64::from);
        Self { synapses: *synapses, law: *law, x, velocity, chains }
    }

    fn synapse(&self, at: (usize, usize)) -> Synapse {
        Synapse { w: self.x[0][at], a: self.x[1][at], log_sd: self.x[2][at] }
    }

    /// The draw of W_ij in model B.
    fn outcome(&self, (i, j): (usize, usize), at: At, draws: Draws) -> Outcome {
        let (v, h) = self.x[0].dim();
        let index = match at.masks {
            Masks::Batch => synapse_index(0, 0, i * h + j),
            Masks::HalfStep => synapse_index(at.half_sweep, 0, i * h + j),
            Masks::Example if at.half_sweep.is_multiple_of(2) => {
                synapse_index(at.half_sweep, at.example, i * h + j)
            }
            Masks::Example => synapse_index(at.half_sweep, at.example, j * v + i),
        };
        let (u, z) = (uniform(Stream::Mask, index, draws), normal(index, draws));
        self.law.with(|law| law.draw(self.synapse((i, j)), u, z))
    }

    fn weight(&self, place: (usize, usize), at: At, draws: Draws) -> f64 {
        match self.synapses {
            Synapses::Reliable => self.x[0][place],
            Synapses::JointEnergy => self.law.with(|law| law.log_mgf(self.synapse(place))),
            Synapses::PriorMixture => self.outcome(place, at, draws).weight,
        }
    }

    fn up(&self, v: &Array2<f64>, masks: Masks, half_sweep: usize, draws: Draws) -> Array2<f64> {
        Array2::from_shape_fn((v.nrows(), self.x[4].len()), |(example, j)| {
            let at = At { half_sweep, example, masks };
            let on = (0..v.ncols()).filter(|&i| v[[example, i]] > 0.0);
            sigmoid(on.fold(self.x[4][[0, j]], |sum, i| sum + self.weight((i, j), at, draws)))
        })
    }

    fn down(&self, h: &Array2<f64>, masks: Masks, half_sweep: usize, draws: Draws) -> Array2<f64> {
        Array2::from_shape_fn((h.nrows(), self.x[3].len()), |(example, i)| {
            let at = At { half_sweep, example, masks };
            let on = (0..h.ncols()).filter(|&j| h[[example, j]] > 0.0);
            sigmoid(on.fold(self.x[3][[0, i]], |sum, j| sum + self.weight((i, j), at, draws)))
        })
    }

    /// Derivatives that multiply D: by w, a and ln s.
    fn slopes(&self, masks: Masks, draws: Draws) -> [Array2<f64>; 3] {
        let slope = |place| {
            let synapse = self.synapse(place);
            match (self.synapses, masks) {
                (Synapses::Reliable, _) => [1.0, 0.0, 0.0],
                (Synapses::JointEnergy, _) => {
                    let slope = self.law.with(|law| law.log_mgf_slope(synapse));
                    [slope.w, slope.a, slope.log_sd]
                }
                (Synapses::PriorMixture, _) => {
                    let at = At { half_sweep: 0, example: 0, masks: Masks::Batch };
                    let outcome = self.outcome(place, at, draws);
                    let path = self.law.with(|law| law.path(synapse, outcome));
                    if masks == Masks::Batch {
                        [path.w, path.a, path.log_sd]
                    } else {
                        [
                            1.0,
                            if self.law.releases() {
                                sigmoid(synapse.a) * sigmoid(-synapse.a) * synapse.w
                            } else {
                                0.0
                            },
                            0.0,
                        ]
                    }
                }
            }
        };
        [0, 1, 2].map(|part| Array2::from_shape_fn(self.x[0].dim(), |place| slope(place)[part]))
    }

    /// n times the gradients of w and ln s from weights drawn given the units.
    fn sampled(&self, ends: [(&Array2<f64>, &Array2<f64>); 2], draws: Draws) -> [Array2<f64>; 2] {
        let h = self.x[0].ncols();
        [0, 1].map(|part| {
            Array2::from_shape_fn(self.x[0].dim(), |(i, j)| {
                let synapse = self.synapse((i, j));
                let mut sum = 0.0;
                for (phase, (v, ph)) in ends.iter().enumerate() {
                    for example in (0..v.nrows()).filter(|&example| v[[example, i]] > 0.0) {
                        let index = synapse_index(phase, example, i * h + j);
                        let (u, z) = (uniform(Stream::Posterior, index, draws), normal(index, draws));
                        let outcome = self.law.with(|law| law.draw(law.tilted(synapse), u, z));
                        let path = self.law.with(|law| law.path(synapse, outcome));
                        let sign = if phase == 0 { 1.0 } else { -1.0 };
                        sum += sign * ph[[example, j]] * [path.w, path.log_sd][part];
                    }
                }
                sum
            })
        })
    }

    fn step(&mut self, v0: &Array2<f64>, learning: &Learning, method: &Method, draws: Draws) {
        let masks = learning.masks;
        let kept = Array2::from_shape_fn((v0.nrows(), self.x[4].len()), |(example, j)| {
            let u = uniform(Stream::Dropout, unit_index(0, example, j), draws);
            f64::from(u8::from(method.dropout == 0.0 || u >= method.dropout))
        });
        let mut ph0 = self.up(v0, masks, 0, draws) * &kept;
        let first = fires(&ph0, Stream::Hidden, 0, draws);
        let mut h = match learning.chain {
            Chain::Cd { .. } => first.clone(),
            Chain::Pcd { .. } => self.chains.clone(),
        };
        let (mut vk, mut phk) = (v0.clone(), ph0.clone());
        for sweep in 1..=learning.chain.sweeps() {
            vk = fires(&self.down(&h, masks, 2 * sweep - 1, draws), Stream::Visible, sweep, draws);
            phk = self.up(&vk, masks, 2 * sweep, draws) * &kept;
            h = fires(&phk, Stream::Hidden, sweep, draws);
        }
        if learning.statistics == Statistics::Samples {
            (ph0, phk) = (first, h.clone());
        }
        self.chains = h;
        let n = v0.nrows() as f64;
        let pairs = |v: &Array2<f64>, h: &Array2<f64>| {
            Array2::from_shape_fn((v.ncols(), h.ncols()), |(i, j)| {
                (0..v.nrows()).map(|example| v[[example, i]] * h[[example, j]]).sum::<f64>()
            })
        };
        let d = (pairs(v0, &ph0) - pairs(&vk, &phk)) / n;
        let mean = |x: Array2<f64>| (x.sum_axis(Axis(0)) / n).insert_axis(Axis(0));
        let [mut gw, ga, mut gs] = self.slopes(masks, draws).map(|slope| slope * &d);
        if method.estimator == Estimator::Sampled {
            [gw, gs] = self.sampled([(v0, &ph0), (&vk, &phk)], draws).map(|sum| sum / n);
        }
        let gradients = [gw - learning.weight_decay * &self.x[0], ga, gs, mean(v0 - &vk), mean(ph0 - &phk)];
        let eta = learning.eta_w;
        let frozen = method.release_rule == ReleaseRule::Frozen;
        let rates = [eta, if frozen { 0.0 } else { eta * learning.release_rate_ratio }, eta, eta, eta];
        for (k, gradient) in gradients.iter().enumerate() {
            self.velocity[k] = learning.momentum * &self.velocity[k] + rates[k] * gradient;
            self.x[k] = &self.x[k] + &self.velocity[k];
        }
        self.x[1].mapv_inplace(|a| a.clamp(-learning.a_limit, learning.a_limit));
        if self.law.spreads() {
            self.x[2].mapv_inplace(|x| x.clamp(libm::log(0.01), 0.0));
        }
    }
}

/// The greatest difference after five steps, with the name of what differs.
fn compare(synapses: Synapses, law: Law, learning: Learning, method: Method) {
    // Odd sizes: no multiple of a block, a vector or a random block.
    let (mut state, batch) = random_case((synapses, law), 11, 37, 21);
    let mut naive = Naive::of(&state);
    let v0 = batch.to_dense().mapv(f64::from);
    let mut scratch = Scratch::default();
    for t in 0..3 {
        step_by(&mut state, &batch, (&learning, &method), &mut scratch, Draws::at(9, t));
        naive.step(&v0, &learning, &method, Draws::at(9, t));
    }
    let ours = Naive::of(&state);
    for (name, (x, y)) in ["w", "a", "log_sd", "b", "c"].iter().zip(ours.x.iter().zip(&naive.x)) {
        // Three steps of f32 sums of up to 37 terms: 37·3·6e-8 ≈ 7e-6, times the rate 1.6 of a.
        let worst = (x - y).iter().fold(0.0_f64, |m, d| m.max(d.abs()));
        assert!(worst < 2e-5, "{synapses:?} {law:?} {learning:?} {method:?} {name}: {worst}");
    }
    if let Chain::Pcd { .. } = learning.chain {
        assert_eq!(ours.chains, naive.chains, "{synapses:?} {law:?}");
    }
}

fn learning(chain: Chain) -> Learning {
    Learning { chain, a_limit: 1.5, weight_decay: 0.01, ..Learning::default() }
}

const CD: Chain = Chain::Cd { k: 1 };
const ENSEMBLES: [Synapses; 3] = [Synapses::Reliable, Synapses::JointEnergy, Synapses::PriorMixture];

#[test]
fn steps_of_every_ensemble_and_chain_agree_with_a_naive_one_in_double_precision() {
    for synapses in ENSEMBLES {
        for chain in [CD, Chain::Cd { k: 3 }, Chain::Pcd { k: 2 }] {
            for statistics in [Statistics::Probabilities, Statistics::Samples] {
                let learning = Learning { statistics, ..learning(chain) };
                compare(synapses, Law::Bernoulli, learning, Method::default());
            }
        }
    }
}

#[test]
fn steps_of_every_law_agree_with_a_naive_one() {
    for &law in LAWS {
        for synapses in [Synapses::JointEnergy, Synapses::PriorMixture] {
            compare(synapses, law, learning(CD), Method::default());
        }
    }
}

#[test]
fn fresh_weights_of_every_law_agree_with_naive_ones() {
    for &law in LAWS {
        for masks in [Masks::HalfStep, Masks::Example] {
            let learning = Learning { masks, ..learning(Chain::Cd { k: 2 }) };
            compare(Synapses::PriorMixture, law, learning, Method::default());
        }
    }
}

#[test]
fn sampled_estimates_of_every_law_agree_with_naive_ones() {
    for &law in LAWS {
        let method = Method { estimator: Estimator::Sampled, ..Method::default() };
        compare(Synapses::JointEnergy, law, learning(CD), method);
    }
}

#[test]
fn dropout_and_frozen_releases_agree_with_naive_ones() {
    for synapses in ENSEMBLES {
        let method = Method { dropout: 0.4, release_rule: ReleaseRule::Frozen, ..Method::default() };
        compare(synapses, Law::Bernoulli, learning(Chain::Cd { k: 2 }), method);
    }
}
