//! Which network a run is about, and what can be checked of params once its variables are known.

use std::borrow::Cow;

use numerics::{
    Draws,
    bayes::{self, Network, module::NEURONS},
};

use super::params::{Mode, Params, Query, Source};
use crate::{Data, DataError, DataShape, ParamError, data::VariableShape};

/// The network of a run; `seed` decides one that is drawn.
///
/// # Errors
/// If data that is needed is missing, or a variable cannot be summed out.
pub(super) fn network(params: &Params, data: &Data, seed: u64) -> Result<Network, DataError> {
    let whole = match params.network {
        Source::Dataset => match data {
            Data::BayesNet(network) => Network::clone(network),
            _ => return Err(DataError("it is no Bayesian network".into())),
        },
        _ => builtin(params, seed),
    };
    if params.sum_out.is_empty() { Ok(whole) } else { whole.without(&params.sum_out).map_err(DataError) }
}

fn builtin(params: &Params, seed: u64) -> Network {
    match params.network {
        Source::KnillKersten | Source::Dataset => bayes::knill_kersten(),
        Source::Asia => bayes::asia(),
        Source::Cancer => bayes::cancer(),
        Source::Earthquake => bayes::earthquake(),
        Source::Survey => bayes::survey(),
        Source::Sachs => bayes::sachs(),
        Source::RandomJoint => {
            bayes::random_joint(Draws::at(seed, 0), params.joint_variables as usize, params.joint_alpha)
        }
        Source::RandomTable => {
            bayes::random_table(Draws::at(seed, 0), params.joint_variables as usize, params.parity_noise)
        }
        Source::Ising => bayes::ising(params.ising_beta),
        Source::Parity => bayes::parity(params.parity_noise),
        Source::ThreeValued => bayes::three_valued(),
    }
}

/// Names, values and blankets: what is known of a network before its tables are.
pub(super) struct Outline<'a> {
    variables: Cow<'a, [VariableShape]>,
}

impl<'a> Outline<'a> {
    /// # Errors
    /// If the data is no network where one is needed, or the variable to be summed out is not there.
    pub(super) fn new(params: &Params, shape: &'a DataShape) -> Result<Self, ParamError> {
        match (params.network, shape) {
            (Source::Dataset, DataShape::BayesNet { variables }) => {
                Ok(Self { variables: Cow::Borrowed(variables) })
            }
            (Source::Dataset, _) => {
                let rule = "it must come with a data set that is a Bayesian network";
                Err(ParamError::new("network", params.network, rule))
            }
            _ => {
                // Whatever the seed, a drawn network has the same variables.
                let network = network(params, &Data::None, 0)
                    .map_err(|DataError(rule)| ParamError::new("sum_out", &params.sum_out, rule))?;
                Ok(Self { variables: Cow::Owned(VariableShape::of(&network)) })
            }
        }
    }

    /// Holds modules and queries against the variables.
    ///
    /// # Errors
    /// Field, value and rule.
    pub(super) fn check(&self, params: &Params) -> Result<(), ParamError> {
        for (at, name) in params.modules.iter().enumerate() {
            self.find("modules", name)?;
            if params.modules[..at].contains(name) {
                return Err(ParamError::new("modules", name, "each variable must come once"));
            }
        }
        params.queries.iter().try_for_each(|query| self.query(query).map(|_| ()))?;
        for at in 0..self.variables.len() {
            let (neurons, _) = self.size(params, at);
            if neurons > NEURONS {
                let rule = format!(
                    "it must leave each module at most {NEURONS} hidden neurons; that of `{}` has {neurons}",
                    self.variables[at].name
                );
                return Err(ParamError::new("hidden", params.hidden, rule));
            }
        }
        Ok(())
    }

