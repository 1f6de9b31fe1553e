//! What is observed.

use crate::metric::{Cadence, MetricSpec, ValueKind, spec};

/// All metrics, in the order they are printed.
#[rustfmt::skip]
pub(super) const METRICS: [MetricSpec; 64] = [
    spec("time_s", "s", ValueKind::Scalar, Cadence::Every, "Simulated time of the last test"),
    spec("auc", "1", ValueKind::Scalar, Cadence::Every, "Of the visual area from sound alone: probability that it ranks a trial of a digit above one of another"),
    spec("accuracy", "1", ValueKind::Scalar, Cadence::Every, "Of the visual area from sound alone: part of the trials that its spikes name rightly"),
    spec("bits_per_spike", "bit", ValueKind::Scalar, Cadence::Every, "What one spike of the visual area tells of the digit that is heard, above chance"),
    spec("bits_per_trial", "bit", ValueKind::Scalar, Cadence::Every, "What the quarter of its score in a trial tells, above chance"),
    spec("image_accuracy", "1", ValueKind::Scalar, Cadence::Every, "As `accuracy`, by the predicted image"),
    spec("reverse_auc", "1", ValueKind::Scalar, Cadence::Every, "Of the auditory area from images alone"),
    spec("vision_auc", "1", ValueKind::Scalar, Cadence::Every, "Of the visual area from images"),
    spec("sound_auc", "1", ValueKind::Scalar, Cadence::Every, "Of the auditory area from sound"),
    spec("same_digit_share", "1", ValueKind::Scalar, Cadence::Every, "Functional share of connections onto visual neurons from auditory ones that prefer the same digit"),
    spec("other_digit_share", "1", ValueKind::Scalar, Cadence::Every, "The same, from those that prefer the other digit"),
    spec("before_auc", "1", ValueKind::Scalar, Cadence::Final, "`auc` before learning"),
    spec("before_bits_per_spike", "bit", ValueKind::Scalar, Cadence::Final, "`bits_per_spike` before learning"),
    spec("learned_auc", "1", ValueKind::Scalar, Cadence::Final, "`auc` after learning: mean of the last three tests of the first phase"),
    spec("learned_accuracy", "1", ValueKind::Scalar, Cadence::Final, "`accuracy` after learning: mean of the last three tests of the first phase"),
    spec("learned_bits_per_spike", "bit", ValueKind::Scalar, Cadence::Final, "`bits_per_spike` after learning: mean of the last three tests of the first phase"),
    spec("learned_image_accuracy", "1", ValueKind::Scalar, Cadence::Final, "`image_accuracy` after learning: mean of the last three tests of the first phase"),
    spec("learned_reverse_auc", "1", ValueKind::Scalar, Cadence::Final, "`reverse_auc` after learning: mean of the last three tests of the first phase"),
    spec("learned_selectivity", "1", ValueKind::Scalar, Cadence::Final, "Same-digit share over other-digit share after learning, in the last test"),
    spec("lesion1_removed", "1", ValueKind::Scalar, Cadence::Final, "Part of the neurons or connections in question that the first lesion removed"),
    spec("lesion1_auc_after", "1", ValueKind::Scalar, Cadence::Final, "`auc` directly after the first lesion"),
    spec("lesion1_auc_end", "1", ValueKind::Scalar, Cadence::Final, "`auc` at the end of the phase: mean of three tests"),
    spec("lesion1_auc_regained", "1", ValueKind::Scalar, Cadence::Final, "Part of its height above chance that is there again at the end"),
    spec("lesion1_accuracy_after", "1", ValueKind::Scalar, Cadence::Final, "`accuracy` directly after the first lesion"),
    spec("lesion1_accuracy_regained", "1", ValueKind::Scalar, Cadence::Final, "Part of its height above chance that is there again at the end"),
    spec("lesion1_bits_per_spike_after", "bit", ValueKind::Scalar, Cadence::Final, "`bits_per_spike` directly after the first lesion"),
    spec("lesion1_bits_per_spike_end", "bit", ValueKind::Scalar, Cadence::Final, "`bits_per_spike` at the end of the phase: mean of three tests"),
    spec("lesion1_bits_per_spike_regained", "1", ValueKind::Scalar, Cadence::Final, "Part of its height above chance that is there again at the end"),
    spec("lesion1_bits_left", "1", ValueKind::Scalar, Cadence::Final, "`bits_per_spike` directly after, over that before"),
    spec("lesion1_bits_75_s", "s", ValueKind::Scalar, Cadence::Final, "Time to 75 % of `bits_per_spike`, by three tests in a row; the length of the phase if it did not come back"),
    spec("lesion2_removed", "1", ValueKind::Scalar, Cadence::Final, "Part of the neurons or connections in question that the second lesion removed"),
    spec("lesion2_auc_after", "1", ValueKind::Scalar, Cadence::Final, "`auc` directly after the second lesion"),
    spec("lesion2_auc_end", "1", ValueKind::Scalar, Cadence::Final, "`auc` at the end of the phase: mean of three tests"),
    spec("lesion2_auc_regained", "1", ValueKind::Scalar, Cadence::Final, "Part of its height above chance that is there again at the end"),
    spec("lesion2_accuracy_after", "1", ValueKind::Scalar, Cadence::Final, "`accuracy` directly after the second lesion"),
    spec("lesion2_accuracy_regained", "1", ValueKind::Scalar, Cadence::Final, "Part of its height above chance that is there again at the end"),
    spec("lesion2_bits_per_spike_after", "bit", ValueKind::Scalar, Cadence::Final, "`bits_per_spike` directly after the second lesion"),
    spec("lesion2_bits_per_spike_end", "bit", ValueKind::Scalar, Cadence::Final, "`bits_per_spike` at the end of the phase: mean of three tests"),
    spec("lesion2_bits_per_spike_regained", "1", ValueKind::Scalar, Cadence::Final, "Part of its height above chance that is there again at the end"),
    spec("lesion2_image_accuracy_after", "1", ValueKind::Scalar, Cadence::Final, "`image_accuracy` directly after the second lesion"),
    spec("lesion2_reverse_auc_after", "1", ValueKind::Scalar, Cadence::Final, "`reverse_auc` directly after the second lesion"),
    spec("lesion2_reverse_auc_regained", "1", ValueKind::Scalar, Cadence::Final, "Part of its height above chance that is there again at the end"),
    spec("lesion2_bits_left", "1", ValueKind::Scalar, Cadence::Final, "`bits_per_spike` directly after, over that before"),
    spec("lesion2_auc_90_s", "s", ValueKind::Scalar, Cadence::Final, "Time to 90 % of the height of `auc`, by three tests in a row; the length of the phase if it did not come back"),
    spec("lesion2_accuracy_90_s", "s", ValueKind::Scalar, Cadence::Final, "The same of `accuracy`"),
    spec("lesion2_bits_75_s", "s", ValueKind::Scalar, Cadence::Final, "Time to 75 % of `bits_per_spike`, likewise"),
    spec("lesion2_selectivity", "1", ValueKind::Scalar, Cadence::Final, "Same-digit share over other-digit share in the last test of the phase"),
    spec("tests", "1", ValueKind::Matrix, Cadence::Final, "Each test: time (s), phase, whether it directly follows a lesion, then all measures in the order above"),
    spec("course_s", "s", ValueKind::Vector, Cadence::Final, "Times of all tests"),
    spec("course_auc", "1", ValueKind::Vector, Cadence::Final, "`auc` in all tests"),
    spec("course_accuracy", "1", ValueKind::Vector, Cadence::Final, "`accuracy` in all tests"),
    spec("course_bits_per_spike", "bit", ValueKind::Vector, Cadence::Final, "`bits_per_spike` in all tests"),
    spec("course_reverse_auc", "1", ValueKind::Vector, Cadence::Final, "`reverse_auc` in all tests"),
    spec("way_1", "1", ValueKind::Vector, Cadence::Final, "First component of the way"),
    spec("way_2", "1", ValueKind::Vector, Cadence::Final, "Second component of the way"),
    spec("way_3", "1", ValueKind::Vector, Cadence::Final, "Third component of the way"),
    spec("way_explained", "1", ValueKind::Vector, Cadence::Final, "Part of their variance that each of the three explains"),
    spec("way_shift", "1", ValueKind::Vector, Cadence::Final, "From phase to phase: distance of the centroids of the last quarters over the spread within them"),
    spec("way_shift_theta", "1", ValueKind::Vector, Cadence::Final, "The same in θ: root mean square change of a synapse"),
    spec("predicted_images", "1", ValueKind::Tiles, Cadence::Final, "Mean image that the visual area predicts when each digit is heard; then the mean real images"),
    spec("image_correlation", "1", ValueKind::Scalar, Cadence::Final, "Correlation of the predicted images with the real ones, over all digits"),
    spec("spikes", "1", ValueKind::Scalar, Cadence::Final, "Spikes of neurons, learning and tests"),
    spec("input_spikes", "1", ValueKind::Scalar, Cadence::Final, "Spikes of inputs"),
    spec("synapse_updates", "1", ValueKind::Scalar, Cadence::Final, "Synapses that were looked at as their neuron fired while learning"),
];

#[cfg(test)]
mod tests {
    use super::METRICS;

    #[test]
    fn a_server_takes_them_all() {
        // It takes 64 metrics of a run.
        assert!(METRICS.len() <= 64, "{} metrics", METRICS.len());
    }
}
