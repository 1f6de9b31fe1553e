//! The prior mixture: `dw = ξ D` or D, `da = p (1 − p) w D`.

use super::super::masking::{MaskDraws, Thresholds};
use super::super::math::exp_within;
use super::super::matrix::{Halves, Line, Matrix, vectors, zeroed};
use super::super::simd::Simd;
use super::super::simd_kernel;
use super::{HALF_SCALE, LimitedSteps, Moving, Place, Rates, Rule, Statistics, Steps, every_line};

/// What a step needs of a beside the parameters: a pure function of a and of which draws are met.
#[derive(Clone, Debug, Default)]
pub struct MixtureGates {
    /// p (1 − p) · 2¹⁴, a line each a line of the matrix.
    slope: Vec<Halves>,
    /// Releases of all examples of each half sweep: (phases, lines), bit c of a word is column c.
    shared: Vec<u64>,
    /// Thresholds for releases of each example's own.
    thresholds: Thresholds,
    lines: usize,
}

/// What releases are made ready for the next step, and with which the weights learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Releases {
    /// One mask for all half sweeps and examples; `dw = ξ D`.
    Batch(MaskDraws),
    /// A mask for each of so many half sweeps, from the draws' phase on; `dw = D`.
    HalfSteps(MaskDraws, u32),
    /// Thresholds, for masks of each example's own; `dw = D`.
    Examples,
}

impl Releases {
    /// Masks that examples share.
    fn phases(self) -> usize {
        match self {
            Releases::Batch(_) => 1,
            Releases::HalfSteps(_, phases) => phases as usize,
            Releases::Examples => 0,
        }
    }
}

impl MixtureGates {
    /// Releases that all examples of a half sweep share.
    ///
    /// # Panics
    /// If they were not asked for.
    pub fn shared(&self, phase: usize) -> &[u64] {
        &self.shared[phase * self.lines..][..self.lines]
    }

    /// Thresholds of releases of each example's own.
    pub fn thresholds(&self) -> &Thresholds {
        &self.thresholds
    }

    fn reset(&mut self, matrix: &Matrix, releases: Releases) {
        self.lines = matrix.lines().len();
        zeroed(&mut self.slope, self.lines, Halves::ZERO);
        zeroed(&mut self.shared, self.lines * releases.phases(), 0);
        if releases == Releases::Examples {
            self.thresholds.reset(matrix);
        } else {
            self.thresholds = Thresholds::default();
        }
    }

    /// Whether it was made for these lines and this many masks.
    fn fits(&self, matrix: &Matrix, releases: Releases) -> bool {
        let lines = matrix.lines().len();
        self.lines == lines
            && self.shared.len() == lines * releases.phases()
            && (releases != Releases::Examples || self.thresholds.is_for(matrix))
    }
}

simd_kernel! {
    /// Makes the gates of `a` afresh, where |a| ≤ 87.
    pub fn derive_mixture<'a>(a: &'a Matrix, releases: Releases, gates: &'a mut MixtureGates) = derive_body
}

simd_kernel! {
    /// Ascent of w and a, with the gates of the old a; then `gates` are those of the new a, for `releases`.
    ///
    /// # Panics
    /// If shapes do not fit or `gates` were made for other releases than `releases`, the draws apart.
    pub fn ascend_mixture<'a>(
        statistics: Statistics<'a>, w: Moving<'a>, a: Moving<'a>, rates: Rates, releases: Releases,
        gates: &'a mut MixtureGates,
    ) = ascend_body
}

const BATCH: u8 = 0;
const HALF_STEPS: u8 = 1;
const EXAMPLES: u8 = 2;

/// The gates of one line after another.
struct Maker<'a, S: Simd, const R: u8> {
    gates: &'a mut MixtureGates,
    phases: usize,
    draws: MaskDraws,
    keys: S::Keys,
}

impl<'a, S: Simd, const R: u8> Maker<'a, S, R> {
    #[inline(always)]
    fn new(s: S, gates: &'a mut MixtureGates, releases: Releases) -> Self {
        let draws = match releases {
            Releases::Batch(draws) | Releases::HalfSteps(draws, _) => draws,
            Releases::Examples => MaskDraws { key: [0; 4], step: 0, phase: 0, first: 0 },
        };
        Self { gates, phases: releases.phases(), draws, keys: s.keys(draws.key, draws.step) }
    }

    /// Writes the slopes of a vector; returns 65,536 p − ½, which as many of the numbers 0..=65535 are below as
    /// the whole number nearest to 65,536 p says.
    #[inline(always)]
    fn gate(&mut self, s: S, at: usize, k: usize, a: S::F) -> S::F {
        /// Its square is the scale of the slopes.
        const ROOT: f32 = 128.0;
        // p (1 − p) = p² e^−a.
        let odds = exp_within(s, a, -1.0);
        let p = s.div(s.splat(ROOT), s.add(s.splat(1.0), odds));
        s.store_half(s.mul(s.mul(odds, p), p), &mut self.gates.slope[at].0[k]);
        s.sub(s.mul(p, s.splat(65_536.0 / ROOT)), s.splat(0.5))
    }

