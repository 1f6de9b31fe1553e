//! Data sets: what is read, and what is refused with which reason.

use std::io::Write;

use experiments::{Data, IdxDecoder, IdxError, Images, digits8x8, images_from_idx};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

const LIMIT: u64 = 1 << 20;

fn idx(dims: &[u32], data: &[u8]) -> Vec<u8> {
    let header = [0, 0, 8, dims.len() as u8].into_iter().chain(dims.iter().flat_map(|dim| dim.to_be_bytes()));
    header.chain(data.iter().copied()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("memory takes every byte");
    encoder.finish().expect("memory takes every byte")
}

fn decode(file: &[u8], piece: usize) -> Result<(Vec<u32>, Vec<u8>), IdxError> {
    let mut decoder = IdxDecoder::new(LIMIT);
    file.chunks(piece.max(1)).try_for_each(|bytes| decoder.push(bytes))?;
    decoder.finish()
}

#[test]
fn the_embedded_digits_are_1797_images_of_17_levels_with_labels() {
    let Data::Images(digits) = digits8x8() else { panic!("digits are images") };
    assert_eq!((digits.count, digits.rows, digits.cols, digits.max, digits.test_count), (1797, 8, 8, 16, 0));
    assert_eq!(digits.pixels.iter().max(), Some(&16));
    let mut classes = [0; 10];
    digits
        .labels
        .as_ref()
        .expect("digits have labels")
        .iter()
        .for_each(|&label| classes[usize::from(label)] += 1);
    assert_eq!(classes, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    let sum: u64 = digits.pixels.iter().map(|&pixel| u64::from(pixel)).sum();
    assert_eq!(format!("{:.3}", sum as f64 / digits.pixels.len() as f64), "4.884");
}

#[test]
fn encoded_data_comes_back_and_its_hash_is_that_of_its_content() {
    let digits = digits8x8();
    assert_eq!(Data::decode(&digits.encode()).expect("it was just encoded"), digits);
    assert_eq!(digits.hash(), *blake3::hash(&digits.encode()).as_bytes());
}

#[test]
fn encoded_data_that_was_cut_or_goes_on_is_refused() {
    let bytes = digits8x8().encode();
    assert!(Data::decode(&bytes[..bytes.len() - 1]).is_err());
    assert!(Data::decode(&[&bytes[..], &[0]].concat()).is_err());
}

proptest! {
    #[test]
    fn a_file_is_read_alike_in_pieces_of_any_size_plain_or_compressed(
        data in prop::collection::vec(any::<u8>(), 1..500), piece in 1usize..600, compressed: bool,
    ) {
        let file = idx(&[data.len() as u32], &data);
        let file = if compressed { gzip(&file) } else { file };
        prop_assert_eq!(decode(&file, piece), Ok((vec![data.len() as u32], data)));
    }

    #[test]
    fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), piece in 1usize..50, headed: bool) {
        let file = if headed { [&[0, 0, 8, 1][..], &bytes].concat() } else { bytes };
        let _ = decode(&file, piece);
        let _ = decode(&gzip(&file), piece);
        let _ = Data::decode(&file);
    }
}

#[test]
fn files_that_are_not_idx_are_refused() {
    for file in [
        &b""[..],
        b"\x00",
        b"PK\x03\x04 zip",
        b"\x00\x00\x0d\x01floats",
        b"\x00\x00\x08\x04four",
        b"\x00\x00\x08\x00",
    ] {
        assert!(matches!(decode(file, 3), Err(IdxError::NotIdx(_))), "{file:?}");
    }
}

#[test]
fn a_truncated_file_says_how_much_is_missing() {
    let file = idx(&[10, 2, 2], &[1; 39]);
    assert_eq!(decode(&file, 7), Err(IdxError::Truncated { have: 39, want: 40 }));
    let packed = gzip(&idx(&[10, 2, 2], &[1; 40]));
    assert!(matches!(
        decode(&packed[..packed.len() / 2], 7),
        Err(IdxError::Gzip(_) | IdxError::Truncated { .. } | IdxError::NotIdx(_))
    ));
}

#[test]
fn a_file_that_goes_on_is_refused() {
    assert_eq!(decode(&idx(&[4], &[1; 5]), 100), Err(IdxError::TooLong { want: 4 }));
    assert_eq!(decode(&gzip(&idx(&[4], &[1; 5])), 100), Err(IdxError::TooLong { want: 4 }));
}

#[test]
fn dimensions_beyond_the_limit_are_refused_before_any_data_is_taken() {
    let header = idx(&[u32::MAX, u32::MAX, u32::MAX], &[]);
    assert!(matches!(decode(&header, 1), Err(IdxError::TooLarge { bytes: u64::MAX, limit: LIMIT, .. })));
    let at = idx(&[LIMIT as u32], &vec![0; LIMIT as usize]);
    assert!(decode(&at, 4096).is_ok());
    assert!(matches!(decode(&idx(&[LIMIT as u32 + 1], &[]), 4096), Err(IdxError::TooLarge { .. })));
    assert_eq!(decode(&idx(&[0, 5], &[]), 1), Err(IdxError::Empty(vec![0, 5])));
}

#[test]
fn a_compressed_bomb_is_refused() {
    let limit = 512 << 20;
    let bomb = gzip(&idx(&[100 << 20], &vec![0; 100 << 20]));
    assert!(bomb.len() < 200 << 10, "100 MiB of zeros compress to {} bytes", bomb.len());
    let mut decoder = IdxDecoder::new(limit);
    assert_eq!(decoder.push(&bomb), Err(IdxError::Bomb));
}

#[test]
fn parts_that_do_not_fit_together_are_refused_with_the_reason() {
    let images = || (vec![3, 2, 2], vec![1; 12]);
    let reason =
        |result: Result<Data, experiments::DataError>| result.expect_err("it must be refused").to_string();
    let labels = images_from_idx(images(), Some((vec![2], vec![0; 2])), None, 255);
    assert!(reason(labels).contains("labels"));
    let flat = images_from_idx((vec![12], vec![1; 12]), None, None, 255);
    assert!(reason(flat).contains("dimensions"));
    let bright = images_from_idx(images(), None, None, 0);
    assert!(reason(bright).contains("greatest value"));
    let test = images_from_idx(images(), None, Some(((vec![1, 3, 3], vec![0; 9]), None)), 255);
    assert!(reason(test).contains("test images"));
    let half = images_from_idx(
        images(),
        Some((vec![3], vec![0; 3])),
        Some(((vec![1, 2, 2], vec![0; 4]), None)),
        255,
    );
    assert!(reason(half).contains("labels"));
}

#[test]
fn a_test_part_comes_last_and_is_counted() {
    let test = Some(((vec![1, 2, 2], vec![9; 4]), Some((vec![1], vec![7]))));
    let data = images_from_idx((vec![2, 2, 2], vec![1; 8]), Some((vec![2], vec![5, 6])), test, 255);
    let Data::Images(images) = data.expect("it fits together") else { panic!("images") };
    let expected = Images {
        count: 3,
        rows: 2,
        cols: 2,
        max: 255,
        test_count: 1,
        pixels: [vec![1; 8], vec![9; 4]].concat(),
        labels: Some(vec![5, 6, 7]),
    };
    assert_eq!(*images, expected);
}
