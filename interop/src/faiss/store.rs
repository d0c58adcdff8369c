//! An index file and the metadata beside it, as a whole collection.
//!
//! A common wrapper keeps two files in a directory: `index.faiss`, and `metadata.pkl`, a pickle of
//! `{'metadata': {position: value, ...}, 'counter': n, 'dimension': d}`. An index file alone is a collection without payloads.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use vdb::{CollectionConfig, Distance, Payload, Point, PointId, VectorParams};

use super::layout::FaissMetric;
use super::rows::FaissRows;
use crate::error::{Problem, RowError};
use crate::options::ReadOptions;
use crate::pickle::{Classes, Dict, Event, Machine, References, Value};
use crate::python::{Lossy, json};
use crate::qdrant::{Described, ImportOptions};
use crate::row::{At, Place};

const INDEX: &str = "index.faiss";
const METADATA: &str = "metadata.pkl";

/// Plain data has no classes.
const CLASSES: Classes = Classes {
    format: "metadata of FAISS",
    classes: &[],
};

/// The key of a value that is no object.
const VALUE: &str = "metadata";

/// A collection of FAISS that was read to its end and is sound.
#[derive(Debug)]
pub struct FaissCollection {
    index: PathBuf,
    described: Described,
    metadata: HashMap<u64, Payload>,
    points: u64,
}

impl FaissCollection {
    /// Whether a directory has an index where the wrapper keeps it.
    pub fn is_at(dir: &Path) -> bool {
        dir.join(INDEX).is_file()
    }

    /// Reads all of an index file, or of a directory of the wrapper, and checks it. `report` is told how many vectors are
    /// read, of how many in all, and answers whether to go on.
    ///
    /// # Errors
    /// What is wrong with the index, a vector or the metadata, and where; [`std::io::ErrorKind::Interrupted`] when `report`
    /// says so.
    pub fn read(
        path: &Path,
        options: ImportOptions,
        report: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<FaissCollection, RowError> {
        let is_directory = path.is_dir();
        let index = if is_directory {
            path.join(INDEX)
        } else {
            path.to_owned()
        };
        let mut rows = FaissRows::open(&index, &ReadOptions::default())?;
        let layout = rows.layout().clone();
        let distance = match layout.metric {
            FaissMetric::InnerProduct => Distance::Dot,
            FaissMetric::L2 => Distance::Euclid,
            FaissMetric::L1 => Distance::Manhattan,
        };
        let mut described = Described {
            config: CollectionConfig::new(VectorParams::new(layout.dim, distance)),
            warnings: Vec::new(),
        };
        let file: Arc<str> = index.display().to_string().into();
        let mut points = 0;
        for row in rows.by_ref() {
            row?;
            points += 1;
            if points % 1024 == 0 && !report(points, layout.rows) {
                let stop = Problem::Io(std::io::ErrorKind::Interrupted.into());
                return Err(RowError::new(whole(&file), stop));
            }
        }
        let pickle = path.join(METADATA);
        let metadata = if is_directory && pickle.is_file() {
            read_metadata(&pickle, &layout.dim, points, options, &mut described)?
        } else {
            HashMap::new()
        };
        if layout.ids && !metadata.is_empty() {
            described.warnings.push(
                "metadata is by position and the index has ids: it goes to the points whose ids are those positions".to_owned(),
            );
        }
        Ok(FaissCollection {
            index,
            described,
            metadata,
            points,
        })
    }

    /// What the collection is like, and warnings.
    pub fn described(&self) -> &Described {
        &self.described
    }

    /// Its vectors.
    pub fn points(&self) -> u64 {
        self.points
    }

    /// All of them: an index holds nothing else.
    pub fn with_vectors(&self) -> u64 {
        self.points
    }

    /// The vectors as points.
    ///
    /// # Errors
    /// When the file cannot be read any more.
    pub fn into_points(self) -> Result<FaissPoints, RowError> {
        Ok(FaissPoints {
            rows: FaissRows::open(&self.index, &ReadOptions::default())?,
            metadata: self.metadata,
        })
    }
}

/// The points of a collection of FAISS. An id is that of the index, or the position in it.
#[derive(Debug)]
pub struct FaissPoints {
    rows: FaissRows,
    metadata: HashMap<u64, Payload>,
}

impl Iterator for FaissPoints {
    type Item = Result<Point, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = match self.rows.next()? {
            Ok(row) => row,
            Err(error) => return Some(Err(error)),
        };
        let payload = match row.id {
            PointId::Num(number) => self.metadata.remove(&number),
            PointId::Uuid(_) => None,
        };
        Some(Ok(Point {
            id: row.id,
            vectors: row.vectors,
            payload: payload.unwrap_or_default(),
        }))
    }
}

