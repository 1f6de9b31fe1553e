//! The other side: a Python process that is asked in JSON lines.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context, bail};
use serde_json::{Map, Value as Json, json};

use crate::{case::Program, environment};

/// A peer at work.
pub(crate) struct Peer {
    process: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts one and tells it what to do; with what it says of its version.
    ///
    /// # Errors
    /// If it cannot be installed or started.
    pub(crate) fn start(program: Program, setup: Map<String, Json>) -> anyhow::Result<(Self, String)> {
        let mut command = Command::new(environment::python(program.name())?);
        command.arg(environment::scripts().join(program.script()));
        for threads in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"] {
            command.env(threads, "1");
        }
        // Scripts leave no byte code in the tree, and what packages find deprecated is no news here.
        command
            .env("PYTHONWARNINGS", "ignore")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = command.spawn().with_context(|| format!("cannot start {}", program.name()))?;
        let orders = process.stdin.take();
        let answers = process.stdout.take().context("its output was asked for")?;
        let mut peer = Self { process, orders, answers: BufReader::new(answers) };
        let answer = peer.ask(&json!({ "do": "start", "setup": setup }))?;
        Ok((peer, answer["version"].as_str().unwrap_or("unknown").to_owned()))
    }

    /// Trains on `images` images; processor seconds.
    ///
    /// # Errors
    /// If it fails.
    pub(crate) fn train(&mut self, images: usize) -> anyhow::Result<f64> {
        let answer = self.ask(&json!({ "do": "train", "images": images }))?;
        answer["cpu_seconds"].as_f64().context("the peer does not say how long it took")
    }

    /// Lets it write what it has learned into a folder.
    ///
    /// # Errors
    /// If it fails.
    pub(crate) fn write_parameters(&mut self, folder: &Path) -> anyhow::Result<()> {
        self.ask(&json!({ "do": "parameters", "folder": folder })).map(drop)
    }

    /// Asks for something and waits for the answer.
    ///
    /// # Errors
    /// If the peer ends or answers nonsense.
    pub(crate) fn ask(&mut self, order: &Json) -> anyhow::Result<Json> {
        let orders = self.orders.as_mut().context("the peer was stopped")?;
        writeln!(orders, "{order}").context("the peer is gone")?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            bail!("the peer ended; what it says is above");
        }
        serde_json::from_str(&answer).with_context(|| format!("the peer answered {answer:?}"))
    }
}

impl Drop for Peer {
    /// It ends with its input.
    fn drop(&mut self) {
        self.orders = None;
        if let Err(error) = self.process.wait() {
            eprintln!("cannot wait for a peer: {error}");
        }
    }
}
