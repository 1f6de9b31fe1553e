//! What a circuit has learned, and how its spikes tell classes apart.

use numerics::{
    Draws,
    wta::{Circuit, Mixture, Traces, Votes, accuracy},
};

use super::{
    State, WtaMixture,
    circuit::{Activity, Learns, Room},
    patterns::{Labels, Patterns, Pictures},
};
use crate::Metrics;

/// Receptive fields that are shown.
const FIELDS: usize = 100;
/// Test images of the raster.
const RASTER_IMAGES: usize = 20;
/// Synapses of `weights_and_log_p`.
const SYNAPSES: usize = 2000;
/// Presentations for looking have steps of their own, beyond those of any run.
const LOOKING: u64 = 1 << 40;

/// What is seen on the way.
pub(super) fn observe_fit(run: &WtaMixture, state: &State, mixture: &Mixture, out: &mut Metrics) {
    out.vector("watched_weights", &watched(&state.circuit));
    out.scalar("group_sum", group_sum(&state.circuit, run.params.c));
    if out.wants("used_neurons") {
        let mut winners = mixture.assign(run.patterns.shown());
        winners.sort_unstable();
        winners.dedup();
        out.scalar("used_neurons", winners.len() as f64);
    }
    match &run.patterns {
        Patterns::Synthetic(synthetic) => out.scalar("kl", synthetic.divergence(mixture)),
        Patterns::Images(pictures) => {
            out.scalar("test_log_likelihood", mixture.log_likelihood(&pictures.test, None));
            if out.wants("train_log_likelihood") {
                out.scalar("train_log_likelihood", mixture.log_likelihood(&pictures.train, None));
            }
            if let Some(labels) = pictures.labels.as_ref().filter(|_| out.wants("class_entropy")) {
                let (entropy, accuracy) = judge(mixture, pictures, labels);
                out.scalar("class_entropy", entropy);
                out.scalar("vote_accuracy", accuracy);
            }
        }
    }
}

/// Class entropy on training images and vote accuracy on test images of a mixture on clean images.
pub(super) fn judge(mixture: &Mixture, pictures: &Pictures, labels: &Labels) -> (f64, f64) {
    let winners = mixture.assign(&pictures.train);
    let votes = Votes::of(mixture.components(), labels.classes, &winners, &labels.train);
    (votes.class_entropy(), accuracy(&mixture.assign(&pictures.test), &votes.labels(), &labels.test))
}

/// Four inputs of each of the first four neurons, spread over the pattern.
fn watched(circuit: &Circuit) -> Vec<f32> {
    let neurons = circuit.neurons().min(4);
    let inputs = circuit.inputs().min(16 / neurons);
    let step = circuit.inputs() / inputs;
    (0..neurons).flat_map(|k| (0..inputs).map(move |i| circuit.weights(k)[i * step])).collect()
}

fn group_sum(circuit: &Circuit, gain: f64) -> f64 {
    let row = |k| {
        circuit
            .weights(k)
            .as_chunks::<2>()
            .0
            .iter()
            .fold(0.0, |sum, [off, on]| sum + libm::exp(f64::from(*off)) + libm::exp(f64::from(*on)))
    };
    let total = (0..circuit.neurons()).fold(0.0, |sum, k| sum + row(k));
    total / gain / (circuit.neurons() * circuit.inputs() / 2) as f64
}

/// What the weights say at the end.
pub(super) fn observe_weights(run: &WtaMixture, state: &State, mixture: &Mixture, out: &mut Metrics) {
    out.vector("bias", state.circuit.bias());
    if let Patterns::Images(Pictures { frame, .. }) = &run.patterns {
        let fields: Vec<f32> =
            (0..mixture.components().min(FIELDS)).flat_map(|k| frame.picture(mixture.on(k))).collect();
        out.tiles("receptive_fields", frame.rows, frame.cols, &fields);
    }
    if let Patterns::Images(Pictures { train, test, labels: Some(labels), .. }) = &run.patterns {
        let votes = Votes::of(
            state.circuit.neurons(),
            labels.classes,
            &run.rules.winners(&state.circuit, train),
            &labels.train,
        );
        let right = accuracy(&run.rules.winners(&state.circuit, test), &votes.labels(), &labels.test);
        out.scalar("circuit_vote_accuracy", right);
    }
    if state.traces.is_none() {
        observe_log_p(run, &state.circuit, mixture, out);
    }
}

