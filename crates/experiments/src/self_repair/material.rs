//! What is seen and heard: images and sounds of two digits, as patterns of rates.

use std::collections::BTreeMap;

use ndarray::Array2;
use numerics::{
    Draws, Stream,
    areas::{Area, Coded},
    cochlea::{Cochlea, Standard, TONE_HZ, tone},
    stats::Discriminant,
};

use super::params::{Params, Sounds, Unseen};
use crate::{Audio, Data, DataError, DataShape, Images, Recording, digits8x8};

/// Recordings of each made-up word: learned from, for the choice of settings, for results.
const TONES: [u32; 3] = [60, 15, 15];
/// All runs hear the same recordings of made-up words.
const TONE_SEED: u64 = 1;
/// Slope of the squashing of features of sounds.
const SLOPE: f64 = 1.5;
/// What is added to variances of pixels before images are told apart.
const RIDGE: f64 = 0.05;

/// What an example is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Train,
    Tune,
    Final,
}

/// Examples of one sense: by part and class.
#[derive(Debug)]
pub(super) struct Sense {
    train: Vec<Vec<Coded>>,
    held_out: Vec<Vec<Coded>>,
}

/// Everything that is shown.
#[derive(Debug)]
pub(super) struct Material {
    /// By [`Area`].
    pub(super) senses: [Sense; 2],
    /// Pixels down and across.
    pub(super) shape: [u32; 2],
    /// Tell real images of each digit from those of the others; fitted once.
    pub(super) discriminants: Vec<Discriminant>,
    /// Mean training image of each digit.
    pub(super) means: Vec<Vec<f64>>,
}

impl Sense {
    fn none(classes: usize) -> Self {
        Self { train: vec![Vec::new(); classes], held_out: vec![Vec::new(); classes] }
    }

    /// Examples to learn from, of a class.
    pub(super) fn train(&self, class: usize) -> &[Coded] {
        &self.train[class]
    }

    /// Examples to test on, of a class.
    pub(super) fn held_out(&self, class: usize) -> &[Coded] {
        &self.held_out[class]
    }

    fn push(&mut self, part: Part, class: usize, held_out: Unseen, pattern: Coded) {
        match (part, held_out) {
            (Part::Train, _) => self.train[class].push(pattern),
            (Part::Tune, Unseen::Tune) | (Part::Final, Unseen::Final) => self.held_out[class].push(pattern),
            _ => {}
        }
    }

    fn check(&self, what: &str, digits: &[u8]) -> Result<(), DataError> {
        for (parts, purpose) in [(&self.train, "learn from"), (&self.held_out, "test on")] {
            if let Some(class) = parts.iter().position(Vec::is_empty) {
                let digit = digits[class];
                return Err(DataError(format!("there are no {what} of digit {digit} to {purpose}")));
            }
        }
        Ok(())
    }
}

impl Material {
    /// `data` has the recordings that the settings ask for.
    pub(super) fn new(params: &Params, data: &Data) -> Result<Self, DataError> {
        let Data::Images(images) = digits8x8() else { unreachable!("the embedded digits are images") };
        let (vision, classes) = see(params, &images)?;
        let sound = match (params.sounds, data) {
            (Sounds::Tones, _) => coded(params, made_up(params)),
            (Sounds::Recordings, Data::Audio(audio)) => coded(params, recorded(params, audio)?),
            (Sounds::Recordings, _) => return Err(DataError("recordings are needed".into())),
        };
        vision.check("images", &params.digits)?;
        sound.check("recordings", &params.digits)?;
        let mean = |class: &Array2<f32>| -> Vec<f64> {
            let mean = class.mean_axis(ndarray::Axis(0)).expect("there are images of each digit");
            mean.iter().map(|&x| f64::from(x)).collect()
        };
        let discriminants = (0..classes.len()).map(|class| border(&classes, class)).collect();
        let shape = [images.rows, images.cols];
        Ok(Self { senses: [vision, sound], shape, discriminants, means: classes.iter().map(mean).collect() })
    }

    /// The patterns of an area.
    pub(super) fn of(&self, area: Area) -> &Sense {
        &self.senses[area as usize]
    }

    /// Bytes of everything.
    pub(super) fn bytes(params: &Params, data: &DataShape, pixels: u64) -> u64 {
        let (sounds, samples) = match data {
            DataShape::Audio { recordings, samples, .. } => (u64::from(*recordings), *samples),
            _ => (u64::from(2 * TONES.iter().sum::<u32>()), 0),
        };
        let digits = params.classes() as u64;
        // Features in double precision twice, then four bytes each; a recording of average length at a time, of any within the
        // base of the plan.
        24 * (sounds * u64::from(params.bands * params.bins) + 200 * digits * pixels)
            + 8 * pixels * pixels * (2 + 2 * digits)
            + (64 + 8 * u64::from(params.bands)) * samples / sounds.max(1)
            + 2 * samples
            + (2 << 20)
    }
}

