//! What a Bayesian network is, and what is refused.

use serde::{Deserialize, Serialize};

/// Variables of a network.
const VARIABLES: usize = 4096;
/// Values of a variable: a state has one byte for each variable.
const VALUES: usize = 255;
/// Numbers in the table of one variable.
pub(super) const CELLS: usize = 1 << 20;
/// Numbers in all tables.
const ALL_CELLS: usize = 1 << 22;
/// How far from 1 a row may sum: as rounding to six digits leaves it. Rows are scaled to 1.
const ROW_SUM: f64 = 1e-5;

/// A discrete variable with its table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name, different from all others.
    pub name: String,
    /// Names of its values.
    pub values: Vec<String>,
    /// Places of its parents in the network.
    pub parents: Vec<usize>,
    /// `p(value | values of the parents)`, shape (rows, values); rows run through the parents' values, the last parent
    /// fastest.
    pub table: Vec<f64>,
}

/// A checked Bayesian network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Network {
    variables: Vec<Variable>,
    /// Parents come before children.
    order: Vec<usize>,
    children: Vec<Vec<usize>>,
    blankets: Vec<Vec<usize>>,
}

/// As a network is stored: what [`Network::new`] takes, and Markov blankets where the graph does not give them.
#[derive(Serialize, Deserialize)]
struct Parts {
    variables: Vec<Variable>,
    blankets: Vec<Vec<usize>>,
}

/// Why variables are no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct NetworkError {
    /// Which variable is at fault, if one is.
    pub variable: Option<usize>,
    /// Which row of its table, if one is.
    pub row: Option<usize>,
    /// Name, value and rule.
    pub detail: String,
}

impl NetworkError {
    fn new(variable: usize, detail: String) -> Self {
        Self { variable: Some(variable), row: None, detail }
    }
}

impl Network {
    /// Checks variables and puts them together; rows of tables are scaled to sum to 1.
    ///
    /// # Errors
    /// The first of: no variable or too many, a name that is empty or comes twice, no value or more than 255, an unknown
    /// parent or one named twice, a table that is too large or of another size, a probability below 0 or not finite, a
    /// row that does not sum to 1 within 1e-5, a cycle.
    pub fn new(mut variables: Vec<Variable>) -> Result<Self, NetworkError> {
        let whole = |detail| NetworkError { variable: None, row: None, detail };
        if variables.is_empty() || variables.len() > VARIABLES {
            let n = variables.len();
            return Err(whole(format!("the network has {n} variables; it must have 1 to {VARIABLES}")));
        }
        check_names(&variables)?;
        for at in 0..variables.len() {
            check_parents(&variables, at)?;
        }
        let cells = |variables: &[Variable]| variables.iter().map(|v| v.table.len()).sum::<usize>();
        if cells(&variables) > ALL_CELLS {
            let n = cells(&variables);
            return Err(whole(format!("the tables have {n} numbers; they must have at most {ALL_CELLS}")));
        }
        for (at, variable) in variables.iter_mut().enumerate() {
            scale_rows(at, variable)?;
        }
        let children = children(&variables);
        let order = order(&variables, &children)?;
        let blankets = (0..variables.len()).map(|at| graph_blanket(&variables, &children, at)).collect();
        Ok(Self { variables, order, children, blankets })
    }

    /// The same network with other Markov blankets: for laws that no directed graph describes tightly.
    ///
    /// # Panics
    /// If there is not one ascending list of other variables for each variable.
    pub(super) fn with_blankets(self, blankets: Vec<Vec<usize>>) -> Self {
        assert!(
            self.fits(&blankets),
            "a blanket is an ascending list of other variables, one for each variable"
        );
        Self { blankets, ..self }
    }

    fn fits(&self, blankets: &[Vec<usize>]) -> bool {
        let n = self.variables.len();
        let is_fit = |(at, blanket): (usize, &Vec<usize>)| {
            blanket.iter().all(|&i| i < n && i != at) && blanket.is_sorted_by(|a, b| a < b)
        };
        blankets.len() == n && blankets.iter().enumerate().all(is_fit)
    }

    /// The variables, in the order of states.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// How many variables.
    pub fn len(&self) -> usize {
        self.variables.len()
    }

    /// Never: a network has a variable.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// How many values variable `at` has.
    pub fn values(&self, at: usize) -> usize {
        self.variables[at].values.len()
    }

    /// Variables, parents before children.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// Variables that have `at` as a parent, ascending.
    pub fn children(&self, at: usize) -> &[usize] {
        &self.children[at]
    }

    /// The Markov blanket of variable `at`, ascending: given these, no other variable tells anything of it.
    pub fn blanket(&self, at: usize) -> &[usize] {
        &self.blankets[at]
    }

    /// Place of the variable with this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.variables.iter().position(|variable| variable.name == name)
    }

    /// Place of a state in the table of variable `at`.
    ///
    /// # Panics
    /// If there is no such variable.
    pub fn cell(&self, at: usize, state: &[u8]) -> usize {
        self.variables[at]
            .parents
            .iter()
            .chain([&at])
            .fold(0, |cell, &member| cell * self.variables[member].values.len() + usize::from(state[member]))
    }

    /// `p(value of variable at | values of its parents)` in a state.
    ///
    /// # Panics
    /// If a value in the state is out of range.
    pub fn probability(&self, at: usize, state: &[u8]) -> f64 {
        self.variables[at].table[self.cell(at, state)]
    }
}

impl TryFrom<Parts> for Network {
    type Error = NetworkError;

    fn try_from(Parts { variables, blankets }: Parts) -> Result<Self, NetworkError> {
        let network = Self::new(variables)?;
        if !network.fits(&blankets) {
            let detail = "the Markov blankets do not fit the variables".to_owned();
            return Err(NetworkError { variable: None, row: None, detail });
        }
        Ok(network.with_blankets(blankets))
    }
}

