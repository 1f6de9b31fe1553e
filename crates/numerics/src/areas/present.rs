//! One pattern, millisecond by millisecond.

use kernels::rewiring::{self, Row};
use serde::{Deserialize, Serialize};

use super::{
    Area, Code, Coded, Rule, Synapses, Wiring,
    input::{Counts, Spikes},
    traces::Traces,
};
use crate::{
    Draws, Stream,
    synaptic_sampling::Epsp,
    wta::{Winner, winner},
};

/// What a presentation shows and how the network runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// Duration of a pattern.
    pub ms: usize,
    /// Rate of each circuit.
    pub circuit_hz: f64,
    /// Potentials.
    pub epsp: Epsp,
    /// A spike reaches other neurons after this.
    pub delay_ms: usize,
    /// How features are fired.
    pub code: Code,
}

/// Whether synapses and excitabilities change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learning {
    /// Both.
    On,
    /// Excitabilities only.
    Frozen,
    /// Neither.
    Off,
}

/// Where a presentation takes its random numbers from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Streams {
    inputs: Stream,
    circuits: Stream,
    winners: Stream,
}

impl Streams {
    /// Of learning.
    pub const LEARNING: Self =
        Self { inputs: Stream::InputSpikes, circuits: Stream::CircuitSpikes, winners: Stream::Winner };
    /// Of tests.
    pub const TESTS: Self = Self {
        inputs: Stream::ObserveInputSpikes,
        circuits: Stream::ObserveCircuitSpikes,
        winners: Stream::ObserveWinner,
    };
}

/// What happened, in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Spikes of inputs.
    pub input_spikes: u64,
    /// Spikes of neurons.
    pub spikes: u64,
    /// Synapses that were looked at as their neuron fired, to change those that are functional.
    pub updates: u64,
}

/// What can be computed anew from [`Synapses`] at any time, and buffers.
#[derive(Debug, Clone)]
pub struct Work {
    wiring: Wiring,
    rule: Rule,
    sight: Sight,
    most: [Vec<f32>; 2],
    counts: [Counts; 2],
    mean_trace: [f64; 2],
    /// Weights and depressions, as θ.
    w: [Vec<f32>; 2],
    depression: [Vec<f32>; 2],
    /// A of all neurons.
    normaliser: Vec<f32>,
    /// Spikes of each neuron in the last presentation.
    spikes: Vec<u32>,
    /// Sum of everything since it was last taken.
    activity: Activity,
    inputs: [Spikes; 2],
    traces: [Traces; 2],
    lateral: Traces,
    /// Traces of a row's sources, as long as they are current.
    x: [Vec<f32>; 2],
    /// Neurons that fired in the last milliseconds: `delay_ms + 1` lists in a ring.
    sent: Vec<Vec<u32>>,
    fires: Vec<u32>,
    chances: Vec<u32>,
    u: Vec<f32>,
    living: Vec<f32>,
}

impl Work {
    /// For networks of this wiring; call [`Work::settle`] before the first presentation.
    ///
    /// # Panics
    /// If circuits do not divide the neurons, or inputs are not pairs.
    pub fn new(wiring: Wiring, rule: Rule, sight: Sight) -> Self {
        assert!(
            wiring.circuits > 0 && wiring.neurons.is_multiple_of(wiring.circuits),
            "circuits of equal size"
        );
        assert!(wiring.inputs.iter().all(|inputs| inputs.is_multiple_of(2)), "inputs are pairs");
        let rows = |area| vec![0.0; wiring.neurons * wiring.width(area)];
        let features = wiring.inputs.map(|inputs| inputs / 2);
        let area_s = 1e-3 * (sight.epsp.tau_fall_ms - sight.epsp.tau_rise_ms);
        let pairs_per_ms = |features: usize| features as f64 * sight.code.pair_hz() * 1e-3;
        Self {
            wiring,
            rule,
            sight,
            most: Area::ALL.map(|area| rule.most(&wiring, area)),
            counts: features.map(|features| Counts::poisson(pairs_per_ms(features))),
            mean_trace: features.map(|features| sight.code.mean_trace(features, area_s)),
            w: Area::ALL.map(rows),
            depression: Area::ALL.map(rows),
            normaliser: vec![0.0; wiring.all()],
            spikes: vec![0; wiring.all()],
            activity: Activity::default(),
            inputs: Default::default(),
            traces: wiring.inputs.map(Traces::new),
            lateral: Traces::new(wiring.all()),
            x: Area::ALL.map(|area| vec![0.0; wiring.width(area)]),
            sent: vec![Vec::new(); sight.delay_ms + 1],
            fires: Vec::new(),
            chances: Vec::new(),
            u: vec![0.0; wiring.members()],
            living: Vec::new(),
        }
    }

