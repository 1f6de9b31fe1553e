//! Where the draw of a unit or a synapse lives in its stream.

/// Bits for the unit, the example and the sweep; 64 together.
const UNIT_BITS: u32 = 20;
const EXAMPLE_BITS: u32 = 22;
const SWEEP_BITS: u32 = 22;

/// Bits for the synapse, the example and the half sweep of a synapse; 62 together, since a block of
/// four 32-bit draws, which a normal number takes, counts as one.
const SYNAPSE_BITS: u32 = 26;
const SYNAPSE_EXAMPLE_BITS: u32 = 20;
const HALF_SWEEP_BITS: u32 = 16;

/// The index of the 32-bit draw of one unit of one example in one sweep.
///
/// Fixed fields, so that a draw depends on neither the number of units nor how a batch is split.
///
/// # Panics
/// If a number does not fit its field: 2²⁰ units, 2²² examples, 2²² sweeps.
pub fn unit_index(sweep: usize, example: usize, unit: usize) -> u64 {
    assert!(unit < 1 << UNIT_BITS, "unit {unit} has no address: at most 2^20 units");
    assert!(example < 1 << EXAMPLE_BITS, "example {example} has no address: at most 2^22 examples");
    assert!(sweep < 1 << SWEEP_BITS, "sweep {sweep} has no address: at most 2^22 sweeps");
    (sweep as u64) << (UNIT_BITS + EXAMPLE_BITS) | (example as u64) << UNIT_BITS | unit as u64
}

/// The index of the draw of one synapse of one example in one half sweep.
///
/// Half sweeps count 0 (up from the data), 1 (down), 2 (up), …; what all examples share belongs to example 0.
///
/// # Panics
/// If a number does not fit its field: 2²⁶ synapses, 2²⁰ examples, 2¹⁶ half sweeps.
pub fn synapse_index(half_sweep: usize, example: usize, synapse: usize) -> u64 {
    assert!(synapse < 1 << SYNAPSE_BITS, "synapse {synapse} has no address: at most 2^26 synapses");
    assert!(example < 1 << SYNAPSE_EXAMPLE_BITS, "example {example} has no address: at most 2^20 examples");
    assert!(half_sweep < 1 << HALF_SWEEP_BITS, "half sweep {half_sweep} has no address: at most 2^16");
    (half_sweep as u64) << (SYNAPSE_BITS + SYNAPSE_EXAMPLE_BITS)
        | (example as u64) << SYNAPSE_BITS
        | synapse as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_unit_example_and_sweep_have_the_last_address() {
        assert_eq!(unit_index((1 << 22) - 1, (1 << 22) - 1, (1 << 20) - 1), u64::MAX);
        assert_eq!(unit_index(0, 0, 5), 5);
        assert_eq!(unit_index(0, 1, 0), 1 << 20);
        assert_eq!(unit_index(1, 0, 0), 1 << 42);
    }

    #[test]
    fn the_last_synapse_example_and_half_sweep_have_the_last_address() {
        assert_eq!(synapse_index((1 << 16) - 1, (1 << 20) - 1, (1 << 26) - 1), (1 << 62) - 1);
        assert_eq!(synapse_index(0, 0, 5), 5);
        assert_eq!(synapse_index(0, 1, 0), 1 << 26);
        assert_eq!(synapse_index(1, 0, 0), 1 << 46);
    }
}
