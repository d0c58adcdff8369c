//! The folder of a vector segment: vectors by place, and which record has which.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use crate::error::{Problem, RowError};
use crate::input::open_regular;
use crate::pickle::{Class, Classes, Dict, Event, Kind, Limits, Machine, References, Value};
use crate::row::{At, Place};
use crate::vector::MAX_DIM;

const HEADER: usize = 100;
const HEADER_FILE: &str = "header.bin";
const VECTORS_FILE: &str = "data_level0.bin";
const LENGTHS_FILE: &str = "length.bin";
const IDS_FILE: &str = "index_metadata.pickle";

/// Bytes before the links of an element: their count, flags, and one that is not used.
const LINKS_AT: u64 = 4;
const DELETED: u8 = 1;

/// What the ids and labels take in memory, for each byte of their file, at most.
const BYTES_OF_A_BYTE: u64 = 16;

/// Versions before 1.0 pickled an object, later ones a dict.
const CLASSES: Classes = Classes {
    format: "Chroma",
    classes: &[Class {
        module: "chromadb.segment.impl.vector.local_persistent_hnsw",
        name: "PersistentData",
        kind: Kind::Attributes,
    }],
};

/// At which place each id has its vector.
pub(super) type Places = HashMap<String, u64>;

/// What the pickle beside the vectors says.
struct Labels {
    /// Which id each label stands for.
    ids: HashMap<u64, String>,
    /// How far the folder has followed the log, where versions before 0.5 noted it.
    followed: Option<i64>,
}

/// An open folder.
#[derive(Debug)]
pub(super) struct Hnsw {
    file: Arc<str>,
    data: File,
    /// The norms by which vectors were divided.
    lengths: Option<File>,
    element: u64,
    data_at: u64,
    dim: usize,
    /// How far it has followed the log, if it says so itself.
    pub(super) followed: Option<i64>,
}

fn at_file(file: &Arc<str>, problem: Problem) -> RowError {
    let place = Place {
        file: file.clone(),
        at: At::File,
    };
    RowError::new(place, problem)
}

fn name_of(path: &Path) -> Arc<str> {
    path.display().to_string().into()
}

fn open(path: &Path) -> Result<File, RowError> {
    open_regular(path).map_err(|error| at_file(&name_of(path), Problem::Io(error)))
}

fn damaged(expected: &'static str, found: impl std::fmt::Display) -> Problem {
    Problem::Format {
        expected,
        found: found.to_string(),
        advice: "the folder is damaged: open the store with Chroma and write it again",
    }
}

impl Hnsw {
    /// Opens a folder, and tells at which place each id has its vector. `None` where the folder was made but never filled.
    pub(super) fn open(
        folder: &Path,
        dim: usize,
        with_lengths: bool,
        limits: &Limits,
    ) -> Result<Option<(Hnsw, Places)>, RowError> {
        let ids = folder.join(IDS_FILE);
        if !ids.is_file() {
            return Ok(None);
        }
        let labels = labels(&ids, limits)?;
        let header = folder.join(HEADER_FILE);
        let head = Head::read(&header)?;
        let file = name_of(&folder.join(VECTORS_FILE));
        let data = open(&folder.join(VECTORS_FILE))?;
        let len = data
            .metadata()
            .map_err(|error| at_file(&file, Problem::Io(error)))?
            .len();
        head.check(dim, len)
            .map_err(|problem| at_file(&name_of(&header), problem))?;
        let lengths = with_lengths
            .then(|| open(&folder.join(LENGTHS_FILE)))
            .transpose()?;
        let mut hnsw = Hnsw {
            file,
            data,
            lengths,
            element: head.element,
            data_at: head.data_at,
            dim,
            followed: labels.followed,
        };
        let places = hnsw.places(head.count, head.label_at, &labels.ids)?;
        Ok(Some((hnsw, places)))
    }

    /// The place of the vector of each id: elements say their label, and the pickle says whose it is.
    fn places(
        &mut self,
        count: u64,
        label_at: u64,
        labels: &HashMap<u64, String>,
    ) -> Result<Places, RowError> {
        let mut places = HashMap::with_capacity(labels.len());
        for place in 0..count {
            let start = place * self.element;
            let mut flags = [0; 4];
            let mut label = [0; 8];
            let read = read_at(&mut self.data, start, &mut flags)
                .and_then(|()| read_at(&mut self.data, start + label_at, &mut label));
            read.map_err(|problem| at_file(&self.file, problem))?;
            let is_deleted = flags.get(2).is_some_and(|flags| flags & DELETED != 0);
            if let Some(id) = labels.get(&u64::from_le_bytes(label)).filter(|_| !is_deleted) {
                places.insert(id.clone(), place);
            }
        }
        Ok(places)
    }

