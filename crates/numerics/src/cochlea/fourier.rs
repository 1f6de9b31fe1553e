//! The power spectrum of a frame.

use std::f64::consts::TAU;

/// Fourier transforms of one length.
///
/// # Source
/// Cooley & Tukey 1965, Math. Comput. 19:297.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fourier {
    /// cos and sin of −2πk/N, k = 0 … N/2 − 1.
    turns: Vec<[f64; 2]>,
    /// Where number i goes first: its bits in reverse.
    places: Vec<usize>,
}

impl Fourier {
    /// Of N numbers.
    ///
    /// # Panics
    /// If N is not a power of two, at least 2.
    pub(super) fn new(n: usize) -> Self {
        assert!(n.is_power_of_two() && n > 1, "N is a power of two");
        let angle = |k: usize| -TAU * k as f64 / n as f64;
        let unused = usize::BITS - n.trailing_zeros();
        Self {
            turns: (0..n / 2).map(|k| [libm::cos(angle(k)), libm::sin(angle(k))]).collect(),
            places: (0..n).map(|i| i.reverse_bits() >> unused).collect(),
        }
    }

    /// `|Σ_n x_n e^(−2πi k n / N)|²` for k = 0 … N/2.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub(super) fn power(&self, x: &[f64], out: &mut [f64]) {
        let n = self.places.len();
        assert!(x.len() == n && out.len() == n / 2 + 1, "N/2 + 1 powers of N numbers");
        let (mut re, mut im) = (vec![0.0; n], vec![0.0; n]);
        for (&place, &x) in self.places.iter().zip(x) {
            re[place] = x;
        }
        let mut half = 1;
        while half < n {
            for (k, [cos, sin]) in self.turns.iter().step_by(n / (2 * half)).enumerate() {
                for i in (k..n).step_by(2 * half) {
                    let j = i + half;
                    let (r, s) = (cos * re[j] - sin * im[j], sin * re[j] + cos * im[j]);
                    (re[j], im[j]) = (re[i] - r, im[i] - s);
                    (re[i], im[i]) = (re[i] + r, im[i] + s);
                }
            }
            half *= 2;
        }
        for (k, out) in out.iter_mut().enumerate() {
            *out = re[k] * re[k] + im[k] * im[k];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spectrum_is_that_of_the_sum() {
        for n in [2, 8, 64] {
            let x: Vec<f64> = (0..n).map(|i| libm::sin(0.3 * i as f64 * i as f64) + 0.2).collect();
            let mut found = vec![0.0; n / 2 + 1];
            Fourier::new(n).power(&x, &mut found);
            for (k, found) in found.iter().enumerate() {
                let angle = |i: usize| TAU * (k * i % n) as f64 / n as f64;
                let re: f64 = x.iter().enumerate().map(|(i, x)| x * libm::cos(angle(i))).sum();
                let im: f64 = x.iter().enumerate().map(|(i, x)| x * libm::sin(angle(i))).sum();
                // Sums of 64 numbers near 1, squared.
                assert!((found - re * re - im * im).abs() < 1e-11 * n as f64, "{n}, {k}");
            }
        }
    }
}
