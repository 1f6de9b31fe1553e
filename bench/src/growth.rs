//! How our cost grows with hidden units and with the mini-batch.

use crate::{
    case::{BATCH, Rule, Variant},
    line::{Line, Report},
    mnist::Mnist,
    ours::Ours,
    ratio::median,
    select::Selection,
};

const HIDDEN_UNITS: [u32; 6] = [100, 250, 500, 1000, 2000, 4000];
const BATCHES: [usize; 5] = [10, 30, 100, 300, 1000];
/// H while the mini-batch varies.
const HIDDEN: u32 = 500;
/// A turn lasts about this long, so that small machines are not timed in microseconds.
const TURN_SECONDS: f64 = 0.25;
const TURNS: usize = 5;

/// Measures what is selected.
///
/// # Errors
/// If an experiment refuses a setting.
pub(crate) fn run(selection: &Selection, mnist: &Mnist, report: &mut Report) -> anyhow::Result<()> {
    if !selection.wants_growth() {
        return Ok(());
    }
    for variant in Variant::ALL {
        let sizes = HIDDEN_UNITS.map(|hidden_units| (hidden_units, BATCH));
        let batches = BATCHES.map(|batch| (HIDDEN, batch)).into_iter().filter(|&(_, batch)| batch != BATCH);
        for (hidden_units, batch) in sizes.into_iter().chain(batches) {
            let name = format!("growth/784x{hidden_units}/batch-{batch}/{}", variant.name());
            if selection.wants(&name) {
                let rate = rate(variant, hidden_units, batch, mnist)?;
                report.push(Line::alone(name, rate, "samples/CPU s", true));
            }
        }
    }
    Ok(())
}

/// Median samples per CPU second, after an eighth of an epoch.
pub(crate) fn rate(variant: Variant, hidden_units: u32, batch: usize, mnist: &Mnist) -> anyhow::Result<f64> {
    let mut ours = Ours::start(variant, hidden_units, batch, Rule::Cd, mnist)?;
    let whole = |images: f64| (images as usize / batch).max(1) * batch;
    let warm_up = whole(2500.0);
    let turn = whole(warm_up as f64 / ours.train(warm_up) * TURN_SECONDS);
    let rates: Vec<f64> = (0..TURNS).map(|_| turn as f64 / ours.train(turn)).collect();
    Ok(median(&rates))
}
