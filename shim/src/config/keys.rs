//! Every key that Qdrant's files have, and what comes of it here. `docs/settings.md` shows the same table.

use serde_json::Value;

use super::ConfigError;

/// What comes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It does what it says.
    Used,
    /// It makes no difference.
    Unused,
    /// It is refused when it turns something on.
    Refused,
}

/// A key, or with `.*` at its end all below it.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its parts with dots between them.
    pub name: &'static str,
    /// What comes of it.
    pub effect: Effect,
    /// What it is, or what to do instead.
    pub note: &'static str,
}

const fn used(name: &'static str, note: &'static str) -> Key {
    key(name, Effect::Used, note)
}

const fn unused(name: &'static str, note: &'static str) -> Key {
    key(name, Effect::Unused, note)
}

const fn refused(name: &'static str, note: &'static str) -> Key {
    key(name, Effect::Refused, note)
}

const fn key(name: &'static str, effect: Effect, note: &'static str) -> Key {
    Key { name, effect, note }
}

/// All keys.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    used("log_level", "off, error, warn, info, debug or trace; of a list of levels the first part counts"),
    used("logger.format", "of a line of the log: text, the default, or json"),
    unused("logger.*", "the log goes to the standard error"),
    used("storage.storage_path", "directory of the database, ./storage by default; the command line comes before it"),
    used("storage.snapshots_path", "directory of snapshots; by default beside the database that is named (`my.db.snapshots`), else ./snapshots"),
    refused("storage.snapshots_config.snapshots_storage", "snapshots are files; copy them from where they are"),
    unused("storage.snapshots_config.*", "there is no other storage than files"),
    unused("storage.temp_path", "what is temporary lies beside what it is for"),
    used("storage.max_collections", "most collections, those of recovered snapshots included; no limit by default"),
    used("storage.performance.max_search_threads", "reads at once; 0, the default, is twice the processors"),
    unused("storage.performance.*", "background work shares the threads of the database"),
    used("storage.quotas.enabled", "whether the two limits below are held to; false by default"),
    used("storage.quotas.max_resident_memory_percent", "1 to 100; no limit by default"),
    used("storage.quotas.max_disk_usage_percent", "1 to 100; no limit by default"),
    used("storage.quotas.release_margin_percent", "0 to 100; 5 by default"),
    refused("storage.recovery_mode", "a damaged collection does not keep the others from opening; see vdb repair"),
    unused("storage.low_memory_mode", "files are mapped, not loaded"),
    used("storage.on_disk_payload", "told of collections that are created without; payloads are on disk"),
    unused("storage.update_concurrency", "writes of one database share syncs of one log"),
    unused("storage.wal.*", "one log for all collections"),
    unused("storage.node_type", "one node does everything"),
    used("storage.optimizers.*", "`optimizers_config` of collections that are created without; sizes may end with `_kb`"),
    unused("storage.optimizers_overwrite.*", "set it for each collection"),
    used("storage.hnsw_index.*", "`hnsw_config` of collections that are created without; also `full_scan_threshold_kb`"),
    used("storage.collection.*", "`replication_factor`, `write_consistency_factor`, `vectors.on_disk`, `quantization`, `strict_mode` of collections that are created without"),
    unused("storage.shard_transfer_method", "one node has nothing to transfer"),
    unused("storage.mmap_advice", "the engine gives it by what it reads"),
    unused("storage.async_scorer", "the engine reads mapped files"),
    unused("storage.handle_collection_load_errors", "a damaged collection does not keep the others from opening"),
    used("service.host", "address to listen on, 127.0.0.1 by default; others need a key"),
    used("service.http_port", "6333 by default"),
    used("service.grpc_port", "6334 by default; null: no gRPC"),
    used("service.max_request_size_mb", "of a body of REST, 32 by default"),
    unused("service.max_workers", "as many threads as there are processors"),
    used("service.enable_cors", "false: no headers for pages from elsewhere; true: these are answered even without a key"),
    used("service.api_key", "allows everything, and signs tokens"),
    used("service.alt_api_key", "another one, for the time in which keys are changed"),
    used("service.read_only_api_key", "allows reading"),
    used("service.jwt_rbac", "accept tokens; needs service.api_key"),
    used("service.enable_tls", "TLS for REST and gRPC; needs tls.cert and tls.key"),
    used("service.verify_https_client_certificate", "callers must show a certificate that tls.ca_cert vouches for, of REST and gRPC"),
    unused("service.hide_jwt_dashboard", "the page asks for a key, which may be a token"),
    used("service.enable_static_content", "false: no page at `/dashboard`"),
    unused("service.static_content_dir", "the page at `/dashboard` is in the program"),
    used("service.slow_query_secs", "calls that take so long or longer are in the log at the level warn, 1.2 by default"),
    unused("service.hardware_reporting", "usage is not counted"),
    used("service.metrics_prefix", "what names of metrics begin with; nothing by default"),
    used("service.metrics_port", "`/metrics` is there on this port, too, without a key; over TLS, and with a certificate of the caller, where the other ports are; no such port by default"),
    refused("cluster.enabled", "there is one node"),
    unused("cluster.*", "there is one node"),
    used("tls.cert", "certificate of the server in PEM, with those that vouch for it"),
    used("tls.key", "its private key in PEM"),
    used("tls.ca_cert", "certificates in PEM of which one vouches for each caller, where service.verify_https_client_certificate asks for that"),
    used("tls.cert_ttl", "seconds after which the files are read again, 3600 by default, and when they have changed; null: never"),
    unused("telemetry_disabled", "nothing is reported to anybody"),
    refused("inference.address", "vectors of texts are made by the client, but for qdrant/bm25"),
    unused("inference.*", "vectors of texts are made by the client, but for qdrant/bm25"),
    refused("audit.enabled", "there is no audit log; refusals and failures are in the log with the subject of a token, at the level `debug` all requests"),
    unused("audit.*", "there is no audit log; refusals and failures are in the log with the subject of a token, at the level `debug` all requests"),
    unused("gpu.*", "graphs are built on processors"),
    unused("feature_flags.*", "they are Qdrant's own"),
];

