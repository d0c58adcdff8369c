//! Settings of a server: built-in ones, files, then the environment, each before the one before it.
//!
//! Keys are those of Qdrant's own files; `QDRANT__SERVICE__HTTP_PORT` in the environment is `service.http_port`. What is asked
//! for and not there (clusters, audit logs) is refused: whoever relies on it must not find out later. What is not known is told.
//!
//! | file | what |
//! |---|---|
//! | `mod.rs` | the settings, and what is made of them |
//! | `layers.rs` | files and the environment, put over one another |
//! | `yaml.rs` | YAML, and so JSON |
//! | `keys.rs` | every key, and what comes of it |
//! | `values.rs` | values, which the environment has as texts only |
//! | `defaults.rs` | settings of collections that are created without |

mod defaults;
mod keys;
mod layers;
mod values;
mod yaml;

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::limits::Limits;
use crate::service::settings::CollectionDefaults;
use crate::service::{Keys, QuotaLimits};
use crate::tls::TlsOptions;
use values::{nullable, number, path, seconds, switch, text};

pub use keys::{Effect, KEYS, Key};

/// Seconds after which certificates are read again, where nobody says.
const CERT_TTL: u64 = 3_600;

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
    /// A file that is not of its kind.
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
    /// How it is logged.
    pub logger: LoggerConfig,
    /// Where data are.
    pub storage: StorageConfig,
    /// What is listened to, and to whom.
    pub service: ServiceConfig,
    tls: TlsConfig,
    /// What collections are created with that do not say.
    #[serde(skip)]
    pub collections: CollectionDefaults,
    /// Files that were read.
    #[serde(skip)]
    pub files: Vec<PathBuf>,
    /// Keys that are not known, and variables of the environment that name none; they do nothing.
    #[serde(skip)]
    pub unknown: Vec<String>,
    /// Keys that are known and make no difference here.
    #[serde(skip)]
    pub unused: Vec<String>,
}

/// How it is logged.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LoggerConfig {
    /// What a line of the log is.
    pub format: LogFormat,
}

/// What a line of the log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object of JSON.
    Json,
}

/// Where data are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct StorageConfig {
    /// Directory of the database.
    #[serde(deserialize_with = "path")]
    pub storage_path: Option<PathBuf>,
    /// Directory of snapshots.
    #[serde(deserialize_with = "path")]
    pub snapshots_path: Option<PathBuf>,
    /// Most collections.
    #[serde(deserialize_with = "number")]
    pub max_collections: Option<u64>,
    /// How much is done at once.
    pub performance: PerformanceConfig,
    quotas: QuotasConfig,
}

