//! What the fast path learns.

use super::super::{Law, Learning, Parameters, PersistentChains, State as GeneralState, Synapses, Velocity};
use super::gates::Gates;
use super::images::Images;
use crate::{BinaryRows, Draws};
use kernels::Level;
use kernels::tiled::{Line, Matrix, PANEL};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// All that one step needs from the one before; serialises to the same bits.
///
/// It is stored as the general [`super::super::State`], so either path can go on from the other.
#[derive(Clone, Debug)]
pub struct State {
    pub(super) synapses: Synapses,
    pub(super) w: Moving,
    pub(super) a: Moving,
    pub(super) b: MovingBias,
    pub(super) c: MovingBias,
    /// Hidden states of persistent chains.
    pub(super) chains: Images,
    /// What the last step made ready: a pure function of the rest.
    pub(super) gates: Gates,
    /// Whether w and a are known to have velocities of 0: a pure function of the rest.
    at_rest: bool,
}

/// A parameter (V, H) and its velocity.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moving {
    pub(super) x: Matrix,
    pub(super) velocity: Matrix,
}

/// Biases and their velocities, a line a panel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct MovingBias {
    units: usize,
    pub(super) x: Vec<Line>,
    pub(super) velocity: Vec<Line>,
}

impl State {
    /// Parameters at rest, without persistent chains.
    ///
    /// # Panics
    /// If the law is not Bernoulli's, or the synapses are unreliable and a has another shape than w.
    pub fn new(parameters: Parameters) -> Self {
        GeneralState::new(parameters).into()
    }

    /// The same with persistent chains.
    pub fn with_chains(self, chains: PersistentChains) -> Self {
        Self { chains: Images::from(&chains.hidden), ..self }
    }

    /// What was learned, row by row.
    pub fn parameters(&self) -> Parameters {
        Parameters {
            synapses: self.synapses,
            w: to_array(&self.w.x),
            a: to_array(&self.a.x),
            b: self.b.to_array(&self.b.x),
            c: self.c.to_array(&self.c.x),
            law: Law::Bernoulli,
            log_sd: Array2::zeros((0, 0)),
        }
    }

    /// Chains that outlive the step.
    pub fn chains(&self) -> PersistentChains {
        PersistentChains { hidden: BinaryRows::from(&self.chains) }
    }

    /// Makes what a step with these draws needs, unless the step before did.
    pub(super) fn prepare(&mut self, level: Level, learning: &Learning, draws: Draws) {
        self.gates.prepare(level, (self.synapses, &self.w, &self.a), learning, draws);
    }

    /// Ends a step: without momentum all velocities are 0.
    pub(super) fn settle(&mut self, momentum: f64) {
        let moving = momentum != 0.0;
        // Kernels of reliable synapses leave velocities alone then.
        if !(moving || self.at_rest && self.synapses == Synapses::Reliable) {
            self.w.velocity.clear();
            self.a.velocity.clear();
        }
        self.at_rest = !moving;
        if !moving {
            self.b.velocity.fill(Line::ZERO);
            self.c.velocity.fill(Line::ZERO);
        }
    }

    /// Everything that moves: parameters and velocities.
    pub(super) fn all_lines(&self) -> [&[Line]; 8] {
        let Self { w, a, b, c, .. } = self;
        let [w, v, a, u] = [&w.x, &w.velocity, &a.x, &a.velocity].map(Matrix::lines);
        [w, v, a, u, &b.x, &b.velocity, &c.x, &c.velocity]
    }

    /// The same, to be changed; padding stays 0.
    pub(super) fn all_lines_mut(&mut self) -> [&mut [Line]; 8] {
        let Self { w, a, b, c, .. } = self;
        let matrices = [&mut w.x, &mut w.velocity, &mut a.x, &mut a.velocity];
        let [w, v, a, u] = matrices.map(Matrix::lines_mut);
        [w, v, a, u, &mut b.x, &mut b.velocity, &mut c.x, &mut c.velocity]
    }

