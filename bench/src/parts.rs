//! Where a step spends its time: processor time of every kernel in a trained machine.

use std::collections::BTreeMap;

use kernels::Level;
use numerics::{
    BinaryRows, Draws,
    boltzmann::{
        Chain, Init, Learning, Masks, Parameters, PersistentChains, Statistics, Synapses,
        tiled::{Images, Part, Scratch, State, step_in_parts},
    },
};

use crate::{
    case::{BATCH, Rule, Variant, WARM_UP},
    cpu,
    line::{Line, Report},
    mnist::Mnist,
    ratio::median,
    select::Selection,
};

const HIDDEN_UNITS: [usize; 2] = [256, 500];
/// Steps that are timed, after as many as the comparisons train before they time.
const STEPS: usize = 200;

/// Measures what is selected.
pub(crate) fn run(selection: &Selection, mnist: &Mnist, report: &mut Report) {
    let rules = [(Variant::Probabilities, Rule::Pcd)];
    let cases = Variant::ALL.map(|variant| (variant, Rule::Cd)).into_iter().chain(rules);
    let cases: Vec<_> = cases.collect();
    let images = mnist.training();
    for hidden_units in HIDDEN_UNITS {
        for &(variant, rule) in &cases {
            let name = if rule == Rule::Pcd { "persistent" } else { variant.name() };
            let name = format!("kernels/784x{hidden_units}/{name}");
            if selection.wants(&name) {
                measure(&name, learning(variant, rule), hidden_units, &images, report);
            }
        }
    }
}

/// The rule of a case, as its experiment has it.
fn learning(variant: Variant, rule: Rule) -> (Synapses, Learning) {
    let (momentum, weight_decay) = rule.momentum_and_decay();
    let synapses = match variant {
        Variant::Probabilities | Variant::Sampled => Synapses::Reliable,
        Variant::Collapse => Synapses::JointEnergy,
        Variant::MaskBatch | Variant::MaskHalfStep | Variant::MaskExample => Synapses::PriorMixture,
    };
    let masks = match variant {
        Variant::MaskHalfStep => Masks::HalfStep,
        Variant::MaskExample => Masks::Example,
        _ => Masks::Batch,
    };
    let statistics =
        if variant == Variant::Sampled { Statistics::Samples } else { Statistics::Probabilities };
    let chain = match rule {
        Rule::Cd => Chain::Cd { k: 1 },
        Rule::Pcd => Chain::Pcd { k: 1 },
    };
    // Defaults of `Learning` for r and the limit of a are those of the comparisons.
    let learning = Learning {
        eta_w: rule.eta(),
        momentum,
        weight_decay,
        masks,
        statistics,
        chain,
        ..Learning::default()
    };
    (synapses, learning)
}

/// Trains, then reports the median microseconds of each part and of the whole step.
fn measure(
    name: &str,
    (synapses, learning): (Synapses, Learning),
    hidden_units: usize,
    rows: &BinaryRows,
    report: &mut Report,
) {
    let draws = |step: usize| Draws::at(1, step as u64);
    let init = Init { hidden_units, ..Init::default() };
    let parameters = Parameters::init(synapses, init, rows.column_means().view(), draws(0));
    let mut state = State::new(parameters);
    if matches!(learning.chain, Chain::Pcd { .. }) {
        state = state.with_chains(PersistentChains::init(BATCH, hidden_units, draws(0)));
    }
    let images = Images::from(rows);
    let mut scratch = Scratch::default();
    let mut times: BTreeMap<Part, Vec<f64>> = BTreeMap::new();
    let mut wholes = Vec::new();
    for step in 0..WARM_UP / BATCH + STEPS {
        let first = step * BATCH % rows.len();
        let picks: Vec<u32> = (first..first + BATCH).map(|image| image as u32).collect();
        let began = cpu::now();
        let mut last = began;
        let mut parts: BTreeMap<Part, f64> = BTreeMap::new();
        let mut ended = |part| {
            let now = cpu::now();
            *parts.entry(part).or_default() += 1e6 * (now - last);
            last = now;
        };
        let batch = images.batch(&picks);
        step_in_parts(Level::detected(), &mut state, batch, &learning, &mut scratch, draws(step), &mut ended);
        if step >= WARM_UP / BATCH {
            wholes.push(1e6 * (last - began));
            for (part, time) in parts {
                times.entry(part).or_default().push(time);
            }
        }
    }
    for (part, times) in times {
        report.push(Line::alone(format!("{name}/{}", label(part)), median(&times), "us/step", true));
    }
    report.push(Line::alone(format!("{name}/step"), median(&wholes), "us/step", true));
}

/// In the report.
fn label(part: Part) -> &'static str {
    match part {
        Part::Preparation => "preparation",
        Part::Lists => "lists",
        Part::UpData => "up-data",
        Part::Down => "down",
        Part::UpModel => "up-model",
        Part::Units => "units",
        Part::Pairs => "pairs",
        Part::Ascent => "ascent",
        Part::Biases => "biases",
    }
}
