//! The logistic function and its kin in f64, for what is not a hot loop.

/// s(x) = 1/(1 + e^−x).
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
}

/// log(p/(1 − p)), the inverse of [`sigmoid`]; ±∞ at 1 and 0.
pub fn logit(p: f64) -> f64 {
    libm::log(p) - libm::log1p(-p)
}

/// log(1 + e^x), without overflow.
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logit_undoes_the_sigmoid() {
        for i in -300..=300 {
            let x = f64::from(i) * 0.05;
            // Near ±15 one ulp of p is 1e-16/(1 − p) = 3e-10 in x.
            assert!((logit(sigmoid(x)) - x).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn the_softplus_is_the_integral_of_the_sigmoid_and_never_overflows() {
        assert_eq!(softplus(1e4), 1e4);
        assert_eq!(softplus(-1e4), 0.0);
        for i in -20..=20 {
            let (x, step) = (f64::from(i), 1e-5);
            let slope = (softplus(x + step) - softplus(x - step)) / (2.0 * step);
            // Rounding of values near 20 over 2e-5: 4e-15/2e-5 = 2e-10.
            assert!((slope - sigmoid(x)).abs() < 1e-9, "{x}");
        }
    }
}
