//! Which collections are there, and which files make them up?
//!
//! What the newest catalog and the newest manifests say, if they can be read. Otherwise what the generation before
//! says, and whatever lies in the directories: of two segments with one point the newer version counts, so one too
//! many does no harm.

use std::collections::{BTreeMap, BTreeSet};

use vdb_storage::manifest::{
    AliasRecord, Catalog, CollectionManifest, ManifestRecord, ManifestStore, SegmentRecord,
};
use vdb_storage::{Component, SegmentFile};
use vdb_vfs::DynDisk;

use super::losses::{Blame, Losses};
use crate::directory::{self, holds_rows};
use crate::error::{Error, Result};
use crate::layout::{CATALOG_DIR, COLLECTIONS_DIR, LOG_DIR, collection_dir};
use crate::schema::Schema;
use crate::verify::files::file_of;

/// Everything that is there.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) catalog: Known,
    pub(super) collections: Vec<Found>,
}

/// How far the catalog is known.
#[derive(Debug)]
pub(super) struct Known {
    /// It is the newest: what it does not name has been dropped.
    pub(super) is_newest: bool,
    /// The collections that are named by it.
    pub(super) ids: BTreeSet<u32>,
}

/// One collection.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    pub(super) dir: String,
    /// What the manifest says, or the one before it.
    pub(super) manifest: Option<CollectionManifest>,
    /// As the manifest has it.
    pub(super) schema: Option<Schema>,
    /// The manifest is the newest: there are no segments but these.
    pub(super) is_newest: bool,
    pub(super) segments: Vec<FoundSegment>,
}

/// The primary files of one segment.
#[derive(Debug)]
pub(super) struct FoundSegment {
    pub(super) id: u64,
    /// What a manifest says of it.
    pub(super) record: Option<SegmentRecord>,
    pub(super) files: Vec<FoundFile>,
    /// Vectors that a manifest names which is not the newest, and that are not there.
    pub(super) vanished: Vec<Component>,
    /// Files of deleted rows besides the one that counts, newest first: whatever they have is dead in it too.
    pub(super) other_tombstones: Vec<SegmentFile>,
}

/// A file and the checksum that it should have.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoundFile {
    pub(super) file: SegmentFile,
    pub(super) crc: Option<u32>,
}

impl Survey {
    /// # Errors
    /// When nothing of a database is there, and when directories cannot be listed.
    pub(super) fn of(disk: &DynDisk, losses: &mut Losses<'_>) -> Result<Survey> {
        let names = disk.list("")?;
        let is_ours = |name: &String| [CATALOG_DIR, COLLECTIONS_DIR, LOG_DIR].contains(&name.as_str());
        if !names.iter().any(is_ours) {
            return Err(Error::NotADatabase {
                path: disk.display(""),
                why: format!("it has neither {CATALOG_DIR:?} nor {COLLECTIONS_DIR:?} nor {LOG_DIR:?}"),
            });
        }
        let Newest { record, fallback } = newest::<Catalog>(
            disk,
            CATALOG_DIR,
            losses,
            "names of collections are taken from the catalog before it where it has them",
        )?;
        let (catalog, mut is_newest) = (record.unwrap_or_default(), fallback.is_none());
        let dirs: BTreeSet<u32> = directory::collection_ids(disk)?.into_iter().collect();
        let named: BTreeMap<u32, &str> = catalog
            .collections
            .iter()
            .map(|c| (c.id, c.name.as_str()))
            .collect();
        let unnamed: Vec<u32> = dirs
            .iter()
            .copied()
            .filter(|id| !named.contains_key(id))
            .filter(|&id| !is_newest || id >= catalog.next_collection_id)
            .filter(|&id| holds_rows(disk, id) || !is_newest)
            .collect();
        if is_newest && !unnamed.is_empty() {
            is_newest = false;
            losses.note(
                CATALOG_DIR,
                "a newer catalog is missing; names of collections are lost with it".to_owned(),
            );
        }
        let taken: BTreeSet<&str> = named
            .values()
            .copied()
            .chain(catalog.aliases.iter().map(|alias| alias.name.as_str()))
            .collect();
        let mut collections = Vec::new();
        for (&id, &name) in &named {
            if !is_newest && !dirs.contains(&id) {
                losses.about(Some(name));
                let what =
                    "the catalog before the newest names it, and it is not there: dropped since, or lost";
                let blame = losses.note(&collection_dir(id), what.to_owned());
                losses.lose_unnamed(blame, None);
                continue;
            }
            collections.push(Found::of(disk, id, name, &catalog.aliases, losses)?);
        }
        for id in unnamed {
            let name = free_name(id, &taken);
            collections.push(Found::of(disk, id, &name, &[], losses)?);
        }
        losses.about(None);
        collections.sort_by_key(|c| c.id);
        Ok(Survey {
            catalog: Known {
                is_newest,
                ids: named.into_keys().collect(),
            },
            collections,
        })
    }
}

