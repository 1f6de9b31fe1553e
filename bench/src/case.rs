//! What is compared: each case is a setting of an experiment and the peers that can do the same work.

use serde_json::{Map, Value as Json, json};

use crate::mnist::{THRESHOLD, TRAIN_IMAGES};

/// Images in a mini-batch, in every case that is compared.
pub(crate) const BATCH: usize = 100;
/// Steps η of the ascent: w moves by η · gradient, whatever the momentum.
const ETA: f64 = 0.1;
/// η of persistent chains, which need smaller steps.
const ETA_PERSISTENT: f64 = 0.02;
const MOMENTUM: f64 = 0.5;
const WEIGHT_DECAY: f64 = 2e-4;
/// r: how much faster the log-odds of release climb.
const RELEASE_RATE_RATIO: f64 = 16.0;
/// Release probability at the start.
const P0: f64 = 0.5;
/// |a| stays at most this, as in the experiment.
const A_LIMIT: f64 = 8.0;

/// One setting of an experiment.
#[derive(Debug)]
pub(crate) struct Case {
    /// What synapses and statistics do.
    pub(crate) variant: Variant,
    /// H.
    pub(crate) hidden_units: u32,
    /// Who else can do it.
    pub(crate) opponents: &'static [Opponent],
}

/// What synapses and statistics do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    /// Reliable synapses, hidden probabilities in the statistics.
    Probabilities,
    /// Reliable synapses, hidden samples in the statistics.
    Sampled,
    /// Model B, one mask a mini-batch.
    MaskBatch,
    /// Model B, a fresh mask in each half step.
    MaskHalfStep,
    /// Model B, a fresh mask for each example in each half step.
    MaskExample,
    /// Model A through its effective weights.
    Collapse,
}

/// Who does the same work.
#[derive(Debug)]
pub(crate) struct Opponent {
    /// In the report.
    pub(crate) name: &'static str,
    /// Its program.
    pub(crate) program: Program,
    /// What it is told to do.
    pub(crate) mode: &'static str,
    /// The rule that both sides learn by.
    pub(crate) rule: Rule,
    /// Images it trains on before it is timed.
    pub(crate) warm_up: usize,
    /// Images of one timed turn.
    pub(crate) turn: usize,
    /// How its quality is compared with ours.
    pub(crate) quality: Quality,
}

/// A program in `bench/peers`, with an environment of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// `torch_rbm.py`.
    Torch,
    /// `scikit_learn_rbm.py`.
    ScikitLearn,
    /// `rbms_rbm.py`.
    Rbms,
    /// `brian2_wta.py`.
    Brian2,
    /// `nest_wta.py`.
    Nest,
    /// `torch_synapses.py`.
    TorchSynapses,
    /// `brian2_synapses.py`.
    Brian2Synapses,
}

/// How both sides learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// CD-1 with momentum and decay.
    Cd,
    /// PCD-1 by plain gradient ascent: what scikit-learn and rbms have.
    Pcd,
}

/// How the errors of both sides are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quality {
    /// Both train the same model: equal up to chance.
    SameModel,
    /// The peer trains a model without masks, as the price of ours: ours must not be much worse.
    OtherModel,
}

/// Timed turns of ours, and what it trains on before.
pub(crate) const WARM_UP: usize = 20_000;
/// Images of one turn of ours.
pub(crate) const TURN: usize = 10_000;

const fn torch(name: &'static str, mode: &'static str) -> Opponent {
    let quality = Quality::SameModel;
    Opponent { name, program: Program::Torch, mode, rule: Rule::Cd, warm_up: WARM_UP, turn: TURN, quality }
}

const fn persistent(name: &'static str, program: Program, mode: &'static str) -> Opponent {
    let (rule, quality) = (Rule::Pcd, Quality::SameModel);
    Opponent { name, program, mode, rule, warm_up: WARM_UP, turn: TURN, quality }
}

