//! Networks that come with the program.

use super::{Network, dirichlet::dirichlet, read_bif};
use crate::{Draws, Stream};

fn embedded(text: &str) -> Network {
    read_bif(text).expect("embedded networks are read by a test")
}

/// Lung diseases: 8 binary variables, one of them a deterministic OR.
///
/// # Source
/// Lauritzen and Spiegelhalter 1988, J. R. Stat. Soc. B 50:157.
pub fn asia() -> Network {
    embedded(include_str!("networks/asia.bif"))
}

/// Lung cancer: 5 binary variables.
///
/// # Source
/// Korb and Nicholson 2010, *Bayesian artificial intelligence*, 2nd edition, section 2.2.
pub fn cancer() -> Network {
    embedded(include_str!("networks/cancer.bif"))
}

/// Burglar alarm: 5 binary variables.
///
/// # Source
/// Korb and Nicholson 2010, *Bayesian artificial intelligence*, 2nd edition, section 2.5.1, after Pearl 1988.
pub fn earthquake() -> Network {
    embedded(include_str!("networks/earthquake.bif"))
}

/// Who travels how: 6 variables of two and three values.
///
/// # Source
/// Scutari and Denis 2014, *Bayesian networks with examples in R*, chapter 1.
pub fn survey() -> Network {
    embedded(include_str!("networks/survey.bif"))
}

/// Signals between proteins: 11 variables of three values.
///
/// # Source
/// Sachs, Perez, Pe'er, Lauffenburger and Nolan 2005, Science 308:523; tables as of the Bayesian network repository.
pub fn sachs() -> Network {
    embedded(include_str!("networks/sachs.bif"))
}

/// Explaining away in vision: reflectance step y1 and 3-D shape y2 (curved) cause shading y3; shape shows in the contour y4.
///
/// `p(y1) = p(y2) = ½`, `p(y3 = y1 xor y2) = p(y4 = y2) = 0.87`.
///
/// # Source
/// Knill and Kersten 1991, Nature 351:228; numbers as Pecevski and Maass 2016, eNeuro 3(2).
pub fn knill_kersten() -> Network {
    embedded(include_str!("networks/knill_kersten.bif"))
}

/// Four variables of three values: x1 skewed, x2 mostly equal to x1, x3 mostly x1 + x2 modulo 3, x4 mostly equal to x3.
pub fn three_valued() -> Network {
    embedded(include_str!("networks/three_valued.bif"))
}

/// Four binary variables, three of them fair coins; the fourth makes their sum even with probability 1 − noise. No pair
/// or triple of them tells anything: the worst case for a mixture of independent components.
///
/// # Panics
/// If the noise is not in [0, 1].
pub fn parity(noise: f64) -> Network {
    assert!((0.0..=1.0).contains(&noise), "a probability");
    let law: Vec<f64> =
        (0..16_u32).map(|x| 0.125 * if x.count_ones() % 2 == 0 { 1.0 - noise } else { noise }).collect();
    Network::of_joint(binary(4), &law)
}

/// Ising model on a 3x3 square with free edges: `p(x) ∝ exp(β Σ s_i s_j)` over neighbours, `s = ±1`.
///
/// Undirected: the blanket of a variable is its neighbours.
///
/// # Panics
/// If β is not finite.
///
/// # Source
/// Ising 1925, Z. Phys. 31:253.
pub fn ising(beta: f64) -> Network {
    assert!(beta.is_finite(), "an inverse temperature");
    const SIDE: usize = 3;
    let spin = |x: u32, at: usize| if x >> (SIDE * SIDE - 1 - at) & 1 == 1 { 1.0 } else { -1.0 };
    let energy = |x: u32| {
        let right = (0..SIDE * SIDE).filter(|at| at % SIDE + 1 < SIDE).map(|at| (at, at + 1));
        let down = (0..SIDE * (SIDE - 1)).map(|at| (at, at + SIDE));
        right.chain(down).fold(0.0, |sum, (a, b)| sum + spin(x, a) * spin(x, b))
    };
    let law: Vec<f64> = (0..1 << (SIDE * SIDE)).map(|x| libm::exp(beta * energy(x))).collect();
    Network::of_joint(binary(SIDE * SIDE), &law)
}

/// A law over all states of some binary variables, drawn from a symmetric Dirichlet law.
///
/// # Panics
/// If there are no variables or more than 6, or α is not above 0.
pub fn random_joint(draws: Draws, variables: usize, alpha: f64) -> Network {
    assert!((1..=6).contains(&variables), "1 to 6 variables");
    let mut law = vec![0.0; 1 << variables];
    dirichlet(draws, alpha, &mut law);
    Network::of_joint(binary(variables), &law)
}

/// A table without structure: all variables but the last are fair coins, and the last is 1 with probability 1 − noise where
/// they are one of a random half of their states, else with probability noise. The others tell
/// `ln 2 + noise ln noise + (1 − noise) ln (1 − noise)` nats of it, whatever the draw.
///
/// The half has the greatest of the normal draws `0 …` of `BayesTable`.
///
/// # Panics
/// If there are fewer than 2 variables or more than 6, or the noise is not in [0, 1].
pub fn random_table(draws: Draws, variables: usize, noise: f64) -> Network {
    assert!((2..=6).contains(&variables), "2 to 6 variables");
    assert!((0.0..=1.0).contains(&noise), "a probability");
    let rows = 1_usize << (variables - 1);
    let mut keys = vec![0.0; rows];
    draws.fill_normal(Stream::BayesTable, 0, &mut keys);
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|&a, &b| keys[b].total_cmp(&keys[a]).then(a.cmp(&b)));
    let mut law = vec![noise / rows as f64; 2 * rows];
    for (place, row) in order.into_iter().enumerate() {
        law[2 * row + usize::from(place < rows / 2)] = (1.0 - noise) / rows as f64;
    }
    Network::of_joint(binary(variables), &law)
}

/// x1, x2, … with the values 0 and 1.
fn binary(n: usize) -> Vec<(String, Vec<String>)> {
    (1..=n).map(|i| (format!("x{i}"), vec!["0".to_owned(), "1".to_owned()])).collect()
}

#[cfg(test)]
#[path = "builtin_tests.rs"]
mod tests;
