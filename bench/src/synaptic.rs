//! Synapses that diffuse: a normal number for each in every millisecond, and exact updates where they are read.

mod ours;

use anyhow::Context;
use kernels::Level;
use serde_json::{Map, Value as Json, json};

use crate::{
    case::Program,
    floors::Floors,
    line::{Line, Report},
    peer::Peer,
    ratio::Rates,
    select::Selection,
};
use ours::{EveryMs, Lazy, Moments};

/// Steps of 1 ms of a turn, as synapses times steps.
const UPDATES: usize = 100_000_000;
/// Synapses, as in the name of a case.
const SIZES: [(&str, usize); 3] = [("1e5", 100_000), ("1e6", 1_000_000), ("1e7", 10_000_000)];
/// The size that is held against the peers' floors, the roofline and lazy updates.
const HELD: (&str, usize) = SIZES[1];
/// Who else does it: in the report, its program, what it is told.
const PEERS: [(&str, Program, &str); 3] = [
    ("torch f32", Program::TorchSynapses, "torch"),
    ("numpy f32", Program::TorchSynapses, "numpy"),
    ("Brian2 C++", Program::Brian2Synapses, ""),
];
const UPDATES_UNIT: &str = "updates/CPU s";
const TIME_UNIT: &str = "simulated s/CPU s";
const MS: f64 = 1e-3;

/// Names of all comparisons, with those of their peers.
#[cfg(test)]
pub(crate) fn comparisons() -> Vec<(String, &'static str)> {
    let every = |(size, _): &(&str, usize)| format!("synaptic/{size}/every-ms");
    let peers = SIZES.iter().flat_map(|size| PEERS.map(|(name, ..)| (every(size), name)));
    let alone = ["roofline", "every ms"].map(|name| (format!("synaptic/{}/{}", HELD.0, of(name)), name));
    peers.chain(alone).collect()
}

/// The case that is held against something of ours.
#[cfg(test)]
fn of(peer: &str) -> &'static str {
    if peer == "roofline" { "roofline" } else { "lazy" }
}

/// Measures what is selected.
///
/// # Errors
/// If a peer is not to be had.
pub(crate) fn run(
    selection: &Selection,
    floors: &Floors,
    pairs: u32,
    report: &mut Report,
) -> anyhow::Result<()> {
    let held = |line: Line, name: &str| Line {
        peer_name: Some(name.to_owned()),
        floor: floors.of(&line.bench, name, Level::detected()),
        ..line
    };
    for (size, synapses) in SIZES {
        let bench = format!("synaptic/{size}/every-ms");
        for (name, program, mode) in PEERS {
            if selection.wants(&bench) && !selection.skips(program.name()) {
                report.push(held(against_peer(&bench, synapses, program, mode, pairs)?, name));
            }
        }
    }
    let (size, synapses) = HELD;
    let (roofline, lazy) = (format!("synaptic/{size}/roofline"), format!("synaptic/{size}/lazy"));
    if selection.wants(&roofline) {
        report.push(held(against_machine(&roofline, synapses, pairs), "roofline"));
    }
    if selection.wants(&lazy) {
        report.push(held(lazy_against_every_ms(&lazy, synapses, pairs), "every ms"));
    }
    Ok(())
}

/// Ours alone, every case once.
pub(crate) fn smoke(selection: &Selection, report: &mut Report) {
    for (size, synapses) in SIZES {
        let bench = format!("synaptic/{size}/every-ms");
        if selection.wants(&bench) {
            let mut ours = EveryMs::new(synapses);
            let (seconds, moments) = ours.turn(UPDATES / synapses);
            let valid = moments.fit(ours.expected(UPDATES / synapses), synapses);
            report.push(Line::alone(bench, UPDATES as f64 / seconds, UPDATES_UNIT, valid));
        }
    }
    let bench = format!("synaptic/{}/lazy", HELD.0);
    if selection.wants(&bench) {
        let (rate, valid) = Lazy::new(HELD.1).turn(1.0);
        report.push(Line::alone(bench, rate, TIME_UNIT, valid));
    }
}

