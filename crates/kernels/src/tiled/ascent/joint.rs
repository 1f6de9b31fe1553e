//! The joint-energy ensemble: `dw = q D`, `da = (q − p) D`, and the collapsed weights of the next step.

use super::super::math::{exp_within, ln};
use super::super::matrix::{Halves, Line, Matrix, vectors, zeroed};
use super::super::simd::Simd;
use super::super::simd_kernel;
use super::{HALF_SCALE, LimitedSteps, Moving, Place, Rates, Rule, Statistics, Steps, every_line};

/// Greatest limit of a: beyond it products of two exponentials would overflow.
const A_LIMIT: f32 = 44.0;

/// What a step needs of (w, a): a pure function of them.
#[derive(Clone, Debug)]
pub struct JointGates {
    /// q · 2¹⁴ and (q − p) · 2¹⁴, a line each a line of the matrix.
    posterior: Vec<Halves>,
    gain: Vec<Halves>,
    collapsed: Matrix,
}

impl Default for JointGates {
    fn default() -> Self {
        Self { posterior: vec![], gain: vec![], collapsed: Matrix::zeros(0, 0) }
    }
}

impl JointGates {
    /// `weff = log(1 − p + p e^w) = log(1 + e^(a+w)) − log(1 + e^a)`; absolute error ≤ 4e-7 + 1e-7 |weff|
    /// while a + w ≤ 88 − the limit of a.
    pub fn collapsed(&self) -> &Matrix {
        &self.collapsed
    }

    fn reset(&mut self, w: &Matrix) {
        if !self.fits(w) {
            self.collapsed = Matrix::zeros(w.rows(), w.columns());
        }
        zeroed(&mut self.posterior, w.lines().len(), Halves::ZERO);
        zeroed(&mut self.gain, w.lines().len(), Halves::ZERO);
    }

    fn fits(&self, w: &Matrix) -> bool {
        self.posterior.len() == w.lines().len()
            && (self.collapsed.rows(), self.collapsed.columns()) == (w.rows(), w.columns())
    }

    /// Writes the gates of one vector.
    #[inline(always)]
    fn set<S: Simd>(&mut self, s: S, at: usize, k: usize, w: S::F, a: S::F, sum_limit: S::F) {
        let one = s.splat(1.0);
        let idle = s.add(one, exp_within(s, a, 1.0));
        let sum = s.max(s.splat(-87.0), s.min(sum_limit, s.add(a, w)));
        let both = s.add(one, exp_within(s, sum, 1.0));
        // 1 − p = 1/idle and 1 − q = 1/both, with one division for two.
        let inverse = s.div(one, s.mul(idle, both));
        let (fail_idle, fail_both) = (s.mul(both, inverse), s.mul(idle, inverse));
        let scale = s.splat(HALF_SCALE);
        s.store_half(s.mul(scale, s.sub(one, fail_both)), &mut self.posterior[at].0[k]);
        s.store_half(s.mul(scale, s.sub(fail_idle, fail_both)), &mut self.gain[at].0[k]);
        s.store(ln(s, s.mul(both, fail_idle)), &mut self.collapsed.lines_mut()[at].0[k]);
    }
}

simd_kernel! {
    /// Makes the gates of (w, a) afresh, for |a| ≤ `a_limit`.
    ///
    /// # Panics
    /// If the shapes differ or `a_limit` is above 44.
    pub fn derive_joint<'a>(w: &'a Matrix, a: &'a Matrix, a_limit: f32, gates: &'a mut JointGates) = derive_body
}

simd_kernel! {
    /// Ascent of w and a, with the gates of the old (w, a); then `gates` are those of the new.
    ///
    /// # Panics
    /// If shapes do not fit or the limit of a is above 44.
    pub fn ascend_joint<'a>(
        statistics: Statistics<'a>, w: Moving<'a>, a: Moving<'a>, rates: Rates, gates: &'a mut JointGates,
    ) = ascend_body
}

/// The greatest a + w whose gates are exact: e^88 is an f32.
#[inline(always)]
fn sum_limit(a_limit: f32) -> f32 {
    assert!((0.0..=A_LIMIT).contains(&a_limit), "the limit of a is {a_limit}; it must be in 0..=44");
    88.0 - a_limit
}

#[inline(always)]
fn derive_body<S: Simd>(s: S, w: &Matrix, a: &Matrix, a_limit: f32, gates: &mut JointGates) {
    assert_eq!((w.rows(), w.columns()), (a.rows(), a.columns()), "a logit of release for every weight");
    gates.reset(w);
    let sum_limit = s.splat(sum_limit(a_limit));
    for panel in 0..w.panels() {
        for row in 0..w.rows() {
            let at = panel * w.stride() + row;
            for k in 0..vectors(w.columns(), panel) {
                let [w, a] = [w, a].map(|matrix| s.load(&matrix.lines()[at].0[k]));
                gates.set(s, at, k, w, a, sum_limit);
            }
        }
    }
}

struct Joint<'a, S: Simd> {
    w: [&'a mut [Line]; 2],
    a: [&'a mut [Line]; 2],
    steps: Steps<S>,
    a_steps: LimitedSteps<S>,
    gates: &'a mut JointGates,
    sum_limit: S::F,
}

impl<S: Simd> Rule<S> for Joint<'_, S> {
    #[inline(always)]
    fn line<const V: usize>(&mut self, s: S, place: Place, nd: [S::F; V]) {
        let at = place.at;
        let [w, w_velocity] = self.w.each_mut().map(|lines| &mut lines[at].0);
        let [a, a_velocity] = self.a.each_mut().map(|lines| &mut lines[at].0);
        for k in 0..V {
            let posterior = s.load_half(&self.gates.posterior[at].0[k]);
            let gain = s.load_half(&self.gates.gain[at].0[k]);
            let new_w = self.steps.climb(s, &mut w[k], &mut w_velocity[k], s.mul(posterior, nd[k]));
            let new_a = self.a_steps.climb(s, &mut a[k], &mut a_velocity[k], s.mul(gain, nd[k]));
            self.gates.set(s, at, k, new_w, new_a, self.sum_limit);
        }
    }
}

#[inline(always)]
fn ascend_body<S: Simd>(
    s: S,
    statistics: Statistics<'_>,
    w: Moving<'_>,
    a: Moving<'_>,
    rates: Rates,
    gates: &mut JointGates,
) {
    let shape = w.shape();
    assert_eq!(shape, a.shape(), "a logit of release for every weight");
    assert!(gates.fits(w.x), "gates of this matrix");
    let n = statistics.examples();
    let mut rule = Joint {
        w: [w.x.lines_mut(), w.velocity.lines_mut()],
        a: [a.x.lines_mut(), a.velocity.lines_mut()],
        steps: Steps::new(s, rates, n, HALF_SCALE),
        a_steps: LimitedSteps::new(s, rates, n, HALF_SCALE),
        gates,
        sum_limit: s.splat(sum_limit(rates.a_limit)),
    };
    every_line(s, statistics, shape, &mut rule);
}
