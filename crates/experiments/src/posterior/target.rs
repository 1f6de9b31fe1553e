//! Densities that are known.

use numerics::sde::{Expression, ExpressionError, GridLaw, PlaneLaw, Target};

use super::params::Task;

/// Sum of 20 Poisson counts of mean 1.3.
const COUNT: f64 = 26.0;
/// How many these are.
const OBSERVED: f64 = 20.0;
/// Mean of the normal prior; its standard deviation is 1.
pub(super) const PRIOR_MEAN: f64 = 0.5;
/// What both synapses sum to, and its spread, where they explain one datum.
const DATUM: (f64, f64) = (2.0, 0.3);
/// Half the width of the interval or square that is integrated over.
pub(super) const HALF_WIDTH: f64 = 8.0;
/// Cells of the interval, and on a side of the square.
const CELLS: (usize, usize) = (8000, 640);

/// A density of one or two numbers.
pub(super) enum Known {
    Poisson,
    Bimodal,
    StateRate,
    Banana,
    ExplainingAway,
    Expression(Box<Expression>),
}

/// The law of a target at some temperature.
pub(super) enum Law {
    Line(GridLaw),
    Plane(PlaneLaw),
}

impl Known {
    /// The target of a task; an expression may have the variable x, or x and y.
    ///
    /// # Errors
    /// If the expression cannot be used.
    ///
    /// # Panics
    /// If the task has no such target.
    pub(super) fn new(task: Task, expression: &str) -> Result<Self, String> {
        Ok(match task {
            Task::Poisson => Self::Poisson,
            Task::Bimodal => Self::Bimodal,
            Task::StateRate => Self::StateRate,
            Task::Banana => Self::Banana,
            Task::ExplainingAway => Self::ExplainingAway,
            Task::Expression => Self::Expression(Box::new(read(expression)?)),
            Task::Bandit | Task::Matched | Task::Digits => panic!("{task:?} is no known density"),
        })
    }

    /// Whether it is a density of one number.
    pub(super) fn is_line(&self) -> bool {
        self.dimensions() == 1
    }

    /// Learning rate b(θ) and its derivative; 1 but for the task that is about it.
    pub(super) fn rate(&self, x: f64) -> (f64, f64) {
        match self {
            Self::StateRate => {
                let t = libm::tanh(2.0 * x);
                (1.0 + 0.8 * t, 1.6 * (1.0 - t * t))
            }
            _ => (1.0, 0.0),
        }
    }

    /// The likelihood's part of the gradient of the Poisson target.
    pub(super) fn poisson_likelihood(x: f64) -> f64 {
        COUNT - OBSERVED * libm::exp(x)
    }

    /// p*^(1/T) by quadrature.
    pub(super) fn law(&self, temperature: f64) -> Law {
        if self.is_line() {
            let log = |x: f64| self.log_density(&[x]) / temperature;
            return Law::Line(GridLaw::new(log, -HALF_WIDTH, HALF_WIDTH, CELLS.0));
        }
        let log = |x: [f64; 2]| self.log_density(&x) / temperature;
        Law::Plane(PlaneLaw::new(log, -HALF_WIDTH, HALF_WIDTH, CELLS.1))
    }

    /// Cholesky factor of the covariance, row by row.
    pub(super) fn factor(&self, temperature: f64) -> Vec<f64> {
        match self.law(temperature) {
            Law::Line(law) => {
                let mean = law.mean(|x| x);
                vec![law.mean(|x| (x - mean) * (x - mean)).sqrt()]
            }
            Law::Plane(law) => {
                let centre = [law.mean(|x| x[0]), law.mean(|x| x[1])];
                let moment = |i: usize, j: usize| law.mean(|x| (x[i] - centre[i]) * (x[j] - centre[j]));
                let first = moment(0, 0).sqrt();
                let cross = moment(0, 1) / first;
                vec![first, 0.0, cross, (moment(1, 1) - cross * cross).sqrt()]
            }
        }
    }
}

