//! Observing the running network: read-outs and answers.

use numerics::{
    bayes::{
        module::divergence,
        running::{Occupancy, ReadOut},
    },
    stats::effective_size,
};

use super::{
    BayesNet, State,
    chains::{Chain, Runner, worst},
    observe::{NEVER, mean, single, variation},
};
use crate::Metrics;

impl BayesNet {
    /// Chains of the free run.
    fn free<'a>(&self, state: &'a State) -> &'a [Chain] {
        &state.chains.chains[..(self.params.chains as usize).min(state.chains.chains.len())]
    }

    /// Share of the time of every state in the free run.
    pub(super) fn free_read(&self, state: &State) -> Option<Vec<f64>> {
        let read = pooled(self.free(state), |chain| &chain.learned)?;
        (!read.joint.is_empty() && read.seconds > 0.0)
            .then(|| read.joint.iter().map(|seconds| seconds / read.seconds).collect())
    }

    /// The three read-outs, each by its name.
    pub(super) fn observe_read_outs(&self, state: &State, out: &mut Metrics) {
        let (Some((_, joint)), Some(held)) = (&self.joint, self.free_read(state)) else { return };
        let shares = |read: &ReadOut| {
            let n = (read.valid + read.silent + read.double).max(1) as f64;
            [read.valid, read.silent, read.double].map(|times| times as f64 / n)
        };
        let reads = state.chains.potentials.iter().map(|chain| &chain.read);
        let all: Vec<[f64; 3]> = [[1.0, 0.0, 0.0]].into_iter().chain(reads.clone().map(shares)).collect();
        for (at, name) in ["read_valid", "read_silent", "read_double"].into_iter().enumerate() {
            out.vector(name, &all.iter().map(|shares| shares[at] as f32).collect::<Vec<f32>>());
        }
        let seen = reads.map(|read| {
            read.joint.iter().map(|times| *times as f64 / read.valid.max(1) as f64).collect::<Vec<f64>>()
        });
        let laws: Vec<Vec<f64>> = [held].into_iter().chain(seen).collect();
        let floored = |law: &Vec<f64>| law.iter().map(|p| p.max(NEVER)).collect::<Vec<f64>>();
        let kl: Vec<f64> = laws.iter().map(|law| divergence(joint, &floored(law))).collect();
        let tv: Vec<f64> = laws.iter().map(|law| variation(joint, law)).collect();
        out.vector("read_kl", &single(&kl));
        out.vector("read_tv", &single(&tv));
    }

    /// Answers of the running network beside the truth and those of an ideal sampler.
    pub(super) fn observe_answers(&self, state: &State, out: &mut Metrics) {
        let (mut truth, mut learned, mut spread) = (Vec::new(), Vec::new(), Vec::new());
        let (mut errors, mut ideal_errors, mut latency) = (Vec::new(), Vec::new(), Vec::new());
        let mut greatest: f64 = 0.0;
        for (query, chains) in state.chains.chains.chunks(self.params.chains as usize).enumerate() {
            let (asked, exact) = &self.asked[query];
            let pool = |of: fn(&Chain) -> &Runner| pooled(chains, of).expect("there is a chain");
            let (read, ideal) = (pool(|chain| &chain.learned), pool(|chain| &chain.ideal));
            let (mut error, mut ideal_error, mut n) = (0.0, 0.0, 0.0);
            for &at in &asked.of {
                for (value, p) in exact.marginals[at].iter().enumerate() {
                    let answers: Vec<f64> =
                        chains.iter().map(|chain| chain.learned.read.share(at, value)).collect();
                    if query > 0 {
                        truth.push(*p);
                        learned.push(read.share(at, value));
                        spread.push(deviation(&answers));
                    }
                    error += (read.share(at, value) - p).abs();
                    ideal_error += (ideal.share(at, value) - p).abs();
                    n += 1.0;
                }
            }
            errors.push(error / n);
            ideal_errors.push(ideal_error / n);
            greatest = greatest.max(worst(&read, asked, exact));
            latency.push(mean(&chains.iter().map(|chain| chain.late_s).collect::<Vec<f64>>()));
        }
        if !truth.is_empty() {
            out.vector("query_true", &single(&truth));
            out.vector("query_learned", &single(&learned));
            out.vector("query_sd", &single(&spread));
        }
        out.scalar("query_worst", greatest);
        out.vector("query_mae", &single(&errors));
        out.vector("ideal_mae", &single(&ideal_errors));
        out.scalar("mae_ratio", mean(&errors) / mean(&ideal_errors).max(f64::MIN_POSITIVE));
        out.vector("inference_latency_s", &single(&latency));
        self.observe_mixing(state, out);
    }

    /// What the free run is worth, in independent samples, and its law put together from families.
    fn observe_mixing(&self, state: &State, out: &mut Metrics) {
        let chains = self.free(state);
        let (_, exact) = &self.asked[0];
        let mut families = chains[0].families.clone().expect("the free run reads families");
        chains[1..].iter().filter_map(|chain| chain.families.as_ref()).for_each(|other| families.add(other));
        // Half an event in every cell.
        let prior = 0.5 / self.params.rate_hz;
        out.scalar("families_kl", families.divergence(&self.network, &exact.families, prior));
        let seconds = f64::from(self.params.sample_s) * chains.len() as f64;
        let worth = |of: fn(&Chain) -> &Runner| {
            let series: Vec<&[f32]> = chains.iter().map(|chain| of(chain).seconds.as_slice()).collect();
            self.slowest(&series)
        };
        let (learned, ideal) = (worth(|chain| &chain.learned), worth(|chain| &chain.ideal));
        out.scalar("effective_samples", learned);
        out.scalar("ideal_effective_samples", ideal);
        out.scalar("mixing_s", seconds / learned);
        out.scalar("ideal_mixing_s", seconds / ideal);
    }

    /// Effective samples of the value that has the fewest, of those with a true variance of 0.01 at least; of all if none has.
    fn slowest(&self, series: &[&[f32]]) -> f64 {
        let marginals: Vec<f64> = self.asked[0].1.marginals.iter().flatten().copied().collect();
        let cells = marginals.len();
        let variances: Vec<f64> = marginals.iter().map(|p| p * (1.0 - p)).collect();
        let some = variances.iter().any(|variance| *variance >= 0.01);
        let worth = |cell: usize| {
            let chains: Vec<Vec<f64>> = (series.iter())
                .map(|chain| chain.iter().skip(cell).step_by(cells).map(|x| f64::from(*x)).collect())
                .collect();
            effective_size(&chains, variances[cell])
        };
        let judged = (0..cells).filter(|&cell| variances[cell] >= 0.01 || (!some && variances[cell] > 0.0));
        judged.map(worth).fold(f64::MAX, f64::min)
    }
}

fn pooled(chains: &[Chain], of: impl Fn(&Chain) -> &Runner) -> Option<Occupancy> {
    let (first, rest) = chains.split_first()?;
    let mut all = of(first).read.clone();
    rest.iter().for_each(|chain| all.add(&of(chain).read));
    Some(all)
}

/// 0 for a single answer.
fn deviation(xs: &[f64]) -> f64 {
    let mean = mean(xs);
    let squares = xs.iter().fold(0.0, |sum, x| sum + (x - mean) * (x - mean));
    (squares / (xs.len() as f64 - 1.0).max(1.0)).sqrt()
}
