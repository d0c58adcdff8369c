//! The new database.

use std::path::Path;
use std::sync::Arc;

use vdb_storage::PointId;
use vdb_storage::vectors::Salvaged;
use vdb_vfs::{Disk, DynDisk, OsDisk};

use super::collection::Collection;
use super::merge::{Merge, Pick, VectorsOf};
use crate::core::{Core, past_lost};
use crate::db::Database;
use crate::error::{Error, Result};
use crate::maintenance::commit::Commit;
use crate::maintenance::fresh::FreshFiles;
use crate::maintenance::write_segment::{Source, write_segment};
use crate::place::{self, PARTIAL};
use crate::schema::Schema;

/// Rows of one segment of the new database, at most.
const SEGMENT_ROWS: usize = 1 << 20;

/// A directory that will get its name when all is done. Removed when it is dropped before that.
#[derive(Debug)]
pub(super) struct Place {
    parent: OsDisk,
    name: String,
    partial: String,
    finished: bool,
}

impl Place {
    /// # Errors
    /// When `target` exists, lies in `source`, or has no parent directory.
    pub(super) fn choose(target: &Path, source: &dyn Disk) -> Result<Place> {
        place::refuse_inside(target, source, "what is repaired")?;
        let (parent, name) = place::locate(target)?;
        let shown = target.display();
        if parent.exists(&name)? {
            let what = format!("{shown}: it exists; a repaired database is written to a new directory");
            return Err(Error::InvalidRequest(what));
        }
        let partial = format!("{name}{PARTIAL}");
        // Left by a repair that was killed, or of one that goes on, or somebody's database of that name: not ours to remove.
        if parent.exists(&partial)? && !parent.list(&partial)?.is_empty() {
            let what = format!(
                "{}: it is in the way; if it is what a repair that was killed has left, remove it",
                parent.display(&partial)
            );
            return Err(Error::InvalidRequest(what));
        }
        Ok(Place {
            parent,
            name,
            partial,
            finished: false,
        })
    }

    /// The new directory.
    pub(super) fn open(&self) -> Result<OsDisk> {
        self.parent.create_dir_all(&self.partial)?;
        Ok(OsDisk::open(self.parent.display(&self.partial), false)?)
    }

    /// Gives it its name.
    pub(super) fn finish(mut self) -> Result<()> {
        self.parent.rename(&self.partial, &self.name)?;
        self.finished = true;
        Ok(self.parent.sync_dir("")?)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.finished {
            // What cannot be removed now is removed by the next repair to there.
            let _ = self.parent.remove_dir_all(&self.partial);
        }
    }
}

/// Refuses a disk that has something on it.
pub(super) fn refuse_used(disk: &dyn Disk) -> Result<()> {
    match disk.list("")?.is_empty() {
        true => Ok(()),
        false => Err(Error::InvalidRequest(format!(
            "{}: it is not empty; a repaired database is written to a new place",
            disk.display("")
        ))),
    }
}

/// The new database, while it is being written.
pub(super) struct Output(Database);

impl Output {
    pub(super) fn open(disk: &DynDisk) -> Result<Output> {
        let db = Database::builder().background(false).open_disk(disk.clone())?;
        Ok(Output(db))
    }

    /// Adds the aliases and closes the database.
    pub(super) fn close(self, collections: &[Collection]) -> Result<()> {
        for collection in collections.iter().filter(|c| c.schema.is_some()) {
            for alias in &collection.aliases {
                self.0.create_alias(alias, &collection.name)?;
            }
        }
        self.0.close()
    }
}

/// The rows of a segment to be, ascending by id.
struct Picked<'a>(Vec<Pick<'a>>);

impl Source for Picked<'_> {
    fn rows(&self) -> u32 {
        self.0.len() as u32
    }

    fn id(&self, row: u32) -> Option<PointId> {
        Some(self.0.get(row as usize)?.id)
    }

    fn version(&self, row: u32) -> u64 {
        self.0.get(row as usize).map_or(0, |pick| pick.version)
    }

    fn payload(&self, row: u32) -> Result<&[u8]> {
        Ok(self.0.get(row as usize).map_or(&[], |pick| pick.payload))
    }

    fn vector(&self, row: u32, slot: usize) -> Result<Option<&[u8]>> {
        let Some(pick) = self.0.get(row as usize) else {
            return Ok(None);
        };
        Ok(match pick.vectors {
            VectorsOf::Log(vectors) => vectors.get(slot).and_then(|vector| vector.as_deref()),
            VectorsOf::Row(segment, row) => match segment.vector(row, slot) {
                Salvaged::Vector(bytes) => Some(bytes),
                // Rows with lost vectors are not picked.
                Salvaged::Absent | Salvaged::Lost => None,
            },
        })
    }
}

/// Writes what is kept of one collection, if there is somewhere to. Returns how many points that is.
pub(super) fn collection(
    output: Option<&Output>,
    collection: &Collection,
    schema: &Schema,
    mut merge: Merge<'_, '_, '_>,
) -> Result<u64> {
    let new = match output {
        None => None,
        Some(Output(db)) => {
            let core = db.shared().create_collection(&collection.name, schema.config())?;
            let schema = Arc::new(schema.clone());
            core.change(|tables| tables.schema = schema);
            Some((db, core))
        }
    };
    let rows = SEGMENT_ROWS.min(schema.merging(|_| None).max_segment_rows.max(1) as usize);
    let mut points = 0;
    let mut picks = Vec::new();
    loop {
        let pick = merge.next();
        let is_last = pick.is_none();
        picks.extend(pick);
        if picks.len() >= rows || is_last {
            merge.check()?;
            points += picks.len() as u64;
            let batch = Picked(std::mem::take(&mut picks));
            if let Some((db, core)) = &new {
                add_segment(db, core, collection, schema, &batch)?;
            }
        }
        if is_last {
            return Ok(points);
        }
    }
}

/// Commits rows as a segment, or, where there are none, what else the manifest is to say.
fn add_segment(
    db: &Database,
    core: &Core,
    old: &Collection,
    schema: &Schema,
    rows: &Picked<'_>,
) -> Result<()> {
    let shared = db.shared();
    let fresh = FreshFiles::of(shared, core);
    let segment = match rows.rows() {
        0 => None,
        _ => Some(Arc::new(write_segment(shared, core, schema, rows, &fresh)?)),
    };
    let mut commit = Commit::begin(shared, core, &fresh);
    commit.next.schema = schema.to_record();
    // Numbers that lost operations may have taken are not given again.
    commit.next.seq_floor = match old.uncertain {
        true => past_lost(old.last_seq),
        false => old.last_seq,
    };
    commit
        .next
        .segments
        .extend(segment.iter().map(|s| s.record.clone()));
    commit.finish(|| core.change(|tables| tables.segments.extend(segment)))
}
