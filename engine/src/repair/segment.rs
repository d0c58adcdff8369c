//! One segment, as far as it can be read.

use std::cell::Cell;

use roaring::RoaringBitmap;
use vdb_storage::manifest::NUMBER_END;
use vdb_storage::multi::MultiSalvage;
use vdb_storage::payload::PayloadSalvage;
use vdb_storage::points::{PointsSalvage, SegmentIdentity};
use vdb_storage::sparse::SparseSalvage;
use vdb_storage::vectors::{Salvaged, VectorsSalvage};
use vdb_storage::{Component, PointId, SegmentFile, tombstone};
use vdb_vfs::DynDisk;

use super::losses::{Blame, Losses};
use super::survey::{FoundFile, FoundSegment};
use crate::directory::len_of;
use crate::error::{Error, Result};
use crate::schema::{Schema, VectorKind, VectorSchema};

/// A file of the segment: it may be damaged, or not there at all.
#[derive(Debug)]
struct Part<T> {
    file: Option<T>,
    /// What is wrong with it; none where nothing is.
    blame: Option<Blame>,
}

/// The vectors of one name, of whichever kind.
#[derive(Debug)]
enum Vectors {
    Dense(VectorsSalvage),
    Multi(MultiSalvage),
    Sparse(SparseSalvage),
}

impl Vectors {
    fn open(
        disk: &DynDisk,
        path: &str,
        vector: &VectorSchema,
        rows: u32,
        crc: Option<u32>,
    ) -> vdb_storage::Result<Self> {
        Ok(match &vector.kind {
            VectorKind::Dense(dense) => {
                let (element, dim) = (dense.params.element, dense.params.size as u32);
                Vectors::Dense(VectorsSalvage::open(&**disk, path, element, dim, rows, crc)?)
            }
            VectorKind::Multi(dense) => {
                let (element, dim) = (dense.params.element, dense.params.size as u32);
                Vectors::Multi(MultiSalvage::open(&**disk, path, element, dim, rows, crc)?)
            }
            VectorKind::Sparse(_) => Vectors::Sparse(SparseSalvage::open(&**disk, path, rows, crc)?),
        })
    }

    fn vector_of(&self, row: u32) -> Salvaged<'_> {
        match self {
            Vectors::Dense(file) => file.vector_of(row),
            Vectors::Multi(file) => file.get(row),
            Vectors::Sparse(file) => file.stored(row),
        }
    }

    fn faults(&self) -> &[vdb_vfs::Error] {
        match self {
            Vectors::Dense(file) => file.faults(),
            Vectors::Multi(file) => file.faults(),
            Vectors::Sparse(file) => file.faults(),
        }
    }
}

/// The rows of a segment whose ids can be read, and what else can be of them.
#[derive(Debug)]
pub(super) struct Segment {
    points: Part<PointsSalvage>,
    payload: Part<PayloadSalvage>,
    /// By slot; none where the segment does not have the vector.
    vectors: Vec<Option<Part<Vectors>>>,
    dead: RoaringBitmap,
    /// Those that are dead only by a file that does not count: the flush that was to commit it did not end.
    dead_since: RoaringBitmap,
    /// What keeps from knowing which rows are dead.
    dead_blame: Option<Blame>,
    /// The last operation that it covers.
    max_seq: u64,
    /// Alive rows without an id, as the merge has found them.
    unnamed: Cell<u64>,
}

/// What a salvaged points file says of its segment.
pub(super) fn open_points(
    disk: &DynDisk,
    dir: &str,
    found: &FoundSegment,
    losses: &mut Losses<'_>,
) -> Result<Opened> {
    let points = open(
        disk,
        dir,
        found,
        Component::Points,
        losses,
        |path, crc| PointsSalvage::open(&**disk, path, crc),
        PointsSalvage::faults,
    )?;
    Ok(Opened(points))
}

/// A segment of which only the points have been read.
#[derive(Debug)]
pub(super) struct Opened(Part<PointsSalvage>);

impl Opened {
    /// What the segment says of itself, where that can be read.
    pub(super) fn identity(&self) -> Option<&SegmentIdentity> {
        self.0.file.as_ref()?.identity()
    }

