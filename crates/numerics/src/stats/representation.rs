//! How representations of the same thing scatter: clouds of codes.
//!
//! A *code* is the activity of the hidden units; a *cloud* is many codes of one image. All variances
//! have the divisor n − 1 and are summed over units.

use super::{covariance, mean, sum, symmetric_eigen};
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// Codes of one image, and its class.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// (samples, units), two samples or more.
    pub codes: Array2<f32>,
    /// Class of the image.
    pub class: u8,
}

/// What [`spread`] finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Variance within a cloud over the variance of the class means of cloud centres; 0 for points.
    pub within_over_between: f64,
    /// Effective number of dimensions of a cloud, `tr²C/tr C²`, averaged over clouds; 0 for points.
    pub participation_ratio: f64,
    /// Share of a cloud's variance inside the tangent space of its class, averaged over clouds; 0 for points.
    pub tangent_share: f64,
    /// The same share for variance that knows no direction: dimensions of the tangent space over units.
    pub tangent_chance: f64,
    /// Share of the 5 nearest centres of *other* images that are of the code's own class, averaged over codes.
    pub purity: f64,
}

/// Nearest centres that [`spread`] looks at.
pub const NEIGHBOURS: usize = 5;

/// How clouds scatter within images, between classes, and along the classes.
///
/// `tangents[k]` spans the directions in which images of class k differ, one orthonormal vector a row
/// ([`principal_components`] of codes of many images of the class).
///
/// # Panics
/// If there are fewer than two classes or no more than [`NEIGHBOURS`] clouds, a cloud has fewer than two codes,
/// shapes differ, or a class has no tangent space.
///
/// # Source
/// Participation ratio: Gao et al. 2017, bioRxiv 214262; `tr C²` without its bias: Srivastava 2005, J. Japan
/// Stat. Soc. 35:251, so that n codes in many dimensions do not look as if they had n.
pub fn spread(clouds: &[Cloud], tangents: &[Array2<f64>]) -> Spread {
    assert!(clouds.len() > NEIGHBOURS, "neighbours need other images");
    let centres: Vec<Array1<f64>> = clouds.iter().map(|cloud| centre(cloud.codes.view())).collect();
    let mut within = Vec::with_capacity(clouds.len());
    let (mut ratios, mut shares, mut chances) = (vec![], vec![], vec![]);
    for cloud in clouds {
        assert!(cloud.codes.nrows() >= 2, "a cloud has at least two codes");
        let tangent = &tangents[cloud.class as usize];
        let covariance = covariance(cloud.codes.view());
        let trace = sum(&covariance.diag().to_vec());
        within.push(trace);
        ratios.push(participation(&covariance, cloud.codes.nrows()));
        shares.push(if trace > 0.0 { inside(&covariance, tangent) / trace } else { 0.0 });
        chances.push(tangent.nrows() as f64 / tangent.ncols() as f64);
    }
    let (within, between) = (mean(&within), between_classes(clouds, &centres));
    Spread {
        // Saturated units give every image the same point.
        within_over_between: if within > 0.0 { within / between } else { 0.0 },
        participation_ratio: mean(&ratios),
        tangent_share: mean(&shares),
        tangent_chance: mean(&chances),
        purity: purity(clouds, &centres),
    }
}

/// The first principal components of codes (examples, units): orthonormal, one a row, at most `count`.
///
/// The directions of the largest differences between codes of one class span its tangent space.
/// Fewer are returned where the codes do not vary in as many directions.
///
/// # Panics
/// If there are fewer than two codes.
pub fn principal_components(codes: ArrayView2<'_, f32>, count: usize) -> Array2<f64> {
    let (values, vectors) = symmetric_eigen(covariance(codes).view());
    // A covariance of f32 codes is known to some 1e-12 of its greatest eigenvalue.
    let known = values.iter().take_while(|&&value| value > 1e-12 * values[0]).count();
    vectors.slice_axis(Axis(0), (..count.min(known)).into()).to_owned()
}

