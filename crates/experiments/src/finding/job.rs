//! The jobs behind findings and figures.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::Finding;
use crate::ParamError;

/// A job but for its seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FindingJob {
    /// Experiment.
    pub experiment: String,
    /// Preset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Params that differ from it.
    pub params: Map<String, Json>,
    /// Data set; the built-in one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
}

/// How a job differs from another: fields that are given replace those of the other, params one by one. With another
/// experiment only the data set is taken over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Overlay {
    /// Experiment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<String>,
    /// Preset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// Params.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub params: Map<String, Json>,
    /// Data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
}

impl FindingJob {
    /// The job of a finding of `experiment`, before its scan.
    pub(super) fn of(experiment: &str, finding: &Finding) -> Self {
        Self {
            experiment: finding.experiment.clone().unwrap_or_else(|| experiment.to_owned()),
            preset: finding.preset.clone(),
            params: finding.params.clone(),
            dataset: finding.dataset.clone(),
        }
    }

    /// This job with what differs.
    pub(crate) fn with(&self, overlay: &Overlay) -> Self {
        let fresh = Self { preset: None, params: Map::new(), ..self.clone() };
        let mut job = if overlay.experiment.is_some() { fresh } else { self.clone() };
        if let Some(experiment) = &overlay.experiment {
            job.experiment.clone_from(experiment);
        }
        job.preset = overlay.preset.clone().or(job.preset);
        job.dataset = overlay.dataset.clone().or(job.dataset);
        job.params.extend(overlay.params.clone());
        job
    }

    /// What makes two jobs the same however they are written: the params that run.
    ///
    /// # Errors
    /// If there is no such experiment or it refuses the params; every breach in one text.
    pub fn identity(&self) -> Result<String, String> {
        let kind = crate::find(&self.experiment);
        let kind = kind.ok_or_else(|| format!("experiment `{}` is not in the catalogue", self.experiment))?;
        let text = |errors: Vec<ParamError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>();
        let params =
            kind.resolve(self.preset.as_deref(), &self.params).map_err(|errors| text(errors).join("; "))?;
        Ok(format!("{} {} {}", self.experiment, self.dataset.as_deref().unwrap_or("-"), params.as_str()))
    }

    /// The value of a param that is a number.
    ///
    /// # Errors
    /// As [`FindingJob::identity`], or if the param is no number.
    pub(super) fn param(&self, name: &str) -> Result<f64, String> {
        let identity = self.identity()?;
        let params = identity.splitn(3, ' ').nth(2).unwrap_or_default();
        let params: Json = serde_json::from_str(params).map_err(|error| error.to_string())?;
        params[name].as_f64().ok_or_else(|| format!("param `{name}` of {} is no number", self.experiment))
    }

    /// In words, such as `rbse mnist model B`.
    pub fn label(&self) -> String {
        let params = self.params.iter().map(|(name, value)| format!(" {name} {}", plain(value)));
        let preset = self.preset.iter().map(|preset| format!(" {preset}"));
        [self.experiment.clone()].into_iter().chain(preset).chain(params).collect()
    }
}

impl Overlay {
    /// In words, such as `release_rule frozen`.
    pub fn label(&self) -> String {
        let words =
            [&self.experiment, &self.preset, &self.dataset, &self.metric].into_iter().flatten().cloned();
        let params = self.params.iter().map(|(name, value)| format!("{name} {}", plain(value)));
        words.chain(params).collect::<Vec<_>>().join(" ")
    }
}

/// A value without the quotes of JSON.
fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Every combination of the values of a scan, the last name fastest; one empty combination without a scan.
pub(crate) fn combinations(scan: &Map<String, Json>) -> Vec<Map<String, Json>> {
    let mut all = vec![Map::new()];
    for (name, values) in scan {
        let values = values.as_array().cloned().unwrap_or_default();
        let each = |point: Map<String, Json>| {
            let with = |value: &Json| {
                let mut point = point.clone();
                point.insert(name.clone(), value.clone());
                point
            };
            values.iter().map(with).collect::<Vec<_>>()
        };
        all = all.into_iter().flat_map(each).collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Json) -> Map<String, Json> {
        value.as_object().expect("an object").clone()
    }

    fn job(params: Json) -> FindingJob {
        FindingJob {
            experiment: "rbse".into(),
            preset: Some("mnist".into()),
            params: map(params),
            dataset: None,
        }
    }

    #[test]
    fn an_overlay_replaces_params_one_by_one_and_starts_afresh_with_another_experiment() {
        let base = FindingJob { dataset: Some("d".into()), ..job(json!({"r": 10, "p0": 0.5})) };
        let other = base.with(&Overlay { params: map(json!({"r": 16})), ..Overlay::default() });
        assert_eq!(other.label(), "rbse mnist p0 0.5 r 16");
        let control = base.with(&Overlay { experiment: Some("rbm".into()), ..Overlay::default() });
        assert_eq!((control.label().as_str(), control.dataset.as_deref()), ("rbm", Some("d")));
    }

    #[test]
    fn jobs_are_the_same_if_the_params_that_run_are() {
        let same = [json!({}), json!({"hidden_units": 200}), json!({"hidden_units": 200.0})];
        let [a, b, ..] = same.map(|params| job(params).identity());
        assert_eq!(a.expect("the preset is valid"), b.expect("200 is the preset's value"));
        assert_ne!(job(json!({})).identity(), job(json!({"r": 3})).identity());
        assert!(job(json!({"r": -1})).identity().expect_err("r is refused").contains("`r`"));
        assert_eq!(job(json!({"r": 3})).param("r"), Ok(3.0));
        assert!(job(json!({})).param("model").is_err());
    }

    #[test]
    fn a_scan_is_every_combination_in_order() {
        let points = combinations(&map(json!({"a": [1, 2], "b": ["x", "y"]})));
        let text: Vec<String> = points.iter().map(|point| Json::Object(point.clone()).to_string()).collect();
        assert_eq!(
            text,
            [r#"{"a":1,"b":"x"}"#, r#"{"a":1,"b":"y"}"#, r#"{"a":2,"b":"x"}"#, r#"{"a":2,"b":"y"}"#]
        );
        assert_eq!(combinations(&Map::new()).len(), 1);
    }
}
