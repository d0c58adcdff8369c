//! Records as points.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;
use serde_json::{Map, Value as Json};
use uuid::Uuid;
use vdb::{Point, PointId};

use super::store::{Segments, whole};
use super::tables::{Pending, Tables};
use super::vectors::Vectors;
use crate::error::{Problem, RowError};
use crate::id;
use crate::misfit::{Lossy, Misfit};
use crate::qdrant::ImportOptions;
use crate::row::{At, Place};
use crate::sqlite::Stamp;
use crate::vector::not_finite;

/// What Chroma calls the document and the address among the keys of metadata; no other key begins so.
const OWN: &str = "chroma:";
const DOCUMENT: &str = "chroma:document";
const URI: &str = "chroma:uri";

/// The id of a record and its metadata.
type Record = (String, Map<String, Json>);

/// Keys of payloads for what is no key of metadata.
#[derive(Debug)]
struct Keys {
    document: String,
    uri: String,
    id: String,
}

/// The records of a collection as points: those of the tables in the order they were made, then those that only the log has.
#[derive(Debug)]
pub struct ChromaPoints {
    tables: Tables,
    path: PathBuf,
    file: Arc<str>,
    stamp: Option<Stamp>,
    vectors: Option<Vectors>,
    keys: Keys,
    pending: Pending,
    lossy: Lossy,
    total: u64,
    number: u64,
    /// The last row of the tables.
    after: i64,
    ended: bool,
}

impl ChromaPoints {
    pub(super) fn open(
        connection: Connection,
        path: PathBuf,
        file: Arc<str>,
        segments: Segments,
        dim: Option<usize>,
        options: ImportOptions,
    ) -> Result<ChromaPoints, RowError> {
        let fail = |problem| RowError::new(whole(&file), problem);
        let vectors = match dim {
            None => None,
            Some(dim) => Some(Vectors::open(
                &connection,
                path.parent().unwrap_or(Path::new("")),
                &segments,
                dim,
                &options.limits,
                &fail,
            )?),
        };
        let stamp = segments.stamp.clone();
        let tables = Tables::of(connection, segments).map_err(fail)?;
        let total = tables.count().map_err(fail)?;
        let mut lossy = Lossy {
            is_allowed: options.lossy,
            changed: 0,
        };
        let pending = tables
            .pending(&mut lossy)
            .map_err(|misfit| refused(whole(&file), misfit))?;
        let mut points = ChromaPoints {
            tables,
            path,
            file: file.clone(),
            stamp,
            vectors,
            keys: Keys {
                document: String::new(),
                uri: String::new(),
                id: String::new(),
            },
            pending,
            lossy,
            total,
            number: 0,
            after: i64::MIN,
            ended: false,
        };
        points.keys = points.keys().map_err(fail)?;
        Ok(points)
    }

    /// Records read so far, and in all, those that only the log has left out.
    pub fn progress(&self) -> (u64, u64) {
        (self.number, self.total)
    }

    /// Values that a payload cannot hold and that were changed, of those read so far.
    pub(super) fn changed(&self) -> u64 {
        self.lossy.changed
    }

    /// Keys that are not what one would look for.
    pub(super) fn warnings(&self) -> Vec<String> {
        let keys = [
            ("document", &self.keys.document),
            ("uri", &self.keys.uri),
            ("chroma_id", &self.keys.id),
        ];
        let renamed = keys.into_iter().filter(|(usual, key)| usual != key);
        let warning = |(usual, key): (&str, &String)| {
            format!("metadata has a key {usual:?}, so what is usually there is under {key:?}")
        };
        renamed.map(warning).collect()
    }

    /// Keys for the payload that no record uses for something else.
    fn keys(&self) -> Result<Keys, Problem> {
        let mut used = self.tables.keys()?;
        let pending = self.pending.values().flatten();
        used.extend(pending.flat_map(|metadata| metadata.keys().cloned()));
        let free = |usual: &str, other: &str| {
            let numbered = (2..).map(|number| format!("{other}_{number}"));
            let mut names = [usual.to_owned(), other.to_owned()].into_iter().chain(numbered);
            names.find(|name| !used.contains(name)).unwrap_or_default()
        };
        Ok(Keys {
            document: free("document", "chroma_document"),
            uri: free("uri", "chroma_uri"),
            id: free("chroma_id", "chroma_id"),
        })
    }

    /// The next record: of the tables while they have one, then of the log.
    fn record(&mut self) -> Result<Option<Record>, Misfit> {
        while let Some((row, id)) = self.tables.next(self.after)? {
            self.after = row;
            let metadata = match self.pending.remove(&id) {
                None => self.tables.metadata(row, &mut self.lossy)?,
                Some(Some(metadata)) => metadata,
                Some(None) => continue,
            };
            return Ok(Some((id, metadata)));
        }
        while let Some((id, metadata)) = self.pending.pop_first() {
            if let Some(metadata) = metadata {
                return Ok(Some((id, metadata)));
            }
        }
        Ok(None)
    }

    fn point(&mut self, text: String, metadata: Map<String, Json>) -> Result<Point, RowError> {
        let id = point_id(&text);
        let place = Place {
            file: self.file.clone(),
            at: At::Point(id),
        };
        let mut payload = Map::with_capacity(metadata.len() + 1);
        for (key, value) in metadata {
            let key = match key.as_str() {
                DOCUMENT => self.keys.document.clone(),
                URI => self.keys.uri.clone(),
                // Notes of Chroma's own.
                _ if key.starts_with(OWN) => continue,
                _ => key,
            };
            payload.insert(key, value);
        }
        if !matches!(id, PointId::Uuid(uuid) if uuid.to_string() == text) {
            payload.insert(self.keys.id.clone(), text.clone().into());
        }
        let fail = |problem| RowError::new(place.clone(), problem);
        let vector = match &mut self.vectors {
            Some(vectors) => vectors.get(&self.tables.connection, &text, &fail)?,
            None => None,
        };
        if let Some((at, problem)) = vector.as_deref().and_then(not_finite) {
            return Err(RowError::in_field(place, format!("vector[{at}]"), problem));
        }
        Ok(Point {
            id,
            vectors: vector.map(Into::into).unwrap_or_default(),
            payload,
        })
    }
}

/// What is wrong with the metadata of a record, or with its table.
pub(super) fn refused(place: Place, misfit: Misfit) -> RowError {
    if misfit.path.is_empty() {
        return RowError::new(place, misfit.problem);
    }
    RowError::in_field(place, format!("metadata{}", misfit.path), misfit.problem)
}

/// The id of a point for the text that Chroma has.
pub(super) fn point_id(text: &str) -> PointId {
    match Uuid::try_parse(text) {
        // Two spellings of one UUID are two ids there.
        Ok(uuid) if uuid.to_string() == text => PointId::Uuid(uuid),
        Ok(_) | Err(_) => id::of_text(text),
    }
}

impl Iterator for ChromaPoints {
    type Item = Result<Point, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let place = Place {
            file: self.file.clone(),
            at: At::Row(self.number),
        };
        let point = match self.record() {
            Ok(None) => {
                self.ended = true;
                let changed = Stamp::changed(self.stamp.as_ref(), &self.path)?;
                return Some(Err(RowError::new(whole(&self.file), changed)));
            }
            Ok(Some((id, metadata))) => self.point(id, metadata),
            Err(misfit) => Err(refused(place, misfit)),
        };
        self.number += 1;
        self.ended = point.is_err();
        Some(point)
    }
}
