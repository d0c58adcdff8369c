//! From the record of a manifest to a segment; the same segment with other files.

use std::sync::{Arc, OnceLock};

use vdb_index::postings::PostingsFile;
use vdb_storage::manifest::SegmentRecord;
use vdb_storage::payload::PayloadReader;
use vdb_storage::points::PointsReader;
use vdb_storage::{Component, SegmentFile, tombstone};
use vdb_sys::sync::atomic::{AtomicBool, Ordering};
use vdb_vfs::DynDisk;
use vdb_vfs::frame::FrameInfo;

use super::Segment;
use super::column::Column;
use super::files::Files;
use crate::deletions::Deletions;
use crate::error::{Error, Result};
use crate::schema::Schema;

impl Segment {
    /// Opens the files that a record names. Derived files that cannot be used are left out: they get rebuilt.
    pub(crate) fn open(disk: &DynDisk, dir: &str, schema: &Schema, record: SegmentRecord) -> Result<Segment> {
        let path = |component: Component| {
            let revision = record.component(component)?.revision;
            Some(
                SegmentFile {
                    segment: record.id,
                    component,
                    revision,
                }
                .path(dir),
            )
        };
        let primary = |component: Component| {
            path(component).ok_or_else(|| Error::Damaged {
                file: format!("{}: manifest", disk.display(dir)),
                what: format!("segment {} has no file of the kind {component:?}", record.id),
            })
        };
        let rows = record.rows;
        let check_rows = |path: &str, found: u32| {
            if found == rows {
                return Ok(());
            }
            let what = format!("it has {found} rows, the manifest says {rows}");
            Err(Error::Damaged {
                file: disk.display(path),
                what,
            })
        };

        // A sound file may still be another one than the manifest means.
        let is_meant = |component: Component, found: FrameInfo| {
            record
                .component(component)
                .is_none_or(|meant| (meant.len, meant.crc) == (found.len, found.crc))
        };
        let check_meant = |path: &str, component: Component, found: FrameInfo| {
            if is_meant(component, found) {
                return Ok(());
            }
            let (len, crc) = (found.len, found.crc);
            let what = format!(
                "it has {len} bytes and the checksum {crc:08x}: not the file that the manifest names"
            );
            Err(Error::Damaged {
                file: disk.display(path),
                what,
            })
        };

        let points_path = primary(Component::Points)?;
        let points = Arc::new(PointsReader::open(&**disk, &points_path)?);
        check_rows(&points_path, points.len())?;
        check_meant(&points_path, Component::Points, points.info())?;
        let identity = points.identity();
        if (identity.segment_id, identity.min_seq, identity.max_seq)
            != (record.id, record.min_seq, record.max_seq)
        {
            let what = format!("it was written for segment {}", identity.segment_id);
            return Err(Error::Damaged {
                file: disk.display(&points_path),
                what,
            });
        }
        let payload_path = primary(Component::Payload)?;
        let payload = Arc::new(PayloadReader::open(&**disk, &payload_path)?);
        check_rows(&payload_path, payload.len())?;
        check_meant(&payload_path, Component::Payload, payload.info())?;

        let deletions = Deletions::new(rows);
        if let Some(path) = path(Component::Tombstones) {
            let (tombstones, info) = tombstone::read(&**disk, &path)?;
            check_rows(&path, tombstones.rows)?;
            check_meant(&path, Component::Tombstones, info)?;
            if tombstones.segment_id != record.id {
                let what = format!("it was written for segment {}", tombstones.segment_id);
                return Err(Error::Damaged {
                    file: disk.display(&path),
                    what,
                });
            }
            for row in &tombstones.deleted {
                deletions.mark(row, 0);
            }
        }

        let mut columns: Vec<Option<Column>> = vec![None; schema.slots()];
        for (slot, vector) in schema.vectors() {
            let number = slot as u16;
            let component = vector.kind.component(number);
            let Some(path_of_vectors) = path(component) else {
                continue;
            };
            let derived = vector.kind.derived(number);
            let path_of_derived = derived.and_then(path);
            let is_derived = |found: FrameInfo| derived.is_some_and(|derived| is_meant(derived, found));
            let mut column = Column::open(
                disk,
                &path_of_vectors,
                &vector.kind,
                path_of_derived.as_deref(),
                &is_derived,
            )?;
            check_rows(&path_of_vectors, column.segment_rows())?;
            check_meant(&path_of_vectors, component, column.info())?;
            let partitions = Component::Partitions(number);
            if let Some(path) = path(partitions) {
                column.open_partitions(disk, &path, &|found| is_meant(partitions, found));
            }
            if let Some(place) = columns.get_mut(slot) {
                *place = Some(column);
            }
        }
        let indexes = schema.payload_indexes.iter().filter_map(|index| {
            let component = Component::PayloadIndex(index.number);
            let file = PostingsFile::open(&**disk, &path(component)?, rows).ok()?;
            let fingerprint = file.text_info().map(|info| info.fingerprint);
            let fits = file.kind() == index.params.kind && fingerprint == index.fingerprint();
            (fits && is_meant(component, file.info())).then(|| (index.number, Arc::new(file)))
        });
        let indexes = indexes.collect();
        let column_files = columns.iter().map(|_| Files::new(disk)).collect();
        let presence = columns.iter().map(|_| OnceLock::new()).collect();
        let files = Files::new(disk);
        Ok(Segment {
            record,
            points,
            payload,
            deletions: Arc::new(deletions),
            columns,
            presence,
            column_files,
            indexes,
            indexes_damaged: AtomicBool::new(false),
            told: AtomicBool::new(false),
            damaged: Arc::default(),
            dir: dir.to_owned(),
            files,
        })
    }

