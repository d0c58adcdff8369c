//! Operations, and payload indexes.

use std::sync::Arc;

use vdb_storage::Component;

use super::filters::For;
use super::{Strict, admit, at_most, refused, take};
use crate::config::Options;
use crate::core::Core;
use crate::error::Result;
use crate::filter::PayloadPath;
use crate::point::{Vector, Vectors};
use crate::tables::Tables;
use crate::write::batch::{Entry, Operation, Target};

/// Asks about the operations of a batch.
pub(crate) fn admit_writes(options: &Options, entries: &[(Arc<Core>, Entry)]) -> Result<()> {
    for (core, entry) in entries {
        match entry {
            Entry::Operation(operation) | Entry::OnExisting(operation) => {
                admit_operation(options, core, operation)?
            }
            Entry::Require { .. } => {}
        }
    }
    Ok(())
}

/// Asks about one operation.
pub(crate) fn admit_operation(options: &Options, core: &Core, operation: &Operation) -> Result<()> {
    admit(options, core, |strict| strict.operation(operation))
}

impl Strict<'_> {
    fn operation(&self, operation: &Operation) -> Result<()> {
        let (target, filter) = match operation {
            Operation::Upsert {
                points,
                update_filter,
                ..
            } => {
                self.batch_of_points("upsert limit", points.len())?;
                self.vectors(points.iter().map(|point| &point.vectors))?;
                self.room_for_points()?;
                self.room_for_vectors()?;
                self.room_for_payloads()?;
                self.memory()?;
                (None, update_filter.as_ref())
            }
            Operation::UpdateVectors {
                points,
                update_filter,
            } => {
                self.batch_of_points("update limit", points.len())?;
                self.vectors(points.iter().map(|(_, vectors)| vectors))?;
                self.room_for_vectors()?;
                self.memory()?;
                (None, update_filter.as_ref())
            }
            Operation::SetPayload { target, .. } | Operation::OverwritePayload { target, .. } => {
                self.room_for_payloads()?;
                self.memory()?;
                (Some(target), None)
            }
            Operation::Delete { target }
            | Operation::DeletePayload { target, .. }
            | Operation::ClearPayload { target }
            | Operation::DeleteVectors { target, .. } => (Some(target), None),
        };
        let of_target = target.and_then(|target| match target {
            Target::Filter(filter) => Some(filter),
            Target::Ids(_) => None,
        });
        for filter in filter.into_iter().chain(of_target) {
            self.filter(filter, For::Write)?;
        }
        let most = self.limits.write_rate_limit;
        let points = operation.points().max(1);
        take("write_rate_limit", &self.core.rates.writes, most, points)
    }

    fn batch_of_points(&self, name: &str, points: usize) -> Result<()> {
        let most = self.limits.upsert_max_batchsize;
        at_most("upsert_max_batchsize", most, name, points)
    }

    /// Refuses multivectors of too many vectors, and sparse ones of too many numbers.
    fn vectors<'v>(&self, of_points: impl Iterator<Item = &'v Vectors>) -> Result<()> {
        if self.limits.max_vectors.is_empty() && self.limits.max_length.is_empty() {
            return Ok(());
        }
        for (name, vector) in of_points.flat_map(|vectors| &vectors.0) {
            let (limit, most, (what, parts), found) = match vector {
                Vector::Dense(_) => continue,
                Vector::Multi(vectors) => {
                    let most = self.limits.max_vectors.get(name);
                    let what = ("Multivector", "vectors");
                    ("multivector_config", most, what, vectors.len())
                }
                Vector::Sparse(vector) => {
                    let most = self.limits.max_length.get(name);
                    let what = ("Sparse vector", "indices");
                    ("sparse_config", most, what, vector.values.len())
                }
            };
            if let Some(most) = most.copied().filter(|most| found as u64 > *most) {
                return Err(refused(
                    limit,
                    format!("{what} '{name}' has a limit of {most} {parts}, but {found} were provided!"),
                    format!("Reduce the number of {parts}."),
                ));
            }
        }
        Ok(())
    }

    fn room_for_points(&self) -> Result<()> {
        let Some(most) = self.limits.max_points_count else {
            return Ok(());
        };
        if points(self.tables) < most {
            return Ok(());
        }
        Err(refused(
            "max_points_count",
            format!("Max points count limit of {most} reached"),
            "Delete points or raise the limit.",
        ))
    }

    fn room_for_vectors(&self) -> Result<()> {
        let Some(most) = self.limits.max_collection_vector_size_bytes else {
            return Ok(());
        };
        if vector_bytes(self.tables) < most {
            return Ok(());
        }
        Err(refused(
            "max_collection_vector_size_bytes",
            format!("Max vector storage size limit of {}MB reached!", megabytes(most)),
            "Delete points or raise the limit.",
        ))
    }

    fn room_for_payloads(&self) -> Result<()> {
        let Some(most) = self.limits.max_collection_payload_size_bytes else {
            return Ok(());
        };
        if payload_bytes(self.tables) < most {
            return Ok(());
        }
        Err(refused(
            "max_collection_payload_size_bytes",
            format!("Max payload storage size limit of {}MB reached!", megabytes(most)),
            "Delete payloads or raise the limit.",
        ))
    }

    fn memory(&self) -> Result<()> {
        let Some(most) = self.limits.max_resident_memory_percent else {
            return Ok(());
        };
        memory_within(most, vdb_sys::memory::resident_percent())
    }

    /// One more payload index, on a path that has none.
    pub(crate) fn payload_index(&self, path: &str) -> Result<()> {
        let path = PayloadPath::parse(path)?.to_string();
        let indexes = &self.tables.schema.payload_indexes;
        if indexes.iter().any(|index| index.path == path) {
            return Ok(());
        }
        let Some(most) = self.limits.max_payload_index_count else {
            return Ok(());
        };
        if (indexes.len() as u64) < most {
            return Ok(());
        }
        Err(refused(
            "max_payload_index_count",
            format!("Collection already has the maximum number of payload indices ({most})"),
            "Please delete an existing index before creating a new one.",
        ))
    }
}

