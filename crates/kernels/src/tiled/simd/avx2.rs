//! AVX2: a vector is two registers, a choice of lanes is bytes of ones.

use super::super::{Bytes, Line};
use super::Simd;
use super::portable::{append_by_zeros, thirds_by_zeros};
use crate::ars::{self, Words};
use std::arch::x86_64::*;

/// Proof that this machine has the instructions of [`crate::Level::Avx2`].
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// # Safety
    /// The machine has the level [`crate::Level::Avx2`].
    #[inline(always)]
    pub(crate) unsafe fn assume() -> Self {
        Self(())
    }
}

/// Round keys, and the counters of line 0.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    counters: [__m128i; 4],
    round: [__m128i; ars::ROUNDS + 1],
}

/// Intrinsics, in a method of [`Avx2`].
macro_rules! x {
    ($($body:tt)*) => {
        // SAFETY: an `Avx2` exists only where its instructions do, and every pointer comes from a reference
        // to as many bytes as the instructions read or write; none needs alignment.
        unsafe { $($body)* }
    };
}

/// An intrinsic for both halves.
macro_rules! both {
    ($f:ident $(::<$c:tt>)?; $x:expr) => {{
        let x = $x;
        x!([$f$(::<$c>)?(x[0]), $f$(::<$c>)?(x[1])])
    }};
    ($f:ident $(::<$c:tt>)?; $x:expr, $y:expr) => {{
        let (x, y) = ($x, $y);
        x!([$f$(::<$c>)?(x[0], y[0]), $f$(::<$c>)?(x[1], y[1])])
    }};
}

/// An array of four. Closures given to functions of arrays may stay functions of their own, without the level's
/// instructions.
macro_rules! four {
    (|$k:ident| $x:expr) => {
        [
            {
                let $k = 0;
                $x
            },
            {
                let $k = 1;
                $x
            },
            {
                let $k = 2;
                $x
            },
            {
                let $k = 3;
                $x
            },
        ]
    };
}

type F = [__m256; 2];
type B = [__m256i; 2];

#[inline(always)]
fn splat_i32(x: i32) -> B {
    x!([_mm256_set1_epi32(x); 2])
}

#[inline(always)]
fn load_whole(from: &[i32; 16]) -> B {
    let from = from.as_ptr();
    x!([_mm256_loadu_si256(from.cast()), _mm256_loadu_si256(from.add(8).cast())])
}

#[inline(always)]
fn splat_i8(x: i8) -> B {
    x!([_mm256_set1_epi8(x); 2])
}

impl Simd for Avx2 {
    type F = F;
    type B = B;
    type M = B;
    type Keys = Keys;
    const SUMS: usize = 2;

