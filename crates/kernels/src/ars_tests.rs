use super::*;
use proptest::prelude::*;

/// Known answers: counter, key, output.
type KnownAnswers = &'static [[Words; 3]];

const PI: [Words; 2] = [
    [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
    [0xa409_3822, 0x299f_31d0, 0x082e_fa98, 0xec4e_6c89],
];
const ONES: [Words; 2] = [[!0; 4], [!0, !0, 0, 0]];

/// Random123 1.14, `kat_vectors`.
const TEN_ROUNDS: KnownAnswers = &[
    [[0; 4], [0; 4], [0x8d73_ee19, 0x5064_01ef, 0x13c2_dbe4, 0x0cbe_9c0d]],
    [PI[0], PI[1], [0xa516_e7d6, 0x8357_ad74, 0x5b59_b3ec, 0x8763_fff3]],
    [ONES[0], ONES[1], [0xbb37_43b1, 0x9f63_5551, 0xecbc_87fc, 0xa194_78a9]],
];

/// The same inputs, computed with the library of Random123 1.14.
const SEVEN_ROUNDS: KnownAnswers = &[
    [[0; 4], [0; 4], [0xdacf_61ff, 0xc457_98f3, 0x113c_7eeb, 0x101e_27f3]],
    [PI[0], PI[1], [0xd1df_87af, 0xf67d_43ba, 0x4f66_afdb, 0x393d_cb2d]],
    [ONES[0], ONES[1], [0x5e39_c131, 0xd112_1a9c, 0xba0a_9803, 0x9372_482d]],
];

/// Random123, `old_kat_vectors`, a choice of the lines `ars4x32 7`, as printed.
const SEVEN_ROUNDS_PUBLISHED: &str = "
00000001 00000000 00000000 00000000 00000001 00000000 00000000 00000000 3523162b dc14d20c 79184077 72184193
00000000 00000001 00000000 00000000 00000001 00000000 00000000 00000000 f928af71 52594c2a e41e8545 f10cae23
0000ff00 00000000 00000000 00000000 00000000 00000000 00010000 00000000 d1fed09e 84ec00dd a4f64c71 b958535e
00000000 00ff0000 00000000 00000000 ff000000 00000000 00000000 00000000 48d665be 04dd1041 3c536403 c0c50658
00000000 00000000 ff000000 00000000 00000000 00000000 000000ff 00000000 b6c6a327 885044c7 53b59d61 d8e11374
886a3f24 d308a385 2e8a1913 44737003 00000000 00000000 00000000 0000ff00 6efe6875 3010187d ca52b0ef 74716ff0
e6212845 7713d038 cf6654be 6c0ce934 00000000 00000100 00000000 00000000 8186605a 2a648389 7fa392d4 a0282353
00000000 00000000 00000000 80000000 00000000 ff000000 00000000 00000000 7fab47bb fcd840f2 cda838c4 6ae55be9
00000000 00000000 0000ff00 00000000 00000000 00000000 00ff0000 00000000 2eb13676 7d591e27 e6713fe3 74bf381a
00800000 00000000 00000000 00000000 00000000 00000000 00000000 0000ff00 6b57dc82 37fc10ee feff9c27 85dd9d70
";

fn at_level<const R: usize>(level: Level, counter: Words, key: Words) -> Words {
    let mut out = [0; 4];
    fill_at::<R>(level, counter, key, &mut out);
    out
}

#[test]
fn the_published_answers_come_out_at_every_level() {
    for &level in Level::available() {
        for &[counter, key, out] in TEN_ROUNDS {
            assert_eq!(at_level::<10>(level, counter, key), out, "10 rounds, {level:?}");
        }
        for &[counter, key, out] in SEVEN_ROUNDS {
            assert_eq!(at_level::<7>(level, counter, key), out, "7 rounds, {level:?}");
        }
    }
}

#[test]
fn the_older_published_answers_for_seven_rounds_come_out_at_every_level() {
    let lines: Vec<_> = SEVEN_ROUNDS_PUBLISHED.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 10);
    for line in lines {
        let words: Vec<u32> = line
            .split(' ')
            .map(|word| u32::from_str_radix(word, 16).expect("the table is hexadecimal"))
            .collect();
        let part = |i: usize| -> Words { std::array::from_fn(|w| words[4 * i + w]) };
        for &level in Level::available() {
            assert_eq!(at_level::<7>(level, part(0), part(1)), part(2), "{level:?}: {line}");
        }
    }
}

#[test]
fn the_counter_carries_from_its_first_word_into_its_second_and_no_further() {
    let key = [1, 2, 3, 4];
    let mut out = [0; 8];
    fill::<7>([!0, 7, 5, 6], key, &mut out);
    assert_eq!(out[4..], block([0, 8, 5, 6], key));
    fill::<7>([!0, !0, 5, 6], key, &mut out);
    assert_eq!(out[4..], block([0, 0, 5, 6], key));
}

proptest! {
    #[test]
    fn every_level_fills_any_length_with_the_same_bits(
        counter: Words, key: Words, length in 0_usize..200,
    ) {
        let mut expected = vec![0; length];
        fill_at::<7>(Level::Portable, counter, key, &mut expected);
        for &level in Level::available() {
            let mut out = vec![0; length];
            fill_at::<7>(level, counter, key, &mut out);
            prop_assert_eq!(&out, &expected);
        }
        if length >= 4 {
            prop_assert_eq!(&expected[..4], &block(counter, key)[..]);
        }
    }
}
