//! Gauss and Hermite's quadrature: finitely many points for a normal distribution.

/// `n` nodes and weights with `Σ weight · f(node) = E[f(z)]`, z ~ N(0, 1), for polynomials f of degree < 2n.
///
/// The nodes are the roots of the Hermite polynomial He_n, found by bisection; the weights are
/// `1/(n h²)` with h the orthonormal polynomial of degree n − 1 at the node.
///
/// # Panics
/// If `n` is not in 1..=32.
///
/// # Source
/// Abramowitz & Stegun 1964, 25.4.46, rescaled to unit variance.
pub fn normal_nodes(n: usize) -> Vec<(f64, f64)> {
    /// Narrower than the least gap between neighbouring roots at n = 32 (0.27).
    const GRID: f64 = 1.0 / 16.0;
    assert!((1..=32).contains(&n), "1 to 32 nodes, not {n}");
    let value = |x: f64| hermite(n, x).0;
    let reach = (4.0 * n as f64 + 2.0).sqrt() + GRID;
    // Half a cell aside, so that the root at 0 is within a cell.
    let edges = (0..).map(|k| -reach + GRID * (f64::from(k) - 0.5)).take_while(|x| *x < reach);
    let cells = edges.map(|low| (low, low + GRID)).filter(|(low, high)| value(*low) * value(*high) < 0.0);
    cells
        .map(|(mut low, mut high)| {
            let rising = value(high) > 0.0;
            for _ in 0..60 {
                let middle = 0.5 * (low + high);
                if (value(middle) > 0.0) == rising { high = middle } else { low = middle }
            }
            let node = 0.5 * (low + high);
            let below = hermite(n, node).1;
            (node, 1.0 / (n as f64 * below * below))
        })
        .collect()
}

/// The orthonormal Hermite polynomials of degrees n and n − 1 at x.
fn hermite(n: usize, x: f64) -> (f64, f64) {
    let (mut now, mut before) = (1.0, 0.0);
    for k in 0..n {
        let k = k as f64;
        (now, before) = ((x * now - k.sqrt() * before) / (k + 1.0).sqrt(), now);
    }
    (now, before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_the_normal_distribution_are_met() {
        for n in [1, 2, 5, 12, 20, 32] {
            let nodes = normal_nodes(n);
            assert_eq!(nodes.len(), n);
            let moment = |power: u32| {
                nodes.iter().fold(0.0, |sum, (z, weight)| sum + weight * (0..power).fold(1.0, |x, _| x * z))
            };
            // 1, 0, 1, 0, 3, 0, 15 as far as the degree reaches.
            for (power, expected) in [(0, 1.0), (1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0), (6, 15.0)] {
                if (power as usize) < 2 * n {
                    assert!((moment(power) - expected).abs() < 1e-11, "{n} nodes, power {power}");
                }
            }
        }
    }

    #[test]
    fn the_mean_of_an_exponential_is_met_to_rounding() {
        let mean = normal_nodes(12).iter().fold(0.0, |sum, (z, weight)| sum + weight * libm::exp(0.8 * z));
        assert!((mean - libm::exp(0.32)).abs() < 1e-12);
    }
}
