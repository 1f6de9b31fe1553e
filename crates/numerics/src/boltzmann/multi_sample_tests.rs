use super::super::exact::{TinyEnsemble, jensen_bound, log_likelihood, unit_distribution};
use super::super::{Init, Learning, Method, Objective, State, Synapses, step_by};
use super::*;

/// 3 × 1 or 1 × 3 or 2 × 2 units and all images, each as often as its weight says.
fn case(v: usize, h: usize, w_sd: f64) -> (Parameters, BinaryRows, Vec<f64>) {
    let init = Init { hidden_units: h, w_sd, p0: 0.6, ..Init::default() };
    let mean = ndarray::Array1::from_elem(v, 0.4);
    let mut parameters = Parameters::init(Synapses::PriorMixture, init, mean.view(), Draws::at(41, 0));
    parameters.c = [0.3, -0.4, 0.2].into_iter().take(h).collect();
    parameters.a.iter_mut().zip([0.5, -0.8, 1.2, 0.1]).for_each(|(a, x)| *a = x);
    let (mut batch, mut data) = (BinaryRows::new(v), vec![0.0; 1 << v]);
    let images = [0_usize, 3, 3, 1];
    for image in images.map(|image| image % (1 << v)) {
        batch.push((0..v as u32).filter(|i| image >> i & 1 == 1));
        data[image] += 1.0 / images.len() as f64;
    }
    (parameters, batch, data)
}

/// Every tuple of `m` masks with its probability.
fn tuples(release: &[f64], m: usize) -> Vec<(f64, Vec<Vec<bool>>)> {
    let bits = release.len() * m;
    (0..1_usize << bits)
        .map(|state| {
            let bit = |place: usize| state >> place & 1 == 1;
            let p = |place: usize| {
                let p = release[place % release.len()];
                if bit(place) { p } else { 1.0 - p }
            };
            let masks = (0..m).map(|k| (0..release.len()).map(|i| bit(k * release.len() + i)).collect());
            ((0..bits).fold(1.0, |product, place| product * p(place)), masks.collect())
        })
        .collect()
}

fn release(parameters: &Parameters) -> Vec<f64> {
    parameters.a.iter().map(|a| sigmoid(f64::from(*a))).collect()
}

/// L_m per example, by enumeration of all masks.
fn bound(parameters: &Parameters, batch: &BinaryRows, m: usize) -> f64 {
    tuples(&release(parameters), m)
        .into_iter()
        .map(|(p, masks)| {
            let machines: Vec<Machine> = masks.iter().map(|mask| machine(parameters, batch, mask)).collect();
            let of = |example: usize| {
                let mean = machines.iter().map(|x| libm::exp(x.log_p[example])).sum::<f64>() / m as f64;
                libm::log(mean)
            };
            p * (0..batch.len()).map(of).sum::<f64>() / batch.len() as f64
        })
        .sum()
}

/// The expectation of the gradients per example, in the order w, a, b, c.
fn expected_gradient(parameters: &Parameters, batch: &BinaryRows, m: usize) -> Vec<f64> {
    let release = release(parameters);
    let mut on = BinaryRows::default();
    batch.transpose_into(&mut on);
    let mut total = vec![];
    for (p, masks) in tuples(&release, m) {
        let g = gradient(parameters, batch, &on, &masks, &release);
        let flat: Vec<f64> = [g.w, g.a, g.b, g.c].concat();
        total.resize(flat.len(), 0.0);
        total.iter_mut().zip(flat).for_each(|(sum, g)| *sum += p * g / batch.len() as f64);
    }
    total
}

fn numeric_gradient(parameters: &Parameters, batch: &BinaryRows, m: usize) -> Vec<f64> {
    // f32 parameters and functions: rounding of 1e-7 over 2·2⁻⁶, and ε²/6·f‴ ≈ 4e-5·f‴.
    const STEP: f32 = 1.0 / 64.0;
    let n = 2 * parameters.w.len() + parameters.b.len() + parameters.c.len();
    (0..n)
        .map(|k| {
            let shifted = |by: f32| {
                let mut shifted = parameters.clone();
                let Parameters { w, a, b, c, .. } = &mut shifted;
                *w.iter_mut().chain(a).chain(b).chain(c).nth(k).expect("so many parameters") += by;
                bound(&shifted, batch, m)
            };
            (shifted(STEP) - shifted(-STEP)) / f64::from(2.0 * STEP)
        })
        .collect()
}

#[test]
fn the_weights_of_the_machines_are_exact_likelihoods_on_either_side() {
    for (v, h) in [(2, 2), (3, 1), (1, 3)] {
        let (parameters, batch, data) = case(v, h, 1.5);
        let whole = machine(&parameters, &batch, &vec![true; v * h]);
        let rbm = Parameters { synapses: Synapses::Reliable, ..parameters.clone() };
        let expected = log_likelihood(&TinyEnsemble::from(&rbm), &data);
        let found = stats::mean(&whole.log_p);
        // Softpluses of f32.
        assert!((found - expected).abs() < 1e-5, "{v} × {h}: {found}, not {expected}");
    }
}

