//! What is sampled.

/// A density over points, up to a factor.
pub trait Target {
    /// Numbers of a point.
    fn dimensions(&self) -> usize;

    /// log p*(x) up to a constant.
    fn log_density(&self, x: &[f64]) -> f64;

    /// ∂log p*(x), written to `out`.
    fn gradient(&self, x: &[f64], out: &mut [f64]);
}

/// A density of one number, from two functions: log p* and its derivative.
#[derive(Debug, Clone, Copy)]
pub struct Line1D<L, G>(pub L, pub G);

impl<L: Fn(f64) -> f64, G: Fn(f64) -> f64> Target for Line1D<L, G> {
    fn dimensions(&self) -> usize {
        1
    }

    fn log_density(&self, x: &[f64]) -> f64 {
        self.0(x[0])
    }

    fn gradient(&self, x: &[f64], out: &mut [f64]) {
        out[0] = self.1(x[0]);
    }
}
