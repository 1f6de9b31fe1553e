//! The purposes of draws, with their fixed numbers.

/// What draws are for; each stream has its own addresses.
///
/// The numbers are part of every result: append, never renumber or reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Stream {
    /// Splits data into training and test sets.
    Split = 1,
    /// Initial parameters.
    Init = 2,
    /// Order of the examples.
    Order = 3,
    /// Hidden units while learning.
    Hidden = 4,
    /// Visible units while learning.
    Visible = 5,
    /// Which synapses release while learning.
    Mask = 6,
    /// Initial states of persistent chains.
    Chain = 7,
    /// Points of a random sweep.
    Sweep = 8,
    /// Spread of released weights while learning.
    SynapseNoise = 9,
    /// Which hidden units are dropped while learning.
    Dropout = 10,
    /// Weights given units while learning.
    Posterior = 11,
    /// Initial release probabilities.
    Release = 12,
    /// Hidden units of a reconstruction.
    ObserveHidden = 16,
    /// Visible units while observing.
    ObserveVisible = 17,
    /// Which unit the pseudo-likelihood flips.
    ObserveFlip = 18,
    /// Hidden units of Gibbs samples while observing.
    ObserveSample = 19,
    /// Which synapses release while observing.
    ObserveMask = 20,
    /// Which examples are observed.
    ObservePick = 21,
    /// Spread of released weights while observing.
    ObserveNoise = 22,
    /// Weights given units while observing.
    ObservePosterior = 23,
    /// Hidden units of annealed importance sampling.
    Ais = 24,
    /// Visible units of annealed importance sampling.
    AisVisible = 25,
    /// Both of annealed importance sampling backwards: even sweeps hidden, odd sweeps visible units.
    AisReverse = 26,
    /// Which labelled images a one-shot learner is given.
    OneShotDraw = 27,
    /// Stochastic copies of images that a one-shot learner is given.
    OneShotCopy = 28,
    /// Rows and columns of bootstrap resamples.
    Bootstrap = 29,
    /// How a trained network is edited: which synapses are picked, how values are permuted.
    Edit = 30,
    /// Hidden units while pixels are held.
    ClampedHidden = 31,
    /// Units of classes while pixels are held.
    ClampedClass = 32,
    /// Initial parameters of sampled synapses.
    SynapseInit = 51,
    /// Noise of synaptic parameters.
    SynapseDiffusion = 52,
    /// Parameters of synapses that have just appeared.
    SynapseBirth = 53,
    /// Activity that synapses see while learning.
    SynapsePairing = 54,
    /// Exchanges of replicas at other temperatures.
    SynapseSwap = 55,
    /// Actions and rewards.
    SynapseReward = 56,
    /// Data drawn from a model with known synapses.
    SynapseData = 57,
    /// Which synapses a fixed wiring has.
    SynapseWiring = 58,
    /// Changes of synapses that are tried out while observing.
    ObserveSynapse = 59,
    /// Samples of a known law that others are compared with.
    ObserveReference = 60,
    /// Where a search starts anew.
    SynapseRestart = 61,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_streams_never_change() {
        use Stream::*;
        let numbers = [
            (Split, 1),
            (Init, 2),
            (Order, 3),
            (Hidden, 4),
            (Visible, 5),
            (Mask, 6),
            (Chain, 7),
            (Sweep, 8),
            (SynapseNoise, 9),
            (Dropout, 10),
            (Posterior, 11),
            (Release, 12),
            (ObserveHidden, 16),
            (ObserveVisible, 17),
            (ObserveFlip, 18),
            (ObserveSample, 19),
            (ObserveMask, 20),
            (ObservePick, 21),
            (ObserveNoise, 22),
            (ObservePosterior, 23),
            (Ais, 24),
            (AisVisible, 25),
            (AisReverse, 26),
            (OneShotDraw, 27),
            (OneShotCopy, 28),
            (Bootstrap, 29),
            (Edit, 30),
            (ClampedHidden, 31),
            (ClampedClass, 32),
            (SynapseInit, 51),
            (SynapseDiffusion, 52),
            (SynapseBirth, 53),
            (SynapsePairing, 54),
            (SynapseSwap, 55),
            (SynapseReward, 56),
            (SynapseData, 57),
            (SynapseWiring, 58),
            (ObserveSynapse, 59),
            (ObserveReference, 60),
            (SynapseRestart, 61),
        ];
        for (stream, number) in numbers {
            assert_eq!(stream as u32, number, "{stream:?}");
        }
    }
}
