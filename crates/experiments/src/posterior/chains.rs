//! Chains on a density that is known.

use numerics::{
    Draws, Stream,
    sde::{
        FokkerPlanck, GridLaw, OrnsteinUhlenbeck, Target,
        samplers::{Langevin, Tempering},
    },
    stats,
};
use serde::{Deserialize, Serialize};

use super::{
    Params,
    params::{Flaw, Sampler},
    target::{HALF_WIDTH, Known, Law, PRIOR_MEAN},
};
use crate::{
    Metrics,
    sampling::{scalar_if_finite, singles},
};

/// Chains whose way is kept.
const TRACED: usize = 16;
/// Times at which the law of the chains is held against the Fokker–Planck equation, in b t.
pub(super) const TIMES: [f64; 5] = [0.03, 0.1, 0.3, 1.0, 3.0];
/// Points of each sample in a comparison of the plane.
const COMPARED: usize = 4000;

/// A density, and what is known of it.
pub(super) struct Chains {
    target: Known,
    /// Cholesky factor, for the preconditioned sampler.
    factor: Vec<f64>,
    /// Laws at [`TIMES`], if they are followed.
    laws: Vec<GridLaw>,
    /// Prior and noise over half a step.
    half_prior: numerics::sde::LinearStep,
}

/// Everything that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChainState {
    pub(super) steps: u64,
    /// θ, point by point.
    x: Vec<f64>,
    /// Velocities of the second order.
    v: Vec<f64>,
    /// First number of the traced chains, step by step.
    trace: Vec<f64>,
    /// √M D at [`TIMES`] that have passed.
    distances: Vec<f64>,
}

impl ChainState {
    /// Numbers of all points.
    pub(super) fn points(&self) -> usize {
        self.x.len()
    }
}

impl Chains {
    pub(super) fn new(params: &Params, target: Known) -> Self {
        let factor = match params.sampler {
            Sampler::Preconditioned => target.factor(params.temperature),
            _ => Vec::new(),
        };
        let laws = if params.transient { laws_in_time(params, &target) } else { Vec::new() };
        let prior = OrnsteinUhlenbeck { b: 1.0, mu: PRIOR_MEAN, sigma: 1.0, temperature: params.temperature };
        Self { target, factor, laws, half_prior: prior.exact(0.5 * params.h) }
    }

    pub(super) fn init(&self, params: &Params, draws: Draws) -> ChainState {
        let n = params.chains as usize * params.points() * self.target.dimensions();
        let mut x = vec![params.start; n];
        if !params.transient {
            // Wider than any target, so that both modes are found.
            draws.fill_normal(Stream::SynapseInit, 0, &mut x);
            x.iter_mut().for_each(|z| *z *= 1.5);
        }
        let v = if params.sampler == Sampler::Underdamped { vec![0.0; n] } else { Vec::new() };
        ChainState { steps: 0, x, v, trace: Vec::new(), distances: Vec::new() }
    }

    /// Step `k` of a block.
    pub(super) fn advance(
        &self,
        params: &Params,
        state: &mut ChainState,
        z: &mut [f64],
        draws: Draws,
        k: u64,
    ) {
        let n = state.x.len() as u64;
        draws.fill_normal(Stream::SynapseDiffusion, k * n, z);
        let langevin = Langevin::new(params.h, params.temperature);
        let x = &mut state.x;
        match params.sampler {
            Sampler::Overdamped => self.euler_maruyama(params, x, z),
            Sampler::Underdamped => {
                langevin.underdamped(&self.target, params.friction, x, &mut state.v, z);
            }
            Sampler::Preconditioned => langevin.preconditioned(&self.target, &self.factor, x, z),
            Sampler::Split => {
                let step = &self.half_prior;
                for (x, z) in x.iter_mut().zip(z.iter()) {
                    let half = step.of(*x, *z);
                    *x = half + params.h * Known::poisson_likelihood(half);
                }
                draws.fill_normal(Stream::SynapsePairing, k * n, z);
                x.iter_mut().zip(z).for_each(|(x, z)| *x = step.of(*x, *z));
            }
            Sampler::ParallelTempering => {
                let (cold, hot) = (params.temperature, params.temperature * params.hot);
                let tempering = Tempering::geometric(cold, hot, params.replicas as usize);
                tempering.step(langevin, &self.target, x, z);
                let u = &mut z[..n as usize / self.target.dimensions()];
                draws.fill_uniform_f64(Stream::SynapseSwap, k * u.len() as u64, u);
                tempering.exchange(&self.target, state.steps, x, u);
            }
        }
        state.steps += 1;
        if state.steps.is_multiple_of(thinning(params)) {
            let stride = self.target.dimensions() * params.points();
            state.trace.extend(state.x.iter().step_by(stride).take(TRACED));
        }
        if let Some(law) = self.laws.get(state.distances.len())
            && state.steps as f64 * params.h >= TIMES[state.distances.len()] - 1e-9
        {
            state.distances.push(scaled_distance(&state.x, law));
        }
    }

