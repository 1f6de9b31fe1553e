//! Buffers of a step.

use super::images::Images;
use super::shards::Edges;
use kernels::tiled::fixed::FixedStatistics;
use kernels::tiled::lists::Active;
use kernels::tiled::product::Groups;
use kernels::tiled::statistics::{Pairs, Table};
use kernels::tiled::{Line, PANEL, zeroed};

/// Memory that steps reuse; it carries nothing from one to the next.
#[derive(Debug, Default)]
pub struct Scratch {
    /// A mini-batch that came as rows.
    pub(super) images: Images,
    pub(super) picks: Vec<u32>,
    /// Bits of the units: (examples, words).
    pub(super) data: Vec<u64>,
    pub(super) visible: Vec<u64>,
    pub(super) visible_before: Vec<u64>,
    pub(super) hidden: Vec<u64>,
    /// Hidden samples for the statistics only.
    pub(super) samples: Vec<u64>,
    pub(super) active: Active,
    pub(super) groups: Groups,
    pub(super) on: Active,
    pub(super) off: Active,
    /// Inputs of units: (panels, examples).
    pub(super) hidden_inputs: Vec<Line>,
    pub(super) hidden_inputs_before: Vec<Line>,
    pub(super) visible_inputs: Vec<Line>,
    pub(super) table: Table,
    pub(super) pairs: Pairs,
    pub(super) surplus: Vec<Line>,
    /// Sums over shards.
    pub(super) fixed: FixedStatistics,
    pub(super) edges: Edges,
    /// Changes of everything that moves, while shards learn apart.
    pub(super) changes: Vec<i64>,
}

impl Scratch {
    /// Sets the lengths of everything whose length says something.
    pub(super) fn reset(&mut self, examples: usize, v: usize, h: usize) {
        let (v, h) = (v.div_ceil(PANEL), h.div_ceil(PANEL));
        self.data.clear();
        self.visible.resize(examples * v, 0);
        self.visible_before.resize(examples * v, 0);
        self.hidden.resize(examples * h, 0);
        self.samples.resize(examples * h, 0);
        self.hidden_inputs.resize(examples * h, Line::ZERO);
        self.hidden_inputs_before.resize(examples * h, Line::ZERO);
        self.visible_inputs.resize(examples * v, Line::ZERO);
        zeroed(&mut self.surplus, h.max(v), Line::ZERO);
    }
}
