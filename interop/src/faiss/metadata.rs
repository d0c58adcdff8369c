//! `metadata.pkl`: `{'metadata': {position: value, ...}, 'counter': n, 'dimension': d}`, read entry by entry, and written so.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use vdb::Payload;

use crate::error::{Problem, RowError};
use crate::misfit::Lossy;
use crate::pickle::{Classes, Event, GROUP, Limits, Machine, PlainWriter, References, Value};
use crate::python::json;
use crate::row::{At, Place};

/// Plain data has no classes.
const CLASSES: Classes = Classes {
    format: "metadata of FAISS",
    classes: &[],
};

const ENTRIES: &str = "metadata";
const COUNTER: &str = "counter";
const DIMENSION: &str = "dimension";

/// The key of a value that is no object.
const VALUE: &str = "metadata";

/// A file that is known to be a pickle.
#[derive(Debug, Clone)]
pub(super) struct Metadata {
    path: PathBuf,
    references: Arc<References>,
    limits: Limits,
}

/// What the file says of the index.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) counter: Option<u64>,
    pub(super) dimension: Option<u64>,
}

impl Metadata {
    /// Looks at the opcodes of the file.
    pub(super) fn open(path: &Path, limits: Limits) -> Result<Metadata, RowError> {
        let file: Arc<str> = path.display().to_string().into();
        let reader = open(path, &file)?;
        let (references, _) = References::scan(reader, &limits)
            .map_err(|error| RowError::new(whole(&file), Problem::Pickle(error)))?;
        Ok(Metadata {
            path: path.to_owned(),
            references: Arc::new(references),
            limits,
        })
    }

    /// The entries from the first on.
    pub(super) fn entries(&self, is_lossy: bool) -> Result<Entries, RowError> {
        let file: Arc<str> = self.path.display().to_string().into();
        let reader = open(&self.path, &file)?;
        let machine = Machine::new(reader, CLASSES, self.references.clone(), None, self.limits)
            .map_err(|error| RowError::new(whole(&file), Problem::Pickle(error)))?;
        Ok(Entries {
            machine: machine.entries_of(ENTRIES),
            file,
            lossy: Lossy {
                is_allowed: is_lossy,
                changed: 0,
            },
            said: Said::default(),
            bytes: 0,
            ended: false,
        })
    }
}

fn open(path: &Path, file: &Arc<str>) -> Result<File, RowError> {
    File::open(path).map_err(|error| RowError::new(whole(file), Problem::Io(error)))
}

fn whole(file: &Arc<str>) -> Place {
    Place {
        file: file.clone(),
        at: At::File,
    }
}

/// Positions with their payloads, in the order of the file. A position that comes again replaces what it had.
#[derive(Debug)]
pub(super) struct Entries {
    machine: Machine<File>,
    file: Arc<str>,
    lossy: Lossy,
    said: Said,
    bytes: u64,
    ended: bool,
}

impl Entries {
    /// What the entry that was read last takes in memory, about.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The file, for messages.
    pub(super) fn place(&self) -> Place {
        whole(&self.file)
    }

    /// What the file says of the index; all of it once the entries are read.
    pub(super) fn said(&self) -> &Said {
        &self.said
    }

    /// Values that were changed to what JSON can hold.
    pub(super) fn changed(&self) -> u64 {
        self.lossy.changed
    }

    /// The next entry; `None` after the last.
    pub(super) fn advance(&mut self) -> Result<Option<(u64, Payload)>, RowError> {
        if self.ended {
            return Ok(None);
        }
        let event = self.machine.advance();
        let event = event.map_err(|error| RowError::new(whole(&self.file), Problem::Pickle(error)))?;
        match event {
            Event::Entry(key, value) => self.entry(&key, &value).map(Some),
            Event::Item(value) | Event::End(value) => {
                self.ended = true;
                self.end(&value)?;
                Ok(None)
            }
        }
    }

    fn end(&mut self, value: &Value) -> Result<(), RowError> {
        let wrong = |what: String| RowError::new(whole(&self.file), Problem::Collection(what));
        let Value::Dict(all) = value else {
            return Err(wrong(format!("it is no dict but {}", value.kind())));
        };
        if !self.machine.has_streamed() {
            return Err(wrong(format!("it has no dict {ENTRIES:?}")));
        }
        let said = |key: &str| match all.get(key) {
            Some(Value::Int(number)) => u64::try_from(*number).ok(),
            Some(_) | None => None,
        };
        self.said = Said {
            counter: said(COUNTER),
            dimension: said(DIMENSION),
        };
        Ok(())
    }

    fn entry(&mut self, key: &Value, value: &Value) -> Result<(u64, Payload), RowError> {
        let position = if let Value::Int(number) = key {
            u64::try_from(*number).ok()
        } else {
            None
        };
        let Some(position) = position else {
            let what = format!("a key of {ENTRIES:?} is no position, which is a number from 0");
            return Err(RowError::new(whole(&self.file), Problem::Collection(what)));
        };
        let place = Place {
            file: self.file.clone(),
            at: At::Row(position),
        };
        self.bytes = value.bytes();
        let payload = json(value, &mut self.lossy).map_err(|misfit| {
            RowError::in_field(place, format!("{ENTRIES}{}", misfit.path), misfit.problem)
        })?;
        let payload = match payload {
            Json::Object(payload) => payload,
            Json::Null => Map::new(),
            other @ (Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_)) => {
                Map::from_iter([(VALUE.to_owned(), other)])
            }
        };
        Ok((position, payload))
    }
}

/// Writes the file entry by entry. Its counter and dimension stand behind the entries.
#[derive(Debug)]
pub(super) struct MetadataWriter<W> {
    plain: PlainWriter<W>,
    /// Entries since the last mark.
    open: usize,
}

impl<W: Write> MetadataWriter<W> {
    pub(super) fn new(to: W) -> io::Result<Self> {
        let mut plain = PlainWriter::new(to)?;
        plain.pickle.empty_dict()?;
        plain.pickle.mark()?;
        plain.name(ENTRIES)?;
        plain.pickle.empty_dict()?;
        Ok(MetadataWriter { plain, open: 0 })
    }

    pub(super) fn entry(&mut self, position: u64, payload: &Payload) -> io::Result<()> {
        if self.open == 0 {
            self.plain.pickle.mark()?;
        }
        self.plain.pickle.unsigned(position)?;
        self.plain.payload(payload)?;
        self.open += 1;
        if self.open == GROUP {
            self.close()?;
        }
        Ok(())
    }

    /// Puts the entries since the last mark into their dict.
    fn close(&mut self) -> io::Result<()> {
        if self.open > 0 {
            self.plain.pickle.set_items()?;
            self.open = 0;
        }
        Ok(())
    }

    pub(super) fn finish(mut self, counter: u64, dim: usize) -> io::Result<W> {
        self.close()?;
        self.plain.name(COUNTER)?;
        self.plain.pickle.unsigned(counter)?;
        self.plain.name(DIMENSION)?;
        self.plain.pickle.unsigned(dim as u64)?;
        self.plain.pickle.set_items()?;
        self.plain.finish()
    }
}
