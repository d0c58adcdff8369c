//! `vdb serve`: answers programs written for Qdrant.

mod notify;
mod recover;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tracing_subscriber::filter::LevelFilter;
use vdb::Database;
use vdb_qdrant::config::{LogFormat, ServerConfig};
use vdb_qdrant::rest::RestOptions;
use vdb_qdrant::server::{self, Addresses, RunError, ServeOptions};
use vdb_qdrant::service::{
    DEFAULT_SLOW, Service, ServiceOptions, quotas_beside, snapshots_beside, sweep_snapshots,
};
use vdb_qdrant::tls::Certificates;

use crate::failure::{Failure, Outcome};
use crate::open;
use crate::out::Out;
use recover::Snapshots;

/// The directory of a database that nothing else names.
const STORAGE: &str = "./storage";
/// The directory of its snapshots.
const SNAPSHOTS: &str = "./snapshots";

/// Reads that end within this time, as most searches do, are done by the threads that serve connections.
const BRIEF: Duration = Duration::from_millis(2);

const AFTER: &str = "\
The REST and gRPC interfaces are those of Qdrant 1.19. Settings come from config/config.yaml and its like, the file of \
--config-path, the environment (QDRANT__SERVICE__HTTP_PORT for service.http_port), and this command line, each \
before those before it: keys, tokens (service.jwt_rbac), TLS (service.enable_tls, tls.cert, tls.key), quotas; docs/settings.md \
lists them. Only this machine is listened to, unless --host says otherwise; then there must be a key.

SIGINT and SIGTERM end the server once requests under way are answered. The database is open for writing \
meanwhile; other commands can read it. The ports are listened on from the start; GET /readyz answers 503 until the \
database is open. Snapshots of --snapshot and --storage-snapshot are brought in before that: those of this program, made by \
`vdb snapshot` or over the interface, not Qdrant's.

Examples:
  vdb serve my.db
  vdb serve --host 0.0.0.0 --api-key secret
  QDRANT__SERVICE__API_KEY=secret vdb serve my.db --http-port 7000";

/// Serve a database to programs written for Qdrant
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Directory of the database, made if there is none [default: storage.storage_path, else ./storage]
    db: Option<PathBuf>,

    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,

    /// Port of REST; 0 for any that is free [default: 6333]
    #[arg(long, value_name = "PORT")]
    http_port: Option<u16>,

    /// Port of gRPC; 0 for any that is free [default: 6334]
    #[arg(long, value_name = "PORT")]
    grpc_port: Option<u16>,

    /// Key that callers must show. The environment is a safer place for it: others see command lines
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,

    /// Key that allows reading only
    #[arg(long, value_name = "KEY")]
    read_only_api_key: Option<String>,

    /// Settings in YAML, TOML or JSON
    #[arg(long, value_name = "FILE")]
    config_path: Option<PathBuf>,

    /// Listen to other machines without a key
    #[arg(long)]
    insecure: bool,

    #[command(flatten)]
    snapshots: Snapshots,

    /// No effect: nothing is reported to anybody. For command lines that have it
    #[arg(long)]
    disable_telemetry: bool,
}

impl Args {
    fn config(&self) -> Outcome<ServerConfig> {
        let named = self.config_path.as_deref();
        let mut config = ServerConfig::load(named).map_err(|error| Failure::failed(error.to_string()))?;
        let service = &mut config.service;
        let given = |option: &Option<String>, setting: &mut Option<String>| {
            if option.is_some() {
                setting.clone_from(option);
            }
        };
        given(&self.host, &mut service.host);
        given(&self.api_key, &mut service.api_key);
        given(&self.read_only_api_key, &mut service.read_only_api_key);
        if let Some(port) = self.http_port {
            service.http_port = Some(port.into());
        }
        if let Some(port) = self.grpc_port {
            service.grpc_port = Some(Some(port.into()));
        }
        Ok(config)
    }