/// How much is done at once.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PerformanceConfig {
    /// Reads at once; 0 leaves it to the service.
    #[serde(deserialize_with = "number")]
    pub max_search_threads: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct QuotasConfig {
    #[serde(deserialize_with = "switch")]
    enabled: Option<bool>,
    #[serde(deserialize_with = "number")]
    max_resident_memory_percent: Option<u64>,
    #[serde(deserialize_with = "number")]
    max_disk_usage_percent: Option<u64>,
    #[serde(deserialize_with = "number")]
    release_margin_percent: Option<u64>,
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
    /// What names of metrics begin with.
    #[serde(deserialize_with = "text")]
    metrics_prefix: Option<String>,
    #[serde(deserialize_with = "number")]
    metrics_port: Option<u64>,
    /// From which time on a call is told in the log as a slow one.
    #[serde(deserialize_with = "seconds")]
    pub slow_query_secs: Option<Duration>,
    #[serde(deserialize_with = "number")]
    max_request_size_mb: Option<u64>,
    #[serde(deserialize_with = "switch")]
    enable_tls: Option<bool>,
    #[serde(deserialize_with = "switch")]
    verify_https_client_certificate: Option<bool>,
    #[serde(deserialize_with = "switch")]
    jwt_rbac: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct TlsConfig {
    #[serde(deserialize_with = "path")]
    cert: Option<PathBuf>,
    #[serde(deserialize_with = "path")]
    key: Option<PathBuf>,
    #[serde(deserialize_with = "path")]
    ca_cert: Option<PathBuf>,
    #[serde(deserialize_with = "nullable")]
    cert_ttl: Option<Option<u64>>,
}

impl ServerConfig {
    /// Reads the files that a Qdrant server would find from here, the one that is named, and the environment.
    ///
    /// # Errors
    /// When a file that exists, or the one that is named, cannot be read; when a value is not of its kind; when something is
    /// asked for that there is not.
    pub fn load(named: Option<&Path>) -> Result<ServerConfig, ConfigError> {
        let mode = std::env::var("RUN_MODE").unwrap_or_else(|_| "development".to_owned());
        let gathered = layers::gather(Path::new(""), &mode, named, std::env::vars_os())?;
        let mut config = ServerConfig::from_value(gathered.value)?;
        config.files = gathered.files;
        config.unknown.extend(gathered.nameless);
        Ok(config)
    }

    fn from_value(value: Value) -> Result<ServerConfig, ConfigError> {
        let mut found = keys::look(&value)?;
        let (defaults, unknown) = defaults::read(&value)?;
        found.unknown.extend(unknown);
        let mut config: ServerConfig = serde_json::from_value(layers::without_empty_sections(value))
            .map_err(|error| ConfigError::Value(error.to_string()))?;
        found.unused.extend(config.idle().map(str::to_owned));
        found.unused.sort_unstable();
        (config.unknown, config.unused) = (found.unknown, found.unused);
        config.collections = defaults;
        Ok(config)
    }

    /// Keys that are set and count beside a switch alone, which is off.
    fn idle(&self) -> impl Iterator<Item = &'static str> {
        let (service, tls) = (&self.service, &self.tls);
        let is_on = service.enable_tls == Some(true);
        let asks_callers = is_on && service.verify_https_client_certificate == Some(true);
        let keys = [
            ("tls.cert", tls.cert.is_some(), is_on),
            ("tls.key", tls.key.is_some(), is_on),
            ("tls.ca_cert", tls.ca_cert.is_some(), asks_callers),
            ("tls.cert_ttl", tls.cert_ttl.is_some(), is_on),
        ];
        let idle = |(key, is_set, counts): (&'static str, bool, bool)| (is_set && !counts).then_some(key);
        keys.into_iter().filter_map(idle)
    }

    /// The keys that open the service.
    ///
    /// # Errors
    /// When tokens are to be accepted and there is no key that they could be signed with.
    pub fn keys(&self) -> Result<Keys, ConfigError> {
        let service = &self.service;
        let full = [&service.api_key, &service.alt_api_key].into_iter().flatten();
        let keys = full.fold(Keys::none(), |keys, key| keys.full(key));
        let read_only = service.read_only_api_key.iter();
        let keys = read_only.fold(keys, |keys, key| keys.read_only(key));
        if service.jwt_rbac != Some(true) {
            return Ok(keys);
        }
        if !keys.can_sign() {
            return Err(ConfigError::Value(
                "service.jwt_rbac: tokens are signed with service.api_key, and there is none".to_owned(),
            ));
        }
        Ok(keys.tokens())
    }

    /// Where the certificates are; `None` where everything is in the clear.
    ///
    /// # Errors
    /// When TLS is asked for and not all that it needs is named.
    pub fn tls(&self) -> Result<Option<TlsOptions>, ConfigError> {
        let (service, tls) = (&self.service, &self.tls);
        let verify = service.verify_https_client_certificate == Some(true);
        if service.enable_tls != Some(true) {
            if verify {
                return Err(ConfigError::Value(
                    "service.verify_https_client_certificate: callers show certificates over TLS only; set \
                     service.enable_tls"
                        .to_owned(),
                ));
            }
            return Ok(None);
        }
        let named = |key: &str, path: &Option<PathBuf>| {
            path.clone().ok_or_else(|| {
                ConfigError::Value(format!("{key}: service.enable_tls needs it, and it is not set"))
            })
        };
        let ttl = tls.cert_ttl.unwrap_or(Some(CERT_TTL));
        Ok(Some(TlsOptions {
            cert: named("tls.cert", &tls.cert)?,
            key: named("tls.key", &tls.key)?,
            client_ca: verify.then(|| named("tls.ca_cert", &tls.ca_cert)).transpose()?,
            ttl: ttl.filter(|&seconds| seconds > 0).map(Duration::from_secs),
        }))
    }

    /// What callers may take.
    ///
    /// # Errors
    /// When a limit is out of its range.
    pub fn limits(&self) -> Result<Limits, ConfigError> {
        let mut limits = Limits::default();
        if let Some(megabytes) = self.service.max_request_size_mb {
            let bytes = usize::try_from(megabytes)
                .ok()
                .and_then(|mb| mb.checked_mul(1 << 20));
            let bytes = bytes.filter(|&bytes| bytes > 0);
            limits.body_bytes = bytes.ok_or_else(|| {
                ConfigError::Value(format!(
                    "service.max_request_size_mb: {megabytes} is not at least 1"
                ))
            })?;
        }
        Ok(limits)
    }

    /// How much of the machine may be taken.
    ///
    /// # Errors
    /// When a share is out of its range.
    pub fn quotas(&self) -> Result<QuotaLimits, ConfigError> {
        let given = &self.storage.quotas;
        // What is no byte is no percentage either, and told as out of range.
        let percent = |share: Option<u64>| share.map(|share| u8::try_from(share).unwrap_or(u8::MAX));
        let limits = QuotaLimits {
            enabled: given.enabled.unwrap_or(false),
            max_resident_memory_percent: percent(given.max_resident_memory_percent),
            max_disk_usage_percent: percent(given.max_disk_usage_percent),
            release_margin_percent: percent(given.release_margin_percent),
        };
        limits
            .validate()
            .map_err(|error| ConfigError::Value(format!("storage.quotas: {error}")))?;
        Ok(limits)
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

    /// The port of metrics alone, if there is to be one.
    ///
    /// # Errors
    /// When there is no such port.
    pub fn metrics_port(&self) -> Result<Option<u16>, ConfigError> {
        let given = self.service.metrics_port;
        given
            .map(|given| port("service.metrics_port", Some(given), 0))
            .transpose()
    }

    /// What names of metrics begin with.
    ///
    /// # Errors
    /// When no name can begin so.
    pub fn metrics_prefix(&self) -> Result<String, ConfigError> {
        let prefix = self.service.metrics_prefix.clone().unwrap_or_default();
        let fits = |(at, letter): (usize, char)| {
            letter.is_ascii_alphabetic() || "_:".contains(letter) || (at > 0 && letter.is_ascii_digit())
        };
        if prefix.chars().enumerate().all(fits) {
            return Ok(prefix);
        }
        Err(ConfigError::Value(format!(
            "service.metrics_prefix: names of metrics are of letters, digits, `_` and `:`, and begin with no digit; {prefix:?} \
             is of others"
        )))
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

#[cfg(test)]
mod tests;
