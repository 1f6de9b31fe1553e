//! The winner-take-all circuit against simulators of spiking networks: the same inputs, rates and rule of learning.

pub(crate) mod case;
mod ours;

use std::path::Path;

use anyhow::{Context, bail, ensure};
use kernels::Level;
use numerics::wta::Mixture;
use serde_json::{Map, Value as Json, json};

use crate::{
    floors::Floors,
    line::{Line, Report},
    mnist::Mnist,
    peer::Peer,
    ratio::{Rates, median},
    select::Selection,
};
use case::{CASES, CIRCUIT_HZ, Case, GROWTH, PRESENTATIONS, Simulator, TURN_SECONDS, Work};
use ours::{Ours, Patterns};

const UNIT: &str = "simulated s/CPU s";
/// Turns of ours where there is no peer.
const TURNS: usize = 3;
/// How far the log-likelihoods of test patterns may be apart, as a part of what was learned: both sides draw their own
/// spikes and find their own local optimum.
const SAME: f64 = 0.1;

/// Measures what is selected.
///
/// # Errors
/// If MNIST or a peer is not to be had.
pub(crate) fn run(
    selection: &Selection,
    floors: &Floors,
    pairs: u32,
    report: &mut Report,
) -> anyhow::Result<()> {
    if !selection.wants_wta() {
        return Ok(());
    }
    let mnist = Mnist::load()?;
    for case in CASES.iter().filter(|case| selection.wants(&case.name())) {
        for &simulator in
            case.simulators.iter().filter(|simulator| !selection.skips(simulator.program().name()))
        {
            eprintln!("{} against {}", case.name(), simulator.name());
            report.push(compare(case, simulator, &mnist, floors, pairs)?);
        }
    }
    for case in GROWTH.iter().filter(|case| selection.wants(&case.name())) {
        report.push(alone(case, &mnist, TURNS)?);
    }
    Ok(())
}

/// Ours alone, every case briefly; valid if the circuit fires at its rate and learns.
///
/// # Errors
/// If MNIST is not to be had.
pub(crate) fn smoke(selection: &Selection, report: &mut Report) -> anyhow::Result<()> {
    if !selection.wants_wta() {
        return Ok(());
    }
    let mnist = Mnist::load()?;
    for case in CASES.iter().filter(|case| selection.wants(&case.name())) {
        report.push(alone(case, &mnist, 1)?);
    }
    Ok(())
}

fn alone(case: &Case, mnist: &Mnist, turns: usize) -> anyhow::Result<Line> {
    let patterns = Patterns::new(case, mnist)?;
    let mut ours = Ours::start(case, &patterns)?;
    let before = ours.mixture()?.log_likelihood(&patterns.test, None);
    let rates = (0..turns).map(|_| Ok(TURN_SECONDS / ours.turn()?)).collect::<anyhow::Result<Vec<f64>>>()?;
    let after = ours.mixture()?.log_likelihood(&patterns.test, None);
    let hz = ours.circuit_hz()?;
    eprintln!("{}: log-likelihood {before:.1} → {after:.1}, {hz:.1} Hz", case.name());
    Ok(Line::alone(case.name(), median(&rates), UNIT, after > before && is_at_rate(hz, turns as f64)))
}

fn compare(
    case: &Case,
    simulator: Simulator,
    mnist: &Mnist,
    floors: &Floors,
    pairs: u32,
) -> anyhow::Result<Line> {
    let (patterns, folder) = (Patterns::new(case, mnist)?, tempfile::tempdir()?);
    let mut ours = Ours::start(case, &patterns)?;
    let start = ours.mixture()?.log_likelihood(&patterns.test, None);
    let (mut peer, version) = Peer::start(simulator.program(), setup(case, &patterns, folder.path())?)?;
    eprintln!("  {} {version}", simulator.name());
    let (mut rates, mut hz, mut learned) = (Rates::default(), Vec::new(), None);
    for _ in 0..pairs {
        rates.ours.push(TURN_SECONDS / ours.turn()?);
        // A simulator begins each turn anew: it is held against ours after one turn.
        if learned.is_none() {
            learned = Some(ours.mixture()?.log_likelihood(&patterns.test, None));
        }
        let answer = peer.ask(&json!({ "do": "run" }))?;
        let number =
            |name: &str| answer[name].as_f64().with_context(|| format!("the peer does not say {name}"));
        rates.peer.push(TURN_SECONDS / number("cpu_seconds")?);
        hz.push(number("circuit_hz")?);
    }
    let learned = learned.context("there is a turn at least")?;
    let (our_hz, peer_hz) = (ours.circuit_hz()?, median(&hz));
    let mut valid = is_at_rate(our_hz, f64::from(pairs)) && is_at_rate(peer_hz, 1.0);
    eprintln!("  circuit: ours {our_hz:.1} Hz, theirs {peer_hz:.1} Hz");
    if simulator.work() == Work::Same {
        peer.ask(&json!({ "do": "weights", "folder": folder.path() }))?;
        let theirs = read(case, &folder.path().join("w.f32"))?.log_likelihood(&patterns.test, None);
        valid &= (learned - theirs).abs() <= SAME * (learned - start);
        eprintln!("  log-likelihood after a turn: {start:.1} → ours {learned:.1}, theirs {theirs:.1}");
    }
    let summary = rates.summary();
    eprintln!("  ours {:.1?}\n  peer {:.2?}", rates.ours, rates.peer);
    Ok(Line {
        peer: Some(summary.peer),
        peer_name: Some(simulator.name().to_owned()),
        ratio: Some(summary.ratio),
        ratio_min: Some(summary.least),
        ratio_max: Some(summary.greatest),
        floor: floors.of(&case.name(), simulator.name(), Level::detected()),
        ..Line::alone(case.name(), summary.ours, UNIT, valid)
    })
}

/// Whether spikes come at R: within 5 standard errors of a Poisson count, and 1 % for the step of a clock.
fn is_at_rate(hz: f64, turns: f64) -> bool {
    let error = (CIRCUIT_HZ / (TURN_SECONDS * turns)).sqrt();
    (hz - CIRCUIT_HZ).abs() <= 5.0 * error + 0.01 * CIRCUIT_HZ
}

fn setup(case: &Case, patterns: &Patterns, folder: &Path) -> anyhow::Result<Map<String, Json>> {
    let file = folder.join("patterns.u8");
    patterns.write(&file, PRESENTATIONS)?;
    let mut setup = case.peer_setup();
    setup.insert("patterns_file".into(), json!(file));
    Ok(setup)
}

/// The mixture that a peer's weights, (neurons, inputs), say.
fn read(case: &Case, file: &Path) -> anyhow::Result<Mixture> {
    let bytes = std::fs::read(file).context("the peer's weights")?;
    let synapses = (case.inputs * case.neurons) as usize;
    ensure!(bytes.len() == 4 * synapses, "the peer has {} bytes of weights", bytes.len());
    let weights: Vec<f64> =
        bytes.as_chunks::<4>().0.iter().map(|w| f64::from(f32::from_le_bytes(*w))).collect();
    if weights.iter().any(|w| !w.is_finite()) {
        bail!("the peer's weights hold what is no number");
    }
    Ok(ours::mixture(case, &weights))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circuit_at_its_rate_is_told_from_one_that_is_not() {
        // 20 s at 200 Hz: σ = 3.2 Hz.
        assert!(is_at_rate(200.0, 1.0) && is_at_rate(186.0, 1.0));
        assert!(!is_at_rate(170.0, 1.0) && !is_at_rate(f64::NAN, 1.0) && !is_at_rate(210.0, 100.0));
    }
}