/// A name for a collection whose own is lost.
fn free_name(id: u32, taken: &BTreeSet<&str>) -> String {
    let mut name = format!("collection-{id:08x}");
    while taken.contains(name.as_str()) {
        name.push('-');
    }
    name
}

impl Found {
    fn of(
        disk: &DynDisk,
        id: u32,
        name: &str,
        aliases: &[AliasRecord],
        losses: &mut Losses<'_>,
    ) -> Result<Found> {
        losses.about(Some(name));
        let dir = collection_dir(id);
        let more = "its segments are taken from what lies in the directory";
        let Newest {
            record: mut manifest,
            mut fallback,
        } = newest::<CollectionManifest>(disk, &dir, losses, more)?;
        let mut schema = None;
        if let Some(found) = &manifest {
            let read = match found.collection_id {
                other if other != id => Err(Error::Damaged {
                    file: disk.display(&dir),
                    what: format!("the manifest is that of collection {other}"),
                }),
                _ => Schema::from_record(&found.schema, &disk.display(&dir)),
            };
            match read {
                Ok(read) => schema = Some(read),
                Err(error) => {
                    fallback = Some(losses.error(&dir, &error, more));
                    manifest = None;
                }
            }
        }
        let there = files_in(disk, &dir)?;
        let records: BTreeMap<u64, &SegmentRecord> = manifest
            .iter()
            .flat_map(|m| &m.segments)
            .map(|s| (s.id, s))
            .collect();
        let is_newest = fallback.is_none();
        let ids: BTreeSet<u64> = match fallback {
            None => records.keys().copied().collect(),
            Some(blame) => {
                let ids = there.iter().map(|file| file.segment).collect();
                note_newer(&records, &ids, blame, losses);
                note_vanished(&records, &ids, &dir, losses);
                ids
            }
        };
        let segments = ids
            .into_iter()
            .map(|segment| FoundSegment::of(segment, records.get(&segment).copied(), is_newest, &there))
            .collect();
        let aliases = aliases
            .iter()
            .filter(|alias| alias.collection_id == id)
            .map(|alias| alias.name.clone());
        Ok(Found {
            id,
            name: name.to_owned(),
            aliases: aliases.collect(),
            dir,
            segments,
            schema,
            is_newest,
            manifest,
        })
    }
}

/// Tells of segments that are there and that an older manifest does not name.
fn note_newer(
    records: &BTreeMap<u64, &SegmentRecord>,
    there: &BTreeSet<u64>,
    blame: Blame,
    losses: &mut Losses<'_>,
) {
    let newer = there.iter().filter(|id| !records.contains_key(id));
    let newer: Vec<String> = newer.map(ToString::to_string).collect();
    match newer.as_slice() {
        [] => {}
        [one] => losses.explain(blame, &format!("segment {one}, which no manifest names, is kept")),
        several => {
            let several = several.join(", ");
            losses.explain(
                blame,
                &format!("segments {several}, which no manifest names, are kept"),
            );
        }
    }
}

/// Tells of segments that an older manifest names and that are not there, unless they can have been merged: into one
/// that came later and covers their operations.
fn note_vanished(
    records: &BTreeMap<u64, &SegmentRecord>,
    there: &BTreeSet<u64>,
    dir: &str,
    losses: &mut Losses<'_>,
) {
    for (id, record) in records {
        let merged = there
            .iter()
            .any(|other| other > id && !records.contains_key(other));
        if !there.contains(id) && !merged {
            let blame = losses.note(dir, format!("the files of segment {id} are missing"));
            losses.lose_unnamed(blame, Some(u64::from(record.rows)));
        }
    }
}

