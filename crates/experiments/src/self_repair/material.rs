//! What is seen and heard: images and sounds of two digits, as patterns of rates.

use ndarray::Array2;
use numerics::{
    Draws, Stream,
    areas::{Area, Coded},
    cochlea::{Cochlea, Standard, TONE_HZ, tone},
    stats::Discriminant,
};

use super::params::{Params, Unseen};
use crate::{Data, DataError, Images, digits8x8};

/// The two digits.
const DIGITS: [u8; 2] = [1, 2];
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
#[derive(Debug, Default)]
pub(super) struct Sense {
    train: [Vec<Coded>; 2],
    held_out: [Vec<Coded>; 2],
}

/// Everything that is shown.
#[derive(Debug)]
pub(super) struct Material {
    /// By [`Area`].
    pub(super) senses: [Sense; 2],
    /// Pixels down and across.
    pub(super) shape: [u32; 2],
    /// Tells real images of the two digits apart; fitted once.
    pub(super) discriminant: Discriminant,
    /// Mean training image of each digit.
    pub(super) means: [Vec<f64>; 2],
}

impl Sense {
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

    fn check(&self, what: &str) -> Result<(), DataError> {
        let missing = [&self.train, &self.held_out].into_iter().flatten().any(Vec::is_empty);
        if missing {
            Err(DataError(format!("{what} of both digits are needed, to learn from and to test on")))
        } else {
            Ok(())
        }
    }
}

impl Material {
    pub(super) fn new(params: &Params) -> Result<Self, DataError> {
        let Data::Images(images) = digits8x8() else { unreachable!("the embedded digits are images") };
        let (vision, classes) = see(params, &images)?;
        let sound = hear(params);
        vision.check("images")?;
        sound.check("sounds")?;
        let means = classes.each_ref().map(|class| {
            let mean = class.mean_axis(ndarray::Axis(0)).expect("there are images of each digit");
            mean.iter().map(|&x| f64::from(x)).collect()
        });
        let discriminant = Discriminant::fit(classes.each_ref().map(|class| class.view()), RIDGE);
        Ok(Self { senses: [vision, sound], shape: [images.rows, images.cols], discriminant, means })
    }

    /// The patterns of an area.
    pub(super) fn of(&self, area: Area) -> &Sense {
        &self.senses[area as usize]
    }

    /// Bytes of everything.
    pub(super) fn bytes(params: &Params, pixels: u64) -> u64 {
        let sounds = u64::from(2 * TONES.iter().sum::<u32>());
        // Features in double precision twice, then four bytes each; a waveform at a time.
        24 * (sounds * u64::from(params.bands * params.bins) + 400 * pixels)
            + 8 * pixels * pixels * 4
            + (2 << 20)
    }
}

/// Images of both digits as patterns, and those to learn from as they are, 0 … 1.
fn see(params: &Params, images: &Images) -> Result<(Sense, [Array2<f32>; 2]), DataError> {
    let labels = images.labels.as_ref().ok_or_else(|| DataError("the images have no labels".into()))?;
    let code = params.code();
    let pixels = images.pixels_per_image();
    let (mut sense, mut seen, mut rows) = (Sense::default(), [0_u32; 2], [Vec::new(), Vec::new()]);
    for (image, label) in images.pixels.chunks_exact(pixels).zip(labels) {
        let Some(class) = DIGITS.iter().position(|digit| digit == label) else { continue };
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
    Ok((sense, rows.map(table)))
}

/// Made-up words as patterns.
fn hear(params: &Params) -> Sense {
    let cochlea = Cochlea::new(params.bands as usize, TONE_HZ);
    let draws = Draws::at(TONE_SEED, 0);
    let mut recordings = Vec::new();
    for class in 0..DIGITS.len() {
        let parts = [Part::Train, Part::Tune, Part::Final].into_iter().zip(TONES);
        let parts = parts.flat_map(|(part, n)| std::iter::repeat_n(part, n as usize));
        for (index, part) in (0..).zip(parts) {
            let heard = cochlea.cochleagram(&tone(class, index, draws), params.bins as usize);
            recordings.push((part, class, heard));
        }
    }
    coded(params, recordings)
}

/// Cochleagrams as patterns: made comparable by those that are learned from, then pairs of rates.
fn coded(params: &Params, recordings: Vec<(Part, usize, Vec<f64>)>) -> Sense {
    let learned =
        recordings.iter().filter(|(part, ..)| *part == Part::Train).map(|(.., heard)| heard.clone());
    let standard = Standard::of(&learned.collect::<Vec<_>>(), SLOPE);
    let mut sense = Sense::default();
    for (part, class, heard) in recordings {
        sense.push(part, class, params.unseen, params.code().pattern(&standard.apply(&heard)));
    }
    sense
}

/// Item `draw` of a list, each alike.
pub(super) fn pick<'a>(patterns: &'a [Coded], draws: Draws, stream: Stream, index: u64) -> &'a Coded {
    &patterns[draws.below(stream, index, patterns.len() as u32) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_of_the_sizes_of_the_protocol() {
        let sizes = |held_out| {
            let material =
                Material::new(&Params { unseen: held_out, ..Params::default() }).expect("embedded data");
            let of = |area: Area| {
                let sense = material.of(area);
                [sense.train(0), sense.train(1), sense.held_out(0), sense.held_out(1)].map(<[Coded]>::len)
            };
            [of(Area::Vision), of(Area::Sound)]
        };
        // 182 ones and 177 twos: numbers 2 and 5 modulo 6 are held out.
        assert_eq!(sizes(Unseen::Tune), [[122, 118, 30, 30], [60, 60, 15, 15]]);
        assert_eq!(sizes(Unseen::Final), [[122, 118, 30, 29], [60, 60, 15, 15]]);
    }

    #[test]
    fn the_mean_images_are_told_apart() {
        let material = Material::new(&Params::default()).expect("embedded data");
        let [one, two] = material.means.each_ref().map(|mean| material.discriminant.score(mean));
        assert!(one < 0.0 && two > 0.0 && (one + two).abs() < 1e-6 * two, "{one} {two}");
    }
}
