//! How the codes of one image scatter, and whether they scatter along its class.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use numerics::{
    BinaryRows, Draws, Stream,
    boltzmann::Parameters,
    distributions::bernoulli,
    stats::{
        representation::{Cloud, NEIGHBOURS, Spread, spread},
        symmetric_eigen,
    },
};

use super::{
    Machine, Params,
    code::{mean_codes, sampled_codes},
};
use crate::boltzmann::Labelled;

/// Test images of every class that are looked at.
const CLOUDS_PER_CLASS: usize = 10;
/// Training images of a class whose differences span its tangent space, and the dimensions of that space.
const TANGENT_IMAGES: usize = 60;
const TANGENT_DIMENSIONS: usize = 10;
/// Draws of copies are at this step and the following, beyond those of classifiers.
const ADDRESS: u64 = 1 << 41;

/// Where the noise of a system's codes comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noise {
    /// Hidden units are drawn from `P(h | v)`.
    Units,
    /// A member of the ensemble is drawn.
    Masks,
    /// A member is drawn, and half as many Gibbs sweeps as of the features follow, rounded up.
    HalfChain,
    /// A member is drawn, and as many Gibbs sweeps as of the features follow.
    Chain,
}

/// A network and the noise of its codes.
#[derive(Debug, Clone, Copy)]
pub(super) struct System {
    pub(super) machine: Machine,
    noise: Noise,
    /// Metric that shows the codes of the first image in the plane, if any.
    pub(super) picture: Option<&'static str>,
}

/// All, in the order of the metrics.
pub(super) const SYSTEMS: [System; 6] = [
    System { machine: Machine::RbmLow, noise: Noise::Units, picture: None },
    System { machine: Machine::RbmLow, noise: Noise::Chain, picture: Some("cloud_rbm_chain") },
    System { machine: Machine::RbseA, noise: Noise::Chain, picture: None },
    System { machine: Machine::RbseB, noise: Noise::Masks, picture: Some("cloud_rbse_b_masks") },
    System { machine: Machine::RbseB, noise: Noise::HalfChain, picture: None },
    System { machine: Machine::RbseB, noise: Noise::Chain, picture: Some("cloud_rbse_b_chain") },
];
/// Place of masks alone, and of the chain, in [`SYSTEMS`].
pub(super) const MASKS: usize = 3;
pub(super) const CHAIN: usize = 5;
/// Networks whose mean codes of all images are shown, with the metric.
pub(super) const PLANES: [(Machine, &str); 2] =
    [(Machine::RbmLow, "cloud_images_rbm"), (Machine::RbseB, "cloud_images_rbse_b")];

/// What was found of one system.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Found {
    /// Within over between, dimensions, tangent share, tangent chance, purity.
    pub(super) measures: [f64; 5],
    /// Codes of the first image in the plane, (copies, 2) row by row.
    pub(super) picture: Vec<f32>,
}

/// The images that are looked at.
pub(super) struct Clouds {
    images: BinaryRows,
    classes: Vec<u8>,
    /// For each class some training images.
    tangents: Vec<BinaryRows>,
}

impl Clouds {
    /// The first test images of every class; none if they are too few or of one class only.
    pub(super) fn new(labelled: &Labelled) -> Option<Self> {
        let places = |class: u8| {
            let of_class = labelled.test_labels.iter().enumerate().filter(move |(_, label)| **label == class);
            of_class.map(|(place, _)| place as u32).take(CLOUDS_PER_CLASS).collect::<Vec<_>>()
        };
        let all: Vec<Vec<u32>> = (0..labelled.classes()).map(|class| places(class as u8)).collect();
        let classes: Vec<u8> =
            all.iter().enumerate().flat_map(|(class, places)| vec![class as u8; places.len()]).collect();
        let several = all.iter().filter(|places| !places.is_empty()).count() >= 2;
        let enough = classes.len() > NEIGHBOURS;
        (several && enough).then(|| Self {
            images: labelled.test.select(&all.concat()),
            classes,
            tangents: (0..labelled.classes()).map(|class| labelled.some_of(class, TANGENT_IMAGES)).collect(),
        })
    }

    /// One code of every image, (images, H).
    pub(super) fn encode(
        &self,
        system: usize,
        parameters: &Parameters,
        params: &Params,
        copy: u32,
        seed: u64,
    ) -> Array2<f32> {
        let draws = Draws::at(seed, ADDRESS + system as u64);
        let System { machine, noise, .. } = SYSTEMS[system];
        let sweeps = match machine {
            Machine::RbmLow | Machine::RbmHigh => params.rbm_sweeps,
            Machine::Frozen | Machine::S2m => params.frozen_sweeps,
            Machine::RbseB | Machine::RbseA => params.sweeps,
        };
        let sweeps = match noise {
            Noise::Units => return self.units(parameters, copy, draws),
            Noise::Masks => 0,
            Noise::HalfChain => sweeps.div_ceil(2),
            Noise::Chain => sweeps,
        };
        sampled_codes(parameters, &self.images, sweeps as usize, copy, draws)
    }

