//! The long storm: rounds one after the other, each noted in a journal, so that one that was broken off goes on.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::round::{self, Outcome};
use crate::support::Database;

/// Each with a hundred runs, so a thousand in all.
const ROUNDS: u64 = 10;
const RUNS: usize = 1_000;
const FAULTS: usize = 200;
const EVERY_MINUTE: Duration = Duration::from_secs(60);

/// The lines of finished rounds.
struct Journal {
    file: PathBuf,
}

impl Journal {
    fn of(database: &str, seed: u64) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/chaos");
        fs::create_dir_all(&folder).expect("the build folder can be written");
        Self { file: folder.join(format!("{database}-{seed}.jsonl")) }
    }

    /// Rounds that are over. A line that was broken off does not count.
    fn lines(&self) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn add(&self, outcome: &Outcome) {
        let mut file = fs::File::options().create(true).append(true).open(&self.file);
        let file = file.as_mut().expect("the build folder can be written");
        writeln!(file, "{}", outcome.line).expect("the build folder can be written");
    }
}

/// Says once a minute that it goes on.
async fn tell(round: u64) {
    let began = Instant::now();
    let mut tick = tokio::time::interval(EVERY_MINUTE);
    tick.tick().await;
    loop {
        tick.tick().await;
        eprintln!("round {round} goes on, {} s", began.elapsed().as_secs());
    }
}

/// Plays what is left of a thousand runs under two hundred faults.
pub(super) async fn play(database: Database, seed: u64) {
    let name = database.name();
    let journal = Journal::of(name, seed);
    let done = journal.lines().len() as u64;
    eprintln!("{name}, seed {seed}: {done} of {ROUNDS} rounds are in {}", journal.file.display());
    for round in done..ROUNDS {
        let telling = tokio::spawn(tell(round));
        let outcome = round::play(database, 1_000 * seed + round).await;
        telling.abort();
        let outcome = outcome.expect("the long storm needs its database");
        eprintln!("round {round}: {}", outcome.line);
        journal.add(&outcome);
    }
    let sum = |field: &str| -> usize {
        journal.lines().iter().filter_map(|line| line[field].as_u64()).sum::<u64>() as usize
    };
    let (runs, faults) = (sum("runs"), sum("faults"));
    eprintln!("{name}, seed {seed}: {runs} runs, {faults} faults, {} attempts", sum("attempts"));
    assert!(runs >= RUNS && faults >= FAULTS, "{runs} runs and {faults} faults are too few");
}
