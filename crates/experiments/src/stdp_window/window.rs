//! The change of one synapse over the time between two spikes.

use super::Params;

/// Steps of the clock in a millisecond.
const CLOCK: i32 = 10;

/// What isolated pairs do.
pub(super) struct Window {
    /// Postsynaptic minus presynaptic time.
    pub(super) lags_ms: Vec<f64>,
    /// Δθ of each pair.
    pub(super) change: Vec<f64>,
    /// Greatest distance of Δθ from the closed form, over the greatest |Δθ|.
    pub(super) error: f64,
    /// Greatest |Δθ| of a retracted synapse.
    pub(super) silent_change: f64,
    longest: i32,
}

impl Window {
    /// Plays every pair, from the longest lag with the postsynaptic spike first.
    pub(super) fn measure(params: &Params) -> Self {
        let theta = params.theta_0 + libm::log(params.weight);
        let longest = params.lag_max_ms.cast_signed();
        let lags: Vec<i32> = (-longest..=longest).collect();
        let change: Vec<f64> = lags.iter().map(|&lag| play(params, theta, lag)).collect();
        let closed = |lag: i32| {
            let x = params.epsp().at(f64::from(lag));
            let depression = (libm::exp(params.weight - params.alpha_offset)).min(params.depression_cap);
            params.b_per_s * params.data_points * params.weight * (x - depression)
        };
        let largest =
            |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, |most: f64, x| most.max(x.abs()));
        let distance = largest(&mut lags.iter().zip(&change).map(|(&lag, change)| change - closed(lag)));
        let error = distance / largest(&mut change.iter().copied());
        let silent = [-0.5, -2.0].into_iter().flat_map(|theta| lags.iter().map(move |&lag| (theta, lag)));
        let silent_change = largest(&mut silent.map(|(theta, lag)| play(params, theta, lag)));
        let lags_ms = lags.into_iter().map(f64::from).collect();
        Self { lags_ms, change, error, silent_change, longest }
    }

    /// Δθ at a lag.
    pub(super) fn at(&self, lag_ms: i32) -> f64 {
        self.change[(lag_ms + self.longest).unsigned_abs() as usize]
    }

    /// Lag and size of the greatest change.
    pub(super) fn peak(&self) -> (f64, f64) {
        let pairs = self.lags_ms.iter().zip(&self.change);
        let (lag, change) =
            pairs.fold(
                (0.0, f64::NEG_INFINITY),
                |best: (f64, f64), (lag, change)| {
                    if *change > best.1 { (*lag, *change) } else { best }
                },
            );
        (lag, change)
    }

    /// Lags at which Δθ > 0.
    pub(super) fn potentiating(&self) -> Vec<f64> {
        let pairs = self.lags_ms.iter().zip(&self.change);
        pairs.filter(|(_, change)| **change > 0.0).map(|(lag, _)| *lag).collect()
    }

    /// How much Δθ varies where the postsynaptic spike comes first, over its size.
    pub(super) fn depression_spread(&self) -> f64 {
        let before = &self.change[..self.longest.unsigned_abs() as usize];
        let ends = before
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
        (ends.1 - ends.0) / ends.0.abs()
    }
}

/// Δθ of a synapse with this θ over a presynaptic spike at 0 and a postsynaptic one `lag_ms` later, on a clock of 0.1 ms:
/// two traces that decay at every tick and grow at a presynaptic spike.
fn play(params: &Params, theta: f64, lag_ms: i32) -> f64 {
    let tick = |tau: f64| libm::exp(-1.0 / (f64::from(CLOCK) * tau));
    let (fall, rise) = (tick(params.tau_fall_ms), tick(params.tau_rise_ms));
    let (mut slow, mut fast, mut now) = (0.0, 0.0, theta);
    for time in lag_ms.min(0) * CLOCK..=lag_ms.max(0) * CLOCK {
        (slow, fast) = (slow * fall, fast * rise);
        if time == lag_ms * CLOCK {
            now += params.rule().kick(now, slow - fast);
        }
        if time == 0 {
            (slow, fast) = (slow + 1.0, fast + 1.0);
        }
    }
    now - theta
}