    #[inline(always)]
    fn load(self, from: &[f32; 16]) -> F {
        x!([_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))])
    }
    #[inline(always)]
    fn store(self, x: F, to: &mut [f32; 16]) {
        x! {
            _mm256_storeu_ps(to.as_mut_ptr(), x[0]);
            _mm256_storeu_ps(to.as_mut_ptr().add(8), x[1]);
        }
    }
    #[inline(always)]
    fn splat(self, x: f32) -> F {
        x!([_mm256_set1_ps(x); 2])
    }
    #[inline(always)]
    fn add(self, x: F, y: F) -> F {
        both!(_mm256_add_ps; x, y)
    }
    #[inline(always)]
    fn sub(self, x: F, y: F) -> F {
        both!(_mm256_sub_ps; x, y)
    }
    #[inline(always)]
    fn mul(self, x: F, y: F) -> F {
        both!(_mm256_mul_ps; x, y)
    }
    #[inline(always)]
    fn div(self, x: F, y: F) -> F {
        both!(_mm256_div_ps; x, y)
    }
    #[inline(always)]
    fn min(self, x: F, y: F) -> F {
        both!(_mm256_min_ps; x, y)
    }
    #[inline(always)]
    fn max(self, x: F, y: F) -> F {
        both!(_mm256_max_ps; x, y)
    }
    #[inline(always)]
    fn below(self, x: F, y: F) -> u16 {
        let lanes = both!(_mm256_cmp_ps::<_CMP_LT_OQ>; x, y);
        let bits = both!(_mm256_movemask_ps; lanes);
        (bits[0] | bits[1] << 8) as u16
    }
    #[inline(always)]
    fn keep(self, bits: u16, x: F) -> F {
        x! {
            let lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
            let chosen = |bits: u16| {
                let set = _mm256_and_si256(_mm256_set1_epi32(i32::from(bits)), lane);
                _mm256_castsi256_ps(_mm256_cmpeq_epi32(set, lane))
            };
            [_mm256_and_ps(chosen(bits), x[0]), _mm256_and_ps(chosen(bits >> 8), x[1])]
        }
    }
    #[inline(always)]
    fn scale(self, x: F, shifted: F) -> F {
        let exponent = both!(_mm256_slli_epi32::<23>; both!(_mm256_castps_si256; shifted));
        both!(_mm256_castsi256_ps; both!(_mm256_add_epi32; both!(_mm256_castps_si256; x), exponent))
    }
    #[inline(always)]
    fn split(self, x: F) -> (F, F) {
        let half_root = splat_i32(std::f32::consts::FRAC_1_SQRT_2.to_bits().cast_signed());
        let offset = both!(_mm256_sub_epi32; both!(_mm256_castps_si256; x), half_root);
        let fraction = both!(_mm256_and_si256; offset, splat_i32(0x007F_FFFF));
        let n = both!(_mm256_cvtepi32_ps; both!(_mm256_srai_epi32::<23>; offset));
        (n, both!(_mm256_castsi256_ps; both!(_mm256_add_epi32; fraction, half_root)))
    }
    #[inline(always)]
    fn load_half(self, from: &[u16; 16]) -> F {
        x! {
            let half = |at| _mm256_cvtph_ps(_mm_loadu_si128(from.as_ptr().add(at).cast()));
            [half(0), half(8)]
        }
    }
    #[inline(always)]
    fn store_half(self, x: F, to: &mut [u16; 16]) {
        let halves = both!(_mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>; x);
        x! {
            _mm_storeu_si128(to.as_mut_ptr().cast(), halves[0]);
            _mm_storeu_si128(to.as_mut_ptr().add(8).cast(), halves[1]);
        }
    }

    #[inline(always)]
    fn load_whole(self, from: &[i32; 16]) -> F {
        both!(_mm256_cvtepi32_ps; load_whole(from))
    }
    #[inline(always)]
    fn add_whole(self, x: F, to: &mut [i32; 16]) {
        let sum = both!(_mm256_add_epi32; load_whole(to), both!(_mm256_cvtps_epi32; x));
        x! {
            _mm256_storeu_si256(to.as_mut_ptr().cast(), sum[0]);
            _mm256_storeu_si256(to.as_mut_ptr().add(8).cast(), sum[1]);
        }
    }

    #[inline(always)]
    fn load_bytes(self, from: &[u8; 64]) -> B {
        x!([_mm256_loadu_si256(from.as_ptr().cast()), _mm256_loadu_si256(from.as_ptr().add(32).cast())])
    }
    #[inline(always)]
    fn store_bytes(self, x: B, to: &mut [u8; 64]) {
        x! {
            _mm256_storeu_si256(to.as_mut_ptr().cast(), x[0]);
            _mm256_storeu_si256(to.as_mut_ptr().add(32).cast(), x[1]);
        }
    }
    #[inline(always)]
    fn zero_bytes(self) -> B {
        x!([_mm256_setzero_si256(); 2])
    }
    #[inline(always)]
    fn add_bytes(self, x: B, y: B) -> B {
        both!(_mm256_add_epi8; x, y)
    }
    #[inline(always)]
    fn sub_bytes(self, x: B, y: B) -> B {
        both!(_mm256_sub_epi8; x, y)
    }
    #[inline(always)]
    fn ones(self, bits: u64) -> B {
        x! {
            // Byte i of a half takes bit i mod 8 of byte ⌊i/8⌋ of its 32 bits.
            let byte = _mm256_setr_epi64x(0, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303);
            let bit = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
            let half = |bits: u32| {
                let spread = _mm256_shuffle_epi8(_mm256_set1_epi32(bits.cast_signed()), byte);
                let set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
                _mm256_and_si256(set, _mm256_set1_epi8(1))
            };
            [half(bits as u32), half((bits >> 32) as u32)]
        }
    }
    #[inline(always)]
    fn widen(self, x: B) -> [F; 4] {
        four!(|k| both!(_mm256_cvtepi32_ps; wide_bytes(x, k)))
    }
    #[inline(always)]
    fn uniforms(self, x: B) -> F {
        let upper = both!(_mm256_cvtepi32_ps; both!(_mm256_srli_epi32::<8>; x));
        both!(_mm256_mul_ps; upper, self.splat(crate::sample::GRID))
    }
    #[inline(always)]
    fn below_bytes(self, x: B, y: B) -> B {
        // x < y unless the greater of them is x.
        let not_below = both!(_mm256_cmpeq_epi8; both!(_mm256_max_epu8; x, y), x);
        both!(_mm256_andnot_si256; not_below, splat_i8(-1))
    }
    #[inline(always)]
    fn below_tied(self, x: B, y: B, second: B, low: B) -> B {
        let not_below = both!(_mm256_cmpeq_epi8; both!(_mm256_max_epu8; second, low), second);
        both!(_mm256_andnot_si256; not_below, both!(_mm256_cmpeq_epi8; x, y))
    }
    #[inline(always)]
    fn or(self, x: B, y: B) -> B {
        both!(_mm256_or_si256; x, y)
    }
    #[inline(always)]
    fn add_where(self, sum: F, m: B, k: usize, x: F) -> F {
        let chosen = both!(_mm256_castsi256_ps; wide_bytes(m, k));
        self.add(sum, both!(_mm256_and_ps; chosen, x))
    }
    #[inline(always)]
    fn pairs(self, x: B) -> [F; 2] {
        [wide_pairs(x[0]), wide_pairs(x[1])]
    }
    #[inline(always)]
    fn split_bytes(self, numbers: [F; 4]) -> (B, B) {
        let numbers = four!(|k| both!(_mm256_cvttps_epi32; numbers[k]));
        let high = four!(|k| both!(_mm256_srli_epi32::<8>; numbers[k]));
        (pack(high), pack(four!(|k| both!(_mm256_and_si256; numbers[k], splat_i32(255)))))
    }

    #[inline(always)]
    fn transpose(self, from: &[Line; 16], k: usize, to: [&mut [f32; 16]; 16]) {
        for r in [0, 8] {
            for c in [0, 8] {
                let rows: [__m256; 8] =
                    std::array::from_fn(|i| x!(_mm256_loadu_ps(from[r + i].0[k][c..c + 8].as_ptr())));
                for (j, column) in columns(rows).into_iter().enumerate() {
                    x!(_mm256_storeu_ps(to[c + j][r..r + 8].as_mut_ptr(), column));
                }
            }
        }
    }
    #[inline(always)]
    fn transpose_bytes(self, from: &[Bytes; 16], k: usize, to: &mut [Bytes; 16], g: usize) {
        transpose_bytes(from, k, to, g);
    }
    #[inline(always)]
    fn append(self, word: u64, base: u16, to: &mut [u16; 64]) -> usize {
        append_by_zeros(word, base, to)
    }
    #[inline(always)]
    fn append_thirds(self, x: u64, y: u64, base: u16, third: u16, to: &mut [u16; 64]) -> usize {
        thirds_by_zeros(x, y, base, third, to)
    }

    #[inline(always)]
    fn keys(self, key: Words, step: u64) -> Keys {
        let block = |[low, high]: [u64; 2]| x!(_mm_set_epi64x(high.cast_signed(), low.cast_signed()));
        Keys {
            counters: [0, 1, 2, 3].map(|lane| block([lane, step])),
            round: ars::all_round_keys(key).map(block),
        }
    }
    #[inline(always)]
    fn draw(self, keys: &Keys, line: u64) -> B {
        x! {
            let first = _mm_set_epi64x(0, (line << 2).cast_signed());
            let mut state = four!(|i| _mm_xor_si128(_mm_add_epi64(keys.counters[i], first), keys.round[0]));
            for key in &keys.round[1..ars::ROUNDS] {
                state = four!(|i| _mm_aesenc_si128(state[i], *key));
            }
            let [a, b, c, d] = four!(|i| _mm_aesenclast_si128(state[i], keys.round[ars::ROUNDS]));
            [_mm256_set_m128i(b, a), _mm256_set_m128i(d, c)]
        }
    }
}

