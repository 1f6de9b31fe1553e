//! Exact posteriors: bucket-tree elimination.

use super::{
    Network,
    eliminate::{Bucket, min_fill},
    factor::Factor,
};

/// Cells of the largest table, and of all tables together, that inference makes.
const CELLS: u64 = 1 << 24;
const ALL_CELLS: u64 = 1 << 27;

/// Values that are given, as (variable, value); no variable comes twice.
pub type Evidence = [(usize, u8)];

/// Posterior marginals.
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    /// `p(value | evidence)` of every variable; 1 and 0 for those that are given.
    pub marginals: Vec<Vec<f64>>,
    /// `p(parents and variable | evidence)` of every variable, laid out as its table; each sums to 1.
    pub families: Vec<Vec<f64>>,
    /// ln p(evidence).
    pub log_evidence: f64,
}

/// Why there is no posterior.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InferenceError {
    /// The evidence cannot happen.
    #[error("the evidence has probability 0; it must be possible")]
    Impossible,
    /// The tables would be too large.
    #[error(
        "exact inference needs a table of {0} numbers; it must need at most {CELLS}, and {ALL_CELLS} in all"
    )]
    TooLarge(u64),
}

/// Marginals of all variables and families given evidence, exact but for rounding.
///
/// Variables are eliminated in min-fill order; messages go up the tree of buckets and down again, so one pass serves all
/// variables. Down messages divide what came up out of a belief, with 0/0 = 0 (Hugin).
///
/// # Errors
/// If the evidence has probability 0, or a cluster is too large.
///
/// # Panics
/// If evidence names no variable or value of the network.
///
/// # Source
/// Dechter 1999, Artif. Intell. 113:41; Jensen, Lauritzen and Olesen 1990, Comput. Stat. Q. 4:269.
pub fn infer(network: &Network, evidence: &Evidence) -> Result<Posterior, InferenceError> {
    let mut given = vec![None; network.len()];
    for &(at, value) in evidence {
        assert!(usize::from(value) < network.values(at), "evidence is a value of the variable");
        given[at] = Some(value);
    }
    let factors: Vec<Factor> = (0..network.len()).map(|at| family(network, &given, at)).collect();
    let values: Vec<usize> = (0..network.len()).map(|at| network.values(at)).collect();
    let scopes: Vec<Vec<usize>> = factors.iter().map(|factor| factor.variables.clone()).collect();
    let buckets = min_fill(&scopes, &values);
    check_size(&buckets, &values)?;
    let tree = Tree::new(&buckets, &factors, &values);
    let (beliefs, log_evidence) = tree.calibrate(factors, &values)?;
    let mut marginals = vec![Vec::new(); network.len()];
    for (at, belief) in beliefs.iter().enumerate() {
        let variable = buckets[at].variable;
        marginals[variable] = normalised(belief.sum_to(&[variable])).table;
    }
    for (at, value) in given.iter().enumerate() {
        if let Some(value) = value {
            marginals[at] = (0..values[at]).map(|v| f64::from(u8::from(v == usize::from(*value)))).collect();
        }
    }
    let families = (0..network.len())
        .map(|at| {
            let bucket = tree.home[at].map(|home| normalised(beliefs[home].sum_to(&scopes[at])));
            spread(network, &given, at, bucket.as_ref())
        })
        .collect();
    Ok(Posterior { marginals, families, log_evidence })
}

fn normalised(mut factor: Factor) -> Factor {
    factor.normalise();
    factor
}

/// The table of a variable over those of its family that are not given, ascending.
fn family(network: &Network, given: &[Option<u8>], at: usize) -> Factor {
    let mut free: Vec<usize> = network.variables()[at].parents.iter().copied().chain([at]).collect();
    free.retain(|&member| given[member].is_none());
    free.sort_unstable();
    let mut factor = Factor::ones(free, |member| network.values(member));
    visit(network, given, at, &factor.clone(), |cell, p, _| factor.table[cell] = p);
    factor
}

/// The law of a whole family, laid out as its table, from that of its free members.
fn spread(network: &Network, given: &[Option<u8>], at: usize, free: Option<&Factor>) -> Vec<f64> {
    let mut out = vec![0.0; network.variables()[at].table.len()];
    let none = Factor { variables: Vec::new(), values: Vec::new(), table: vec![1.0] };
    let free = free.unwrap_or(&none);
    visit(network, given, at, free, |cell, _, place| out[place] = free.table[cell]);
    out
}

