//! T4 on MNIST, one seed; `make reproduce ONLY=rbse` measures everything on more seeds, through the service.

use std::{env, fs, path::PathBuf};

use experiments::{Advance, Data, Idx, IdxDecoder, Setup, Value, findings, images_from_idx};

/// The folder of the data sets. Under `CI=true` it must be there.
#[expect(clippy::disallowed_methods, reason = "a test may read where its data is")]
fn folder() -> Option<PathBuf> {
    let variable = env::var_os("VESICLE_DATA").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let beside: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../../shared/data"].iter().collect();
    let folder = variable.unwrap_or(beside).join("mnist");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(env::var_os("CI").is_none(), "needs VESICLE_DATA: there is no {}", folder.display());
    println!("skipped: needs VESICLE_DATA");
    None
}

fn mnist() -> Option<Data> {
    let folder = folder()?;
    let read = |name: &str| -> Idx {
        let file = fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut decoder = IdxDecoder::new(Data::LIMIT_BYTES);
        decoder.push(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        decoder.finish().unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let part = |name: &str| {
        (read(&format!("{name}-images-idx3-ubyte.gz")), read(&format!("{name}-labels-idx1-ubyte.gz")))
    };
    let ((images, labels), (test, test_labels)) = (part("train"), part("t8k"));
    Some(
        images_from_idx(images, Some(labels), Some((test, Some(test_labels))), 255)
            .expect("MNIST fits together"),
    )
}

#[test]
fn strength_and_reliability_go_together_on_mnist_for_the_first_seed() {
    let Some(data) = mnist() else { return };
    let rbse = experiments::find("rbse").expect("rbse is in the catalogue");
    let findings: Vec<_> = findings(rbse)
        .into_iter()
        .filter(|finding| {
            finding.dataset.as_deref() == Some("mnist-t8k") && finding.target.starts_with("T4.")
        })
        .collect();
    assert!(findings.len() >= 7, "T4 has a finding for each of its bounds");
    let mut runs: Vec<(String, Vec<(&str, f64)>)> = Vec::new();
    for finding in &findings {
        let kind =
            finding.experiment.as_deref().map_or(Some(rbse), experiments::find).expect("experiments exist");
        let params =
            kind.resolve(finding.preset.as_deref(), &finding.params).expect("findings have valid params");
        let key = format!("{} {}", kind.name(), params.as_str());
        if !runs.iter().any(|(known, _)| *known == key) {
            let setup =
                Setup { params, seed: 1, data: data.clone(), sources: Vec::new(), every: Some(1 << 40) };
            runs.push((key.clone(), last_scalars(kind.start(setup).expect("MNIST fits the preset"))));
        }
        let (_, scalars) = runs.iter().find(|(known, _)| *known == key).expect("it was just run");
        let value = |name: &str| scalars.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let minus = finding.minus.as_deref().map_or(Some(0.0), value).expect("the metric is observed");
        let measured = value(&finding.metric).expect("the metric is observed") - minus;
        println!("{} {}: {measured:.4} against {:?}", finding.target, finding.id, finding.bound());
        assert!(finding.bound().holds(measured), "{}: {measured} against {:?}", finding.id, finding.bound());
    }
}

fn last_scalars(mut run: Box<dyn experiments::Simulation>) -> Vec<(&'static str, f64)> {
    let mut last = Vec::new();
    loop {
        match run.advance() {
            Advance::Stepped => {}
            Advance::Observed(metrics) => last = metrics,
            Advance::Done(_) => break,
        }
    }
    let scalars = last.into_iter().filter_map(|metric| match metric.value {
        Value::Scalar(value) => Some((metric.name, value)),
        Value::Array(_) => None,
    });
    scalars.collect()
}