/// Bytes 16 k.. as signed 32-bit numbers.
#[inline(always)]
fn wide_bytes(x: B, k: usize) -> B {
    x! {
        let half = x[k / 2];
        let quarter =
            if k.is_multiple_of(2) { _mm256_castsi256_si128(half) } else { _mm256_extracti128_si256::<1>(half) };
        [_mm256_cvtepi8_epi32(quarter), _mm256_cvtepi8_epi32(_mm_srli_si128::<8>(quarter))]
    }
}

/// 16 unsigned 16-bit numbers as f32.
#[inline(always)]
fn wide_pairs(x: __m256i) -> F {
    x! {
        let (low, high) = (_mm256_castsi256_si128(x), _mm256_extracti128_si256::<1>(x));
        [_mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(low)), _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(high))]
    }
}

/// 64 numbers in 0..=255 as bytes.
#[inline(always)]
fn pack(x: [B; 4]) -> B {
    x! {
        // Packing works within 128 bits: the numbers come in fours, out of order, and are put back.
        let half = |x: B, y: B| {
            let bytes = _mm256_packus_epi16(_mm256_packus_epi32(x[0], x[1]), _mm256_packus_epi32(y[0], y[1]));
            _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))
        };
        [half(x[0], x[1]), half(x[2], x[3])]
    }
}

