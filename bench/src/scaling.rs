//! One machine trained by one member of a gang and by two: what a step costs, and what of it cannot be shared.
//!
//! In this process the members are threads; where `mpirun` started several, they are those.

mod model;
mod team;

use std::time::Instant;

use anyhow::Context;
use experiments::{Setup, Shared, Simulation};
use kernels::Level;
use numerics::collective::{Alone, Collective};
use serde_json::json;

use crate::{
    case::{Rule, Variant},
    floors::Floors,
    line::{Line, Report},
    mnist::Mnist,
    ratio::{Rates, Summary, median},
    select::Selection,
};
use team::{Parts, Timed};

const HIDDEN_UNITS: [u32; 3] = [500, 2000, 4000];
const BATCHES: [usize; 5] = [100, 400, 1000, 2048, 4096];
/// Fixed parts of a mini-batch.
pub(crate) const SHARDS: usize = 4;
/// A turn lasts about this long for one member.
const TURN_SECONDS: f64 = 0.5;
/// Images before the first turn: units fire as in a machine that has learned something.
const WARM_UP: usize = 5_000;
/// Whom a gang is compared with.
pub(crate) const PEER: &str = "one member";

/// A size that is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Size {
    pub(crate) visible_units: usize,
    pub(crate) hidden_units: u32,
    pub(crate) batch: usize,
}

impl Size {
    /// Synapses.
    pub(crate) fn synapses(self) -> f64 {
        self.visible_units as f64 * f64::from(self.hidden_units)
    }

    fn name(self, who: &str) -> String {
        let Self { visible_units, hidden_units, batch } = self;
        format!("scaling/{visible_units}x{hidden_units}/batch-{batch}/{who}")
    }
}

/// Every comparison with its peer.
#[cfg(test)]
pub(crate) fn comparisons() -> Vec<(String, &'static str)> {
    let all = HIDDEN_UNITS.iter().flat_map(|&hidden_units| BATCHES.map(move |batch| (hidden_units, batch)));
    let sizes = all.map(|(hidden_units, batch)| Size { visible_units: 784, hidden_units, batch });
    sizes.flat_map(|size| ["threads-2", "ranks-2"].map(|who| (size.name(who), PEER))).collect()
}

/// What was measured of a size.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    pub(crate) size: Size,
    /// Members of the gang.
    pub(crate) members: usize,
    /// Steps a second of the gang, and of its first member alone.
    pub(crate) rates: Summary,
    /// Steps a second without shards, of one member.
    pub(crate) uncut: f64,
    /// Seconds of a step, of one member and of the gang.
    pub(crate) alone: Parts,
    pub(crate) together: Parts,
}

/// Measures what is selected. Of several processes the first one reports.
///
/// # Errors
/// If the experiment refuses a setting or MPI does not start.
pub(crate) fn run(
    selection: &Selection,
    mnist: &Mnist,
    floors: &Floors,
    pairs: u32,
    report: &mut Report,
) -> anyhow::Result<()> {
    let visible_units = mnist.visible_units();
    let all = HIDDEN_UNITS
        .iter()
        .flat_map(|&hidden_units| BATCHES.map(move |batch| Size { visible_units, hidden_units, batch }));
    let sizes: Vec<Size> = all.filter(|size| selection.wants(&size.name("gang"))).collect();
    if sizes.is_empty() {
        return Ok(());
    }
    let (who, figures) = team::gather(|team| {
        sizes.iter().map(|&size| measure(size, mnist, pairs, team)).collect::<anyhow::Result<Vec<_>>>()
    })?;
    for figures in &figures {
        tell(figures, who, floors, report);
    }
    model::tell(&figures, report);
    Ok(())
}

