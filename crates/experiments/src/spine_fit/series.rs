//! Spines as series of looks.

use numerics::{
    Draws, Stream,
    synaptic_sampling::imaging::{ImagingModel, Look},
};

use super::params::Params;
use crate::{DataError, Table};

/// Looks at spines that were seen once at least.
pub(super) struct Series {
    /// Spines, each with its looks in order of their days.
    pub(super) spines: Vec<Vec<Look>>,
    /// All days of imaging.
    pub(super) days: Vec<f64>,
}

impl Series {
    /// From a table.
    ///
    /// # Errors
    /// If the table breaks its own rules, or hardly a spine was seen.
    pub(super) fn from_table(table: &Table) -> Result<Self, DataError> {
        table.check()?;
        let column = |name: &str| table.column(name).expect("the table has been checked");
        let (ids, days, volumes) = (column("spine_id"), column("day"), column("volume"));
        let present =
            table.column("present").unwrap_or_else(|| volumes.iter().map(|v| f64::from(*v > 0.0)).collect());
        let mut spines: Vec<Vec<Look>> = Vec::new();
        for (((id, day), volume), present) in ids.iter().zip(&days).zip(&volumes).zip(&present) {
            if *id as usize == spines.len() {
                spines.push(Vec::new());
            }
            let log_volume = (*present == 1.0).then(|| libm::log(*volume));
            spines[*id as usize].push(Look { day: *day, log_volume });
        }
        spines.retain(|spine| spine.iter().any(|look| look.log_volume.is_some()));
        if spines.len() < 2 {
            return Err(DataError("fewer than two spines were ever seen".into()));
        }
        let mut all = days;
        all.sort_unstable_by(f64::total_cmp);
        all.dedup();
        Ok(Self { spines, days: all })
    }

    /// From the model of the settings.
    pub(super) fn simulated(params: &Params, draws: Draws) -> Self {
        let days: Vec<f64> = (0..params.imaging_days).map(|k| f64::from(k) * params.interval_days).collect();
        let spines = simulate(&params.truth(), &days, params.count as usize, draws, Stream::SynapseData);
        Self { spines, days }
    }
}

/// Spines of a model at these days, the first `count` that are seen once at least.
pub(super) fn simulate(
    model: &ImagingModel,
    days: &[f64],
    count: usize,
    draws: Draws,
    stream: Stream,
) -> Vec<Vec<Look>> {
    let per_look = model.components.len() + 1;
    let mut z = vec![0.0; days.len() * per_look];
    let mut spines = Vec::with_capacity(count);
    // At least one in a thousand is seen: the settings are checked for that.
    for k in 0..5000 * count as u64 {
        if spines.len() == count {
            break;
        }
        draws.fill_normal(stream, k * z.len() as u64, &mut z);
        let looks = one(model, days, &z);
        if looks.iter().any(|look| look.log_volume.is_some()) {
            spines.push(looks);
        }
    }
    spines
}

/// One spine from normal numbers.
fn one(model: &ImagingModel, days: &[f64], z: &[f64]) -> Vec<Look> {
    let per_look = model.components.len() + 1;
    let mut x = vec![0.0; model.components.len()];
    let mut before = f64::NEG_INFINITY;
    let looks = days.iter().zip(z.chunks_exact(per_look)).map(|(&day, z)| {
        for ((x, component), z) in x.iter_mut().zip(&model.components).zip(z) {
            let keep = libm::exp(-(day - before) / component.tau_days);
            *x = keep * *x + component.sigma * (1.0 - keep * keep).sqrt() * z;
        }
        before = day;
        let measured = x.iter().fold(model.mu, |sum, x| sum + x) + model.noise * z[per_look - 1];
        Look { day, log_volume: (measured > model.threshold).then_some(measured) }
    });
    looks.collect()
}
