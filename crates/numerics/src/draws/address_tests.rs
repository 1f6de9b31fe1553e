use super::*;
use proptest::prelude::*;

#[test]
fn a_block_is_keyed_by_seed_stream_and_domain_and_counted_by_index_and_step() {
    let draws = Draws::at(0x1111_2222_3333_4444, 0x5555_6666_7777_8888);
    let mut out = [0; 4];
    draws.fill_u32(Stream::Visible, 4 * 0x0102_0304_0506_0708, &mut out);
    let counter = [0x0506_0708, 0x0102_0304, 0x7777_8888, 0x5555_6666];
    let key = [0x3333_4444, 0x1111_2222, 5, u32::from_be_bytes(*b"VSCL")];
    assert_eq!(out, ars::block(counter, key));
}

#[test]
fn the_draws_of_a_seed_never_change() {
    // Computed by an independent implementation in Python; a change here changes every result.
    let mut words = [0; 5];
    Draws::at(1, 2).fill_u32(Stream::Hidden, 3, &mut words);
    assert_eq!(words, FROZEN_WORDS);
}

const FROZEN_WORDS: [u32; 5] = [0x88a6_3807, 0x6507_dac4, 0x64f7_6195, 0xd8d8_773c, 0x950d_c68a];

#[test]
fn every_field_of_the_address_matters() {
    let first = |seed, step, stream, index| {
        let mut out = [0];
        Draws::at(seed, step).fill_u32(stream, index, &mut out);
        out[0]
    };
    let here = first(7, 8, Stream::Hidden, 9);
    for elsewhere in [
        first(7 ^ 1 << 63, 8, Stream::Hidden, 9),
        first(6, 8, Stream::Hidden, 9),
        first(7, 8 ^ 1 << 63, Stream::Hidden, 9),
        first(7, 9, Stream::Hidden, 9),
        first(7, 8, Stream::Visible, 9),
        first(7, 8, Stream::Hidden, 9 ^ 1 << 63),
        first(7, 8, Stream::Hidden, 10),
    ] {
        assert_ne!(here, elsewhere);
    }
}

/// Whether filling `n` draws from `first` on equals filling them in two pieces.
fn pieces_agree<T: Clone + PartialEq>(
    zero: T,
    first: u64,
    n: usize,
    cut: usize,
    fill: impl Fn(u64, &mut [T]),
) -> bool {
    let mut whole = vec![zero.clone(); n];
    fill(first, &mut whole);
    let mut pieces = vec![zero; n];
    let (head, tail) = pieces.split_at_mut(cut.min(n));
    fill(first, head);
    fill(first + head.len() as u64, tail);
    whole == pieces
}

proptest! {
    #[test]
    fn filling_in_pieces_equals_filling_at_once(
        seed: u64, step: u64, first in 0_u64..1 << 40, n in 0_usize..1_200, cut in 0_usize..1_200,
    ) {
        let draws = Draws::at(seed, step);
        let stream = Stream::Mask;
        prop_assert!(pieces_agree(0_u32, first, n, cut, |i, out| draws.fill_u32(stream, i, out)));
        prop_assert!(pieces_agree(0_f32, first, n, cut, |i, out| draws.fill_uniform(stream, i, out)));
        prop_assert!(pieces_agree(0_f64, first, n, cut, |i, out| draws.fill_uniform_f64(stream, i, out)));
        prop_assert!(pieces_agree(0_f64, first, n, cut, |i, out| draws.fill_normal(stream, i, out)));
    }

    #[test]
    fn uniform_numbers_stay_below_one(seed: u64, first in 0_u64..1 << 40) {
        let draws = Draws::at(seed, 0);
        let (mut narrow, mut wide) = ([0.0; 100], [0.0; 100]);
        draws.fill_uniform(Stream::Hidden, first, &mut narrow);
        draws.fill_uniform_f64(Stream::Hidden, first, &mut wide);
        prop_assert!(narrow.iter().all(|u| (0.0..1.0).contains(u)));
        prop_assert!(wide.iter().all(|u| (0.0..1.0).contains(u)));
    }

    #[test]
    fn a_permutation_holds_every_number_once(seed: u64, n in 0_u32..300) {
        let mut order = Draws::at(seed, 1).permutation(Stream::Order, n);
        order.sort_unstable();
        prop_assert_eq!(order, (0..n).collect::<Vec<_>>());
    }

    #[test]
    fn a_bounded_integer_is_the_upper_part_of_its_product(seed: u64, index in 0_u64..1 << 56, n in 1_u32..) {
        let draws = Draws::at(seed, 3);
        let mut words = [0; 2];
        draws.fill_u32(Stream::Order, 4 * index, &mut words);
        // Rejection has probability below 2⁻³² here, so the first word decides.
        let product = u128::from(pair(words[0], words[1])) * u128::from(n);
        prop_assert_eq!(draws.below(Stream::Order, index, n), (product >> 64) as u32);
        prop_assert!(draws.below(Stream::Order, index, n) < n);
    }
}
