//! Settings of `wta-mixture`.

use numerics::{
    stdp::Stdp,
    wta::{Start, Synthetic, Winner},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ParamError,
    boltzmann::{is_one, one},
};

/// Declares an enum of settings with its words.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$doc])* $variant),* }
    };
}

choice! {
    /// What is shown.
    Patterns {
        /// Binary images of the data set.
        Images,
        /// A mixture that is known exactly; no data set.
        Synthetic,
    }
}
choice! {
    /// What a presentation is.
    Mode {
        /// One winner, every input known.
        Ideal,
        /// Poisson spikes in and out, from spike to spike.
        Spiking,
        /// The same by the clock, with inhibition that lags a tick behind.
        Clocked,
    }
}
choice! {
    /// How the neuron of a spike is chosen; `clocked` has softmax only.
    WinnerRule {
        /// In proportion to e^u.
        Softmax,
        /// The greatest potential: the control without noise.
        Argmax,
        /// Any: the control without evidence.
        Uniform,
    }
}
choice! {
    /// Where weights begin.
    Init {
        /// Slightly below ln c: untouched neurons win.
        Optimistic,
        /// Slightly below ln c − ln 2: untouched neurons expect nothing.
        LogHalf,
        /// Near the mixture that patterns come from; synthetic patterns only.
        Truth,
    }
}
choice! {
    /// How fast weights learn.
    RateRule {
        /// `eta`.
        Constant,
        /// 1/(n + 10) of the neuron's spikes n, at least `eta`.
        Annealed,
        /// Each weight's own from its variance, times `eta`.
        VarianceTracking,
    }
}
choice! {
    /// How biases learn.
    BiasRule {
        /// The logarithm of each neuron's share.
        Prior,
        /// Towards equal shares.
        Homeostatic,
        /// Not at all.
        Fixed,
    }
}
choice! {
    /// Shape of postsynaptic potentials.
    EpspShape {
        /// On for `sigma_ms`, never more than one.
        Rectangular,
        /// Rise and fall, additive.
        DoubleExponential,
    }
}