fn against_peer(
    bench: &str,
    synapses: usize,
    program: Program,
    mode: &str,
    pairs: u32,
) -> anyhow::Result<Line> {
    let steps = UPDATES / synapses;
    let mut ours = EveryMs::new(synapses);
    let (mut peer, version) = Peer::start(program, setup(&ours, synapses, steps, mode))?;
    eprintln!("{bench} against {} {version}", program.name());
    let (mut rates, mut valid) = (Rates::default(), true);
    let expected = ours.expected(steps);
    for _ in 0..pairs {
        let (seconds, moments) = ours.turn(steps);
        rates.ours.push(UPDATES as f64 / seconds);
        let answer = peer.ask(&json!({ "do": "run" }))?;
        let number =
            |name: &str| answer[name].as_f64().with_context(|| format!("the peer does not say {name}"));
        rates.peer.push(UPDATES as f64 / number("cpu_seconds")?);
        let theirs = Moments { mean: number("mean")?, variance: number("variance")? };
        valid &= moments.fit(expected, synapses) && theirs.fit(expected, synapses);
        if !valid {
            eprintln!("  expected {expected:?}: ours {moments:?}, theirs {theirs:?}");
        }
    }
    Ok(paired(bench, &rates, UPDATES_UNIT, valid))
}

fn setup(ours: &EveryMs, synapses: usize, steps: usize, mode: &str) -> Map<String, Json> {
    let step = ours.step();
    let setup = json!({
        "synapses": synapses, "steps": steps, "mode": mode,
        "shift": step.mu * (1.0 - step.decay), "decay": step.decay, "sd": step.sd,
    });
    setup.as_object().expect("it was written as one").clone()
}

/// Against the lesser of what memory and the generator of normal numbers allow.
fn against_machine(bench: &str, synapses: usize, pairs: u32) -> Line {
    let mut ours = EveryMs::new(synapses);
    let (mut rates, mut valid) = (Rates::default(), true);
    for _ in 0..pairs {
        let (seconds, moments) = ours.turn(UPDATES / synapses);
        valid &= moments.fit(ours.expected(UPDATES / synapses), synapses);
        rates.ours.push(UPDATES as f64 / seconds);
        let memory = crate::anchors::triad(12 * synapses) / 12.0;
        let normals = ours::normal_rate();
        eprintln!("  triad/12 B {memory:.2e}, normal numbers {normals:.2e} per CPU s");
        rates.peer.push(memory.min(normals));
    }
    paired(bench, &rates, UPDATES_UNIT, valid)
}

fn lazy_against_every_ms(bench: &str, synapses: usize, pairs: u32) -> Line {
    let (mut every, mut lazy) = (EveryMs::new(synapses), Lazy::new(synapses));
    let steps = UPDATES / synapses;
    let (mut rates, mut valid) = (Rates::default(), true);
    for _ in 0..pairs {
        let (rate, right) = lazy.turn(2.0);
        rates.ours.push(rate);
        valid &= right;
        let (seconds, moments) = every.turn(steps);
        valid &= moments.fit(every.expected(steps), synapses);
        rates.peer.push(steps as f64 * MS / seconds);
    }
    paired(bench, &rates, TIME_UNIT, valid)
}

fn paired(bench: &str, rates: &Rates, unit: &'static str, valid: bool) -> Line {
    let summary = rates.summary();
    eprintln!("  ours {:.3?}\n  peer {:.3?}", rates.ours, rates.peer);
    Line {
        peer: Some(summary.peer),
        ratio: Some(summary.ratio),
        ratio_min: Some(summary.least),
        ratio_max: Some(summary.greatest),
        ..Line::alone(bench.to_owned(), summary.ours, unit, valid)
    }
}
