//! What faults did, from the logs of the jobs: not what they were meant to do.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{fault::Fault, inflict::Effect, logs::Held};
use crate::checker::Records;

/// A fault, and how it should show.
#[derive(Debug)]
pub(super) struct Inflicted {
    pub(super) fault: Fault,
    pub(super) effect: Effect,
}

/// By kind of fault: how many were inflicted, and how many showed.
#[derive(Debug)]
pub(super) struct Evidence(BTreeMap<Fault, (usize, usize)>);

impl Evidence {
    pub(super) fn of(records: &Records, inflicted: &[Inflicted]) -> Self {
        let mut kinds: BTreeMap<_, (usize, usize)> = BTreeMap::new();
        for Inflicted { fault, effect } in inflicted {
            let shows = match effect {
                Effect::Seen => true,
                Effect::Ends(held, classes) => ended(records, held, classes),
                Effect::None => false,
            };
            let (all, shown) = kinds.entry(*fault).or_default();
            *all += 1;
            *shown += usize::from(shows);
        }
        Self(kinds)
    }

    /// A run may end just before its worker is hit: at least half of each kind must have shown.
    pub(super) fn assert_every_fault_showed(&self) {
        for (fault, (all, shown)) in &self.0 {
            assert!(2 * shown >= *all, "{shown} of {all} times it showed to {fault}: {self:?}");
        }
    }

    pub(super) fn to_json(&self) -> Json {
        let kinds = self.0.iter().map(|(fault, (_, shown))| (fault.to_string(), json!(shown)));
        Json::Object(kinds.collect())
    }
}

/// Whether an attempt was given up for one of these reasons and the next one began.
fn ended(records: &Records, held: &Held, classes: &[&str]) -> bool {
    if !records.runs.contains_key(&held.run) {
        return false;
    }
    let mut events = records.events_of(&held.run).skip_while(|event| {
        let is_it = event.is("run_requeued") && event.attempt() == held.attempt;
        !(is_it && classes.iter().any(|class| event.body["class"] == *class))
    });
    events.any(|event| event.is("run_started") && event.attempt() == held.attempt + 1)
}

/// Negative control: of faults that nobody inflicted nothing shows.
pub(super) fn of_what_never_happened(records: &Records, inflicted: &[Inflicted]) -> Evidence {
    let never = inflicted.iter().filter_map(|Inflicted { fault, effect }| match effect {
        Effect::Ends(held, classes) => {
            let mut held = held.clone();
            held.attempt += 1_000;
            Some(Inflicted { fault: *fault, effect: Effect::Ends(held, classes) })
        }
        Effect::Seen | Effect::None => None,
    });
    Evidence::of(records, &never.collect::<Vec<_>>())
}

impl Evidence {
    /// How many faults showed.
    pub(super) fn shown(&self) -> usize {
        self.0.values().map(|(_, shown)| shown).sum()
    }
}
