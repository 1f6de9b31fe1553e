//! Batch expectation maximisation on the same patterns, and how far the circuit is from what it would find.

use numerics::{
    Draws,
    stdp::Annealed,
    wta::{BiasRule, Fit, Mixture, Rate, Synthetic, Winner},
};

use super::{
    State, WtaMixture,
    circuit::{Learns, Room},
    observe::judge,
    params::Mode,
    patterns::Patterns,
};
use crate::Metrics;

/// Nats that a step must gain for expectation maximisation to go on.
const TOLERANCE: f64 = 1e-9;
/// Most steps to the nearest optimum for synthetic patterns; for images it is `em_steps`.
const MOST_STEPS: u32 = 5000;
/// A start whose KL is below has found the truth, in nats.
const FOUND: f64 = 0.05;
/// The circuits of `starts` have steps of their own, beyond those of any run and of looking.
const START: u64 = 1 << 41;

/// Batch expectation maximisation from its own starts, next to what the circuit says.
pub(super) fn observe_em(run: &WtaMixture, learned: &Mixture, draws: Draws, out: &mut Metrics) {
    let (rows, weights, pseudo) = (run.patterns.shown(), run.patterns.weights(), pseudo(&run.patterns));
    let independent = Mixture::independent(rows, weights);
    // All steps: with pseudo-counts the likelihood itself may fall on the way.
    let fits = (0..u64::from(run.params.em_starts)).map(|start| {
        let start = Mixture::start(run.params.neurons as usize, rows, weights, (draws, start));
        start.climb(rows, weights, pseudo, (run.params.em_steps, f64::NEG_INFINITY))
    });
    let best = fits.reduce(|best, fit| if fit.log_likelihood > best.log_likelihood { fit } else { best });
    match &run.patterns {
        Patterns::Synthetic(synthetic) => {
            out.scalar("independent_kl", synthetic.divergence(&independent));
            if let Some(best) = best {
                out.scalar("em_kl", synthetic.divergence(&best.mixture));
            }
        }
        Patterns::Images(pictures) => {
            let test = |mixture: &Mixture| mixture.log_likelihood(&pictures.test, None);
            out.scalar("independent_log_likelihood", test(&independent));
            let Some(Fit { mixture, .. }) = best else { return };
            out.scalar("em_log_likelihood", test(&mixture));
            out.scalar("em_gap", test(learned) - test(&mixture));
            if let Some(labels) = &pictures.labels {
                let (entropy, accuracy) = judge(&mixture, pictures, labels);
                out.scalar("em_class_entropy", entropy);
                out.scalar("em_vote_accuracy", accuracy);
            }
        }
    }
}

/// How far the circuit is from the local optimum nearby, and how far its noise would hold it.
pub(super) fn observe_optimum(run: &WtaMixture, state: &State, learned: &Mixture, out: &mut Metrics) {
    if run.params.em_starts == 0 {
        return;
    }
    // Without pseudo-counts, so that every step gains.
    let (rows, weights, pseudo) = (run.patterns.shown(), run.patterns.weights(), 0.0);
    let most = match &run.patterns {
        Patterns::Synthetic(_) => MOST_STEPS,
        Patterns::Images(_) => run.params.em_steps,
    };
    let (next, before) = learned.em_step(rows, weights, pseudo);
    let (mut square, mut n) = (0.0, 0.0);
    for k in 0..learned.components() {
        for (next, p) in next.on(k).iter().zip(learned.on(k)) {
            square += (next - p) * (next - p);
            n += 1.0;
        }
    }
    out.scalar("em_step_norm", (square / n).sqrt());
    let distance = learned.climb(rows, weights, pseudo, (most, TOLERANCE)).log_likelihood - before;
    out.scalar("kl_to_nearest_optimum", distance);
    if let Some(floor) = noise_floor(run, state) {
        out.scalar("noise_floor", floor);
        out.scalar("optimum_ratio", distance / floor);
    }
}

