//! Elementary functions of vectors.
//!
//! Coarser than [`crate::math`] (some 2e-7 relative): what they enter are probabilities and
//! products of their gradients. NaN stays NaN.

use super::simd::Simd;

/// e^(sign x) for |x| ≤ 87, anything beyond; relative error ≤ 2e-7 + 8e-8 |x|, of which rounding the product with
/// log₂ e is 6.0e-8 |x| and rounding log₂ e 1.3e-8 |x|.
#[inline(always)]
pub(crate) fn exp_within<S: Simd>(s: S, x: S::F, sign: f32) -> S::F {
    /// Adding this rounds to an integer, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0; // 1.5 · 2²³
    /// (2^f − 1)/f on [−½, ½], constant first: minimax for the relative error of 2^f, which is 9.2e-8.
    #[expect(clippy::approx_constant, reason = "the first coefficient is near log 2, not it")]
    const C: [f32; 5] = [6.931_47e-1, 2.402_224_2e-1, 5.550_733_7e-2, 9.671_513e-3, 1.326_472_8e-3];
    let t = s.mul(x, s.splat(sign * std::f32::consts::LOG2_E));
    let shifted = s.add(t, s.splat(ROUND));
    let f = s.sub(t, s.sub(shifted, s.splat(ROUND)));
    // In pairs: a chain of multiplications as long as the polynomial would leave the processor waiting.
    let square = s.mul(f, f);
    let low = linear(s, f, 1.0, C[0]);
    let middle = linear(s, f, C[1], C[2]);
    let high = s.mul(square, linear(s, f, C[3], C[4]));
    let power = s.add(low, s.mul(square, s.add(middle, high)));
    s.scale(power, shifted)
}

/// log x for normal x > 0; absolute error ≤ 2e-7 + 1e-7 |log x|.
#[inline(always)]
pub(crate) fn ln<S: Simd>(s: S, x: S::F) -> S::F {
    /// (log(1 + f) − f)/f² on [√½ − 1, √2 − 1], constant first: minimax for the absolute error of the logarithm,
    /// 6.3e-8.
    const C: [f32; 7] =
        [-0.5, 0.333_346_9, -0.249_805_74, 0.199_102_38, -0.171_669_06, 0.161_411_78, -0.102_242_06];
    let (n, mantissa) = s.split(x);
    let f = s.sub(mantissa, s.splat(1.0));
    let square = s.mul(f, f);
    let high = s.add(linear(s, f, C[4], C[5]), s.mul(square, s.splat(C[6])));
    let middle = s.add(linear(s, f, C[2], C[3]), s.mul(square, high));
    let low = s.add(linear(s, f, C[0], C[1]), s.mul(square, middle));
    let whole = s.mul(n, s.splat(std::f32::consts::LN_2));
    s.add(s.add(f, s.mul(square, low)), whole)
}

/// `a + b x`.
#[inline(always)]
fn linear<S: Simd>(s: S, x: S::F, a: f32, b: f32) -> S::F {
    s.add(s.splat(a), s.mul(s.splat(b), x))
}

/// 1 + e^−x, one over the sigmoid.
#[inline(always)]
pub(crate) fn one_over_sigmoid<S: Simd>(s: S, x: S::F) -> S::F {
    let x = s.min(s.splat(87.0), s.max(s.splat(-87.0), x));
    s.add(s.splat(1.0), exp_within(s, x, -1.0))
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
                |x| exp_within(Portable, x, 1.0),
                |ours, x| (ours / libm::exp(x) - 1.0).abs() / (2e-7 + 8e-8 * x.abs()),
            );
            assert!(error <= 1.0, "{error} of the bound on [{from}, {to}]");
        }
        assert!(exp_within(Portable, [f32::NAN; 16], 1.0)[3].is_nan());
    }

    #[test]
    fn the_logarithm_is_as_accurate_as_stated() {
        for (from, to) in [(1e-30, 1e-3), (1e-3, 0.7), (0.7, 1.5), (1.5, 1e4)] {
            let error = worst(
                from,
                to,
                |x| ln(Portable, x),
                |ours, x| (ours - libm::log(x)).abs() / (2e-7 + 1e-7 * libm::log(x).abs()),
            );
            assert!(error <= 1.0, "{error} of the bound on [{from}, {to}]");
        }
    }
}
