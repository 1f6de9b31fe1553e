//! Laws that keep findings honest: targets are covered, chance is stated, tests can fail.

use std::collections::{BTreeMap, BTreeSet};

use experiments::{CATALOGUE, Finding, Kind, figures, findings, targets};

fn all() -> Vec<(String, Finding)> {
    let of = |kind: &&'static dyn Kind| {
        findings(*kind).into_iter().map(|finding| (format!("{}/{}", kind.name(), finding.id), finding))
    };
    CATALOGUE.iter().flat_map(of).collect()
}

#[test]
fn every_target_has_a_finding_or_a_figure() {
    let targets = targets();
    let drawn: BTreeSet<String> = CATALOGUE
        .iter()
        .flat_map(|kind| figures(*kind).into_iter().map(|figure| format!("{}/{}", kind.name(), figure.id)))
        .collect();
    let named: BTreeSet<String> = all().into_iter().map(|(_, finding)| finding.target).collect();
    let is_covered = |name: &String| match name.contains('.') {
        true => named.contains(name),
        false => {
            let is_drawn = targets.target[name].figure.as_ref().is_some_and(|figure| drawn.contains(figure));
            is_drawn || named.iter().any(|target| target.split('.').next() == Some(name))
        }
    };
    let open: Vec<String> = targets.names().into_iter().filter(|name| !is_covered(name)).collect();
    assert!(open.is_empty(), "no finding is about {open:?}");
}

#[test]
fn every_finding_states_its_false_alarms_and_together_they_are_rare() {
    let narrow = targets().narrow_margins;
    let (mut total, mut silent) = (0.0, Vec::new());
    for (name, finding) in all() {
        match finding.false_alarm_rate() {
            Some(rate) => {
                println!("{rate:9.2e} {name}");
                if !narrow.contains_key(&name) {
                    total += rate;
                }
            }
            None => silent.push(name),
        }
    }
    assert!(silent.is_empty(), "these say nothing about chance: {silent:?}");
    assert!(
        total <= 1e-3,
        "fresh seeds would give another verdict in {total:.1e} of all tries; at most 1e-3"
    );
}

#[test]
fn a_narrow_margin_is_the_margin_of_a_finding_that_needs_it_and_says_why() {
    let findings: BTreeMap<String, Finding> = all().into_iter().collect();
    for (name, exception) in targets().narrow_margins {
        let rate = findings.get(&name).and_then(Finding::false_alarm_rate);
        assert!(rate.is_some_and(|rate| rate > 1e-4), "{name}: {rate:?} needs no exception");
        assert!(!exception.reason.is_empty() && !exception.measured.is_empty(), "{name} says why");
    }
}

#[test]
fn every_finding_has_a_control_or_says_why_there_is_none() {
    let bare: Vec<String> = all()
        .into_iter()
        .filter(|(_, finding)| finding.control.is_none() && finding.uncontrolled.is_none())
        .map(|(name, _)| name)
        .collect();
    assert!(bare.is_empty(), "these could not fail, for all we know: {bare:?}");
}
