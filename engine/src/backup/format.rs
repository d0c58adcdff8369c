//! What a snapshot consists of, version 1. The one home of its names and of its index.
//!
//! ```text
//! collections/{number}/manifest-{generation}    schema and segments of one collection, at generation 1
//! collections/{number}/seg-{number}.{component} the files that it names
//! snapshot                                      the index: a frame of kind SNAP
//! ```
//!
//! In a tar file these are the entries, in this order: plain files with ustar headers, no directories. The number
//! of a collection is the one that it had; restoring gives it another. Its manifest has flush point 0 and is not
//! marked weak, since the log stays behind.
//!
//! The index is a frame ([`vdb_vfs::frame`]) of one section, an [`Index`] as the one codec of the project writes
//! it. It names every file with its length and the CRC-32 (ISO-HDLC) of all its bytes; a file that it does not
//! name makes the snapshot invalid. It comes last: a snapshot without one was never finished.
//!
//! | version | since | change |
//! |---|---|---|
//! | 1 | 0.1 | first |

use std::collections::HashSet;
use std::ops::RangeInclusive;

use bincode::{Decode, Encode};
use vdb_storage::SegmentFile;
use vdb_storage::codec::{self, MAX_RECORD_BYTES};
use vdb_vfs::frame::{FileKind, Frame, FrameWriter};
use vdb_vfs::{Disk, MemDisk, path};

use super::{SnapshotCollection, SnapshotInfo};
use crate::error::{Error, Result};
use crate::layout::{COLLECTIONS_DIR, file_path, is_manifest};
use crate::names::check_collection_name;

/// The name of the index.
pub(super) const INDEX: &str = "snapshot";
/// The directory of the collections.
pub(super) const COLLECTIONS: &str = COLLECTIONS_DIR;
/// No index is longer: its record, and a frame around it.
pub(super) const MAX_INDEX_BYTES: u64 = MAX_RECORD_BYTES as u64 + (1 << 20);

const KIND: FileKind = FileKind {
    magic: *b"SNAP",
    name: "snapshot",
    version: 1,
};
const VERSIONS: RangeInclusive<u16> = 1..=1;

const OF_COLLECTION: u8 = 0;
const OF_DATABASE: u8 = 1;

/// What a snapshot says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Index {
    kind: u8,
    /// Milliseconds since 1970, UTC.
    pub(super) created_unix_ms: u64,
    /// Version of the library that wrote it, for people.
    pub(super) software: String,
    /// By ascending number.
    pub(super) collections: Vec<CollectionEntry>,
}

/// A collection.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct CollectionEntry {
    /// Names its directory.
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) aliases: Vec<String>,
    /// Rows that are not deleted.
    pub(super) points: u64,
    pub(super) files: Vec<FileEntry>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct FileEntry {
    /// In the directory of its collection.
    pub(super) name: String,
    pub(super) len: u64,
    /// CRC-32 of all its bytes.
    pub(super) crc: u32,
}

impl Index {
    pub(super) fn new(is_database: bool, created_unix_ms: u64, collections: Vec<CollectionEntry>) -> Index {
        let kind = if is_database { OF_DATABASE } else { OF_COLLECTION };
        Index {
            kind,
            created_unix_ms,
            software: env!("CARGO_PKG_VERSION").to_owned(),
            collections,
        }
    }

    pub(super) fn info(&self) -> SnapshotInfo {
        let collection = |c: &CollectionEntry| SnapshotCollection {
            name: c.name.clone(),
            aliases: c.aliases.clone(),
            points: c.points,
            files: c.files.len() as u64,
            bytes: c.files.iter().map(|f| f.len).sum(),
        };
        SnapshotInfo {
            is_database: self.kind == OF_DATABASE,
            created_unix_ms: self.created_unix_ms,
            software: self.software.clone(),
            collections: self.collections.iter().map(collection).collect(),
        }
    }

