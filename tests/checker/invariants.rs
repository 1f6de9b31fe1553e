//! Promises about what happened: jobs, events, attempts.

use std::collections::BTreeSet;

use super::{
    Findings, History, Invariant,
    records::{Event, Records},
};

/// I1.
pub(super) fn keys_made_one_job_each(records: &Records, history: &History, found: &mut Findings) {
    for (key, job) in &history.answered {
        let made: Vec<_> =
            records.keys.iter().filter(|(known, _)| known == key).map(|(_, job)| job).collect();
        found.unless(made == [job], Invariant::I1, || {
            format!("key `{key}` was answered job {job}, it made {made:?}")
        });
        found.unless(records.jobs.contains_key(job), Invariant::I1, || {
            format!("job {job} was answered and is lost")
        });
    }
    // Two keys never share a job, and no job comes from nowhere once every submission carried a key.
    let keyed: BTreeSet<_> = records.keys.iter().map(|(_, job)| job).collect();
    found.unless(keyed.len() == records.keys.len(), Invariant::I1, || "two keys made the same job".into());
    for job in records.jobs.keys() {
        found.unless(keyed.contains(job), Invariant::I1, || format!("no key made job {job}"));
    }
}

/// I2. What has not ended has no terminal event; at rest everything has ended.
pub(super) fn everything_ended_once(records: &Records, at_rest: bool, found: &mut Findings) {
    let is_as_it_says = |events: usize, ended: bool| events == usize::from(ended) && (ended || !at_rest);
    for (id, job) in &records.jobs {
        let ends: Vec<_> = job.events.iter().filter(|event| event.is("job_ended")).collect();
        found.unless(is_as_it_says(ends.len(), job.ended), Invariant::I2, || {
            format!("job {id} has {} terminal events; ended: {}", ends.len(), job.ended)
        });
        let states: BTreeSet<_> =
            records.runs.values().filter(|run| run.job == *id).map(|run| run.state.as_str()).collect();
        // One failed run fails a job, else one cancelled run cancels it.
        let outcome =
            ["failed", "cancelled"].into_iter().find(|state| states.contains(state)).unwrap_or("succeeded");
        for end in ends {
            found.unless(end.body["outcome"] == outcome, Invariant::I2, || {
                format!("job {id} ended as {}, its runs are {states:?}", end.body["outcome"])
            });
        }
    }
    for (id, run) in &records.runs {
        let ends: Vec<_> = records.events_of(id).filter(|event| event.is("run_ended")).collect();
        found.unless(is_as_it_says(ends.len(), run.has_ended()), Invariant::I2, || {
            format!("run {id} is {} with {} terminal events", run.state, ends.len())
        });
        for end in ends {
            let (outcome, digest) = (end.body["outcome"].as_str(), end.body["digest"].as_str());
            found.unless(
                outcome == Some(&run.state) && digest == run.digest.as_deref(),
                Invariant::I2,
                || {
                    format!(
                        "run {id} is {} with digest {:?}, its last event says {}",
                        run.state, run.digest, end.body
                    )
                },
            );
        }
    }
}

/// I3. A second end is I2's business.
pub(super) fn nothing_follows_an_end(records: &Records, found: &mut Findings) {
    let after = |events: &mut dyn Iterator<Item = &Event>, end: &str| -> Option<u64> {
        events.skip_while(|event| !event.is(end)).find(|event| !event.is(end)).map(|event| event.seq)
    };
    for (id, job) in &records.jobs {
        let late = after(&mut job.events.iter(), "job_ended");
        found.unless(late.is_none(), Invariant::I3, || {
            format!("job {id} had ended before its event {late:?}")
        });
    }
    for (id, run) in &records.runs {
        let job_goes_on = |event: &Event| {
            !records.jobs[&run.job].events.iter().any(|end| end.is("job_ended") && end.seq < event.seq)
        };
        let late = after(&mut records.events_of(id).filter(|event| job_goes_on(event)), "run_ended");
        found.unless(late.is_none(), Invariant::I3, || format!("run {id} had ended before event {late:?}"));
    }
}

