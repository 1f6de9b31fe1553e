#![doc = include_str!("README.md")]

mod params;
mod series;
mod summary;

use numerics::{
    Draws, Stream, stats,
    synaptic_sampling::{
        Simplex,
        imaging::{Component, ImagingModel},
    },
};
use serde::{Deserialize, Serialize};

use crate::{
    Cadence::{Every, Final},
    Data, DataError, DataNeed, DataShape, Experiment, MetricSpec, Metrics, ParamError, Plan,
    ValueKind::{Histogram, Scalar, Vector},
    metric::spec,
    sampling::{scalar_if_finite, singles},
};
use series::{Series, simulate};
use summary::Summary;

pub use params::{Absence, Params, Spines};

/// Spines of the fitted model, for the figures.
const MODEL_SPINES: usize = 5000;

static METRICS: [MetricSpec; 21] = [
    spec(
        "log_likelihood",
        "nats",
        Scalar,
        Every,
        "log-likelihood of a spine's looks, given that it is seen once",
    ),
    spec("mu", "1", Scalar, Every, "fitted mean of ln volume, that of retracted spines included"),
    spec("sigma", "1", Scalar, Every, "fitted standard deviation of ln volume, of all components"),
    spec("tau_days", "days", Scalar, Every, "fitted relaxation time, the longest"),
    spec(
        "fast_share",
        "1",
        Scalar,
        Every,
        "share of the fast component in the variance; with two components",
    ),
    spec("fast_tau_days", "days", Scalar, Every, "its relaxation time"),
    spec("noise", "1", Scalar, Every, "fitted error of a measured ln volume"),
    spec("mu_error", "1", Scalar, Final, "fitted μ less the true one; simulated spines"),
    spec("sigma_error", "1", Scalar, Final, "ln of the fitted σ over the true one; simulated spines"),
    spec("tau_error", "1", Scalar, Final, "ln of the fitted τ over the true one; simulated spines"),
    spec("lags_days", "days", Vector, Final, "mean time between looks, for the correlation"),
    spec("acf_data", "1", Vector, Final, "correlation of ln volume, spines seen at both looks"),
    spec("acf_model", "1", Vector, Final, "the same of the fitted model at the same days"),
    spec("survival_days", "days", Vector, Final, "mean time between looks, for survival"),
    spec("survival_data", "1", Vector, Final, "share of spines that are seen at all looks up to then"),
    spec("survival_model", "1", Vector, Final, "the same of the fitted model at the same days"),
    spec(
        "regression_data",
        "1",
        Scalar,
        Final,
        "slope of the change of ln volume over ln volume, look to look",
    ),
    spec("regression_model", "1", Scalar, Final, "the same of the fitted model at the same days"),
    spec("turnover_data", "1", Scalar, Final, "share of spines that come or go from look to look"),
    spec("turnover_model", "1", Scalar, Final, "the same of the fitted model at the same days"),
    spec("log_volumes", "1", Histogram, Final, "ln volumes that were seen"),
];

/// Spines, and a model that is fitted to them.
pub struct SpineFit {
    params: Params,
    series: Series,
}

/// Everything that changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    simplex: Simplex,
}

impl Experiment for SpineFit {
    const NAME: &'static str = "spine-fit";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str =
        "Time constants of imaged spines by maximum likelihood, through imaging days and threshold";
    const README: &'static str = include_str!("README.md");
    const FINDINGS: &'static str = include_str!("findings.toml");
    const FIGURES: &'static str = include_str!("figures.toml");
    const METRICS: &'static [MetricSpec] = &METRICS;
    const PRESETS: &'static [(&'static str, &'static str)] = &[];

    type Params = Params;
    type State = State;
    type Scratch = ();

    fn data(params: &Params) -> DataNeed {
        match params.spines {
            Spines::Simulated => DataNeed::None,
            Spines::Table => DataNeed::Table,
        }
    }

    fn check(params: &Params) -> Result<(), ParamError> {
        params.check()
    }

    fn plan(params: &Params, data: &DataShape) -> Result<Plan, ParamError> {
        let rows = match data {
            DataShape::Table { rows, .. } => u64::from(*rows),
            _ => u64::from(params.count) * u64::from(params.imaging_days),
        };
        Ok(Plan { steps: u64::from(params.iterations), memory_bytes: (64 << 20) + 128 * rows })
    }

    fn new(params: Params, data: Data, seed: u64) -> Result<Self, DataError> {
        let mut series = match (params.spines, &data) {
            (Spines::Table, Data::Table(table)) => Series::from_table(table)?,
            (Spines::Table, _) => return Err(DataError("a table is needed".into())),
            (Spines::Simulated, _) => Series::simulated(&params, Draws::at(seed, 0)),
        };
        if params.absence == Absence::Ignored {
            series.spines.iter_mut().for_each(|spine| spine.retain(|look| look.log_volume.is_some()));
        }
        Ok(Self { params, series })
    }