const PLAIN: [Opponent; 5] = [
    torch("torch f32", "plain"),
    torch("torch bf16", "bf16"),
    persistent("scikit-learn", Program::ScikitLearn, "float32"),
    persistent("scikit-learn f64", Program::ScikitLearn, "float64"),
    persistent("rbms", Program::Rbms, "plain"),
];
const SAMPLED: [Opponent; 2] = [torch("torch f32", "plain"), torch("torch bf16", "bf16")];
const MASK_BATCH: [Opponent; 1] = [torch("torch f32", "mask-batch")];
const MASK_HALF_STEP: [Opponent; 1] = [torch("torch f32", "mask-half-step")];
const MASK_EXAMPLE: [Opponent; 2] = [
    // Two mini-batches take torch seconds.
    Opponent { warm_up: 100, turn: 200, ..torch("torch f32", "mask-example") },
    Opponent { quality: Quality::OtherModel, ..torch("torch f32, plain RBM", "plain") },
];
const COLLAPSE: [Opponent; 1] = [torch("torch f32", "collapse")];

const fn case(variant: Variant, hidden_units: u32, opponents: &'static [Opponent]) -> Case {
    Case { variant, hidden_units, opponents }
}

/// Every comparison, in the order it runs.
pub(crate) const CASES: &[Case] = &[
    case(Variant::Probabilities, 256, &PLAIN),
    case(Variant::Probabilities, 500, &PLAIN),
    case(Variant::Sampled, 256, &SAMPLED),
    case(Variant::Sampled, 500, &SAMPLED),
    case(Variant::MaskBatch, 256, &MASK_BATCH),
    case(Variant::MaskBatch, 500, &MASK_BATCH),
    case(Variant::MaskHalfStep, 256, &MASK_HALF_STEP),
    case(Variant::MaskHalfStep, 500, &MASK_HALF_STEP),
    case(Variant::MaskExample, 256, &MASK_EXAMPLE),
    case(Variant::MaskExample, 500, &MASK_EXAMPLE),
    case(Variant::Collapse, 256, &COLLAPSE),
    case(Variant::Collapse, 500, &COLLAPSE),
];

impl Case {
    /// GROUP/sizes/variant.
    pub(crate) fn name(&self) -> String {
        format!("{}/784x{}/{}", self.variant.experiment(), self.hidden_units, self.variant.name())
    }
}

impl Variant {
    pub(crate) const ALL: [Variant; 6] = [
        Variant::Probabilities,
        Variant::Sampled,
        Variant::MaskBatch,
        Variant::MaskHalfStep,
        Variant::MaskExample,
        Variant::Collapse,
    ];

    /// In the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Variant::Probabilities => "probabilities",
            Variant::Sampled => "sampled",
            Variant::MaskBatch => "mask-batch",
            Variant::MaskHalfStep => "mask-half-step",
            Variant::MaskExample => "mask-example",
            Variant::Collapse => "collapse",
        }
    }

    /// In the catalogue.
    pub(crate) fn experiment(self) -> &'static str {
        match self {
            Variant::Probabilities | Variant::Sampled => "rbm",
            _ => "rbse",
        }
    }

    fn statistics(self) -> &'static str {
        if self == Variant::Sampled { "samples" } else { "probabilities" }
    }

    /// Params that differ from the defaults of the experiment.
    pub(crate) fn params(self, hidden_units: u32, batch: usize, rule: Rule) -> Map<String, Json> {
        let (momentum, decay) = rule.momentum_and_decay();
        let mut params = json!({
            "hidden_units": hidden_units,
            "batch": batch,
            "epochs": 10_000,
            // The experiment scales its rate by (1 − m)/0.5.
            "eta_w": rule.eta() * 0.5 / (1.0 - momentum),
            "rule": match rule { Rule::Cd => "cd", Rule::Pcd => "pcd" },
            "cd_k": 1,
            "momentum_start": momentum,
            "momentum_end": momentum,
            "weight_decay": decay,
            "threshold": THRESHOLD,
            "train_images": TRAIN_IMAGES,
            "test_images": 100,
        });
        let own = match self {
            Variant::Probabilities => json!({}),
            Variant::Sampled => json!({ "statistics": "samples" }),
            Variant::Collapse => json!({ "model": "A" }),
            Variant::MaskBatch => json!({ "model": "B" }),
            Variant::MaskHalfStep => json!({ "model": "B", "masks": "half_step" }),
            Variant::MaskExample => json!({ "model": "B", "masks": "example" }),
        };
        let params = params.as_object_mut().expect("it was written as one");
        params.extend(own.as_object().expect("it was written as one").clone());
        if self.experiment() == "rbse" {
            params.extend([("r".into(), json!(RELEASE_RATE_RATIO)), ("p0".into(), json!(P0))]);
        }
        std::mem::take(params)
    }

    /// What a peer must know to learn in the same way.
    pub(crate) fn peer_setup(self, hidden_units: u32, opponent: &Opponent) -> Map<String, Json> {
        let (momentum, decay) = opponent.rule.momentum_and_decay();
        let setup = json!({
            "mode": opponent.mode,
            "seed": 1,
            "batch": BATCH,
            "train_images": TRAIN_IMAGES,
            "hidden_units": hidden_units,
            "eta": opponent.rule.eta(),
            "momentum": momentum,
            "weight_decay": decay,
            "statistics": self.statistics(),
            "releases": self.experiment() == "rbse" && opponent.quality == Quality::SameModel,
            "r": RELEASE_RATE_RATIO,
            "a_limit": A_LIMIT,
        });
        setup.as_object().expect("it was written as one").clone()
    }
}

