//! Momentum ascent of all synapses, in the pass that sums their statistics.
//!
//! `D` below is the statistic of [`super::statistics`] over the number of examples, `p = s(a)` the probability of
//! release and `q = s(a + w)`, `s(x) = 1/(1 + e^−x)`. What the next step needs of the new (w, a) is computed while
//! they are in registers: the factors of the gradients in half precision, release masks or thresholds, collapsed
//! weights. [`derive_mixture`] and
//! [`derive_joint`] give the same bits from (w, a) alone.

mod joint;
mod mixture;

pub use joint::{JointGates, ascend_joint, derive_joint};
pub use mixture::{MixtureGates, Releases, ascend_mixture, derive_mixture};

use super::fixed::{self, FixedStatistics};
use super::matrix::{Line, Matrix, vectors};
use super::simd::Simd;
use super::statistics::{Pairs, Table};
use super::{FADED, simd_kernel};

/// Where the statistics come from.
#[derive(Clone, Copy, Debug)]
pub enum Statistics<'a> {
    /// They are summed on the way.
    Tabulated(Tabulated<'a>),
    /// They are summed already, part by part.
    Fixed(&'a FixedStatistics),
}

/// What statistics are summed from.
#[derive(Clone, Copy, Debug)]
pub struct Tabulated<'a> {
    /// Hidden units of both sides.
    pub table: &'a Table,
    /// Rows of every visible unit.
    pub pairs: &'a Pairs,
}

impl Statistics<'_> {
    /// Examples of the mini-batch.
    fn examples(&self) -> usize {
        match self {
            Self::Tabulated(tabulated) => tabulated.pairs.examples(),
            Self::Fixed(fixed) => fixed.examples(),
        }
    }
}

impl Tabulated<'_> {
    pub(super) fn check(&self, (rows, columns): (usize, usize)) {
        self.table.check(columns, self.pairs.examples());
        assert_eq!(self.pairs.units(), rows, "one row per visible unit");
    }
}

/// `velocity = momentum · velocity + rate · (gradient − decay · w); w += velocity`, likewise a without decay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Step size of w.
    pub w: f32,
    /// Step size of a.
    pub a: f32,
    /// The part of a velocity that stays.
    pub momentum: f32,
    /// Decay of w.
    pub decay: f32,
    /// |a| stays at most this.
    pub a_limit: f32,
}

/// A parameter and its velocity; two matrices of one shape.
#[derive(Debug)]
pub struct Moving<'a> {
    /// The parameter.
    pub x: &'a mut Matrix,
    /// Its velocity.
    pub velocity: &'a mut Matrix,
}

simd_kernel! {
    /// `dw = D`: reliable synapses. Without momentum velocities are neither read nor written.
    ///
    /// # Panics
    /// If shapes do not fit.
    pub fn ascend<'a>(statistics: Statistics<'a>, w: Moving<'a>, rates: Rates) = ascend_body
}

simd_kernel! {
    /// Ascent of biases along `surplus / examples`, without decay.
    ///
    /// # Panics
    /// If lengths differ.
    pub fn ascend_biases<'a>(
        surplus: &'a [Line], examples: usize, bias: &'a mut [Line], velocity: &'a mut [Line], rates: Rates,
    ) = biases_body
}

/// Factors are kept in half precision times this, so that those of the surest synapses are normal numbers.
const HALF_SCALE: f32 = 16_384.0;

/// A line of synapses: one visible unit and a panel of hidden ones.
#[derive(Clone, Copy)]
struct Place {
    panel: usize,
    row: usize,
    /// Number of the line in a matrix.
    at: usize,
}

/// What happens to one line of synapses, given n times its D.
trait Rule<S: Simd> {
    fn line<const V: usize>(&mut self, s: S, place: Place, nd: [S::F; V]);
}

/// n times the D of one line of synapses.
trait Source<S: Simd>: Copy {
    fn line<const V: usize>(&self, s: S, place: Place) -> [S::F; V];
}

