//! Time of a step as a formula, fitted to what was measured, held against it, and taken to where it was not.
//!
//! ```text
//! T(N) = s (a n/N + b S/N) + s c + T_sum(N),   s synapses, n examples, S shards, N members
//! T_sum = l + 4 s/B                            two members of one machine
//! T_sum = 2 (N − 1)/N · 4 s/B + 2 log₂N · l    members on a network: reduce and scatter, gather
//! ```
//!
//! a is the work of an example, b that of a shard (weights come and sums go once a shard), c that of the ascent.
//!
//! # Source
//! Thakur, Rabenseifner & Gropp 2005, "Optimization of collective communication operations in MPICH", Int. J. High
//! Perform. Comput. Appl. 19:49 (cost of an all-reduce).

use crate::{
    line::{Line, Report},
    ratio::median,
    scaling::{Figures, SHARDS, Size},
};

/// Bytes a synapse takes in a sum.
const BYTES: f64 = 4.0;
/// Members that are extrapolated to, each with a shard of its own.
const MEMBERS: [usize; 4] = [8, 32, 64, 512];

/// A way between members.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Way {
    name: &'static str,
    /// Seconds of a message of nothing.
    latency: f64,
    /// Bytes a second.
    bandwidth: f64,
}

/// Figures as their makers state them, halved for what programs reach.
const NETWORKS: [Way; 2] = [
    Way { name: "ethernet-10g", latency: 30e-6, bandwidth: 0.6e9 },
    Way { name: "infiniband-100g", latency: 2e-6, bandwidth: 6e9 },
];

/// What was fitted; seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Model {
    a: f64,
    b: f64,
    c: f64,
}

/// Tells what the model is, how well it says what was measured, and what it says of more members.
pub(super) fn tell(figures: &[Figures], report: &mut Report) {
    let Some((local, model)) = fit(figures) else { return }; // one size says nothing of how time grows
    let constants = [
        ("a", model.a * 1e12, "ps a synapse and example"),
        ("b", model.b * 1e12, "ps a synapse and shard"),
        ("c", model.c * 1e12, "ps a synapse"),
        ("local-latency", local.latency * 1e6, "us"),
        ("local-bandwidth", local.bandwidth / 1e9, "GB/s"),
    ];
    for (name, value, unit) in constants {
        report.push(Line::alone(format!("scaling/model/{name}"), value, unit, true));
    }
    for figures in figures {
        let said = 1.0 / (model.step(figures.size, figures.members, SHARDS) + local.local_sum(figures.size));
        report.push(Line {
            peer: Some(figures.rates.ours),
            peer_name: Some("measured".into()),
            ratio: Some(said / figures.rates.ours),
            ..Line::alone(figures.size.name(&format!("model-{}", figures.members)), said, "steps/s", true)
        });
    }
    for (figures, way) in figures.iter().flat_map(|figures| NETWORKS.map(|way| (figures, way))) {
        let size = figures.size;
        let one = model.step(size, 1, 1);
        for members in MEMBERS {
            let speedup = one / (model.step(size, members, members) + way.sum(size, members));
            let name = size.name(&format!("{}-{members}", way.name));
            report.push(Line::alone(name, speedup, "times one member", true));
        }
    }
}

/// The local way and the model; `None` from fewer than two sizes, or if times do not grow with size.
fn fit(figures: &[Figures]) -> Option<(Way, Model)> {
    // Errors count as parts of what they are errors of.
    let shards =
        figures.iter().map(|f| (f.size.batch as f64, SHARDS as f64, f.alone.shards / f.size.synapses()));
    let (a, b) = least_squares(shards)?;
    let c = median(&figures.iter().map(|f| f.alone.ascent / f.size.synapses()).collect::<Vec<_>>());
    let sums = figures.iter().map(|f| (1.0, BYTES * f.size.synapses(), f.together.sum));
    let (latency, per_byte) = least_squares(sums)?;
    let way =
        Way { name: "local", latency: latency.max(0.0), bandwidth: 1.0 / per_byte.max(f64::MIN_POSITIVE) };
    Some((way, Model { a, b, c }))
}

/// (p, q) that make p x + q y closest to z, in parts of z.
fn least_squares(points: impl Iterator<Item = (f64, f64, f64)>) -> Option<(f64, f64)> {
    let (mut xx, mut xy, mut yy, mut x1, mut y1) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (x, y, z) in points {
        let (x, y) = (x / z, y / z);
        (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
        (x1, y1) = (x1 + x, y1 + y);
    }
    let determinant = xx * yy - xy * xy;
    (determinant > 1e-9 * xx * yy)
        .then(|| ((x1 * yy - y1 * xy) / determinant, (y1 * xx - x1 * xy) / determinant))
}

impl Model {
    /// Seconds of a step without its sum.
    fn step(self, size: Size, members: usize, shards: usize) -> f64 {
        let n = members as f64;
        size.synapses() * ((self.a * size.batch as f64 + self.b * shards as f64) / n + self.c)
    }
}

impl Way {
    fn local_sum(self, size: Size) -> f64 {
        self.latency + BYTES * size.synapses() / self.bandwidth
    }

    fn sum(self, size: Size, members: usize) -> f64 {
        let n = members as f64;
        2.0 * (n - 1.0) / n * BYTES * size.synapses() / self.bandwidth + 2.0 * n.log2() * self.latency
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ratio::Rates, scaling::team::Parts};

    #[test]
    fn a_fit_finds_the_constants_that_made_the_figures() {
        let (model, local) =
            (Model { a: 2e-11, b: 3e-9, c: 1e-9 }, Way { name: "local", latency: 4e-5, bandwidth: 5e9 });
        let sizes = [(500, 100), (500, 4096), (4000, 400), (2000, 2048)];
        let figures = sizes.map(|(hidden_units, batch)| {
            let size = Size { visible_units: 784, hidden_units, batch };
            let ascent = size.synapses() * model.c;
            let shards = model.step(size, 1, SHARDS) - ascent;
            let sum = local.local_sum(size);
            let rates = Rates { ours: vec![1.0], peer: vec![1.0] }.summary();
            let (alone, together) =
                (Parts { shards, sum: 0.0, ascent }, Parts { shards: shards / 2.0, sum, ascent });
            Figures { size, members: 2, rates, uncut: 1.0, alone, together }
        });
        let (way, found) = fit(&figures).expect("there are sizes enough");
        let near = |x: f64, y: f64| (x / y - 1.0).abs() < 1e-6;
        assert!(near(found.a, model.a) && near(found.b, model.b) && near(found.c, model.c), "{found:?}");
        assert!(near(way.latency, local.latency) && near(way.bandwidth, local.bandwidth), "{way:?}");
        assert!(fit(&figures[..1]).is_none());
    }
}