impl FoundSegment {
    fn of(id: u64, record: Option<&SegmentRecord>, is_newest: bool, there: &[SegmentFile]) -> FoundSegment {
        let mut files: Vec<FoundFile> = record
            .iter()
            .flat_map(|record| record.components.iter().map(move |c| (record, c)))
            .filter_map(|(record, c)| {
                let file = file_of(record, c)?;
                Some(FoundFile {
                    file,
                    crc: Some(c.crc),
                })
            })
            .filter(|found| !found.file.component.is_derived())
            .collect();
        let mine = || {
            there
                .iter()
                .filter(|file| file.segment == id && !file.component.is_derived())
        };
        let latest = mine().find(|file| file.component == Component::Tombstones);
        if let Some(latest) = latest.filter(|_| !is_newest) {
            // The manifest that is missing has named this one, and nothing else says who is dead by now.
            files.retain(|known| known.file.component != Component::Tombstones || known.file == *latest);
        }
        let mut vanished = Vec::new();
        if !is_newest {
            // The manifest that is missing may have dropped them.
            files.retain(|known| {
                let stays = !known.file.component.is_vectors() || there.contains(&known.file);
                if !stays {
                    vanished.push(known.file.component);
                }
                stays
            });
        }
        let mut other_tombstones = Vec::new();
        for &file in mine() {
            let is_known = files.iter().any(|known| known.file.component == file.component);
            if file.component == Component::Tombstones && is_known {
                if files.iter().all(|known| known.file != file) {
                    other_tombstones.push(file);
                }
            } else if !is_known && !is_newest {
                files.push(FoundFile { file, crc: None });
            }
        }
        FoundSegment {
            id,
            record: record.cloned(),
            files,
            vanished,
            other_tombstones,
        }
    }
}

/// The newest generation that can be read.
struct Newest<T> {
    record: Option<T>,
    /// What keeps it from being the newest that there was.
    fallback: Option<Blame>,
}

fn newest<T: ManifestRecord>(
    disk: &DynDisk,
    dir: &str,
    losses: &mut Losses<'_>,
    more: &str,
) -> Result<Newest<T>> {
    let store = ManifestStore::<T>::new(disk.clone(), dir);
    let (generations, spares) = match (store.generations(), store.spares()) {
        (Ok(generations), Ok(spares)) => (generations, spares),
        (Err(error), _) | (_, Err(error)) => {
            let blame = losses.error(dir, &error.into(), "");
            losses.lose_unnamed(blame, None);
            return Ok(Newest {
                record: None,
                fallback: Some(blame),
            });
        }
    };
    let name = T::KIND.name;
    let mut fallback = None;
    if generations.is_empty() {
        fallback = Some(losses.note(dir, format!("the newest {name} is missing; {more}")));
    }
    let all = generations.iter().rev().map(|&generation| (generation, false));
    for (generation, spare) in all.chain(spares.iter().rev().map(|&generation| (generation, true))) {
        let found = match spare {
            true => store.load_spare(generation),
            false => store.load_generation(generation),
        };
        let record = match found {
            Ok(found) => Some(found),
            // Nothing is damaged: the build that wrote it can read it.
            Err(vdb_storage::Error::Disk(error @ vdb_vfs::Error::Version { .. })) => {
                return Err(Error::Disk(error));
            }
            Err(error) => match store.salvage(generation, spare) {
                Ok(found) => {
                    losses.error(dir, &error.into(), "what it says can be read all the same");
                    Some(found)
                }
                Err(_) => {
                    let blame = losses.error(dir, &error.into(), more);
                    fallback.get_or_insert(blame);
                    None
                }
            },
        };
        if record.is_some() {
            if let Some(blame) = fallback {
                losses.explain(
                    blame,
                    &format!("the {name} of generation {generation} stands in for it"),
                );
            }
            return Ok(Newest { record, fallback });
        }
    }
    let what = || losses.note(dir, format!("no {name} is left that can be read"));
    let fallback = Some(fallback.unwrap_or_else(what));
    Ok(Newest {
        record: None,
        fallback,
    })
}

fn files_in(disk: &DynDisk, dir: &str) -> Result<Vec<SegmentFile>> {
    let mut files: Vec<_> = directory::list(disk, dir)?
        .iter()
        .filter_map(|name| SegmentFile::parse(name))
        .collect();
    // Of each component the last revision first.
    files.sort_unstable_by_key(|file| (file.segment, file.component, std::cmp::Reverse(file.revision)));
    Ok(files)
}