fn whole(file: &Arc<str>) -> Place {
    Place {
        file: file.clone(),
        at: At::File,
    }
}

/// The payloads by position. What the file says of the index is compared with the index.
fn read_metadata(
    path: &Path,
    dim: &usize,
    vectors: u64,
    options: ImportOptions,
    described: &mut Described,
) -> Result<HashMap<u64, Payload>, RowError> {
    let file: Arc<str> = path.display().to_string().into();
    let fail = |problem| RowError::new(whole(&file), problem);
    let pickle = |error| fail(Problem::Pickle(error));
    let reader = File::open(path).map_err(|error| fail(Problem::Io(error)))?;
    let (references, reader) = References::scan(reader, &options.limits).map_err(pickle)?;
    let mut machine =
        Machine::new(reader, CLASSES, Arc::new(references), None, options.limits).map_err(pickle)?;
    let value = match machine.advance().map_err(pickle)? {
        Event::Item(value) | Event::End(value) => value,
    };
    let wrong = |what: String| fail(Problem::Collection(what));
    let Value::Dict(all) = &value else {
        return Err(wrong(format!("it is no dict but {}", value.kind())));
    };
    let Some(Value::Dict(entries)) = all.get("metadata") else {
        return Err(wrong("it has no dict \"metadata\"".to_owned()));
    };
    let said = |key: &str| match all.get(key) {
        Some(Value::Int(number)) => u64::try_from(*number).ok(),
        Some(_) | None => None,
    };
    if let Some(counter) = said("counter").filter(|counter| *counter != vectors) {
        let warning = format!(
            "metadata.pkl counts {counter} vectors and the index has {vectors}: one of the files is older"
        );
        described.warnings.push(warning);
    }
    if let Some(other) = said("dimension").filter(|other| *other != *dim as u64) {
        described.warnings.push(format!(
            "metadata.pkl says {other} dimensions and the index has {dim}"
        ));
    }
    payloads(entries, vectors, &file, options.lossy, described)
}

fn payloads(
    entries: &Dict,
    vectors: u64,
    file: &Arc<str>,
    is_lossy: bool,
    described: &mut Described,
) -> Result<HashMap<u64, Payload>, RowError> {
    let mut lossy = Lossy {
        is_allowed: is_lossy,
        changed: 0,
    };
    let (mut payloads, mut beyond) = (HashMap::new(), 0);
    for (position, value) in entries.entries() {
        let number = if let Value::Int(number) = position {
            u64::try_from(*number).ok()
        } else {
            None
        };
        let Some(position) = number else {
            let what = "a key of \"metadata\" is no position, which is a number from 0".to_owned();
            return Err(RowError::new(whole(file), Problem::Collection(what)));
        };
        beyond += u64::from(position >= vectors);
        let place = Place {
            file: file.clone(),
            at: At::Row(position),
        };
        let payload = json(value, &mut lossy).map_err(|misfit| {
            RowError::in_field(place, format!("metadata{}", misfit.path), misfit.problem)
        })?;
        let payload = match payload {
            Json::Object(payload) => payload,
            Json::Null => Map::new(),
            other @ (Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_)) => {
                Map::from_iter([(VALUE.to_owned(), other)])
            }
        };
        payloads.insert(position, payload);
    }
    if lossy.changed > 0 {
        let changed = lossy.changed;
        described.warnings.push(format!(
            "{changed} values were changed to what JSON can hold (--lossy)"
        ));
    }
    if beyond > 0 {
        described.warnings.push(format!(
            "{beyond} entries of metadata.pkl are of no vector of the index"
        ));
    }
    Ok(payloads)
}
