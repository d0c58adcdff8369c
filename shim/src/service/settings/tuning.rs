//! Graph, optimizers, log: what was given, and what it is without.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::error::Problems;

/// Where something had best be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Memory {
    /// On the disk until it is used.
    Cold,
    /// In the page cache from the start.
    Cached,
    /// In memory at all times.
    Pinned,
}

/// Where payloads had best be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadStorage {
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
}

impl PayloadStorage {
    pub(super) fn check(&self, place: &str, problems: &mut Problems) {
        if self.memory == Some(Memory::Pinned) {
            problems.add(format_args!("{place}.memory"), "pinned is not supported here");
        }
    }
}

/// Takes of `newer` what it gives.
macro_rules! overlay {
    ($older:expr, $newer:expr, $($field:ident),+) => {
        $(if $newer.$field.is_some() { $older.$field = $newer.$field.clone(); })+
    };
}

/// Parameters of a graph, as far as they are given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HnswSettings {
    /// Links a node; 0 makes no graph of all points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub m: Option<u64>,
    /// Width of the beam that finds a new node's neighbours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ef_construct: Option<u64>,
    /// Kilobytes of vectors below which all are compared.
    #[serde(
        default,
        alias = "full_scan_threshold_kb",
        skip_serializing_if = "Option::is_none"
    )]
    pub full_scan_threshold: Option<u64>,
    /// Threads that build one; 0 leaves it to the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_indexing_threads: Option<u64>,
    /// Whether it stays on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_disk: Option<bool>,
    /// Where it had best be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// Links a node among the points of one payload value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_m: Option<u64>,
    /// Whether vectors lie beside the links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inline_storage: Option<bool>,
}

impl HnswSettings {
    pub(super) fn check(&self, place: &str, problems: &mut Problems) {
        problems.at_least(format_args!("{place}.ef_construct"), self.ef_construct, 4);
        problems.at_least(
            format_args!("{place}.full_scan_threshold"),
            self.full_scan_threshold,
            10,
        );
    }

    /// Takes what `newer` gives.
    pub fn overlay(&mut self, newer: &HnswSettings) {
        overlay!(
            self,
            newer,
            m,
            ef_construct,
            full_scan_threshold,
            max_indexing_threads,
            on_disk,
            memory,
            payload_m,
            inline_storage
        );
    }

    /// What they are, with what was not given.
    pub fn resolved(&self) -> ResolvedHnsw {
        ResolvedHnsw {
            m: self.m.unwrap_or(16),
            ef_construct: self.ef_construct.unwrap_or(100),
            full_scan_threshold: self.full_scan_threshold.unwrap_or(10_000),
            max_indexing_threads: self.max_indexing_threads.unwrap_or(0),
            on_disk: self.on_disk.or(self.memory.is_none().then_some(false)),
            memory: self.memory,
            payload_m: self.payload_m,
            inline_storage: self.inline_storage,
        }
    }
}

/// Parameters of the graphs of a collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResolvedHnsw {
    /// Links a node.
    pub m: u64,
    /// Width of the beam that finds a new node's neighbours.
    pub ef_construct: u64,
    /// Kilobytes of vectors below which all are compared.
    pub full_scan_threshold: u64,
    /// Threads that build one; 0 leaves it to the engine.
    pub max_indexing_threads: u64,
    /// Whether it stays on disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_disk: Option<bool>,
    /// Where it had best be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// Links a node among the points of one payload value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_m: Option<u64>,
    /// Whether vectors lie beside the links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inline_storage: Option<bool>,
}