/// The border between real images of a class and all others.
fn border(classes: &[Array2<f32>], class: usize) -> Discriminant {
    let others: Vec<_> =
        (0..classes.len()).filter(|&other| other != class).map(|other| classes[other].view()).collect();
    let others = ndarray::concatenate(ndarray::Axis(0), &others).expect("images of one size");
    Discriminant::fit([others.view(), classes[class].view()], RIDGE)
}

/// Images of the digits as patterns, and those to learn from as they are, 0 … 1.
fn see(params: &Params, images: &Images) -> Result<(Sense, Vec<Array2<f32>>), DataError> {
    let labels = images.labels.as_ref().ok_or_else(|| DataError("the images have no labels".into()))?;
    let (code, classes) = (params.code(), params.classes());
    let pixels = images.pixels_per_image();
    let (mut sense, mut seen) = (Sense::none(classes), vec![0_u32; classes]);
    let mut rows = vec![Vec::new(); classes];
    for (image, label) in images.pixels.chunks_exact(pixels).zip(labels) {
        let Some(class) = params.digits.iter().position(|digit| digit == label) else { continue };
        // Of each digit every third image is held out, in turn for the one and for the other.
        let part = match seen[class] % 6 {
            2 => Part::Tune,
            5 => Part::Final,
            _ => Part::Train,
        };
        seen[class] += 1;
        let features: Vec<f64> = image.iter().map(|&p| f64::from(p) / f64::from(images.max)).collect();
        if part == Part::Train {
            rows[class].extend(features.iter().map(|&x| x as f32));
        }
        sense.push(part, class, params.unseen, code.pattern(&features));
    }
    let table = |xs: Vec<f32>| Array2::from_shape_vec((xs.len() / pixels, pixels), xs).expect("whole images");
    Ok((sense, rows.into_iter().map(table).collect()))
}

/// A sound: what it is for, which digit, and its cochleagram.
type Heard = (Part, usize, Vec<f64>);

/// Made-up words.
fn made_up(params: &Params) -> Vec<Heard> {
    let cochlea = Cochlea::new(params.bands as usize, TONE_HZ);
    let draws = Draws::at(TONE_SEED, 0);
    let mut sounds = Vec::new();
    for class in 0..params.classes() {
        let parts = [Part::Train, Part::Tune, Part::Final].into_iter().zip(TONES);
        let parts = parts.flat_map(|(part, n)| std::iter::repeat_n(part, n as usize));
        for (index, part) in (0..).zip(parts) {
            sounds.push((part, class, cochlea.cochleagram(&tone(class, index, draws), params.bins as usize)));
        }
    }
    sounds
}

/// Recordings of the digits, in their order.
fn recorded(params: &Params, audio: &Audio) -> Result<Vec<Heard>, DataError> {
    let is_known = |recording: &Recording| recording.speaker == params.test_speaker;
    if !params.test_speaker.is_empty() && !audio.recordings.iter().any(is_known) {
        let (name, known) = (&params.test_speaker, audio.speakers().join(", "));
        return Err(DataError(format!("`test_speaker` is `{name}`; it must be one of {known}")));
    }
    let mut ears = BTreeMap::new();
    let mut sounds = Vec::new();
    for recording in &audio.recordings {
        let is_of = |digit: &u8| digit.to_string() == recording.label;
        let Some(class) = params.digits.iter().position(is_of) else { continue };
        let Some(part) = part(&params.test_speaker, recording) else { continue };
        let hz = recording.sample_hz;
        let ear = ears.entry(hz).or_insert_with(|| Cochlea::new(params.bands as usize, hz));
        sounds.push((part, class, ear.cochleagram(&recording.samples, params.bins as usize)));
    }
    Ok(sounds)
}

/// What a recording is for: by its number, or by its speaker if one is heard in tests only.
fn part(test_speaker: &str, recording: &Recording) -> Option<Part> {
    match (test_speaker, recording.number) {
        ("", 0..5) => Some(Part::Final),
        ("", 5..10) => Some(Part::Tune),
        ("", _) => Some(Part::Train),
        (name, number) if name == recording.speaker => {
            Some(if number < 25 { Part::Final } else { Part::Tune })
        }
        (_, 0..10) => None,
        _ => Some(Part::Train),
    }
}

