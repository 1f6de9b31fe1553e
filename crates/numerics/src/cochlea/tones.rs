//! Recordings of two made-up words.

use std::f64::consts::{PI, TAU};

use crate::{Draws, Stream};

/// Sample rate of [`tone`], in Hz.
pub const TONE_HZ: u32 = 8_000;

/// A tone of a word: how loud, and its frequency at the beginning, in the middle and at the end, in Hz.
struct Glide {
    loudness: f64,
    hz: [f64; 3],
}

/// The two words: roughly the first two resonances of the vocal tract in "one" and "two".
const WORDS: [[Glide; 2]; 2] = [
    [
        Glide { loudness: 1.0, hz: [350.0, 620.0, 420.0] },
        Glide { loudness: 0.5, hz: [750.0, 1250.0, 1500.0] },
    ],
    [
        Glide { loudness: 1.0, hz: [420.0, 330.0, 320.0] },
        Glide { loudness: 0.5, hz: [2100.0, 1500.0, 950.0] },
    ],
];

/// Recording `index` of a made-up word, 0 or 1: two gliding tones in noise, 16-bit samples at [`TONE_HZ`].
///
/// Recordings differ in length (0.25 to 0.55 s), in pitch (all frequencies by a factor of 0.8 to 1.25), by up to 8 % in each of the
/// frequencies, in loudness, in noise (10 to 30 dB below) and in the silence around.
///
/// # Panics
/// If there is no such word.
pub fn tone(word: usize, index: u32, draws: Draws) -> Vec<i16> {
    let draws = draws.at_step(u64::from(index) * WORDS.len() as u64 + word as u64);
    let mut uniform = [0.0; 16];
    draws.fill_uniform_f64(Stream::Tone, 0, &mut uniform);
    let between = |i: usize, low: f64, high: f64| low + (high - low) * uniform[i];
    let hz = f64::from(TONE_HZ);
    let samples = (between(0, 0.25, 0.55) * hz) as usize;
    let pitch = libm::exp(between(1, -1.0, 1.0) * libm::log(1.25));
    let noise = libm::exp10(-between(2, 10.0, 30.0) / 20.0);
    let loudness = between(3, 2_000.0, 9_000.0);
    let silence = [4, 5].map(|i| (between(i, 0.0, 0.1) * hz) as usize);
    let mut z = vec![0.0; samples];
    draws.fill_normal(Stream::ToneNoise, 0, &mut z);
    let mut wave: Vec<f64> = z.iter().map(|z| 0.5 * noise * z).collect();
    for (i, glide) in WORDS[word].iter().enumerate() {
        let jitter = |at: usize| 1.0 + between(6 + 3 * i + at, -0.08, 0.08);
        let points = [0, 1, 2].map(|at| glide.hz[at] * pitch * jitter(at));
        let mut phase = 0.0;
        for (n, x) in wave.iter_mut().enumerate() {
            phase += along(points, n as f64 / samples as f64) / hz;
            *x += glide.loudness * libm::sin(TAU * phase);
        }
    }
    let swell = |n: usize| libm::sin(PI * n as f64 / samples as f64);
    let sound = wave.iter().enumerate().map(|(n, x)| (loudness * swell(n) * x).round() as i16);
    let quiet = |n: usize| std::iter::repeat_n(0, n);
    quiet(silence[0]).chain(sound).chain(quiet(silence[1])).collect()
}

/// Through three points, straight from one to the next; `part` from 0 to 1.
fn along([start, middle, end]: [f64; 3], part: f64) -> f64 {
    if part < 0.5 {
        start + (middle - start) * 2.0 * part
    } else {
        middle + (end - middle) * (2.0 * part - 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cochlea::Cochlea, stats};

    #[test]
    fn the_words_differ_more_than_recordings_of_one() {
        let cochlea = Cochlea::new(16, TONE_HZ);
        let heard = |word: usize| -> Vec<Vec<f64>> {
            (0..20).map(|index| cochlea.cochleagram(&tone(word, index, Draws::at(1, 0)), 5)).collect()
        };
        let (ones, twos) = (heard(0), heard(1));
        let mean = |recordings: &[Vec<f64>]| -> Vec<f64> {
            let column = |i| recordings.iter().map(|recording| recording[i]).collect::<Vec<f64>>();
            (0..80).map(|i| stats::mean(&column(i))).collect()
        };
        let distance =
            |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt();
        let (one, two) = (mean(&ones), mean(&twos));
        let within = stats::mean(&ones.iter().map(|x| distance(x, &one)).collect::<Vec<_>>());
        let between = distance(&one, &two);
        assert!(between > within && within > 0.5, "{between} between words, {within} within");
    }

    #[test]
    fn a_recording_depends_on_its_number_and_seed_only() {
        let at = |index, seed| tone(0, index, Draws::at(seed, 77));
        assert_eq!(at(3, 1), tone(0, 3, Draws::at(1, 0)));
        assert!(at(3, 1) != at(4, 1) && at(3, 1) != at(3, 2) && at(3, 1) != tone(1, 3, Draws::at(1, 0)));
    }
}