/// The transpose of 8 rows: pairs of lanes, quadruples, then halves.
#[inline(always)]
fn columns(rows: [__m256; 8]) -> [__m256; 8] {
    x! {
        let (mut pairs, mut quads, mut columns) = (rows, rows, rows);
        for i in (0..8).step_by(2) {
            pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
            pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
        }
        for r in [0, 4] {
            for half in 0..2 {
                quads[r + 2 * half] = _mm256_shuffle_ps::<0x44>(pairs[r + half], pairs[r + 2 + half]);
                quads[r + 2 * half + 1] = _mm256_shuffle_ps::<0xEE>(pairs[r + half], pairs[r + 2 + half]);
            }
        }
        for c in 0..4 {
            columns[c] = _mm256_permute2f128_ps::<0x20>(quads[c], quads[4 + c]);
            columns[4 + c] = _mm256_permute2f128_ps::<0x31>(quads[c], quads[4 + c]);
        }
        columns
    }
}

/// [`Simd::transpose_bytes`] with the instructions that every x86-64 machine has.
#[inline(always)]
pub(super) fn transpose_bytes(from: &[Bytes; 16], k: usize, to: &mut [Bytes; 16], g: usize) {
    x! {
        let mut x: [__m128i; 16] =
            std::array::from_fn(|i| _mm_loadu_si128(from[i].0[16 * k..16 * k + 16].as_ptr().cast()));
        // Four perfect shuffles of the 256 bytes swap rows and columns.
        for _ in 0..4 {
            let y = x;
            for i in 0..8 {
                x[2 * i] = _mm_unpacklo_epi8(y[i], y[i + 8]);
                x[2 * i + 1] = _mm_unpackhi_epi8(y[i], y[i + 8]);
            }
        }
        for (to, column) in to.iter_mut().zip(x) {
            _mm_storeu_si128(to.0[16 * g..16 * g + 16].as_mut_ptr().cast(), column);
        }
    }
}
