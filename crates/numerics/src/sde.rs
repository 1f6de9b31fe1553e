//! Stochastic differential equations whose stationary law is known: exact steps, samplers, the density itself.
//!
//! `dθ = b ∂log p*(θ) dt + √(2 T b) dW` has the stationary law `p*^(1/T)/Z`: the temperature T scales the exponent of
//! all of p*, the prior included.
//!
//! [`OrnsteinUhlenbeck`] is the case of a Gaussian p*, solved for any step; [`samplers`] are for any [`Target`];
//! [`FokkerPlanck`] follows the density of one θ in time; [`GridLaw`] is the law itself, by quadrature.

mod expression;
mod fokker_planck;
mod grid_law;
mod ornstein_uhlenbeck;
pub mod samplers;
mod target;

pub use expression::{Expression, ExpressionError};
pub use fokker_planck::FokkerPlanck;
pub use grid_law::{GridLaw, PlaneLaw};
pub use ornstein_uhlenbeck::{LinearStep, OrnsteinUhlenbeck};
pub use target::{Line1D, Target};
