//! AVX-512: a vector of 16 f32 or 64 bytes is one register, a choice of lanes is a mask register.

use super::super::{Bytes, Line};
use super::Simd;
use crate::ars::{self, Words};
use std::arch::x86_64::*;

/// Proof that this machine has the instructions of [`crate::Level::Avx512`].
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// # Safety
    /// The machine has the level [`crate::Level::Avx512`].
    #[inline(always)]
    pub(crate) unsafe fn assume() -> Self {
        Self(())
    }
}

/// Round keys, each in all four blocks, and the counters of line 0.
#[derive(Clone, Copy)]
pub(crate) struct Keys {
    counters: __m512i,
    round: [__m512i; ars::ROUNDS + 1],
}

/// Intrinsics, in a method of [`Avx512`].
macro_rules! x {
    ($($body:tt)*) => {
        // SAFETY: an `Avx512` exists only where its instructions do, and every pointer comes from a reference
        // to as many bytes as the instruction reads or writes; none needs alignment.
        unsafe { $($body)* }
    };
}

impl Simd for Avx512 {
    type F = __m512;
    type B = __m512i;
    type M = u64;
    type Keys = Keys;
    const SUMS: usize = 4;

    #[inline(always)]
    fn load(self, from: &[f32; 16]) -> __m512 {
        x!(_mm512_loadu_ps(from.as_ptr()))
    }
    #[inline(always)]
    fn store(self, x: __m512, to: &mut [f32; 16]) {
        x!(_mm512_storeu_ps(to.as_mut_ptr(), x))
    }
    #[inline(always)]
    fn splat(self, x: f32) -> __m512 {
        x!(_mm512_set1_ps(x))
    }
    #[inline(always)]
    fn add(self, x: __m512, y: __m512) -> __m512 {
        x!(_mm512_add_ps(x, y))
    }
    #[inline(always)]
    fn sub(self, x: __m512, y: __m512) -> __m512 {
        x!(_mm512_sub_ps(x, y))
    }
    #[inline(always)]
    fn mul(self, x: __m512, y: __m512) -> __m512 {
        x!(_mm512_mul_ps(x, y))
    }
    #[inline(always)]
    fn div(self, x: __m512, y: __m512) -> __m512 {
        x!(_mm512_div_ps(x, y))
    }
    #[inline(always)]
    fn min(self, x: __m512, y: __m512) -> __m512 {
        x!(_mm512_min_ps(x, y))
    }
    #[inline(always)]
    fn max(self, x: __m512, y: __m512) -> __m512 {
        x!(_mm512_max_ps(x, y))
    }
    #[inline(always)]
    fn below(self, x: __m512, y: __m512) -> u16 {
        x!(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(x, y))
    }
    #[inline(always)]
    fn keep(self, bits: u16, x: __m512) -> __m512 {
        x!(_mm512_maskz_mov_ps(bits, x))
    }
    #[inline(always)]
    fn scale(self, x: __m512, shifted: __m512) -> __m512 {
        x!(_mm512_castsi512_ps(_mm512_add_epi32(
            _mm512_castps_si512(x),
            _mm512_slli_epi32::<23>(_mm512_castps_si512(shifted)),
        )))
    }
    #[inline(always)]
    fn split(self, x: __m512) -> (__m512, __m512) {
        x! {
            let half_root = _mm512_set1_epi32(std::f32::consts::FRAC_1_SQRT_2.to_bits().cast_signed());
            let offset = _mm512_sub_epi32(_mm512_castps_si512(x), half_root);
            let fraction = _mm512_and_si512(offset, _mm512_set1_epi32(0x007F_FFFF));
            let n = _mm512_cvtepi32_ps(_mm512_srai_epi32::<23>(offset));
            (n, _mm512_castsi512_ps(_mm512_add_epi32(fraction, half_root)))
        }
    }
    #[inline(always)]
    fn load_half(self, from: &[u16; 16]) -> __m512 {
        x!(_mm512_cvtph_ps(_mm256_loadu_si256(from.as_ptr().cast())))
    }
    #[inline(always)]
    fn store_half(self, x: __m512, to: &mut [u16; 16]) {
        x!(_mm256_storeu_si256(to.as_mut_ptr().cast(), _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x)))
    }

    #[inline(always)]
    fn load_whole(self, from: &[i32; 16]) -> __m512 {
        x!(_mm512_cvtepi32_ps(_mm512_loadu_si512(from.as_ptr().cast())))
    }
    #[inline(always)]
    fn add_whole(self, x: __m512, to: &mut [i32; 16]) {
        x! {
            let sum = _mm512_add_epi32(_mm512_loadu_si512(to.as_ptr().cast()), _mm512_cvtps_epi32(x));
            _mm512_storeu_si512(to.as_mut_ptr().cast(), sum);
        }
    }

    #[inline(always)]
    fn load_bytes(self, from: &[u8; 64]) -> __m512i {
        x!(_mm512_loadu_si512(from.as_ptr().cast()))
    }
    #[inline(always)]
    fn store_bytes(self, x: __m512i, to: &mut [u8; 64]) {
        x!(_mm512_storeu_si512(to.as_mut_ptr().cast(), x))
    }
    #[inline(always)]
    fn zero_bytes(self) -> __m512i {
        x!(_mm512_setzero_si512())
    }
    #[inline(always)]
    fn add_bytes(self, x: __m512i, y: __m512i) -> __m512i {
        x!(_mm512_add_epi8(x, y))
    }
    #[inline(always)]
    fn sub_bytes(self, x: __m512i, y: __m512i) -> __m512i {
        x!(_mm512_sub_epi8(x, y))
    }
    #[inline(always)]
    fn ones(self, bits: u64) -> __m512i {
        x!(_mm512_maskz_set1_epi8(bits, 1))
    }
    #[inline(always)]
    fn widen(self, x: __m512i) -> [__m512; 4] {
        x! {
            let quarters = [
                _mm512_castsi512_si128(x),
                _mm512_extracti32x4_epi32::<1>(x),
                _mm512_extracti32x4_epi32::<2>(x),
                _mm512_extracti32x4_epi32::<3>(x),
            ];
            quarters.map(|quarter| _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(quarter)))
        }
    }
    #[inline(always)]
    fn uniforms(self, x: __m512i) -> __m512 {
        x!(_mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_srli_epi32::<8>(x)), _mm512_set1_ps(crate::sample::GRID)))
    }
    #[inline(always)]
    fn below_bytes(self, x: __m512i, y: __m512i) -> u64 {
        x!(_mm512_cmplt_epu8_mask(x, y))
    }
    #[inline(always)]
    fn below_tied(self, x: __m512i, y: __m512i, second: __m512i, low: __m512i) -> u64 {
        x!(_mm512_mask_cmplt_epu8_mask(_mm512_cmpeq_epu8_mask(x, y), second, low))
    }
    #[inline(always)]
    fn or(self, x: u64, y: u64) -> u64 {
        x | y
    }
    #[inline(always)]
    fn add_where(self, sum: __m512, m: u64, k: usize, x: __m512) -> __m512 {
        x!(_mm512_mask_add_ps(sum, (m >> (16 * k)) as u16, sum, x))
    }
    #[inline(always)]
    fn pairs(self, x: __m512i) -> [__m512; 2] {
        x! {
            let halves = [_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64::<1>(x)];
            halves.map(|half| _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(half)))
        }
    }
    #[inline(always)]
    fn split_bytes(self, numbers: [__m512; 4]) -> (__m512i, __m512i) {
        x! {
            let numbers = numbers.map(|x| _mm512_cvttps_epi32(x));
            let pack = |parts: [__m128i; 4]| {
                let x = _mm512_inserti32x4::<1>(_mm512_castsi128_si512(parts[0]), parts[1]);
                _mm512_inserti32x4::<3>(_mm512_inserti32x4::<2>(x, parts[2]), parts[3])
            };
            let high = numbers.map(|x| _mm512_cvtepi32_epi8(_mm512_srli_epi32::<8>(x)));
            (pack(high), pack(numbers.map(|x| _mm512_cvtepi32_epi8(x))))
        }
    }

    #[inline(always)]
    fn transpose(self, from: &[Line; 16], k: usize, mut to: [&mut [f32; 16]; 16]) {
        for (c, to) in to.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            for (to, column) in to.iter_mut().zip(four_columns(from, k, 4 * c)) {
                self.store(column, to);
            }
        }
    }
    #[inline(always)]
    fn transpose_bytes(self, from: &[Bytes; 16], k: usize, to: &mut [Bytes; 16], g: usize) {
        super::avx2::transpose_bytes(from, k, to, g);
    }
    #[inline(always)]
    fn append(self, word: u64, base: u16, to: &mut [u16; 64]) -> usize {
        x! {
            let low = word as u32;
            let n = low.count_ones() as usize;
            let places = _mm512_add_epi16(_mm512_loadu_si512(POSITIONS.as_ptr().cast()), _mm512_set1_epi16(base.cast_signed()));
            // 32 places from 0 and 32 from n ≤ 32, all within the 64.
            _mm512_storeu_si512(to.as_mut_ptr().cast(), _mm512_maskz_compress_epi16(low, places));
            let places = _mm512_add_epi16(places, _mm512_set1_epi16(32));
            let rest = (word >> 32) as u32;
            _mm512_storeu_si512(to.as_mut_ptr().add(n).cast(), _mm512_maskz_compress_epi16(rest, places));
            n + rest.count_ones() as usize
        }
    }

    #[inline(always)]
    fn append_thirds(self, x: u64, y: u64, base: u16, third: u16, to: &mut [u16; 64]) -> usize {
        x! {
            let third = _mm512_set1_epi16(third.cast_signed());
            let mut n = 0;
            for half in [0, 32] {
                let (x, y) = ((x >> half) as u32, (y >> half) as u32);
                let first = _mm512_set1_epi16((base + half).cast_signed());
                let numbers = _mm512_add_epi16(_mm512_loadu_si512(POSITIONS.as_ptr().cast()), first);
                let numbers = _mm512_mask_add_epi16(numbers, y, numbers, third);
                let numbers = _mm512_mask_add_epi16(numbers, x & y, numbers, third);
                // 32 places from 0 and 32 from n ≤ 32, all within the 64.
                _mm512_storeu_si512(to.as_mut_ptr().add(n).cast(), _mm512_maskz_compress_epi16(x | y, numbers));
                n += (x | y).count_ones() as usize;
            }
            n
        }
    }

    #[inline(always)]
    fn keys(self, key: Words, step: u64) -> Keys {
        let round = ars::all_round_keys(key);
        let step = step.cast_signed();
        x! {
            let wide = |[low, high]: [u64; 2]| {
                _mm512_broadcast_i64x2(_mm_set_epi64x(high.cast_signed(), low.cast_signed()))
            };
            Keys { counters: _mm512_set_epi64(step, 3, step, 2, step, 1, step, 0), round: round.map(wide) }
        }
    }
    #[inline(always)]
    fn draw(self, keys: &Keys, line: u64) -> __m512i {
        x! {
            let first = _mm512_maskz_set1_epi64(0b0101_0101, (line << 2).cast_signed());
            let mut state = _mm512_xor_si512(_mm512_add_epi64(keys.counters, first), keys.round[0]);
            for key in &keys.round[1..ars::ROUNDS] {
                state = _mm512_aesenc_epi128(state, *key);
            }
            _mm512_aesenclast_epi128(state, keys.round[ars::ROUNDS])
        }
    }
}

