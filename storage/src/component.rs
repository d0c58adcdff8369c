//! The files that a segment consists of, and their names.
//!
//! This enum lists every kind of file that a segment may own, those that other crates write included, and this
//! module alone builds and reads their names. Users' names never get into file names: vectors and payload
//! indexes go by the number that the schema gave them.

use std::fmt;

/// One part of a segment, each in a file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Component {
    /// Ids and versions: primary.
    Points,
    /// Payload blobs: primary.
    Payload,
    /// Deleted rows: primary.
    Tombstones,
    /// The vector of a number: primary.
    Vectors(u16),
    /// The graph over the vector of a number, or over encodings of its multivector: derived.
    Graph(u16),
    /// The payload index of a number: derived.
    PayloadIndex(u16),
    /// The sparse vector of a number: primary.
    Sparse(u16),
    /// The inverted index over the sparse vector of a number: derived.
    SparseIndex(u16),
    /// The multivector of a number: primary.
    Multi(u16),
    /// The graphs among the rows of payload values, over the vector of a number: derived.
    Partitions(u16),
}

impl Component {
    /// True for the primary file of vectors of whichever kind.
    pub const fn is_vectors(self) -> bool {
        matches!(
            self,
            Component::Vectors(_) | Component::Sparse(_) | Component::Multi(_)
        )
    }

    /// The component that a stable code and a number stand for. The number of a component that a segment has
    /// once is 0.
    pub const fn from_code(code: u8, number: u16) -> Option<Self> {
        match (code, number) {
            (0, 0) => Some(Component::Points),
            (1, 0) => Some(Component::Payload),
            (2, 0) => Some(Component::Tombstones),
            (3, _) => Some(Component::Vectors(number)),
            (4, _) => Some(Component::Graph(number)),
            (5, _) => Some(Component::PayloadIndex(number)),
            (6, _) => Some(Component::Sparse(number)),
            (7, _) => Some(Component::SparseIndex(number)),
            (8, _) => Some(Component::Multi(number)),
            (9, _) => Some(Component::Partitions(number)),
            _ => None,
        }
    }

    /// The code that stands for this kind of component in manifests.
    pub const fn code(self) -> u8 {
        match self {
            Component::Points => 0,
            Component::Payload => 1,
            Component::Tombstones => 2,
            Component::Vectors(_) => 3,
            Component::Graph(_) => 4,
            Component::PayloadIndex(_) => 5,
            Component::Sparse(_) => 6,
            Component::SparseIndex(_) => 7,
            Component::Multi(_) => 8,
            Component::Partitions(_) => 9,
        }
    }

    /// The number of the vector, multivector, sparse vector or payload index; 0 for components that a segment has once.
    pub const fn number(self) -> u16 {
        match self {
            Component::Points | Component::Payload | Component::Tombstones => 0,
            Component::Vectors(number)
            | Component::Graph(number)
            | Component::PayloadIndex(number)
            | Component::Sparse(number)
            | Component::SparseIndex(number)
            | Component::Multi(number)
            | Component::Partitions(number) => number,
        }
    }

    /// Whether the component can be rebuilt from the others.
    pub const fn is_derived(self) -> bool {
        match self {
            Component::Points
            | Component::Payload
            | Component::Tombstones
            | Component::Vectors(_)
            | Component::Sparse(_)
            | Component::Multi(_) => false,
            Component::Graph(_)
            | Component::PayloadIndex(_)
            | Component::SparseIndex(_)
            | Component::Partitions(_) => true,
        }
    }
}

/// One file of a segment.
///
/// Files are never written twice: a component that is written anew, as tombstones are by each commit that
/// deletes and graphs by a rebuild, gets the next revision, and the manifest says which one counts.
///
/// Its [`Display`](fmt::Display) form is the file's name, to be found in the directory of its collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SegmentFile {
    /// The segment.
    pub segment: u64,
    /// Which part of it.
    pub component: Component,
    /// How many times the component was written before.
    pub revision: u32,
}

impl SegmentFile {
    /// The file of a component as it was first written.
    pub const fn new(segment: u64, component: Component) -> Self {
        SegmentFile {
            segment,
            component,
            revision: 0,
        }
    }

    /// The path of the file in the directory `dir`.
    pub fn path(&self, dir: &str) -> String {
        if dir.is_empty() {
            self.to_string()
        } else {
            format!("{dir}/{self}")
        }
    }

    /// The file that a name in a collection's directory stands for; `None` for names that this module does not
    /// give.
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix("seg-")?.split('.');
        let segment = u64::from_str_radix(parts.next()?, 16).ok()?;
        let numbered = |letter, part: &str| u16::from_str_radix(part.strip_prefix(letter)?, 16).ok();
        let mut part = parts.next()?;
        let mut number = None;
        for letter in ['v', 'p', 's'] {
            if let Some(found) = numbered(letter, part) {
                number = Some(found);
                part = parts.next()?;
                break;
            }
        }
        let (kind, revision) = match part.split_once('-') {
            Some((kind, revision)) => (kind, u32::from_str_radix(revision, 16).ok()?),
            None => (part, 0),
        };
        let component = match (kind, number) {
            ("points", None) => Component::Points,
            ("payload", None) => Component::Payload,
            ("tomb", None) => Component::Tombstones,
            ("vec", Some(number)) => Component::Vectors(number),
            ("mvec", Some(number)) => Component::Multi(number),
            ("hnsw", Some(number)) => Component::Graph(number),
            ("part", Some(number)) => Component::Partitions(number),
            ("idx", Some(number)) => Component::PayloadIndex(number),
            ("spv", Some(number)) => Component::Sparse(number),
            ("inv", Some(number)) => Component::SparseIndex(number),
            _ => return None,
        };
        let file = SegmentFile {
            segment,
            component,
            revision,
        };
        // Only the spelling that is written counts, so that no two names stand for one file.
        (file.to_string() == name).then_some(file)
    }
}

impl fmt::Display for SegmentFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seg-{:08x}", self.segment)?;
        match self.component {
            Component::Points => f.write_str(".points"),
            Component::Payload => f.write_str(".payload"),
            Component::Tombstones => f.write_str(".tomb"),
            Component::Vectors(number) => write!(f, ".v{number:04x}.vec"),
            Component::Graph(number) => write!(f, ".v{number:04x}.hnsw"),
            Component::Partitions(number) => write!(f, ".v{number:04x}.part"),
            Component::PayloadIndex(number) => write!(f, ".p{number:04x}.idx"),
            Component::Sparse(number) => write!(f, ".s{number:04x}.spv"),
            Component::SparseIndex(number) => write!(f, ".s{number:04x}.inv"),
            Component::Multi(number) => write!(f, ".v{number:04x}.mvec"),
        }?;
        if self.revision > 0 {
            write!(f, "-{:x}", self.revision)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
