//! Settings of a server: built-in ones, files of YAML, then the environment, each before the one before it.
//!
//! Keys are those of Qdrant's own files; `QDRANT__SERVICE__HTTP_PORT` in the environment is `service.http_port`. What is asked
//! for and not there (TLS, tokens with rules, clusters) is refused: whoever relies on it must not find out later.

mod yaml;

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{self, Deserializer};
use serde_json::{Map, Value};

use crate::service::Keys;

/// What variables of the environment begin with.
const PREFIX: &str = "QDRANT__";

/// What names of files end with. Those that cannot be read are looked for, too: nobody is to think that one is in force.
const ENDS: [&str; 4] = [".yaml", ".yml", ".json", ".toml"];

/// Parts of the deepest key.
const MAX_DEPTH: usize = 8;

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that cannot be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is no YAML.
    #[error("{path}: {problem}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        problem: String,
    },
    /// A value that is not of its kind.
    #[error("settings: {0}")]
    Value(String),
    /// Something that is asked for and that there is not.
    #[error("settings: {key} is not supported: {why}")]
    Unsupported {
        /// The key.
        key: &'static str,
        /// What to do instead.
        why: &'static str,
    },
}

/// Settings of a server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServerConfig {
    /// How much is logged: `off`, `error`, `warn`, `info`, `debug` or `trace`.
    #[serde(deserialize_with = "text")]
    pub log_level: Option<String>,
    /// Where data are.
    pub storage: StorageConfig,
    /// What is listened to, and to whom.
    pub service: ServiceConfig,
    cluster: ClusterConfig,
    /// Files that were read.
    #[serde(skip)]
    pub files: Vec<PathBuf>,
}

/// Where data are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct StorageConfig {
    /// Directory of the database.
    pub storage_path: Option<PathBuf>,
    /// Directory of snapshots.
    pub snapshots_path: Option<PathBuf>,
    /// Most collections.
    #[serde(deserialize_with = "number")]
    pub max_collections: Option<u64>,
    /// How much is done at once.
    pub performance: PerformanceConfig,
}

/// How much is done at once.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PerformanceConfig {
    /// Reads at once; 0 leaves it to the service.
    #[serde(deserialize_with = "number")]
    pub max_search_threads: Option<u64>,
}

/// What is listened to, and to whom.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ServiceConfig {
    /// The address that is listened on.
    #[serde(deserialize_with = "text")]
    pub host: Option<String>,
    /// The port of REST.
    #[serde(deserialize_with = "number")]
    pub http_port: Option<u64>,
    /// The port of gRPC; `Some(None)` for none, as gRPC is then not served.
    #[serde(deserialize_with = "nullable")]
    pub grpc_port: Option<Option<u64>>,
    /// A key that allows everything.
    #[serde(deserialize_with = "text")]
    pub api_key: Option<String>,
    /// Another one.
    #[serde(deserialize_with = "text")]
    pub alt_api_key: Option<String>,
    /// A key that allows reading.
    #[serde(deserialize_with = "text")]
    pub read_only_api_key: Option<String>,
    /// Answer requests of pages from elsewhere; true by default.
    #[serde(deserialize_with = "switch")]
    pub enable_cors: Option<bool>,
    /// Show the page for people; true by default.
    #[serde(deserialize_with = "switch")]
    pub enable_static_content: Option<bool>,
    #[serde(deserialize_with = "switch")]
    enable_tls: Option<bool>,
    #[serde(deserialize_with = "switch")]
    jwt_rbac: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ClusterConfig {
    #[serde(deserialize_with = "switch")]
    enabled: Option<bool>,
}