/// Codes (examples, units) in the coordinates of `components` around their mean: (examples, components).
///
/// # Panics
/// If the widths differ.
pub fn project(codes: ArrayView2<'_, f32>, components: &Array2<f64>) -> Array2<f64> {
    assert_eq!(codes.ncols(), components.ncols(), "a component has one number a unit");
    let centre = centre(codes);
    Array2::from_shape_fn((codes.nrows(), components.nrows()), |(example, k)| {
        let terms = codes.row(example).into_iter().zip(&centre).zip(components.row(k));
        sum(&terms.map(|((x, c), u)| (f64::from(*x) - c) * u).collect::<Vec<_>>())
    })
}

fn centre(codes: ArrayView2<'_, f32>) -> Array1<f64> {
    codes.axis_iter(Axis(1)).map(|unit| super::sum_f32(&unit.to_vec()) / codes.nrows() as f64).collect()
}

/// Variance of the class means of the centres, summed over units.
fn between_classes(clouds: &[Cloud], centres: &[Array1<f64>]) -> f64 {
    let mut classes: Vec<u8> = clouds.iter().map(|cloud| cloud.class).collect();
    classes.sort_unstable();
    classes.dedup();
    assert!(classes.len() >= 2, "a variance between classes needs two");
    let mut means = Array2::zeros((classes.len(), centres[0].len()));
    for (mut row, class) in means.rows_mut().into_iter().zip(&classes) {
        let members: Vec<usize> = (0..clouds.len()).filter(|&k| clouds[k].class == *class).collect();
        members.iter().for_each(|&k| row += &centres[k]);
        row /= members.len() as f64;
    }
    let variance = |unit: ndarray::ArrayView1<'_, f64>| {
        let sd = super::sd(&unit.to_vec());
        sd * sd
    };
    sum(&means.axis_iter(Axis(1)).map(variance).collect::<Vec<_>>())
}

/// `tr²C/tr C²` of n codes, with tr C² as it would be of infinitely many.
fn participation(covariance: &Array2<f64>, codes: usize) -> f64 {
    let trace = sum(&covariance.diag().to_vec());
    let squares = sum(&covariance.iter().map(|x| x * x).collect::<Vec<_>>());
    let m = codes as f64 - 1.0;
    let unbiased = m * m / ((m - 1.0) * (m + 2.0)) * (squares - trace * trace / m);
    // Two codes say nothing of dimensions, and noise can leave less than one dimension's worth.
    let unbiased = if unbiased > 0.0 { unbiased } else { squares };
    if trace > 0.0 { trace * trace / unbiased } else { 0.0 }
}

/// Variance inside the space that orthonormal rows span.
fn inside(covariance: &Array2<f64>, tangent: &Array2<f64>) -> f64 {
    let along = |direction: ndarray::ArrayView1<'_, f64>| {
        let rows = covariance
            .rows()
            .into_iter()
            .zip(direction)
            .map(|(row, u)| u * sum(&row.iter().zip(direction).map(|(c, u)| c * u).collect::<Vec<_>>()));
        sum(&rows.collect::<Vec<_>>())
    };
    sum(&tangent.rows().into_iter().map(along).collect::<Vec<_>>())
}

/// Share of the nearest centres of other images that have the code's class.
fn purity(clouds: &[Cloud], centres: &[Array1<f64>]) -> f64 {
    let mut shares = Vec::new();
    for (own, cloud) in clouds.iter().enumerate() {
        for code in cloud.codes.rows() {
            let mut near: Vec<(f64, usize)> = (0..clouds.len())
                .filter(|&other| other != own)
                .map(|other| (distance(code, &centres[other]), other))
                .collect();
            near.select_nth_unstable_by(NEIGHBOURS - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let same = near[..NEIGHBOURS].iter().filter(|(_, k)| clouds[*k].class == cloud.class).count();
            shares.push(same as f64 / NEIGHBOURS as f64);
        }
    }
    mean(&shares)
}

fn distance(code: ndarray::ArrayView1<'_, f32>, centre: &Array1<f64>) -> f64 {
    code.iter().zip(centre).fold(0.0, |sum, (x, c)| sum + (f64::from(*x) - c) * (f64::from(*x) - c))
}

#[cfg(test)]
#[path = "representation_tests.rs"]
mod tests;
