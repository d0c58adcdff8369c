//! What telemetry tells of collections.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use vdb::SegmentInfo;

use crate::service::{Surveyed, colour};

/// How much is told, and to whom.
pub(super) struct Teller {
    /// 1: how many vectors; 2: settings; 3: the shard; 4: its segments.
    pub(super) level: u64,
    /// Names are hidden.
    pub(super) anonymous: bool,
    pub(super) peer: u64,
}

/// A name that tells nothing but whether two are the same.
pub(super) fn hidden(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    digest.iter().take(8).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Puts names that tell nothing in place of the keys.
fn hide_keys(named: &mut Map<String, Value>) {
    let all = std::mem::take(named).into_iter();
    *named = all.map(|(name, value)| (hidden(&name), value)).collect();
}

impl Teller {
    pub(super) fn tell(&self, one: &Surveyed) -> Value {
        if self.level == 1 {
            let vectors: u64 = one.info.vectors.iter().map(|of_name| of_name.vectors).sum();
            let params = self.hiding_vectors(json!(one.config.params));
            return json!({ "vectors": vectors, "optimizers_status": self.optimizer(one), "params": params });
        }
        let mut config = json!(one.config);
        if self.anonymous
            && let Some(config) = config.as_object_mut()
        {
            // Whatever a user keeps there.
            config.remove("metadata");
            if let Some(params) = config.get_mut("params") {
                *params = self.hiding_vectors(params.take());
            }
            // Limits of vectors are by their names.
            let mut limits = config.get_mut("strict_mode_config");
            for key in ["multivector_config", "sparse_config"] {
                if let Some(Value::Object(named)) = limits.as_mut().and_then(|limits| limits.get_mut(key)) {
                    hide_keys(named);
                }
            }
        }
        let mut told = json!({ "id": self.name(&one.name), "init_time_ms": 0, "config": config });
        if self.level >= 3
            && let Some(told) = told.as_object_mut()
        {
            told.insert("shards".to_owned(), json!([self.shard(one)]));
            told.insert("transfers".to_owned(), json!([]));
            told.insert("resharding".to_owned(), json!([]));
        }
        told
    }

    /// What goes on with the snapshots of a collection.
    pub(super) fn snapshots(&self, one: &Surveyed) -> Value {
        json!({
            "id": self.name(&one.name),
            "running_snapshots": one.snapshots.creating,
            "running_snapshot_recovery": one.snapshots.recovering,
            "total_snapshot_creations": one.snapshots.created,
        })
    }

    fn name(&self, name: &str) -> String {
        if self.anonymous {
            hidden(name)
        } else {
            name.to_owned()
        }
    }

    /// Whether work in the background failed, and why, unless names may be in that.
    fn optimizer(&self, one: &Surveyed) -> Value {
        match &one.info.last_failure {
            None => json!("ok"),
            Some(_) if self.anonymous => json!({ "error": "hidden" }),
            Some(failure) => json!({ "error": failure }),
        }
    }

    /// Parameters of a collection in which vectors are named.
    fn hiding_vectors(&self, mut params: Value) -> Value {
        if !self.anonymous {
            return params;
        }
        for key in ["vectors", "sparse_vectors"] {
            let Some(Value::Object(named)) = params.get_mut(key) else {
                continue;
            };
            // A single vector without a name stands there itself.
            if named.values().all(Value::is_object) {
                hide_keys(named);
            }
        }
        params
    }

    fn shard(&self, one: &Surveyed) -> Value {
        let info = &one.info;
        let bytes = |of: fn(&SegmentInfo) -> u64| -> u64 { info.segments.iter().map(of).sum() };
        let by_name = info.vectors.iter();
        let by_name = by_name.map(|of_name| (self.name(&of_name.name), of_name.vectors.into()));
        let mut local = json!({
            "variant_name": "LocalShard",
            "status": colour(info.status),
            "total_optimized_points": info.segments.iter().map(|s| u64::from(s.rows)).sum::<u64>(),
            "vectors_size_bytes": info.vectors.iter().map(|of_name| of_name.bytes).sum::<u64>(),
            "payloads_size_bytes": bytes(|segment| segment.payload_bytes),
            "num_points": info.points,
            "num_vectors": info.vectors.iter().map(|of_name| of_name.vectors).sum::<u64>(),
            "num_vectors_by_name": by_name.collect::<Map<_, _>>(),
            "optimizations": { "status": self.optimizer(one), "optimizations": { "count": 0 }, "log": [] },
            "async_scorer": false,
            "update_queue": { "length": 0, "op_num": info.last_sequence },
        });
        if self.level >= 4
            && let Some(local) = local.as_object_mut()
        {
            let segments = info.segments.iter().map(|s| self.segment(one, s));
            let segments = segments.chain([in_memory(one)]);
            local.insert("segments".to_owned(), segments.collect());
        }
        json!({
            "id": 0,
            "key": null,
            "local": local,
            "remote": [],
            "replicate_states": { self.peer.to_string(): "Active" },
        })
    }

    fn segment(&self, one: &Surveyed, segment: &SegmentInfo) -> Value {
        let schema = one.info.payload_indexes.iter().map(|(path, params)| {
            let points = segment.rows.saturating_sub(segment.dead_rows);
            (
                self.name(path),
                json!({ "data_type": params.kind.name(), "points": points }),
            )
        });
        let kind = if segment.indexed_vectors > 0 {
            "indexed"
        } else {
            "plain"
        };
        let dead = u64::from(segment.dead_rows);
        json!({
            "info": {
                "uuid": uuid::Uuid::from_u64_pair(0, segment.id).to_string(),
                "segment_type": kind,
                "num_vectors": segment.vectors,
                "num_points": segment.rows.saturating_sub(segment.dead_rows),
                "num_indexed_vectors": segment.indexed_vectors,
                "num_deleted_vectors": dead,
                "vectors_size_bytes": segment.vector_bytes,
                "payloads_size_bytes": segment.payload_bytes,
                "ram_usage_bytes": 0,
                "disk_usage_bytes": segment.disk_bytes,
                "is_appendable": false,
                "index_schema": schema.collect::<Map<_, _>>(),
                "vector_data": {},
            },
            "config": stored(),
            "vector_index_searches": [],
            "payload_field_indices": [],
        })
    }
}

fn stored() -> Value {
    json!({ "vector_data": {}, "payload_storage_type": { "type": "mmap" } })
}

/// What is in no file yet, as a segment.
fn in_memory(one: &Surveyed) -> Value {
    let info = &one.info;
    let of_segment = |s: &SegmentInfo| u64::from(s.rows.saturating_sub(s.dead_rows));
    let elsewhere: u64 = info.segments.iter().map(of_segment).sum();
    let vectors: u64 = info.vectors.iter().map(|of_name| of_name.vectors).sum();
    let vector_bytes: u64 = info.vectors.iter().map(|of_name| of_name.bytes).sum();
    let in_files = |of: fn(&SegmentInfo) -> u64| -> u64 { info.segments.iter().map(of).sum() };
    json!({
        "info": {
            "uuid": uuid::Uuid::nil().to_string(),
            "segment_type": "plain",
            "num_vectors": vectors.saturating_sub(in_files(|s| s.vectors)),
            "num_points": info.points.saturating_sub(elsewhere),
            "num_indexed_vectors": 0,
            "num_deleted_vectors": 0,
            "vectors_size_bytes": vector_bytes.saturating_sub(in_files(|s| s.vector_bytes)),
            "payloads_size_bytes": 0,
            "ram_usage_bytes": info.memtable_bytes,
            "disk_usage_bytes": 0,
            "is_appendable": true,
            "index_schema": {},
            "vector_data": {},
        },
        "config": { "vector_data": {}, "payload_storage_type": { "type": "in_ram_mmap" } },
        "vector_index_searches": [],
        "payload_field_indices": [],
    })
}

#[cfg(test)]
mod tests {
    use vdb::Database;

    use super::*;
    use crate::service::{Service, ServiceOptions};

    #[tokio::test]
    async fn what_failed_is_hidden_with_the_names_that_it_may_hold() {
        let database = Database::builder().open_in_memory().unwrap();
        let service = Service::new(database, ServiceOptions::new("unused"));
        let settings = serde_json::from_value(json!({})).unwrap();
        service.create_collection("c", settings).await.unwrap();
        let mut one = service.survey().await.unwrap().remove(0);
        let told = |one: &Surveyed, level, anonymous| {
            let teller = Teller {
                level,
                anonymous,
                peer: 1,
            };
            teller.tell(one).to_string()
        };
        assert!(told(&one, 1, true).contains(r#""optimizers_status":"ok""#));
        one.info.last_failure = Some("/data/secret: no space".to_owned());
        for level in [1, 3, 10] {
            let open = told(&one, level, false);
            assert!(open.contains("/data/secret: no space"), "{open}");
            let hidden = told(&one, level, true);
            assert!(!hidden.contains("secret"), "{hidden}");
            assert!(hidden.contains(r#"{"error":"hidden"}"#), "{hidden}");
        }
    }
}