    fn units(&self, parameters: &Parameters, copy: u32, draws: Draws) -> Array2<f32> {
        let mut codes = mean_codes(parameters, &self.images);
        for (image, mut code) in codes.rows_mut().into_iter().enumerate() {
            let p = code.to_vec();
            code.fill(0.0);
            let first = u64::from(copy) << 40 | (image as u64) << 20;
            for unit in bernoulli(draws, Stream::OneShotCopy, first, &p) {
                code[unit as usize] = 1.0;
            }
        }
        codes
    }

    /// What the codes of a system, one (images, H) a copy, look like.
    pub(super) fn measure(&self, parameters: &Parameters, codes: &[Array2<f32>]) -> Found {
        let cloud = |image: usize| {
            let units = codes[0].ncols();
            let codes =
                Array2::from_shape_fn((codes.len(), units), |(copy, unit)| codes[copy][[image, unit]]);
            Cloud { codes, class: self.classes[image] }
        };
        let clouds: Vec<Cloud> = (0..self.classes.len()).map(cloud).collect();
        let tangents: Vec<Array2<f64>> = (self.tangents.iter())
            .map(|images| components(mean_codes(parameters, images).view(), TANGENT_DIMENSIONS).1)
            .collect();
        let Spread { within_over_between, participation_ratio, tangent_share, tangent_chance, purity } =
            spread(&clouds, &tangents);
        let plane = self.plane(parameters);
        Found {
            measures: [within_over_between, participation_ratio, tangent_share, tangent_chance, purity],
            picture: in_plane(&plane, clouds[0].codes.view()),
        }
    }

    /// Mean codes of all images in the plane, (images, 2) row by row.
    pub(super) fn centres(&self, parameters: &Parameters) -> Vec<f32> {
        in_plane(&self.plane(parameters), mean_codes(parameters, &self.images).view())
    }

    /// The first two principal components of the images' mean codes, and their mean.
    fn plane(&self, parameters: &Parameters) -> (Array1<f64>, Array2<f64>) {
        components(mean_codes(parameters, &self.images).view(), 2)
    }
}

/// Coordinates of codes along the components, (codes, 2) row by row; 0 along a component that is not there.
fn in_plane((mean, components): &(Array1<f64>, Array2<f64>), codes: ArrayView2<'_, f32>) -> Vec<f32> {
    let along = |code: ndarray::ArrayView1<'_, f32>, k: usize| {
        if k >= components.nrows() {
            return 0.0;
        }
        let terms = code.iter().zip(mean).zip(components.row(k)).map(|((x, m), u)| (f64::from(*x) - m) * u);
        terms.fold(0.0, |sum, term| sum + term) as f32
    };
    codes.rows().into_iter().flat_map(|code| [along(code, 0), along(code, 1)]).collect()
}

/// Mean and first principal components (orthonormal, one a row, at most `count`) of codes (examples, units), by the inner
/// products of the examples, which are fewer than the units: if `G = Z Zᵀ` has eigenvector u at λ, `Zᵀu/√λ` is one.
fn components(codes: ArrayView2<'_, f32>, count: usize) -> (Array1<f64>, Array2<f64>) {
    let examples = codes.nrows();
    let mean: Array1<f64> = codes
        .axis_iter(Axis(1))
        .map(|unit| numerics::stats::sum_f32(&unit.to_vec()) / examples as f64)
        .collect();
    let centred = Array2::from_shape_fn(codes.dim(), |(i, j)| f64::from(codes[[i, j]]) - mean[j]);
    let inner =
        |i: usize, j: usize| centred.row(i).iter().zip(centred.row(j)).fold(0.0, |sum, (x, y)| sum + x * y);
    let gram = Array2::from_shape_fn((examples, examples), |(i, j)| inner(i.min(j), i.max(j)));
    let (values, vectors) = symmetric_eigen(gram.view());
    // A Gram matrix of f32 codes is known to some 1e-12 of its greatest eigenvalue.
    let known = values.iter().take_while(|&&value| value > 1e-12 * values[0]).count().min(count);
    let components = Array2::from_shape_fn((known, codes.ncols()), |(k, j)| {
        let along = vectors.row(k).iter().zip(centred.column(j)).fold(0.0, |sum, (u, z)| sum + u * z);
        along / values[k].sqrt()
    });
    (mean, components)
}

#[cfg(test)]
mod tests {
    use super::*;
    use numerics::stats::representation::principal_components;

    #[test]
    fn components_by_inner_products_are_those_by_covariances() {
        let mut x = vec![0.0; 12 * 30];
        Draws::at(3, 0).fill_uniform(Stream::Init, 0, &mut x);
        let codes = Array2::from_shape_vec((12, 30), x).expect("one number a place");
        let (_, ours) = components(codes.view(), 4);
        let theirs = principal_components(codes.view(), 4);
        for (a, b) in ours.rows().into_iter().zip(theirs.rows()) {
            let cosine = a.iter().zip(b).fold(0.0, |sum, (x, y)| sum + x * y);
            assert!((cosine.abs() - 1.0).abs() < 1e-9, "{cosine}");
        }
        assert_eq!(components(codes.view(), 40).1.nrows(), 11);
    }
}
