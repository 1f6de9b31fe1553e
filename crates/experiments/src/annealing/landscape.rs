//! Rewards that depend on the parameters: p(R = 1 | θ) in closed form.

use numerics::sde::{GridLaw, PlaneLaw, Target};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is climbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Seven wide bumps over a floor of 0.3; two dimensions.
    LowBarrier,
    /// Seven bumps over a floor of 0.2; two dimensions.
    MiddleBarrier,
    /// Seven narrow bumps over a floor of 0.02; two dimensions.
    HighBarrier,
    /// Ripples on a bowl: the optimum is where the bowl leads.
    Funnel,
    /// A wide hill and, elsewhere, a narrow peak that is higher: nothing leads there.
    Deceptive,
    /// A saddle, from a start on its stable side; two dimensions.
    Saddle,
}

/// Centre, height above the floor and width of a bump.
struct Bump {
    centre: Vec<f64>,
    height: f64,
    width: f64,
}

/// A reward with its logarithm and gradient.
pub(super) struct Landscape {
    kind: Kind,
    dimensions: usize,
    floor: f64,
    /// The first is the global optimum; none for funnel and saddle.
    bumps: Vec<Bump>,
}

/// Curvature of the bowl and height of the ripples of the funnel.
const FUNNEL: (f64, f64) = (2.0, 0.5);
/// Growth rate along the unstable direction of the saddle.
pub(super) const GROWTH: f64 = 1.0;
/// Cells on a side of the square where a plane law is needed.
const SIDE: usize = 401;

impl Landscape {
    pub(super) fn new(kind: Kind, dimensions: usize) -> Self {
        let (floor, bumps) = match kind {
            Kind::LowBarrier => (0.3, seven(0.3, 0.8)),
            Kind::MiddleBarrier => (0.2, seven(0.2, 0.55)),
            Kind::HighBarrier => (0.02, seven(0.02, 0.55)),
            Kind::Deceptive => (1e-6, deceptive(dimensions)),
            Kind::Funnel | Kind::Saddle => (0.0, Vec::new()),
        };
        Self { kind, dimensions, floor, bumps }
    }

    /// Half the width of the cube that θ stays in.
    pub(super) fn half_width(&self) -> f64 {
        match self.kind {
            Kind::Funnel => 3.0,
            Kind::Saddle => f64::INFINITY,
            _ => 5.0,
        }
    }

    /// R(θ).
    pub(super) fn reward(&self, x: &[f64]) -> f64 {
        libm::exp(self.log_density(x))
    }

    /// Whether θ belongs to the global optimum: within two widths of its bump, or in its cell of the ripples.
    pub(super) fn is_global(&self, x: &[f64]) -> bool {
        match self.bumps.first() {
            Some(bump) => square_distance(x, &bump.centre) < 4.0 * bump.width * bump.width,
            None => x.iter().all(|x| x.abs() < 0.5),
        }
    }

    /// E R and P(global) at equilibrium with temperature T; nothing where there is no equilibrium or it would be too large
    /// a sum.
    pub(super) fn equilibrium(&self, temperature: f64) -> Option<(f64, f64)> {
        let half = self.half_width();
        match self.kind {
            Kind::Saddle => None,
            // The dimensions are independent.
            Kind::Funnel => {
                let one = Self::new(Kind::Funnel, 1);
                let law = GridLaw::new(|x| one.log_density(&[x]) / temperature, -half, half, 6000);
                let share = law.mean(|x| if x.abs() < 0.5 { 1.0 } else { 0.0 });
                let power = |x: f64| libm::pow(x, self.dimensions as f64);
                Some((power(law.mean(|x| one.reward(&[x]))), power(share)))
            }
            _ if self.dimensions != 2 => None,
            _ => {
                let law = PlaneLaw::new(|x| self.log_density(&x) / temperature, -half, half, SIDE);
                let share = law.mean(|x| if self.is_global(&x) { 1.0 } else { 0.0 });
                Some((law.mean(|x| self.reward(&x)), share))
            }
        }
    }
}