/// I4.
pub(super) fn events_are_numbered(records: &Records, found: &mut Findings) {
    for (id, job) in &records.jobs {
        let numbers = job.events.iter().map(|event| event.seq);
        found.unless(numbers.eq(1..=job.last_seq), Invariant::I4, || {
            format!("job {id} counts {} events, {} are there", job.last_seq, job.events.len())
        });
    }
}

/// I5.
pub(super) fn attempts_rise_one_at_a_time(records: &Records, found: &mut Findings) {
    for (id, run) in &records.runs {
        let (mut last, mut open) = (0, false);
        for event in records.events_of(id) {
            match event.kind.as_str() {
                "run_started" => {
                    let attempt = event.attempt();
                    found.unless(!open, Invariant::I5, || {
                        format!("run {id}: attempt {attempt} began in attempt {last}")
                    });
                    found.unless(attempt == last + 1, Invariant::I5, || {
                        format!("run {id}: attempt {attempt} came after attempt {last}")
                    });
                    (last, open) = (attempt, true);
                }
                "run_requeued" => {
                    found.unless(open && event.attempt() == last, Invariant::I5, || {
                        format!(
                            "run {id}: attempt {} ended, the open one is {last} ({open})",
                            event.attempt()
                        )
                    });
                    open = false;
                }
                "run_paused" | "run_ended" => open = false,
                _ => {}
            }
        }
        found.unless(run.attempt == last, Invariant::I5, || {
            format!("run {id} counts {} attempts, its events {last}", run.attempt)
        });
    }
}

/// I6.
///
/// Checkpoints have their place among the events. Metrics have not, but an attempt writes them by step: a row of
/// attempt n at a later step than a row of attempt n + 1 was written after that one, or it would have been there first.
pub(super) fn superseded_attempts_wrote_nothing(records: &Records, found: &mut Findings) {
    for (id, run) in &records.runs {
        let (mut current, mut began) = (0, Vec::new());
        for event in records.events_of(id) {
            if event.is("run_started") {
                current = event.attempt();
                began.push((current, event.number("from_step").unwrap_or_default()));
            }
            let stale = event.is("checkpoint_stored") && event.attempt() != current;
            found.unless(!stale, Invariant::I6, || {
                format!(
                    "run {id}: attempt {} stored a checkpoint in attempt {current} (event {})",
                    event.attempt(),
                    event.seq
                )
            });
        }
        let mut before = (0, 0);
        let mut latest = (0, 0);
        for metric in &run.metrics {
            if metric.step > latest.0 {
                before = latest;
            }
            latest = (metric.step, latest.1.max(metric.attempt));
            found.unless(metric.attempt >= before.1, Invariant::I6, || {
                let (name, step, attempt) = (&metric.name, metric.step, metric.attempt);
                format!("run {id}: attempt {attempt} wrote `{name}` of step {step} after attempt {} was at step {}", before.1, before.0)
            });
            let from = began.iter().find(|(attempt, _)| *attempt == metric.attempt).map(|(_, from)| *from);
            found.unless(from.is_some_and(|from| from <= metric.step), Invariant::I6, || {
                format!(
                    "run {id}: attempt {} wrote step {} and began at {from:?}",
                    metric.attempt, metric.step
                )
            });
        }
    }
}

/// I9.
pub(super) fn attempts_went_on_from_the_newest_checkpoint(records: &Records, found: &mut Findings) {
    for id in records.runs.keys() {
        let mut good = BTreeSet::new();
        for event in records.events_of(id) {
            let step = event.number("step").unwrap_or_default();
            match event.kind.as_str() {
                "checkpoint_stored" => _ = good.insert(step),
                "checkpoint_corrupt" => _ = good.remove(&step),
                "run_started" => {
                    let (from, newest) = (event.number("from_step"), good.last().copied().unwrap_or(0));
                    found.unless(from == Some(newest), Invariant::I9, || {
                        format!(
                            "run {id}: attempt {} began at {from:?}, a checkpoint of {newest} was there",
                            event.attempt()
                        )
                    });
                }
                _ => {}
            }
        }
    }
}
