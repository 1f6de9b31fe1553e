//! Training of binary Boltzmann machines in tiles of the first cache.
//!
//! A matrix is cut into *panels* of 64 columns ([`Matrix`]), and a tile is 128 rows of a panel: 32 KiB. The
//! product of binary units and weights is a sum of the rows of active units, taken tile by tile for all
//! examples of a mini-batch ([`product`]); products with the transpose turn each tile first, in the cache.
//! [`units`] samples, [`statistics`] collects ⟨v h⟩ as sums of rows as well, and [`ascent`] updates the weights
//! in the same pass.
//!
//! Every kernel takes the [`crate::Level`] to run at and gives the same bits at all of them.

#![expect(clippy::needless_range_loop, reason = "index k is a vector of several lines at once")]

pub mod ascent;
pub mod fixed;
pub mod lists;
mod masking;
mod math;
mod matrix;
pub mod product;
mod simd;
pub mod statistics;
pub mod units;

pub use masking::{MaskDraws, Thresholds};
pub use matrix::{Bytes, Halves, Line, Matrix, zeroed};

/// Columns of a panel: 4 vectors of 16.
pub const PANEL: usize = 64;

/// Rows of a tile. Sums of more than one tile depend on it: changing it changes the bits.
pub const TILE: usize = 128;

/// Velocities are rounded to multiples of 2⁻¹⁰⁰ by adding and subtracting this, or those that only decay would
/// become subnormal numbers, which are slow.
const FADED: f32 = 1.0 / (1_u128 << 77) as f32;

/// Defines a function of a level that runs `$body`, generic over `Simd`, with the level's instructions.
macro_rules! simd_kernel {
    ($(#[$meta:meta])* pub fn $name:ident $(<$life:lifetime>)? ($($arg:ident: $ty:ty),* $(,)?) = $body:path) => {
        $(#[$meta])*
        pub fn $name $(<$life>)? (level: $crate::Level, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,aes,f16c,bmi1,bmi2,lzcnt,popcnt")]
            fn avx2 $(<$life>)? ($($arg: $ty),*) {
                // SAFETY: this is called only where the level is available, see below.
                $body(unsafe { $crate::tiled::simd::avx2::Avx2::assume() }, $($arg),*);
            }
            #[cfg(all(target_arch = "x86_64", feature = "avx512"))]
            #[target_feature(enable = "avx2,aes,f16c,bmi1,bmi2,lzcnt,popcnt")]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi2,vaes")]
            fn avx512 $(<$life>)? ($($arg: $ty),*) {
                // SAFETY: this is called only where the level is available, see below.
                $body(unsafe { $crate::tiled::simd::avx512::Avx512::assume() }, $($arg),*);
            }
            level.assert_available();
            match level {
                // SAFETY: asserted above, this machine has these instructions.
                #[cfg(target_arch = "x86_64")]
                $crate::Level::Avx2 => unsafe { avx2($($arg),*) },
                // SAFETY: asserted above, this machine has these instructions.
                #[cfg(all(target_arch = "x86_64", feature = "avx512"))]
                $crate::Level::Avx512 => unsafe { avx512($($arg),*) },
                _ => $body($crate::tiled::simd::portable::Portable, $($arg),*),
            }
        }
    };
}
pub(crate) use simd_kernel;

#[cfg(test)]
mod release_tests;
