//! Recordings of spoken words, from WAV files in a tar archive.

use std::{
    collections::BTreeSet,
    io::{Cursor, Read},
    sync::Arc,
};

use flate2::read::MultiGzDecoder;
use hound::{SampleFormat, WavReader};
use numerics::cochlea::Cochlea;
use serde::{Deserialize, Serialize};

use crate::{Data, DataError};

/// Recordings in the order of label, speaker and number, each of these once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audio {
    /// At least one.
    pub recordings: Vec<Recording>,
}

/// A recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// What is said.
    pub label: String,
    /// Who says it.
    pub speaker: String,
    /// Which of the recordings of that.
    pub number: u32,
    /// Samples a second, at least [`Cochlea::LEAST_HZ`].
    pub sample_hz: u32,
    /// One channel; at least one sample.
    pub samples: Vec<i16>,
}

/// Most samples a second.
const MOST_HZ: u32 = 384_000;
/// Longest recording, in s.
const LONGEST_S: u32 = 60;
/// Longest label or name.
const LONGEST: usize = 64;

impl Audio {
    /// Who speaks, each once.
    pub fn speakers(&self) -> Vec<String> {
        let names: BTreeSet<&String> = self.recordings.iter().map(|recording| &recording.speaker).collect();
        names.into_iter().cloned().collect()
    }

    /// What is said, each once.
    pub fn labels(&self) -> Vec<String> {
        let labels: BTreeSet<&String> = self.recordings.iter().map(|recording| &recording.label).collect();
        labels.into_iter().cloned().collect()
    }

    /// Samples of all recordings.
    pub fn samples(&self) -> u64 {
        self.recordings.iter().map(|recording| recording.samples.len() as u64).sum()
    }

    /// Whether it is as it must be.
    ///
    /// # Errors
    /// Names what is not.
    pub fn check(&self) -> Result<(), DataError> {
        if self.recordings.is_empty() {
            return Err(DataError("there are no recordings".into()));
        }
        for recording in &self.recordings {
            recording.check().map_err(|what| wrong(&recording.name(), what))?;
        }
        match self.recordings.windows(2).find(|pair| pair[0].key() >= pair[1].key()) {
            Some(pair) => Err(DataError(format!(
                "recording {} comes after {}; each must come once, in order",
                pair[1].name(),
                pair[0].name()
            ))),
            None => Ok(()),
        }
    }
}

impl Recording {
    fn key(&self) -> (&str, &str, u32) {
        (&self.label, &self.speaker, self.number)
    }

    fn name(&self) -> String {
        format!("{}_{}_{}.wav", self.label, self.speaker, self.number)
    }

    fn check(&self) -> Result<(), String> {
        for (what, text) in [("label", &self.label), ("speaker", &self.speaker)] {
            if text.is_empty() || text.len() > LONGEST {
                return Err(format!("the {what} is `{}`; it must have 1 to {LONGEST} bytes", cut(text)));
            }
        }
        let (hz, least) = (self.sample_hz, Cochlea::LEAST_HZ);
        if !(least..=MOST_HZ).contains(&hz) {
            let rule = format!("it must be from {least}, for sounds up to 3,900 Hz, to {MOST_HZ}");
            return Err(format!("the sample rate is {hz} Hz; {rule}"));
        }
        let seconds = self.samples.len() as u64 / u64::from(hz);
        if self.samples.is_empty() || seconds >= u64::from(LONGEST_S) {
            let rule = format!("it must have at least one sample and be shorter than {LONGEST_S} s");
            return Err(format!("the recording has {} samples; {rule}", self.samples.len()));
        }
        Ok(())
    }
}