    /// Draws the masks of a line or writes its thresholds.
    #[inline(always)]
    fn release<const V: usize>(&mut self, s: S, place: Place, thresholds: [S::F; V]) {
        if R == EXAMPLES {
            let mut all = [s.splat(0.0); 4];
            for k in 0..V {
                // The whole number itself, at most 65,535.
                all[k] = s.min(s.splat(65_535.0), s.add(thresholds[k], s.splat(1.0)));
            }
            self.gates.thresholds.set(s, place.at, all);
            return;
        }
        for phase in 0..if R == BATCH { 1 } else { self.phases } {
            let mut bits = 0;
            for half in 0..V.div_ceil(2) {
                let line = self.draws.shared(phase, place.row, place.panel, half);
                let draws = s.pairs(s.draw(&self.keys, line));
                for k in 2 * half..V.min(2 * half + 2) {
                    bits |= u64::from(s.below(draws[k % 2], thresholds[k])) << (16 * k);
                }
            }
            self.gates.shared[phase * self.gates.lines + place.at] = bits;
        }
    }
}

#[inline(always)]
fn derive_body<S: Simd>(s: S, a: &Matrix, releases: Releases, gates: &mut MixtureGates) {
    gates.reset(a, releases);
    match releases {
        Releases::Batch(_) => derive_with(s, a, Maker::<S, BATCH>::new(s, gates, releases)),
        Releases::HalfSteps(..) => derive_with(s, a, Maker::<S, HALF_STEPS>::new(s, gates, releases)),
        Releases::Examples => derive_with(s, a, Maker::<S, EXAMPLES>::new(s, gates, releases)),
    }
}

#[inline(always)]
fn derive_with<S: Simd, const R: u8>(s: S, a: &Matrix, mut maker: Maker<'_, S, R>) {
    for panel in 0..a.panels() {
        for row in 0..a.rows() {
            let place = Place { panel, row, at: panel * a.stride() + row };
            match vectors(a.columns(), panel) {
                1 => derive_line::<S, R, 1>(s, a, place, &mut maker),
                2 => derive_line::<S, R, 2>(s, a, place, &mut maker),
                3 => derive_line::<S, R, 3>(s, a, place, &mut maker),
                _ => derive_line::<S, R, 4>(s, a, place, &mut maker),
            }
        }
    }
}

#[inline(always)]
fn derive_line<S: Simd, const R: u8, const V: usize>(
    s: S,
    a: &Matrix,
    place: Place,
    maker: &mut Maker<'_, S, R>,
) {
    let line = &a.lines()[place.at].0;
    let mut thresholds = [s.splat(0.0); V];
    for k in 0..V {
        thresholds[k] = maker.gate(s, place.at, k, s.load(&line[k]));
    }
    maker.release(s, place, thresholds);
}

struct Mixture<'a, S: Simd, const R: u8> {
    w: [&'a mut [Line]; 2],
    a: [&'a mut [Line]; 2],
    steps: Steps<S>,
    a_steps: LimitedSteps<S>,
    maker: Maker<'a, S, R>,
}

impl<S: Simd, const R: u8> Rule<S> for Mixture<'_, S, R> {
    #[inline(always)]
    fn line<const V: usize>(&mut self, s: S, place: Place, nd: [S::F; V]) {
        let at = place.at;
        let [w, w_velocity] = self.w.each_mut().map(|lines| &mut lines[at].0);
        let [a, a_velocity] = self.a.each_mut().map(|lines| &mut lines[at].0);
        let released = if R == BATCH { self.maker.gates.shared[at] } else { 0 };
        let mut thresholds = [s.splat(0.0); V];
        for k in 0..V {
            let slope = s.load_half(&self.maker.gates.slope[at].0[k]);
            let gradient = s.mul(s.mul(slope, s.load(&w[k])), nd[k]);
            let new = self.a_steps.climb(s, &mut a[k], &mut a_velocity[k], gradient);
            let gradient = if R == BATCH { s.keep((released >> (16 * k)) as u16, nd[k]) } else { nd[k] };
            self.steps.climb(s, &mut w[k], &mut w_velocity[k], gradient);
            thresholds[k] = self.maker.gate(s, at, k, new);
        }
        self.maker.release(s, place, thresholds);
    }
}

#[inline(always)]
fn ascend_body<S: Simd>(
    s: S,
    statistics: Statistics<'_>,
    w: Moving<'_>,
    a: Moving<'_>,
    rates: Rates,
    releases: Releases,
    gates: &mut MixtureGates,
) {
    assert!(gates.fits(w.x, releases), "gates of this matrix and these releases");
    match releases {
        Releases::Batch(_) => {
            ascend_with(s, statistics, w, a, rates, Maker::<S, BATCH>::new(s, gates, releases));
        }
        Releases::HalfSteps(..) => {
            ascend_with(s, statistics, w, a, rates, Maker::<S, HALF_STEPS>::new(s, gates, releases));
        }
        Releases::Examples => {
            ascend_with(s, statistics, w, a, rates, Maker::<S, EXAMPLES>::new(s, gates, releases));
        }
    }
}

#[inline(always)]
fn ascend_with<S: Simd, const R: u8>(
    s: S,
    statistics: Statistics<'_>,
    w: Moving<'_>,
    a: Moving<'_>,
    rates: Rates,
    maker: Maker<'_, S, R>,
) {
    let shape = w.shape();
    assert_eq!(shape, a.shape(), "a logit of release for every weight");
    let n = statistics.examples();
    let mut rule = Mixture {
        w: [w.x.lines_mut(), w.velocity.lines_mut()],
        a: [a.x.lines_mut(), a.velocity.lines_mut()],
        steps: Steps::new(s, rates, n, 1.0),
        a_steps: LimitedSteps::new(s, rates, n, HALF_SCALE),
        maker,
    };
    every_line(s, statistics, shape, &mut rule);
}
