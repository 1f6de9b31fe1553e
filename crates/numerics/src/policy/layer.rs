//! Neurons: potentials, mutual inhibition of assemblies, spikes, and the score of each choice.

use super::{Network, State, Work};

/// Length of a simulation step, s.
pub const STEP_S: f64 = 0.002;
/// Time constants of postsynaptic potentials, s: fall and rise.
pub(super) const TAU_S: [f64; 2] = [0.020, 0.002];
/// Makes the area under a potential 20 ms.
const SCALE: f32 = 20.0 / 18.0;
/// Greatest rate, Hz.
const MOST_HZ: f32 = 400.0;
/// Steps after a spike in which a neuron is silent: 5 ms are over in the third.
const DEAD_STEPS: u8 = 2;
/// Traces below it are nothing: slower numbers would follow.
const NOTHING: f32 = 1e-9;

/// Output neurons in `groups`, each of as many assemblies of `size` neurons; assemblies of a group inhibit each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Inputs.
    pub inputs: usize,
    /// Groups.
    pub groups: usize,
    /// Assemblies of a group.
    pub assemblies: usize,
    /// Neurons of an assembly.
    pub size: usize,
    /// What a neuron's potential loses for each trace of a spike in other assemblies of its group.
    pub inhibition: f64,
    /// What excitability loses at a spike.
    pub homeostasis: f64,
    /// Rate at which it stays, Hz.
    pub goal_hz: f64,
}

impl Layer {
    /// Output neurons.
    pub fn outputs(&self) -> usize {
        self.groups * self.assemblies * self.size
    }
}

impl Network {
    /// Makes weights and potentials those of the state's θ.
    pub fn settle(&self, state: &mut State, work: &mut Work) {
        let outputs = self.layer.outputs();
        work.weights.clear();
        work.weights.extend(state.theta.iter().zip(&state.removed).map(|(&theta, &removed)| {
            if theta > 0.0 && !removed { libm::exp(theta - self.rule.theta_0) as f32 } else { 0.0 }
        }));
        for (potential, input) in state.potential.iter_mut().zip(&state.input) {
            potential.fill(0.0);
            for (x, w) in input.iter().zip(work.weights.chunks_exact(outputs)) {
                potential.iter_mut().zip(w).for_each(|(u, w)| *u += x * w);
            }
        }
    }

    /// A step of [`STEP_S`]. Input i fires with probability `chances[i]`, by `uniforms[i]`; the numbers behind decide on outputs.
    /// Afterwards `work.spikes` tells who fired.
    ///
    /// # Panics
    /// If there is not one number for each input and each output.
    pub fn advance(&self, state: &mut State, work: &mut Work, chances: &[f32], uniforms: &[f32]) {
        let (inputs, outputs) = (self.layer.inputs, self.layer.outputs());
        assert_eq!((chances.len(), uniforms.len()), (inputs, inputs + outputs), "a number for each neuron");
        let (for_inputs, for_outputs) = uniforms.split_at(inputs);
        self.arrive(state, work, chances, for_inputs);
        self.excite(state, work);
        self.fire(state, work, for_outputs);
    }

    /// Traces decay, spikes of inputs are added.
    fn arrive(&self, state: &mut State, work: &Work, chances: &[f32], uniforms: &[f32]) {
        let outputs = self.layer.outputs();
        for (part, kept) in self.keep.into_iter().enumerate() {
            for trace in [&mut state.input[part], &mut state.potential[part], &mut state.own[part]] {
                for x in trace {
                    let next = *x * kept;
                    *x = if next.abs() < NOTHING { 0.0 } else { next };
                }
            }
        }
        for i in (0..chances.len()).filter(|&i| uniforms[i] < chances[i]) {
            let w = &work.weights[i * outputs..(i + 1) * outputs];
            for (input, potential) in state.input.iter_mut().zip(&mut state.potential) {
                input[i] += 1.0;
                potential.iter_mut().zip(w).for_each(|(u, w)| *u += w);
            }
        }
    }

    /// Rates times [`STEP_S`] into `work.score`, the probabilities of silence into `work.silence`.
    fn excite(&self, state: &State, work: &mut Work) {
        let Layer { assemblies, size, inhibition, .. } = self.layer;
        let [fall, rise] = &state.own;
        let trace = |k: usize| fall[k] - rise[k];
        work.assembly.clear();
        let sums = (0..fall.len()).step_by(size).map(|first| (first..first + size).map(trace).sum::<f32>());
        work.assembly.extend(sums);
        work.score.clear();
        for (a, own) in work.assembly.iter().enumerate() {
            let group = a / assemblies * assemblies;
            let all: f32 = work.assembly[group..group + assemblies].iter().sum();
            let inhibited = inhibition as f32 * (all - own);
            let of = |k: usize| {
                state.bias[k] + SCALE * (state.potential[0][k] - state.potential[1][k]) - inhibited
            };
            work.score.extend((a * size..(a + 1) * size).map(of));
        }
        kernels::math::exps(&mut work.score);
        work.score.iter_mut().for_each(|rate| *rate = rate.min(MOST_HZ) * STEP_S as f32);
        work.silence.clear();
        work.silence.extend(work.score.iter().map(|h| -h));
        kernels::math::exps(&mut work.silence);
    }

    /// Draws spikes. The score of a choice is the derivative of the log of its probability by the potential: with
    /// h = rate times step, `h e^−h/(1 − e^−h)` for a spike and −h for silence; 0 where the potential decides nothing.
    fn fire(&self, state: &mut State, work: &mut Work, uniforms: &[f32]) {
        let Layer { homeostasis, goal_hz, .. } = self.layer;
        let most = MOST_HZ * STEP_S as f32;
        let drift = (homeostasis * goal_hz * STEP_S) as f32;
        work.spikes.clear();
        for k in 0..uniforms.len() {
            let (h, silence) = (work.score[k], work.silence[k]);
            let ready = state.dead[k] == 0;
            let fires = ready && uniforms[k] < 1.0 - silence;
            work.score[k] = match (ready && h < most, fires) {
                (false, _) => 0.0,
                (true, true) => h * silence / (1.0 - silence),
                (true, false) => -h,
            };
            state.dead[k] = if fires { DEAD_STEPS } else { state.dead[k].saturating_sub(1) };
            state.bias[k] += drift - if fires { homeostasis as f32 } else { 0.0 };
            state.own.iter_mut().for_each(|own| own[k] += f32::from(u8::from(fires)));
            work.spikes.push(fires);
        }
        let [fall, rise] = &state.input;
        work.trace.clear();
        work.trace.extend(fall.iter().zip(rise).map(|(fall, rise)| SCALE * (fall - rise)));
    }
}
