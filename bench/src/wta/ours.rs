//! Our side: the product's own step, through the catalogue, as a worker drives it.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, anyhow, bail};
use experiments::{Advance, Data, Images, Setup, Simulation, Source, wta_mixture::WtaMixture};
use numerics::{
    BinaryRows, Draws, Stream,
    stdp::Stdp,
    wta::{BiasRule, Circuit, Learning, Mixture, Rate},
};

use super::case::{CIRCUIT_HZ, Case, PRESENTATIONS};
use crate::{
    cpu,
    mnist::{Mnist, THRESHOLD},
};

const SEED: u64 = 1;
const TRAIN: usize = 2000;
const TEST: usize = 500;
/// Pixels across.
const COLS: u32 = 28;

/// The middle rows of MNIST images: as many pixels as the case needs.
pub(super) struct Patterns {
    images: Arc<Images>,
    pub(super) test: BinaryRows,
}

impl Patterns {
    pub(super) fn new(case: &Case, mnist: &Mnist) -> anyhow::Result<Self> {
        let Data::Images(whole) = mnist.data() else { bail!("MNIST holds images") };
        let (pixels, rows) = ((case.inputs / 2) as usize, case.inputs / 2 / COLS);
        let skip = ((whole.rows - rows) / 2 * COLS) as usize;
        let first_test = (whole.count - whole.test_count) as usize;
        let cut = |image: usize| &whole.pixels[image * whole.pixels_per_image() + skip..][..pixels];
        let (mut bytes, mut test) = (Vec::new(), BinaryRows::new(pixels));
        for image in (0..TRAIN).chain(first_test..first_test + TEST) {
            bytes.extend_from_slice(cut(image));
            if image >= first_test {
                test.push((0..).zip(cut(image)).filter(|&(_, &pixel)| pixel > THRESHOLD).map(|(i, _)| i));
            }
        }
        let (count, test_count) = ((TRAIN + TEST) as u32, TEST as u32);
        let images =
            Images { count, rows, cols: COLS, max: whole.max, test_count, pixels: bytes, labels: None };
        Ok(Self { images: Arc::new(images), test })
    }

    /// Writes for peers which inputs are on in our first presentations, (presentations, inputs), a byte each.
    pub(super) fn write(&self, file: &Path, presentations: usize) -> anyhow::Result<()> {
        let pixels = self.images.pixels_per_image();
        let mut bytes = Vec::with_capacity(presentations * 2 * pixels);
        for step in 0..presentations as u64 {
            // As the experiment draws them.
            let image = Draws::at(SEED, step).below(Stream::Pattern, 0, TRAIN as u32) as usize;
            for &pixel in &self.images.pixels[image * pixels..][..pixels] {
                bytes.extend([u8::from(pixel <= THRESHOLD), u8::from(pixel > THRESHOLD)]);
            }
        }
        fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// A run in memory.
pub(super) struct Ours {
    simulation: Box<dyn Simulation>,
}

impl Ours {
    pub(super) fn start(case: &Case, patterns: &Patterns) -> anyhow::Result<Self> {
        let kind = experiments::find("wta-mixture").context("it is not in the catalogue")?;
        let params =
            kind.resolve(None, &case.params(TRAIN, TEST)).map_err(|errors| anyhow!("refused: {errors:?}"))?;
        let data = Data::Images(Arc::clone(&patterns.images));
        let setup = Setup { params, seed: SEED, data, sources: Vec::new(), every: Some(u64::MAX) };
        let mut simulation = kind.start(setup)?;
        match simulation.advance() {
            Advance::Observed(_) => Ok(Self { simulation }),
            Advance::Stepped | Advance::Done(_) => bail!("a run begins with an observation"),
        }
    }

    /// A turn; processor seconds.
    pub(super) fn turn(&mut self) -> anyhow::Result<f64> {
        let (seconds, all) =
            cpu::timed(|| (0..PRESENTATIONS).all(|_| matches!(self.simulation.advance(), Advance::Stepped)));
        if all { Ok(seconds) } else { bail!("the run is long and observed at its ends only") }
    }

    fn circuit(&self) -> anyhow::Result<Circuit> {
        let run = Source::read("ours", &self.simulation.checkpoint())?;
        Ok(run.state_of::<WtaMixture>()?.circuit().clone())
    }

    /// What the circuit has learned.
    pub(super) fn mixture(&self) -> anyhow::Result<Mixture> {
        Ok(Mixture::of_circuit(&self.circuit()?, true))
    }

    /// Rate of its neurons together, over all turns.
    pub(super) fn circuit_hz(&self) -> anyhow::Result<f64> {
        let turns = self.simulation.step() as f64 / PRESENTATIONS as f64;
        let spikes = self.circuit()?.spikes().iter().sum::<u64>() as f64;
        Ok(spikes / (turns * super::TURN_SECONDS).max(1.0 / CIRCUIT_HZ))
    }
}

/// The mixture of given weights, (neurons, inputs), and equal priors, read as ours is.
pub(super) fn mixture(case: &Case, weights: &[f64]) -> Mixture {
    let stdp = Stdp { gain: 1.0, floor: 0.0 };
    let learning = Learning { stdp, rate: Rate::Constant(0.0), bias: BiasRule::Fixed, levels: None };
    let circuit =
        Circuit::with_weights(case.inputs as usize, weights, &vec![0.0; case.neurons as usize], &learning);
    Mixture::of_circuit(&circuit, true)
}
