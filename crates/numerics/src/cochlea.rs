//! Sound as an ear sends it on: power in bands of frequencies over time, as rates of afferents.
//!
//! A recording becomes a [`Cochlea::cochleagram`], a few bins of time by bands of frequency, each 0 to 1; [`Standard`] makes the
//! values of many recordings comparable. [`tone`] makes recordings of two made-up words, for whoever has no others.

mod fourier;
mod standard;
mod tones;

pub use standard::Standard;
pub use tones::{TONE_HZ, tone};

use fourier::Fourier;

/// A frame of sound, in ms.
const FRAME_MS: f64 = 25.0;
/// From one frame to the next, in ms.
const HOP_MS: f64 = 10.0;
/// What is left of a sample in the next one when sound is whitened.
const PRE_EMPHASIS: f64 = 0.9;
/// Frames this far below the loudest one, at both ends, are silence, in dB.
const SILENCE_DB: f64 = 30.0;
/// Points this far below the loudest one are 0, in dB.
const FLOOR_DB: f64 = 45.0;
/// The lowest and the highest frequency of the filters, in Hz.
const RANGE_HZ: [f64; 2] = [100.0, 3900.0];

/// A bank of triangular filters, evenly spaced in mel between 100 and 3,900 Hz.
///
/// Frames of 25 ms every 10 ms, weighted by a Hann window, after a pre-emphasis of 0.9; power of each band in dB.
#[derive(Debug, Clone, PartialEq)]
pub struct Cochlea {
    /// Samples of a frame, and from one to the next.
    frame: usize,
    hop: usize,
    window: Vec<f64>,
    /// Points of the Fourier transform.
    points: usize,
    fourier: Fourier,
    /// (bands, points / 2 + 1): each band's part of the power at each frequency, summing to 1.
    filters: Vec<f64>,
}

impl Cochlea {
    /// The least sample rate, in Hz: sound up to 3,900 Hz.
    pub const LEAST_HZ: u32 = 7_800;

    /// `bands` filters for sound of `sample_hz` samples a second.
    ///
    /// # Panics
    /// If there is no band, or the rate is below [`Cochlea::LEAST_HZ`].
    pub fn new(bands: usize, sample_hz: u32) -> Self {
        assert!(bands > 0 && sample_hz >= Self::LEAST_HZ, "bands up to 3,900 Hz need 7,800 samples a second");
        let hz = f64::from(sample_hz);
        let frame = (FRAME_MS * 1e-3 * hz).round() as usize;
        let points = frame.next_power_of_two();
        let edges: Vec<f64> = {
            let [low, high] = RANGE_HZ.map(mel);
            (0..bands + 2).map(|i| from_mel(low + (high - low) * i as f64 / (bands + 1) as f64)).collect()
        };
        let mut filters = Vec::with_capacity(bands * (points / 2 + 1));
        for edges in edges.windows(3) {
            let slopes = (0..=points / 2).map(|i| {
                let f = i as f64 * hz / points as f64;
                ((f - edges[0]) / (edges[1] - edges[0])).min((edges[2] - f) / (edges[2] - edges[1])).max(0.0)
            });
            let slopes: Vec<f64> = slopes.collect();
            let total = slopes.iter().fold(1e-12, |sum, slope| sum + slope);
            filters.extend(slopes.iter().map(|slope| slope / total));
        }
        let turn = std::f64::consts::TAU / (frame - 1) as f64;
        let window = (0..frame).map(|i| 0.5 - 0.5 * libm::cos(turn * i as f64)).collect();
        Self {
            frame,
            hop: (HOP_MS * 1e-3 * hz).round() as usize,
            window,
            points,
            fourier: Fourier::new(points),
            filters,
        }
    }

    /// How many bands.
    pub fn bands(&self) -> usize {
        self.filters.len() / (self.points / 2 + 1)
    }

    /// What a recording sounds like: (`bins`, bands), time bin by time bin, 0 for 45 dB below the loudest point and 1 for it.
    ///
    /// Frames at both ends that are more than 30 dB below the loudest are cut; what is left is averaged over `bins` parts of equal
    /// length, so that slow and fast words become alike. `wave` holds 16-bit samples; a recording shorter than a frame is
    /// followed by silence. Silence throughout gives ones.
    ///
    /// # Panics
    /// If `bins` is 0.
    pub fn cochleagram(&self, wave: &[i16], bins: usize) -> Vec<f64> {
        assert!(bins > 0, "a cochleagram has bins");
        let (decibels, loudness) = self.frames(&whitened(wave, self.frame));
        let loudest = greatest(&loudness);
        let is_heard = |db: &f64| *db > loudest - SILENCE_DB;
        let first = loudness.iter().position(is_heard).unwrap_or(0);
        let last = loudness.iter().rposition(is_heard).unwrap_or(0);
        let bands = self.bands();
        let heard = &decibels[first * bands..(last + 1) * bands];
        let peak = greatest(heard);
        let level = |db: f64| ((db - peak + FLOOR_DB) / FLOOR_DB).clamp(0.0, 1.0);
        let frames = last + 1 - first;
        let mut out = Vec::with_capacity(bins * bands);
        for bin in 0..bins {
            let edge = |bin: usize| frames as f64 * bin as f64 / bins as f64;
            let from = edge(bin).floor() as usize;
            let to = (edge(bin + 1).ceil() as usize).max(from + 1).min(frames);
            out.extend((0..bands).map(|band| {
                let sum = (from..to).fold(0.0, |sum, frame| sum + level(heard[frame * bands + band]));
                sum / (to - from) as f64
            }));
        }
        out
    }

