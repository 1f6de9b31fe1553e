//! Pictures of one line.

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The course of `values` in at most `width` characters, from their least to their greatest; `×` marks a value
/// that is not finite.
pub(crate) fn sparkline(values: &[f64], width: usize) -> String {
    let columns = shrink(values, width);
    let finite = || columns.iter().copied().filter(|x| x.is_finite());
    let (low, high) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
    let level = |x: f64| match high > low {
        true => LEVELS[((x - low) / (high - low) * 7.0).round() as usize],
        false => LEVELS[3],
    };
    columns.iter().map(|&x| if x.is_finite() { level(x) } else { '×' }).collect()
}

/// Means over stretches of equal length.
fn shrink(values: &[f64], width: usize) -> Vec<f64> {
    if values.len() <= width {
        return values.to_vec();
    }
    let edge = |i: usize| i * values.len() / width;
    let stretches = (0..width).map(|i| &values[edge(i)..edge(i + 1)]);
    stretches.map(|stretch| stretch.iter().sum::<f64>() / stretch.len() as f64).collect()
}

/// How much of `total` is done, in `width` characters: the part done and the rest.
pub(crate) fn bar(done: u64, total: u64, width: usize) -> (String, String) {
    let halves =
        if total == 0 { 0 } else { (done.min(total) as u128 * 2 * width as u128 / total as u128) as usize };
    let mut full = "━".repeat(halves / 2);
    if halves % 2 == 1 {
        full.push('╸');
    }
    let rest = "─".repeat(width - halves.div_ceil(2));
    (full, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_spans_from_least_to_greatest() {
        assert_eq!(sparkline(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 8), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[-1.0, 1.0], 8), "▁█");
    }

    #[test]
    fn a_long_course_is_averaged_into_the_width() {
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        assert_eq!(sparkline(&values, 8), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&values, 3).chars().count(), 3);
    }

    #[test]
    fn odd_courses_are_still_drawn() {
        assert_eq!(sparkline(&[], 8), "");
        assert_eq!(sparkline(&[2.0, 2.0], 8), "▄▄");
        assert_eq!(sparkline(&[0.0, f64::NAN, 1.0], 8), "▁×█");
        assert_eq!(sparkline(&[f64::INFINITY], 8), "×");
    }

    #[test]
    fn a_bar_always_has_its_width() {
        for done in 0..=100 {
            let (full, rest) = bar(done, 100, 24);
            assert_eq!(full.chars().count() + rest.chars().count(), 24, "{done} %");
        }
        assert_eq!(bar(0, 10, 4), (String::new(), "────".into()));
        assert_eq!(bar(10, 10, 4), ("━━━━".into(), String::new()));
        assert_eq!(bar(3, 8, 4), ("━╸".into(), "──".into()));
        assert_eq!(bar(5, 0, 4).0, "");
        assert_eq!(bar(9, 8, 4).0, "━━━━");
    }
}