/// A size as it is told: in units of 1,048,576 bytes.
fn megabytes(bytes: u64) -> f32 {
    bytes as f32 / (1024.0 * 1024.0)
}

/// Refuses when more of the memory is in use than allowed; what is not known is no reason to.
pub(super) fn memory_within(most: u64, percent: Option<f64>) -> Result<()> {
    match percent {
        Some(percent) if percent > most as f64 => Err(refused(
            "max_resident_memory_percent",
            format!(
                "Resident memory usage is at {percent:.1}% of total memory, exceeding the configured limit of {most}%"
            ),
            "Reduce memory usage (e.g. delete points or drop collections), or raise `max_resident_memory_percent` in the \
             strict mode config of this collection.",
        )),
        Some(_) | None => Ok(()),
    }
}

/// Points, those that are on their way to readers included.
fn points(tables: &Tables) -> u64 {
    let in_segments: u64 = tables
        .segments
        .iter()
        .map(|s| u64::from(s.rows().saturating_sub(s.deletions.dead_total())))
        .sum();
    let in_memory: u64 = tables
        .memtables()
        .map(|table| u64::from(table.len().saturating_sub(table.dead())))
        .sum();
    in_segments + in_memory
}

/// Bytes of vectors, those of dead rows included until they are merged away.
fn vector_bytes(tables: &Tables) -> u64 {
    let slots = tables.schema.vectors();
    slots
        .map(|(slot, vector)| match vector.dense() {
            Some(dense) => {
                let in_segments = tables.segments.iter().filter_map(|s| s.vectors(slot));
                let in_segments: u64 = in_segments.map(|vectors| u64::from(vectors.file.len())).sum();
                let in_memory = tables.memtables().filter_map(|table| table.vectors(slot));
                let in_memory: u64 = in_memory.map(|vectors| u64::from(vectors.rows.len())).sum();
                (in_segments + in_memory) * dense.params.row_bytes() as u64
            }
            None => {
                let component = vector.kind.component(slot as u16);
                let files = tables
                    .segments
                    .iter()
                    .filter_map(|s| s.record.component(component));
                let in_segments: u64 = files.map(|file| file.len).sum();
                let in_memory = tables.memtables().filter_map(|table| table.ragged(slot));
                in_segments + in_memory.map(|vectors| vectors.bytes() as u64).sum::<u64>()
            }
        })
        .sum()
}

/// Bytes of payloads, those of dead rows included until they are merged away.
fn payload_bytes(tables: &Tables) -> u64 {
    let in_segments: u64 = tables
        .segments
        .iter()
        .filter_map(|s| s.record.component(Component::Payload))
        .map(|file| file.len)
        .sum();
    let in_memory: u64 = tables.memtables().map(|table| table.payload_bytes()).sum();
    in_segments + in_memory
}
