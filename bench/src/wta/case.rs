//! Which circuits are simulated.

use serde_json::{Map, Value as Json, json};

use crate::{case::Program, mnist::THRESHOLD};

/// R.
pub(crate) const CIRCUIT_HZ: f64 = 200.0;
/// Presentations of a turn.
pub(crate) const PRESENTATIONS: usize = 400;
const PRESENTATION_MS: f64 = 50.0;
/// Simulated seconds of a turn.
pub(crate) const TURN_SECONDS: f64 = PRESENTATIONS as f64 * PRESENTATION_MS / 1000.0;
/// Time constant of the potentials, which jump and decay.
const TAU_MS: f64 = 10.0;
const ETA: f64 = 0.02;
/// Keeps the potentials of simulators within the range of e^u.
const C: f64 = 1.5;
const WEIGHT_FLOOR: f64 = -7.0;

/// A circuit and who else simulates it.
#[derive(Debug)]
pub(crate) struct Case {
    /// N: two for each pixel, one of which is on.
    pub(crate) inputs: u32,
    /// K.
    pub(crate) neurons: u32,
    /// Mean rate of the inputs: half of them fire at twice this.
    pub(crate) hz: u32,
    pub(crate) simulators: &'static [Simulator],
}

/// Who simulates circuits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Simulator {
    Brian2,
    Nest,
}

/// Whether the peer can do all that ours does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// The same rule: weights are compared.
    Same,
    /// The same spikes and synapses under a simpler rule, without inhibition.
    Less,
}

const BOTH: &[Simulator] = &[Simulator::Brian2, Simulator::Nest];

const fn case(inputs: u32, neurons: u32, hz: u32, simulators: &'static [Simulator]) -> Case {
    Case { inputs, neurons, hz, simulators }
}

/// Every comparison.
pub(crate) const CASES: &[Case] =
    &[case(784, 10, 20, BOTH), case(784, 100, 20, BOTH), case(1568, 100, 50, BOTH)];

/// Ours alone: inputs, neurons and rates one by one, up to a large circuit.
pub(crate) const GROWTH: &[Case] = &[
    case(784, 1000, 20, &[]),
    case(1568, 100, 20, &[]),
    case(1568, 1000, 20, &[]),
    case(1568, 1000, 50, &[]),
    case(784, 100, 50, &[]),
    case(784, 100, 100, &[]),
];

impl Case {
    /// GROUP/sizes/rate.
    pub(crate) fn name(&self) -> String {
        format!("wta/{}x{}/{}hz", self.inputs, self.neurons, self.hz)
    }

    /// Params of our experiment.
    pub(super) fn params(&self, train_images: usize, test_images: usize) -> Map<String, Json> {
        let params = json!({
            "mode": "spiking", "neurons": self.neurons, "presentations": 100_000_000, "init": "optimistic",
            "rate": "constant", "eta": ETA, "bias": "fixed", "c": C, "weight_floor": WEIGHT_FLOOR,
            "circuit_hz": CIRCUIT_HZ, "input_hz": 2 * self.hz, "presentation_ms": PRESENTATION_MS,
            "epsp": "double_exponential", "tau_rise_ms": 0.0, "tau_fall_ms": TAU_MS,
            "threshold": THRESHOLD, "train_images": train_images, "test_images": test_images, "em_starts": 0,
        });
        params.as_object().expect("it was written as one").clone()
    }

    /// What a peer must know.
    pub(super) fn peer_setup(&self) -> Map<String, Json> {
        let setup = json!({
            "inputs": self.inputs, "neurons": self.neurons, "input_hz": 2 * self.hz, "circuit_hz": CIRCUIT_HZ,
            "presentations": PRESENTATIONS, "presentation_ms": PRESENTATION_MS, "tau_ms": TAU_MS, "eta": ETA, "c": C,
            "weight_floor": WEIGHT_FLOOR,
        });
        setup.as_object().expect("it was written as one").clone()
    }
}

impl Simulator {
    /// In the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Simulator::Brian2 => "Brian2 C++",
            Simulator::Nest => "NEST",
        }
    }

    pub(crate) fn program(self) -> Program {
        match self {
            Simulator::Brian2 => Program::Brian2,
            Simulator::Nest => Program::Nest,
        }
    }

    pub(super) fn work(self) -> Work {
        match self {
            Simulator::Brian2 => Work::Same,
            Simulator::Nest => Work::Less,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_experiment_takes_the_params_of_every_case() {
        let kind = experiments::find("wta-mixture").expect("it is in the catalogue");
        for case in CASES.iter().chain(GROWTH) {
            let refused = kind.resolve(None, &case.params(2000, 500)).err();
            assert!(refused.is_none(), "{}: {refused:?}", case.name());
            assert!(case.inputs % 56 == 0, "pixels are whole rows of 28");
        }
    }
}