impl Rule {
    /// Step of w along its gradient.
    pub(crate) fn eta(self) -> f64 {
        match self {
            Rule::Cd => ETA,
            Rule::Pcd => ETA_PERSISTENT,
        }
    }

    /// What stays of a velocity, and the decay of w.
    pub(crate) fn momentum_and_decay(self) -> (f64, f64) {
        match self {
            Rule::Cd => (MOMENTUM, WEIGHT_DECAY),
            Rule::Pcd => (0.0, 0.0),
        }
    }
}

impl Program {
    /// One for each environment.
    pub(crate) const ALL: [Program; 5] =
        [Program::Torch, Program::ScikitLearn, Program::Rbms, Program::Brian2, Program::Nest];

    /// Of the folder of its environment, its requirements, and in `--skip`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Program::Torch | Program::TorchSynapses => "torch",
            Program::ScikitLearn => "scikit-learn",
            Program::Rbms => "rbms",
            Program::Brian2 | Program::Brian2Synapses => "brian2",
            Program::Nest => "nest",
        }
    }

    /// Its file in `bench/peers`.
    pub(crate) fn script(self) -> &'static str {
        match self {
            Program::Torch => "torch_rbm.py",
            Program::ScikitLearn => "scikit_learn_rbm.py",
            Program::Rbms => "rbms_rbm.py",
            Program::Brian2 => "brian2_wta.py",
            Program::Nest => "nest_wta.py",
            Program::TorchSynapses => "torch_synapses.py",
            Program::Brian2Synapses => "brian2_synapses.py",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_comparison_is_listed_twice() {
        let pairs = CASES.iter().flat_map(|case| {
            case.opponents.iter().map(move |opponent| format!("{} {}", case.name(), opponent.name))
        });
        let pairs: Vec<String> = pairs.collect();
        assert_eq!(pairs.iter().collect::<BTreeSet<_>>().len(), pairs.len());
    }

    #[test]
    fn the_experiments_take_the_params_of_every_case() {
        for case in CASES {
            let kind = experiments::find(case.variant.experiment()).expect("it is in the catalogue");
            for opponent in case.opponents {
                let params = case.variant.params(case.hidden_units, BATCH, opponent.rule);
                let refused = kind.resolve(None, &params).err();
                assert!(refused.is_none(), "{}: {refused:?}", case.name());
            }
        }
    }

    #[test]
    fn both_sides_take_steps_of_the_same_length() {
        for rule in [Rule::Cd, Rule::Pcd] {
            let params = Variant::Probabilities.params(256, BATCH, rule);
            let [eta, momentum] =
                ["eta_w", "momentum_start"].map(|name| params[name].as_f64().expect("a number"));
            assert!((eta * (1.0 - momentum) / 0.5 - rule.eta()).abs() < 1e-12);
        }
    }

    #[test]
    fn turns_are_whole_mini_batches() {
        for opponent in CASES.iter().flat_map(|case| case.opponents) {
            assert_eq!((opponent.turn % BATCH, opponent.warm_up % BATCH), (0, 0), "{}", opponent.name);
        }
    }
}
