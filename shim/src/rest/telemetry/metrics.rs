//! Figures for Prometheus: those of Qdrant by its names, and those that only this engine has, which begin with `vdb_`.

mod collections;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use vdb::{DatabaseInfo, Work};

use super::exposition::{CONTENT_TYPE, Exposition, Kind};
use crate::process::{self, Process};
use crate::rest::App;
use crate::rest::envelope::Failure;
use crate::rest::extract::Params;
use crate::rest::guard::By;
use crate::service::{QDRANT_VERSION, QuotaExceeded, Result, Service, Surveyed};
use crate::tally::{BOUNDS, Routes, Statuses, Tallies, Tally};
use collections::of_collections;

#[derive(Deserialize)]
pub(super) struct MetricsParams {
    /// Names are in labels of collections, and nowhere else.
    #[serde(default)]
    anonymize: bool,
    /// Count requests for each collection, instead of for all together.
    #[serde(default)]
    per_collection: bool,
}

pub(super) async fn metrics(
    State(app): State<App>,
    By(caller): By,
    Params(params): Params<MetricsParams>,
) -> Response {
    let service = app.service.on_behalf_of(&caller);
    match gather(&service, &app.metrics_prefix, &params).await {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => Failure::from(error).into_response(),
    }
}

async fn gather(service: &Service, prefix: &str, params: &MetricsParams) -> Result<String> {
    let collections = service.survey().await?;
    let database = service.database_info().await?;
    let mut text = Exposition::new(prefix);
    text.head("app_info", Kind::Gauge, "information about qdrant server");
    text.line("app_info", &[("name", "qdrant"), ("version", QDRANT_VERSION)], 1);
    text.single(
        "app_status_recovery_mode",
        Kind::Gauge,
        "features enabled in qdrant server",
        0,
    );
    text.single("cluster_enabled", Kind::Gauge, "is cluster support enabled", 0);
    text.single(
        "collections_total",
        Kind::Gauge,
        "number of collections",
        service.list_collections().await?.len(),
    );
    let vectors = |one: &Surveyed| -> u64 { one.info.vectors.iter().map(|of_name| of_name.vectors).sum() };
    let vectors: u64 = collections.iter().map(vectors).sum();
    text.single(
        "collections_vector_total",
        Kind::Gauge,
        "total number of vectors in all collections",
        vectors,
    );
    of_collections(&mut text, &collections, params.anonymize);
    of_quotas(&mut text, service.quota_exceeded().await?);
    let rest = counted(
        service.rest_tallies(),
        |status| (200..300).contains(&status),
        params,
    );
    let grpc = counted(service.grpc_tallies(), |code| code == 0, params);
    of_wire(&mut text, "rest", &rest);
    of_wire(&mut text, "grpc", &grpc);
    if let Some(process) = process::read() {
        of_process(&mut text, &process);
    }
    of_engine(&mut text, &database, &collections);
    Ok(text.text())
}

/// Only limits that are held to can be exceeded.
fn of_quotas(text: &mut Exposition<'_>, exceeded: QuotaExceeded) {
    let resources = [
        ("memory", exceeded.resident_memory),
        ("disk", exceeded.disk_usage),
    ];
    text.head(
        "quota_exceeded",
        Kind::Gauge,
        "1 while a resource is over its limit and writes are refused",
    );
    for (resource, over) in resources {
        if let Some(over) = over {
            text.line("quota_exceeded", &[("resource", resource)], u8::from(over));
        }
    }
}

/// A route, of all collections or of one, and how it was answered.
struct Counted {
    collection: Option<String>,
    route: String,
    statuses: Statuses,
}

