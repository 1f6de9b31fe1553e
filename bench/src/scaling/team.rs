//! The team that is measured, and the parts of a step as a member of it sees them.

use std::time::Instant;

use experiments::Shared;
use numerics::collective::Collective;

use crate::ratio::median;

use super::Figures;

/// Seconds of the parts of a step.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Parts {
    /// Up to the first sum: a member's own shards.
    pub(crate) shards: f64,
    /// From the first sum to the last, waiting for the others included.
    pub(crate) sum: f64,
    /// After that: what every member does.
    pub(crate) ascent: f64,
}

impl Parts {
    pub(crate) fn per_step(self, steps: u64) -> Self {
        let Self { shards, sum, ascent } = self;
        let n = steps as f64;
        Self { shards: shards / n, sum: sum / n, ascent: ascent / n }
    }

    pub(crate) fn median(all: &[Self]) -> Self {
        let of = |part: fn(&Self) -> f64| median(&all.iter().map(part).collect::<Vec<_>>());
        Self { shards: of(|p| p.shards), sum: of(|p| p.sum), ascent: of(|p| p.ascent) }
    }
}

/// A team with a clock.
pub(crate) struct Timed<'a> {
    team: &'a mut dyn Collective,
    parts: &'a mut Parts,
    /// First sum of this step, and the end of the last one.
    summed: Option<(Instant, Instant)>,
}

impl<'a> Timed<'a> {
    pub(crate) fn new(team: &'a mut dyn Collective, parts: &'a mut Parts) -> Self {
        Self { team, parts, summed: None }
    }

    /// Takes a step and adds up its parts.
    pub(crate) fn step(&mut self, shared: &mut dyn Shared) {
        let began = Instant::now();
        self.summed = None;
        shared.step_with(self);
        let ended = Instant::now();
        let (first, last) = self.summed.expect("a step sums");
        self.parts.shards += (first - began).as_secs_f64();
        self.parts.sum += (last - first).as_secs_f64();
        self.parts.ascent += (ended - last).as_secs_f64();
    }

    fn timed(&mut self, sum: impl FnOnce(&mut dyn Collective)) {
        let began = Instant::now();
        sum(self.team);
        let first = self.summed.map_or(began, |(first, _)| first);
        self.summed = Some((first, Instant::now()));
    }
}

impl Collective for Timed<'_> {
    fn rank(&self) -> usize {
        self.team.rank()
    }

    fn size(&self) -> usize {
        self.team.size()
    }

    fn sum_i32(&mut self, numbers: &mut [i32]) {
        self.timed(|team| team.sum_i32(numbers));
    }

    fn sum_i64(&mut self, numbers: &mut [i64]) {
        self.timed(|team| team.sum_i64(numbers));
    }

    fn broadcast(&mut self, bytes: &mut [u8]) {
        self.team.broadcast(bytes);
    }

    fn barrier(&mut self) {
        self.team.barrier();
    }

    fn abandon(&mut self) {
        self.team.abandon();
    }
}

type Measured = anyhow::Result<Vec<Figures>>;

/// What the first member measures, and what the members are called. Processes that are not the first end here.
///
/// # Errors
/// As `measure`, or if MPI does not start.
pub(crate) fn gather(
    measure: impl Fn(&mut dyn Collective) -> Measured + Sync,
) -> anyhow::Result<(&'static str, Vec<Figures>)> {
    #[cfg(feature = "mpi")]
    if std::env::var_os("OMPI_COMM_WORLD_SIZE").is_some() {
        let mut session = gang::Session::start()?;
        let measured = measure(&mut *session.member())?;
        if !session.is_leader() {
            session.follow()?; // until the first one goes home
            drop(session); // which MPI wants to see before a process ends
            std::process::exit(0);
        }
        return Ok(("ranks", measured));
    }
    let mut all = gang::together(2, measure);
    Ok(("threads", all.swap_remove(0)?))
}