    /// Overdamped, with a learning rate that may depend on θ, and with the flaws that tests must notice.
    fn euler_maruyama(&self, params: &Params, x: &mut [f64], z: &[f64]) {
        let dimensions = self.target.dimensions();
        let spread = match params.flaw {
            Flaw::NoiseSd => params.temperature,
            _ => params.temperature.sqrt(),
        };
        let corrected = if params.flaw == Flaw::UncorrectedRate { 0.0 } else { params.temperature };
        let mut gradient = vec![0.0; dimensions];
        for (x, z) in x.chunks_exact_mut(dimensions).zip(z.chunks_exact(dimensions)) {
            self.target.gradient(x, &mut gradient);
            if params.flaw == Flaw::NoChainRule {
                // Without dw/dθ = e^θ.
                gradient[0] = PRIOR_MEAN - x[0] + Known::poisson_likelihood(x[0]) * libm::exp(-x[0]);
            }
            for ((x, z), gradient) in x.iter_mut().zip(z).zip(&gradient) {
                let (b, slope) = self.target.rate(*x);
                let noise = (2.0 * params.h * b).sqrt() * spread * z;
                *x += params.h * (b * gradient + corrected * slope) + noise;
            }
        }
    }

    pub(super) fn observe(&self, params: &Params, state: &ChainState, draws: Draws, out: &mut Metrics) {
        let dimensions = self.target.dimensions();
        let cold: Vec<f64> =
            (state.x.chunks_exact(dimensions).step_by(params.points())).flatten().copied().collect();
        let first: Vec<f64> = cold.iter().step_by(dimensions).copied().collect();
        out.scalar("mean", stats::mean(&first));
        out.scalar("sd", stats::sd(&first));
        if !out.is_last() {
            return;
        }
        match self.target.law(params.temperature) {
            Law::Line(law) => out.scalar("ks", scaled_distance(&cold, &law)),
            Law::Plane(law) => {
                let n = COMPARED.min(params.chains as usize);
                let mut u = vec![0.0; 3 * n];
                draws.fill_uniform_f64(Stream::ObserveReference, 0, &mut u);
                let drawn: Vec<f64> = u.chunks_exact(3).flat_map(|u| law.point([u[0], u[1], u[2]])).collect();
                out.scalar("energy_ratio", energy_ratio(&cold[..2 * n], &drawn));
                out.matrix("points", 2, &singles(cold[..2 * n.min(1000)].iter().copied()));
            }
        }
        let time = thinning(params) as f64 * autocorrelation(&state.trace);
        scalar_if_finite(out, "autocorrelation_steps", time);
        let edges: Vec<f64> = (0..=80).map(|i| -4.0 + f64::from(i) / 10.0).collect();
        out.histogram("density", &edges, &stats::histogram(first.iter().copied(), &edges));
        if params.transient {
            out.vector("transient_ks", &singles(state.distances.iter().copied()));
        }
    }
}

/// √M times Kolmogorov's D.
pub(super) fn scaled_distance(x: &[f64], law: &GridLaw) -> f64 {
    stats::ks_statistic(x, |x| law.cdf(x)) * (x.len() as f64).sqrt()
}

/// Energy distance of two samples of n points of the plane over its mean for equal laws.
fn energy_ratio(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len() as f64 / 2.0;
    let apart: Vec<f64> = (x.chunks_exact(2).zip(y.chunks_exact(2)))
        .map(|(x, y)| ((x[0] - y[0]) * (x[0] - y[0]) + (x[1] - y[1]) * (x[1] - y[1])).sqrt())
        .collect();
    stats::energy_distance(x, y, 2) * n / (2.0 * stats::mean(&apart))
}

/// Steps between two points of the trace: at most 10,000 are kept.
fn thinning(params: &Params) -> u64 {
    u64::from(params.steps).div_ceil(10_000)
}

/// Mean autocorrelation time of the traced chains over the second half, in points of the trace; NaN for a few steps.
fn autocorrelation(trace: &[f64]) -> f64 {
    let steps = trace.len() / TRACED;
    if steps < 20 {
        return f64::NAN;
    }
    let times: Vec<f64> = (0..TRACED)
        .map(|chain| {
            let series: Vec<f64> =
                trace[steps / 2 * TRACED..].iter().skip(chain).step_by(TRACED).copied().collect();
            stats::autocorrelation_time(&series)
        })
        .collect();
    stats::mean(&times)
}

/// Laws of chains from one point at [`TIMES`].
fn laws_in_time(params: &Params, target: &Known) -> Vec<GridLaw> {
    let interval = (-HALF_WIDTH, HALF_WIDTH);
    let log = |x: f64| target.log_density(&[x]);
    let mut density =
        FokkerPlanck::new(log, |x| target.rate(x).0, params.temperature, interval, 4000, params.start);
    let mut from = 0.0;
    TIMES
        .map(|to| {
            density.advance(from, to, 2e-5);
            from = to;
            density.law()
        })
        .to_vec()
}
