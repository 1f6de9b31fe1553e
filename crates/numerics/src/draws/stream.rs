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
    /// Which pattern a circuit is shown.
    Pattern = 33,
    /// Times and places of input spikes.
    InputSpikes = 34,
    /// Times of circuit spikes.
    CircuitSpikes = 35,
    /// Which neuron of a circuit fires.
    Winner = 36,
    /// Stochastic rounding of weights.
    Rounding = 37,
    /// What differs between synapses that should be alike.
    Mismatch = 38,
    /// Which spikes are lost.
    Loss = 39,
    /// Where expectation maximisation starts.
    MixtureStart = 40,
    /// Tables of random networks.
    BayesTable = 41,
    /// Which numbers of such tables are accepted.
    BayesAccept = 42,
    /// States that modules learn from.
    BayesSample = 43,
    /// Which of these are replaced by uniformly random states, and by which.
    BayesNoise = 44,
    /// How many hidden spikes a module fires on a state, and which neurons fire.
    BayesSpike = 45,
    /// Weights of modules before learning.
    BayesInit = 46,
    /// States that modules are judged on.
    BayesHeldOut = 47,
    /// Output events of the running network.
    BayesEvent = 48,
    /// Updates of an ideal Gibbs sampler, and states in which chains begin.
    BayesIdeal = 49,
    /// Where batch EM begins.
    BayesEm = 50,
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
    /// Recordings of made-up words.
    Tone = 70,
    /// Noise in them.
    ToneNoise = 71,
    /// Times and places of input spikes while testing.
    ObserveInputSpikes = 72,
    /// Times of circuit spikes while testing.
    ObserveCircuitSpikes = 73,
    /// Which neuron of a circuit fires while testing.
    ObserveWinner = 74,
    /// Which patterns are tested.
    ObservePattern = 75,
    /// Exchanged labels, for what a measure finds by chance.
    ObservePermutation = 76,
    /// Which synapses are followed.
    Watch = 77,
    /// Rates of the inputs of a rewarded network.
    RewardRate = 80,
    /// Initial parameters of its synapses.
    RewardInit = 81,
    /// Spikes of its inputs and outputs.
    RewardSpike = 82,
    /// What its trials show.
    RewardTrial = 83,
    /// Noise of its synapses.
    RewardDiffusion = 84,
    /// Which of its synapses a lesion removes.
    RewardLesion = 85,
    /// Where synapses begin whose kicks are measured.
    SpikeInit = 86,
    /// Noise of these synapses.
    SpikeDiffusion = 87,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Grows at its end only.
    const NUMBERS: [(Stream, u32); 74] = {
        use Stream::*;
        [
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
            (Pattern, 33),
            (InputSpikes, 34),
            (CircuitSpikes, 35),
            (Winner, 36),
            (Rounding, 37),
            (Mismatch, 38),
            (Loss, 39),
            (MixtureStart, 40),
            (BayesTable, 41),
            (BayesAccept, 42),
            (BayesSample, 43),
            (BayesNoise, 44),
            (BayesSpike, 45),
            (BayesInit, 46),
            (BayesHeldOut, 47),
            (BayesEvent, 48),
            (BayesIdeal, 49),
            (BayesEm, 50),
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
            (Tone, 70),
            (ToneNoise, 71),
            (ObserveInputSpikes, 72),
            (ObserveCircuitSpikes, 73),
            (ObserveWinner, 74),
            (ObservePattern, 75),
            (ObservePermutation, 76),
            (Watch, 77),
            (RewardRate, 80),
            (RewardInit, 81),
            (RewardSpike, 82),
            (RewardTrial, 83),
            (RewardDiffusion, 84),
            (RewardLesion, 85),
            (SpikeInit, 86),
            (SpikeDiffusion, 87),
        ]
    };

    #[test]
    fn the_numbers_of_streams_never_change() {
        for (stream, number) in NUMBERS {
            assert_eq!(stream as u32, number, "{stream:?}");
        }
    }
}