impl ServerConfig {
    /// Reads the files that a Qdrant server would find from here, the one that is named, and the environment.
    ///
    /// # Errors
    /// When a file that exists, or the one that is named, cannot be read; when a value is not of its kind.
    pub fn load(named: Option<&Path>) -> Result<ServerConfig, ConfigError> {
        let mode = std::env::var("RUN_MODE").unwrap_or_else(|_| "development".to_owned());
        let usual = [
            "config/config",
            &format!("config/{mode}"),
            "config/local",
            "/etc/qdrant/config",
        ];
        let usual = usual
            .iter()
            .flat_map(|stem| ENDS.map(|end| PathBuf::from(format!("{stem}{end}"))))
            .filter(|path| path.is_file());
        let files: Vec<PathBuf> = usual.chain(named.map(Path::to_owned)).collect();
        let mut value = Value::Object(Map::new());
        for path in &files {
            if path
                .extension()
                .is_some_and(|end| end.eq_ignore_ascii_case("toml"))
            {
                return Err(ConfigError::Syntax {
                    path: path.clone(),
                    problem: "files of TOML are not read: write it in YAML".to_owned(),
                });
            }
            let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
                path: path.clone(),
                source,
            })?;
            let parsed = yaml::parse(&text).map_err(|problem| ConfigError::Syntax {
                path: path.clone(),
                problem,
            })?;
            merge(&mut value, parsed);
        }
        for (name, text) in std::env::vars_os() {
            // A name that is no text is none of ours.
            let Some(name) = name.to_str() else { continue };
            match text.to_str() {
                Some(text) => merge_variable(&mut value, name, text),
                None if name.to_ascii_uppercase().starts_with(PREFIX) => {
                    return Err(ConfigError::Value(format!(
                        "{name} in the environment is no UTF-8"
                    )));
                }
                None => {}
            }
        }
        let mut config = ServerConfig::from_value(value)?;
        config.files = files;
        Ok(config)
    }

    fn from_value(mut value: Value) -> Result<ServerConfig, ConfigError> {
        fill_sections(&mut value);
        let config: ServerConfig =
            serde_json::from_value(value).map_err(|error| ConfigError::Value(error.to_string()))?;
        let unsupported = |key, why| Err(ConfigError::Unsupported { key, why });
        if config.service.enable_tls == Some(true) {
            return unsupported(
                "service.enable_tls",
                "put a proxy that does TLS before the server",
            );
        }
        if config.service.jwt_rbac == Some(true) {
            return unsupported("service.jwt_rbac", "use api_key and read_only_api_key");
        }
        if config.cluster.enabled == Some(true) {
            return unsupported("cluster.enabled", "there is one node");
        }
        Ok(config)
    }

    /// The keys that open the service.
    pub fn keys(&self) -> Keys {
        let service = &self.service;
        let full = [&service.api_key, &service.alt_api_key].into_iter().flatten();
        let keys = full.fold(Keys::none(), |keys, key| keys.full(key));
        service
            .read_only_api_key
            .iter()
            .fold(keys, |keys, key| keys.read_only(key))
    }

    /// The address that is listened on; only this machine by default.
    ///
    /// # Errors
    /// When it is no address.
    pub fn address(&self) -> Result<IpAddr, ConfigError> {
        let Some(host) = &self.service.host else {
            return Ok(Ipv4Addr::LOCALHOST.into());
        };
        if host == "localhost" {
            return Ok(Ipv4Addr::LOCALHOST.into());
        }
        let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        inner.unwrap_or(host).parse().map_err(|_| {
            ConfigError::Value(format!(
                "service.host: {host:?} is no address; 127.0.0.1 listens to this machine, 0.0.0.0 to all"
            ))
        })
    }

    /// The port of REST.
    ///
    /// # Errors
    /// When there is no such port.
    pub fn http_port(&self) -> Result<u16, ConfigError> {
        port("service.http_port", self.service.http_port, 6333)
    }

    /// The port of gRPC; `None` where it is not to be served (`grpc_port: null`).
    ///
    /// # Errors
    /// When there is no such port.
    pub fn grpc_port(&self) -> Result<Option<u16>, ConfigError> {
        match self.service.grpc_port {
            Some(None) => Ok(None),
            Some(given) => port("service.grpc_port", given, 6334).map(Some),
            None => port("service.grpc_port", None, 6334).map(Some),
        }
    }
}

fn port(key: &str, given: Option<u64>, default: u16) -> Result<u16, ConfigError> {
    let Some(port) = given else { return Ok(default) };
    u16::try_from(port).map_err(|_| ConfigError::Value(format!("{key}: there is no port {port}")))
}

/// Puts `newer` over `older`: objects are merged, everything else is replaced.
fn merge(older: &mut Value, newer: Value) {
    match (older, newer) {
        (Value::Object(older), Value::Object(newer)) => {
            for (key, value) in newer {
                merge(older.entry(key).or_insert(Value::Null), value);
            }
        }
        // A section that is there and empty says nothing.
        (Value::Object(_), Value::Null) => {}
        (older, newer) => *older = newer,
    }
}

/// Sections, outer ones first.
const SECTIONS: [&str; 4] = ["/service", "/storage", "/storage/performance", "/cluster"];

/// Gives sections that are there and empty nothing instead of null.
fn fill_sections(value: &mut Value) {
    for section in SECTIONS {
        if let Some(section) = value.pointer_mut(section).filter(|section| section.is_null()) {
            *section = Value::Object(Map::new());
        }
    }
}

fn merge_variable(value: &mut Value, name: &str, text: &str) {
    let upper = name.to_ascii_uppercase();
    let Some(path) = upper.strip_prefix(PREFIX) else {
        return;
    };
    let parts: Vec<String> = path.split("__").map(str::to_ascii_lowercase).collect();
    if parts.len() > MAX_DEPTH || parts.iter().any(String::is_empty) {
        return;
    }
    let nested = parts.into_iter().rev().fold(Value::from(text), |inner, part| {
        Value::Object(Map::from_iter([(part, inner)]))
    });
    merge(value, nested);
}

/// A text; numbers and booleans are texts, too, where a text is wanted.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(truth) => Ok(Some(truth.to_string())),
        Value::Array(_) | Value::Object(_) => Err(de::Error::custom("expected a text")),
    }
}

/// As [`number`], where null says something else than nothing.
fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u64>>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_null() {
        return Ok(Some(None));
    }
    Ok(number(value).map_err(de::Error::custom)?.map(Some))
}

/// A number, or a text that spells one: the environment has texts only. A text that is empty says nothing.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_null() {
        return Ok(None);
    }
    if value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Ok(None);
    }
    let spelled = value.as_str().and_then(|text| text.trim().parse().ok());
    value
        .as_u64()
        .or(spelled)
        .map(Some)
        .ok_or_else(|| de::Error::custom(format!("expected a number, found {value}")))
}

/// A boolean, or a text that spells one.
fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    if value.is_null() {
        return Ok(None);
    }
    let spelled = match value.as_str() {
        Some("true" | "1" | "yes" | "on") => Some(true),
        Some("false" | "0" | "no" | "off" | "") => Some(false),
        Some(_) | None => None,
    };
    value
        .as_bool()
        .or(spelled)
        .map(Some)
        .ok_or_else(|| de::Error::custom(format!("expected true or false, found {value}")))
}

#[cfg(test)]
mod tests;