    fn init(&self, draws: Draws) -> State {
        let seen = Summary::of(&self.series.spines).log_volumes;
        let span = self.series.days[self.series.days.len() - 1] - self.series.days[0];
        let sd = stats::sd(&seen).max(0.05);
        // μ, ln noise, then ln σ and ln τ of each component; the start differs a little from seed to seed.
        let mut jitter = [0.0; 6];
        draws.fill_normal(Stream::SynapseInit, 0, &mut jitter);
        let mut start = vec![stats::mean(&seen), libm::log(0.3 * sd)];
        for k in 0..self.params.components {
            start.push(libm::log(sd));
            start.push(libm::log(span.max(1e-3) / if k == 0 { 2.0 } else { 20.0 }));
        }
        start.iter_mut().zip(jitter).for_each(|(x, z)| *x += 0.1 * z);
        State { simplex: Simplex::new(|x| self.cost(x), &start, 0.5) }
    }

    fn step(&self, state: &mut State, (): &mut (), _: Draws) {
        state.simplex.step(|x| self.cost(x));
    }

    fn observe(&self, state: &State, draws: Draws, out: &mut Metrics) {
        let (x, cost) = state.simplex.best();
        let model = self.model(x);
        let variance = |component: &Component| component.sigma * component.sigma;
        let sigma = model.components.iter().fold(0.0, |sum, c| sum + variance(c)).sqrt();
        let slow = model.components.iter().fold(0.0, |most: f64, c| most.max(c.tau_days));
        out.scalar("log_likelihood", -cost);
        out.scalar("mu", model.mu);
        out.scalar("sigma", sigma);
        out.scalar("tau_days", slow);
        if let Some(fast) = model.components.iter().find(|c| c.tau_days < slow) {
            out.scalar("fast_share", variance(fast) / (sigma * sigma));
            out.scalar("fast_tau_days", fast.tau_days);
        }
        out.scalar("noise", model.noise);
        if !out.is_last() {
            return;
        }
        if self.params.spines == Spines::Simulated {
            out.scalar("mu_error", model.mu - self.params.true_mu);
            out.scalar("sigma_error", libm::log(sigma / self.params.true_sigma));
            out.scalar("tau_error", libm::log(slow / self.params.true_tau_days));
        }
        self.compare(&model, draws, out);
    }
}

impl SpineFit {
    /// From the corner of a simplex.
    fn model(&self, x: &[f64]) -> ImagingModel {
        let positive = |log: f64| libm::exp(log.clamp(-12.0, 12.0));
        let component = |pair: &[f64]| Component { sigma: positive(pair[0]), tau_days: positive(pair[1]) };
        ImagingModel {
            mu: x[0],
            noise: positive(x[1]),
            components: x[2..].chunks_exact(2).map(component).collect(),
            threshold: self.params.log_threshold,
        }
    }

    /// Minus the log-likelihood of a spine.
    fn cost(&self, x: &[f64]) -> f64 {
        let model = self.model(x);
        let logs: Vec<f64> = self.series.spines.iter().map(|looks| model.log_likelihood(looks)).collect();
        let seen = match self.params.absence {
            Absence::Censored => model.log_seen_once(&self.series.days),
            Absence::Ignored => 0.0,
        };
        let cost = seen - stats::mean(&logs);
        if cost.is_finite() { cost } else { f64::MAX }
    }

    /// Data and model, both through the same days and threshold.
    fn compare(&self, model: &ImagingModel, draws: Draws, out: &mut Metrics) {
        let spines = simulate(model, &self.series.days, MODEL_SPINES, draws, Stream::ObserveReference);
        let (data, fitted) = (Summary::of(&self.series.spines), Summary::of(&spines));
        let span = self.series.days[self.series.days.len() - 1] - self.series.days[0];
        let apart = span / (self.series.days.len() - 1).max(1) as f64;
        let known = |of: &[f64], other: &[f64]| -> Vec<usize> {
            (0..of.len().min(other.len())).filter(|&i| of[i].is_finite() && other[i].is_finite()).collect()
        };
        let lags = known(&data.acf, &fitted.acf);
        out.vector("lags_days", &singles(lags.iter().map(|&i| (i + 1) as f64 * apart)));
        out.vector("acf_data", &singles(lags.iter().map(|&i| data.acf[i])));
        out.vector("acf_model", &singles(lags.iter().map(|&i| fitted.acf[i])));
        let looks = known(&data.survival, &fitted.survival);
        out.vector("survival_days", &singles(looks.iter().map(|&i| i as f64 * apart)));
        out.vector("survival_data", &singles(looks.iter().map(|&i| data.survival[i])));
        out.vector("survival_model", &singles(looks.iter().map(|&i| fitted.survival[i])));
        scalar_if_finite(out, "regression_data", data.regression);
        scalar_if_finite(out, "regression_model", fitted.regression);
        scalar_if_finite(out, "turnover_data", data.turnover);
        scalar_if_finite(out, "turnover_model", fitted.turnover);
        let low = stats::quantile(&data.log_volumes, 0.0) - 0.1;
        let width = (stats::quantile(&data.log_volumes, 1.0) + 0.1 - low) / 40.0;
        let edges: Vec<f64> = (0..=40).map(|i| low + f64::from(i) * width).collect();
        out.histogram("log_volumes", &edges, &stats::histogram(data.log_volumes.iter().copied(), &edges));
    }
}
