//! Laws about steps that a team computes.

use experiments::{Advance, Simulation};
use gang::together;
use numerics::collective::Collective;

use super::{drive, setup, variants};

/// The digest that a member finds.
fn digest(mut run: Box<dyn Simulation>, team: &mut dyn Collective) -> String {
    loop {
        if let Some(shared) = run.shared().filter(|shared| shared.is_step_next()) {
            shared.step_with(team);
        } else if let Advance::Done(digest) = run.advance() {
            return digest.to_string();
        }
    }
}

#[test]
fn every_member_of_a_team_of_any_size_finds_the_digest_of_one_that_computes_alone() {
    let mut found = Vec::new();
    for kind in experiments::CATALOGUE {
        for variant in variants(*kind) {
            let begin = || kind.start(setup(*kind, &variant, 1)).expect("it starts");
            if begin().shared().is_none() {
                continue;
            }
            found.push(kind.name());
            let alone = drive(begin(), |_| {}).1.to_string();
            for size in [2, 3] {
                let digests = together(size, |team| digest(begin(), team));
                assert_eq!(digests, vec![alone.clone(); size], "{} {variant:?}", kind.name());
            }
        }
    }
    assert!(["rbm", "rbse", "wta-mixture"].iter().all(|name| found.contains(name)), "{found:?}");
}
