//! `vesicle data`: data sets of the server.

use std::{
    fs::DirEntry,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use experiments::is_recording;
use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use serde_json::Value as Json;
use tokio::task::spawn_blocking;

use crate::{
    cli::Global,
    client::{Client, Dataset},
    exit::{Ended, Exit},
    output::{self, Output},
    text::{Paint, Table, bytes, grouped},
};

const ADD_EXAMPLES: &str = "\
Examples:
  vesicle data add mnist --images train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz \\
      --test-images t10k-images-idx3-ubyte.gz --test-labels t10k-labels-idx1-ubyte.gz
  vesicle data add patches --images patches.idx --max 15 --attribution \"J. Doe, CC BY 4.0\"

  vesicle data add alarm --bif alarm.bif
  vesicle data add spines --table spines.csv
  vesicle data add digits --audio-dir recordings

Images are IDX, the format of MNIST, plain or .gz; networks are BIF; tables are CSV; recordings are WAV files called
label_speaker_number.wav, in a folder or a tar archive. The same content again is no new data set.";

/// Data sets of the server
#[derive(Debug, Args)]
pub(crate) struct DataCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Add(Box<AddArgs>),
    /// List the data sets
    Ls(Output),
}

/// Upload a data set: images, a Bayesian network, a table, or recordings
#[derive(Debug, Args)]
#[command(after_help = ADD_EXAMPLES)]
struct AddArgs {
    /// Name to call it by
    name: String,
    #[command(flatten)]
    upload: Upload,
    #[command(flatten)]
    output: Output,
}

/// What is uploaded.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Upload {
    /// Images (IDX, plain or .gz)
    #[arg(long, value_name = "FILE", required_unless_present_any = ["bif", "table", "audio", "audio_dir"])]
    pub(crate) images: Option<PathBuf>,
    /// Their labels
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// Images of an official test part, which is never trained on
    #[arg(long, value_name = "FILE")]
    pub(crate) test_images: Option<PathBuf>,
    /// Labels of the test part
    #[arg(long, value_name = "FILE", requires = "test_images")]
    pub(crate) test_labels: Option<PathBuf>,
    /// Greatest value that a pixel can take [default: 255]
    #[arg(long, value_name = "N")]
    pub(crate) max: Option<u8>,
    /// A Bayesian network (BIF), instead of images
    #[arg(long, value_name = "FILE", conflicts_with_all = ["images", "labels", "test_images", "test_labels", "max"])]
    pub(crate) bif: Option<PathBuf>,
    /// A table of imaged spines (CSV: spine_id, day, volume and perhaps present), instead of images
    #[arg(long, value_name = "FILE",
          conflicts_with_all = ["images", "labels", "test_images", "test_labels", "max", "bif"])]
    pub(crate) table: Option<PathBuf>,
    /// Recordings (tar of WAV files called label_speaker_number.wav, plain or gzip), instead of images
    #[arg(long, value_name = "FILE",
          conflicts_with_all = ["images", "labels", "test_images", "test_labels", "max", "bif", "table"])]
    pub(crate) audio: Option<PathBuf>,
    /// Recordings: the WAV files of a folder, which are packed and sent
    #[arg(long, value_name = "DIR",
          conflicts_with_all = ["images", "labels", "test_images", "test_labels", "max", "bif", "table", "audio"])]
    pub(crate) audio_dir: Option<PathBuf>,
    /// Whose it is and under which licence
    #[arg(long, value_name = "TEXT")]
    pub(crate) attribution: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(command: DataCommand, global: &Global) -> Ended {
    let client = global.client()?;
    match command.verb {
        Verb::Add(args) => add(&client, *args).await,
        Verb::Ls(args) => ls(&client, args).await,
    }
}

async fn add(client: &Client, args: AddArgs) -> Ended {
    let answer = upload(client, &args.name, &args.upload).await?;
    if args.output.json {
        output::json(&answer)?;
        return Ok(Exit::Ok);
    }
    let dataset: Dataset = serde_json::from_value(answer)?;
    output::line(&dataset.hash)?;
    eprintln!("{} is stored: {}", args.name, shape(&dataset.shape));
    Ok(Exit::Ok)
}

/// Uploads a data set; the same content again is answered as before.
pub(crate) async fn upload(client: &Client, name: &str, upload: &Upload) -> anyhow::Result<Json> {
    // Streams are used up by a try, so each try opens the files anew.
    client.upload("/datasets", async || form(name, upload).await).await
}

