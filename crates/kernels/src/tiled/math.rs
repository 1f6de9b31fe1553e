//! Elementary functions of vectors.
//!
//! Coarser than [`crate::math`] (some 2e-7 relative): what they enter are probabilities and
//! products of their gradients. NaN stays NaN.

use super::simd::Simd;

/// e^x for |x| cut to 87; relative error ≤ 2e-7 + 6e-8 |x|.
#[inline(always)]
pub(crate) fn exp<S: Simd>(s: S, x: S::F) -> S::F {
    /// Adding this rounds to an integer, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0; // 1.5 · 2²³
    /// (2^f − 1)/f on [−½, ½]: minimax for the relative error of 2^f, which is 9.2e-8.
    const COEFFICIENTS: [f32; 5] =
        [1.326_472_8e-3, 9.671_513e-3, 5.550_733_7e-2, 2.402_224_2e-1, 6.931_47e-1];
    let x = s.min(s.splat(87.0), s.max(s.splat(-87.0), x));
    let t = s.mul(x, s.splat(std::f32::consts::LOG2_E));
    let shifted = s.add(t, s.splat(ROUND));
    let f = s.sub(t, s.sub(shifted, s.splat(ROUND)));
    let mut poly = s.splat(COEFFICIENTS[0]);
    for &coefficient in &COEFFICIENTS[1..] {
        poly = s.add(s.mul(poly, f), s.splat(coefficient));
    }
    let power = s.add(s.mul(poly, f), s.splat(1.0));
    s.scale(power, shifted)
}

/// log x for normal x > 0; absolute error ≤ 1.5e-7 + 1e-7 |log x|.
#[inline(always)]
pub(crate) fn ln<S: Simd>(s: S, x: S::F) -> S::F {
    /// (log(1 + f) − f + f²/2)/f³ on [√½ − 1, √2 − 1]: minimax for the absolute error, 7e-9.
    const COEFFICIENTS: [f32; 7] = [
        8.672_188_4e-2,
        -1.437_900_7e-1,
        1.497_799_2e-1,
        -1.656_442_6e-1,
        1.995_487_6e-1,
        -2.500_17e-1,
        3.333_416_6e-1,
    ];
    let (n, mantissa) = s.split(x);
    let f = s.sub(mantissa, s.splat(1.0));
    let mut poly = s.splat(COEFFICIENTS[0]);
    for &coefficient in &COEFFICIENTS[1..] {
        poly = s.add(s.mul(poly, f), s.splat(coefficient));
    }
    let square = s.mul(f, f);
    let tail = s.mul(square, s.sub(s.mul(poly, f), s.splat(0.5)));
    s.add(s.add(f, tail), s.mul(n, s.splat(std::f32::consts::LN_2)))
}

/// 1 + e^−x, one over the sigmoid.
#[inline(always)]
pub(crate) fn one_over_sigmoid<S: Simd>(s: S, x: S::F) -> S::F {
    s.add(s.splat(1.0), exp(s, s.sub(s.splat(0.0), x)))
}

#[cfg(test)]
mod tests {
    use super::super::simd::portable::Portable;
    use super::*;

    /// The greatest of `error(ours, exact)` over a grid.
    fn worst(
        from: f32,
        to: f32,
        ours: impl Fn([f32; 16]) -> [f32; 16],
        error: impl Fn(f64, f64) -> f64,
    ) -> f64 {
        (0..25_000)
            .flat_map(|i| {
                let xs = std::array::from_fn(|k| from + (to - from) * ((16 * i + k) as f32 / 4e5));
                std::array::from_fn::<f64, 16, _>(|k| error(f64::from(ours(xs)[k]), f64::from(xs[k])))
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn the_exponential_is_as_accurate_as_stated() {
        for (from, to) in [(-87.0, 87.0), (-8.0, 8.0), (-0.5, 0.5)] {
            let error = worst(
                from,
                to,
                |x| exp(Portable, x),
                |ours, x| (ours / libm::exp(x) - 1.0).abs() / (2e-7 + 6e-8 * x.abs()),
            );
            assert!(error <= 1.0, "{error} of the bound on [{from}, {to}]");
        }
        assert!(exp(Portable, [f32::NAN; 16])[3].is_nan());
    }

    #[test]
    fn the_logarithm_is_as_accurate_as_stated() {
        for (from, to) in [(1e-30, 1e-3), (1e-3, 0.7), (0.7, 1.5), (1.5, 1e4)] {
            let error = worst(
                from,
                to,
                |x| ln(Portable, x),
                |ours, x| (ours - libm::log(x)).abs() / (1.5e-7 + 1e-7 * libm::log(x).abs()),
            );
            assert!(error <= 1.0, "{error} of the bound on [{from}, {to}]");
        }
    }
}