/// Settings of `wta-mixture`; the defaults are those for the 8x8 digits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// What is shown.
    pub patterns: Patterns,
    /// What a presentation is.
    pub mode: Mode,
    /// Neurons of the circuit.
    #[schemars(range(min = 1, max = 4096), extend("unit" = "1", "symbol" = "K"))]
    pub neurons: u32,
    /// Presentations, each of a pattern drawn anew.
    #[schemars(range(min = 1, max = 100000000), extend("unit" = "presentations", "symbol" = "N"))]
    pub presentations: u64,
    /// How the neuron of a spike is chosen.
    pub winner: WinnerRule,
    /// Where weights begin.
    pub init: Init,
    /// How fast weights learn.
    pub rate: RateRule,
    /// The rate, its least value, or its scale; see `rate`.
    #[schemars(range(min = 0.0, max = 10.0), extend("unit" = "1", "symbol" = "eta"))]
    pub eta: f64,
    /// How biases learn.
    pub bias: BiasRule,
    /// Rate of the biases.
    #[schemars(range(min = 0.0, max = 1.0), extend("unit" = "1", "symbol" = "eta_b"))]
    pub eta_b: f64,
    /// Potentiation in units of depression; above 1 weights can be positive.
    #[schemars(range(min = 0.001, max = 1000.0), extend("unit" = "1", "symbol" = "c"))]
    pub c: f64,
    /// The least weight, below ln c.
    #[schemars(range(min = -30.0, max = 0.0), extend("unit" = "1", "symbol" = "w_min"))]
    pub weight_floor: f64,
    /// Rate of all neurons together; not in mode ideal.
    #[schemars(range(min = 1.0, max = 10000.0), extend("unit" = "Hz", "symbol" = "R"))]
    pub circuit_hz: f64,
    /// Rate of an input that is on; not in mode ideal.
    #[schemars(range(min = 0.1, max = 10000.0), extend("unit" = "Hz", "symbol" = "r_in"))]
    pub input_hz: f64,
    /// Duration of a presentation; not in mode ideal.
    #[schemars(range(min = 1.0, max = 1000.0), extend("unit" = "ms", "symbol" = "T"))]
    pub presentation_ms: f64,
    /// Shape of postsynaptic potentials; not in mode ideal.
    pub epsp: EpspShape,
    /// Width of a rectangular potential.
    #[schemars(range(min = 0.1, max = 1000.0), extend("unit" = "ms", "symbol" = "sigma"))]
    pub sigma_ms: f64,
    /// Rise of a double-exponential potential, below its fall; 0: a jump.
    #[schemars(range(min = 0.0, max = 1000.0), extend("unit" = "ms", "symbol" = "tau_r"))]
    pub tau_rise_ms: f64,
    /// Fall of a double-exponential potential.
    #[schemars(range(min = 0.1, max = 1000.0), extend("unit" = "ms", "symbol" = "tau_f"))]
    pub tau_fall_ms: f64,
    /// Step of the clock; mode clocked only.
    #[schemars(range(min = 0.01, max = 10.0), extend("unit" = "ms", "symbol" = "dt"))]
    pub dt_ms: f64,
    /// Bits of a weight, rounded stochastically at every step; 0: single precision.
    #[schemars(range(min = 0, max = 16), extend("unit" = "bits", "symbol" = "B"))]
    pub weight_bits: u32,
    /// Standard deviation of what a synapse passes on of its weight, around 1.
    #[schemars(range(min = 0.0, max = 1.0), extend("unit" = "1", "symbol" = "sd_m"))]
    pub mismatch_sd: f64,
    /// Part of the input spikes that is lost; in mode ideal, of the inputs that are on.
    #[schemars(range(min = 0.0, max = 0.99), extend("unit" = "1", "symbol" = "p_loss"))]
    pub drop_spikes: f64,
    /// Energy of a synaptic event or of the update of a synapse.
    #[schemars(range(min = 0.0, max = 1000000.0), extend("unit" = "pJ", "symbol" = "E_s"))]
    pub pj_per_event: f64,
    /// Pixels of a synthetic pattern.
    #[schemars(range(min = 1, max = 16), extend("unit" = "pixels", "symbol" = "D"))]
    pub pixels: u32,
    /// Components of the synthetic mixture.
    #[schemars(range(min = 1, max = 64), extend("unit" = "1", "symbol" = "K_0"))]
    pub components: u32,
    /// On-probability of a pixel in a component of the synthetic mixture: this, or 1 minus it.
    #[schemars(range(min = 0.001, max = 0.5), extend("unit" = "1", "symbol" = "lo"))]
    pub lo: f64,
    /// Which synthetic mixture: all runs with the same number see the same.
    #[schemars(range(min = 0, max = 1000000), extend("unit" = "1", "symbol" = "m"))]
    pub mixture: u64,
    /// A pixel is on if it is greater, in units of the data.
    #[schemars(range(min = 0, max = 254), extend("unit" = "pixel value", "symbol" = "t"))]
    pub threshold: u32,
    /// Pixels cut off on every side of an image.
    #[schemars(range(min = 0, max = 100), extend("unit" = "pixels", "symbol" = "m_c"))]
    pub crop: u32,
    /// Pixels that are on in fewer of the training images, as a part of them, are left out.
    #[schemars(range(min = 0.0, max = 0.5), extend("unit" = "1", "symbol" = "p_on"))]
    pub min_on: f64,
    /// Images of these classes only; all if empty.
    pub classes: Vec<u8>,
    /// Training images: the first of the training part, or of a shuffle if the data has no test part.
    #[schemars(range(min = 1, max = 10000000), extend("unit" = "images", "symbol" = "N_1"))]
    pub train_images: u32,
    /// Test images: the first of the test part, or those that follow the training images.
    #[schemars(range(min = 1, max = 10000000), extend("unit" = "images", "symbol" = "N_2"))]
    pub test_images: u32,
    /// Images of either part that are shown again at the end, to count spikes; not in mode ideal.
    #[schemars(range(min = 1, max = 100000), extend("unit" = "images", "symbol" = "N_s"))]
    pub spike_images: u32,
    /// Starts of batch expectation maximisation, the control; 0: none.
    #[schemars(range(min = 0, max = 100), extend("unit" = "starts", "symbol" = "S_em"))]
    pub em_starts: u32,
    /// Steps of each.
    #[schemars(range(min = 1, max = 10000), extend("unit" = "steps", "symbol" = "I_em"))]
    pub em_steps: u32,
    /// Further circuits that learn from the start at the end of the run; synthetic patterns in mode ideal only.
    #[schemars(range(min = 0, max = 1000), extend("unit" = "circuits", "symbol" = "S"))]
    pub starts: u32,
    /// Part of the run after which weights are averaged over spikes; 1: not at all. One neuron and one component only.
    #[schemars(range(min = 0.01, max = 1.0), extend("unit" = "1", "symbol" = "t_avg"))]
    pub average_from: f64,
    /// Patterns shown to the circuit as it is before it learns from their spikes; mode ideal only. They must divide
    /// `presentations`.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 4096), extend("unit" = "patterns", "symbol" = "n"))]
    pub batch: u32,
    /// Fixed parts of a batch, which several threads or processes can compute.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 64), extend("unit" = "shards", "symbol" = "S_b"))]
    pub shards: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            patterns: Patterns::Images,
            mode: Mode::Ideal,
            neurons: 40,
            presentations: 40_000,
            winner: WinnerRule::Softmax,
            init: Init::Optimistic,
            rate: RateRule::VarianceTracking,
            eta: 1.0,
            bias: BiasRule::Prior,
            eta_b: 0.002,
            c: 1.0,
            weight_floor: -7.0,
            circuit_hz: 200.0,
            input_hz: 40.0,
            presentation_ms: 50.0,
            epsp: EpspShape::Rectangular,
            sigma_ms: 10.0,
            tau_rise_ms: 2.0,
            tau_fall_ms: 20.0,
            dt_ms: 0.5,
            weight_bits: 0,
            mismatch_sd: 0.0,
            drop_spikes: 0.0,
            pj_per_event: 20.0,
            pixels: 10,
            components: 4,
            lo: 0.1,
            mixture: 1,
            threshold: 7,
            crop: 0,
            min_on: 0.0,
            classes: Vec::new(),
            train_images: 1347,
            test_images: 450,
            spike_images: 450,
            em_starts: 5,
            em_steps: 80,
            starts: 0,
            average_from: 1.0,
            batch: 1,
            shards: 1,
        }
    }
}