/// Weights beside the logarithms that they should be, p being what the posterior of the mixture says of the patterns.
fn observe_log_p(run: &WtaMixture, circuit: &Circuit, mixture: &Mixture, out: &mut Metrics) {
    let (posterior, _) = mixture.em_step(run.patterns.shown(), run.patterns.weights(), 0.0);
    let (mut pairs, mut square, mut n) = (Vec::new(), 0.0, 0.0);
    for k in (0..circuit.neurons()).filter(|&k| circuit.spikes()[k] > 0) {
        let p = posterior.on(k).iter().flat_map(|&p| [1.0 - p, p]);
        for (p, &w) in p.zip(circuit.weights(k)) {
            let target = libm::log(run.params.c * p);
            pairs.push([target as f32, w]);
            if p > 0.02 {
                n += 1.0;
                square += (f64::from(w) - target) * (f64::from(w) - target);
            }
        }
    }
    let step = pairs.len().div_ceil(SYNAPSES).max(1);
    let some: Vec<f32> = pairs.into_iter().step_by(step).flatten().collect();
    if n > 0.0 {
        out.matrix("weights_and_log_p", 2, &some);
        out.scalar("weight_error", (square / n).sqrt());
    }
}

/// Spikes, events and energy of a presentation.
pub(super) fn observe_activity(run: &WtaMixture, state: &State, presentations: u64, out: &mut Metrics) {
    if presentations == 0 {
        return;
    }
    let Activity { input_spikes, circuit_spikes } = state.activity;
    let [inputs, spikes] = [input_spikes, circuit_spikes].map(|n| n as f64 / presentations as f64);
    let events = inputs * state.circuit.neurons() as f64;
    let updates = spikes * state.circuit.inputs() as f64;
    out.scalar("input_spikes", inputs);
    out.scalar("circuit_spikes", spikes);
    out.scalar("synaptic_events", events);
    out.scalar("plasticity_updates", updates);
    out.scalar("energy_nj", (events + updates) * run.params.pj_per_event / 1000.0);
    if state.traces.is_some() {
        out.scalar("circuit_rate_hz", spikes / run.params.presentation_ms * 1000.0);
    }
}

/// Shows images once more, without learning, and counts spikes: labels of neurons from training images, then the test.
pub(super) fn observe_spikes(run: &WtaMixture, state: &State, out: &mut Metrics) {
    let (Some(traces), Patterns::Images(pictures)) = (&state.traces, &run.patterns) else { return };
    let images = run.params.spike_images as usize;
    let mut look =
        Look { run, circuit: state.circuit.clone(), traces: traces.clone(), room: Room::default(), shown: 0 };
    let mut raster = Vec::new();
    let neurons = state.circuit.neurons();
    let classes = pictures.labels.as_ref().map_or(1, |labels| labels.classes);
    let label = |labels: &dyn Fn(&Labels) -> u8| pictures.labels.as_ref().map_or(0, labels);
    let mut votes = Votes::new(neurons, classes);
    for image in 0..images.min(pictures.train.len()) {
        for &neuron in look.at(pictures.train.row(image)) {
            votes.add(neuron, label(&|labels| labels.train[image]), 1);
        }
    }
    let standing = votes.labels();
    let (mut test, mut winners, mut truth) = (Votes::new(neurons, classes), Vec::new(), Vec::new());
    for image in 0..images.min(pictures.test.len()) {
        let class = label(&|labels| labels.test[image]);
        let mut counts = vec![0_u32; neurons];
        for &neuron in look.at(pictures.test.row(image)) {
            test.add(neuron, class, 1);
            counts[neuron as usize] += 1;
        }
        let most = (1..neurons).fold(0, |best, k| if counts[k] > counts[best] { k } else { best });
        winners.push(most as u32);
        truth.push(class);
        if image < RASTER_IMAGES {
            let begin = image as f64 * run.params.presentation_ms;
            let spikes = look.room.buffers.spikes.iter();
            raster.extend(spikes.map(|spike| (begin + spike.ms, spike.neuron)));
        }
    }
    out.raster("spike_raster", raster.iter().copied());
    if pictures.labels.is_some() {
        out.scalar("spike_vote_accuracy", accuracy(&winners, &standing, &truth));
        out.scalar("spike_class_entropy", test.class_entropy());
    }
}

/// A copy of the circuit that is shown patterns and does not learn.
struct Look<'a> {
    run: &'a WtaMixture,
    circuit: Circuit,
    traces: Traces,
    room: Room,
    shown: u64,
}

impl Look<'_> {
    /// The neurons of the spikes while a pattern is shown.
    fn at(&mut self, pixels: &[u32]) -> impl Iterator<Item = &u32> {
        let draws = Draws::at(self.run.seed, LOOKING + self.shown);
        self.shown += 1;
        let Self { run, circuit, traces, room, .. } = self;
        run.rules.show(circuit, Some(traces), pixels, Learns::No, draws, room);
        self.room.buffers.spikes.iter().map(|spike| &spike.neuron)
    }
}
