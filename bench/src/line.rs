//! What is reported: one JSON object a line.

use serde::Serialize;

/// One figure. Fields that a figure of ours alone has no value for are null.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Line {
    /// GROUP/case.
    pub(crate) bench: String,
    /// Median of ours, in `unit`.
    pub(crate) ours: f64,
    /// Median of the peer, in `unit`.
    pub(crate) peer: Option<f64>,
    /// The peer.
    pub(crate) peer_name: Option<String>,
    /// Of `ours` and `peer`.
    pub(crate) unit: &'static str,
    /// Median ratio of the pairs; above 1 ours is better.
    pub(crate) ratio: Option<f64>,
    /// Least ratio.
    pub(crate) ratio_min: Option<f64>,
    /// Greatest ratio.
    pub(crate) ratio_max: Option<f64>,
    /// What `ratio` must be at least.
    pub(crate) floor: Option<f64>,
    /// Whether both sides did the same work: equal quality after equal updates.
    pub(crate) valid: bool,
}

impl Line {
    /// A figure without a peer.
    pub(crate) fn alone(bench: String, ours: f64, unit: &'static str, valid: bool) -> Self {
        let none = (None, None, None);
        let (ratio, ratio_min, ratio_max) = none;
        Self {
            bench,
            ours,
            peer: None,
            peer_name: None,
            unit,
            ratio,
            ratio_min,
            ratio_max,
            floor: None,
            valid,
        }
    }

    /// Valid, and not below its floor.
    pub(crate) fn passes(&self) -> bool {
        let reaches = |floor| self.ratio.is_some_and(|ratio| ratio >= floor);
        self.valid && self.floor.is_none_or(reaches)
    }

    /// For the table.
    pub(crate) fn row(&self) -> [String; 8] {
        let number = |value: Option<f64>| value.map_or_else(String::new, short);
        let ratio = match (self.ratio, self.ratio_min, self.ratio_max) {
            (Some(ratio), Some(least), Some(greatest)) => format!("{ratio:.2} [{least:.2}–{greatest:.2}]"),
            _ => String::new(),
        };
        let verdict = match (self.valid, self.passes()) {
            (false, _) => "invalid",
            (true, false) => "below its floor",
            (true, true) => "ok",
        };
        [
            self.bench.clone(),
            self.peer_name.clone().unwrap_or_default(),
            short(self.ours),
            number(self.peer),
            self.unit.to_owned(),
            ratio,
            number(self.floor),
            verdict.to_owned(),
        ]
    }
}

/// Three digits that matter.
fn short(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{value:.2e}"),
        value if value >= 100.0 => format!("{value:.0}"),
        value => format!("{value:.2}"),
    }
}

/// All figures so far; each is printed when it comes.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Line>);

impl Report {
    /// Prints a figure and keeps it for the table.
    pub(crate) fn push(&mut self, line: Line) {
        println!("{}", serde_json::to_string(&line).expect("a line is plain data"));
        self.0.push(line);
    }

    /// All figures, in the order they came.
    pub(crate) fn lines(&self) -> &[Line] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(ratio: f64, valid: bool) -> Line {
        Line {
            peer: Some(25.0),
            peer_name: Some("torch f32".into()),
            ratio: Some(ratio),
            ratio_min: Some(3.0),
            ratio_max: Some(5.0),
            floor: Some(3.5),
            ..Line::alone("rbm/784x500/sampled".into(), 100.0, "samples/CPU s", valid)
        }
    }

    #[test]
    fn a_line_is_json_with_exactly_the_promised_fields_in_order() {
        let json = serde_json::to_string(&compared(4.0, true)).expect("plain data");
        let expected = r#"{"bench":"rbm/784x500/sampled","ours":100.0,"peer":25.0,"peer_name":"torch f32","#
            .to_owned()
            + r#""unit":"samples/CPU s","ratio":4.0,"ratio_min":3.0,"ratio_max":5.0,"floor":3.5,"valid":true}"#;
        assert_eq!(json, expected);
    }

    #[test]
    fn a_line_without_a_peer_has_the_same_fields() {
        let json = serde_json::to_value(Line::alone("growth/x".into(), 1.0, "samples/CPU s", true))
            .expect("plain data");
        assert_eq!(json.as_object().expect("an object").len(), 10);
        assert!(json["peer"].is_null() && json["floor"].is_null());
    }

    #[test]
    fn a_ratio_below_its_floor_fails_and_one_at_it_passes() {
        assert!(compared(3.5, true).passes());
        assert!(!compared(3.4999, true).passes());
    }

    #[test]
    fn an_invalid_line_fails_however_fast() {
        assert!(!compared(100.0, false).passes());
    }
}