/// η/4 for each pixel and η_b/4 for each component but one: component k errs in each of its probabilities with variance
/// η p (1 − p)/2, which costs π_k η/4, and Σ π_k = 1. None where rates differ between synapses or noise has other
/// sources.
fn noise_floor(run: &WtaMixture, state: &State) -> Option<f64> {
    let learning = &run.rules.learning;
    let least = state.circuit.spikes().iter().copied().min()?;
    let eta = match learning.rate {
        Rate::Constant(eta) => eta,
        Rate::Annealed(rate @ Annealed { floor, .. }) if rate.at(least) == floor => floor,
        Rate::Annealed(_) | Rate::VarianceTracking(_) => return None,
    };
    let is_plain = run.params.mode == Mode::Ideal
        && run.params.winner_rule() == Winner::Softmax
        && learning.levels.is_none()
        && run.params.mismatch_sd == 0.0
        && run.params.drop_spikes == 0.0;
    let eta_b = match learning.bias {
        BiasRule::Prior { eta, .. } => eta,
        BiasRule::Fixed | BiasRule::Homeostatic { .. } => 0.0,
    };
    let components = (run.params.neurons - 1) as f64;
    (is_plain && eta > 0.0).then_some(eta / 4.0 * run.patterns.pixels() as f64 + eta_b / 4.0 * components)
}

/// What the patterns' own counts are mixed with: half a pattern of on and of off; nothing where p* is known.
fn pseudo(patterns: &Patterns) -> f64 {
    match patterns {
        Patterns::Synthetic(_) => 0.0,
        Patterns::Images(pictures) => 0.5 / pictures.train.len() as f64,
    }
}

/// Trains further circuits, each from a start of its own, and batch EM from the same starts.
pub(super) fn observe_starts(run: &WtaMixture, synthetic: &Synthetic, out: &mut Metrics) {
    let (rows, weights) = (&synthetic.patterns, Some(&synthetic.probability[..]));
    let climb = |mixture: &Mixture| mixture.climb(rows, weights, 0.0, (MOST_STEPS, TOLERANCE)).mixture;
    let (mut learned, mut fitted, mut nearest) = (Vec::new(), Vec::new(), Vec::new());
    let mut room = Room::default();
    for start in 0..u64::from(run.params.starts) {
        let first = START * (start + 1);
        let draws = |step| Draws::at(run.seed, first + step);
        let mut circuit = run.rules.start(&run.params, None, draws(0));
        fitted.push(synthetic.divergence(&climb(&run.rules.mixture(&circuit))));
        for step in 0..run.params.presentations {
            let pattern = run.patterns.draw(draws(step), 0);
            run.rules.show(&mut circuit, None, pattern, Learns::Yes, draws(step), &mut room);
        }
        let mixture = run.rules.mixture(&circuit);
        let divergence = synthetic.divergence(&mixture);
        learned.push(divergence);
        nearest.push(divergence - synthetic.divergence(&climb(&mixture)));
    }
    let share = |kl: &[f64]| kl.iter().filter(|kl| **kl < FOUND).count() as f64 / kl.len() as f64;
    if !learned.is_empty() {
        out.scalar("global_share", share(&learned));
        out.scalar("em_global_share", share(&fitted));
        for (name, mut values) in
            [("kl_of_starts", learned), ("em_kl_of_starts", fitted), ("optimum_kl_of_starts", nearest)]
        {
            values.sort_by(f64::total_cmp);
            out.vector(name, &values.into_iter().map(|kl| kl as f32).collect::<Vec<f32>>());
        }
    }
}

/// Averages over spikes against theory, for the inputs that are on with probability `lo` and `1 − lo`.
pub(super) fn observe_equilibrium(run: &WtaMixture, state: &State, synthetic: &Synthetic, out: &mut Metrics) {
    let (Some(averages), Rate::Constant(eta)) = (&state.averages, run.rules.learning.rate) else { return };
    let truth = synthetic.truth.on(0);
    // Input 2i is on while pixel i is off.
    let probability = |input: usize| if input % 2 == 1 { truth[input / 2] } else { 1.0 - truth[input / 2] };
    let of = |p: f64| {
        // One input of a pixel only: at p = ½ both have it, and what one does the other does not.
        let has = |input: usize| (probability(input) - p).abs() < 1e-9;
        let is_one = |input: usize| has(input) && (input % 2 == 1 || !has(input + 1));
        averages.equilibrium((run.rules.learning.stdp, eta, p), is_one)
    };
    if let (Some(low), Some(high)) = (of(run.params.lo), of(1.0 - run.params.lo)) {
        let both = [low, high];
        let greatest = |values: [f64; 2]| values[0].abs().max(values[1].abs());
        out.scalar("equilibrium_error", greatest(both.each_ref().map(|found| found.error)));
        out.vector("equilibrium_sd_ratio", &both.each_ref().map(|found| found.sd_ratio as f32));
        out.scalar("equilibrium_sd_error", greatest(both.each_ref().map(|found| found.sd_ratio - 1.0)));
        out.scalar("equilibrium_identity_z", greatest(both.each_ref().map(|found| found.identity_z)));
    }
}
