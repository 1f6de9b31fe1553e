//! What a witness makes of the notes of a worker that is gone.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use jobs::{CheckpointRef, Class, DatasetHash, Directive, Outcome, Report, RunId, WorkerId, WorkerInfo};
use tokio::net::unix::pipe;

use crate::{
    Witness,
    coordinator::{Coordinator, Free, Lease, Refusal, Terms},
    witness::{At, Note, listen, out_of_memory, was_killed},
};

const RUN: RunId = RunId(uuid::Uuid::from_u128(1));
const OTHER: RunId = RunId(uuid::Uuid::from_u128(2));

/// A server that has an open attempt, of which it expects report `next`.
struct Server {
    next: Mutex<u64>,
    ended: Mutex<Option<Report>>,
}

#[async_trait]
impl Coordinator for Server {
    async fn report(&self, report: &Report) -> Result<Directive, Refusal> {
        let mut next = self.next.lock().expect("nobody panics");
        if report.seq < *next {
            return Ok(Directive::Continue { lease_ms: 1_500 }); // taken before; the attempt goes on
        }
        assert_eq!(report.seq, *next, "reports come without gaps");
        *next += 1;
        *self.ended.lock().expect("nobody panics") = Some(report.clone());
        Ok(Directive::Continue { lease_ms: 0 })
    }

    async fn register(&self, _: &WorkerInfo) -> Result<Terms, Refusal> {
        unreachable!("a witness is no worker")
    }

    async fn acquire(&self, _: WorkerId, _: Free) -> Result<Option<Lease>, Refusal> {
        unreachable!("a witness is no worker")
    }

    async fn put_checkpoint(&self, _: [u8; 32], _: u32, _: &[u8]) -> Result<(), Refusal> {
        unreachable!("a witness has no checkpoint")
    }

    async fn get_checkpoint(&self, _: &CheckpointRef) -> Result<Vec<u8>, Refusal> {
        unreachable!("a witness needs no checkpoint")
    }

    async fn get_dataset(&self, _: DatasetHash, _: u64) -> Result<Vec<u8>, Refusal> {
        unreachable!("a witness needs no data")
    }
}

#[tokio::test]
async fn an_attempt_is_ended_whether_its_last_report_was_taken_or_not() {
    for taken in [false, true] {
        let next = if taken { 5 } else { 4 };
        let server = Server { next: Mutex::new(next), ended: Mutex::default() };
        let at = At { run: RUN, attempt: 3, seq: 4, step: 17, kills: 0 };
        out_of_memory(&server, at, "no memory").await;
        let ended = server.ended.into_inner().expect("nobody panics").expect("the attempt was ended");
        assert_eq!((ended.run, ended.attempt, ended.seq, ended.step), (RUN, 3, next, 17));
        assert_eq!(ended.outcome, Some(Outcome::Failed { class: Class::Oom, message: "no memory".into() }));
    }
}

#[tokio::test]
async fn a_witness_knows_what_was_open_when_the_worker_ended() {
    let (sender, receiver) = pipe::pipe().expect("a pipe can be made");
    let worker = Witness::at(sender).await.expect("it can be written");
    worker.note(RUN, 1, 0, 0);
    worker.note(OTHER, 7, 2, 9);
    worker.note(RUN, 1, 1, 30);
    worker.over(OTHER);
    drop(worker);
    let open = listen(tokio::io::BufReader::new(receiver)).await;
    let found: Vec<_> = open.values().map(|at| (at.run, at.attempt, at.seq, at.step)).collect();
    assert_eq!(found, [(RUN, 1, 1, 30)]);
    let kills = open[&RUN].kills;
    assert!(was_killed(&open, kills + 1));
    assert!(!was_killed(&open, kills), "whoever was killed before is not this worker");
    assert!(
        !was_killed(&BTreeMap::new(), kills + 1),
        "a worker that had nothing to do leaves nothing to say"
    );
}

#[test]
fn notes_are_read_as_they_were_written() {
    let notes = [Note::Over(RUN), Note::At(At { run: OTHER, attempt: 2, seq: 3, step: u64::MAX, kills: 4 })];
    for note in notes {
        assert_eq!(note.to_string().parse(), Ok(note));
    }
    assert_eq!("what is this".parse::<Note>(), Err(()));
}
