//! A law of its own binary, since it counts every allocation: steps reuse their memory.

use ndarray::Array1;
use numerics::boltzmann::tiled::{Images, Scratch, State, step};
use numerics::boltzmann::{
    Chain, Init, Law, Learning, Masks, Parameters, PersistentChains, Statistics, Synapses,
};
use numerics::{BinaryRows, Draws};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const V: usize = 150;
const EXAMPLES: u32 = 20;

/// Images of which a third of the units are on, another third in each.
fn images() -> Images {
    let mut rows = BinaryRows::new(V);
    for image in 0..2 * EXAMPLES {
        rows.push((0..V as u32).filter(|i| (i * 7 + image * 11) % 3 == 0));
    }
    Images::from(&rows)
}

#[test]
fn a_step_allocates_nothing_once_its_scratch_is_warm() {
    let images = images();
    let picks: Vec<u32> = (0..2 * EXAMPLES).collect();
    for synapses in [Synapses::Reliable, Synapses::JointEnergy, Synapses::PriorMixture] {
        for masks in [Masks::Batch, Masks::HalfStep, Masks::Example] {
            for statistics in [Statistics::Probabilities, Statistics::Samples] {
                let learning =
                    Learning { masks, statistics, chain: Chain::Pcd { k: 2 }, ..Learning::default() };
                let init = Init { hidden_units: 130, law: Law::Bernoulli, p0: 0.5, w_sd: 0.1, sd0: 0.1 };
                let mean = Array1::from_elem(V, 0.3);
                let parameters = Parameters::init(synapses, init, mean.view(), Draws::at(1, 0));
                let chains = PersistentChains::init(EXAMPLES as usize, 130, Draws::at(1, 0));
                let mut state = State::new(parameters).with_chains(chains);
                let mut scratch = Scratch::default();
                let mut learn = |t: u64| {
                    let first = (t as usize % 2) * EXAMPLES as usize;
                    let batch = images.batch(&picks[first..first + EXAMPLES as usize]);
                    step(&mut state, batch, &learning, &mut scratch, Draws::at(1, t));
                };
                (0..2).for_each(&mut learn);
                let before = MEMORY.current_usage();
                MEMORY.reset_peak_usage();
                (2..10).for_each(&mut learn);
                assert_eq!(MEMORY.peak_usage(), before, "{synapses:?} {masks:?} {statistics:?}");
            }
        }
    }
}
