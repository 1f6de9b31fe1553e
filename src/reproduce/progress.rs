//! How far many jobs are, in one line.

use std::{cell::RefCell, collections::BTreeMap, io::IsTerminal, time::Instant};

use futures::future::try_join_all;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    client::{Client, Follow, Job, JobEvent},
    text::duration,
};

/// Thousandths of all runs: what the bar counts.
const PARTS: u64 = 1000;

/// Follows all jobs to their ends; progress goes to standard error.
pub(super) async fn follow(client: &Client, jobs: impl Iterator<Item = &Job>) -> anyhow::Result<()> {
    let jobs: Vec<&Job> = jobs.collect();
    let board = RefCell::new(Board::new(jobs.iter().map(|job| u64::from(job.runs.total)).sum()));
    let each = jobs.iter().map(|job| {
        let board = &board;
        async move {
            let mut events = Follow::new(client, &job.id, 0);
            while let Some(event) = events.next().await? {
                board.borrow_mut().take(job, &event);
            }
            anyhow::Ok(())
        }
    });
    try_join_all(each).await?;
    board.into_inner().bar.finish_and_clear();
    Ok(())
}

/// What is known of the runs.
struct Board {
    runs: u64,
    ended: u64,
    /// Part done of each run, by its id.
    parts: BTreeMap<String, f64>,
    bar: ProgressBar,
    is_terminal: bool,
    began: Instant,
}

impl Board {
    fn new(runs: u64) -> Self {
        let style = ProgressStyle::with_template("{bar:30} {msg}").expect("the template is constant");
        let bar = ProgressBar::new(runs * PARTS).with_style(style.progress_chars("━╸─"));
        let is_terminal = std::io::stderr().is_terminal();
        Self { runs, ended: 0, parts: BTreeMap::new(), bar, is_terminal, began: Instant::now() }
    }

    fn take(&mut self, job: &Job, event: &JobEvent) {
        let run = event.text("run").to_owned();
        match event.kind.as_str() {
            "run_progressed" => {
                self.parts.insert(run, event.count("step") as f64 / event.count("steps").max(1) as f64);
            }
            "run_ended" => {
                self.ended += 1;
                self.parts.insert(run, 1.0);
                self.tell(job, event);
            }
            _ => return,
        }
        let done: f64 = self.parts.values().sum();
        self.bar.set_position((done * PARTS as f64) as u64);
        let spent = self.began.elapsed().as_secs_f64();
        let left = spent * (self.runs as f64 - done) / done.max(1e-9);
        self.bar.set_message(format!(
            "{} of {} runs, {} spent, about {} left",
            self.ended,
            self.runs,
            duration(spent),
            duration(left)
        ));
    }

    /// A run that ended: a line where there is no bar, and everywhere if it failed.
    fn tell(&self, job: &Job, event: &JobEvent) {
        let name = job.name.as_deref().unwrap_or(&job.experiment);
        let outcome = event.text("outcome");
        let spent = duration(self.began.elapsed().as_secs_f64());
        if outcome != "succeeded" {
            let line = format!("{name}: a run {outcome}: {}", event.text("message"));
            self.bar.suspend(|| eprintln!("{line}"));
        } else if !self.is_terminal {
            eprintln!("{}/{} runs after {spent}: {name}", self.ended, self.runs);
        }
    }
}
