//! Data sets that jobs named: what a name or a hash means never changes, so that it is looked up once.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use experiments::DataShape;
use jobs::DatasetHash;

use crate::{app::App, fault::Fault};

/// So many are remembered; then all are looked up anew.
const MOST: usize = 1_024;

/// A data set as far as jobs are concerned.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) hash: DatasetHash,
    pub(crate) kind: String,
    pub(crate) shape: DataShape,
}

/// Those that were found, by what they were called.
#[derive(Debug, Default)]
pub(crate) struct Datasets(Mutex<BTreeMap<String, Arc<Known>>>);

impl Datasets {
    /// The data set of a name or a hash, if there is one.
    pub(crate) async fn find(&self, app: &App, name: &str) -> Result<Option<Arc<Known>>, Fault> {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(dataset) = app.store.dataset(name).await? else { return Ok(None) };
        let shape = serde_json::from_str(&dataset.shape).map_err(Fault::internal)?;
        let known = Arc::new(Known { hash: dataset.hash, kind: dataset.kind, shape });
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(name.to_owned(), Arc::clone(&known));
        Ok(Some(known))
    }
}
