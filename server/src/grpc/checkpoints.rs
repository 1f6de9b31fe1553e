//! Checkpoints on their way in, chunks on their way out.

use futures::{Stream, stream};
use proto::v1::{self, PutChunkRequest};
use tonic::Streaming;

use super::status::{broken_off, status};
use crate::{
    app::App,
    fault::{Fault, Kind},
};

/// Largest chunk.
const CHUNK_BYTES: usize = 1 << 20;
/// Bytes that go to the store at once.
const BATCH_BYTES: usize = 4 << 20;

/// Stores the chunks of one checkpoint; answers how many.
pub(super) async fn put(app: &App, mut messages: Streaming<PutChunkRequest>) -> Result<u32, Fault> {
    let (mut batch, mut batch_bytes) = (Vec::new(), 0);
    let (mut digest, mut stored, mut total) = (None, 0, 0_u64);
    while let Some(message) = messages.message().await.map_err(broken_off)? {
        let named = proto::hash("digest", &message.digest)?;
        if *digest.get_or_insert(named) != named {
            return Err(Fault::invalid_field("digest", "`digest` changes; a call must carry one checkpoint"));
        }
        let chunk = proto::required("chunk", message.chunk)?;
        total += chunk.bytes.len() as u64;
        check(app, &chunk, total)?;
        batch_bytes += chunk.bytes.len();
        stored += 1;
        batch.push(store::Chunk { n: chunk.n, bytes: chunk.bytes });
        if batch_bytes >= BATCH_BYTES {
            app.store.put_chunks(named, std::mem::take(&mut batch), app.now().await?).await?;
            batch_bytes = 0;
        }
    }
    if let Some(digest) = digest.filter(|_| !batch.is_empty()) {
        app.store.put_chunks(digest, batch, app.now().await?).await?;
    }
    app.telemetry.checkpoint_stored(total);
    Ok(stored)
}

fn check(app: &App, chunk: &v1::Chunk, total: u64) -> Result<(), Fault> {
    let most = app.config.max_checkpoint_bytes;
    let size = chunk.bytes.len();
    if size == 0 || size > CHUNK_BYTES {
        let detail = format!("`chunk.bytes` is {size} bytes; it must be 1 to {CHUNK_BYTES}");
        return Err(Fault::new(Kind::TooLarge, detail));
    }
    if total > most || u64::from(chunk.n) * CHUNK_BYTES as u64 >= most {
        let detail =
            format!("the checkpoint is too large: chunk {}; it must be at most {most} bytes", chunk.n);
        return Err(Fault::new(Kind::TooLarge, detail));
    }
    Ok(())
}

/// Where a stream of chunks comes from.
#[derive(Clone, Copy)]
pub(super) enum Source {
    Checkpoint([u8; 32]),
    Dataset(jobs::DatasetHash),
}

impl Source {
    async fn chunk(self, app: &App, n: u32) -> Result<Option<Vec<u8>>, Fault> {
        Ok(match self {
            Self::Checkpoint(digest) => app.store.checkpoint_chunk(digest, n).await?,
            Self::Dataset(hash) => app.store.dataset_chunk(hash, n).await?,
        })
    }
}

/// The chunks one after the other, read as the client takes them; `wrap` makes the message.
pub(super) async fn chunks<M: Send + 'static>(
    app: App,
    source: Source,
    wrap: fn(Option<v1::Chunk>) -> M,
) -> Result<impl Stream<Item = Result<M, tonic::Status>> + Send + use<M>, Fault> {
    let none = || Fault::not_found("there are no such chunks");
    let first = source.chunk(&app, 0).await?.ok_or_else(none)?;
    Ok(stream::unfold(Some((0, first)), move |next| {
        let app = app.clone();
        async move {
            let (n, bytes) = next?;
            let after = match source.chunk(&app, n + 1).await {
                Ok(after) => after.map(|bytes| (n + 1, bytes)),
                Err(fault) => return Some((Err(status(fault)), None)),
            };
            Some((Ok(wrap(Some(v1::Chunk { n, bytes }))), after))
        }
    }))
}
