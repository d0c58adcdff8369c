//! Graph, optimizers, log, and where things had best be.

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::max_optimization_threads;
use serde_json::Value;

use super::super::rejection::{Result, variant};
use crate::service::settings::{
    HnswSettings, Memory, OptimizerSettings, ResolvedHnsw, ResolvedOptimizer, WalSettings,
};

/// Where something had best be; nothing said for the code that says so.
pub(super) fn memory(code: Option<i32>) -> Result<Option<Memory>> {
    let Some(code) = code else { return Ok(None) };
    Ok(match variant("memory", code)? {
        proto::Memory::Unknown => None,
        proto::Memory::Cold => Some(Memory::Cold),
        proto::Memory::Cached => Some(Memory::Cached),
        proto::Memory::Pinned => Some(Memory::Pinned),
    })
}

/// The code of where something had best be.
pub(super) fn memory_to_proto(memory: Memory) -> i32 {
    match memory {
        Memory::Cold => proto::Memory::Cold,
        Memory::Cached => proto::Memory::Cached,
        Memory::Pinned => proto::Memory::Pinned,
    }
    .into()
}

/// Parameters of graphs.
#[expect(deprecated, reason = "clients still send `on_disk`")]
pub(super) fn hnsw(message: proto::HnswConfigDiff) -> Result<HnswSettings> {
    let proto::HnswConfigDiff {
        m,
        ef_construct,
        full_scan_threshold,
        max_indexing_threads,
        on_disk,
        payload_m,
        inline_storage,
        memory,
    } = message;
    Ok(HnswSettings {
        m,
        ef_construct,
        full_scan_threshold,
        max_indexing_threads,
        on_disk,
        memory: self::memory(memory)?,
        payload_m,
        inline_storage,
    })
}

/// The message of parameters of graphs, as far as they were given.
#[expect(deprecated, reason = "it is told as it was sent")]
pub(super) fn hnsw_to_proto(settings: HnswSettings) -> proto::HnswConfigDiff {
    proto::HnswConfigDiff {
        m: settings.m,
        ef_construct: settings.ef_construct,
        full_scan_threshold: settings.full_scan_threshold,
        max_indexing_threads: settings.max_indexing_threads,
        on_disk: settings.on_disk,
        payload_m: settings.payload_m,
        inline_storage: settings.inline_storage,
        memory: settings.memory.map(memory_to_proto),
    }
}

/// The message of parameters of graphs, with what was not given.
pub(super) fn resolved_hnsw_to_proto(settings: ResolvedHnsw) -> proto::HnswConfigDiff {
    hnsw_to_proto(HnswSettings {
        m: Some(settings.m),
        ef_construct: Some(settings.ef_construct),
        full_scan_threshold: Some(settings.full_scan_threshold),
        max_indexing_threads: Some(settings.max_indexing_threads),
        on_disk: settings.on_disk,
        memory: settings.memory,
        payload_m: settings.payload_m,
        inline_storage: settings.inline_storage,
    })
}

/// When segments are indexed and merged.
pub(super) fn optimizers(message: proto::OptimizersConfigDiff) -> Result<OptimizerSettings> {
    use max_optimization_threads::{Setting, Variant};
    let proto::OptimizersConfigDiff {
        deleted_threshold,
        vacuum_min_vector_number,
        default_segment_number,
        max_segment_size,
        memmap_threshold,
        indexing_threshold,
        flush_interval_sec,
        deprecated_max_optimization_threads,
        max_optimization_threads,
        prevent_unoptimized,
    } = message;
    let threads = match max_optimization_threads.and_then(|threads| threads.variant) {
        None => deprecated_max_optimization_threads.map(Value::from),
        Some(Variant::Value(count)) => Some(count.into()),
        Some(Variant::Setting(code)) => {
            let Setting::Auto = variant("max_optimization_threads.setting", code)?;
            Some("auto".into())
        }
    };
    Ok(OptimizerSettings {
        deleted_threshold,
        vacuum_min_vector_number,
        default_segment_number,
        max_segment_size,
        memmap_threshold,
        indexing_threshold,
        flush_interval_sec,
        max_optimization_threads: threads,
        prevent_unoptimized,
    })
}

/// The message of when segments are indexed and merged.
pub(super) fn optimizers_to_proto(settings: ResolvedOptimizer) -> proto::OptimizersConfigDiff {
    use max_optimization_threads::Variant;
    let threads = settings.max_optimization_threads;
    proto::OptimizersConfigDiff {
        deleted_threshold: Some(settings.deleted_threshold),
        vacuum_min_vector_number: Some(settings.vacuum_min_vector_number),
        default_segment_number: Some(settings.default_segment_number),
        max_segment_size: settings.max_segment_size,
        memmap_threshold: settings.memmap_threshold,
        indexing_threshold: Some(settings.indexing_threshold),
        flush_interval_sec: Some(settings.flush_interval_sec),
        // Older clients know the number by this field.
        deprecated_max_optimization_threads: threads,
        max_optimization_threads: threads.map(|count| proto::MaxOptimizationThreads {
            variant: Some(Variant::Value(count)),
        }),
        prevent_unoptimized: settings.prevent_unoptimized,
    }
}

/// Parameters of the log.
pub(super) fn wal(message: proto::WalConfigDiff) -> WalSettings {
    WalSettings {
        wal_capacity_mb: message.wal_capacity_mb,
        wal_segments_ahead: message.wal_segments_ahead,
        wal_retain_closed: message.wal_retain_closed,
    }
}

/// The message of parameters of the log.
pub(super) fn wal_to_proto(settings: WalSettings) -> proto::WalConfigDiff {
    proto::WalConfigDiff {
        wal_capacity_mb: settings.wal_capacity_mb,
        wal_segments_ahead: settings.wal_segments_ahead,
        wal_retain_closed: settings.wal_retain_closed,
    }
}
