//! The verbs that are carried out in groups.

use std::sync::Arc;

use jobs::{Millis, Report, RunId, Value};
use uuid::Uuid;

use super::{Backend, report, submit};
use crate::gather::{Group, Question};
use crate::weight::Weight;
use crate::{NewJob, Result, StoreError, Submitted};

/// A report and what is known of it before its transaction.
#[derive(Debug)]
pub(in super::super) struct Reported {
    pub(in super::super) report: Report,
    /// Whether the chunks of its checkpoint hash to something else.
    pub(in super::super) wrong_digest: bool,
    pub(in super::super) now: Millis,
}

impl Question for Reported {
    type Answer = jobs::Directive;
    type Key = RunId;

    fn key(&self) -> RunId {
        self.report.run
    }

    fn weight(&self) -> Weight {
        let bytes = self.report.metrics.iter().map(|metric| match &metric.value {
            Value::Scalar(_) => 32,
            Value::Array(array) => array.data.len() + 64,
        });
        Weight::of(self.report.metrics.len() + 4, bytes.sum())
    }
}

/// A job that is to be stored.
#[derive(Debug)]
pub(in super::super) struct Submitting(pub(super) NewJob);

impl Question for Submitting {
    type Answer = Submitted;
    type Key = (Option<String>, Uuid);

    /// The idempotency key; without one every job is another one.
    fn key(&self) -> Self::Key {
        match &self.0.idempotency {
            Some((key, _)) => (Some(key.clone()), Uuid::nil()),
            None => (None, self.0.id.0),
        }
    }

    fn weight(&self) -> Weight {
        let Self(job) = self;
        let bytes = job.runs.iter().map(|run| run.spec.params.len());
        Weight::of(job.runs.len() + job.from.len() + 3, bytes.sum())
    }
}

/// How much a group takes.
fn weight<Q: Question>(group: &Group<Q>) -> Weight {
    group.iter().fold(Weight::of(0, 0), |sum, question| sum.plus(question.weight()))
}

pub(super) async fn reports(store: Backend, group: Group<Reported>) -> Result<Vec<jobs::Directive>> {
    let told: Vec<&Reported> = group.iter().map(AsRef::as_ref).collect();
    let answers = store.take_plain(&told).await?;
    match unanswered(&group, &answers) {
        Some(rest) => all(answers, reports_in_a_transaction(&store, rest).await?),
        None => all(answers, Vec::new()),
    }
}

/// The part of a group that has no answer yet.
fn unanswered<Q, A>(group: &Group<Q>, answers: &[Option<A>]) -> Option<Group<Q>> {
    let open = group.iter().zip(answers).filter(|(_, answer)| answer.is_none());
    let open: Group<Q> = open.map(|(asked, _)| Arc::clone(asked)).collect();
    (!open.is_empty()).then_some(open)
}

/// All answers of a group, with those of the rest of it in their places.
fn all<A>(answers: Vec<Option<A>>, rest: Vec<A>) -> Result<Vec<A>> {
    let mut rest = rest.into_iter();
    let all: Option<Vec<A>> = answers.into_iter().map(|answer| answer.or_else(|| rest.next())).collect();
    all.ok_or_else(|| StoreError::Internal("a member of a group has no answer".into()))
}

async fn reports_in_a_transaction(store: &Backend, group: Group<Reported>) -> Result<Vec<jobs::Directive>> {
    let policy = store.policy();
    store
        .write(weight(&group), move |db| {
            let group = Group::clone(&group);
            Box::pin(async move {
                let told: Vec<&Reported> = group.iter().map(AsRef::as_ref).collect();
                report::all(db, &told, &policy).await
            })
        })
        .await
}

pub(super) async fn submissions(store: Backend, group: Group<Submitting>) -> Result<Vec<Submitted>> {
    let independent: Vec<&NewJob> = jobs(&group).into_iter().filter(|job| job.from.is_empty()).collect();
    let stored = store.take_new(&independent).await?;
    let answer = |job: &NewJob| stored.contains(&job.id).then(|| submit::created(job)).transpose();
    let answers = jobs(&group).into_iter().map(answer).collect::<Result<Vec<_>>>()?;
    match unanswered(&group, &answers) {
        Some(rest) => all(answers, submissions_in_a_transaction(&store, rest).await?),
        None => all(answers, Vec::new()),
    }
}

async fn submissions_in_a_transaction(store: &Backend, group: Group<Submitting>) -> Result<Vec<Submitted>> {
    store
        .write(weight(&group), move |db| {
            let group = Group::clone(&group);
            Box::pin(async move { submit::all(db, &jobs(&group)).await })
        })
        .await
}

fn jobs(group: &Group<Submitting>) -> Vec<&NewJob> {
    group.iter().map(|submitting| &submitting.0).collect()
}
