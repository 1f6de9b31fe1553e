//! Thinning a series of scalars to real rows: the first, the last, and of each bucket the least and the greatest.
//!
//! Values are compared in IEEE total order, so NaN and infinities have a place: a bucket that holds a NaN shows it.

use std::collections::{BTreeMap, BTreeSet};

/// A value's place in IEEE total order; [`value`] gives the same bits back. Databases store this.
pub(crate) fn key(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The value with that place in IEEE total order.
pub(crate) fn value(key: i64) -> f64 {
    f64::from_bits((key ^ (((key >> 63) as u64) >> 1) as i64) as u64)
}

/// Steps per bucket so that at most `points` of the rows from step `first` to step `last` remain; `None` when only
/// these two do.
pub(crate) fn bucket_width(first: u64, last: u64, points: u32) -> Option<u64> {
    let buckets = u64::from(points.saturating_sub(2) / 2);
    (buckets > 0).then(|| (last - first) / buckets + 1)
}

/// The rows (step, key) that remain of `rows`, which are sorted by step.
pub(crate) fn thin(rows: &[(u64, i64)], points: u32) -> BTreeSet<u64> {
    let (Some((first, _)), Some((last, _))) = (rows.first(), rows.last()) else { return BTreeSet::new() };
    let mut kept = BTreeSet::from([*first, *last]);
    let Some(width) = bucket_width(*first, *last, points) else { return kept };
    let mut buckets = BTreeMap::<u64, [(i64, u64); 2]>::new();
    for (step, key) in rows {
        let row = (*key, *step);
        let [least, greatest] = buckets.entry((step - first) / width).or_insert([row, row]);
        if row.0 < least.0 {
            *least = row;
        }
        if row.0 > greatest.0 {
            *greatest = row;
        }
    }
    kept.extend(buckets.values().flatten().map(|(_, step)| *step));
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_order_every_kind_of_number() {
        let ordered =
            [-f64::NAN, f64::NEG_INFINITY, -1e300, -1.0, -0.0, 0.0, 5e-324, 1.0, f64::INFINITY, f64::NAN];
        assert!(ordered.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
    }

    proptest! {
        #[test]
        fn keys_give_the_same_bits_back(bits: u64) {
            prop_assert_eq!(value(key(f64::from_bits(bits))).to_bits(), bits);
        }

        #[test]
        fn thinned_rows_are_few_and_keep_the_extremes(
            values in proptest::collection::vec(any::<i64>(), 1..300),
            stride in 1_u64..1000,
            points in 2_u32..50,
        ) {
            let rows: Vec<_> = values.iter().enumerate().map(|(at, key)| (at as u64 * stride, *key)).collect();
            let kept = thin(&rows, points);
            prop_assert!(kept.len() <= points as usize);
            prop_assert!(kept.contains(&0) && kept.contains(&rows[rows.len() - 1].0));
            if points >= 4 {
                let key_at = |step: &u64| values[(step / stride) as usize];
                prop_assert_eq!(kept.iter().map(key_at).max(), values.iter().copied().max());
                prop_assert_eq!(kept.iter().map(key_at).min(), values.iter().copied().min());
            }
        }
    }
}