    /// Every file but the index, with its path.
    pub(super) fn files(&self) -> impl Iterator<Item = (String, &FileEntry)> {
        self.collections
            .iter()
            .flat_map(|c| c.files.iter().map(|f| (file_path(c.id, &f.name), f)))
    }

    /// The bytes of the index.
    pub(super) fn encode(&self) -> Result<Vec<u8>> {
        let record = codec::encode(self)?;
        let disk = MemDisk::new();
        let mut frame = FrameWriter::create(&disk, INDEX, KIND, &[])?;
        frame.write(&record)?;
        frame.finish()?;
        Ok(disk.map(INDEX)?.to_vec())
    }

    /// Checks and reads an index; `shown` names it in errors.
    pub(super) fn decode(bytes: &[u8], shown: &str) -> Result<Index> {
        let read = || -> Result<Index> {
            let disk = MemDisk::new();
            disk.create(INDEX)?.write_all_at(bytes, 0)?;
            let frame = Frame::open(&disk, INDEX, KIND, VERSIONS)?;
            frame.verify(&disk)?;
            Ok(codec::decode(&frame.section(0)?, shown, 0)?)
        };
        let index = read().map_err(|error| renamed(error, shown))?;
        match index.contradiction() {
            None => Ok(index),
            Some(what) => Err(Error::Damaged {
                file: shown.to_owned(),
                what,
            }),
        }
    }

    fn contradiction(&self) -> Option<String> {
        match self.kind {
            OF_DATABASE => {}
            OF_COLLECTION if self.collections.len() == 1 => {}
            OF_COLLECTION => return Some(format!("{} collections, expected one", self.collections.len())),
            other => return Some(format!("kind {other}, which is not known")),
        }
        if self.collections.iter().any(|c| c.id == 0) || !self.collections.is_sorted_by(|a, b| a.id < b.id) {
            return Some("collections are not in the order of their numbers".to_owned());
        }
        let mut names = HashSet::new();
        for name in self
            .collections
            .iter()
            .flat_map(|c| std::iter::once(&c.name).chain(&c.aliases))
        {
            if let Err(error) = check_collection_name(name) {
                return Some(error.to_string());
            }
            if !names.insert(name) {
                return Some(format!("the name {name:?} is given twice"));
            }
        }
        let mut lens = self.files().map(|(_, file)| file.len);
        let total = lens.try_fold(0u64, u64::checked_add);
        if total.is_none_or(|total| total > i64::MAX as u64) {
            return Some("lengths of files that no disk can hold".to_owned());
        }
        self.collections.iter().find_map(CollectionEntry::contradiction)
    }
}

impl CollectionEntry {
    fn contradiction(&self) -> Option<String> {
        let mut names = HashSet::new();
        for FileEntry { name, .. } in &self.files {
            let known = SegmentFile::parse(name).is_some() || is_manifest(name);
            if !known || name.contains('/') || path::check(name).is_err() {
                return Some(format!("{name:?} is no file of a collection"));
            }
            if !names.insert(name) {
                return Some(format!("the file {name:?} is named twice"));
            }
        }
        let manifests = self.files.iter().filter(|f| is_manifest(&f.name)).count();
        (manifests != 1).then(|| {
            format!(
                "collection {:?} has {manifests} manifests, expected one",
                self.name
            )
        })
    }
}

/// The same error about the file that it is really about.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other errors name no file")]
fn renamed(error: Error, shown: &str) -> Error {
    match error {
        Error::Disk(vdb_vfs::Error::Corrupt { offset, what, .. }) => Error::Disk(vdb_vfs::Error::Corrupt {
            path: shown.to_owned(),
            offset,
            what,
        }),
        Error::Disk(vdb_vfs::Error::Version {
            kind,
            found,
            min,
            max,
            ..
        }) => Error::Disk(vdb_vfs::Error::Version {
            path: shown.to_owned(),
            kind,
            found,
            min,
            max,
        }),
        other => other,
    }
}
