//! From values to places: ranges, ticks and their labels.

/// An axis: what it shows and where.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    is_log: bool,
    /// Places in pixels of `low` and `high`.
    from: f64,
    to: f64,
}

impl Scale {
    /// Over these values with some room around them; `ends` instead of that if given. Places are `from` to `to`.
    pub(super) fn over(
        values: impl IntoIterator<Item = f64>,
        ends: Option<(f64, f64)>,
        is_log: bool,
        (from, to): (f64, f64),
    ) -> Self {
        let usable = values.into_iter().filter(|x| x.is_finite() && (!is_log || *x > 0.0));
        let (low, high) =
            usable.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let (low, high) = match ends {
            Some(ends) => ends,
            None if low > high => (if is_log { 0.1 } else { 0.0 }, 1.0),
            None if is_log => {
                (low / (high / low).max(1.5).powf(0.05), high * (high / low).max(1.5).powf(0.05))
            }
            None => {
                let room = if high > low { 0.05 * (high - low) } else { 0.1 * high.abs().max(0.1) };
                (low - room, high + room)
            }
        };
        Self { low, high, is_log, from, to }
    }

    /// The place of a value, kept inside the axis.
    pub(super) fn place(&self, value: f64) -> f64 {
        let part = match self.is_log {
            true => (value.max(f64::MIN_POSITIVE) / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        };
        self.from + part.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Round values inside the range, about `wanted` of them, with labels that tell them apart.
    pub(super) fn ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        if self.is_log && self.high / self.low >= 8.0 {
            return self.log_ticks();
        }
        let step = round_step((self.high - self.low) / wanted.max(1) as f64);
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        let digits = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        let large = self.low.abs().max(self.high.abs()) >= 1e5;
        let label = |x: f64| match (large, digits) {
            (true, _) => thousands(x),
            (false, digits) => format!("{x:.digits$}"),
        };
        (first..=last).map(|i| i as f64 * step).map(|x| (x, label(if x == 0.0 { 0.0 } else { x }))).collect()
    }

    fn log_ticks(&self) -> Vec<(f64, String)> {
        let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let parts: &[f64] = if self.high / self.low > 1e3 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let ticks = decades.flat_map(|decade| parts.iter().map(move |part| part * 10_f64.powi(decade)));
        ticks.filter(|x| (self.low..=self.high).contains(x)).map(|x| (x, plain(x))).collect()
    }
}

/// 1, 2 or 5 times a power of ten, at least `least`.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.max(f64::MIN_POSITIVE).log10().floor());
    let part = least / power;
    let round = [1.0, 2.0, 5.0].into_iter().find(|round| part <= round * (1.0 + 1e-9)).unwrap_or(10.0);
    round * power
}

fn thousands(x: f64) -> String {
    format!("{}k", plain(x / 1e3))
}

/// Without zeros at the end.
pub(super) fn plain(x: f64) -> String {
    if x != 0.0 && (x.abs() >= 1e6 || x.abs() < 1e-4) {
        return format!("{x:e}");
    }
    let text = format!("{x:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(low: f64, high: f64, places: (f64, f64)) -> Scale {
        Scale::over([], Some((low, high)), false, places)
    }

    fn labels(scale: &Scale, wanted: usize) -> Vec<String> {
        scale.ticks(wanted).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(labels(&exact(0.0, 1.0, (0.0, 1.0)), 5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&exact(-62.0, -59.0, (0.0, 1.0)), 3), ["-62", "-61", "-60", "-59"]);
        assert_eq!(labels(&exact(0.0, 200_000.0, (0.0, 1.0)), 2), ["0k", "100k", "200k"]);
        let log = Scale::over([], Some((0.01, 10.0)), true, (0.0, 1.0));
        assert_eq!(labels(&log, 5), ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10"]);
    }

    #[test]
    fn values_have_their_places_and_outliers_stay_inside() {
        let scale = exact(0.0, 2.0, (100.0, 0.0));
        assert_eq!([0.0, 1.0, 2.0, 9.0].map(|x| scale.place(x)), [100.0, 50.0, 0.0, 0.0]);
        let log = Scale::over([], Some((1.0, 100.0)), true, (0.0, 10.0));
        assert!((log.place(10.0) - 5.0).abs() < 1e-12);
        assert_eq!(log.place(0.0), 0.0);
    }

    #[test]
    fn no_values_and_a_single_one_still_have_a_range() {
        for values in [vec![], vec![0.0], vec![3.0], vec![f64::NAN]] {
            let scale = Scale::over(values, None, false, (0.0, 1.0));
            assert!(scale.high > scale.low && !scale.ticks(4).is_empty(), "{scale:?}");
        }
    }
}
