//! What one node has of a shard, told so shortly that another can tell whether it has the same.
//!
//! Qdrant's nodes compare versions of files and send those that differ. Here a shard is sent as a whole, or not at all where
//! nothing has changed: its manifest is one entry, named after all that its content depends on but its writes, and of their
//! version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::SnapshotsOf;
use crate::service::Service;
use crate::service::error::Result;

/// A part of a shard, and which versions of it and of its files there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartVersion {
    /// Its name.
    pub segment_id: String,
    /// The last write that is in it.
    pub segment_version: u64,
    /// Versions of its files, if they are told one by one.
    #[serde(default)]
    pub file_versions: BTreeMap<String, Value>,
}

/// The parts of a shard, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShardManifest(pub BTreeMap<String, PartVersion>);

impl ShardManifest {
    /// Whether whoever has `other` lacks nothing of this.
    pub fn is_in(&self, other: &ShardManifest) -> bool {
        let is_there = |(name, part): (&String, &PartVersion)| {
            let known = other.0.get(name);
            known.is_some_and(|known| known.segment_version == part.segment_version)
        };
        self.0.iter().all(is_there)
    }
}

impl Service {
    /// What this node has of a shard.
    ///
    /// # Errors
    /// When there is no such collection or shard.
    pub async fn shard_manifest(&self, collection: &str, shard: u32) -> Result<ShardManifest> {
        self.scope(SnapshotsOf::Shard(collection, shard)).await?;
        let info = self.engine_info(collection).await?;
        let indexes = info.payload_indexes.iter();
        let indexes: Vec<Value> = indexes
            .map(|(path, params)| json!([path, params.to_json()]))
            .collect();
        // The number of a write tells something within one collection of one process: elsewhere, and after a restart, the part
        // has another name, and is sent once more.
        let settings = json!([self.peer_id(), info.number, format!("{:?}", info.config), indexes]);
        let digest = Sha256::digest(settings.to_string());
        let bytes = digest.first_chunk().copied().unwrap_or_default();
        let segment_id = Uuid::from_bytes(bytes).to_string();
        let part = PartVersion {
            segment_id: segment_id.clone(),
            segment_version: info.last_sequence,
            file_versions: BTreeMap::new(),
        };
        Ok(ShardManifest(BTreeMap::from([(segment_id, part)])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(parts: &[(&str, u64)]) -> ShardManifest {
        let part = |&(name, version): &(&str, u64)| {
            let part = PartVersion {
                segment_id: name.to_owned(),
                segment_version: version,
                file_versions: BTreeMap::new(),
            };
            (name.to_owned(), part)
        };
        ShardManifest(parts.iter().map(part).collect())
    }

    #[test]
    fn what_has_the_same_versions_of_all_parts_lacks_nothing() {
        let ours = manifest(&[("a", 3)]);
        assert!(ours.is_in(&ours));
        assert!(ours.is_in(&manifest(&[("a", 3), ("b", 1)])));
        for other in [
            manifest(&[]),
            manifest(&[("a", 2)]),
            manifest(&[("a", 4)]),
            manifest(&[("b", 3)]),
        ] {
            assert!(!ours.is_in(&other), "{other:?}");
        }
    }

    #[test]
    fn manifests_of_other_servers_are_read() {
        let text = r#"{"x": {"segment_id": "x", "segment_version": 7, "file_versions": {"a/b": {"version": 7}}, "new": 1}}"#;
        let read: ShardManifest = serde_json::from_str(text).unwrap();
        assert_eq!(read.0["x"].segment_version, 7);
        assert_eq!(read.0["x"].file_versions["a/b"], json!({"version": 7}));
    }
}