    /// Where the database is, and where its snapshots go: they may not lie in it.
    fn places(&self, config: &ServerConfig) -> (PathBuf, PathBuf) {
        let storage = &config.storage;
        let named = self.db.clone().or_else(|| storage.storage_path.clone());
        let beside = named.as_deref().map(snapshots_beside);
        let snapshots = storage.snapshots_path.clone().or(beside);
        (
            named.unwrap_or_else(|| STORAGE.into()),
            snapshots.unwrap_or_else(|| SNAPSHOTS.into()),
        )
    }
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    let refuse = |error: vdb_qdrant::config::ConfigError| Failure::failed(error.to_string());
    let config = args.config()?;
    log(&config, out)?;
    let address = config.address().map_err(refuse)?;
    let addresses = Addresses {
        rest: SocketAddr::new(address, config.http_port().map_err(refuse)?),
        grpc: config
            .grpc_port()
            .map_err(refuse)?
            .map(|port| SocketAddr::new(address, port)),
        metrics: config
            .metrics_port()
            .map_err(refuse)?
            .map(|port| SocketAddr::new(address, port)),
    };
    let keys = config.keys().map_err(refuse)?;
    let tls = config.tls().map_err(refuse)?.map(Certificates::load).transpose();
    let tls = tls.map_err(|error| Failure::failed(format!("settings: {error}")))?;
    if !address.is_loopback() && !keys.are_required() && !args.insecure {
        return Err(Failure::usage(format!(
            "{address} can be reached from other machines, and there is no key: give one with --api-key or \
             QDRANT__SERVICE__API_KEY, or say --insecure if everybody there may read and change everything"
        )));
    }
    let (db, snapshots) = args.places(&config);
    let mut options = ServiceOptions::new(snapshots);
    let threads = config.storage.performance.max_search_threads.unwrap_or(0);
    options.threads = usize::try_from(threads).unwrap_or(0);
    options.max_collections = config
        .storage
        .max_collections
        .map(|max| usize::try_from(max).unwrap_or(usize::MAX));
    options.slow = config.service.slow_query_secs.unwrap_or(DEFAULT_SLOW);
    options.collections = config.collections.clone();
    options.quotas = config.quotas().map_err(refuse)?;
    options.quotas_file = Some(quotas_beside(&db));
    options.directory = Some(db.clone());
    let rest = RestOptions {
        keys,
        limits: config.limits().map_err(refuse)?,
        no_cors: config.service.enable_cors == Some(false),
        // Said in so many words, it is meant.
        any_origin: args.insecure || config.service.enable_cors == Some(true),
        no_dashboard: config.service.enable_static_content == Some(false),
        metrics_prefix: config.metrics_prefix().map_err(refuse)?,
    };
    let dashboard = !rest.no_dashboard;
    for file in &config.files {
        tracing::info!(file = %file.display(), "settings were read");
    }
    if !address.is_loopback() && rest.keys.are_required() && tls.is_none() {
        tracing::warn!("keys and tokens can be read on their way: see service.enable_tls");
    }
    for key in &config.unknown {
        tracing::warn!(key, "settings: there is no such key; it does nothing");
    }
    if !config.unused.is_empty() {
        tracing::info!(keys = config.unused.join(", "), "settings without effect");
    }
    if args.disable_telemetry {
        tracing::info!("--disable-telemetry has no effect: nothing is reported to anybody");
    }
    options.brief = BRIEF;
    let (place, restored) = (db.clone(), args.snapshots.clone());
    let open = move || -> Outcome<Service> {
        let database = open::open(Database::builder(), &place)?;
        restored.restore(&database)?;
        if let Err(error) = sweep_snapshots(&options.snapshots) {
            tracing::warn!(%error, "what earlier uploads left in the directory of snapshots stays there");
        }
        Ok(Service::new(database, options))
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    let serving = ServeOptions { rest, tls };
    let served = server::run(addresses, serving, open, |addresses| {
        // Who started it may wait for this line; that it cannot be written is no reason not to serve.
        let _ = ready(out, &db, (scheme, addresses), dashboard);
        notify::tell(notify::READY);
    });
    notify::tell(notify::STOPPING);
    match served {
        Ok(Some(service)) => Ok(service.database().clone().close()?),
        Ok(None) => Ok(()),
        Err(RunError::Open(failure)) => Err(failure),
        Err(RunError::Serve(error)) => Err(Failure::failed(format!("cannot serve: {error}"))),
    }
}

fn ready(out: &mut Out, db: &Path, (scheme, addresses): (&str, Addresses), dashboard: bool) -> Outcome {
    let rest = format!("{scheme}://{}", addresses.rest);
    let grpc = addresses.grpc.map(|address| format!("{scheme}://{address}"));
    let metrics = addresses
        .metrics
        .map(|address| format!("{scheme}://{address}/metrics"));
    let shown = db.display();
    let dashboard = dashboard.then(|| format!("{rest}/dashboard"));
    let answer = json!({
        "database": shown.to_string(),
        "rest": rest,
        "grpc": grpc,
        "dashboard": dashboard,
        "metrics": metrics,
    });
    out.answer(&answer, || {
        let grpc = grpc.as_ref().map(|grpc| format!(", gRPC on {grpc}"));
        let metrics = metrics.as_ref().map(|page| format!(", metrics on {page}"));
        let dashboard = dashboard.as_ref().map(|page| format!("; to look at it: {page}"));
        let (grpc, metrics) = (grpc.unwrap_or_default(), metrics.unwrap_or_default());
        let dashboard = dashboard.unwrap_or_default();
        format!("{shown} is served: REST on {rest}{grpc}{metrics}{dashboard}")
    })?;
    out.flush()
}

fn log(config: &ServerConfig, out: &Out) -> Outcome {
    // The first part of a list of levels is that of everything.
    let level = config.log_level.as_deref().unwrap_or("info");
    let level = level.split(',').next().unwrap_or(level).trim();
    let level: LevelFilter = level.parse().map_err(|_| {
        Failure::failed(format!(
            "settings: log_level: {level:?} is not one of off, error, warn, info, debug, trace"
        ))
    })?;
    let level = if out.quiet {
        LevelFilter::WARN.min(level)
    } else {
        level
    };
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(false);
    match config.logger.format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
