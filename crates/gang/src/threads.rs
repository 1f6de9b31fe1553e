//! A team of threads.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, RwLock},
    thread::{self, JoinHandle},
};

use experiments::Kind;
use numerics::collective::{Collective, part};

use crate::{assignment::Assignment, order};

/// Numbers that are added under one lock: 64 KiB of the smaller ones.
const CELL: usize = 1 << 14;

/// A member of a team of threads.
///
/// Sums are added up in memory that all share, cell by cell, each member beginning at another one.
#[derive(Debug)]
pub struct Threads {
    rank: usize,
    shared: Arc<Shared>,
    /// Operations so far: members count alike.
    turn: u64,
    /// The others, if this is member 0; they end before it does.
    crew: Vec<JoinHandle<()>>,
}

/// What members share. There is one of each thing for even and one for odd turns: nobody can be more than one turn ahead of
/// one who still reads.
#[derive(Debug)]
struct Shared {
    size: usize,
    gate: Gate,
    narrow: [Board<i32>; 2],
    wide: [Board<i64>; 2],
    told: [Mutex<Vec<u8>>; 2],
}

impl Shared {
    fn new(size: usize) -> Arc<Self> {
        Arc::new(Self {
            size,
            gate: Gate::default(),
            narrow: Default::default(),
            wide: Default::default(),
            told: Default::default(),
        })
    }
}

/// Hires all but the first member, which is answered; they hold the run and wait for orders.
pub(crate) fn hire(size: usize, kind: &'static dyn Kind, assignment: &Assignment) -> Box<dyn Collective> {
    let shared = Shared::new(size);
    let follow = |rank| {
        let mut member = Threads::new(rank, shared.clone());
        let assignment = assignment.clone();
        thread::spawn(move || {
            let simulation = assignment.begin(kind).expect("the leader began the same run");
            order::obey(simulation, &mut member);
        })
    };
    let mut leader = Threads::new(0, shared.clone());
    leader.crew = (1..size).map(follow).collect();
    Box::new(leader)
}

/// What each member of a new team of threads answers, by rank.
///
/// # Panics
/// If one of them does.
pub fn together<T: Send>(size: usize, f: impl Fn(&mut dyn Collective) -> T + Sync) -> Vec<T> {
    let (shared, f) = (Shared::new(size), &f);
    thread::scope(|scope| {
        let start = |rank| {
            let mut member = Threads::new(rank, shared.clone());
            scope.spawn(move || f(&mut member))
        };
        let threads: Vec<_> = (0..size).map(start).collect();
        threads.into_iter().map(|thread| thread.join().expect("a member panicked")).collect()
    })
}

impl Threads {
    fn new(rank: usize, shared: Arc<Shared>) -> Self {
        Self { rank, shared, turn: 0, crew: Vec::new() }
    }

    /// Which of the two of each thing this turn takes.
    fn next_turn(&mut self) -> usize {
        self.turn += 1;
        (self.turn % 2) as usize
    }

    fn sum<T: Number>(&self, board: &Board<T>, numbers: &mut [T]) {
        let cells = numbers.len().div_ceil(CELL);
        board.grow(cells);
        let first = if cells == 0 { 0 } else { part(cells, self.shared.size, self.rank).start };
        let order = (first..cells).chain(0..first);
        for at in order.clone() {
            board.add(at, self.turn, &numbers[at * CELL..numbers.len().min((at + 1) * CELL)]);
        }
        self.shared.gate.pass(self.shared.size);
        for at in order {
            let end = numbers.len().min((at + 1) * CELL);
            board.read(at, &mut numbers[at * CELL..end]);
        }
    }
}

impl Collective for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.shared.size
    }

    fn sum_i32(&mut self, numbers: &mut [i32]) {
        let turn = self.next_turn();
        self.sum(&self.shared.narrow[turn], numbers);
    }

    fn sum_i64(&mut self, numbers: &mut [i64]) {
        let turn = self.next_turn();
        self.sum(&self.shared.wide[turn], numbers);
    }

    fn broadcast(&mut self, bytes: &mut [u8]) {
        let told = self.next_turn();
        let told = || locked(&self.shared.told[told]);
        if self.rank == 0 {
            *told() = bytes.to_vec();
        }
        self.shared.gate.pass(self.shared.size);
        if self.rank != 0 {
            bytes.copy_from_slice(&told());
        }
    }

    fn barrier(&mut self) {
        self.next_turn();
        self.shared.gate.pass(self.shared.size);
    }

    fn abandon(&mut self) {
        self.shared.gate.break_down();
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if thread::panicking() {
            self.abandon();
        }
        for member in self.crew.drain(..) {
            let _ = member.join(); // one that panicked has broken the gate, and that is how it was noticed
        }
    }
}

/// Where all wait for the last one.
#[derive(Debug, Default)]
struct Gate {
    state: Mutex<GateState>,
    opened: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    waiting: usize,
    passed: u64,
    broken: bool,
}

impl Gate {
    /// # Panics
    /// If a member is lost, for it would never come.
    fn pass(&self, size: usize) {
        let mut state = locked(&self.state);
        state.waiting += 1;
        let passed = state.passed;
        if state.waiting == size {
            (state.waiting, state.passed) = (0, passed + 1);
            self.opened.notify_all();
        } else {
            let closed = |state: &mut GateState| state.passed == passed && !state.broken;
            state = self.opened.wait_while(state, closed).expect("nobody panics while holding a gate");
        }
        let lost = state.broken && state.passed == passed;
        drop(state);
        assert!(!lost, "a member of the gang is lost");
    }

    fn break_down(&self) {
        locked(&self.state).broken = true;
        self.opened.notify_all();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics while holding a lock")
}

/// Sums, cell by cell.
#[derive(Debug, Default)]
struct Board<T> {
    cells: RwLock<Vec<Mutex<Cell<T>>>>,
}

#[derive(Debug, Default)]
struct Cell<T> {
    turn: u64,
    sums: Vec<T>,
}

/// What can be added up in any order.
trait Number: Copy + Default {
    fn plus(self, other: Self) -> Self;
}

impl Number for i32 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

impl Number for i64 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

impl<T: Number> Board<T> {
    /// Has so many cells at least.
    fn grow(&self, cells: usize) {
        const HELD: &str = "nobody panics while holding a board";
        if self.cells.read().expect(HELD).len() < cells {
            let mut all = self.cells.write().expect(HELD);
            let missing = cells.saturating_sub(all.len());
            all.extend((0..missing).map(|_| Mutex::default()));
        }
    }

    /// Adds to a cell; whoever comes first in a turn clears it.
    fn add(&self, at: usize, turn: u64, numbers: &[T]) {
        let cells = self.cells.read().expect("nobody panics while holding a board");
        let mut cell = locked(&cells[at]);
        if cell.turn == turn {
            assert_eq!(cell.sums.len(), numbers.len(), "all members give as many numbers");
            cell.sums.iter_mut().zip(numbers).for_each(|(sum, &number)| *sum = sum.plus(number));
        } else {
            cell.turn = turn;
            cell.sums.clear();
            cell.sums.extend_from_slice(numbers);
        }
    }

    fn read(&self, at: usize, numbers: &mut [T]) {
        let cells = self.cells.read().expect("nobody panics while holding a board");
        numbers.copy_from_slice(&locked(&cells[at]).sums);
    }
}

#[cfg(test)]
mod tests;
