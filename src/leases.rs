//! `vesicle show --leases`: the journal of leases, from the log of the job.

use std::collections::BTreeMap;

use jiff::{SpanTotal, Timestamp, Unit};
use serde_json::{Value as Json, json};

use crate::{
    client::{Client, Found, JobEvent, Run},
    exit::{Ended, Exit},
    output::{self, Output},
    text::{Paint, Table, duration, grouped, short},
};

/// One attempt of a run: granted to a worker, ended somehow.
#[derive(Debug, PartialEq)]
struct Lease {
    run: String,
    attempt: u64,
    worker: String,
    from_step: u64,
    /// Step of the last checkpoint it handed in; where the next attempt goes on.
    stored_step: u64,
    began_at: String,
    ended_at: Option<String>,
    /// How it ended: a class such as `lost`, an outcome, or `paused`.
    ended: Option<String>,
    /// Damage that was found meanwhile.
    faults: Vec<String>,
}

/// Prints the leases of a job's runs, or of one.
pub(crate) async fn show(client: &Client, found: &Found, output: Output) -> Ended {
    let (runs, log) = match found {
        Found::Job(job) => (client.runs(&job.id).await?, client.log(&job.id).await?),
        Found::Run(run) => (vec![(**run).clone()], client.log_of(run).await?),
    };
    let leases = journal(&log);
    match output.json {
        true => output::json(&json!({"leases": leases.iter().map(as_json).collect::<Vec<_>>()}))?,
        false => output::text(&table(&runs, &leases))?,
    }
    Ok(Exit::Ok)
}

/// The leases in the order in which they were granted.
fn journal(log: &[JobEvent]) -> Vec<Lease> {
    let mut leases: Vec<Lease> = Vec::new();
    // The newest lease of each run: faults are its even when it has ended.
    let mut newest: BTreeMap<String, usize> = BTreeMap::new();
    for event in log {
        let run = event.text("run").to_owned();
        if event.kind == "run_started" {
            newest.insert(run.clone(), leases.len());
            leases.push(granted(event, run));
            continue;
        }
        let Some(lease) = newest.get(&run).map(|at| &mut leases[*at]) else { continue };
        let damage = |what: String| format!("{what} at step {}", grouped(event.count("step")));
        match event.kind.as_str() {
            "checkpoint_stored" => lease.stored_step = event.count("step"),
            "checkpoint_corrupt" => lease.faults.push(damage("checkpoint damaged".into())),
            "determinism_violation" => {
                lease.faults.push(damage(format!("other bits in {}", event.text("name"))));
            }
            "run_requeued" | "run_paused" | "run_ended" if lease.ended.is_none() => {
                let class = event.body["class"].as_str().or(event.body["outcome"].as_str());
                lease.ended = Some(class.unwrap_or("paused").to_owned());
                lease.ended_at = Some(event.text("at").to_owned());
            }
            _ => {}
        }
    }
    leases
}

fn granted(event: &JobEvent, run: String) -> Lease {
    let from_step = event.count("from_step");
    Lease {
        run,
        attempt: event.count("attempt"),
        worker: event.text("worker").to_owned(),
        from_step,
        stored_step: from_step,
        began_at: event.text("at").to_owned(),
        ended_at: None,
        ended: None,
        faults: Vec::new(),
    }
}

fn as_json(lease: &Lease) -> Json {
    let Lease { run, attempt, worker, from_step, stored_step, began_at, ended_at, ended, faults } = lease;
    json!({
        "run": run, "attempt": attempt, "worker": worker, "from_step": from_step, "stored_step": stored_step,
        "began_at": began_at, "ended_at": ended_at, "ended": ended, "faults": faults,
    })
}

fn table(runs: &[Run], leases: &[Lease]) -> String {
    let index: BTreeMap<&str, u32> = runs.iter().map(|run| (run.id.as_str(), run.index)).collect();
    let headings =
        [">run", ">attempt", "worker", ">from step", ">stored", "began", ">lasted", "ended", "faults"];
    let mut table = Table::new(Paint::stdout(), &headings);
    for lease in leases {
        let run = index.get(lease.run.as_str()).map_or_else(|| short(&lease.run).to_owned(), u32::to_string);
        table.row([
            &run,
            &lease.attempt.to_string(),
            short(&lease.worker),
            &grouped(lease.from_step),
            &grouped(lease.stored_step),
            &lease.began_at,
            &lasted(lease).map(duration).unwrap_or_default(),
            lease.ended.as_deref().unwrap_or("(held)"),
            &lease.faults.join(", "),
        ]);
    }
    table.to_string()
}

/// Seconds from grant to end.
fn lasted(lease: &Lease) -> Option<f64> {
    let began: Timestamp = lease.began_at.parse().ok()?;
    let ended: Timestamp = lease.ended_at.as_ref()?.parse().ok()?;
    (ended - began).total(SpanTotal::from(Unit::Second)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, second: u32, body: Json) -> JobEvent {
        let mut body = body;
        body["at"] = json!(format!("2026-01-02T03:04:{second:02}Z"));
        JobEvent { kind: kind.into(), body }
    }

    #[test]
    fn each_attempt_is_told_with_how_it_ended() {
        let log = [
            event("job_submitted", 0, json!({"runs": 1})),
            event("run_started", 1, json!({"run": "a", "attempt": 1, "worker": "w1", "from_step": 0})),
            event("checkpoint_stored", 2, json!({"run": "a", "step": 40})),
            event("run_requeued", 9, json!({"run": "a", "attempt": 1, "class": "lost"})),
            event("checkpoint_corrupt", 10, json!({"run": "a", "step": 40})),
            event("run_started", 11, json!({"run": "a", "attempt": 2, "worker": "w2", "from_step": 20})),
            event("run_paused", 12, json!({"run": "a"})),
            event("run_ended", 13, json!({"run": "a", "outcome": "cancelled"})),
            event("run_started", 14, json!({"run": "b", "attempt": 1, "worker": "w2", "from_step": 0})),
        ];
        let leases = journal(&log);
        let told: Vec<_> =
            leases.iter().map(|one| (one.attempt, one.stored_step, one.ended.as_deref())).collect();
        assert_eq!(told, [(1, 40, Some("lost")), (2, 20, Some("paused")), (1, 0, None)]);
        assert_eq!(leases[0].faults, ["checkpoint damaged at step 40"]);
        assert_eq!(lasted(&leases[0]), Some(8.0));
        assert_eq!(lasted(&leases[2]), None, "it is held");
    }
}