fn tell(figures: &Figures, who: &str, floors: &Floors, report: &mut Report) {
    let Figures { size, members, rates, uncut, alone, together } = figures;
    let name = size.name(&format!("{who}-{members}"));
    report.push(Line {
        ours: rates.ours,
        peer: Some(rates.peer),
        peer_name: Some(PEER.to_owned()),
        unit: "steps/s",
        ratio: Some(rates.ratio),
        ratio_min: Some(rates.least),
        ratio_max: Some(rates.greatest),
        floor: floors.of(&name, PEER, Level::detected()),
        ..Line::alone(name.clone(), 0.0, "steps/s", true)
    });
    report.push(Line::alone(format!("{name}/uncut"), *uncut, "steps/s of one", true));
    for (whose, parts) in [("one", alone), ("all", together)] {
        for (part, seconds) in [("shards", parts.shards), ("sum", parts.sum), ("ascent", parts.ascent)] {
            report.push(Line::alone(format!("{name}/{whose}-{part}"), seconds * 1e3, "ms/step", true));
        }
    }
}

/// A run that has not been observed yet, of sampled statistics or probabilities as the product has them.
fn machine(size: Size, shards: usize, mnist: &Mnist) -> anyhow::Result<Box<dyn Simulation>> {
    let kind = experiments::find("rbm").context("it is not in the catalogue")?;
    let mut params = Variant::Probabilities.params(size.hidden_units, size.batch, Rule::Cd);
    params.insert("shards".into(), json!(shards));
    let params = kind.resolve(None, &params).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    let setup = Setup { params, seed: 1, data: mnist.data(), sources: Vec::new(), every: Some(u64::MAX) };
    Ok(kind.start(setup)?)
}

fn shared(machine: &mut dyn Simulation) -> &mut dyn Shared {
    machine.shared().expect("it has shards")
}

/// Wall seconds of a step.
fn paced(steps: u64, mut step: impl FnMut()) -> f64 {
    let began = Instant::now();
    (0..steps).for_each(|_| step());
    began.elapsed().as_secs_f64() / steps as f64
}

/// What the first member found; the others find the same, but for the time.
fn measure(size: Size, mnist: &Mnist, pairs: u32, team: &mut dyn Collective) -> anyhow::Result<Figures> {
    let leads = team.rank() == 0;
    let mut together = machine(size, SHARDS, mnist)?;
    let mut alone = machine(size, SHARDS, mnist)?;
    let mut uncut = machine(size, 1, mnist)?;
    uncut.advance(); // it is observed at its start

    let warm_up = WARM_UP.div_ceil(size.batch) as u64;
    let first = paced(warm_up, || shared(&mut *together).step_with(team));
    let steps = agreed(((TURN_SECONDS / first) as u64).max(2), team);
    let (mut rates, mut uncut_rates, mut parts) = (Rates::default(), Vec::new(), [vec![], vec![]]);
    for pair in 0..=pairs {
        let (mut by_one, mut by_all) = (Parts::default(), Parts::default());
        let (mut one, mut whole) = (0.0, 0.0);
        if leads {
            let mut no_others = Alone;
            let mut team = Timed::new(&mut no_others, &mut by_one);
            one = paced(steps, || team.step(shared(&mut *alone)));
            whole = paced(steps, || {
                uncut.advance();
            });
        }
        // Those that wait for an order leave the first one its core and the memory.
        agreed(0, team);
        let mut timed = Timed::new(team, &mut by_all);
        let all = paced(steps, || timed.step(shared(&mut *together)));
        if pair > 0 {
            rates.ours.push(1.0 / all);
            rates.peer.push(1.0 / one.max(f64::MIN_POSITIVE));
            uncut_rates.push(1.0 / whole.max(f64::MIN_POSITIVE));
            parts[0].push(by_one.per_step(steps));
            parts[1].push(by_all.per_step(steps));
        }
    }
    let [alone, together] = parts.map(|parts| Parts::median(&parts));
    let (members, uncut) = (team.size(), median(&uncut_rates));
    Ok(Figures { size, members, rates: rates.summary(), uncut, alone, together })
}

/// The number of the first member; the others wait for it.
fn agreed(number: u64, team: &mut dyn Collective) -> u64 {
    let mut bytes = number.to_le_bytes();
    team.broadcast(&mut bytes);
    u64::from_le_bytes(bytes)
}
