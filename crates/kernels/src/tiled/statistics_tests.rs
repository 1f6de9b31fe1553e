use super::*;
use crate::Level;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn pairs_name_the_table_rows_of_every_unit_in_the_order_of_examples(
        units in 1_usize..150, examples in 0_usize..140, words in prop::collection::vec(any::<u64>(), 2 * 3 * 140),
    ) {
        let n = units.div_ceil(64);
        let (data, model) = (&words[..n * examples], &words[420..420 + n * examples]);
        let is_on = |words: &[u64], example: usize, unit: usize| words[example * n + unit / 64] >> (unit % 64) & 1 == 1;
        for &level in Level::available() {
            let mut pairs = Pairs::default();
            // What an earlier mini-batch left behind must not matter.
            pair(level, Bits { words: &words[..9], units: 9 }, Bits { words: &words[9..18], units: 9 }, &mut pairs);
            pair(level, Bits { words: data, units }, Bits { words: model, units }, &mut pairs);
            prop_assert_eq!((pairs.examples(), pairs.units()), (examples, units));
            for unit in 0..units {
                let sides = |e| (is_on(data, e, unit), is_on(model, e, unit));
                let row = |e| match sides(e) {
                    (true, false) => Some(e as u16),
                    (false, true) => Some((examples + e) as u16),
                    (true, true) => Some((2 * examples + e) as u16),
                    (false, false) => None,
                };
                let expected: Vec<u16> = (0..examples).filter_map(row).collect();
                prop_assert_eq!(pairs.rows(unit), &expected[..], "{:?}, unit {}", level, unit);
                let surplus: i32 = (0..examples).map(|e| i32::from(sides(e).0) - i32::from(sides(e).1)).sum();
                prop_assert_eq!(pairs.surplus()[unit], surplus, "{:?}, unit {}", level, unit);
            }
        }
    }
}
