use std::sync::Arc;

use serde_json::{Map, json};

use super::{params::Patterns as Shown, patterns::Pictures, *};
use crate::{Images, Kind};

/// Four images of 4x4 pixels, the last for testing: image i has pixel i of the middle 2x2 on, and all of the edge.
fn small() -> Data {
    let image = |i: usize| {
        let mut pixels = vec![9_u8; 16];
        [5, 6, 9, 10]
            .into_iter()
            .enumerate()
            .for_each(|(place, at)| pixels[at] = if place == i { 9 } else { 0 });
        pixels
    };
    let pixels = (0..4).flat_map(image).collect();
    let labels = Some(vec![0, 1, 1, 1]);
    Data::Images(Arc::new(Images { count: 4, rows: 4, cols: 4, max: 9, test_count: 1, pixels, labels }))
}

fn pictures(params: Params) -> Result<Pictures, DataError> {
    match Patterns::new(&params, &small(), 1)? {
        Patterns::Images(pictures) => Ok(pictures),
        Patterns::Synthetic(_) => panic!("images were asked for"),
    }
}

fn params() -> Params {
    Params { train_images: 3, test_images: 1, crop: 1, threshold: 4, ..Params::default() }
}

#[test]
fn a_crop_takes_the_edge_away() {
    let pictures = pictures(params()).expect("the data fits");
    assert_eq!((pictures.frame.rows, pictures.frame.cols, pictures.train.columns()), (2, 2, 4));
    for image in 0..3_u32 {
        assert_eq!(pictures.train.row(image as usize), [image]);
    }
    assert_eq!(pictures.frame.picture(&[0.1, 0.2, 0.3, 0.4]), [0.1, 0.2, 0.3, 0.4]);
}

#[test]
fn pixels_that_are_hardly_ever_on_are_left_out_and_shown_as_zero() {
    // The fourth pixel is on in the test image only.
    let pictures = pictures(Params { min_on: 0.01, ..params() }).expect("the data fits");
    assert_eq!(pictures.frame.kept, [0, 1, 2]);
    assert!(pictures.test.row(0).is_empty());
    assert_eq!(pictures.frame.picture(&[0.1, 0.2, 0.3]), [0.1, 0.2, 0.3, 0.0]);
}

#[test]
fn only_the_classes_asked_for_are_shown() {
    let of_one = pictures(Params { classes: vec![1], ..params() }).expect("there are some");
    assert_eq!(of_one.train.len(), 2);
    assert!(pictures(Params { classes: vec![0], ..params() }).is_err(), "the test image is of class 1");
}

#[test]
fn settings_that_contradict_each_other_are_refused_by_name() {
    let kind: &dyn Kind = crate::find(WtaMixture::NAME).expect("it is in the catalogue");
    let cases = [
        ("weight_floor", json!({"c": 0.001, "weight_floor": -5.0})),
        ("tau_rise_ms", json!({"epsp": "double_exponential", "tau_rise_ms": 20.0})),
        ("winner", json!({"mode": "clocked", "winner": "argmax"})),
        ("init", json!({"init": "truth"})),
        ("init", json!({"init": "truth", "patterns": "synthetic", "neurons": 5})),
        ("starts", json!({"starts": 2})),
        ("average_from", json!({"average_from": 0.5})),
        ("classes", json!({"classes": [3, 3]})),
    ];
    for (field, params) in cases {
        let params: Map<_, _> = params.as_object().expect("it was written as one").clone();
        let errors = kind.resolve(None, &params).expect_err("they contradict each other");
        assert!(errors[0].to_string().contains(&format!("`{field}`")), "{errors:?}");
    }
}

#[test]
fn the_mixture_of_synthetic_patterns_is_the_same_for_all_seeds() {
    let params = || Params { patterns: Shown::Synthetic, neurons: 4, ..Params::default() };
    let [one, two] =
        [1, 2].map(|seed| WtaMixture::new(params(), Data::None, seed).expect("it needs no data"));
    match (&one.patterns, &two.patterns) {
        (Patterns::Synthetic(one), Patterns::Synthetic(two)) => assert_eq!(one, two),
        _ => panic!("they are synthetic"),
    }
}