    /// Power of each band, frame by frame, and of each whole frame, in dB.
    fn frames(&self, wave: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (mut decibels, mut loudness) = (Vec::new(), Vec::new());
        let (mut windowed, mut spectrum) = (vec![0.0; self.points], vec![0.0; self.points / 2 + 1]);
        for frame in wave.windows(self.frame).step_by(self.hop) {
            for (out, (x, window)) in windowed.iter_mut().zip(frame.iter().zip(&self.window)) {
                *out = x * window;
            }
            self.fourier.power(&windowed, &mut spectrum);
            loudness.push(to_db(spectrum.iter().fold(0.0, |sum, p| sum + p)));
            for filter in self.filters.chunks_exact(spectrum.len()) {
                decibels.push(to_db(filter.iter().zip(&spectrum).fold(0.0, |sum, (f, p)| sum + f * p)));
            }
        }
        (decibels, loudness)
    }
}

/// Without its mean, pre-emphasised, at least `least` samples long.
fn whitened(wave: &[i16], least: usize) -> Vec<f64> {
    let total: i64 = wave.iter().map(|&x| i64::from(x)).sum();
    let mean = total as f64 / wave.len().max(1) as f64;
    let mut before = 0.0;
    let emphasise = |&x: &i16| {
        let x = f64::from(x) - mean;
        let out = x - PRE_EMPHASIS * before;
        before = x;
        out
    };
    let mut out: Vec<f64> = wave.iter().map(emphasise).collect();
    out.resize(out.len().max(least), 0.0);
    out
}

fn greatest(xs: &[f64]) -> f64 {
    xs.iter().fold(f64::NEG_INFINITY, |greatest, x| greatest.max(*x))
}

/// Power in dB; 1e-9 is added, a thousandth of the quantisation of 16 bits.
fn to_db(power: f64) -> f64 {
    10.0 * libm::log10(power + 1e-9)
}

fn mel(hz: f64) -> f64 {
    2595.0 * libm::log10(1.0 + hz / 700.0)
}

fn from_mel(mel: f64) -> f64 {
    700.0 * (libm::exp10(mel / 2595.0) - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two gliding tones that swell and fade, with silence before and after; 8 kHz.
    fn glide() -> Vec<i16> {
        let turn = std::f64::consts::TAU;
        let sound = (0..2400).map(|n| {
            let t = f64::from(n) / 8000.0;
            let rising = libm::sin(turn * (400.0 * t + 2000.0 * t * t));
            let falling = 0.4 * libm::sin(turn * (3000.0 * t - 1666.0 * t * t));
            3000.0 * libm::sin(turn / 2.0 * t / 0.3) * (rising + falling)
        });
        let silence = |n: usize| std::iter::repeat_n(0, n);
        silence(800).chain(sound.map(|x| x.round() as i16)).chain(silence(400)).collect()
    }

    #[test]
    fn a_glide_is_heard_as_by_an_independent_program() {
        // In numpy, from samples in double precision: rounding to 16 bits is a noise 70 dB below the peak, which moves values near
        // the floor by up to 0.01.
        let expected: [(usize, [f64; 4]); 5] = [
            (2, [0.273045, 0.55559, 0.395837, 0.088972]),
            (16 + 3, [0.163289, 0.679779, 0.847194, 0.423928]),
            (32 + 5, [0.454784, 0.944707, 0.776944, 0.128047]),
            (48 + 11, [0.612324, 0.848073, 0.304877, 0.0]),
            (64 + 8, [0.66241, 0.747478, 0.152368, 0.636175]),
        ];
        let found = Cochlea::new(16, 8000).cochleagram(&glide(), 5);
        assert_eq!(found.len(), 80);
        for (at, values) in expected {
            for (i, value) in values.into_iter().enumerate() {
                assert!((found[at + i] - value).abs() < 0.01, "{}: {} {value}", at + i, found[at + i]);
            }
        }
    }

    #[test]
    fn the_same_sound_at_another_rate_or_loudness_sounds_alike() {
        let turn = std::f64::consts::TAU;
        let sound = |hz: u32, loud: f64| -> Vec<i16> {
            let at = |n: u32| f64::from(n) / f64::from(hz);
            (0..hz / 2)
                .map(|n| (loud * libm::sin(turn * (500.0 + 900.0 * at(n)) * at(n))).round() as i16)
                .collect()
        };
        let heard = |hz: u32, loud: f64| Cochlea::new(8, hz).cochleagram(&sound(hz, loud), 3);
        let (reference, loud, fine) = (heard(8000, 8000.0), heard(8000, 30000.0), heard(16_000, 8000.0));
        let worst = |other: &[f64]| {
            reference.iter().zip(other).fold(0.0_f64, |worst, (a, b)| worst.max((a - b).abs()))
        };
        // Loudness changes only how far the noise of 16 bits is below. At another rate pre-emphasis differs by some dB over the
        // range, of 45.
        assert!(worst(&loud) < 0.01 && worst(&fine) < 0.12, "{} {}", worst(&loud), worst(&fine));
    }

    #[test]
    fn sounds_that_are_hardly_any_are_heard_without_complaint() {
        let cochlea = Cochlea::new(4, 8000);
        for wave in [&[][..], &[5], &[0; 3000], &[i16::MAX; 250], &[i16::MIN, i16::MAX]] {
            let heard = cochlea.cochleagram(wave, 5);
            assert!(heard.len() == 20 && heard.iter().all(|x| (0.0..=1.0).contains(x)), "{heard:?}");
        }
    }
}