impl Params {
    /// Rules across fields.
    ///
    /// # Errors
    /// Field, value and rule.
    pub(super) fn check(&self) -> Result<(), ParamError> {
        let refuse =
            |field: &str, value: serde_json::Value, rule: &str| Err(ParamError::new(field, value, rule));
        let synthetic = self.patterns == Patterns::Synthetic;
        let stdp = Stdp { gain: self.c, floor: self.weight_floor };
        if stdp.floor >= stdp.equilibrium(1.0) {
            return refuse("weight_floor", self.weight_floor.into(), "it must be below ln `c`");
        }
        if self.epsp == EpspShape::DoubleExponential && self.tau_rise_ms >= self.tau_fall_ms {
            return refuse("tau_rise_ms", self.tau_rise_ms.into(), "it must be below `tau_fall_ms`");
        }
        if self.mode == Mode::Clocked && self.winner != WinnerRule::Softmax {
            let value = serde_json::to_value(self.winner).unwrap_or_default();
            return refuse("winner", value, "it must be softmax in mode clocked");
        }
        if self.init == Init::Truth && (!synthetic || self.components != self.neurons) {
            let rule = "it needs synthetic patterns of as many `components` as `neurons`";
            return refuse("init", "truth".into(), rule);
        }
        if self.starts > 0 && (!synthetic || self.mode != Mode::Ideal || self.init == Init::Truth) {
            let rule =
                "it must be 0 unless patterns are synthetic, the mode ideal and the start not the truth";
            return refuse("starts", self.starts.into(), rule);
        }
        let is_single = synthetic && self.mode == Mode::Ideal && self.neurons == 1 && self.components == 1;
        if self.average_from < 1.0 && (!is_single || self.rate != RateRule::Constant) {
            let rule =
                "it must be 1 unless one neuron learns one synthetic component, ideally, at a constant rate";
            return refuse("average_from", self.average_from.into(), rule);
        }
        let whole = self.presentations.is_multiple_of(u64::from(self.batch));
        let plain = self.mode == Mode::Ideal && self.starts == 0 && self.average_from == 1.0;
        if self.batch > 1 && !(whole && plain) {
            let rule = "it must be 1 unless the mode is ideal, without `starts` and `average_from`, and divide `presentations`";
            return refuse("batch", self.batch.into(), rule);
        }
        if self.shards > self.batch {
            return refuse("shards", self.shards.into(), "it must be at most `batch`");
        }
        let classes = &self.classes;
        if (1..classes.len()).any(|i| classes[..i].contains(&classes[i])) {
            return refuse("classes", serde_json::to_value(classes).unwrap_or_default(), "each class once");
        }
        Ok(())
    }

    /// How the neuron of a spike is chosen.
    pub(super) fn winner_rule(&self) -> Winner {
        match self.winner {
            WinnerRule::Softmax => Winner::Softmax,
            WinnerRule::Argmax => Winner::Argmax,
            WinnerRule::Uniform => Winner::Uniform,
        }
    }

    /// Where a circuit starts that does not start at the truth.
    pub(super) fn start(&self) -> Start {
        if self.init == Init::LogHalf { Start::LogGroup } else { Start::Optimistic }
    }

    /// The known mixture.
    pub(super) fn synthetic(&self) -> Synthetic {
        let draws = numerics::Draws::at(self.mixture, 0);
        Synthetic::new(self.pixels as usize, self.components as usize, self.lo, draws)
    }
}