impl Target for Landscape {
    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn log_density(&self, x: &[f64]) -> f64 {
        match self.kind {
            Kind::Saddle => 0.5 * (GROWTH * x[1] * x[1] - x[0] * x[0]),
            Kind::Funnel => x.iter().fold(0.0, |sum, x| {
                sum - 0.5 * FUNNEL.0 * x * x - FUNNEL.1 * (1.0 - libm::cos(std::f64::consts::TAU * x))
            }),
            _ => libm::log(self.bumps.iter().fold(self.floor, |sum, bump| sum + bump.at(x))),
        }
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        match self.kind {
            Kind::Saddle => (out[0], out[1]) = (-x[0], GROWTH * x[1]),
            Kind::Funnel => {
                let ripple = FUNNEL.1 * std::f64::consts::TAU;
                for (out, x) in out.iter_mut().zip(x) {
                    *out = -FUNNEL.0 * x - ripple * libm::sin(std::f64::consts::TAU * x);
                }
            }
            _ => {
                out.fill(0.0);
                let mut reward = self.floor;
                for bump in &self.bumps {
                    let height = bump.at(x);
                    reward += height;
                    let scale = height / (bump.width * bump.width);
                    out.iter_mut()
                        .zip(x.iter().zip(&bump.centre))
                        .for_each(|(out, (x, c))| *out += scale * (c - x));
                }
                out.iter_mut().for_each(|out| *out /= reward);
            }
        }
    }
}

impl Bump {
    fn at(&self, x: &[f64]) -> f64 {
        self.height * libm::exp(-square_distance(x, &self.centre) / (2.0 * self.width * self.width))
    }
}

fn square_distance(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).fold(0.0, |sum, (x, y)| sum + (x - y) * (x - y))
}

/// One global optimum of 0.93 and six others of 0.40 to 0.57.
fn seven(floor: f64, global_width: f64) -> Vec<Bump> {
    const PLACES: [([f64; 2], f64, f64); 7] = [
        ([3.2, -2.6], 0.93, f64::NAN),
        ([-3.0, 3.0], 0.55, 0.9),
        ([-2.5, -2.5], 0.5, 1.0),
        ([0.0, 3.4], 0.45, 0.8),
        ([3.0, 2.6], 0.5, 0.9),
        ([-0.2, -0.2], 0.4, 1.0),
        ([0.3, -3.8], 0.45, 0.7),
    ];
    let bump = |(centre, top, width): ([f64; 2], f64, f64)| Bump {
        centre: centre.to_vec(),
        height: top - floor,
        width: if width.is_nan() { global_width } else { width },
    };
    PLACES.into_iter().map(bump).collect()
}

/// A peak of 1 and width 0.4 far from a hill of 0.6 and width 2.
fn deceptive(dimensions: usize) -> Vec<Bump> {
    let peak = Bump { centre: vec![3.0; dimensions], height: 1.0, width: 0.4 };
    vec![peak, Bump { centre: vec![-1.0; dimensions], height: 0.6, width: 2.0 }]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(Kind, usize); 6] = [
        (Kind::LowBarrier, 2),
        (Kind::MiddleBarrier, 2),
        (Kind::HighBarrier, 2),
        (Kind::Funnel, 5),
        (Kind::Deceptive, 3),
        (Kind::Saddle, 2),
    ];

    #[test]
    fn every_gradient_is_the_slope_of_the_logarithm() {
        for (kind, dimensions) in ALL {
            let landscape = Landscape::new(kind, dimensions);
            let x: Vec<f64> = (0..dimensions).map(|i| 0.37 - 0.6 * i as f64).collect();
            let mut gradient = vec![0.0; dimensions];
            landscape.gradient(&x, &mut gradient);
            for i in 0..dimensions {
                let shifted = |by: f64| {
                    let mut x = x.clone();
                    x[i] += by;
                    landscape.log_density(&x)
                };
                let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
                assert!((slope - gradient[i]).abs() < 1e-6, "{kind:?}, {i}: {slope} against {}", gradient[i]);
            }
        }
    }

    #[test]
    fn hot_and_cold_equilibria_are_where_they_must_be() {
        let low = Landscape::new(Kind::LowBarrier, 2);
        // The published check of this landscape: 0.396 at T = 1.
        let (reward, _) = low.equilibrium(1.0).expect("two dimensions");
        assert!((reward - 0.396).abs() < 2e-3, "{reward}");
        let (_, global) = low.equilibrium(0.02).expect("two dimensions");
        assert!(global > 0.99, "{global}");
        assert!(Landscape::new(Kind::Deceptive, 20).equilibrium(1.0).is_none());
    }
}
