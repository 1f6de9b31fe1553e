//! Population code: each variable is a group of inputs of which exactly one is on.
//!
//! A binary pixel is two inputs, off and on; a variable of n values is n inputs; a real number is binned. With one
//! input on in every group, adding a number to all weights of a group changes every neuron's potential alike, which
//! is why weights may be read up to ln c.

use serde::{Deserialize, Serialize};

/// Groups of inputs, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PopulationCode {
    /// The first input of each group, and the number of all inputs.
    starts: Vec<u32>,
}

impl PopulationCode {
    /// A group of `values[g]` inputs for each variable g.
    ///
    /// # Panics
    /// If a variable has no value, or there are 2³² inputs or more.
    pub fn new(values: &[u32]) -> Self {
        let mut starts = vec![0_u32];
        for &n in values {
            assert!(n > 0, "a variable has a value");
            let end = starts.last().and_then(|last| last.checked_add(n)).expect("fewer than 2^32 inputs");
            starts.push(end);
        }
        Self { starts }
    }

    /// Two inputs for each of `pixels` binary pixels: 2i is on while pixel i is off, 2i + 1 while it is on.
    ///
    /// # Panics
    /// If there are 2³¹ pixels or more.
    pub fn binary(pixels: usize) -> Self {
        Self::new(&vec![2; pixels])
    }

    /// How many variables.
    pub fn groups(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many inputs.
    pub fn inputs(&self) -> usize {
        self.starts.last().map_or(0, |&end| end as usize)
    }

    /// The inputs of a variable.
    ///
    /// # Panics
    /// If there is no such variable.
    pub fn group(&self, group: usize) -> std::ops::Range<usize> {
        self.starts[group] as usize..self.starts[group + 1] as usize
    }

    /// The input that stands for a value.
    ///
    /// # Panics
    /// If there is no such variable or value.
    pub fn input(&self, group: usize, value: u32) -> u32 {
        let input = self.starts[group] + value;
        assert!(input < self.starts[group + 1], "variable {group} has no value {value}");
        input
    }

    /// The inputs that are on, one a variable, ascending; `values` holds one value for each variable.
    ///
    /// # Panics
    /// If a value is missing or unknown.
    pub fn encode(&self, values: impl IntoIterator<Item = u32>, on: &mut Vec<u32>) {
        on.clear();
        on.extend(values.into_iter().enumerate().map(|(group, value)| self.input(group, value)));
        assert_eq!(on.len(), self.groups(), "one value per variable");
    }

    /// As [`PopulationCode::encode`] for binary variables, given those that are on, ascending.
    ///
    /// # Panics
    /// If a variable has one value only, or `ones` names no variable.
    pub fn encode_binary(&self, ones: &[u32], on: &mut Vec<u32>) {
        let mut left = ones.iter().peekable();
        let values = (0..self.groups() as u32).map(|group| u32::from(left.next_if_eq(&&group).is_some()));
        self.encode(values, on);
        assert!(left.next().is_none(), "ones ascend and are variables");
    }
}

/// The bin of `x` among `bins` equal ones over `low ..= high`; what is beyond belongs to the first or the last.
///
/// # Panics
/// If there is no bin, or `low` is not below `high`.
pub fn bin(x: f64, low: f64, high: f64, bins: u32) -> u32 {
    assert!(bins > 0 && low < high, "there are bins, from low to high");
    let place = (x - low) / (high - low) * f64::from(bins);
    (place.max(0.0) as u32).min(bins - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_input_of_each_group_is_on() {
        let code = PopulationCode::new(&[2, 3, 1]);
        let mut on = vec![9];
        code.encode([1, 2, 0], &mut on);
        assert_eq!(on, [1, 4, 5]);
        assert_eq!((code.groups(), code.inputs(), code.group(1)), (3, 6, 2..5));
    }

    #[test]
    fn a_pixel_is_two_inputs() {
        let mut on = Vec::new();
        PopulationCode::binary(4).encode_binary(&[0, 3], &mut on);
        assert_eq!(on, [1, 2, 4, 7]);
    }

    #[test]
    #[should_panic(expected = "variable 1 has no value 2")]
    fn a_value_that_a_variable_does_not_have_is_refused() {
        PopulationCode::new(&[2, 2, 2]).encode([0, 2, 0], &mut Vec::new());
    }

    #[test]
    #[should_panic(expected = "ones ascend and are variables")]
    fn a_pixel_beyond_the_last_is_refused() {
        PopulationCode::binary(3).encode_binary(&[1, 3], &mut Vec::new());
    }

    #[test]
    fn real_numbers_fall_into_bins() {
        let bins: Vec<u32> = [-3.0, 0.0, 0.24, 0.25, 0.99, 1.0, 7.0].map(|x| bin(x, 0.0, 1.0, 4)).to_vec();
        assert_eq!(bins, [0, 0, 0, 1, 3, 3, 3]);
    }
}
