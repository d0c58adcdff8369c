//! Figures about the service, for people and for monitors.
//!
//! | file | what |
//! |---|---|
//! | `collections.rs` | what telemetry tells of collections |
//! | `metrics.rs` | figures for Prometheus |
//! | `exposition.rs` | how those are written |

mod collections;
mod exposition;
mod metrics;

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::App;
use super::envelope::{Failure, Part, answer};
use super::extract::Params;
use super::guard::By;
use crate::process::{self, Process};
use crate::service::{ErrorKind, Problems, QDRANT_VERSION, Service, ServiceError};
use crate::tally::{Routes, Statuses, Tallies, Tally};

pub(super) fn routes() -> Router<App> {
    metrics_routes().route("/telemetry", get(telemetry))
}

/// What there is where metrics have a port of their own.
pub(super) fn metrics_routes() -> Router<App> {
    Router::new().route("/metrics", get(metrics::metrics))
}

/// How long gathering may take that does not say.
const DEFAULT_SECONDS: u64 = 60;

#[derive(Deserialize)]
pub(super) struct TelemetryParams {
    #[serde(default)]
    anonymize: bool,
    #[serde(default)]
    details_level: u64,
    /// Tell of the requests on each collection, too.
    #[serde(default)]
    per_collection: bool,
    timeout: Option<u64>,
}

/// What is gathered within the time that a caller gives it, which is in seconds.
async fn within<T>(
    timeout: Option<u64>,
    gathering: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut problems = Problems::new();
    problems.at_least("timeout", timeout, 1);
    problems
        .finish()
        .map_err(|error| Failure::of(error, Part::Query))?;
    let limit = Duration::from_secs(timeout.unwrap_or(DEFAULT_SECONDS));
    let gathered = tokio::time::timeout(limit, gathering).await;
    gathered.map_err(|_| ServiceError::new(ErrorKind::Timeout, "gathering the figures took too long"))?
}

async fn telemetry(
    State(app): State<App>,
    By(caller): By,
    Params(params): Params<TelemetryParams>,
) -> Response {
    answer(async move {
        let service = app.service.on_behalf_of(&caller);
        within(params.timeout, gather(&app, &service, &params)).await
    })
    .await
}

async fn gather(app: &App, service: &Service, params: &TelemetryParams) -> Result<Value, Failure> {
    let level = params.details_level;
    let mut collections = Map::new();
    let names = service.list_collections().await?;
    collections.insert("number_of_collections".to_owned(), names.len().into());
    if let Some(max) = service.max_collections() {
        collections.insert("max_collections".to_owned(), max.into());
    }
    if level >= 1 {
        let surveyed = service.survey().await?;
        let teller = collections::Teller {
            level,
            anonymous: params.anonymize,
            peer: service.peer_id(),
        };
        let listed: Vec<Value> = surveyed.iter().map(|one| teller.tell(one)).collect();
        collections.insert("collections".to_owned(), listed.into());
        let snapshots = surveyed.iter().map(|one| teller.snapshots(one));
        collections.insert("snapshots".to_owned(), snapshots.collect());
    }
    let id = uuid::Uuid::from_u64_pair(0, service.peer_id()).to_string();
    let mut value = json!({
        "id": if params.anonymize { collections::hidden(&id) } else { id },
        "app": about_program(app, level),
        "collections": collections,
        "cluster": { "enabled": false, "resharding_enabled": false },
        "requests": {
            "rest": requests(service.rest_tallies(), params),
            "grpc": requests(service.grpc_tallies(), params),
        },
        "quota": { "config": service.quota_limits(), "exceeded": service.quota_exceeded().await? },
    });
    if level >= 1
        && let Some(whole) = value.as_object_mut()
    {
        // What a platform does not tell is null.
        whole.insert(
            "memory".to_owned(),
            process::read().as_ref().map_or(Value::Null, memory),
        );
        whole.insert("hardware".to_owned(), json!({ "collection_data": {} }));
        let threads = service.search_threads();
        whole.insert(
            "search_pool".to_owned(),
            json!({ "mode": "shared", "high_cpu_threads": threads, "high_io_threads": threads }),
        );
    }
    Ok(value)
}

fn about_program(app: &App, level: u64) -> Value {
    let mut about = json!({
        "name": "qdrant",
        "version": QDRANT_VERSION,
        "startup": app.service.started().to_string(),
        "jwt_rbac": app.tokens,
        "hide_jwt_dashboard": true,
    });
    if level >= 1
        && let Some(about) = about.as_object_mut()
    {
        let features = json!({
            "debug": cfg!(debug_assertions),
            "service_debug_feature": false,
            "recovery_mode": false,
            "gpu": false,
            "rocksdb": false,
            "staging": false,
        });
        about.insert("features".to_owned(), features);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let system = json!({
            "is_docker": false,
            "cores": cores,
            "cpu_flags": "",
            "cpu_endian": "little",
        });
        about.insert("system".to_owned(), system);
    }
    about
}

/// The allocator is the system's and tells nothing: what is in memory and of no file counts as allocated, and as active.
fn memory(process: &Process) -> Value {
    json!({
        "active_bytes": process.anonymous,
        "allocated_bytes": process.anonymous,
        "metadata_bytes": process.page_tables,
        "resident_bytes": process.resident,
        "retained_bytes": process.addresses,
    })
}

fn requests(tallies: &Tallies, params: &TelemetryParams) -> Value {
    let mut told = json!({ "responses": responses(&tallies.all()) });
    if params.per_collection
        && let Some(told) = told.as_object_mut()
    {
        let named = tallies.by_collection().into_iter().map(|(name, routes)| {
            let name = if params.anonymize {
                collections::hidden(&name)
            } else {
                name
            };
            (name, responses(&routes))
        });
        told.insert(
            "per_collection_responses".to_owned(),
            Value::Object(named.collect()),
        );
    }
    told
}

fn responses(tallies: &Routes) -> Value {
    let of_route = |statuses: &Statuses| -> Value {
        let statuses = statuses
            .iter()
            .map(|(status, tally)| (status.to_string(), figures(tally)));
        Value::Object(statuses.collect())
    };
    let routes = tallies
        .iter()
        .map(|(route, statuses)| (route.clone(), of_route(statuses)));
    Value::Object(routes.collect())
}

fn figures(tally: &Tally) -> Value {
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let mut figures = json!({
        "count": tally.count,
        "avg_duration_micros": tally.mean * 1e6,
        "min_duration_micros": micros(tally.shortest),
        "max_duration_micros": micros(tally.longest),
        "total_duration_micros": u64::try_from(tally.total.as_micros()).unwrap_or(u64::MAX),
    });
    let last = jiff::Timestamp::try_from(tally.last).ok();
    if let (Some(last), Some(map)) = (last, figures.as_object_mut()) {
        map.insert("last_responded".to_owned(), last.to_string().into());
    }
    figures
}
