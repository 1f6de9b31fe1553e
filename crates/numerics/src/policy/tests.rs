use super::*;
use crate::stats;

const CHANCE: f32 = 0.04;

fn network(homeostasis: f64, gain: f64) -> Network {
    let layer =
        Layer { inputs: 1, groups: 1, assemblies: 1, size: 2, inhibition: 0.5, homeostasis, goal_hz: 5.0 };
    let rule = Rule {
        b: 1e-3,
        gain,
        limit: 1e6,
        mu: 0.0,
        sigma: 2.0,
        theta_0: 3.0,
        least: -2.0,
        most: 5.0,
        tau_eligibility_s: 0.2,
        tau_gradient_s: 1e9,
        tau_reward_s: 1e9,
        offset: 1e-9,
    };
    Network::new(layer, rule)
}

/// Runs with fixed synapses; `reward` is made of the last step's spikes.
fn run(network: &Network, state: &mut State, steps: u64, mut reward: impl FnMut(&[bool]) -> f64) {
    let mut work = Work::default();
    network.settle(state, &mut work);
    let mut uniforms = vec![0.0; network.layer.inputs + network.layer.outputs()];
    for step in 0..steps {
        Draws::at(5, step).fill_uniform(Stream::RewardSpike, 0, &mut uniforms);
        network.advance(state, &mut work, &[CHANCE], &uniforms);
        let r = reward(&work.spikes);
        network.reward(state, &work, r);
    }
}

/// A state whose neurons fire at e^bias Hz without inputs.
fn at_rate(network: &Network, theta: [f64; 2], bias: f32) -> State {
    let mut state = network.start(0.0, 0.0, Draws::at(1, 0));
    state.theta = theta.to_vec();
    state.bias = vec![bias; 2];
    state
}

#[test]
fn the_running_gradient_is_that_of_the_log_of_the_mean_reward() {
    // Reward is the rate of neuron 0, so that ln r̄ is the log of its rate; its dead time is 2 steps.
    let network = network(0.0, 1.0);
    let steps = 2_000_000;
    let rate_at = |theta: f64| {
        let (mut state, mut spikes) = (at_rate(&network, [theta, 2.0], 2.0), 0_u32);
        run(&network, &mut state, steps, |fired| {
            spikes += u32::from(fired[0]);
            0.0
        });
        f64::from(spikes) / steps as f64
    };
    let (theta, by) = (2.5, 0.25);
    let slope = (libm::log(rate_at(theta + by)) - libm::log(rate_at(theta - by))) / (2.0 * by);

    let mut state = at_rate(&network, [theta, 2.0], 2.0);
    let mean = rate_at(theta);
    state.mean_reward = mean as f32;
    run(&network, &mut state, steps, |fired| f64::from(u8::from(fired[0])));
    // The running mean is a plain one while the memory is far longer than the run.
    let scale = 1e9 / (steps as f64 * STEP_S);
    let w = libm::exp(theta - 3.0);
    let [own, other] = [0, 1].map(|k| f64::from(state.gradient[k]) * scale * w);
    // Spikes: 2e6 · 0.02 = 40,000. Own: score times trace of the same spike, plus noise of e (0.2 s · 10 Hz scores of trace 0.9:
    // sd 1.2) over √40,000: 0.006 · w each; three of the errors of the slope are 3 · 0.005/0.25 · √2.
    assert!((own - slope).abs() < 0.08, "{own} against {slope}");
    assert!(own > 0.25, "an input that excites the rewarded neuron is credited: {own}");
    assert!(other.abs() < 0.03, "the other neuron's choices do not matter: {other}");
}

#[test]
fn homeostasis_keeps_the_rate() {
    let network = network(0.02, 1.0);
    let mut state = at_rate(&network, [2.0, 4.0], 3.0);
    let mut spikes = [0_u32; 2];
    // The first 40 s settle, 1000 s count.
    let mut step = 0;
    run(&network, &mut state, 520_000, |fired| {
        step += 1;
        for (count, &fired) in spikes.iter_mut().zip(fired) {
            *count += u32::from(fired && step > 20_000);
        }
        0.0
    });
    for count in spikes {
        // 5,000 spikes; the bias, of memory 1/(0.02 · 5 Hz) = 10 s, keeps the count to some of its own steps: ± 50 · 5.
        assert!((f64::from(count) - 5000.0).abs() < 250.0, "{count}");
    }
}

#[test]
fn without_rewards_synapses_settle_in_the_prior_and_retracted_ones_return() {
    let network = network(0.0, 0.0);
    let n = 4000;
    let wide = Network::new(
        Layer { inputs: n / 2, ..network.layer.clone() },
        Rule { least: -50.0, most: 50.0, ..network.rule },
    );
    let mut state = wide.start(-0.5, 0.5, Draws::at(2, 0));
    let before: Vec<bool> = state.functional().collect();
    // 20 times the relaxation time of 4,000 s.
    (0..80).for_each(|step| wide.learn(&mut state, 1000.0, 0.5, Draws::at(2, step)));
    let error = 4.5 * 2.0 * (0.5_f64 / n as f64).sqrt();
    assert!(stats::mean(&state.theta).abs() < error);
    // σ √T, with the error of a standard deviation.
    assert!((stats::sd(&state.theta) / (2.0 * 0.5_f64.sqrt()) - 1.0).abs() < 4.5 / (2.0 * n as f64).sqrt());
    let formed = state.functional().zip(&before).filter(|&(now, &before)| now && !before).count();
    assert!(formed > n / 4, "{formed}");
}

#[test]
fn a_removed_synapse_neither_moves_nor_counts() {
    let network = network(0.0, 1.0);
    let mut state = at_rate(&network, [2.0, 2.0], 1.0);
    state.removed[1] = true;
    network.learn(&mut state, 10.0, 1.0, Draws::at(3, 0));
    assert_ne!(state.theta[0], 2.0);
    assert_eq!(state.theta[1], 2.0);
    assert_eq!(state.functional().collect::<Vec<_>>(), [true, false]);
    assert_eq!(state.functional_fraction(), 0.5);
    let mut work = Work::default();
    network.settle(&mut state, &mut work);
    assert_eq!(work.weights[1], 0.0);
}

#[test]
fn assemblies_inhibit_each_other() {
    let layer = Layer { assemblies: 2, size: 1, ..network(0.0, 1.0).layer };
    let rate = |inhibition: f64| {
        let network = Network::new(Layer { inhibition, ..layer.clone() }, network(0.0, 1.0).rule);
        let (mut state, mut spikes) = (at_rate(&network, [-1.0, -1.0], 4.0), 0_u32);
        run(&network, &mut state, 50_000, |fired| {
            spikes += u32::from(fired[1]);
            0.0
        });
        f64::from(spikes) / 100.0
    };
    // e⁴ Hz less the dead time of 2 steps: 54.6/(1 + 54.6 · 0.005) Hz or so, 4,500 spikes: ± 70.
    let (alone, inhibited) = (rate(0.0), rate(1.0));
    assert!((alone - 54.6 / 1.27).abs() < 5.0, "{alone}");
    assert!(inhibited < 0.75 * alone, "{inhibited} against {alone}");
}
