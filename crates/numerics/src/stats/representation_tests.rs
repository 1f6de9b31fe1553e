use super::*;
use crate::{Draws, Stream};
use ndarray::array;

/// `n` codes around `centre` with a standard deviation for each unit.
fn cloud(n: usize, centre: &[f32], sds: &[f64], class: u8, seed: u64) -> Cloud {
    let mut z = vec![0.0; n * centre.len()];
    Draws::at(seed, 0).fill_normal(Stream::Init, 0, &mut z);
    let codes = Array2::from_shape_fn((n, centre.len()), |(example, unit)| {
        centre[unit] + (sds[unit] * z[example * centre.len() + unit]) as f32
    });
    Cloud { codes, class }
}

/// Three images of each of two classes, 10 apart along the first unit, images 1 apart along the second.
fn two_classes(n: usize, sds: &[f64; 3]) -> Vec<Cloud> {
    (0..6)
        .map(|k| {
            let centre = [if k < 3 { 0.0 } else { 10.0 }, (k % 3) as f32, 0.0];
            cloud(n, &centre, sds, u8::from(k >= 3), 60 + k)
        })
        .collect()
}

fn second_unit() -> [Array2<f64>; 2] {
    [array![[0.0, 1.0, 0.0]], array![[0.0, 1.0, 0.0]]]
}

#[test]
fn noise_along_the_class_is_inside_its_tangent_space_and_noise_across_is_not() {
    let along = spread(&two_classes(50, &[0.0, 0.5, 0.0]), &second_unit());
    let across = spread(&two_classes(50, &[0.0, 0.0, 0.5]), &second_unit());
    assert!((along.tangent_share - 1.0).abs() < 1e-9 && across.tangent_share.abs() < 1e-9);
    assert!((along.tangent_chance - 1.0 / 3.0).abs() < 1e-15);
    let equal = spread(&two_classes(4_000, &[0.5; 3]), &second_unit());
    // A share of variances of 6 · 4,000 codes: standard error √(2 · 2/9 / 3 / 24,000)… below .004; 5 times.
    assert!((equal.tangent_share - equal.tangent_chance).abs() < 0.02, "{equal:?}");
}

#[test]
fn variances_within_and_between_are_those_worked_by_hand() {
    // Variance within: 3 · .25. The class means differ by 10 in one unit: 10²/2 = 50, and noise of the centres.
    let found = spread(&two_classes(4_000, &[0.5; 3]), &second_unit());
    // Relative standard error √(2/(3 · 24,000)) = .005, five times.
    assert!((found.within_over_between / (0.75 / 50.0) - 1.0).abs() < 0.03, "{found:?}");
    assert!((found.participation_ratio - 3.0).abs() < 0.05, "{found:?}");
}

#[test]
fn the_number_of_dimensions_does_not_depend_on_the_number_of_codes() {
    // 60 equal dimensions, 60 codes: the plain ratio would be near 30.
    let clouds: Vec<Cloud> =
        (0..20).map(|k| cloud(60, &[0.0; 60], &[1.0; 60], (k % 2) as u8, 70 + k)).collect();
    let none = [Array2::zeros((0, 60)), Array2::zeros((0, 60))];
    let found = spread(&clouds, &none);
    // tr C² varies by about 2 · 60/√(60 · 60)… 5 % a cloud, 1.2 % over 20; the ratio is convex: below 1 % more.
    assert!((found.participation_ratio / 60.0 - 1.0).abs() < 0.06, "{found:?}");
}

#[test]
fn points_have_no_dimensions_and_the_purest_neighbours_where_classes_lie_apart() {
    let mut clouds = two_classes(3, &[0.0; 3]);
    // A seventh and eighth image, so that five others of the same class… are not there: 3 + 1 of 5 at most.
    clouds.push(cloud(3, &[0.0, 3.0, 0.0], &[0.0; 3], 0, 80));
    clouds.push(cloud(3, &[10.0, 3.0, 0.0], &[0.0; 3], 1, 81));
    let found = spread(&clouds, &second_unit());
    assert_eq!((found.within_over_between, found.participation_ratio, found.tangent_share), (0.0, 0.0, 0.0));
    // Of the 5 nearest, the 3 others of the class and 2 strangers.
    assert!((found.purity - 0.6).abs() < 1e-15, "{found:?}");
}

#[test]
fn the_same_point_for_every_image_has_no_scatter_within_or_between() {
    let mut clouds = two_classes(3, &[0.0; 3]);
    clouds.iter_mut().for_each(|cloud| cloud.codes.fill(1.0));
    let units = clouds[0].codes.ncols();
    let found = spread(&clouds, &[Array2::zeros((0, units)), Array2::zeros((0, units))]);
    assert_eq!((found.within_over_between, found.participation_ratio, found.tangent_share), (0.0, 0.0, 0.0));
    assert!(found.purity.is_finite());
}

#[test]
fn principal_components_are_the_directions_of_largest_variance() {
    let codes = cloud(500, &[1.0, 2.0, 3.0], &[0.1, 3.0, 0.0], 0, 90).codes;
    let components = principal_components(codes.view(), 3);
    assert_eq!(components.nrows(), 2, "the codes vary in two directions only");
    // The first is the second unit but for √(1/500) · .1/3.
    assert!((components[[0, 1]].abs() - 1.0).abs() < 1e-4 && (components[[1, 0]].abs() - 1.0).abs() < 1e-4);
    let places = project(codes.view(), &components);
    let sds: Vec<f64> =
        places.columns().into_iter().map(|column| super::super::sd(&column.to_vec())).collect();
    // sd of an estimate: 3/√1000, five times.
    assert!((sds[0] - 3.0).abs() < 0.5 && (sds[1] - 0.1).abs() < 0.016, "{sds:?}");
}