    /// Reads the rest. `None` when no row can be told from others; what is lost with it is told.
    pub(super) fn complete(
        self,
        disk: &DynDisk,
        dir: &str,
        found: &FoundSegment,
        schema: &Schema,
        losses: &mut Losses<'_>,
    ) -> Result<Option<Segment>> {
        let Opened(points) = self;
        let Dead {
            rows: dead,
            since: dead_since,
            blame: dead_blame,
        } = open_tombstones(disk, dir, found, losses)?;
        let Some(file) = &points.file else {
            if let Some(blame) = points.blame {
                let rows = found
                    .record
                    .as_ref()
                    .map(|r| u64::from(r.rows).saturating_sub(dead.len()));
                losses.lose_unnamed(blame, rows);
            }
            return Ok(None);
        };
        let rows = file.len();
        let payload = open(
            disk,
            dir,
            found,
            Component::Payload,
            losses,
            |path, crc| PayloadSalvage::open(&**disk, path, crc),
            PayloadSalvage::faults,
        )?;
        let mut vectors: Vec<Option<Part<Vectors>>> = Vec::new();
        vectors.resize_with(schema.slots(), || None);
        for (slot, vector) in schema.vectors() {
            let component = vector.kind.component(slot as u16);
            if found.files.iter().all(|known| known.file.component != component) {
                let (id, name) = (found.id, &vector.name);
                let unknown = if found.vanished.contains(&component) {
                    Some(format!(
                        "the manifest before the newest names a file of the vectors {name:?} of segment {id}, and it is not \
                         there: dropped since, or lost; its points are kept without these"
                    ))
                } else {
                    found.record.is_none().then(|| {
                        format!(
                            "segment {id} has no file of the vectors {name:?}, and no manifest says whether it had one: its \
                             points are kept without these"
                        )
                    })
                };
                if let Some(what) = unknown {
                    let blame = losses.note(dir, what);
                    losses.lose_unnamed(blame, None);
                }
                continue;
            }
            vectors[slot] = Some(open(
                disk,
                dir,
                found,
                component,
                losses,
                |path, crc| Vectors::open(disk, path, vector, rows, crc),
                Vectors::faults,
            )?);
        }
        let versions = || (0..rows).filter_map(|row| file.version(row)).max().unwrap_or(0);
        let max_seq = match (&found.record, file.identity()) {
            (Some(record), _) => record.max_seq,
            (None, Some(identity)) => identity.max_seq,
            (None, None) => versions(),
        };
        // No manifest has had a say in what a points file without one holds.
        let max_seq = max_seq.min(NUMBER_END - 1);
        if let Some(blame) = points.blame {
            let unknown = (0..rows).filter(|&row| file.version(row).is_none() && !dead.contains(row));
            match unknown.count() {
                0 => {}
                count => losses.explain(
                    blame,
                    &format!("the versions of {count} points are lost and become {max_seq}"),
                ),
            }
        }
        Ok(Some(Segment {
            points,
            payload,
            vectors,
            dead,
            dead_since,
            dead_blame,
            max_seq,
            unnamed: Cell::new(0),
        }))
    }
}

/// Opens one file, and tells what is wrong with it.
fn open<T>(
    disk: &DynDisk,
    dir: &str,
    found: &FoundSegment,
    component: Component,
    losses: &mut Losses<'_>,
    open: impl FnOnce(&str, Option<u32>) -> vdb_storage::Result<T>,
    faults: impl FnOnce(&T) -> &[vdb_vfs::Error],
) -> Result<Part<T>> {
    let known = found.files.iter().find(|known| known.file.component == component);
    let FoundFile { file, crc } = known.copied().unwrap_or(FoundFile {
        file: SegmentFile::new(found.id, component),
        crc: None,
    });
    let path = file.path(dir);
    let opened = open(&path, crc);
    losses.read(len_of(disk, &path))?;
    Ok(match opened {
        Ok(file) => {
            let blame = faults(&file).split_first().map(|(first, more)| {
                let first = copy(first);
                let more = match more.len() {
                    0 => String::new(),
                    more => format!("and {more} more such places"),
                };
                losses.error(&path, &Error::Disk(first), &more)
            });
            Part {
                file: Some(file),
                blame,
            }
        }
        Err(error) => {
            let blame = losses.error(&path, &error.into(), "nothing of the file can be used");
            Part {
                file: None,
                blame: Some(blame),
            }
        }
    })
}

/// Errors of the disk hold what the system said and cannot be cloned; what they say can.
fn copy(error: &vdb_vfs::Error) -> vdb_vfs::Error {
    let (path, offset, what) = crate::damage::describe_disk(error);
    vdb_vfs::Error::Corrupt {
        path: path.unwrap_or_default(),
        offset: offset.unwrap_or(0),
        what,
    }
}

