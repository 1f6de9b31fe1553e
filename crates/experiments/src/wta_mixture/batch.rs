//! Patterns that are shown together, in shards that a team may compute.

use numerics::{
    Draws,
    collective::{Collective, part},
    wta::Circuit,
};

use super::{
    WtaMixture,
    circuit::{Activity, Room, learn},
};

/// Shows the patterns of a step to the circuit as it is; then it learns from their spikes, one after the other.
///
/// Who fires is a whole number for each pattern, and that is all that members tell each other: what a spike changes is little
/// work beside finding whose it is, and each member does all of it. Every pattern has draws of its own, so here not even
/// the number of shards changes a bit.
pub(super) fn show(
    run: &WtaMixture,
    circuit: &mut Circuit,
    draws: Draws,
    room: &mut Room,
    team: &mut dyn Collective,
) -> Activity {
    let (n, shards) = (run.params.batch as usize, run.params.shards as usize);
    let mut on = std::mem::take(&mut room.on);
    // 0 of all others.
    let mut winners = vec![0; n];
    for at in part(shards, team.size(), team.rank()).flat_map(|shard| part(n, shards, shard)) {
        run.rules.seen(run.patterns.draw(draws, at as u64), &mut on, draws, at);
        winners[at] = run.rules.winner(circuit, &on, draws, at, room) as i32;
    }
    team.sum_i32(&mut winners);
    let mut activity = Activity { input_spikes: 0, circuit_spikes: n as u64 };
    for (at, neuron) in winners.into_iter().enumerate() {
        run.rules.seen(run.patterns.draw(draws, at as u64), &mut on, draws, at);
        activity.input_spikes += on.len() as u64;
        learn(circuit, neuron as usize, &on, &run.rules.learning, (draws, at as u64), room);
    }
    room.on = on;
    activity
}