impl From<Network> for Parts {
    fn from(Network { variables, blankets, .. }: Network) -> Self {
        Self { variables, blankets }
    }
}

fn check_names(variables: &[Variable]) -> Result<(), NetworkError> {
    let mut names = std::collections::BTreeSet::new();
    for (at, Variable { name, values, .. }) in variables.iter().enumerate() {
        let fail = |detail| Err(NetworkError::new(at, detail));
        if name.is_empty() {
            return fail("a variable has no name; it must have one".into());
        }
        if !names.insert(name) {
            return fail(format!("variable `{name}` comes twice; it must come once"));
        }
        if values.is_empty() || values.len() > VALUES {
            return fail(format!(
                "variable `{name}` has {} values; it must have 1 to {VALUES}",
                values.len()
            ));
        }
        let mut known = std::collections::BTreeSet::new();
        if let Some(twice) = values.iter().find(|value| !known.insert(*value)) {
            return fail(format!("value `{twice}` of variable `{name}` comes twice; it must come once"));
        }
    }
    Ok(())
}

fn check_parents(variables: &[Variable], at: usize) -> Result<(), NetworkError> {
    let Variable { name, values, parents, table } = &variables[at];
    let fail = |detail| Err(NetworkError::new(at, detail));
    let mut rows = 1_usize;
    for (place, &parent) in parents.iter().enumerate() {
        let Some(of) = variables.get(parent) else {
            return fail(format!(
                "variable `{name}` has parent {parent}; the network has {}",
                variables.len()
            ));
        };
        if parent == at || parents[..place].contains(&parent) {
            let rule = "each parent must be another variable, named once";
            return fail(format!("variable `{name}` has the parent `{}`; {rule}", of.name));
        }
        rows = rows.saturating_mul(of.values.len());
    }
    let cells = rows.saturating_mul(values.len());
    if cells > CELLS {
        return fail(format!("the table of `{name}` has {cells} numbers; it must have at most {CELLS}"));
    }
    if table.len() != cells {
        return fail(format!(
            "the table of `{name}` has {} numbers; its values and parents make {cells}",
            table.len()
        ));
    }
    Ok(())
}

fn scale_rows(at: usize, variable: &mut Variable) -> Result<(), NetworkError> {
    let (name, values) = (&variable.name, variable.values.len());
    for (row, p) in variable.table.chunks_exact_mut(values).enumerate() {
        let fail = |detail| Err(NetworkError { variable: Some(at), row: Some(row), detail });
        if let Some(bad) = p.iter().find(|p| !p.is_finite() || **p < 0.0) {
            return fail(format!("a probability of `{name}` is {bad}; it must be between 0 and 1"));
        }
        let sum = p.iter().fold(0.0, |sum, p| sum + p);
        if (sum - 1.0).abs() > ROW_SUM {
            return fail(format!("a row of `{name}` sums to {sum}; it must sum to 1"));
        }
        // A row that is 1 but for rounding stays, so that a network that is written and read keeps its bits.
        if (sum - 1.0).abs() > 1e-12 {
            p.iter_mut().for_each(|p| *p /= sum);
        }
    }
    Ok(())
}

fn children(variables: &[Variable]) -> Vec<Vec<usize>> {
    let mut children = vec![Vec::new(); variables.len()];
    for (at, variable) in variables.iter().enumerate() {
        variable.parents.iter().for_each(|&parent| children[parent].push(at));
    }
    children
}

/// Parents before children, the first variable that is free each time.
fn order(variables: &[Variable], children: &[Vec<usize>]) -> Result<Vec<usize>, NetworkError> {
    let mut missing: Vec<usize> = variables.iter().map(|variable| variable.parents.len()).collect();
    let mut free: std::collections::BTreeSet<usize> =
        (0..variables.len()).filter(|&at| missing[at] == 0).collect();
    let mut order = Vec::with_capacity(variables.len());
    while let Some(at) = free.pop_first() {
        order.push(at);
        for &child in &children[at] {
            missing[child] -= 1;
            if missing[child] == 0 {
                free.insert(child);
            }
        }
    }
    match (0..variables.len()).find(|&at| missing[at] > 0) {
        None => Ok(order),
        Some(stuck) => Err(cycle(variables, &missing, stuck)),
    }
}

/// Follows parents that are not free until one comes twice.
fn cycle(variables: &[Variable], missing: &[usize], from: usize) -> NetworkError {
    let next = |at: usize| variables[at].parents.iter().copied().find(|&parent| missing[parent] > 0);
    let mut path = vec![from];
    while let Some(parent) = next(path[path.len() - 1]) {
        if let Some(start) = path.iter().position(|&at| at == parent) {
            path.drain(..start);
            path.reverse();
            let first = (0..path.len()).min_by_key(|&place| path[place]).expect("a cycle has members");
            path.rotate_left(first);
            break;
        }
        path.push(parent);
    }
    let first = path[0];
    let names: Vec<&str> = path.iter().chain([&first]).map(|&at| variables[at].name.as_str()).collect();
    NetworkError::new(first, format!("the parents form a cycle: {}; there must be none", names.join(" → ")))
}

/// Parents, children and the children's other parents, ascending.
fn graph_blanket(variables: &[Variable], children: &[Vec<usize>], at: usize) -> Vec<usize> {
    let families =
        children[at].iter().flat_map(|&child| variables[child].parents.iter().copied().chain([child]));
    let mut blanket: Vec<usize> = variables[at].parents.iter().copied().chain(families).collect();
    blanket.retain(|&other| other != at);
    blanket.sort_unstable();
    blanket.dedup();
    blanket
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