/// Runs through the cells of a table over the free members: cell, the probability in the table of `at`, and its place there.
fn visit(
    network: &Network,
    given: &[Option<u8>],
    at: usize,
    free: &Factor,
    mut each: impl FnMut(usize, f64, usize),
) {
    let variable = &network.variables()[at];
    let mut state: Vec<u8> = given.iter().map(|value| value.unwrap_or(0)).collect();
    for cell in 0..free.table.len() {
        let mut rest = cell;
        for (&member, &n) in free.variables.iter().zip(&free.values).rev() {
            state[member] = (rest % n) as u8;
            rest /= n;
        }
        let place = network.cell(at, &state);
        each(cell, variable.table[place], place);
    }
}

fn check_size(buckets: &[Bucket], values: &[usize]) -> Result<(), InferenceError> {
    let cells = |bucket: &Bucket| {
        bucket.cluster.iter().fold(1_u64, |cells, &at| cells.saturating_mul(values[at] as u64))
    };
    let largest = buckets.iter().map(cells).max().unwrap_or(1);
    let all = buckets.iter().map(cells).fold(0, u64::saturating_add);
    if largest > CELLS || all > ALL_CELLS { Err(InferenceError::TooLarge(largest)) } else { Ok(()) }
}

/// The tree of buckets: each sends its message to the one that eliminates the next of its variables.
struct Tree<'a> {
    buckets: &'a [Bucket],
    /// None for a root.
    parent: Vec<Option<usize>>,
    /// Which bucket takes each factor; none for a number.
    home: Vec<Option<usize>>,
}

impl<'a> Tree<'a> {
    fn new(buckets: &'a [Bucket], factors: &[Factor], values: &[usize]) -> Self {
        let mut rank = vec![usize::MAX; values.len()];
        buckets.iter().enumerate().for_each(|(at, bucket)| rank[bucket.variable] = at);
        let first = |variables: &[usize]| variables.iter().map(|&variable| rank[variable]).min();
        let rest = |bucket: &Bucket| -> Vec<usize> {
            bucket.cluster.iter().copied().filter(|&variable| variable != bucket.variable).collect()
        };
        let parent = buckets.iter().map(|bucket| first(&rest(bucket))).collect();
        let home = factors.iter().map(|factor| first(&factor.variables)).collect();
        Self { buckets, parent, home }
    }

    fn separator(&self, at: usize) -> Vec<usize> {
        let Bucket { variable, cluster } = &self.buckets[at];
        cluster.iter().copied().filter(|member| member != variable).collect()
    }

    /// The belief of every bucket, up to a factor, and ln p(evidence).
    fn calibrate(
        &self,
        factors: Vec<Factor>,
        values: &[usize],
    ) -> Result<(Vec<Factor>, f64), InferenceError> {
        let mut beliefs: Vec<Factor> =
            self.buckets.iter().map(|bucket| Factor::ones(bucket.cluster.clone(), |at| values[at])).collect();
        let mut log_evidence = 0.0;
        let mut note = |total: f64| {
            log_evidence += libm::log(total);
            if total > 0.0 { Ok(()) } else { Err(InferenceError::Impossible) }
        };
        for (factor, home) in factors.iter().zip(&self.home) {
            match home {
                Some(home) => beliefs[*home].multiply(factor),
                None => note(factor.table[0])?,
            }
        }
        let mut up = Vec::with_capacity(beliefs.len());
        for at in 0..beliefs.len() {
            note(beliefs[at].normalise())?;
            let message = beliefs[at].sum_to(&self.separator(at));
            if let Some(parent) = self.parent[at] {
                beliefs[parent].multiply(&message);
            }
            up.push(message);
        }
        for at in (0..beliefs.len()).rev() {
            let Some(parent) = self.parent[at] else { continue };
            let mut down = beliefs[parent].sum_to(&self.separator(at));
            for (cell, sent) in down.table.iter_mut().zip(&up[at].table) {
                *cell = if *sent > 0.0 { *cell / sent } else { 0.0 };
            }
            beliefs[at].multiply(&down);
        }
        Ok((beliefs, log_evidence))
    }
}

#[cfg(test)]
#[path = "infer_tests.rs"]
mod tests;
