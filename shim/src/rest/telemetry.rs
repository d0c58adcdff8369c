//! Figures about the service, for people and for monitors.

use std::fmt::Write as _;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::App;
use super::envelope::{Failure, answer};
use super::extract::Params;
use super::guard::By;
use super::journal::Tallies;
use crate::service::{ErrorKind, QDRANT_VERSION, QuotaExceeded, Service};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/telemetry", get(telemetry))
        .route("/metrics", get(metrics))
}

#[derive(Deserialize)]
struct TelemetryParams {
    #[serde(default)]
    anonymize: bool,
    #[serde(default)]
    details_level: u64,
}

async fn telemetry(
    State(app): State<App>,
    By(caller): By,
    Params(params): Params<TelemetryParams>,
) -> Response {
    answer(async move {
        let service = &app.service.on_behalf_of(&caller);
        let names = service.list_collections().await?;
        let mut collections = Map::new();
        collections.insert("number_of_collections".to_owned(), names.len().into());
        if let Some(max) = service.max_collections() {
            collections.insert("max_collections".to_owned(), max.into());
        }
        if params.details_level >= 1 {
            let listed = described(service, &names, &params).await?;
            collections.insert("collections".to_owned(), listed.into());
            collections.insert("snapshots".to_owned(), json!([]));
        }
        let mut value = json!({
            "id": uuid::Uuid::from_u64_pair(0, service.peer_id()).to_string(),
            "app": {
                "name": "qdrant",
                "version": QDRANT_VERSION,
                "startup": service.started().to_string(),
                "jwt_rbac": app.tokens,
                "hide_jwt_dashboard": true,
            },
            "collections": collections,
            "cluster": { "enabled": false, "resharding_enabled": false },
            "requests": { "rest": { "responses": responses(&app.journal.tallies()) }, "grpc": { "responses": {} } },
            "quota": { "config": service.quota_limits(), "exceeded": service.quota_exceeded().await? },
        });
        if params.details_level >= 1
            && let Some(whole) = value.as_object_mut()
        {
            // What there is no account of is null, as where a platform does not tell.
            whole.insert("memory".to_owned(), Value::Null);
            whole.insert("hardware".to_owned(), json!({ "collection_data": {} }));
            let threads = service.search_threads();
            whole.insert(
                "search_pool".to_owned(),
                json!({ "mode": "shared", "high_cpu_threads": threads, "high_io_threads": threads }),
            );
        }
        if params.details_level >= 1
            && let Some(features) = value.pointer_mut("/app").and_then(Value::as_object_mut)
        {
            features.insert(
                "features".to_owned(),
                json!({
                    "debug": cfg!(debug_assertions),
                    "service_debug_feature": false,
                    "recovery_mode": false,
                    "gpu": false,
                    "rocksdb": false,
                    "staging": false,
                }),
            );
        }
        Ok(value)
    })
    .await
}

fn responses(tallies: &Tallies) -> Value {
    let mut routes = Map::new();
    for (route, by_status) in tallies {
        let statuses = by_status.iter().map(|(status, tally)| {
            let figures = json!({
                "count": tally.count,
                "avg_duration_micros": tally.mean_micros(),
                "min_duration_micros": tally.shortest.as_secs_f64() * 1e6,
                "max_duration_micros": tally.longest.as_secs_f64() * 1e6,
                "total_duration_micros": u64::try_from(tally.total.as_micros()).unwrap_or(u64::MAX),
            });
            (status.to_string(), figures)
        });
        routes.insert(route.clone(), Value::Object(statuses.collect()));
    }
    routes.into()
}

async fn described(
    service: &Service,
    names: &[String],
    params: &TelemetryParams,
) -> Result<Vec<Value>, Failure> {
    let mut listed = Vec::with_capacity(names.len());
    for name in names {
        let description = match service.collection_info(name).await {
            Ok(description) => description,
            // Dropped since its name was read.
            Err(error) if error.kind == ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        let id = if params.anonymize {
            use sha2::{Digest, Sha256};
            let digest = Sha256::digest(name.as_bytes());
            digest.iter().take(8).fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
        } else {
            name.clone()
        };
        listed.push(if params.details_level == 1 {
            json!({
                "vectors": description.points_count,
                "optimizers_status": "ok",
                "params": description.config.params,
            })
        } else {
            json!({ "id": id, "init_time_ms": 0, "config": description.config })
        });
    }
    Ok(listed)
}

/// A text as the value of a label.
fn label(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

async fn metrics(State(app): State<App>, By(caller): By) -> Response {
    let service = &app.service.on_behalf_of(&caller);
    let names = match service.list_collections().await {
        Ok(names) => names,
        Err(error) => return Failure::from(error).into_response(),
    };
    let mut text = String::new();
    let head = |text: &mut String, name: &str, kind: &str, help: &str| {
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    };
    head(&mut text, "app_info", "gauge", "information about qdrant server");
    let _ = writeln!(text, "app_info{{name=\"qdrant\",version=\"{QDRANT_VERSION}\"}} 1");
    head(&mut text, "collections_total", "gauge", "number of collections");
    let _ = writeln!(text, "collections_total {}", names.len());
    head(
        &mut text,
        "collection_points",
        "gauge",
        "approximate amount of points per collection",
    );
    for name in &names {
        if let Ok(info) = service.engine_info(name).await {
            let _ = writeln!(
                text,
                "collection_points{{id=\"{}\"}} {}",
                label(name),
                info.points
            );
        }
    }
    let tallies = app.journal.tallies();
    head(
        &mut text,
        "rest_responses_total",
        "counter",
        "total number of responses",
    );
    for (route, by_status) in &tallies {
        let (method, endpoint) = route.split_once(' ').unwrap_or(("", route));
        for (status, tally) in by_status {
            let endpoint = label(endpoint);
            let _ = writeln!(
                text,
                "rest_responses_total{{method=\"{method}\",endpoint=\"{endpoint}\",status=\"{status}\"}} {}",
                tally.count
            );
        }
    }
    if let Ok(exceeded) = service.quota_exceeded().await {
        quotas(&mut text, exceeded);
    }
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

/// Nothing is told of a limit that is not held to: it would never be exceeded.
fn quotas(text: &mut String, exceeded: QuotaExceeded) {
    let held = [
        ("memory", exceeded.resident_memory),
        ("disk", exceeded.disk_usage),
    ];
    let held: Vec<(&str, bool)> = held
        .into_iter()
        .filter_map(|(name, over)| Some((name, over?)))
        .collect();
    if held.is_empty() {
        return;
    }
    text.push_str("# HELP quota_exceeded whether a quota is exceeded\n# TYPE quota_exceeded gauge\n");
    for (name, over) in held {
        let _ = writeln!(text, "quota_exceeded{{resource=\"{name}\"}} {}", u8::from(over));
    }
}