/// When segments are indexed and merged, as far as it is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OptimizerSettings {
    /// A segment is rewritten when more than this share of its points is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_threshold: Option<f64>,
    /// Smaller segments are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vacuum_min_vector_number: Option<u64>,
    /// Segments that are aimed at; 0 leaves it to the engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_segment_number: Option<u64>,
    /// Kilobytes of vectors of the largest segment.
    #[serde(
        default,
        alias = "max_segment_size_kb",
        skip_serializing_if = "Option::is_none"
    )]
    pub max_segment_size: Option<u64>,
    /// Kilobytes of vectors from which they are mapped.
    #[serde(
        default,
        alias = "memmap_threshold_kb",
        skip_serializing_if = "Option::is_none"
    )]
    pub memmap_threshold: Option<u64>,
    /// Kilobytes of vectors from which they get a graph; 0 says never.
    #[serde(
        default,
        alias = "indexing_threshold_kb",
        skip_serializing_if = "Option::is_none"
    )]
    pub indexing_threshold: Option<u64>,
    /// Seconds between flushes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flush_interval_sec: Option<u64>,
    /// Jobs at once: a number, or `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_optimization_threads: Option<Value>,
    /// Whether points that have no graph yet are hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevent_unoptimized: Option<bool>,
}

impl OptimizerSettings {
    pub(super) fn check(&self, place: &str, problems: &mut Problems) {
        problems.within(
            format_args!("{place}.deleted_threshold"),
            self.deleted_threshold,
            0.0,
            1.0,
        );
        problems.at_least(
            format_args!("{place}.vacuum_min_vector_number"),
            self.vacuum_min_vector_number,
            100,
        );
        problems.at_least(format_args!("{place}.max_segment_size"), self.max_segment_size, 1);
    }

    /// Takes what `newer` gives.
    pub fn overlay(&mut self, newer: &OptimizerSettings) {
        overlay!(
            self,
            newer,
            deleted_threshold,
            vacuum_min_vector_number,
            default_segment_number,
            max_segment_size,
            memmap_threshold,
            indexing_threshold,
            flush_interval_sec,
            max_optimization_threads,
            prevent_unoptimized
        );
    }

    /// What they are, with what was not given.
    pub fn resolved(&self) -> ResolvedOptimizer {
        let threads = self.max_optimization_threads.as_ref();
        ResolvedOptimizer {
            deleted_threshold: self.deleted_threshold.unwrap_or(0.2),
            vacuum_min_vector_number: self.vacuum_min_vector_number.unwrap_or(1_000),
            default_segment_number: self.default_segment_number.unwrap_or(0),
            max_segment_size: self.max_segment_size,
            memmap_threshold: self.memmap_threshold,
            indexing_threshold: self.indexing_threshold.unwrap_or(10_000),
            flush_interval_sec: self.flush_interval_sec.unwrap_or(5),
            max_optimization_threads: threads.and_then(Value::as_u64),
            prevent_unoptimized: self.prevent_unoptimized,
        }
    }
}

/// When segments of a collection are indexed and merged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResolvedOptimizer {
    /// A segment is rewritten when more than this share of its points is deleted.
    pub deleted_threshold: f64,
    /// Smaller segments are left alone.
    pub vacuum_min_vector_number: u64,
    /// Segments that are aimed at; 0 leaves it to the engine.
    pub default_segment_number: u64,
    /// Kilobytes of vectors of the largest segment.
    pub max_segment_size: Option<u64>,
    /// Kilobytes of vectors from which they are mapped.
    pub memmap_threshold: Option<u64>,
    /// Kilobytes of vectors from which they get a graph; 0 says never.
    pub indexing_threshold: u64,
    /// Seconds between flushes.
    pub flush_interval_sec: u64,
    /// Jobs at once.
    pub max_optimization_threads: Option<u64>,
    /// Whether points that have no graph yet are hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prevent_unoptimized: Option<bool>,
}

/// Parameters of the log, as far as they are given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalSettings {
    /// Megabytes of one file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wal_capacity_mb: Option<u64>,
    /// Files that are made before they are needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wal_segments_ahead: Option<u64>,
    /// Files that are kept when they are no longer needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wal_retain_closed: Option<u64>,
}

impl WalSettings {
    /// These, with what was not given.
    pub fn resolved(&self) -> WalSettings {
        WalSettings {
            wal_capacity_mb: self.wal_capacity_mb.or(Some(32)),
            wal_segments_ahead: self.wal_segments_ahead.or(Some(0)),
            wal_retain_closed: self.wal_retain_closed.or(Some(1)),
        }
    }
}
