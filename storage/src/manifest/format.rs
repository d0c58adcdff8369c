//! Manifests: what counts.
//!
//! | file | directory | holds |
//! |---|---|---|
//! | `catalog-{generation:016x}` | the database | which collections there are: a [`Catalog`] |
//! | `manifest-{generation:016x}` | a collection | its schema, segments and log floor: a [`CollectionManifest`] |
//!
//! Both are frames of one section, the record as [`codec`](crate::codec) encodes it. The section is small and is
//! checked against its CRC at every load.
//!
//! | kind | version | since | change |
//! |---|---|---|---|
//! | `CTLG` | 1 | 0.1 | first |
//! | `MANI` | 3 | 0.1 | sparse vectors and multivectors; settings as an object; how texts become tokens; by which field points end; a count of changes (2: parameters of graphs with each vector; 1: no options of payload indexes either) |

use std::collections::HashSet;
use std::ops::RangeInclusive;

use bincode::{Decode, Encode};
use vdb_vfs::frame::{FileKind, FrameInfo};

use crate::component::{Component, SegmentFile};
use crate::schema::{SchemaRecord, repeated};

/// A record that is committed generation by generation. Implemented by the two kinds of manifest.
pub trait ManifestRecord: Encode + Decode<()> {
    /// What its file names start with.
    const STEM: &'static str;
    /// Kind and version of its files.
    const KIND: FileKind;
    /// Versions that can be read.
    const VERSIONS: RangeInclusive<u16>;

    /// Counts the commits; the greatest is the one that counts.
    fn generation(&self) -> u64;

    /// What contradicts itself in this record, if anything does.
    fn contradiction(&self) -> Option<String>;
}

/// Everything that is durable about one collection outside the log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CollectionManifest {
    /// The collection; names its directory.
    pub collection_id: u32,
    /// Counts the commits of this collection.
    pub generation: u64,
    /// Vectors and payload indexes.
    pub schema: SchemaRecord,
    /// The log up to here is not needed for this collection.
    pub flushed_lsn: u64,
    /// Operations up to here are in the segments; the next one to be numbered gets a greater number.
    pub seq_floor: u64,
    /// Writes of weak durability may have followed: numbers after the floor may be in use although nothing shows it.
    pub weak: bool,
    /// The id that the next segment gets.
    pub next_segment_id: u64,
    /// The live segments, by ascending id.
    pub segments: Vec<SegmentRecord>,
}

/// One live segment.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SegmentRecord {
    /// Names the files; never given to another segment of the collection.
    pub id: u64,
    /// Rows, deleted ones included.
    pub rows: u32,
    /// The first operation whose effects may be in it.
    pub min_seq: u64,
    /// The last operation whose effects may be in it.
    pub max_seq: u64,
    /// The files that make it up, each component once.
    pub components: Vec<ComponentRecord>,
}

/// One file of a segment. Its name follows from the segment and from what is here.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ComponentRecord {
    /// [`Component::code`].
    pub code: u8,
    /// [`Component::number`].
    pub number: u16,
    /// [`SegmentFile::revision`].
    pub revision: u32,
    /// Length of the file in bytes.
    pub len: u64,
    /// The checksum over the checksums in the file, as its writer returned it.
    pub crc: u32,
}

/// Which collections a database has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Catalog {
    /// Counts the commits of the catalog.
    pub generation: u64,
    /// The id that the next collection gets.
    pub next_collection_id: u32,
    /// The collections, by ascending id.
    pub collections: Vec<CollectionRecord>,
    /// Further names of collections.
    pub aliases: Vec<AliasRecord>,
}

/// One collection.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CollectionRecord {
    /// Names the directory; never given to another collection of the database.
    pub id: u32,
    /// The user's name for it.
    pub name: String,
}

/// One more name of a collection.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AliasRecord {
    /// The alias; never equal to the name of a collection.
    pub name: String,
    /// The collection it stands for.
    pub collection_id: u32,
}

impl ComponentRecord {
    /// The record of a file that was just written.
    pub fn new(file: &SegmentFile, written: FrameInfo) -> Self {
        ComponentRecord {
            code: file.component.code(),
            number: file.component.number(),
            revision: file.revision,
            len: written.len,
            crc: written.crc,
        }
    }

    /// What the file holds; always there in a manifest that was loaded.
    pub fn component(&self) -> Option<Component> {
        Component::from_code(self.code, self.number)
    }
}

impl SegmentRecord {
    /// The record of one component.
    pub fn component(&self, component: Component) -> Option<&ComponentRecord> {
        self.components
            .iter()
            .find(|record| record.component() == Some(component))
    }

    /// The files of the segment.
    pub fn files(&self) -> impl Iterator<Item = SegmentFile> + '_ {
        self.components.iter().filter_map(|record| {
            let component = record.component()?;
            Some(SegmentFile {
                segment: self.id,
                component,
                revision: record.revision,
            })
        })
    }

    fn contradiction(&self, next_segment_id: u64) -> Option<String> {
        let id = self.id;
        if let Some(what) = too_great("an operation", self.min_seq.max(self.max_seq)) {
            return Some(what);
        }
        // One more than a revision is the next.
        if let Some(record) = self.components.iter().find(|c| c.revision == u32::MAX) {
            let component = record.component();
            return Some(format!("segment {id} has no revision left for {component:?}"));
        }
        if id >= next_segment_id {
            return Some(format!(
                "segment {id} is there, but the next one is to be {next_segment_id}"
            ));
        }
        if self.min_seq > self.max_seq {
            let (min, max) = (self.min_seq, self.max_seq);
            return Some(format!("segment {id} covers operations {min} to {max}"));
        }
        let mut seen = HashSet::new();
        for record in &self.components {
            let Some(component) = record.component() else {
                let (code, number) = (record.code, record.number);
                return Some(format!(
                    "segment {id} has an unknown component, code {code} number {number}"
                ));
            };
            if !seen.insert(component) {
                return Some(format!("segment {id} has two files for {component:?}"));
            }
        }
        None
    }
}