/// 0, 1, … 31.
const POSITIONS: [u16; 32] = {
    let mut positions = [0; 32];
    let mut i = 0;
    while i < 32 {
        positions[i] = i as u16;
        i += 1;
    }
    positions
};

/// Columns `first`.. of vector k of 16 rows.
#[inline(always)]
fn four_columns(from: &[Line; 16], k: usize, first: usize) -> [__m512; 4] {
    x! {
        let (a, b) = (quarters(from, 0, k, first), quarters(from, 1, k, first));
        let (c, d) = (quarters(from, 2, k, first), quarters(from, 3, k, first));
        let (low_ab, low_cd) = (_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d));
        let (high_ab, high_cd) = (_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d));
        let (low_ab, low_cd) = (_mm512_castps_pd(low_ab), _mm512_castps_pd(low_cd));
        let (high_ab, high_cd) = (_mm512_castps_pd(high_ab), _mm512_castps_pd(high_cd));
        [
            _mm512_castpd_ps(_mm512_unpacklo_pd(low_ab, low_cd)),
            _mm512_castpd_ps(_mm512_unpackhi_pd(low_ab, low_cd)),
            _mm512_castpd_ps(_mm512_unpacklo_pd(high_ab, high_cd)),
            _mm512_castpd_ps(_mm512_unpackhi_pd(high_ab, high_cd)),
        ]
    }
}

/// Columns `first`.. of rows i, i + 4, i + 8 and i + 12: put together by loads, which leaves the port of shuffles
/// half of the work of a transpose.
#[inline(always)]
fn quarters(from: &[Line; 16], i: usize, k: usize, first: usize) -> __m512 {
    x! {
        let x = _mm512_castps128_ps512(_mm_loadu_ps(from[i].0[k][first..first + 4].as_ptr()));
        let x = _mm512_insertf32x4::<1>(x, _mm_loadu_ps(from[i + 4].0[k][first..first + 4].as_ptr()));
        let x = _mm512_insertf32x4::<2>(x, _mm_loadu_ps(from[i + 8].0[k][first..first + 4].as_ptr()));
        _mm512_insertf32x4::<3>(x, _mm_loadu_ps(from[i + 12].0[k][first..first + 4].as_ptr()))
    }
}