    /// Follows another rule from now on.
    pub fn follow(&mut self, rule: Rule) {
        self.rule = rule;
        self.most = Area::ALL.map(|area| rule.most(&self.wiring, area));
    }

    /// Brings θ into its bounds and computes what follows from it. With θ in its bounds it changes nothing.
    ///
    /// # Panics
    /// If the synapses are of another wiring.
    pub fn settle(&mut self, synapses: &mut Synapses) {
        assert!(synapses.fits(&self.wiring), "synapses of this wiring");
        for area in Area::ALL {
            let (m, width) = (area as usize, self.wiring.width(area));
            let rule = self.rule.kernel(self.wiring.inputs[m]);
            for (row, neuron) in self.wiring.of(area).enumerate() {
                let at = row * width..(row + 1) * width;
                let mut rows = Row {
                    theta: &mut synapses.theta[m][at.clone()],
                    w: &mut self.w[m][at.clone()],
                    depression: &mut self.depression[m][at.clone()],
                };
                let may_be = &synapses.may_be[m][at];
                rewiring::settle(&mut rows, may_be, &self.most[m], rule, &mut self.normaliser[neuron]);
            }
        }
    }

    /// Prior and noise over `seconds`, then [`Work::settle`]; the step of `draws` is its own.
    pub fn diffuse(&mut self, synapses: &mut Synapses, seconds: f64, draws: Draws) {
        synapses.diffuse(&self.rule, seconds, draws);
        self.settle(synapses);
    }

    /// Weights of an area, row by row.
    pub fn weights(&self, area: Area) -> &[f32] {
        &self.w[area as usize]
    }

    /// α e^w of an area, row by row: the mean trace at a spike that synapses have learned.
    pub fn expected(&self, area: Area) -> &[f32] {
        &self.depression[area as usize]
    }

    /// Spikes of each neuron in the last presentation.
    pub fn spikes(&self) -> &[u32] {
        &self.spikes
    }

    /// What happened since this was last asked.
    pub fn take_activity(&mut self) -> Activity {
        std::mem::take(&mut self.activity)
    }

    /// Shows a pattern to each area, or nothing; no activity is carried over from the pattern before.
    ///
    /// Spikes of a millisecond are taken together; the presentation has the step of `draws` for itself.
    ///
    /// # Panics
    /// If a pattern has another number of features.
    pub fn present(
        &mut self,
        synapses: &mut Synapses,
        shown: [Option<&Coded>; 2],
        learning: Learning,
        (draws, streams): (Draws, Streams),
    ) {
        self.begin(synapses, shown, (draws, streams));
        let circuits = 2 * self.wiring.circuits;
        let Sight { ms, epsp, .. } = self.sight;
        let factors = [epsp.tau_fall_ms, epsp.tau_rise_ms].map(|tau| libm::exp(-1.0 / tau));
        let mut next = 0;
        for now in 0..ms {
            self.arrive(now, factors);
            let mut is_current = [false; 2];
            while let Some(&event) = self.fires.get(next).filter(|&&event| event as usize / circuits == now) {
                let circuit = event as usize % circuits;
                let area = Area::ALL[circuit / self.wiring.circuits];
                if !std::mem::replace(&mut is_current[area as usize], true) {
                    self.look(area);
                }
                let drift = if learning == Learning::Off { 0.0 } else { (now + 1) as f64 };
                let uniform = f64::from(self.chances[next]) / 4_294_967_296.0;
                self.fire(synapses, circuit, (drift, uniform), learning, now);
                next += 1;
            }
        }
        if learning != Learning::Off {
            for circuit in 0..circuits {
                let drift = self.drift(synapses, circuit) * ms as f64;
                self.neurons(circuit).for_each(|neuron| synapses.beta[neuron] += drift);
            }
        }
    }

    /// Clears what the last presentation left and draws when inputs and circuits fire.
    fn begin(&mut self, synapses: &Synapses, shown: [Option<&Coded>; 2], (draws, streams): (Draws, Streams)) {
        let ms = self.sight.ms;
        self.spikes.fill(0);
        self.sent.iter_mut().for_each(Vec::clear);
        self.lateral.clear();
        for (area, shown) in shown.into_iter().enumerate() {
            self.traces[area].clear();
            match shown {
                None => self.inputs[area].silence(),
                Some(pattern) => {
                    assert_eq!(2 * pattern.features(), self.wiring.inputs[area], "a pair per feature");
                    self.inputs[area].draw(pattern, &self.counts[area], ms, (draws, streams.inputs, area));
                }
            }
            self.activity.input_spikes += self.inputs[area].count() as u64;
        }
        let circuits = 2 * self.wiring.circuits;
        let chance = (self.sight.circuit_hz * 1e-3 * 4_294_967_296.0).min(4_294_967_295.0) as u32;
        self.chances.resize(ms * circuits, 0);
        draws.fill_u32(streams.circuits, 0, &mut self.chances);
        let lives: Vec<bool> =
            (0..circuits).map(|circuit| self.neurons(circuit).any(|neuron| synapses.alive[neuron])).collect();
        self.fires.clear();
        let fires = self.chances.iter().enumerate();
        let fires = fires.filter(|&(event, &word)| word < chance && lives[event % circuits]);
        self.fires.extend(fires.map(|(event, _)| event as u32));
        self.chances.resize(self.fires.len(), 0);
        draws.fill_u32(streams.winners, 0, &mut self.chances);
    }