async fn form(name: &str, upload: &Upload) -> anyhow::Result<Form> {
    let mut form = Form::new().text("name", name.to_owned());
    if let Some(max) = upload.max {
        form = form.text("max", max.to_string());
    }
    if let Some(attribution) = &upload.attribution {
        form = form.text("attribution", attribution.clone());
    }
    let files = [
        ("images", upload.images.as_ref()),
        ("labels", upload.labels.as_ref()),
        ("test_images", upload.test_images.as_ref()),
        ("test_labels", upload.test_labels.as_ref()),
        ("bif", upload.bif.as_ref()),
        ("table", upload.table.as_ref()),
        ("audio", upload.audio.as_ref()),
    ];
    for (field, path) in files {
        if let Some(path) = path {
            form = form.part(field, part(path).await?);
        }
    }
    if let Some(folder) = upload.audio_dir.clone() {
        let archive =
            spawn_blocking(move || audio_archive(&folder)).await.context("the folder is read")??;
        form = form.part("audio", Part::bytes(archive).file_name("audio.tar"));
    }
    Ok(form)
}

/// The WAV files of a folder as a tar archive.
///
/// # Errors
/// If there are none, or they cannot be read.
pub(crate) fn audio_archive(folder: &Path) -> anyhow::Result<Vec<u8>> {
    let unread = || format!("cannot read {}", folder.display());
    let entries = std::fs::read_dir(folder).with_context(unread)?.collect::<Result<Vec<_>, _>>();
    let mut names: Vec<_> = entries.with_context(unread)?.iter().map(DirEntry::file_name).collect();
    names.retain(|name| name.to_str().is_some_and(is_recording));
    names.sort();
    let mut builder = tar::Builder::new(Vec::new());
    builder.mode(tar::HeaderMode::Deterministic);
    for name in &names {
        let file = folder.join(name);
        builder
            .append_path_with_name(&file, name)
            .with_context(|| format!("cannot read {}", file.display()))?;
    }
    if names.is_empty() {
        bail!(
            "there are no .wav files in {}; they must be called label_speaker_number.wav",
            folder.display()
        );
    }
    Ok(builder.into_inner()?)
}

async fn part(path: &Path) -> anyhow::Result<Part> {
    Part::file(path).await.with_context(|| format!("cannot read {}", path.display()))
}

#[derive(Deserialize)]
struct Datasets {
    datasets: Vec<Dataset>,
}

/// Names of all data sets of the server.
pub(crate) async fn names(client: &Client) -> anyhow::Result<Vec<String>> {
    let Datasets { datasets } = client.get("/datasets").await?;
    Ok(datasets.into_iter().flat_map(|dataset| dataset.names).collect())
}

async fn ls(client: &Client, args: Output) -> Ended {
    if args.json {
        output::json(&client.get("/datasets").await?)?;
        return Ok(Exit::Ok);
    }
    let Datasets { datasets } = client.get("/datasets").await?;
    let mut table = Table::new(Paint::stdout(), &["name", "hash", "shape", ">size", "attribution"]);
    for dataset in datasets {
        table.row([
            &dataset.names.join(", "),
            dataset.hash.get(..19).unwrap_or(&dataset.hash),
            &shape(&dataset.shape),
            &bytes(dataset.bytes),
            dataset.attribution.as_deref().unwrap_or("-"),
        ]);
    }
    output::text(&table.to_string())?;
    Ok(Exit::Ok)
}

/// `1,797 images of 8x8, pixels to 16, labelled`, `network of 37 variables`, `table of 1,200 rows, 3 columns`, or `500 recordings of
/// 2 labels by 5 speakers`.
fn shape(shape: &Json) -> String {
    if let Some(variables) = shape["variables"].as_array() {
        return format!("network of {} variables", variables.len());
    }
    let count = |field: &str| shape[field].as_u64().unwrap_or_default();
    if let Some(columns) = shape["columns"].as_array() {
        return format!("table of {} rows, {} columns", grouped(count("rows")), columns.len());
    }
    if let (Some(labels), Some(speakers)) = (shape["labels"].as_array(), shape["speakers"].as_array()) {
        let recordings = grouped(count("recordings"));
        return format!("{recordings} recordings of {} labels by {} speakers", labels.len(), speakers.len());
    }
    let mut out = format!("{} images of {}x{}", grouped(count("count")), count("rows"), count("cols"));
    out += &format!(", pixels to {}", count("max"));
    if count("test_count") > 0 {
        out += &format!(", {} for testing", grouped(count("test_count")));
    }
    if shape["labelled"].as_bool() == Some(true) {
        out += ", labelled";
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_told_in_words() {
        let digits = serde_json::json!({"count": 1797, "rows": 8, "cols": 8, "max": 16, "test_count": 0, "labelled": true});
        assert_eq!(shape(&digits), "1,797 images of 8x8, pixels to 16, labelled");
        let network = serde_json::json!({"kind": "bayes_net", "variables": [{}, {}]});
        assert_eq!(shape(&network), "network of 2 variables");
        let table =
            serde_json::json!({"kind": "table", "columns": ["spine_id", "day", "volume"], "rows": 1200});
        assert_eq!(shape(&table), "table of 1,200 rows, 3 columns");
        let audio =
            serde_json::json!({"kind": "audio", "recordings": 2500, "labels": ["1", "2"], "speakers": ["a"]});
        assert_eq!(shape(&audio), "2,500 recordings of 2 labels by 1 speakers");
    }
}
