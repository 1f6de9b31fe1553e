//! Elementary functions on f32 slices, from polynomials in plain multiplications and additions.
//!
//! The same bits at every level, unlike the functions of std or of a vector library. The errors
//! stated are the greatest that the tests find against `libm` in f64, in units of the last place
//! of the result (ulp). Results below the normal f32 range are not resolved: arguments of the
//! exponential are cut at ±87, so nothing is subnormal. NaN stays NaN.
//!
//! # Source
//! Coefficients: Moshier, Cephes mathematical library, `expf.c` and `logf.c`.

use crate::level::at_every_level;

at_every_level! {
    /// `xs[i] = e^xs[i]`, for arguments cut to [−87, 87]; error ≤ 2 ulp.
    pub fn exps / exps_at(xs: &mut [f32]) = exps_body
}

at_every_level! {
    /// `xs[i] = 1/(1 + e^−xs[i])`; error ≤ 3 ulp for |x| ≤ 87, within [1.6e-38, 1].
    pub fn sigmoids / sigmoids_at(xs: &mut [f32]) = sigmoids_body
}

at_every_level! {
    /// `xs[i] = log(1 + e^xs[i])`; error ≤ 3 ulp for x ≥ −87.
    pub fn softpluses / softpluses_at(xs: &mut [f32]) = softpluses_body
}

#[inline(always)]
fn exps_body(xs: &mut [f32]) {
    for x in xs {
        *x = exp(*x);
    }
}

#[inline(always)]
fn sigmoids_body(xs: &mut [f32]) {
    for x in xs {
        *x = sigmoid(*x);
    }
}

#[inline(always)]
fn softpluses_body(xs: &mut [f32]) {
    for x in xs {
        *x = softplus(*x);
    }
}

/// e^x = 2ⁿ (1 + m) with |log(1 + m)| ≤ log(2)/2: returns (2ⁿ, m).
#[inline(always)]
fn exp_parts(x: f32) -> (f32, f32) {
    /// log 2 in two parts; the first has nine bits, so that its product with n is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// Adding this rounds to an integer, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0; // 1.5 · 2²³
    let x = x.clamp(-87.0, 87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN_2[0]) - n * LN_2[1];
    let mut poly = 1.987_569_1e-4_f32;
    for coefficient in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        poly = poly * r + coefficient;
    }
    let m = poly * (r * r) + r;
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127);
    (f32::from_bits(exponent << 23), m)
}

/// e^x for one number; see [`exps`].
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let (power, m) = exp_parts(x);
    power * m + power
}

/// e^x − 1 without cancellation near 0; error ≤ 3 ulp for |x| ≤ 87.
#[inline(always)]
pub fn exp_m1(x: f32) -> f32 {
    let (power, m) = exp_parts(x);
    power * m + (power - 1.0)
}

/// 1/(1 + e^−x) for one number; see [`sigmoids`].
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// log x for normal x > 0; error ≤ 2 ulp.
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    ln_corrected(x, 0.0)
}

/// log(1 + x) for x > −1 without cancellation near 0; error ≤ 3 ulp.
#[inline(always)]
pub fn ln_1p(x: f32) -> f32 {
    let u = 1.0 + x;
    // What rounding took from 1 + x, to first order.
    ln_corrected(u, (x - (u - 1.0)) / u)
}

/// log(1 + e^x) for one number; see [`softpluses`].
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    // The maximum loses a NaN, the logarithm keeps it.
    x.max(0.0) + ln_1p(exp(-x.abs()))
}

/// log x + `correction`, where the correction is a few ulp of x relative to it.
#[inline(always)]
pub(crate) fn ln_corrected(x: f32, correction: f32) -> f32 {
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    // x = 2ⁿ (1 + f) with 1 + f in [√½, √2).
    let offset = x.to_bits().wrapping_sub(std::f32::consts::FRAC_1_SQRT_2.to_bits());
    let n = (offset.cast_signed() >> 23) as f32;
    let mantissa = f32::from_bits((offset & 0x007F_FFFF) + std::f32::consts::FRAC_1_SQRT_2.to_bits());
    // NaN has no mantissa: it would come out as a number.
    let f = if x.is_nan() { x } else { mantissa - 1.0 };
    let mut poly = 7.037_683_6e-2_f32;
    for coefficient in [
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ] {
        poly = poly * f + coefficient;
    }
    let square = f * f;
    let tail = poly * (square * f) + n * LN_2[1] - 0.5 * square + correction;
    (f + tail) + n * LN_2[0]
}

#[cfg(test)]
#[path = "math_tests.rs"]
mod tests;