impl<S: Simd> Source<S> for Tabulated<'_> {
    #[inline(always)]
    fn line<const V: usize>(&self, s: S, place: Place) -> [S::F; V] {
        self.table.sums::<S, V>(s, place.panel, self.pairs.rows(place.row))
    }
}

/// Lines in fixed point and what one number there is worth.
struct Worth<'a, S: Simd> {
    lines: &'a [[[i32; 16]; 4]],
    worth: S::F,
}

impl<S: Simd> Clone for Worth<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: Simd> Copy for Worth<'_, S> {}

impl<S: Simd> Source<S> for Worth<'_, S> {
    #[inline(always)]
    fn line<const V: usize>(&self, s: S, place: Place) -> [S::F; V] {
        let mut nd = [self.worth; V];
        for k in 0..V {
            nd[k] = s.mul(s.load_whole(&self.lines[place.at][k]), self.worth);
        }
        nd
    }
}

/// Applies the rule to every line.
#[inline(always)]
fn every_line<S: Simd>(s: S, statistics: Statistics<'_>, shape: (usize, usize), rule: &mut impl Rule<S>) {
    match statistics {
        Statistics::Tabulated(tabulated) => {
            tabulated.check(shape);
            every_line_of(s, tabulated, shape, rule);
        }
        Statistics::Fixed(sums) => {
            sums.check(shape);
            let worth = s.splat(1.0 / fixed::scale(sums.examples()));
            every_line_of(s, Worth::<S> { lines: sums.lines(), worth }, shape, rule);
        }
    }
}

#[inline(always)]
fn every_line_of<S: Simd>(
    s: S,
    source: impl Source<S>,
    (rows, columns): (usize, usize),
    rule: &mut impl Rule<S>,
) {
    for p in 0..columns.div_ceil(super::PANEL) {
        match vectors(columns, p) {
            1 => panel::<S, 1>(s, source, p, rows, rule),
            2 => panel::<S, 2>(s, source, p, rows, rule),
            3 => panel::<S, 3>(s, source, p, rows, rule),
            _ => panel::<S, 4>(s, source, p, rows, rule),
        }
    }
}

#[inline(always)]
fn panel<S: Simd, const V: usize>(
    s: S,
    source: impl Source<S>,
    p: usize,
    rows: usize,
    rule: &mut impl Rule<S>,
) {
    let stride = rows.next_multiple_of(16);
    for row in 0..rows {
        let place = Place { panel: p, row, at: p * stride + row };
        rule.line(s, place, source.line::<V>(s, place));
    }
}

/// Constants of the ascent as vectors.
struct Steps<S: Simd> {
    /// Rate of w over the examples.
    w: S::F,
    /// Rate of w times the decay.
    decay: S::F,
    momentum: S::F,
}

impl<S: Simd> Steps<S> {
    /// `scale`: what the gradients of w are multiplied with beside the examples.
    #[inline(always)]
    fn new(s: S, rates: Rates, examples: usize, scale: f32) -> Self {
        Self {
            w: s.splat(rates.w / (examples as f32 * scale)),
            decay: s.splat(rates.w * rates.decay),
            momentum: s.splat(rates.momentum),
        }
    }

    /// How far the gradient times the examples moves w without momentum.
    #[inline(always)]
    fn pull(&self, s: S, w: S::F, gradient: S::F) -> S::F {
        s.sub(s.mul(gradient, self.w), s.mul(self.decay, w))
    }

    /// Moves w along its gradient times the examples; returns the new w.
    #[inline(always)]
    fn climb(&self, s: S, w: &mut [f32; 16], velocity: &mut [f32; 16], gradient: S::F) -> S::F {
        let old = s.load(w);
        let moved = s.add(s.mul(s.load(velocity), self.momentum), self.pull(s, old, gradient));
        let new = s.add(old, moved);
        s.store(moved, velocity);
        s.store(new, w);
        new
    }
}

/// [`Steps`] of a: without decay, cut to a limit, velocities that fade out set to 0.
struct LimitedSteps<S: Simd> {
    rate: S::F,
    momentum: S::F,
    limit: S::F,
}

