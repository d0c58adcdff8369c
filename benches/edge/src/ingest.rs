//! Qdrant's core as something that is written to.
//!
//! An update is appended to the core's log, a mapped file that nothing syncs then, and applied to the segments; then it
//! returns. On a server that is when a write with `wait=true` is acknowledged. The log is synced by a flush, which a server
//! does in the background, every five seconds unless it is configured otherwise: a killed process loses nothing, a power
//! cut may take what was acknowledged since. `update, flush` flushes log and segments after each update, which is the one
//! way of this crate to a write that a power cut cannot take.

use std::path::Path;

use qdrant_edge::{EdgeShard, UpdateOperation};
use serde_json::Map;
use vdb_benches::{Dataset, Result, Store, Writer};

use crate::edge::{self, Storage, failed};

/// A shard that is written to.
struct Shard {
    shard: EdgeShard,
    /// After each update.
    flush: bool,
}

impl Store for Shard {
    type Batch = UpdateOperation;

    fn batch(&self, first: usize, vectors: &[&[f32]]) -> Result<UpdateOperation> {
        Ok(edge::upsert(first, vectors.iter().copied(), |_| Map::new()))
    }

    fn write(&self, batch: UpdateOperation) -> Result<()> {
        self.shard.update(batch).map_err(failed)?;
        if self.flush {
            self.shard.flush().map_err(failed)?;
        }
        Ok(())
    }
}

/// A shard with its defaults, written to in both ways.
pub(crate) fn writers(set: &Dataset) -> Vec<Writer<'_>> {
    let writer = |(durability, flush): (&str, bool)| {
        let make = move |home: &Path| {
            let shard = edge::create(home, set, Storage::Default)?;
            Ok(Shard { shard, flush })
        };
        Writer::new(set, "qdrant-edge", durability, flush, make)
    };
    [("update", false), ("update, flush", true)]
        .into_iter()
        .map(writer)
        .collect()
}
