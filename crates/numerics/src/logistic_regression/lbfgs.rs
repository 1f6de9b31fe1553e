//! Minimisation by limited-memory BFGS.

use std::collections::VecDeque;

/// Pairs of steps and gradient changes that are remembered.
const MEMORY: usize = 12;
/// Stops when the Euclidean norm of the gradient is at most this.
pub(super) const TOLERANCE: f64 = 1e-6;
/// Stops in any case.
const MOST_ITERATIONS: usize = 1000;
/// Part of the decrease that the slope promises which a step must reach.
const SUFFICIENT: f64 = 1e-4;
/// Halvings of a step; beyond it the decrease drowns in rounding and the search ends.
const MOST_HALVINGS: usize = 40;

/// Where the search ended.
pub(super) struct Minimum {
    pub(super) x: Vec<f64>,
    pub(super) iterations: usize,
    pub(super) gradient_norm: f64,
}

/// A step taken, the change of the gradient along it, and their inner product.
struct Pair {
    s: Vec<f64>,
    y: Vec<f64>,
    sy: f64,
}

/// Minimises a smooth convex function from `x` on. `objective` returns its value and writes its gradient.
pub(super) fn minimise(mut objective: impl FnMut(&[f64], &mut [f64]) -> f64, mut x: Vec<f64>) -> Minimum {
    let mut gradient = vec![0.0; x.len()];
    let mut value = objective(&x, &mut gradient);
    let mut memory: VecDeque<Pair> = VecDeque::with_capacity(MEMORY);
    let mut iterations = 0;
    loop {
        let gradient_norm = dot(&gradient, &gradient).sqrt();
        if gradient_norm <= TOLERANCE || iterations == MOST_ITERATIONS {
            return Minimum { x, iterations, gradient_norm };
        }
        iterations += 1;
        let direction = descent(&memory, &gradient);
        // Without memory the direction has no scale of its own: a step of length 1 is tried first.
        let first = if memory.is_empty() { (1.0 / gradient_norm).min(1.0) } else { 1.0 };
        let slope = dot(&gradient, &direction);
        let mut new_gradient = vec![0.0; x.len()];
        let found = halvings(first).find_map(|length| {
            let point: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + length * d).collect();
            let new_value = objective(&point, &mut new_gradient);
            (new_value <= value + SUFFICIENT * length * slope).then_some((point, new_value))
        });
        let Some((point, new_value)) = found else { return Minimum { x, iterations, gradient_norm } };
        let s: Vec<f64> = point.iter().zip(&x).map(|(new, old)| new - old).collect();
        let y: Vec<f64> = new_gradient.iter().zip(&gradient).map(|(new, old)| new - old).collect();
        let sy = dot(&s, &y);
        if memory.len() == MEMORY {
            memory.pop_front();
        }
        // Convexity makes it positive; only rounding can spoil it.
        if sy > 0.0 {
            memory.push_back(Pair { s, y, sy });
        }
        (x, value, gradient) = (point, new_value, new_gradient);
    }
}

fn halvings(first: f64) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(first), |length| Some(0.5 * length)).take(MOST_HALVINGS)
}

/// −H g by the two-loop recursion (Nocedal & Wright, algorithm 7.4), H₀ = sᵀy/yᵀy of the newest pair.
fn descent(memory: &VecDeque<Pair>, gradient: &[f64]) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for Pair { s, y, sy } in memory.iter().rev() {
        let share = dot(s, &direction) / sy;
        add(&mut direction, -share, y);
        shares.push(share);
    }
    if let Some(Pair { y, sy, .. }) = memory.back() {
        let scale = sy / dot(y, y);
        direction.iter_mut().for_each(|d| *d *= scale);
    }
    for (Pair { s, y, sy }, share) in memory.iter().zip(shares.into_iter().rev()) {
        let correction = share - dot(y, &direction) / sy;
        add(&mut direction, correction, s);
    }
    direction
}

fn add(x: &mut [f64], factor: f64, y: &[f64]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += factor * y);
}

/// Σ a b in eight partial sums (product i goes to sum i mod 8), added from the first to the last.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    lanes.iter().fold(0.0, |sum, lane| sum + lane)
}