fn read(text: &str) -> Result<Expression, String> {
    match Expression::new(text, &["x"]) {
        Err(ExpressionError::Variables { .. }) => Expression::new(text, &["x", "y"]),
        read => read,
    }
    .map_err(|error| error.to_string())
}

impl Target for Known {
    fn dimensions(&self) -> usize {
        match self {
            Self::Banana | Self::ExplainingAway => 2,
            Self::Expression(expression) => expression.dimensions(),
            _ => 1,
        }
    }

    fn log_density(&self, x: &[f64]) -> f64 {
        let normal = |x: f64| -0.5 * x * x;
        match self {
            Self::Poisson => normal(x[0] - PRIOR_MEAN) + COUNT * x[0] - OBSERVED * libm::exp(x[0]),
            Self::StateRate => normal(x[0] - PRIOR_MEAN),
            Self::Bimodal => {
                let [left, right] = modes(x[0]);
                let greatest = left.max(right);
                greatest + libm::log(libm::exp(left - greatest) + libm::exp(right - greatest))
            }
            Self::Banana => normal(x[0]) + normal((x[1] - x[0] * x[0] + 1.0) / 0.5),
            Self::ExplainingAway => normal(x[0]) + normal(x[1]) + normal((x[0] + x[1] - DATUM.0) / DATUM.1),
            Self::Expression(expression) => expression.log_density(x),
        }
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        match self {
            Self::Poisson => out[0] = PRIOR_MEAN - x[0] + Self::poisson_likelihood(x[0]),
            Self::StateRate => out[0] = PRIOR_MEAN - x[0],
            Self::Bimodal => {
                let [left, right] = modes(x[0]);
                let share = numerics::logistic::sigmoid(left - right);
                out[0] = -4.0 * (share * (x[0] + 1.0) + (1.0 - share) * (x[0] - 1.0));
            }
            Self::Banana => {
                let across = (x[1] - x[0] * x[0] + 1.0) * 4.0;
                (out[0], out[1]) = (-x[0] + 2.0 * x[0] * across, -across);
            }
            Self::ExplainingAway => {
                let pull = (DATUM.0 - x[0] - x[1]) / (DATUM.1 * DATUM.1);
                (out[0], out[1]) = (pull - x[0], pull - x[1]);
            }
            Self::Expression(expression) => expression.gradient(x, out),
        }
    }
}

/// Log-densities of both modes: weights 0.7 and 0.3 at −1 and 1, standard deviation ½.
fn modes(x: f64) -> [f64; 2] {
    [libm::log(0.7) - 2.0 * (x + 1.0) * (x + 1.0), libm::log(0.3) - 2.0 * (x - 1.0) * (x - 1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gradient_is_the_slope_of_its_density() {
        let written = "-x^2/2 - 2*(y - x^2)^2";
        for task in [
            Task::Poisson,
            Task::Bimodal,
            Task::StateRate,
            Task::Banana,
            Task::ExplainingAway,
            Task::Expression,
        ] {
            let target = Known::new(task, written).expect("a valid expression");
            let x = &[0.4, -0.7][..target.dimensions()];
            let mut gradient = vec![0.0; x.len()];
            target.gradient(x, &mut gradient);
            for i in 0..x.len() {
                let shifted = |by: f64| {
                    let mut x = x.to_vec();
                    x[i] += by;
                    target.log_density(&x)
                };
                let slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
                assert!((slope - gradient[i]).abs() < 1e-6 * slope.abs().max(1.0), "{task:?}: {slope}");
            }
        }
    }

    #[test]
    fn the_factor_of_two_synapses_is_that_of_their_covariance() {
        // Covariance 1 − 1/(s² + 2) on the diagonal, −1/(s² + 2) off it.
        let factor = Known::ExplainingAway.factor(1.0);
        let shared = 1.0 / (DATUM.1 * DATUM.1 + 2.0);
        assert!((factor[0] * factor[0] - (1.0 - shared)).abs() < 1e-3, "{factor:?}");
        assert!((factor[0] * factor[2] + shared).abs() < 1e-3, "{factor:?}");
    }
}
