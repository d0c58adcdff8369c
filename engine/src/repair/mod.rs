//! What of a damaged database can still be read?
//!
//! ```text
//! catalog -> manifests -> files of segments, chunk by chunk \
//! log, past its damage --------------------------------------+-> newest state of each point -> a new database
//! ```
//!
//! Nothing is modified where the damage is: what is kept goes to a new place, and what is not is listed. Every byte
//! is compared with its checksum before it is used, so that what is kept is what was written.
//!
//! - A catalog or manifest that cannot be read is replaced by the generation before it and by what lies in the
//!   directories: segments say themselves which points and which schema they have.
//! - Of a damaged segment those points are kept whose id, payload and vectors lie in chunks that are sound.
//! - Of a damaged log those records are kept whose checksums fit. Also those that segments have, should these be
//!   what is damaged.
//! - Where a point is found in several places, the newest version counts, dead or alive. A point whose newest version
//!   is lost is lost: an older one would pass for the present.
//! - Graphs are made again when the new database is opened, payload indexes at once.
//!
//! | file | what |
//! |---|---|
//! | `report.rs` | what was kept, and what was not |
//! | `losses.rs` | collects what is lost |
//! | `survey.rs` | which collections there are, and which segments |
//! | `segment.rs` | one segment, as far as it can be read |
//! | `collection.rs` | one collection, and what the log does to its points |
//! | `log.rs` | the log is read past its damage |
//! | `merge.rs` | the newest state of each point, from everywhere |
//! | `write.rs` | the new database |

mod collection;
mod log;
mod losses;
mod merge;
mod report;
mod segment;
mod survey;
#[cfg(test)]
mod tests;
mod write;

use std::path::Path;
use std::sync::Arc;

use vdb_index::Control;
use vdb_vfs::{DynDisk, OsDisk};

pub use self::report::{Loss, RepairReport, RepairedCollection};

use self::collection::Collection;
use self::losses::Losses;
use self::merge::Merge;
use self::survey::Survey;
use self::write::{Output, Place};
use crate::error::Result;
use crate::meter::Meter;

/// Makes a sound database of what can be read of a damaged one, in a new directory.
///
/// The damaged database is not modified, and need not open. Points keep their versions, collections their names and
/// aliases where these can be read. The new directory gets its name when all of it is on the medium; until then it
/// has the suffix `.partial`. `control` is told bytes.
///
/// No other process should have the database open: what it writes meanwhile may be missed.
///
/// # Errors
/// When `source` is not a database, when `target` exists or lies in `source`, when the disk of `target` fails, and
/// [`Error::Cancelled`](crate::Error::Cancelled): then nothing is left at `target`. What cannot be read is in the
/// report.
///
/// ```
/// use vdb::{CollectionConfig, Control, Database, Distance, Point, VectorParams, repair};
///
/// let dir = tempfile::tempdir().unwrap();
/// let db = Database::open(dir.path().join("db"))?;
/// let words = db.create_collection("words", CollectionConfig::new(VectorParams::new(2, Distance::Dot)))?;
/// words.upsert(vec![Point::new(1, [1.0, 0.0])])?;
/// db.close()?;
/// let report = repair(dir.path().join("db"), dir.path().join("new"), &Control::none())?;
/// assert!(report.is_complete());
/// let new = Database::open(dir.path().join("new"))?;
/// assert_eq!(new.collection("words")?.count(None)?, 1);
/// # Ok::<_, vdb::Error>(())
/// ```
pub fn repair(
    source: impl AsRef<Path>,
    target: impl AsRef<Path>,
    control: &Control<'_>,
) -> Result<RepairReport> {
    let source: DynDisk = Arc::new(OsDisk::open(source, false)?);
    let place = Place::choose(target.as_ref(), &*source)?;
    let disk: DynDisk = Arc::new(place.open()?);
    let report = salvage(&source, Some(&disk), control)?;
    place.finish()?;
    Ok(report)
}

/// What [`repair`] would keep and what it would not; nothing is written.
///
/// # Errors
/// When `source` is not a database, and [`Error::Cancelled`](crate::Error::Cancelled).
pub fn plan_repair(source: impl AsRef<Path>, control: &Control<'_>) -> Result<RepairReport> {
    let source: DynDisk = Arc::new(OsDisk::open(source, false)?);
    salvage(&source, None, control)
}

/// As [`repair`], from any disk to any other, which must be empty.
///
/// # Errors
/// As [`repair`]; what was written when it fails is left on `target`.
pub fn repair_disk(source: &DynDisk, target: &DynDisk, control: &Control<'_>) -> Result<RepairReport> {
    write::refuse_used(&**target)?;
    salvage(source, Some(target), control)
}

fn salvage(source: &DynDisk, target: Option<&DynDisk>, control: &Control<'_>) -> Result<RepairReport> {
    let mut losses = Losses::new(source.clone(), Meter::new(control, 0));
    let survey = Survey::of(source, &mut losses)?;
    let mut collections = Vec::with_capacity(survey.collections.len());
    for found in survey.collections {
        collections.push(Collection::open(source, found, &mut losses)?);
    }
    log::read(source, &mut collections, &survey.catalog, &mut losses)?;
    let output = target.map(Output::open).transpose()?;
    let mut kept = Vec::with_capacity(collections.len());
    for collection in &collections {
        let points = match &collection.schema {
            Some(schema) => {
                let merge = Merge::new(collection, &mut losses);
                write::collection(output.as_ref(), collection, schema, merge)?
            }
            None => 0,
        };
        collection.count_unnamed(&mut losses);
        kept.push(RepairedCollection {
            name: collection.name.clone(),
            number: collection.id,
            points,
        });
    }
    if let Some(output) = output {
        output.close(&collections)?;
    }
    Ok(losses.finish(kept))
}
