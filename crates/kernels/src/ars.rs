//! ARS: counter-based draws from AES rounds with Weyl keys.
//!
//! A block of four 32-bit words is a pure function of a counter and a key, so every draw has an
//! address and results depend neither on threads nor on the order of asking. Seven rounds are the
//! margin its authors recommend over the five that pass BigCrush.
//!
//! # Source
//! Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", SC11.

use crate::Level;
use aes::hazmat::{Block8, cipher_round_par, inv_mix_columns};

/// Four 32-bit words, word 0 lowest: a counter, a key or an output.
pub type Words = [u32; 4];

/// Rounds used for all draws.
pub const ROUNDS: usize = 7;

/// Blocks computed side by side, to hide the latency of an AES round.
const LANES: usize = 8;

/// What the key grows by at every round: the golden ratio and √3 − 1, as 64-bit fractions.
const WEYL: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xBB67_AE85_84CA_A73B];

/// One block: `ARS4x32` of `counter` under `key`.
pub fn block(counter: Words, key: Words) -> Words {
    let mut out = [0; 4];
    fill::<ROUNDS>(counter, key, &mut out);
    out
}

/// Fills `out` with the blocks of consecutive counters, the first being `counter`.
///
/// The counter's first two words count on as one 64-bit number, wrapping; the other two stay.
/// The last block is cut if `out` is no multiple of four words.
pub fn fill<const R: usize>(counter: Words, key: Words, out: &mut [u32]) {
    fill_at::<R>(Level::detected(), counter, key, out);
}

/// [`fill`] at a given level, with the same bits.
///
/// # Panics
/// If this machine lacks the level.
pub fn fill_at<const R: usize>(level: Level, counter: Words, key: Words, out: &mut [u32]) {
    level.assert_available();
    let keys = round_keys::<R>(key);
    let first = [lane(counter[0], counter[1]), lane(counter[2], counter[3])];
    match level {
        // SAFETY: asserted above, this machine has AES-NI.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { hardware::fill(first, &keys, out) },
        // SAFETY: asserted above, this machine has AVX-512F and VAES.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { hardware::fill_wide(first, &keys, out) },
        _ => fill_with(first, out, |counters| eight_blocks(counters, &keys)),
    }
}

/// Cuts the work into eight blocks at a time.
#[inline(always)]
fn fill_with(first: [u64; 2], out: &mut [u32], eight_blocks: impl Fn([[u64; 2]; LANES]) -> [Words; LANES]) {
    for (chunk, words) in out.chunks_mut(4 * LANES).enumerate() {
        let low = first[0].wrapping_add((chunk * LANES) as u64);
        let counters = std::array::from_fn(|i| [low.wrapping_add(i as u64), first[1]]);
        words.copy_from_slice(&eight_blocks(counters).as_flattened()[..words.len()]);
    }
}

/// The keys of one block, as two 64-bit lanes each.
struct RoundKeys<const R: usize> {
    /// Mixed in before the first round.
    first: [u64; 2],
    /// One a round.
    rest: [[u64; 2]; R],
}

/// Each lane of the key grows by its Weyl constant at every round.
fn round_keys<const R: usize>(key: Words) -> RoundKeys<R> {
    let first = [lane(key[0], key[1]), lane(key[2], key[3])];
    let mut lanes = first;
    let rest = std::array::from_fn(|_| {
        lanes = [lanes[0].wrapping_add(WEYL[0]), lanes[1].wrapping_add(WEYL[1])];
        lanes
    });
    RoundKeys { first, rest }
}

/// The keys of all rounds, the one before the first round included.
pub(crate) fn all_round_keys(key: Words) -> [[u64; 2]; ROUNDS + 1] {
    let keys = round_keys::<ROUNDS>(key);
    std::array::from_fn(|round| if round == 0 { keys.first } else { keys.rest[round - 1] })
}

