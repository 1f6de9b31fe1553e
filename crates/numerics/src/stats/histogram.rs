//! Counts between fixed edges.

/// How many numbers lie in each bin `edges[k] ≤ x < edges[k + 1]`; the last bin has its upper edge.
///
/// Numbers outside and NaN are not counted.
///
/// # Panics
/// If there are fewer than two edges or they do not rise.
pub fn histogram(xs: impl IntoIterator<Item = f64>, edges: &[f64]) -> Vec<u64> {
    assert!(edges.len() >= 2, "a histogram has at least two edges");
    assert!(edges.is_sorted_by(|a, b| a < b), "the edges of a histogram rise");
    let bins = edges.len() - 1;
    let mut counts = vec![0; bins];
    for x in xs {
        if edges[0] <= x && x <= edges[bins] {
            let above = edges.partition_point(|edge| *edge <= x);
            counts[(above - 1).min(bins - 1)] += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_on_an_edge_belongs_to_the_bin_above_it_and_the_last_edge_to_the_last_bin() {
        let xs = [0.0, 0.5, 1.0, 1.5, 2.0, -0.1, 2.1, f64::NAN, f64::INFINITY];
        assert_eq!(histogram(xs, &[0.0, 1.0, 2.0]), [2, 3]);
    }

    #[test]
    #[should_panic(expected = "the edges of a histogram rise")]
    fn edges_that_do_not_rise_are_refused() {
        histogram([0.0], &[0.0, 0.0]);
    }
}