/// Successes count for their collection. What fails may name none that there is, and counts for all together.
fn counted(tallies: &Tallies, is_success: fn(u16) -> bool, params: &MetricsParams) -> Vec<Counted> {
    let of = |collection: Option<String>, routes: Routes| {
        routes.into_iter().map(move |(route, statuses)| Counted {
            collection: collection.clone(),
            route,
            statuses,
        })
    };
    if !params.per_collection {
        return of(None, tallies.all()).collect();
    }
    let hide = |name: String| {
        if params.anonymize {
            super::collections::hidden(&name)
        } else {
            name
        }
    };
    let named = tallies.by_collection();
    let mut others = tallies.all();
    others.retain(|route, statuses| {
        if named.values().any(|routes| routes.contains_key(route)) {
            statuses.retain(|&status, _| !is_success(status));
        }
        !statuses.is_empty()
    });
    let named = named.into_iter();
    let named = named.flat_map(|(name, routes)| of(Some(hide(name)), routes));
    named.chain(of(None, others)).collect()
}

impl Counted {
    /// What tells it from others. Routes of gRPC are calls, those of REST a method and a path.
    fn labels<'a>(&'a self, status: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
        let mut labels = match self.route.split_once(' ') {
            Some((method, endpoint)) => vec![("method", method), ("endpoint", endpoint)],
            None => vec![("endpoint", &*self.route)],
        };
        labels.extend(status.map(|status| ("status", status)));
        labels.extend(self.collection.as_deref().map(|name| ("collection", name)));
        labels
    }
}