#[test]
fn bounds_rise_from_jensens_to_the_likelihood_of_the_mixture() {
    let (parameters, batch, data) = case(2, 2, 2.5);
    let tiny = TinyEnsemble::from(&parameters);
    let bounds: Vec<f64> = (1..=3).map(|m| bound(&parameters, &batch, m)).collect();
    let (jensen, exact) = (jensen_bound(&tiny, &data), log_likelihood(&tiny, &data));
    println!("Jensen {jensen:.4}, bounds {bounds:.4?}, likelihood {exact:.4}");
    assert!((bounds[0] - jensen).abs() < 1e-5);
    assert!(bounds[0] + 1e-3 < bounds[1] && bounds[1] + 1e-3 < bounds[2] && bounds[2] + 1e-3 < exact);
}

#[test]
fn gradients_of_weights_and_biases_are_exact_and_those_of_releases_to_second_order() {
    for (v, h) in [(2, 2), (3, 1), (1, 3)] {
        for m in [1, 2] {
            let mut errors = vec![];
            for w_sd in [0.25, 0.125] {
                let (parameters, batch, _) = case(v, h, w_sd);
                let ours = expected_gradient(&parameters, &batch, m);
                let numeric = numeric_gradient(&parameters, &batch, m);
                let n = v * h;
                let worst = |range: std::ops::Range<usize>| {
                    range.fold(0.0_f64, |worst, k| worst.max((ours[k] - numeric[k]).abs()))
                };
                let exact = worst(0..n).max(worst(2 * n..ours.len()));
                assert!(exact < 1e-4, "{v} × {h}, m {m}, w {w_sd}: {exact}");
                errors.push(worst(n..2 * n));
            }
            println!("{v} × {h}, m {m}: error of a {errors:.6?}");
            // Third order: half of w leaves an eighth, second order would a quarter; 2e-5 for the differences.
            assert!(errors[1] < errors[0] / 5.0 + 2e-5, "{v} × {h}, m {m}: {errors:?}");
        }
    }
}

/// Four pixels that one hidden unit drives through synapses that release every other time.
fn made_by_unreliable_synapses() -> (Parameters, BinaryRows, Vec<f64>) {
    let w = ndarray::array![[5.0], [-5.0], [5.0], [-5.0]];
    let init = Init { hidden_units: 1, p0: 0.5, ..Init::default() };
    let mean = ndarray::Array1::from_elem(4, 0.5);
    let mut parameters = Parameters::init(Synapses::PriorMixture, init, mean.view(), Draws::at(0, 0));
    parameters.b = w.column(0).mapv(|w: f32| -0.5 * w);
    parameters.w = w;
    let units = unit_distribution(&TinyEnsemble::from(&parameters));
    let data: Vec<f64> = units.rows().into_iter().map(|row| row.sum()).collect();
    let mut batch = BinaryRows::new(4);
    for (image, weight) in data.iter().enumerate() {
        let times = libm::round(200.0 * weight) as usize;
        (0..times).for_each(|_| batch.push((0..4).filter(|i| image >> i & 1 == 1)));
    }
    (parameters, batch, data)
}

#[test]
fn one_mask_at_a_time_drives_releases_to_certainty_and_many_keep_them_uncertain() {
    let (truth, batch, data) = made_by_unreliable_synapses();
    let learned = |masks: u32| {
        let mut state = State::new(truth.clone());
        let method = Method { objective: Objective::MultiSample { masks }, ..Method::default() };
        let learning = Learning { eta_w: 0.05, weight_decay: 0.0, ..Learning::default() };
        let mut scratch = Scratch::default();
        for t in 1..=3_000 {
            step_by(&mut state, &batch, (&learning, &method), &mut scratch, Draws::at(1, t));
        }
        let p: Vec<f32> = state.parameters.release_prob().into_iter().collect();
        let likelihood = log_likelihood(&TinyEnsemble::from(&state.parameters), &data);
        println!("{masks} masks: p {p:.2?}, likelihood {likelihood:.4}");
        (p, likelihood)
    };
    let (one, one_likelihood) = learned(1);
    assert!(one.iter().all(|p| !(0.05..=0.95).contains(p)), "{one:?}");
    let (many, many_likelihood) = learned(20);
    assert!(many.iter().filter(|p| (0.05..=0.95).contains(*p)).count() >= 2, "{many:?}");
    assert!(many_likelihood > one_likelihood + 0.05, "{many_likelihood} against {one_likelihood}");
}
