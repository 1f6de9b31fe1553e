//! Who may be connected to whom.

use serde::{Deserialize, Serialize};

/// One of the two areas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Sees; neurons 0 … K − 1.
    Vision = 0,
    /// Hears; neurons K … 2K − 1.
    Sound = 1,
}

impl Area {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Vision, Self::Sound];

    /// The other one.
    pub fn other(self) -> Self {
        Self::ALL[1 - self as usize]
    }
}

/// Sizes. A row of synapses onto a neuron holds the inputs of its area, then all neurons of both areas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wiring {
    /// Inputs of each area.
    pub inputs: [usize; 2],
    /// K: neurons of one area.
    pub neurons: usize,
    /// Circuits of one area; K is a multiple of it.
    pub circuits: usize,
}

impl Wiring {
    /// Neurons of both areas.
    pub fn all(&self) -> usize {
        2 * self.neurons
    }

    /// Neurons of a circuit.
    pub fn members(&self) -> usize {
        self.neurons / self.circuits
    }

    /// Synapses of a row onto a neuron of an area.
    pub fn width(&self, area: Area) -> usize {
        self.inputs[area as usize] + self.all()
    }

    /// The area of a neuron.
    pub fn area(&self, neuron: usize) -> Area {
        Area::ALL[neuron / self.neurons]
    }

    /// The circuit of a neuron, counted over both areas.
    pub fn circuit(&self, neuron: usize) -> usize {
        neuron / self.members()
    }

    /// The neurons of an area.
    pub fn of(&self, area: Area) -> std::ops::Range<usize> {
        area as usize * self.neurons..(area as usize + 1) * self.neurons
    }

    /// The neuron that column `column` of a row in `area` comes from; none for an input.
    pub fn source(&self, area: Area, column: usize) -> Option<usize> {
        column.checked_sub(self.inputs[area as usize])
    }

    /// Whether neuron and column belong to different areas.
    pub fn is_between(&self, neuron: usize, column: usize) -> bool {
        let area = self.area(neuron);
        self.source(area, column).is_some_and(|source| self.area(source) != area)
    }
}