    /// The same segment with other derived files: data and marks are shared.
    pub(crate) fn reopen(
        &self,
        disk: &DynDisk,
        dir: &str,
        schema: &Schema,
        record: SegmentRecord,
    ) -> Result<Segment> {
        let fresh = Segment::open(disk, dir, schema, record)?;
        for (slot, old) in (0u16..).zip(&self.columns) {
            let revisions = |segment: &Segment| {
                [Component::Graph(slot), Component::SparseIndex(slot)]
                    .map(|component| Some(segment.record.component(component)?.revision))
            };
            if let (Some(old), Some(Some(new))) = (old, fresh.columns.get(usize::from(slot)))
                && old.is_damaged()
                && revisions(self) == revisions(&fresh)
            {
                new.set_damaged();
            }
            let partitions = |segment: &Segment| {
                let component = segment.record.component(Component::Partitions(slot));
                component.map(|component| component.revision)
            };
            if let (Some(Column::Dense(old)), Some(Some(Column::Dense(new)))) =
                (old, fresh.columns.get(usize::from(slot)))
                && old.has_damaged_partitions()
                && partitions(self) == partitions(&fresh)
            {
                new.set_partitions_damaged();
            }
        }
        // A column that the record no longer names is not held any longer.
        let mut column_files = fresh.column_files.clone();
        for ((held, column), before) in column_files
            .iter_mut()
            .zip(&fresh.columns)
            .zip(&self.column_files)
        {
            if column.is_some() {
                *held = before.clone();
            }
        }
        Ok(Segment {
            deletions: self.deletions.clone(),
            files: self.files.clone(),
            damaged: self.damaged.clone(),
            column_files,
            ..fresh
        })
    }

    /// The same segment without the payload indexes and vectors that its record no longer names.
    pub(crate) fn with_record(&self, record: SegmentRecord) -> Segment {
        let named = |number| record.component(Component::PayloadIndex(number)).is_some();
        let has_file = |slot: u16| {
            let components = [
                Component::Vectors(slot),
                Component::Sparse(slot),
                Component::Multi(slot),
            ];
            components
                .into_iter()
                .any(|component| record.component(component).is_some())
        };
        let columns = (0u16..).zip(&self.columns);
        let columns: Vec<Option<Column>> = columns
            .map(|(slot, column)| column.clone().filter(|_| has_file(slot)))
            .collect();
        let held = columns.iter().zip(&self.column_files);
        let column_files = held.map(|(column, files)| match column {
            Some(_) => files.clone(),
            None => self.files.others(),
        });
        Segment {
            points: self.points.clone(),
            payload: self.payload.clone(),
            deletions: self.deletions.clone(),
            column_files: column_files.collect(),
            presence: columns.iter().map(|_| OnceLock::new()).collect(),
            columns,
            indexes: self
                .indexes
                .iter()
                .filter(|(number, _)| named(*number))
                .cloned()
                .collect(),
            indexes_damaged: AtomicBool::new(self.indexes_damaged.load(Ordering::Acquire)),
            told: AtomicBool::new(false),
            damaged: self.damaged.clone(),
            dir: self.dir.clone(),
            files: self.files.clone(),
            record,
        }
    }
}