    /// Memory of a run in bytes, roughly: weights, held-out states, joints and what chains have read.
    pub(super) fn memory_bytes(&self, params: &Params) -> u64 {
        let weights = (0..self.variables.len()).map(|at| {
            let (neurons, inputs) = self.size(params, at);
            neurons * (inputs + 4)
        });
        let values = self.variables.iter().map(|variable| variable.values.len() as u64);
        let cells: u64 = values.clone().sum();
        let states = values.fold(1_u64, u64::saturating_mul).min(bayes::JOINT_STATES as u64);
        let slots = (params.queries.len() as u64 + 1) * u64::from(params.chains);
        let read = slots * (u64::from(params.sample_s) * cells * 8 + (states + cells) * 32);
        (64 << 20)
            + 40 * weights.fold(0, u64::saturating_add)
            + read
            + 64 * states * self.variables.len() as u64
            + u64::from(params.held_out) * self.variables.len() as u64
    }

    /// Hidden neurons of a module and the number of its input neurons.
    fn size(&self, params: &Params, at: usize) -> (u64, u64) {
        let variable = &self.variables[at];
        let counts = |inputs: &mut dyn Iterator<Item = usize>| {
            inputs.fold((1_u64, 0_u64), |(rows, sum), input| {
                let n = self.variables[input].values.len() as u64;
                (rows.saturating_mul(n), sum + n)
            })
        };
        let (rows, inputs) = match params.mode {
            Mode::Exact => counts(&mut variable.blanket.iter().map(|&input| input as usize)),
            Mode::Mixture => counts(&mut (0..self.variables.len()).filter(|&input| input != at)),
        };
        (variable.values.len() as u64 * rows.min(u64::from(params.hidden)), inputs)
    }

    /// Evidence and variables of a query, by place.
    ///
    /// # Errors
    /// If a name is unknown, a value is, or nothing is left to ask.
    pub(super) fn query(&self, query: &Query) -> Result<Asked, ParamError> {
        let mut evidence = Vec::with_capacity(query.evidence.len());
        for (name, value) in &query.evidence {
            let at = self.find("queries", name)?;
            let values = &self.variables[at].values;
            let place = values.iter().position(|known| known == value).ok_or_else(|| {
                let rule = format!("a value of `{name}` must be one of {}", values.join(", "));
                ParamError::new("queries", value, rule)
            })?;
            evidence.push((at, place as u8));
        }
        evidence.sort_unstable();
        let is_given = |at: &usize| evidence.iter().any(|(given, _)| given == at);
        let mut of = Vec::with_capacity(query.of.len());
        for name in &query.of {
            let at = self.find("queries", name)?;
            if is_given(&at) || of.contains(&at) {
                return Err(ParamError::new("queries", name, "it must be asked once, and not be given"));
            }
            of.push(at);
        }
        if of.is_empty() {
            of = (0..self.variables.len()).filter(|at| !is_given(at)).collect();
        }
        if of.is_empty() {
            return Err(ParamError::new("queries", &query.evidence, "a variable must be left to ask for"));
        }
        Ok(Asked { evidence, of })
    }

    fn find(&self, field: &str, name: &str) -> Result<usize, ParamError> {
        let unknown = || {
            let known: Vec<&str> =
                self.variables.iter().map(|variable| variable.name.as_str()).take(50).collect();
            ParamError::new(
                field,
                name,
                format!("it must be a variable of the network: {}", known.join(", ")),
            )
        };
        self.variables.iter().position(|variable| variable.name == name).ok_or_else(unknown)
    }

    /// Places of the variables whose modules learn in this run, ascending.
    ///
    /// # Errors
    /// If a name is unknown.
    pub(super) fn learners(&self, params: &Params) -> Result<Vec<usize>, ParamError> {
        if params.modules.is_empty() {
            return Ok((0..self.variables.len()).collect());
        }
        let mut all: Vec<usize> =
            params.modules.iter().map(|name| self.find("modules", name)).collect::<Result<_, _>>()?;
        all.sort_unstable();
        Ok(all)
    }
}

/// A query by places in the network.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    /// Variable and value, ascending.
    pub(super) evidence: Vec<(usize, u8)>,
    /// What is asked for, as the query lists it.
    pub(super) of: Vec<usize>,
}