/// Which rows of a segment are dead.
#[derive(Default)]
struct Dead {
    /// By all files that can be read.
    rows: RoaringBitmap,
    /// Those of them that are alive by the file that counts.
    since: RoaringBitmap,
    /// What keeps from knowing others.
    blame: Option<Blame>,
}

fn open_tombstones(disk: &DynDisk, dir: &str, found: &FoundSegment, losses: &mut Losses<'_>) -> Result<Dead> {
    let mut dead = Dead::default();
    if let Some(known) = found
        .files
        .iter()
        .find(|known| known.file.component == Component::Tombstones)
    {
        let path = known.file.path(dir);
        match tombstone::salvage(&**disk, &path, known.crc) {
            Ok(rows) => dead.rows = rows,
            Err(error) => {
                let more = "points of this segment that were deleted may come back, unless a newer version or the log says so";
                let lost = losses.error(&path, &error.into(), more);
                // Deletions are writes too.
                losses.lose_unnamed(lost, None);
                dead.blame = Some(lost);
            }
        }
        losses.read(len_of(disk, &path))?;
    }
    for file in &found.other_tombstones {
        let path = file.path(dir);
        if let Ok(rows) = tombstone::salvage(&**disk, &path, None) {
            dead.since |= rows - &dead.rows;
        }
        losses.read(len_of(disk, &path))?;
    }
    dead.rows |= &dead.since;
    Ok(dead)
}

impl Segment {
    pub(super) fn rows(&self) -> u32 {
        self.points.file.as_ref().map_or(0, PointsSalvage::len)
    }

    pub(super) fn id(&self, row: u32) -> Option<PointId> {
        self.points.file.as_ref()?.id(row)
    }

    /// The version of a row, or the greatest that it can have; and whether it is that.
    pub(super) fn version(&self, row: u32) -> (u64, bool) {
        let known = self.points.file.as_ref().and_then(|points| points.version(row));
        let version = known.map_or(self.max_seq, |known| known.min(NUMBER_END - 1));
        (version, known.is_none())
    }

    pub(super) fn is_dead(&self, row: u32) -> bool {
        self.dead.contains(row)
    }

    /// True when the row is known to have been alive at the flush point of the manifest.
    pub(super) fn was_alive(&self, row: u32) -> bool {
        self.dead_blame.is_none() && (!self.dead.contains(row) || self.dead_since.contains(row))
    }

    pub(super) fn max_seq(&self) -> u64 {
        self.max_seq
    }

    pub(super) fn payload(&self, row: u32) -> Option<&[u8]> {
        self.payload.file.as_ref()?.get(row)
    }

    pub(super) fn vector(&self, row: u32, slot: usize) -> Salvaged<'_> {
        match self.vectors.get(slot) {
            None | Some(None) => Salvaged::Absent,
            Some(Some(Part { file: Some(file), .. })) => file.vector_of(row),
            Some(Some(Part { file: None, .. })) => Salvaged::Lost,
        }
    }

    /// What has cost the vectors of a row, if they are lost. `Some(None)` where the file has no damage that shows.
    pub(super) fn lost_vectors(&self, row: u32) -> Option<Option<Blame>> {
        self.vectors.iter().enumerate().find_map(|(slot, part)| {
            let part = part.as_ref()?;
            (self.vector(row, slot) == Salvaged::Lost).then_some(part.blame)
        })
    }

    /// What costs payloads that cannot be read. `None` where the file has no damage that shows.
    pub(super) fn payload_blame(&self) -> Option<Blame> {
        self.payload.blame
    }

    /// A row that is not dead has no id.
    pub(super) fn note_unnamed(&self) {
        self.unnamed.set(self.unnamed.get() + 1);
    }

    /// Tells how many rows were lost with their ids.
    pub(super) fn count_unnamed(&self, losses: &mut Losses<'_>) {
        if let (Some(blame), count @ 1..) = (self.points.blame, self.unnamed.get()) {
            losses.lose_unnamed(blame, Some(count));
        }
    }

    /// True when something of it is lost, so that the log may have to stand in.
    pub(super) fn is_damaged(&self) -> bool {
        let vectors = self.vectors.iter().flatten().any(|part| part.blame.is_some());
        let dead = self.dead_blame.is_some();
        self.points.blame.is_some() || self.payload.blame.is_some() || vectors || dead
    }
}