/// Writes what one tally says, under a name and with its labels.
type Telling<'a> = &'a dyn Fn(&mut Exposition<'_>, &str, &[(&str, &str)], &Tally);

/// Answers over one wire.
fn of_wire(text: &mut Exposition<'_>, wire: &str, counted: &[Counted]) {
    let each = |text: &mut Exposition<'_>, name: &str, of: Telling<'_>| {
        for one in counted {
            for (status, tally) in &one.statuses {
                let status = status.to_string();
                of(text, name, &one.labels(Some(&status)), tally);
            }
        }
    };
    let mut figure = |name: &str, kind: Kind, help: &str, of: &dyn Fn(&Tally) -> f64| {
        let name = format!("{wire}_{name}");
        text.head(&name, kind, help);
        each(text, &name, &|text, name, labels, tally| {
            text.line(name, labels, of(tally))
        });
    };
    figure(
        "responses_total",
        Kind::Counter,
        "total number of responses",
        &|tally| tally.count as f64,
    );
    figure(
        "responses_avg_duration_seconds",
        Kind::Gauge,
        "average response duration",
        &|tally| tally.mean,
    );
    figure(
        "responses_min_duration_seconds",
        Kind::Gauge,
        "minimum response duration",
        &|tally| tally.shortest.as_secs_f64(),
    );
    figure(
        "responses_max_duration_seconds",
        Kind::Gauge,
        "maximum response duration",
        &|tally| tally.longest.as_secs_f64(),
    );
    let failures = format!("{wire}_responses_fail_total");
    text.head(&failures, Kind::Counter, "total number of failed responses");
    let fails = |status: u16| {
        if wire == "rest" {
            status >= 500
        } else {
            is_failure(status)
        }
    };
    for one in counted {
        let failed = one.statuses.iter().filter(|(status, _)| fails(**status));
        let failed: u64 = failed.map(|(_, tally)| tally.count).sum();
        text.line(&failures, &one.labels(None), failed);
    }
    let name = format!("{wire}_responses_duration_seconds");
    text.head(&name, Kind::Histogram, "response duration histogram");
    each(text, &name, &|text, name, labels, tally| {
        histogram(text, name, labels, tally)
    });
}

/// Whether a status of gRPC is a failure of the server: unknown, unimplemented, internal, unavailable, data loss.
fn is_failure(code: u16) -> bool {
    [2, 12, 13, 14, 15].contains(&code)
}

fn histogram(text: &mut Exposition<'_>, name: &str, labels: &[(&str, &str)], tally: &Tally) {
    let bucket = format!("{name}_bucket");
    let mut below = 0;
    for (bound, count) in BOUNDS.iter().zip(&tally.buckets) {
        below += count;
        let bound = bound.to_string();
        let labels: Vec<_> = labels.iter().copied().chain([("le", &*bound)]).collect();
        text.line(&bucket, &labels, below);
    }
    let all: Vec<_> = labels.iter().copied().chain([("le", "+Inf")]).collect();
    text.line(&bucket, &all, tally.count);
    text.line(&format!("{name}_sum"), labels, tally.total.as_secs_f64());
    text.line(&format!("{name}_count"), labels, tally.count);
}

fn of_process(text: &mut Exposition<'_>, process: &Process) {
    use Kind::{Counter, Gauge};
    for (name, value, help) in [
        (
            "memory_active_bytes",
            process.anonymous,
            "Total number of bytes in active pages allocated by the application",
        ),
        (
            "memory_allocated_bytes",
            process.anonymous,
            "Total number of bytes allocated by the application",
        ),
        (
            "memory_metadata_bytes",
            process.page_tables,
            "Total number of bytes dedicated to metadata",
        ),
        (
            "memory_resident_bytes",
            process.resident,
            "Maximum number of bytes in physically resident data pages mapped",
        ),
        (
            "memory_retained_bytes",
            process.addresses,
            "Total number of bytes in virtual memory mappings",
        ),
        (
            "process_resident_memory_bytes",
            process.resident,
            "resident memory size in bytes",
        ),
        (
            "process_virtual_memory_bytes",
            process.addresses,
            "virtual memory size in bytes",
        ),
        ("process_threads", process.threads, "count of active threads"),
        ("process_open_mmaps", process.mappings, "count of open mmaps"),
        (
            "process_open_fds",
            process.files,
            "count of currently open file descriptors",
        ),
        (
            "vdb_mapped_resident_bytes",
            process.mapped,
            "bytes of mapped files that are in memory",
        ),
    ] {
        text.single(name, Gauge, help, value);
    }
    if let Some(most) = process.most_mappings {
        text.single("system_max_mmaps", Gauge, "system wide limit of open mmaps", most);
    }
    if let Some(most) = process.most_files {
        text.single("process_max_fds", Gauge, "limit for open file descriptors", most);
    }
    text.single(
        "process_minor_page_faults_total",
        Counter,
        "count of minor page faults which didn't cause a disk access",
        process.minor_faults,
    );
    text.single(
        "process_major_page_faults_total",
        Counter,
        "count of disk accesses caused by a mmap page fault",
        process.major_faults,
    );
    text.single(
        "process_cpu_seconds_total",
        Counter,
        "total user and system CPU time spent in seconds",
        process.cpu_seconds,
    );
}

fn of_engine(text: &mut Exposition<'_>, database: &DatabaseInfo, collections: &[Surveyed]) {
    use Kind::{Counter, Gauge};
    let in_files: u64 = collections.iter().map(|one| one.info.disk_bytes).sum();
    for (name, value, help) in [
        (
            "vdb_open_collections",
            database.open_collections as u64,
            "collections that are open",
        ),
        ("vdb_wal_bytes", database.log_bytes, "bytes of the log"),
        (
            "vdb_memtable_bytes",
            database.memtable_bytes as u64,
            "bytes of rows in no segment yet",
        ),
        ("vdb_file_bytes", in_files, "bytes of the files of segments"),
        (
            "vdb_flush_failing",
            u64::from(database.flush_failure.is_some()),
            "1 while rows cannot be brought into segments",
        ),
    ] {
        text.single(name, Gauge, help, value);
    }
    text.single(
        "vdb_wal_appended_bytes_total",
        Counter,
        "bytes appended to the log",
        database.log_appended_bytes,
    );
    let mut work = |name: &str, what: &str, work: Work| {
        text.single(&format!("vdb_{name}_total"), Counter, what, work.done);
        text.single(
            &format!("vdb_{name}_failed_total"),
            Counter,
            &format!("{what} that failed"),
            work.failed,
        );
        text.single(
            &format!("vdb_{name}_seconds_total"),
            Counter,
            &format!("seconds that {what} took"),
            work.time.as_secs_f64(),
        );
    };
    work("wal_syncs", "syncs of the log", database.log_syncs);
    work("flushes", "memtables that became segments", database.flushes);
    work("merges", "merges of segments", database.merges);
    work(
        "derivations",
        "segments that got graphs and indexes",
        database.derivations,
    );
}
