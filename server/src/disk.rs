//! How much room the disk of the database has, and what is refused when it is little: at first nothing, then what would
//! stay, then every write. Reading goes on.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use nix::sys::statvfs::statvfs;

use crate::{
    app::App,
    config::Config,
    fault::{Fault, Kind},
};

/// For so long a measurement is good.
const FRESH: Duration = Duration::from_millis(500);

/// The room on a disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What is left.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

/// What the room is enough for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    /// Nothing but reading.
    Reading,
    /// What runs already.
    Running,
    /// Everything, but an operator should look.
    Low,
    /// Everything.
    Plenty,
}

impl Space {
    /// Of the disk that a file or folder is on.
    ///
    /// # Errors
    /// If there is no such path, or the system does not know.
    pub fn of(path: &Path) -> io::Result<Self> {
        let found = statvfs(path)?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.fragment_size());
        Ok(Self { free: bytes(found.blocks_available()), total: bytes(found.blocks()) })
    }

    /// What that is enough for, by the settings of a server.
    pub fn room(self, config: &Config) -> Room {
        let warn = u128::from(self.total) * u128::from(config.warn_free_percent);
        match self.free {
            free if free < config.min_free_write_bytes => Room::Reading,
            free if free < config.min_free_bytes => Room::Running,
            free if u128::from(free) * 100 < warn => Room::Low,
            _ => Room::Plenty,
        }
    }
}

impl Room {
    /// As `/readyz` says it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading_only",
            Self::Running => "no_new_jobs",
            Self::Low => "low",
            Self::Plenty => "ok",
        }
    }

    /// What follows from it, for people.
    pub fn consequence(self) -> &'static str {
        match self {
            Self::Reading => "every write is refused until there is more room; reading goes on",
            Self::Running => "jobs and data sets are refused until there is more room; what runs goes on",
            Self::Low => "make room before jobs are refused",
            Self::Plenty => "that is enough",
        }
    }
}

/// The disk of the database; none where the database is not a file of this machine.
#[derive(Debug)]
pub(crate) struct Disk {
    path: Option<PathBuf>,
    last: Mutex<Option<Look>>,
}

/// What was found, and when.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Duration,
    space: Space,
    room: Room,
}

impl Disk {
    pub(crate) fn at(path: Option<PathBuf>) -> Self {
        Self { path, last: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Look>> {
        self.last.lock().expect("nothing panics while the lock is held")
    }
}

impl App {
    /// The room on the disk of the database, half a second old at most. When it is enough for less, or more, than before,
    /// the log says so, once.
    pub(crate) fn room(&self) -> Result<Option<(Space, Room)>, Fault> {
        let Some(path) = &self.disk.path else { return Ok(None) };
        let now = self.clock.uptime();
        let mut last = self.disk.lock();
        if let Some(Look { space, room, .. }) = last.filter(|look| now < look.at + FRESH) {
            return Ok(Some((space, room)));
        }
        let space = Space::of(path).map_err(|error| {
            Fault::internal(format!("the disk of the database, {}: {error}", path.display()))
        })?;
        let room = space.room(&self.config);
        tell(last.map_or(Room::Plenty, |look| look.room), room, space);
        *last = Some(Look { at: now, space, room });
        Ok(Some((space, room)))
    }

    /// Refuses what would stay while the disk is nearly full, so that what runs can end.
    pub(crate) fn has_room_for_jobs(&self) -> Result<(), Fault> {
        self.has_room(Room::Low, self.config.min_free_bytes, "for jobs and data sets")
    }

    /// Refuses every write while there is hardly any room left, so that the database is never cut off within one.
    pub(crate) fn has_room_to_write(&self) -> Result<(), Fault> {
        self.has_room(Room::Running, self.config.min_free_write_bytes, "for anything to be written")
    }

    fn has_room(&self, least: Room, bytes: u64, what: &str) -> Result<(), Fault> {
        match self.room()? {
            Some((Space { free, .. }, room)) if room < least => {
                let rule = format!("there must be at least {bytes} {what}; reading goes on");
                Err(Fault::new(Kind::Full, format!("the disk of the database has {free} free bytes; {rule}")))
            }
            _ => Ok(()),
        }
    }
}

fn tell(before: Room, now: Room, Space { free, total }: Space) {
    let (name, consequence) = (now.name(), now.consequence());
    let what = format!("the disk of the database has {free} of {total} bytes free: {consequence}");
    match now {
        _ if now == before => {}
        Room::Plenty => tracing::info!(room = name, free, total, "{what}"),
        Room::Low => tracing::warn!(room = name, free, total, "{what}"),
        Room::Reading | Room::Running => tracing::error!(room = name, free, total, "{what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_the_least_that_is_enough() {
        let (min_free_write_bytes, min_free_bytes, warn_free_percent) = (256, 1_024, 10);
        let config = Config { min_free_write_bytes, min_free_bytes, warn_free_percent, ..Config::default() };
        let rooms = [
            (0, Room::Reading),
            (255, Room::Reading),
            (256, Room::Running),
            (1_023, Room::Running),
            (1_024, Room::Low),
            (1_999, Room::Low),
            (2_000, Room::Plenty),
            (20_000, Room::Plenty),
        ];
        for (free, room) in rooms {
            assert_eq!(Space { free, total: 20_000 }.room(&config), room, "{free} free");
        }
        // A hundred times less than the limit, and more than numbers of 64 bits could multiply.
        let disk = Space { free: u64::MAX / 1_000, total: u64::MAX };
        assert_eq!(disk.room(&config), Room::Low);
    }

    #[test]
    fn a_disk_has_no_more_free_than_there_is() {
        let space = Space::of(Path::new("/")).expect("there is a root");
        assert!(space.total > 0 && space.free <= space.total, "{space:?}");
        assert!(Space::of(Path::new("/there/is/no/such/folder")).is_err());
    }
}
