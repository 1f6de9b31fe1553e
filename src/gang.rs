//! The place of this process in a gang: alone, with threads, or one of those that `mpirun` or `srun` started.

use ::gang::Gang;

use crate::exit::Usage;

/// Variables with the number of processes: of Open MPI, of MPICH and PMI, and of Slurm where PMIx is at work.
const LAUNCHERS: [(&str, &str); 3] = [
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_SIZE", "PMI_SIZE"),
    ("PMIX_RANK", "SLURM_STEP_NUM_TASKS"),
];

/// The place of the one who leads. The session ends with it, and sends the others home.
pub(crate) struct Place {
    pub(crate) gang: Gang,
    #[cfg(feature = "mpi")]
    _session: Option<::gang::Session>,
}

impl Place {
    fn new(gang: Gang) -> Self {
        Self {
            gang,
            #[cfg(feature = "mpi")]
            _session: None,
        }
    }
}

/// With so many threads, or with the processes that were started together with this one. A process that follows another
/// one comes back when that is done, with nothing.
///
/// # Errors
/// If there are several processes and this build has no MPI or they have threads, or a follower cannot follow.
pub(crate) fn take_place(threads: usize) -> anyhow::Result<Option<Place>> {
    match launched() {
        None | Some(0 | 1) if threads > 1 => Ok(Some(Place::new(Gang::Threads(threads)))),
        None | Some(0 | 1) => Ok(Some(Place::new(Gang::Alone))),
        Some(_) if threads > 1 => {
            Err(Usage("--threads is for one process; here every process of the gang is one thread".into())
                .into())
        }
        Some(_) => join(),
    }
}

/// As one of the processes that `mpirun` or `srun` started, be it the only one.
///
/// # Errors
/// If none of them did, and as [`take_place`].
pub(crate) fn take_rank() -> anyhow::Result<Option<Place>> {
    match launched() {
        Some(_) => join(),
        None => {
            let how =
                "start it with `mpirun -n 4 vesicle work --gang` or `srun --mpi=pmix vesicle work --gang`";
            Err(Usage(format!("--gang: this process was started by neither mpirun nor srun; {how}")).into())
        }
    }
}

/// Number of processes that were started together, this one included; `None` if it was started by itself.
fn launched() -> Option<usize> {
    let said = |(sign, number): &(&str, &str)| {
        std::env::var_os(sign).and_then(|_| std::env::var(number).ok()?.parse().ok())
    };
    LAUNCHERS.iter().find_map(said)
}

/// # Errors
/// In a build without MPI.
pub(crate) fn check_build() -> Result<(), Usage> {
    if cfg!(feature = "mpi") {
        return Ok(());
    }
    let how = "build it with `cargo build --release --features mpi`, which needs an MPI library and libclang";
    Err(Usage(format!("this build has no MPI, so processes cannot share a run; {how}")))
}

#[cfg(not(feature = "mpi"))]
fn join() -> anyhow::Result<Option<Place>> {
    check_build()?;
    Ok(None)
}

#[cfg(feature = "mpi")]
fn join() -> anyhow::Result<Option<Place>> {
    use nix::sys::{prctl, signal::Signal};
    use tokio::signal::unix::{SignalKind, signal};

    // Whoever was started by a launcher that is gone has nobody to compute with.
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    let mut session = ::gang::Session::start()?;
    if session.is_leader() {
        return Ok(Some(Place { gang: session.gang(), _session: Some(session) }));
    }
    // Launchers pass signals on to all processes; these are for the leader, which will say what follows from them.
    let _heard = [SignalKind::user_defined1(), SignalKind::terminate()].map(signal);
    session.follow()?;
    Ok(None)
}