    /// Makes all weights NaN.
    pub(super) fn spoil(&mut self) {
        let values = vec![f32::NAN; self.w.x.rows() * self.w.x.columns()];
        self.w.x = Matrix::from_values(self.w.x.rows(), self.w.x.columns(), &values);
    }

    /// After parameters were changed by another hand than a step's.
    pub(super) fn forget_gates(&mut self) {
        self.gates = Gates::default();
    }

    /// The same state for the general path.
    pub fn to_general(&self) -> GeneralState {
        let velocity = Velocity {
            w: to_array(&self.w.velocity),
            a: to_array(&self.a.velocity),
            b: self.b.to_array(&self.b.velocity),
            c: self.c.to_array(&self.c.velocity),
            log_sd: Array2::zeros((0, 0)),
        };
        let (parameters, chains) = (self.parameters(), self.chains());
        GeneralState { parameters, velocity, chains, fields: Array2::zeros((0, 0)) }
    }
}

impl From<GeneralState> for State {
    /// # Panics
    /// If the law is not Bernoulli's or the shapes of the parameters do not fit together.
    fn from(general: GeneralState) -> Self {
        let misfit = misfit(&general);
        assert!(misfit.is_none(), "the tiled step cannot start here: {}", misfit.unwrap_or_default());
        let GeneralState { parameters, velocity, chains, .. } = general;
        Self {
            synapses: parameters.synapses,
            w: Moving { x: to_matrix(&parameters.w), velocity: to_matrix(&velocity.w) },
            a: Moving { x: to_matrix(&parameters.a), velocity: to_matrix(&velocity.a) },
            b: MovingBias::new(&parameters.b, &velocity.b),
            c: MovingBias::new(&parameters.c, &velocity.c),
            chains: Images::from(&chains.hidden),
            gates: Gates::default(),
            at_rest: false,
        }
    }
}

/// Gates follow from the rest.
impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.synapses == other.synapses
            && (&self.w, &self.a, &self.b, &self.c) == (&other.w, &other.a, &other.b, &other.c)
            && self.chains == other.chains
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_general().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let general = GeneralState::deserialize(deserializer)?;
        match misfit(&general) {
            None => Ok(general.into()),
            Some(misfit) => Err(serde::de::Error::custom(misfit)),
        }
    }
}

/// Why a state is none of the fast path.
fn misfit(general: &GeneralState) -> Option<&'static str> {
    let GeneralState { parameters, velocity, .. } = general;
    let shape = parameters.w.dim();
    let same_shapes = velocity.w.dim() == shape
        && velocity.a.dim() == parameters.a.dim()
        && (velocity.b.len(), velocity.c.len()) == shape
        && (parameters.b.len(), parameters.c.len()) == shape
        && (parameters.synapses == Synapses::Reliable || parameters.a.dim() == shape);
    if !same_shapes {
        Some("shapes of parameters differ")
    } else if parameters.law != Law::Bernoulli {
        Some("the law of the synapses is not Bernoulli's")
    } else {
        None
    }
}

impl MovingBias {
    fn new(x: &Array1<f32>, velocity: &Array1<f32>) -> Self {
        Self { units: x.len(), x: to_lines(x), velocity: to_lines(velocity) }
    }

    fn to_array(&self, lines: &[Line]) -> Array1<f32> {
        lines.iter().flat_map(|line| line.0.as_flattened()).take(self.units).copied().collect()
    }
}

fn to_lines(values: &Array1<f32>) -> Vec<Line> {
    let mut lines = vec![Line::ZERO; values.len().div_ceil(PANEL)];
    for (i, &value) in values.iter().enumerate() {
        lines[i / PANEL].0.as_flattened_mut()[i % PANEL] = value;
    }
    lines
}

fn to_matrix(values: &Array2<f32>) -> Matrix {
    let slice = values.as_standard_layout();
    let slice = slice.as_slice().expect("just put into standard layout");
    Matrix::from_values(values.nrows(), values.ncols(), slice)
}

fn to_array(matrix: &Matrix) -> Array2<f32> {
    let values = matrix.values().collect();
    Array2::from_shape_vec((matrix.rows(), matrix.columns()), values).expect("a value per row and column")
}
