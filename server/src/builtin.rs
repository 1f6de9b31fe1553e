//! The data sets that come with the program: there from the start, without a download.

use experiments::{DIGITS_ATTRIBUTION, Data, digits8x8};
use jobs::DatasetHash;
use store::NewDataset;

use crate::{app::App, fault::Fault};

/// Puts `digits8x8` into the store; known content changes nothing.
pub(crate) async fn put(app: &App) -> Result<(), Fault> {
    let dataset = new_dataset("digits8x8", &digits8x8(), Some(DIGITS_ATTRIBUTION.to_owned()))?;
    app.store.put_dataset(dataset, app.now().await?).await?;
    Ok(())
}

/// A data set as the store takes it.
pub(crate) fn new_dataset(name: &str, data: &Data, attribution: Option<String>) -> Result<NewDataset, Fault> {
    let shape = serde_json::to_string(&data.shape()).map_err(Fault::internal)?;
    let content = data.encode();
    let hash = DatasetHash(*blake3::hash(&content).as_bytes());
    Ok(NewDataset { name: name.to_owned(), hash, kind: data.kind().to_owned(), shape, attribution, content })
}