/// Sounds as patterns: made comparable by those that are learned from, then pairs of rates.
fn coded(params: &Params, sounds: Vec<Heard>) -> Sense {
    let learned: Vec<Vec<f64>> =
        (sounds.iter()).filter(|(part, ..)| *part == Part::Train).map(|(.., heard)| heard.clone()).collect();
    let mut sense = Sense::none(params.classes());
    if learned.is_empty() {
        return sense;
    }
    let standard = Standard::of(&learned, SLOPE);
    for (part, class, heard) in sounds {
        sense.push(part, class, params.unseen, params.code().pattern(&standard.apply(&heard)));
    }
    sense
}

/// Item `draw` of a list, each alike.
pub(super) fn pick(patterns: &[Coded], draws: Draws, stream: Stream, index: u64) -> &Coded {
    &patterns[draws.below(stream, index, patterns.len() as u32) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(params: &Params, data: &Data) -> [[usize; 4]; 2] {
        let material = Material::new(params, data).expect("there are examples of all kinds");
        Area::ALL.map(|area| {
            let sense = material.of(area);
            [sense.train(0), sense.train(1), sense.held_out(0), sense.held_out(1)].map(<[Coded]>::len)
        })
    }

    #[test]
    fn parts_are_of_the_sizes_of_the_protocol() {
        let sizes = |unseen| sizes(&Params { unseen, ..Params::default() }, &Data::None);
        // 182 ones and 177 twos: numbers 2 and 5 modulo 6 are held out.
        assert_eq!(sizes(Unseen::Tune), [[122, 118, 30, 30], [60, 60, 15, 15]]);
        assert_eq!(sizes(Unseen::Final), [[122, 118, 30, 29], [60, 60, 15, 15]]);
    }

    /// Thirty recordings of each of three digits by each of two speakers.
    fn spoken() -> Data {
        let mut recordings = Vec::new();
        for (label, speaker) in [("1", "a"), ("1", "b"), ("2", "a"), ("2", "b"), ("7", "a"), ("7", "b")] {
            recordings.extend((0..30).map(|number| Recording {
                label: label.into(),
                speaker: speaker.into(),
                number,
                sample_hz: if number % 2 == 0 { 8000 } else { 16_000 },
                samples: tone(usize::from(label != "1"), number, Draws::at(3, 0)),
            }));
        }
        Data::Audio(Audio { recordings }.into())
    }

    #[test]
    fn recordings_are_for_learning_or_testing_by_number_or_by_speaker() {
        let params = Params { sounds: Sounds::Recordings, unseen: Unseen::Final, ..Params::default() };
        assert_eq!(sizes(&params, &spoken())[1], [40, 40, 10, 10]);
        let tune = Params { unseen: Unseen::Tune, ..params.clone() };
        assert_eq!(sizes(&tune, &spoken())[1], [40, 40, 10, 10]);
        let other = Params { test_speaker: "b".into(), ..params.clone() };
        assert_eq!(sizes(&other, &spoken())[1], [20, 20, 25, 25]);
        let tune = Params { unseen: Unseen::Tune, ..other };
        assert_eq!(sizes(&tune, &spoken())[1], [20, 20, 5, 5]);
    }

    #[test]
    fn recordings_that_lack_a_digit_or_a_speaker_are_refused_by_name() {
        let fail = |params: Params, data: Data| {
            let params = Params { sounds: Sounds::Recordings, ..params };
            Material::new(&params, &data).expect_err("it is refused").to_string()
        };
        let digits = Params { digits: vec![1, 3], ..Params::default() };
        assert!(fail(digits, spoken()).contains("no recordings of digit 3 to learn from"));
        let nobody = Params { test_speaker: "c".into(), ..Params::default() };
        assert!(fail(nobody, spoken()).contains("`test_speaker` is `c`; it must be one of a, b"));
        assert!(fail(Params::default(), Data::None).contains("recordings are needed"));
    }

    #[test]
    fn the_mean_images_are_told_apart() {
        let material = Material::new(&Params::default(), &Data::None).expect("embedded data");
        let scores = |class: usize| -> Vec<f64> {
            material.discriminants.iter().map(|border| border.score(&material.means[class])).collect()
        };
        let (one, two) = (scores(0), scores(1));
        assert!(one[1] < 0.0 && two[1] > 0.0 && (one[1] + two[1]).abs() < 1e-6 * two[1], "{one:?} {two:?}");
        assert!(one[0] > 0.0 && two[0] < 0.0, "the other border is the same: {one:?} {two:?}");
    }
}
