use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use hound::{WavSpec, WavWriter};

use super::*;

const MOST: u64 = 1 << 24;

fn spec(channels: u16, sample_rate: u32, bits_per_sample: u16) -> WavSpec {
    WavSpec { channels, sample_rate, bits_per_sample, sample_format: SampleFormat::Int }
}

fn wav(spec: WavSpec, samples: &[i32]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, spec).expect("a spec that hound writes");
    samples.iter().for_each(|&x| writer.write_sample(x).expect("memory takes it"));
    writer.finalize().expect("memory takes it");
    bytes.into_inner()
}

fn archive(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes.as_slice()).expect("memory takes it");
    }
    builder.into_inner().expect("memory takes it")
}

fn read(files: &[(&str, Vec<u8>)]) -> Result<Arc<Audio>, String> {
    match audio_from_tar(&archive(files), MOST).map_err(|error| error.to_string())? {
        Data::Audio(audio) => Ok(audio),
        other => panic!("recordings are no {}", other.kind()),
    }
}

fn plain() -> Vec<u8> {
    wav(spec(1, 8000, 16), &[0, 100, -32_768, 32_767])
}

#[test]
fn recordings_are_read_in_order_with_label_and_speaker_and_other_files_left_out() {
    let files = [
        ("fsdd/recordings/2_theo_7.wav", plain()),
        ("fsdd/recordings/._2_theo_7.wav", b"rubbish".to_vec()),
        ("fsdd/LICENSE.txt", b"free".to_vec()),
        ("1_zoe_12.WAV", plain()),
        ("1_zoe_3.wav", plain()),
    ];
    let audio = read(&files).expect("good files");
    let names: Vec<String> = audio.recordings.iter().map(Recording::name).collect();
    assert_eq!(names, ["1_zoe_3.wav", "1_zoe_12.wav", "2_theo_7.wav"]);
    assert_eq!(
        (audio.labels(), audio.speakers()),
        (vec!["1".into(), "2".into()], vec!["theo".into(), "zoe".into()])
    );
    assert_eq!(audio.recordings[0].samples, [0, 100, -32_768, 32_767]);
    let data = Data::Audio(audio);
    assert_eq!(Data::decode(&data.encode()), Ok(data.clone()));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let [a, b, c, d, e] = files;
    gzip.write_all(&archive(&[e, d, c, b, a])).expect("memory takes it");
    let packed = gzip.finish().expect("memory takes it");
    assert_eq!(audio_from_tar(&packed, MOST), Ok(data), "packed, in another order");
}

#[test]
fn channels_are_averaged_and_other_depths_become_16_bits() {
    let samples = |bytes: Vec<u8>| {
        let audio = read(&[("1_a_0.wav", bytes)]).expect("a good file");
        (audio.recordings[0].sample_hz, audio.recordings[0].samples.clone())
    };
    assert_eq!(samples(wav(spec(2, 44_100, 16), &[100, 301, -5, -6])), (44_100, vec![201, -6]));
    let deep = wav(spec(1, 16_000, 24), &[256 * 1000, 256 * 1000 + 128, -8_388_608, 8_388_607]);
    assert_eq!(samples(deep), (16_000, vec![1000, 1001, -32_768, 32_767]));
    assert_eq!(samples(wav(spec(1, 8000, 8), &[1, -128])), (8000, vec![256, -32_768]));
    assert_eq!(samples(wav(spec(1, 8000, 32), &[65_536 * 3])), (8000, vec![3]));
    let float = WavSpec { sample_format: SampleFormat::Float, ..spec(1, 8000, 32) };
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, float).expect("a spec that hound writes");
    [0.5_f32, -2.0].iter().for_each(|&x| writer.write_sample(x).expect("memory takes it"));
    writer.finalize().expect("memory takes it");
    assert_eq!(samples(bytes.into_inner()), (8000, vec![16_384, -32_768]));
}

#[test]
fn odd_files_are_refused_by_name_with_the_rule() {
    let mut short = plain();
    short.truncate(short.len() - 3);
    let mut no_pcm = plain();
    no_pcm[20] = 85;
    for (name, bytes, rule) in [
        ("1_a_0.wav", Vec::new(), "truncated"),
        ("1_a_0.wav", short, "truncated"),
        (
            "1_a_0.wav",
            b"ID3 this is an mp3, or so it seems from the first bytes".to_vec(),
            "it is no WAV file",
        ),
        ("1_a_0.wav", no_pcm, "encoding"),
        ("1_a_0.wav", wav(spec(1, 8000, 16), &[]), "the recording has 0 samples; it must have at least one"),
        ("1_a_0.wav", wav(spec(1, 4000, 16), &[1, 2]), "the sample rate is 4000 Hz; it must be from 7800"),
        ("1_a_0.wav", wav(spec(1, 8000, 16), &vec![0; 480_000]), "shorter than 60 s"),
        ("one.wav", plain(), "label_speaker_number.wav"),
        ("1_a_b.wav", plain(), "label_speaker_number.wav"),
        ("1__3.wav", plain(), "the speaker is ``; it must have"),
    ] {
        let error = read(&[("0_a_0.wav", plain()), (name, bytes)]).expect_err("it is refused");
        assert!(error.contains(&format!("file `{name}`")) && error.contains(rule), "{rule}: {error}");
    }
    let twice = read(&[("a/1_a_0.wav", plain()), ("b/1_a_0.wav", plain())]).expect_err("it is refused");
    assert!(twice.contains("it comes twice"), "{twice}");
    assert!(read(&[("a.txt", plain())]).expect_err("no recordings").contains("label_speaker_number.wav"));
}

#[test]
fn archives_that_are_none_or_too_large_are_refused() {
    let fail = |bytes: &[u8], most| audio_from_tar(bytes, most).expect_err("it is refused").to_string();
    assert!(fail(b"", MOST).contains("no recordings"));
    assert!(fail(&[7; 2000], MOST).contains("the archive cannot be read"));
    assert!(fail(&[0x1f, 0x8b, 3, 4], MOST).contains("gzip"));
    let good = archive(&[("1_a_0.wav", plain())]);
    assert!(fail(&good, 100).contains("at most 100 bytes"));
    assert!(
        fail(&good[..700], MOST).contains("cannot be read")
            || fail(&good[..540], MOST).contains("ends within")
    );
}

#[test]
fn a_stored_data_set_out_of_order_is_refused() {
    let audio = read(&[("1_a_0.wav", plain()), ("2_a_0.wav", plain())]).expect("good files");
    let mut recordings = audio.recordings.clone();
    recordings.reverse();
    let error = Data::decode(&Data::Audio(Audio { recordings }.into()).encode()).expect_err("it is refused");
    assert!(error.to_string().contains("in order"), "{error}");
}
