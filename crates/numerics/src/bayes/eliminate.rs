//! In which order variables are eliminated.

use std::collections::BTreeSet;

/// A variable with those that it is joined with when it is eliminated.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    pub(super) variable: usize,
    /// With the variable itself, ascending.
    pub(super) cluster: Vec<usize>,
}

/// Buckets in the order of elimination: each time the variable that adds the fewest edges, of these the one with the fewest
/// cells, of these the first (min-fill).
///
/// `scopes` are the variables of each table, `values` the numbers of values. Variables that are in no scope are left out.
///
/// # Source
/// Kjærulff 1990, *Triangulation of graphs*, R 90-09, Aalborg University.
pub(super) fn min_fill(scopes: &[Vec<usize>], values: &[usize]) -> Vec<Bucket> {
    let mut neighbours = vec![BTreeSet::new(); values.len()];
    let mut left = BTreeSet::new();
    for scope in scopes {
        for &a in scope {
            left.insert(a);
            neighbours[a].extend(scope.iter().copied().filter(|&b| b != a));
        }
    }
    let mut buckets = Vec::with_capacity(left.len());
    // A variable's cost changes only when a neighbour, or a neighbour's neighbour, is eliminated.
    let mut costs = vec![None; values.len()];
    while !left.is_empty() {
        for &at in &left {
            costs[at].get_or_insert_with(|| cost(&neighbours, values, at));
        }
        let best = left.iter().copied().min_by(|&a, &b| {
            let (a, b) = (costs[a].expect("it is known"), costs[b].expect("it is known"));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        let variable = best.expect("some variable is left");
        let joined = std::mem::take(&mut neighbours[variable]);
        for &a in &joined {
            neighbours[a].remove(&variable);
            neighbours[a].extend(joined.iter().copied().filter(|&b| b != a));
        }
        for &a in &joined {
            costs[a] = None;
            neighbours[a].iter().for_each(|&b| costs[b] = None);
        }
        left.remove(&variable);
        let mut cluster: Vec<usize> = joined.into_iter().chain([variable]).collect();
        cluster.sort_unstable();
        buckets.push(Bucket { variable, cluster });
    }
    buckets
}

/// Edges that eliminating a variable adds, and ln of the cells of its cluster.
fn cost(neighbours: &[BTreeSet<usize>], values: &[usize], at: usize) -> (usize, f64) {
    let around: Vec<usize> = neighbours[at].iter().copied().collect();
    let pairs = around.iter().enumerate().flat_map(|(i, &a)| around[i + 1..].iter().map(move |&b| (a, b)));
    let added = pairs.filter(|(a, b)| !neighbours[*a].contains(b)).count();
    let cells = around.iter().chain([&at]).fold(0.0, |sum, &a| sum + libm::log(values[a] as f64));
    (added, cells)
}