fn lane(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// Portable form: the AES rounds of the `aes` crate, which itself takes the instructions if there are any.
fn eight_blocks<const R: usize>(counters: [[u64; 2]; LANES], keys: &RoundKeys<R>) -> [Words; LANES] {
    let mut state = Block8::default();
    for (block, counter) in state.iter_mut().zip(counters) {
        *block = to_bytes([counter[0] ^ keys.first[0], counter[1] ^ keys.first[1]]).into();
    }
    for (round, key) in keys.rest.iter().enumerate() {
        let last = round + 1 == R;
        // The final round of AES mixes no columns. The crate offers full rounds only, so that one
        // runs with a zero key, is unmixed, and takes its key afterwards.
        let round_key = Block8::from_fn(|_| to_bytes(if last { [0; 2] } else { *key }).into());
        cipher_round_par(&mut state, &round_key);
        if last {
            state.iter_mut().for_each(inv_mix_columns);
        }
    }
    let last_key = to_bytes(keys.rest[R - 1]);
    std::array::from_fn(|block| {
        let bytes: [u8; 16] = std::array::from_fn(|i| state[block][i] ^ last_key[i]);
        std::array::from_fn(|w| u32::from_le_bytes(std::array::from_fn(|i| bytes[4 * w + i])))
    })
}

fn to_bytes(lanes: [u64; 2]) -> [u8; 16] {
    (u128::from(lanes[0]) | u128::from(lanes[1]) << 64).to_le_bytes()
}

#[cfg(target_arch = "x86_64")]
mod hardware {
    use super::{LANES, RoundKeys, Words, fill_with};
    use std::arch::x86_64::*;

    #[target_feature(enable = "aes,sse2")]
    pub(super) fn fill<const R: usize>(first: [u64; 2], keys: &RoundKeys<R>, out: &mut [u32]) {
        fill_with(first, out, |counters| eight_blocks(counters, keys));
    }

    #[target_feature(enable = "vaes,avx512f")]
    pub(super) fn fill_wide<const R: usize>(first: [u64; 2], keys: &RoundKeys<R>, out: &mut [u32]) {
        fill_with(first, out, |counters| eight_blocks_wide(counters, keys));
    }

    #[inline]
    #[target_feature(enable = "aes,sse2")]
    fn eight_blocks<const R: usize>(counters: [[u64; 2]; LANES], keys: &RoundKeys<R>) -> [Words; LANES] {
        let first = load(keys.first);
        let mut state = counters.map(|counter| _mm_xor_si128(load(counter), first));
        for key in &keys.rest[..R - 1] {
            let key = load(*key);
            state = state.map(|block| _mm_aesenc_si128(block, key));
        }
        let last = load(keys.rest[R - 1]);
        let mut out = [[0; 4]; LANES];
        for (words, block) in out.iter_mut().zip(state) {
            let block = _mm_aesenclast_si128(block, last);
            // SAFETY: `words` is 16 writable bytes; the store has no alignment need.
            unsafe { _mm_storeu_si128(words.as_mut_ptr().cast(), block) };
        }
        out
    }

    /// Four blocks an instruction.
    #[inline]
    #[target_feature(enable = "vaes,avx512f")]
    fn eight_blocks_wide<const R: usize>(counters: [[u64; 2]; LANES], keys: &RoundKeys<R>) -> [Words; LANES] {
        let wide = |key: [u64; 2]| _mm512_broadcast_i32x4(load(key));
        let pointer = counters.as_ptr();
        let first = wide(keys.first);
        let mut state: [__m512i; LANES / 4] = std::array::from_fn(|i| {
            // SAFETY: `counters` is 128 readable bytes, of which this reads 64 from 64·i; the load
            // has no alignment need.
            let counter = unsafe { _mm512_loadu_si512(pointer.add(4 * i).cast()) };
            _mm512_xor_si512(counter, first)
        });
        for key in &keys.rest[..R - 1] {
            let key = wide(*key);
            state = state.map(|blocks| _mm512_aesenc_epi128(blocks, key));
        }
        let last = wide(keys.rest[R - 1]);
        let mut out = [[0; 4]; LANES];
        for (words, blocks) in out.chunks_exact_mut(4).zip(state) {
            let blocks = _mm512_aesenclast_epi128(blocks, last);
            // SAFETY: `words` is four times 16 writable bytes; the store has no alignment need.
            unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), blocks) };
        }
        out
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn load(lanes: [u64; 2]) -> __m128i {
        _mm_set_epi64x(lanes[1].cast_signed(), lanes[0].cast_signed())
    }
}

#[cfg(test)]
#[path = "ars_tests.rs"]
mod tests;