    /// The vector at a place, as it was given.
    pub(super) fn vector(&mut self, place: u64) -> Result<Vec<f32>, RowError> {
        let mut bytes = vec![0; 4 * self.dim];
        let start = place * self.element + self.data_at;
        read_at(&mut self.data, start, &mut bytes).map_err(|problem| at_file(&self.file, problem))?;
        let mut vector = numbers(&bytes);
        if let Some(lengths) = &mut self.lengths {
            let mut length = [0; 4];
            read_at(lengths, 4 * place, &mut length).map_err(|problem| at_file(&self.file, problem))?;
            let length = f32::from_le_bytes(length);
            // A vector of zeros has none.
            if length.is_finite() && length > 0.0 {
                vector.iter_mut().for_each(|number| *number *= length);
            }
        }
        Ok(vector)
    }
}

/// Little-endian f32, whatever is left over dropped.
pub(super) fn numbers(bytes: &[u8]) -> Vec<f32> {
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()
}

fn read_at(file: &mut File, at: u64, out: &mut [u8]) -> Result<(), Problem> {
    file.seek(SeekFrom::Start(at))
        .and_then(|_| file.read_exact(out))
        .map_err(Problem::Io)
}

/// What counts of `header.bin`: version i32, offset u64, capacity u64, count u64, bytes an element, then where its label
/// and its vector are, u64 each; levels and parameters of the graph follow.
struct Head {
    count: u64,
    element: u64,
    label_at: u64,
    data_at: u64,
    links: u64,
}

impl Head {
    fn read(path: &Path) -> Result<Head, RowError> {
        let mut bytes = [0; HEADER];
        open(path)?
            .read_exact(&mut bytes)
            .map_err(|error| at_file(&name_of(path), Problem::Io(error)))?;
        let number = |at: usize| {
            let field = bytes.get(at..at + 8).and_then(|field| field.try_into().ok());
            u64::from_le_bytes(field.unwrap_or_default())
        };
        Ok(Head {
            count: number(20),
            element: number(28),
            label_at: number(36),
            data_at: number(44),
            links: number(68),
        })
    }

    fn check(&self, dim: usize, len: u64) -> Result<(), Problem> {
        let vector = 4 * dim as u64;
        let expected = self
            .links
            .checked_mul(4)
            .and_then(|links| links.checked_add(LINKS_AT))
            .filter(|data_at| *data_at == self.data_at)
            .and_then(|data_at| data_at.checked_add(vector))
            .filter(|label_at| *label_at == self.label_at)
            .and_then(|label_at| label_at.checked_add(8));
        if expected != Some(self.element) {
            return Err(damaged(
                "elements of links, a vector of the collection's dimension and a label",
                format!("{} bytes an element for {dim} numbers", self.element),
            ));
        }
        match self.count.checked_mul(self.element) {
            Some(bytes) if bytes <= len => Ok(()),
            _ => Err(damaged(
                "as many elements as the header says",
                format!("{} elements in {len} bytes", self.count),
            )),
        }
    }
}

/// Reads the pickle beside the vectors.
fn labels(path: &Path, limits: &Limits) -> Result<Labels, RowError> {
    let file = name_of(path);
    let fail = |error| at_file(&file, Problem::Pickle(error));
    let reader = open(path)?;
    let bytes = reader
        .metadata()
        .map_err(|error| at_file(&file, Problem::Io(error)))?
        .len();
    // A record has some 80 bytes of the file and 400 in memory, whatever their number.
    let limits = Limits {
        value_bytes: limits.value_bytes.max(bytes.saturating_mul(BYTES_OF_A_BYTE)),
        ..*limits
    };
    let (references, reader) = References::scan(reader, &limits).map_err(fail)?;
    let mut machine = Machine::new(reader, CLASSES, Arc::new(references), None, limits).map_err(fail)?;
    let value = match machine.advance().map_err(fail)? {
        Event::Item(value) | Event::Entry(_, value) | Event::End(value) => value,
    };
    let said = |name: &str| {
        if let Value::Dict(dict) = &value {
            dict.get(name)
        } else {
            value.as_object().and_then(|object| object.field(name))
        }
    };
    let Some(Value::Dict(map)) = said("id_to_label") else {
        return Err(at_file(&file, damaged("a map of ids and labels", value.kind())));
    };
    let ids =
        by_label(map).map_err(|found| at_file(&file, damaged("a text and a number from 0 on", found)))?;
    let followed = match said("max_seq_id") {
        None | Some(Value::None) => None,
        Some(Value::Int(seq)) => Some(*seq),
        Some(other) => return Err(at_file(&file, damaged("a number as max_seq_id", other.kind()))),
    };
    Ok(Labels { ids, followed })
}

fn by_label(map: &Dict) -> Result<HashMap<u64, String>, &'static str> {
    let entry = |(id, label): &(Value, Value)| {
        let id = id.as_text().ok_or_else(|| id.kind())?;
        let Value::Int(label) = label else {
            return Err(label.kind());
        };
        let label = u64::try_from(*label).map_err(|_| "a negative number")?;
        Ok((label, id.to_owned()))
    };
    map.entries().iter().map(entry).collect()
}

/// Whether a dimension can be one of a collection.
pub(super) fn is_dimension(dim: i64) -> Option<usize> {
    usize::try_from(dim)
        .ok()
        .filter(|dim| (1..=MAX_DIM).contains(dim))
}

#[cfg(test)]
mod tests;