/// Generations, LSNs, and numbers of operations and segments are below this, so that counting on from any of them is
/// safe.
pub const NUMBER_END: u64 = 1 << 62;

fn too_great(what: &str, number: u64) -> Option<String> {
    (number >= NUMBER_END).then(|| format!("{what} has the number {number}, expected less than {NUMBER_END}"))
}

impl CollectionManifest {
    /// A number past half of those that there are, if there is one: no collection has come there by counting, and one that goes
    /// on from it has few left, or none.
    pub fn past_half(&self) -> Option<String> {
        let past = |what: String, number: u64, half: u64| {
            (number > half).then(|| format!("{what} has the number {number}, expected at most {half}"))
        };
        let numbers = [
            ("the last operation (seq_floor)", self.seq_floor),
            ("the next segment (next_segment_id)", self.next_segment_id),
            ("the last change of the schema (revision)", self.schema.revision),
        ];
        let revisions = self.segments.iter().flat_map(|segment| {
            let of = |record: &ComponentRecord| (segment.id, record.component(), record.revision);
            segment.components.iter().map(of)
        });
        let mut numbers = numbers
            .into_iter()
            .filter_map(|(what, number)| past(what.to_owned(), number, NUMBER_END / 2));
        let mut revisions = revisions.filter_map(|(id, component, revision)| {
            let name = component.map_or_else(String::new, |component| format!("{component:?}"));
            let what = format!("the file {name} of segment {id} (revision)");
            past(what, revision.into(), u64::from(u32::MAX) / 2)
        });
        numbers.next().or_else(|| revisions.next())
    }
}

impl ManifestRecord for CollectionManifest {
    const STEM: &'static str = "manifest";
    const KIND: FileKind = FileKind {
        magic: *b"MANI",
        name: "manifest",
        version: 3,
    };
    const VERSIONS: RangeInclusive<u16> = 3..=3;

    fn generation(&self) -> u64 {
        self.generation
    }

    fn contradiction(&self) -> Option<String> {
        let numbers = [
            ("the generation", self.generation),
            ("the last record of the log", self.flushed_lsn),
            ("the last operation", self.seq_floor),
            ("the next segment", self.next_segment_id),
        ];
        if let Some(what) = numbers.iter().find_map(|(what, number)| too_great(what, *number)) {
            return Some(what);
        }
        if !self.segments.is_sorted_by(|a, b| a.id < b.id) {
            return Some("segments are not in the order of their ids".to_owned());
        }
        self.schema.contradiction().or_else(|| {
            self.segments
                .iter()
                .find_map(|segment| segment.contradiction(self.next_segment_id))
        })
    }
}

impl ManifestRecord for Catalog {
    const STEM: &'static str = "catalog";
    const KIND: FileKind = FileKind {
        magic: *b"CTLG",
        name: "catalog",
        version: 1,
    };
    const VERSIONS: RangeInclusive<u16> = 1..=1;

    fn generation(&self) -> u64 {
        self.generation
    }

    fn contradiction(&self) -> Option<String> {
        let next = self.next_collection_id;
        if let Some(what) = too_great("the generation", self.generation) {
            return Some(what);
        }
        if !self.collections.is_sorted_by(|a, b| a.id < b.id) {
            return Some("collections are not in the order of their ids".to_owned());
        }
        if let Some(last) = self.collections.last().filter(|last| last.id >= next) {
            return Some(format!(
                "collection {} is there, but the next one is to be {next}",
                last.id
            ));
        }
        let names = self.collections.iter().map(|collection| &collection.name);
        if let Some(name) = repeated(
            names
                .chain(self.aliases.iter().map(|alias| &alias.name))
                .map(String::as_str),
        ) {
            return Some(format!("the name {name:?} is given twice"));
        }
        let stray = self.aliases.iter().find(|alias| {
            self.collections
                .binary_search_by_key(&alias.collection_id, |collection| collection.id)
                .is_err()
        });
        stray.map(|alias| {
            format!(
                "alias {:?} stands for collection {}, which is not there",
                alias.name, alias.collection_id
            )
        })
    }
}

/// How the name ends of a generation that a newer one has followed.
const SPARE_SUFFIX: &str = ".old";

/// The name of the file of one generation.
pub(super) fn file_name<T: ManifestRecord>(generation: u64) -> String {
    format!("{}-{generation:016x}", T::STEM)
}

/// The name that the file of a generation gets when a newer one has been committed.
pub(super) fn spare_name<T: ManifestRecord>(generation: u64) -> String {
    format!("{}{SPARE_SUFFIX}", file_name::<T>(generation))
}

/// The generation whose spare has this name.
pub(super) fn parse_spare_name<T: ManifestRecord>(name: &str) -> Option<u64> {
    generation_of::<T>(name.strip_suffix(SPARE_SUFFIX)?)
}

/// The generation whose file has this name; `None` for names that no generation that may count has.
pub fn generation_of<T: ManifestRecord>(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(T::STEM)?.strip_prefix('-')?;
    let generation = u64::from_str_radix(digits, 16).ok()?;
    (file_name::<T>(generation) == name).then_some(generation)
}
