//! What release probabilities tell, in bits.

use super::mean;

/// Information that learning put into release probabilities, in bits a synapse.
#[derive(Clone, Debug, PartialEq)]
pub struct ReleaseBits {
    /// Over all synapses.
    pub mean: f64,
    /// Sum over all synapses.
    pub total: f64,
    /// Mean within each tenth of the synapses, from the weakest to the strongest.
    pub by_strength: [f64; 10],
}

/// `KL(Bernoulli(p) ‖ Bernoulli(p0))/ln 2` in bits: what it takes to tell p from the initial p0.
///
/// Infinite only where p0 is 0 or 1 and p is not.
pub fn bernoulli_bits(p: f64, p0: f64) -> f64 {
    let term = |x: f64, y: f64| if x > 0.0 { x * libm::log2(x / y) } else { 0.0 };
    // Never below 0 but for rounding.
    (term(p, p0) + term(1.0 - p, 1.0 - p0)).max(0.0)
}

/// Bits a synapse, overall and by strength |w|; ties keep their order.
///
/// `p0` holds one number for all or one a synapse. By-strength tenths differ by at most one synapse;
/// a tenth without a synapse has 0.
///
/// # Panics
/// If the lengths differ, or there are no synapses.
pub fn release_bits(p: &[f32], p0: &[f64], strength: &[f32]) -> ReleaseBits {
    assert_eq!(p.len(), strength.len(), "one strength per synapse");
    assert!(p0.len() == 1 || p0.len() == p.len(), "one initial probability, or one per synapse");
    assert!(!p.is_empty(), "bits are of synapses");
    let bits: Vec<f64> =
        p.iter().enumerate().map(|(k, &p)| bernoulli_bits(f64::from(p), p0[k % p0.len()])).collect();
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| strength[i].abs().total_cmp(&strength[j].abs()));
    let tenth = |k: usize| {
        let places = &order[k * order.len() / 10..(k + 1) * order.len() / 10];
        if places.is_empty() { 0.0 } else { mean(&places.iter().map(|&i| bits[i]).collect::<Vec<_>>()) }
    };
    ReleaseBits { mean: mean(&bits), total: super::sum(&bits), by_strength: std::array::from_fn(tenth) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_worked_by_hand() {
        assert_eq!(bernoulli_bits(0.5, 0.5), 0.0);
        assert_eq!(bernoulli_bits(1.0, 0.5), 1.0);
        assert_eq!(bernoulli_bits(0.0, 0.25), libm::log2(4.0 / 3.0));
        // .75 log2(1.5) + .25 log2(.5)
        assert!((bernoulli_bits(0.75, 0.5) - (0.75 * libm::log2(1.5) - 0.25)).abs() < 1e-15);
        assert_eq!(bernoulli_bits(0.5, 0.0), f64::INFINITY);
    }

    #[test]
    fn the_strongest_tenth_comes_last() {
        // 20 synapses, the two strongest certain to release.
        let strength: Vec<f32> = (0..20).map(|k| if k % 2 == 0 { -k as f32 } else { k as f32 }).collect();
        let p: Vec<f32> = (0..20).map(|k| if k >= 18 { 1.0 } else { 0.5 }).collect();
        let found = release_bits(&p, &[0.5], &strength);
        assert_eq!((found.total, found.mean), (2.0, 0.1));
        assert_eq!(found.by_strength, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn synapses_that_start_apart_are_compared_each_with_its_own_start() {
        let found =
            release_bits(&[0.2, 0.9, 1.0], &[f64::from(0.2_f32), f64::from(0.9_f32), 0.5], &[1.0, 2.0, 3.0]);
        assert!((found.total - 1.0).abs() < 1e-12, "{found:?}");
    }
}