impl<S: Simd> LimitedSteps<S> {
    #[inline(always)]
    fn new(s: S, rates: Rates, examples: usize, scale: f32) -> Self {
        Self {
            rate: s.splat(rates.a / (examples as f32 * scale)),
            momentum: s.splat(rates.momentum),
            limit: s.splat(rates.a_limit),
        }
    }

    #[inline(always)]
    fn climb(&self, s: S, a: &mut [f32; 16], velocity: &mut [f32; 16], gradient: S::F) -> S::F {
        let moved = s.add(s.mul(s.load(velocity), self.momentum), s.mul(gradient, self.rate));
        let moved = faded(s, moved);
        let new = s.add(s.load(a), moved);
        let new = s.min(self.limit, s.max(s.sub(s.splat(0.0), self.limit), new));
        s.store(moved, velocity);
        s.store(new, a);
        new
    }
}

/// The velocity rounded to a multiple of 2⁻¹⁰⁰, if it is not far greater.
#[inline(always)]
fn faded<S: Simd>(s: S, velocity: S::F) -> S::F {
    s.sub(s.add(velocity, s.splat(FADED)), s.splat(FADED))
}

struct Plain<'a, S: Simd> {
    w: &'a mut [Line],
    velocity: &'a mut [Line],
    steps: Steps<S>,
}

/// [`Plain`] without momentum: half of the memory.
struct Still<'a, S: Simd> {
    w: &'a mut [Line],
    steps: Steps<S>,
}

impl<S: Simd> Rule<S> for Plain<'_, S> {
    #[inline(always)]
    fn line<const V: usize>(&mut self, s: S, place: Place, nd: [S::F; V]) {
        let (w, velocity) = (&mut self.w[place.at].0, &mut self.velocity[place.at].0);
        for k in 0..V {
            self.steps.climb(s, &mut w[k], &mut velocity[k], nd[k]);
        }
    }
}

impl<S: Simd> Rule<S> for Still<'_, S> {
    #[inline(always)]
    fn line<const V: usize>(&mut self, s: S, place: Place, nd: [S::F; V]) {
        let w = &mut self.w[place.at].0;
        for k in 0..V {
            let old = s.load(&w[k]);
            s.store(s.add(old, self.steps.pull(s, old, nd[k])), &mut w[k]);
        }
    }
}

#[inline(always)]
fn ascend_body<S: Simd>(s: S, statistics: Statistics<'_>, w: Moving<'_>, rates: Rates) {
    let shape = w.shape();
    let steps = Steps::new(s, rates, statistics.examples(), 1.0);
    if rates.momentum == 0.0 {
        every_line(s, statistics, shape, &mut Still { w: w.x.lines_mut(), steps });
    } else {
        let mut rule = Plain { w: w.x.lines_mut(), velocity: w.velocity.lines_mut(), steps };
        every_line(s, statistics, shape, &mut rule);
    }
}

impl Moving<'_> {
    /// Rows and columns, the same of both.
    fn shape(&self) -> (usize, usize) {
        let shape = (self.x.rows(), self.x.columns());
        assert_eq!(shape, (self.velocity.rows(), self.velocity.columns()), "one velocity per parameter");
        shape
    }
}

#[inline(always)]
fn biases_body<S: Simd>(
    s: S,
    surplus: &[Line],
    examples: usize,
    bias: &mut [Line],
    velocity: &mut [Line],
    rates: Rates,
) {
    assert!(bias.len() == surplus.len() && velocity.len() == surplus.len(), "one line per panel");
    let steps = Steps::new(s, Rates { decay: 0.0, ..rates }, examples, 1.0);
    for ((bias, velocity), surplus) in bias.iter_mut().zip(velocity).zip(surplus) {
        for k in 0..4 {
            let gradient = s.load(&surplus.0[k]);
            steps.climb(s, &mut bias.0[k], &mut velocity.0[k], gradient);
            let moved = faded(s, s.load(&velocity.0[k]));
            s.store(moved, &mut velocity.0[k]);
        }
    }
}
