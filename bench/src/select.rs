//! `ONLY` and `SKIP`.

use anyhow::bail;

use crate::case::{CASES, Case, Opponent, Program};

/// Groups beside those of the cases.
const OTHERS: [&str; 7] = ["growth", "kernels", "anchors", "wta", "synaptic", "service", "scaling"];

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Selection {
    only: Vec<String>,
    skip: Vec<String>,
}

impl Selection {
    /// # Errors
    /// If a name is not known.
    pub(crate) fn new(only: &[String], skip: &[String]) -> anyhow::Result<Self> {
        let clean = |list: &[String]| -> Vec<String> {
            list.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
        };
        let selection = Self { only: clean(only), skip: clean(skip) };
        for name in &selection.only {
            let group = name.split('/').next().unwrap_or_default();
            let is_known = OTHERS.contains(&group) || CASES.iter().any(|case| begins(&case.name(), name));
            if !is_known {
                bail!(
                    "`only` is {name:?}; it must be rbm, rbse, wta, synaptic, service, growth, kernels, anchors, scaling or the beginning of a case"
                );
            }
        }
        for name in &selection.skip {
            let known: Vec<&str> = Program::ALL.map(Program::name).into_iter().chain(["mlflow"]).collect();
            if !known.contains(&name.as_str()) {
                bail!("`skip` is {name:?}; it must be one of {known:?}");
            }
        }
        Ok(selection)
    }

    /// Whether a case or figure was asked for.
    pub(crate) fn wants(&self, bench: &str) -> bool {
        self.only.iter().any(|name| begins(bench, name))
    }

    /// The cases asked for.
    pub(crate) fn cases(&self) -> impl Iterator<Item = &'static Case> {
        CASES.iter().filter(|case| self.wants(&case.name()))
    }

    /// Their peers, without those left out.
    pub(crate) fn opponents(&self, case: &'static Case) -> impl Iterator<Item = &'static Opponent> {
        case.opponents.iter().filter(|opponent| !self.skip.iter().any(|name| name == opponent.program.name()))
    }

    pub(crate) fn wants_anchors(&self) -> bool {
        self.only.iter().any(|name| begins(name, "anchors"))
    }

    pub(crate) fn wants_growth(&self) -> bool {
        self.only.iter().any(|name| begins(name, "growth"))
    }

    pub(crate) fn wants_scaling(&self) -> bool {
        self.only.iter().any(|name| begins(name, "scaling"))
    }

    pub(crate) fn wants_kernels(&self) -> bool {
        self.only.iter().any(|name| begins(name, "kernels"))
    }

    pub(crate) fn wants_wta(&self) -> bool {
        self.only.iter().any(|name| name == "wta" || name.starts_with("wta/"))
    }

    /// Whether a peer is left out.
    pub(crate) fn skips(&self, program: &str) -> bool {
        self.skip.iter().any(|name| name == program)
    }

    pub(crate) fn wants_training(&self) -> bool {
        self.wants_growth() || self.wants_kernels() || self.cases().next().is_some()
    }
}

/// Whether `name` is `beginning`, or goes on after it with a new part.
fn begins(name: &str, beginning: &str) -> bool {
    name.strip_prefix(beginning).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(only: &str, skip: &str) -> anyhow::Result<Selection> {
        let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
        Selection::new(&list(only), &list(skip))
    }

    #[test]
    fn a_group_a_size_or_one_case_can_be_asked_for() {
        let count = |only| select(only, "").expect("it is known").cases().count();
        assert_eq!((count("rbm,rbse"), count("rbse"), count("rbse/784x500")), (CASES.len(), 8, 4));
        assert_eq!((count("rbm/784x256/sampled"), count("growth")), (1, 0));
    }

    #[test]
    fn unknown_names_are_refused() {
        assert!(select("rbx", "").is_err());
        assert!(select("rb", "").is_err());
        assert!(select("rbm", "pytorch").is_err());
    }

    #[test]
    fn a_peer_is_left_out_only_by_name() {
        let selection = select("rbm/784x500/probabilities", "rbms").expect("they are known");
        let case = selection.cases().next().expect("one was asked for");
        let names: Vec<&str> = selection.opponents(case).map(|opponent| opponent.name).collect();
        assert_eq!(names, ["torch f32", "torch bf16", "scikit-learn", "scikit-learn f64"]);
    }
}
