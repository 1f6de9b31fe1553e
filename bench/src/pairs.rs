//! The comparison: ours, peer, ours, peer, …

use kernels::Level;
use numerics::boltzmann::Synapses;
use serde_json::json;

use crate::{
    case::{BATCH, Case, Opponent, Quality, TURN, WARM_UP},
    floors::Floors,
    line::{Line, Report},
    mnist::Mnist,
    ours::Ours,
    peer::Peer,
    quality,
    ratio::Rates,
    select::Selection,
    weights,
};

const UNIT: &str = "samples/CPU s";

/// Runs what is selected.
///
/// # Errors
/// If a peer cannot be had or fails, or an experiment refuses a case.
pub(crate) fn run(
    selection: &Selection,
    mnist: &Mnist,
    floors: &Floors,
    pairs: u32,
    report: &mut Report,
) -> anyhow::Result<()> {
    for case in selection.cases() {
        for opponent in selection.opponents(case) {
            report.push(compare(case, opponent, mnist, floors, pairs)?);
        }
    }
    Ok(())
}

fn compare(
    case: &Case,
    opponent: &Opponent,
    mnist: &Mnist,
    floors: &Floors,
    pairs: u32,
) -> anyhow::Result<Line> {
    eprintln!("{} against {}", case.name(), opponent.name);
    let start = || Ours::start(case.variant, case.hidden_units, BATCH, opponent.rule, mnist);
    let mut ours = start()?;
    let folder = tempfile::tempdir()?;
    let mut peer = start_peer(case, opponent, mnist, &ours, folder.path())?;
    ours.train(WARM_UP);
    peer.train(opponent.warm_up)?;
    let mut rates = Rates::default();
    for _ in 0..pairs {
        rates.ours.push(TURN as f64 / ours.train(TURN));
        rates.peer.push(opponent.turn as f64 / peer.train(opponent.turn)?);
    }

    // A slow peer has made fewer updates: it is judged against a run of ours that made as many.
    let [had, has] = [(WARM_UP, TURN), (opponent.warm_up, opponent.turn)]
        .map(|(warm_up, turn)| warm_up + turn * pairs as usize);
    if had != has {
        ours = start()?;
        ours.train(has);
    }
    let (learned, test) = (ours.parameters()?, mnist.test());
    let mut like = learned.clone();
    if opponent.quality == Quality::OtherModel {
        (like.synapses, like.a) = (Synapses::Reliable, Default::default());
    }
    peer.write_parameters(folder.path())?;
    let theirs = quality::error(&weights::read(like, folder.path())?, &test);
    let error = quality::error(&learned, &test);
    let valid = opponent.quality.is_met(error, theirs);
    eprintln!(
        "  error after {has} images: ours {error:.5}, theirs {theirs:.5}{}",
        if valid { "" } else { ": too far apart" }
    );

    let summary = rates.summary();
    eprintln!("  ours {:.0?}\n  peer {:.0?}", rates.ours, rates.peer);
    Ok(Line {
        peer: Some(summary.peer),
        peer_name: Some(opponent.name.to_owned()),
        ratio: Some(summary.ratio),
        ratio_min: Some(summary.least),
        ratio_max: Some(summary.greatest),
        floor: floors.of(&case.name(), opponent.name, Level::detected()),
        ..Line::alone(case.name(), summary.ours, UNIT, valid)
    })
}

/// A peer that starts from the same weights and data as ours.
fn start_peer(
    case: &Case,
    opponent: &Opponent,
    mnist: &Mnist,
    ours: &Ours,
    folder: &std::path::Path,
) -> anyhow::Result<Peer> {
    let images = folder.join("images.u8");
    mnist.write_training_images(&images)?;
    weights::write(&ours.parameters()?, folder)?;
    let mut setup = case.variant.peer_setup(case.hidden_units, opponent);
    setup.extend([
        ("visible_units".to_owned(), json!(mnist.visible_units())),
        ("images_file".to_owned(), json!(images)),
        ("parameters_folder".to_owned(), json!(folder)),
    ]);
    let (peer, version) = Peer::start(opponent.program, setup)?;
    eprintln!("  {} {version}", opponent.program.name());
    Ok(peer)
}
