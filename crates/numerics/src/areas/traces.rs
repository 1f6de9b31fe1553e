//! What spikes have left.

use kernels::rewiring;

/// Two exponentials, whose difference is the trace.
#[derive(Debug, Clone, Default)]
pub(super) struct Traces {
    fall: Vec<f32>,
    rise: Vec<f32>,
    /// Sums of both.
    sum: [f64; 2],
}

impl Traces {
    pub(super) fn new(n: usize) -> Self {
        Self { fall: vec![0.0; n], rise: vec![0.0; n], sum: [0.0; 2] }
    }

    pub(super) fn clear(&mut self) {
        self.fall.fill(0.0);
        self.rise.fill(0.0);
        self.sum = [0.0; 2];
    }

    pub(super) fn fade(&mut self, factors: [f64; 2]) {
        rewiring::fade(&mut self.fall, &mut self.rise, factors.map(|factor| factor as f32));
        self.sum = [self.sum[0] * factors[0], self.sum[1] * factors[1]];
    }

    pub(super) fn add(&mut self, sources: &[u32]) {
        for &source in sources {
            self.fall[source as usize] += 1.0;
            self.rise[source as usize] += 1.0;
        }
        self.sum = self.sum.map(|sum| sum + sources.len() as f64);
    }

    pub(super) fn values(&self, out: &mut [f32]) {
        for (out, (fall, rise)) in out.iter_mut().zip(self.fall.iter().zip(&self.rise)) {
            *out = fall - rise;
        }
    }

    pub(super) fn total(&self) -> f64 {
        self.sum[0] - self.sum[1]
    }
}
