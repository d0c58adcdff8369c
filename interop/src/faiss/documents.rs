//! `index.pkl`: what LangChain keeps beside an index, `(InMemoryDocstore, {position: id})`. Text and metadata of a document become the
//! payload that LangChain's store for Qdrant has: `page_content` and `metadata`.
//!
//! All of it is held: documents are found by their ids, and may lie in any order.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use vdb::{Payload, PointId};

use crate::error::{Problem, RowError, quoted};
use crate::id;
use crate::misfit::{Lossy, Misfit};
use crate::pickle::{
    Class, Classes, Dict, Event, Kind, Limits, Machine, Object, PickleError, References, Value,
};
use crate::python;
use crate::row::{At, Place};

const fn class(module: &'static str, name: &'static str, kind: Kind) -> Class {
    Class { module, name, kind }
}

const STORE: &str = "InMemoryDocstore";
const DOCUMENT: &str = "Document";

/// The classes under the names that they have had.
static CLASSES: [Class; 6] = [
    class("langchain_community.docstore.in_memory", STORE, Kind::Attributes),
    class("langchain.docstore.in_memory", STORE, Kind::Attributes),
    class("langchain_core.documents.base", DOCUMENT, Kind::Model),
    class("langchain.schema.document", DOCUMENT, Kind::Model),
    class("langchain.schema", DOCUMENT, Kind::Model),
    class("langchain.docstore.document", DOCUMENT, Kind::Model),
];

const ALL: Classes = Classes {
    format: "LangChain's documents",
    classes: &CLASSES,
};

const TEXT: &str = "page_content";
const METADATA: &str = "metadata";
/// The key of a document's own id, where points cannot have it.
const OWN_ID: &str = "langchain_id";

/// The documents of an index, by position.
#[derive(Debug)]
pub(super) struct Documents {
    of: HashMap<u64, (PointId, Payload)>,
    /// Whether points have the ids of their documents.
    pub(super) gives_ids: bool,
    /// Values that were changed to what JSON can hold.
    pub(super) changed: u64,
}

impl Documents {
    /// Reads a file.
    ///
    /// # Errors
    /// A pickle of something else, a position without a document, a document of two positions, a value that payloads do not hold.
    pub(super) fn read(path: &Path, limits: Limits, is_lossy: bool) -> Result<Documents, RowError> {
        let file: Arc<str> = path.display().to_string().into();
        let fail = |problem| RowError::new(place(&file, At::File), problem);
        let reader = File::open(path).map_err(|error| fail(Problem::Io(error)))?;
        let read = || -> Result<Event, PickleError> {
            let (references, reader) = References::scan(reader, &limits)?;
            Machine::new(reader, ALL, Arc::new(references), None, limits)?.advance()
        };
        let (Event::Item(value) | Event::Entry(_, value) | Event::End(value)) =
            read().map_err(|error| fail(Problem::Pickle(error)))?;
        let Some((documents, ids)) = parts(&value) else {
            let why = "it is no pair of an InMemoryDocstore and a dict of ids, as LangChain writes it";
            return Err(fail(Problem::Collection(why.to_owned())));
        };
        let mut lossy = Lossy {
            is_allowed: is_lossy,
            changed: 0,
        };
        let mut settled = BTreeMap::new();
        for (position, own) in ids.entries() {
            let (Some(position), Some(own)) = (as_position(position), own.as_text()) else {
                let why = "a position with its id is none".to_owned();
                return Err(fail(Problem::Collection(why)));
            };
            // Of two entries of one position the later counts, as in Python.
            settled.insert(position, own);
        }
        let mut of = HashMap::with_capacity(settled.len());
        let mut used = HashSet::with_capacity(settled.len());
        let mut gives_ids = true;
        for (position, own) in settled {
            // Each position holds the document as JSON of its own, so that a small file could ask for any amount of memory.
            if !used.insert(own) {
                let twice = Problem::Collection("two positions have one document".to_owned());
                return Err(RowError::new(place(&file, At::Row(position)), twice));
            }
            let document = documents.get(own);
            let payload = payload(document, &mut lossy).map_err(|Misfit { path, problem }| {
                RowError::in_field(
                    place(&file, At::Row(position)),
                    format!("document{path}"),
                    problem,
                )
            })?;
            let id = id::of_json(&Json::from(own));
            gives_ids &= id.is_some();
            of.insert(position, (own, id, payload));
        }
        let of = of.into_iter().map(|(position, (own, id, mut payload))| {
            let id = id.filter(|_| gives_ids).unwrap_or_else(|| {
                payload.insert(OWN_ID.to_owned(), own.into());
                PointId::Num(position)
            });
            (position, (id, payload))
        });
        Ok(Documents {
            of: of.collect(),
            gives_ids,
            changed: lossy.changed,
        })
    }

    /// Documents.
    pub(super) fn len(&self) -> u64 {
        self.of.len() as u64
    }

    /// The id and the payload of a position.
    pub(super) fn at(&self, position: u64) -> Option<&(PointId, Payload)> {
        self.of.get(&position)
    }
}

fn place(file: &Arc<str>, at: At) -> Place {
    Place {
        file: file.clone(),
        at,
    }
}

/// The documents by their ids, and the ids by position.
fn parts(value: &Value) -> Option<(HashMap<&str, &Object>, &Dict)> {
    let Value::Tuple(pair) = value else { return None };
    let [Value::Object(store), Value::Dict(ids)] = pair.items() else {
        return None;
    };
    let Some(Value::Dict(documents)) = store.field("_dict") else {
        return None;
    };
    let document = |(id, document): &'_ (Value, Value)| -> Option<()> {
        id.as_text()?;
        document.as_object().filter(|of| of.class().name == DOCUMENT)?;
        Some(())
    };
    documents.entries().iter().try_for_each(document)?;
    let entries = documents.entries().iter();
    let by_id = entries.filter_map(|(id, document)| Some((id.as_text()?, document.as_object()?)));
    Some((by_id.collect(), ids))
}

fn as_position(key: &Value) -> Option<u64> {
    if let Value::Int(position) = key {
        u64::try_from(*position).ok()
    } else {
        None
    }
}

fn payload(document: Option<&&Object>, lossy: &mut Lossy) -> Result<Payload, Misfit> {
    let missing = |what: &str| Misfit::here(Problem::Collection(format!("there is no {what}")));
    let document = document.ok_or_else(|| missing("document of this id"))?;
    let mut payload = Map::new();
    for key in [TEXT, METADATA] {
        let value = document.field(key).ok_or_else(|| missing(&quoted(key)))?;
        let value = python::json(value, lossy).map_err(|misfit| misfit.within(&format!(".{key}")))?;
        if !matches!(&value, Json::Object(metadata) if metadata.is_empty()) {
            payload.insert(key.to_owned(), value);
        }
    }
    Ok(payload)
}

#[cfg(test)]
mod tests;
