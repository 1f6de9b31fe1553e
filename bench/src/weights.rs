//! Weights on their way: out of our checkpoints, and to and from peers as files of little-endian f32.

use std::{fs, path::Path};

use anyhow::{Context, bail, ensure};
use experiments::{Source, boltzmann::Network, rbm::Rbm, rbse::Rbse};
use numerics::boltzmann::Parameters;

/// What a checkpoint of `rbm` or `rbse` has learned.
///
/// # Errors
/// If it is not one.
pub(crate) fn of_checkpoint(bytes: &[u8]) -> anyhow::Result<Parameters> {
    let run = Source::read("ours", bytes)?;
    let network = match run.experiment.as_str() {
        "rbm" => run.state_of::<Rbm>()?,
        "rbse" => run.state_of::<Rbse>()?,
        other => bail!("{other} has no weights"),
    };
    Ok(match network {
        Network::Tiled(state) => state.parameters(),
        Network::General(state) => state.parameters,
    })
}

/// Writes each array to a file of its name.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn write(parameters: &Parameters, folder: &Path) -> anyhow::Result<()> {
    let Parameters { w, a, b, c, .. } = parameters;
    let arrays = [("w", w.as_slice()), ("a", a.as_slice()), ("b", b.as_slice()), ("c", c.as_slice())];
    for (name, values) in arrays {
        let values = values.context("parameters are in standard layout")?;
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        fs::write(folder.join(format!("{name}.f32")), bytes)?;
    }
    Ok(())
}

/// Reads what a peer wrote; `like` says which arrays there are and how large they are.
///
/// # Errors
/// If one is missing, of another size, or holds what is not a number.
pub(crate) fn read(mut like: Parameters, folder: &Path) -> anyhow::Result<Parameters> {
    fill(like.w.as_slice_mut(), "w", folder)?;
    fill(like.b.as_slice_mut(), "b", folder)?;
    fill(like.c.as_slice_mut(), "c", folder)?;
    if !like.a.is_empty() {
        fill(like.a.as_slice_mut(), "a", folder)?;
    }
    Ok(like)
}

fn fill(values: Option<&mut [f32]>, name: &str, folder: &Path) -> anyhow::Result<()> {
    let values = values.context("parameters are in standard layout")?;
    let bytes = fs::read(folder.join(format!("{name}.f32"))).with_context(|| format!("the peer's {name}"))?;
    ensure!(bytes.len() == 4 * values.len(), "the peer's {name} has {} bytes", bytes.len());
    let (words, _) = bytes.as_chunks::<4>();
    for (value, word) in values.iter_mut().zip(words) {
        *value = f32::from_le_bytes(*word);
        if !value.is_finite() {
            bail!("the peer's {name} holds {value}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use experiments::{Advance, Setup, digits8x8};
    use serde_json::{Map, json};

    use super::*;

    fn trained(experiment: &str) -> Parameters {
        let kind = experiments::find(experiment).expect("it is in the catalogue");
        let params = Map::from_iter([("hidden_units".to_owned(), json!(5))]);
        let params = kind.resolve(None, &params).expect("valid");
        let setup = Setup { params, seed: 1, data: digits8x8(), sources: Vec::new(), every: Some(u64::MAX) };
        let mut run = kind.start(setup).expect("the data fits");
        assert!(matches!(run.advance(), Advance::Observed(_)));
        assert!(matches!(run.advance(), Advance::Stepped));
        of_checkpoint(&run.checkpoint()).expect("it is a checkpoint")
    }

    #[test]
    fn weights_come_out_of_a_checkpoint() {
        let (rbm, rbse) = (trained("rbm"), trained("rbse"));
        assert_eq!((rbm.w.dim(), rbm.a.len()), ((64, 5), 0));
        assert_eq!((rbse.w.dim(), rbse.a.dim()), ((64, 5), (64, 5)));
        assert!(rbse.w.iter().any(|&w| w != 0.0));
    }

    #[test]
    fn weights_come_back_from_files() {
        for experiment in ["rbm", "rbse"] {
            let (folder, parameters) = (tempfile::tempdir().expect("a folder"), trained(experiment));
            write(&parameters, folder.path()).expect("it can be written");
            let mut like = parameters.clone();
            like.w.fill(0.0);
            assert_eq!(read(like, folder.path()).expect("it can be read"), parameters);
        }
    }

    #[test]
    fn weights_of_another_size_are_refused() {
        let (folder, parameters) = (tempfile::tempdir().expect("a folder"), trained("rbm"));
        write(&parameters, folder.path()).expect("it can be written");
        fs::write(folder.path().join("b.f32"), [0; 8]).expect("it can be written");
        assert!(read(parameters, folder.path()).is_err());
    }
}
