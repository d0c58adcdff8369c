//! Unpacking and checking: nothing of the database changes before all of a snapshot has been found sound.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use vdb_index::Control;
use vdb_storage::manifest::{CollectionManifest, ManifestStore};
use vdb_vfs::path;

use super::RestoreMode;
use super::format::{CollectionEntry, FileEntry};
use super::install::{Incoming, check_names};

use super::save::live_points;
use super::source::Source;
use crate::core::Core;
use crate::error::{Error, Result};
use crate::layout::{collection_dir, file_path, is_manifest};
use crate::meter::Meter;
use crate::pin::{Staging, staged_path};
use crate::schema::Schema;
use crate::shared::Shared;
use crate::verify::files;

/// Restores one collection under a name.
pub(super) fn restore_one(
    shared: &Shared,
    source: &Path,
    name: &str,
    mode: RestoreMode,
    control: &Control<'_>,
) -> Result<Arc<Core>> {
    refuse_taken(shared, name, &[], mode)?;
    let source = Source::open(source)?;
    let index = source.read_index()?;
    let info = index.info();
    let wanted = |c: &&CollectionEntry| !info.is_database || c.name == name;
    let Some(entry) = index.collections.iter().find(wanted) else {
        let names: Vec<_> = index
            .collections
            .iter()
            .map(|c| format!("{:?}", c.name))
            .collect();
        return Err(Error::InvalidRequest(format!(
            "{}: a snapshot of a database without a collection {name:?}; it has {}",
            source.shown,
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            }
        )));
    };
    let staging = Staging::new(shared, "restore")?;
    let mut meter = Meter::new(control, work(std::iter::once(entry)));
    let (dir, manifest) = unpack(shared, &source, entry, &staging, &mut meter)?;
    let incoming = Incoming {
        name: name.to_owned(),
        aliases: Vec::new(),
        dir,
        manifest,
    };
    let cores = shared.install(vec![incoming], mode)?;
    shared.optimizer.wake();
    cores.into_iter().next().ok_or_else(|| Error::CollectionNotFound {
        name: name.to_owned(),
    })
}

/// Restores all collections under their names.
pub(super) fn restore_all(
    shared: &Shared,
    source: &Path,
    mode: RestoreMode,
    control: &Control<'_>,
) -> Result<Vec<String>> {
    let source = Source::open(source)?;
    let index = source.read_index()?;
    for entry in &index.collections {
        refuse_taken(shared, &entry.name, &entry.aliases, mode)?;
    }
    let staging = Staging::new(shared, "restore")?;
    let mut meter = Meter::new(control, work(index.collections.iter()));
    let mut incoming = Vec::with_capacity(index.collections.len());
    for entry in &index.collections {
        let (dir, manifest) = unpack(shared, &source, entry, &staging, &mut meter)?;
        incoming.push(Incoming {
            name: entry.name.clone(),
            aliases: entry.aliases.clone(),
            dir,
            manifest,
        });
    }
    shared.install(incoming, mode)?;
    shared.optimizer.wake();
    Ok(index.collections.into_iter().map(|c| c.name).collect())
}

/// Refuses early what would be refused at the end.
fn refuse_taken(shared: &Shared, name: &str, aliases: &[String], mode: RestoreMode) -> Result<()> {
    shared.check_writable()?;
    check_names(&shared.catalog.lock(), name, aliases, mode).map(drop)
}

/// Every byte is copied, and then read to be checked.
fn work<'a>(entries: impl Iterator<Item = &'a CollectionEntry>) -> u64 {
    entries
        .flat_map(|c| &c.files)
        .map(|f| f.len.saturating_mul(2))
        .fold(0, u64::saturating_add)
}

/// Copies a collection into the staging directory and checks all of it. Returns where it is, and its manifest.
fn unpack(
    shared: &Shared,
    source: &Source,
    entry: &CollectionEntry,
    staging: &Staging,
    meter: &mut Meter<'_>,
) -> Result<(String, CollectionManifest)> {
    let dir = path::join(staging.dir(), &collection_dir(entry.id));
    shared.disk.create_dir_all(&dir)?;
    for file in &entry.files {
        copy(shared, source, entry.id, file, staging, meter)?;
    }
    let shown = source.display(&collection_dir(entry.id));
    let place = |error: Error| files::moved(error, &shared.disk.display(&dir), &shown);
    check(shared, source, entry, &dir, meter)
        .map(|manifest| (dir.clone(), manifest))
        .map_err(place)
}

fn copy(
    shared: &Shared,
    source: &Source,
    collection: u32,
    file: &FileEntry,
    staging: &Staging,
    meter: &mut Meter<'_>,
) -> Result<()> {
    let from = file_path(collection, &file.name);
    let whole = source.whole(&from, file)?;
    let out = shared
        .disk
        .create(&staged_path(staging, collection, &file.name))?;
    whole.read(meter, |bytes, at| Ok(out.write_all_at(bytes, at)?))?;
    Ok(out.sync_all()?)
}

/// Checks a collection that has been unpacked into `dir`.
fn check(
    shared: &Shared,
    source: &Source,
    entry: &CollectionEntry,
    dir: &str,
    meter: &mut Meter<'_>,
) -> Result<CollectionManifest> {
    let disk = &*shared.disk;
    let wrong = |what: String| source.damaged(&collection_dir(entry.id), what);
    let store = ManifestStore::<CollectionManifest>::new(shared.disk.clone(), dir);
    let manifest = store
        .load()?
        .ok_or_else(|| wrong("the manifest is missing".to_owned()))?;
    if manifest.collection_id != entry.id {
        return Err(wrong(format!(
            "the manifest is that of collection {}",
            manifest.collection_id
        )));
    }
    if let Some(what) = manifest.past_half() {
        let file = entry.files.iter().find(|file| is_manifest(&file.name));
        let name = file.map_or("", |file| &*file.name);
        return Err(source.damaged(&file_path(entry.id, name), what));
    }
    let schema = Schema::from_record(&manifest.schema, &disk.display(dir))?;
    let named: BTreeSet<String> = manifest
        .segments
        .iter()
        .flat_map(|s| s.files())
        .map(|f| f.to_string())
        .collect();
    let stranger = entry
        .files
        .iter()
        .find(|f| !is_manifest(&f.name) && !named.contains(&f.name));
    if let Some(file) = stranger {
        return Err(wrong(format!(
            "the manifest does not name the file {:?}",
            file.name
        )));
    }
    for segment in &manifest.segments {
        if let Some(what) = files::contradiction(&manifest, segment) {
            return Err(wrong(what));
        }
        for record in &segment.components {
            let Some(file) = files::file_of(segment, record) else {
                continue;
            };
            match files::check(disk, dir, &schema, segment, &file, record) {
                // It came whole, as its checksum says, and is made again once the collection is open.
                Err(error) if file.component.is_derived() && error.is_version() => {}
                checked => checked?,
            }
            meter.tick(record.len)?;
        }
    }
    let points = live_points(disk, dir, &manifest)?;
    if points != entry.points {
        return Err(wrong(format!(
            "it has {points} points, the index says {}",
            entry.points
        )));
    }
    Ok(manifest)
}
