//! What data and model are compared by.

use numerics::{stats, synaptic_sampling::imaging::Look};

/// Statistics of spines that were imaged on some days.
pub(super) struct Summary {
    /// Correlation of ln volume over the number of looks between, of spines seen at both.
    pub(super) acf: Vec<f64>,
    /// Share of the spines of a look that are seen at all later ones, over the number of looks between.
    pub(super) survival: Vec<f64>,
    /// Share of spines that come or go from one look to the next.
    pub(super) turnover: f64,
    /// Slope of the change of ln volume over ln volume, from one look to the next.
    pub(super) regression: f64,
    /// ln volumes that were seen.
    pub(super) log_volumes: Vec<f64>,
}

impl Summary {
    pub(super) fn of(spines: &[Vec<Look>]) -> Self {
        let longest = spines.iter().map(Vec::len).max().unwrap_or(0);
        let pairs = |lag: usize| -> (Vec<f64>, Vec<f64>) {
            let of_spine = move |spine: &Vec<Look>| -> Vec<(f64, f64)> {
                let later = spine.iter().skip(lag);
                spine.iter().zip(later).filter_map(|(a, b)| a.log_volume.zip(b.log_volume)).collect()
            };
            spines.iter().flat_map(of_spine).unzip()
        };
        let acf = (1..longest).map(|lag| correlation(&pairs(lag))).collect();
        let (before, after) = pairs(1);
        let changes: Vec<f64> = before.iter().zip(&after).map(|(a, b)| b - a).collect();
        let looks = spines.iter().flat_map(|spine| spine.windows(2));
        let (mut turned, mut held) = (0_u64, 0_u64);
        for pair in looks {
            match (pair[0].log_volume, pair[1].log_volume) {
                (Some(_), Some(_)) => held += 2,
                (None, None) => {}
                _ => turned += 1,
            }
        }
        Self {
            acf,
            survival: (0..longest).map(|lag| survival(spines, lag)).collect(),
            turnover: turned as f64 / (turned + held) as f64,
            regression: stats::Line::through(&before, &changes).slope,
            log_volumes: spines.iter().flatten().filter_map(|look| look.log_volume).collect(),
        }
    }
}

/// Share of spines seen at a look that are seen at each of the `lag` looks after it.
fn survival(spines: &[Vec<Look>], lag: usize) -> f64 {
    let (mut at_first, mut through) = (0_u64, 0_u64);
    for window in spines.iter().flat_map(|spine| spine.windows(lag + 1)) {
        if window[0].log_volume.is_some() {
            at_first += 1;
            through += u64::from(window.iter().all(|look| look.log_volume.is_some()));
        }
    }
    through as f64 / at_first as f64
}

fn correlation((x, y): &(Vec<f64>, Vec<f64>)) -> f64 {
    if x.len() < 3 {
        return f64::NAN;
    }
    let (mx, my) = (stats::mean(x), stats::mean(y));
    let products: Vec<f64> = x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).collect();
    stats::sum(&products) / ((x.len() as f64 - 1.0) * stats::sd(x) * stats::sd(y))
}
