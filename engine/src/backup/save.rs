//! Pinned files are checked and copied.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use vdb_index::Control;
use vdb_storage::manifest::{CollectionManifest, ManifestStore};
use vdb_storage::{Component, SegmentFile, tombstone};
use vdb_vfs::{Disk, path};

use super::SnapshotInfo;
use super::format::{CollectionEntry, FileEntry, INDEX, Index};
use super::target::{Kind, Target};
use crate::error::{Error, Result};
use crate::layout::{file_path, is_manifest};
use crate::meter::Meter;
use crate::pin::{PinnedCollection, pin};
use crate::place;
use crate::shared::Shared;
use crate::verify::files;

/// Takes a snapshot of one collection, or of all.
pub(super) fn save(
    shared: &Shared,
    only: Option<u32>,
    path: &Path,
    kind: Kind,
    control: &Control<'_>,
) -> Result<SnapshotInfo> {
    place::refuse_inside(path, &*shared.disk, "a snapshot")?;
    let (disk, name) = place::locate(path)?;
    let mut target = Target::create(Arc::new(disk), &name, kind)?;
    let created = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64);
    let mut pinned = pin(shared, only, control)?;

    let sizes = pinned
        .collections
        .iter()
        .flat_map(|c| &c.manifest.segments)
        .flat_map(|s| &s.components);
    // Every byte is read to be checked, and again to be copied.
    let mut meter = Meter::new(
        control,
        sizes
            .map(|c| c.len.saturating_mul(2))
            .fold(0, u64::saturating_add),
    );
    let mut entries = Vec::with_capacity(pinned.collections.len());
    for collection in &mut pinned.collections {
        entries.push(save_collection(shared, collection, &mut target, &mut meter)?);
    }
    let index = Index::new(only.is_none(), created, entries);
    target.put_bytes(INDEX, &index.encode()?)?;
    target.finish()?;
    Ok(index.info())
}

fn save_collection(
    shared: &Shared,
    pinned: &mut PinnedCollection,
    target: &mut Target,
    meter: &mut Meter<'_>,
) -> Result<CollectionEntry> {
    let disk = &*shared.disk;
    leave_out_damaged(disk, pinned, meter)?;
    let PinnedCollection {
        name,
        aliases,
        dir,
        manifest,
        ..
    } = pinned;
    let id = manifest.collection_id;
    let mut copied = Vec::new();
    for file in manifest.segments.iter().flat_map(|s| s.files()) {
        copied.push(copy(
            disk,
            &path::join(dir, &file.to_string()),
            id,
            file.to_string(),
            target,
            meter,
        )?);
    }
    ManifestStore::<CollectionManifest>::new(shared.disk.clone(), dir.clone()).commit(manifest)?;
    for file in disk.list(dir)?.into_iter().filter(|name| is_manifest(name)) {
        copied.push(copy(disk, &path::join(dir, &file), id, file, target, meter)?);
    }
    let points = live_points(disk, dir, manifest)?;
    Ok(CollectionEntry {
        id,
        name: std::mem::take(name),
        aliases: std::mem::take(aliases),
        points,
        files: copied,
    })
}

/// Checks the files of a collection. Derived ones that are damaged are not taken along.
fn leave_out_damaged(disk: &dyn Disk, pinned: &mut PinnedCollection, meter: &mut Meter<'_>) -> Result<()> {
    let PinnedCollection {
        dir,
        real,
        schema,
        manifest,
        ..
    } = pinned;
    let place = |error: Error| files::moved(error, &disk.display(dir), &disk.display(real));
    let mut damaged: Vec<SegmentFile> = Vec::new();
    for segment in &manifest.segments {
        if let Some(what) = files::contradiction(manifest, segment) {
            return Err(Error::Damaged {
                file: format!("{}: manifest", disk.display(real)),
                what,
            });
        }
        for record in &segment.components {
            let Some(file) = files::file_of(segment, record) else {
                continue;
            };
            match files::check(disk, dir, schema, segment, &file, record) {
                Ok(()) => {}
                Err(_) if file.component.is_derived() => {
                    damaged.push(file);
                    meter.tick(record.len)?;
                }
                Err(error) => return Err(place(error)),
            }
            meter.tick(record.len)?;
        }
    }
    for segment in &mut manifest.segments {
        let id = segment.id;
        segment.components.retain(|record| {
            damaged
                .iter()
                .all(|file| (file.segment, Some(file.component)) != (id, record.component()))
        });
    }
    Ok(())
}

fn copy(
    disk: &dyn Disk,
    from: &str,
    collection: u32,
    name: String,
    target: &mut Target,
    meter: &mut Meter<'_>,
) -> Result<FileEntry> {
    let file = disk.open(from, false)?;
    let len = file.len()?;
    let crc = target.put_file(&file_path(collection, &name), &*file, len, meter)?;
    Ok(FileEntry { name, len, crc })
}

/// The rows of a collection in `dir` that are not deleted.
pub(super) fn live_points(disk: &dyn Disk, dir: &str, manifest: &CollectionManifest) -> Result<u64> {
    let mut points = 0;
    for segment in &manifest.segments {
        points += u64::from(segment.rows);
        if let Some(record) = segment.component(Component::Tombstones)
            && let Some(file) = files::file_of(segment, record)
        {
            points = points.saturating_sub(tombstone::read(disk, &file.path(dir))?.0.deleted.len());
        }
    }
    Ok(points)
}