/// Reads recordings from a tar archive, plain or gzip, of at most `most_bytes`, unpacked.
///
/// Every file whose name ends with `.wav` is one, called `label_speaker_number.wav` wherever it lies; other files are left out. WAV
/// files have integers of 8 to 32 bits or floats of 32 bits; channels are averaged and samples rounded to 16 bits. The sample
/// rate stays as it is: filters are in Hz.
///
/// # Errors
/// The file and what is wrong with it.
pub fn audio_from_tar(bytes: &[u8], most_bytes: u64) -> Result<Data, DataError> {
    let unpacked = unpacked(bytes, most_bytes)?;
    let broken = |error: std::io::Error| DataError(format!("the archive cannot be read: {error}"));
    let mut archive = tar::Archive::new(Cursor::new(unpacked.as_slice()));
    let mut recordings = Vec::new();
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = file_name(&entry.path_bytes());
        if !entry.header().entry_type().is_file() || !is_recording(&name) {
            continue;
        }
        let mut wav = Vec::new();
        entry.read_to_end(&mut wav).map_err(broken)?;
        if (wav.len() as u64) < entry.size() {
            return Err(wrong(&name, "the archive ends within it".into()));
        }
        recordings.push(recording(&name, &wav).map_err(|what| wrong(&name, what))?);
    }
    if recordings.is_empty() {
        let rule = "there must be files `label_speaker_number.wav`, in a tar archive, plain or gzip";
        return Err(DataError(format!("there are no recordings; {rule}")));
    }
    recordings.sort_by(|a, b| a.key().cmp(&b.key()));
    let twice = recordings.windows(2).find(|pair| pair[0].key() == pair[1].key());
    if let Some(pair) = twice {
        return Err(wrong(&pair[0].name(), "it comes twice; it must come once".into()));
    }
    let audio = Audio { recordings };
    audio.check()?;
    Ok(Data::Audio(Arc::new(audio)))
}

/// Whether a file of this name is taken for a recording; hidden files are not.
pub fn is_recording(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".wav") && !name.starts_with('.')
}

/// The bytes of a tar archive.
fn unpacked(bytes: &[u8], most: u64) -> Result<Vec<u8>, DataError> {
    let mut out = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let broken = |error| DataError(format!("its gzip stream is broken: {error}"));
        MultiGzDecoder::new(bytes).take(most + 1).read_to_end(&mut out).map_err(broken)?;
    } else {
        out.extend_from_slice(bytes);
    }
    if out.len() as u64 > most {
        return Err(DataError(format!(
            "the archive is too large; it must be at most {most} bytes, unpacked"
        )));
    }
    Ok(out)
}

/// What follows the last slash.
fn file_name(path: &[u8]) -> String {
    let path = String::from_utf8_lossy(path);
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn recording(name: &str, wav: &[u8]) -> Result<Recording, String> {
    let named = "it must be called label_speaker_number.wav, such as 7_jackson_32.wav";
    let parts: Vec<&str> = name[..name.len() - ".wav".len()].split('_').collect();
    let [label, speaker, number] = parts[..] else { return Err(named.into()) };
    let number = number.parse().map_err(|_| named.to_owned())?;
    let (sample_hz, samples) = samples(wav)?;
    let recording =
        Recording { label: label.to_owned(), speaker: speaker.to_owned(), number, sample_hz, samples };
    recording.check()?;
    Ok(recording)
}

/// Sample rate and samples of a WAV file: one channel, 16 bits.
fn samples(wav: &[u8]) -> Result<(u32, Vec<i16>), String> {
    let unread = |error: hound::Error| match error {
        hound::Error::IoError(_) => {
            "it is truncated; all samples that its header names must be there".to_owned()
        }
        hound::Error::Unsupported => {
            "its encoding is unknown; it must be PCM, integers or floats, uncompressed".to_owned()
        }
        error => format!("it is no WAV file: {error}"),
    };
    let reader = WavReader::new(Cursor::new(wav)).map_err(unread)?;
    let spec = reader.spec();
    // From full scale of the file to that of 16 bits.
    let scale = match spec.sample_format {
        SampleFormat::Float => 32_768.0,
        SampleFormat::Int => 32_768.0 / (1_u64 << (spec.bits_per_sample - 1)) as f64,
    };
    let values: Vec<f64> = match spec.sample_format {
        SampleFormat::Float => reader
            .into_samples::<f32>()
            .map(|x| x.map(f64::from))
            .collect::<Result<_, _>>()
            .map_err(unread)?,
        SampleFormat::Int => reader
            .into_samples::<i32>()
            .map(|x| x.map(f64::from))
            .collect::<Result<_, _>>()
            .map_err(unread)?,
    };
    if values.iter().any(|x| !x.is_finite()) {
        return Err("a sample is not a number; all must be".into());
    }
    let channels = usize::from(spec.channels);
    let mono = |frame: &[f64]| frame.iter().fold(0.0, |sum, x| sum + x) / channels as f64;
    let whole = |x: f64| (x * scale).round().clamp(-32_768.0, 32_767.0) as i16;
    Ok((spec.sample_rate, values.chunks_exact(channels).map(|frame| whole(mono(frame))).collect()))
}

fn wrong(file: &str, what: String) -> DataError {
    DataError(format!("file `{}`: {what}", cut(file)))
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
#[path = "audio_tests.rs"]
mod tests;
