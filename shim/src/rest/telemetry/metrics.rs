//! Figures for Prometheus: those of Qdrant by its names, and those that only this engine has, which begin with `vdb_`.

mod answers;
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
use answers::{counted, of_wire};
use collections::of_collections;

#[derive(Deserialize)]
pub(super) struct MetricsParams {
    /// Names are in labels of collections, and nowhere else.
    #[serde(default)]
    anonymize: bool,
    /// Count requests for each collection, instead of for all together.
    #[serde(default)]
    per_collection: bool,
    timeout: Option<u64>,
}

pub(super) async fn metrics(
    State(app): State<App>,
    By(caller): By,
    Params(params): Params<MetricsParams>,
) -> Response {
    let service = app.service.on_behalf_of(&caller);
    let gathering = async { Ok::<_, Failure>(gather(&service, &app.metrics_prefix, &params).await?) };
    match super::within(params.timeout, gathering).await {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(failure) => failure.into_response(),
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