/// Values that turn nothing on.
const OFF: [&str; 7] = ["", "false", "0", "no", "off", "null", "local"];

/// Keys that do nothing, by their names.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) unknown: Vec<String>,
    pub(super) unused: Vec<String>,
}

/// Looks at every key of the settings.
pub(super) fn look(value: &Value) -> Result<Found, ConfigError> {
    let mut found = Found::default();
    let mut left = vec![(String::new(), value)];
    while let Some((name, value)) = left.pop() {
        match value.as_object() {
            Some(section) => {
                let dot = if name.is_empty() { "" } else { "." };
                left.extend(
                    section
                        .iter()
                        .map(|(key, value)| (format!("{name}{dot}{key}"), value)),
                );
            }
            None => judge(name, value, &mut found)?,
        }
    }
    found.unknown.sort_unstable();
    found.unused.sort_unstable();
    Ok(found)
}

fn judge(name: String, value: &Value, found: &mut Found) -> Result<(), ConfigError> {
    // A section that is there and empty says nothing.
    if value.is_null() && is_section(&name) {
        return Ok(());
    }
    let Some(key) = known(&name) else {
        found.unknown.push(name);
        return Ok(());
    };
    match key.effect {
        Effect::Used => {}
        Effect::Unused => found.unused.push(name),
        Effect::Refused => {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_lowercase);
            if !OFF.contains(&text.trim()) {
                return Err(ConfigError::Unsupported {
                    key: key.name,
                    why: key.note,
                });
            }
        }
    }
    Ok(())
}

/// What is known of a key: of itself, else of the section that it is in.
fn known(name: &str) -> Option<&'static Key> {
    let within = |key: &&Key| {
        let section = key.name.strip_suffix('*');
        section.is_some_and(|section| name.starts_with(section))
    };
    let itself = KEYS.iter().find(|key| key.name == name);
    itself.or_else(|| KEYS.iter().find(within))
}

fn is_section(name: &str) -> bool {
    let below = |key: &Key| {
        key.name
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    name.is_empty() || KEYS.iter().any(below)
}

#[cfg(test)]
mod tests;