    /// Traces fall and take up the spikes that arrive in this millisecond.
    fn arrive(&mut self, now: usize, factors: [f64; 2]) {
        for (traces, inputs) in self.traces.iter_mut().zip(&self.inputs) {
            if inputs.count() > 0 {
                traces.fade(factors);
                traces.add(inputs.at(now));
            }
        }
        self.lateral.fade(factors);
        let slots = self.sent.len();
        // The slot of this millisecond was filled `delay_ms` ago; it is the next to be filled again, after this one.
        let arrived = &mut self.sent[now % slots];
        self.lateral.add(arrived);
        arrived.clear();
    }

    /// Takes the traces of all sources of an area's rows.
    fn look(&mut self, area: Area) {
        let m = area as usize;
        let (inputs, lateral) = self.x[m].split_at_mut(self.wiring.inputs[m]);
        self.traces[m].values(inputs);
        self.lateral.values(lateral);
    }

    /// A circuit fires: who, and what that changes.
    fn fire(
        &mut self,
        synapses: &mut Synapses,
        circuit: usize,
        (drift, uniform): (f64, f64),
        learning: Learning,
        now: usize,
    ) {
        let area = Area::ALL[circuit / self.wiring.circuits];
        let (m, width) = (area as usize, self.wiring.width(area));
        let neurons = self.neurons(circuit);
        let first = neurons.start - self.wiring.of(area).start;
        let rows = first * width..(first + neurons.len()) * width;
        rewiring::potentials(&self.w[m][rows], &self.x[m], &mut self.u);
        let gate = self.traces[m].total() / self.mean_trace[m];
        let drift = self.drift(synapses, circuit) * drift;
        self.living.clear();
        for (u, neuron) in self.u.iter().zip(neurons.clone()).filter(|&(_, neuron)| synapses.alive[neuron]) {
            let own =
                synapses.beta[neuron] + drift - self.rule.normaliser * f64::from(self.normaliser[neuron]);
            self.living.push(u + (own * gate) as f32);
        }
        let chosen = winner(Winner::Softmax, &mut self.living, uniform);
        let living = |neuron: &usize| synapses.alive[*neuron];
        let neuron = neurons.filter(living).nth(chosen).expect("the winner is one of those that live");
        self.spikes[neuron] += 1;
        self.activity.spikes += 1;
        let slots = self.sent.len();
        self.sent[(now + self.sight.delay_ms) % slots].push(neuron as u32);
        if learning != Learning::Off {
            synapses.beta[neuron] -= self.rule.homeostasis;
        }
        if learning == Learning::On {
            self.learn(synapses, area, neuron);
        }
    }

    /// The neuron's synapses learn from the traces that its spike finds.
    fn learn(&mut self, synapses: &mut Synapses, area: Area, neuron: usize) {
        let (m, width) = (area as usize, self.wiring.width(area));
        let row = neuron - self.wiring.of(area).start;
        let at = row * width..(row + 1) * width;
        let rule = self.rule.kernel(self.wiring.inputs[m]);
        let mut rows = Row {
            theta: &mut synapses.theta[m][at.clone()],
            w: &mut self.w[m][at.clone()],
            depression: &mut self.depression[m][at],
        };
        rewiring::learn(&mut rows, &self.x[m], &self.most[m], rule, &mut self.normaliser[neuron]);
        self.activity.updates += width as u64;
    }

    /// What excitability gains in a millisecond: what its share of the circuit's spikes takes.
    fn drift(&self, synapses: &Synapses, circuit: usize) -> f64 {
        let living = self.neurons(circuit).filter(|&neuron| synapses.alive[neuron]).count();
        self.rule.homeostasis * self.sight.circuit_hz * 1e-3 / living.max(1) as f64
    }

    /// The neurons of a circuit, counted over both areas.
    fn neurons(&self, circuit: usize) -> std::ops::Range<usize> {
        let members = self.wiring.members();
        circuit * members..(circuit + 1) * members
    }
}
