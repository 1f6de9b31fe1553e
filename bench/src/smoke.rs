//! `make bench-smoke`: every case of ours, briefly, without peers.

use crate::{
    case::{BATCH, Rule},
    line::{Line, Report},
    mnist::Mnist,
    ours::Ours,
    quality,
    select::Selection,
};

/// Images that a case trains on.
const IMAGES: usize = 5_000;

/// Runs what is selected; a line is valid if training lowers the error.
///
/// # Errors
/// If an experiment refuses a case.
pub(crate) fn run(selection: &Selection, mnist: &Mnist, report: &mut Report) -> anyhow::Result<()> {
    let test = mnist.test();
    for case in selection.cases() {
        let mut ours = Ours::start(case.variant, case.hidden_units, BATCH, Rule::Cd, mnist)?;
        let before = quality::error(&ours.parameters()?, &test);
        let rate = IMAGES as f64 / ours.train(IMAGES);
        let after = quality::error(&ours.parameters()?, &test);
        eprintln!("{}: error {before:.4} → {after:.4}", case.name());
        report.push(Line::alone(case.name(), rate, "samples/CPU s", after < before));
    }
    Ok(())
}
