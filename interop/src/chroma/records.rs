//! Records as points.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Number, Value as Json};
use uuid::Uuid;
use vdb::{Point, PointId};

use super::log::{self, Operation, sqlite};
use super::store::{Segments, flag_of, has_column, whole};
use super::vectors::Vectors;
use crate::error::{Problem, RowError};
use crate::id;
use crate::qdrant::ImportOptions;
use crate::row::{At, Place};
use crate::sqlite::Stamp;
use crate::vector::not_finite;

/// What Chroma calls the document and the address among the keys of metadata; no other key begins so.
const OWN: &str = "chroma:";
const DOCUMENT: &str = "chroma:document";
const URI: &str = "chroma:uri";

/// The next row of a segment. By an index SQLite would find and sort all rows of the segment for each one that is asked for.
const NEXT: &str = "SELECT id, embedding_id FROM embeddings NOT INDEXED \
                    WHERE segment_id = ?1 AND id > ?2 ORDER BY id LIMIT 1";

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
    connection: Connection,
    path: PathBuf,
    file: Arc<str>,
    segments: Segments,
    vectors: Option<Vectors>,
    has_lists: bool,
    /// How the booleans of metadata are selected.
    flag: &'static str,
    keys: Keys,
    /// Records that the log changed and the tables do not have yet, and what they are; none for those that are gone.
    pending: BTreeMap<String, Option<Map<String, Json>>>,
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
        let has_lists = has_column(&connection, "embedding_metadata_array", "key").map_err(fail)?;
        let flag = flag_of(&connection, "embedding_metadata").map_err(fail)?;
        let count = "SELECT count(*) FROM embeddings WHERE segment_id = ?1";
        let rows: rusqlite::Result<i64> = connection.query_row(count, [&segments.metadata], |row| row.get(0));
        let total = u64::try_from(rows.map_err(|error| fail(sqlite(error)))?).unwrap_or(0);
        let mut points = ChromaPoints {
            connection,
            path,
            file: file.clone(),
            segments,
            vectors,
            has_lists,
            flag,
            keys: Keys {
                document: String::new(),
                uri: String::new(),
                id: String::new(),
            },
            pending: BTreeMap::new(),
            total,
            number: 0,
            after: i64::MIN,
            ended: false,
        };
        points.pending = points.pending().map_err(fail)?;
        points.keys = points.keys().map_err(fail)?;
        Ok(points)
    }

    /// Records read so far, and in all, those that only the log has left out.
    pub fn progress(&self) -> (u64, u64) {
        (self.number, self.total)
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

    /// What the log says of records that the tables do not have yet.
    fn pending(&self) -> Result<BTreeMap<String, Option<Map<String, Json>>>, Problem> {
        let mut pending = BTreeMap::new();
        log::read(
            &self.connection,
            &self.segments.collection,
            self.segments.metadata_seq,
            |entry| {
                let known = match pending.remove(&entry.id) {
                    Some(known) => known,
                    None => self.stored(&entry.id)?,
                };
                let changed = if !entry.operation.applies(known.is_some()) {
                    known
                } else if entry.operation == Operation::Delete {
                    None
                } else {
                    let mut merged = known.unwrap_or_default();
                    for (key, value) in entry.metadata {
                        if value.is_null() {
                            merged.shift_remove(&key);
                        } else {
                            merged.insert(key, value);
                        }
                    }
                    Some(merged)
                };
                pending.insert(entry.id, changed);
                Ok(())
            },
        )?;
        Ok(pending)
    }

    /// What the tables have of an id.
    fn stored(&self, id: &str) -> Result<Option<Map<String, Json>>, Problem> {
        let select = "SELECT id FROM embeddings WHERE segment_id = ?1 AND embedding_id = ?2";
        let row: Option<i64> = self
            .connection
            .query_row(select, [&self.segments.metadata, id], |row| row.get(0))
            .optional()
            .map_err(sqlite)?;
        row.map(|row| self.metadata(row)).transpose()
    }

    /// Keys for the payload that no record uses for something else.
    fn keys(&self) -> Result<Keys, Problem> {
        let mut used = BTreeSet::new();
        let mut tables = vec!["embedding_metadata"];
        if self.has_lists {
            tables.push("embedding_metadata_array");
        }
        for table in tables {
            let select = format!(
                "SELECT DISTINCT m.key FROM {table} m JOIN embeddings e ON e.id = m.id WHERE e.segment_id = ?1"
            );
            let mut statement = self.connection.prepare(&select).map_err(sqlite)?;
            let keys = statement
                .query_map([&self.segments.metadata], |row| row.get::<_, String>(0))
                .map_err(sqlite)?;
            for key in keys {
                used.insert(key.map_err(sqlite)?);
            }
        }
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

    /// Keys and values of a row of the tables.
    fn metadata(&self, row: i64) -> Result<Map<String, Json>, Problem> {
        let values = format!("key, string_value, int_value, float_value, {}", self.flag);
        let mut metadata = Map::new();
        let select = format!("SELECT {values} FROM embedding_metadata WHERE id = ?1 ORDER BY key");
        let mut statement = self.connection.prepare_cached(&select).map_err(sqlite)?;
        let mut rows = statement.query([row]).map_err(sqlite)?;
        while let Some(row) = rows.next().map_err(sqlite)? {
            let (key, value) = entry(row)?;
            metadata.insert(key, value);
        }
        if self.has_lists {
            let select =
                format!("SELECT {values} FROM embedding_metadata_array WHERE id = ?1 ORDER BY key, rowid");
            let mut statement = self.connection.prepare_cached(&select).map_err(sqlite)?;
            let mut rows = statement.query([row]).map_err(sqlite)?;
            while let Some(row) = rows.next().map_err(sqlite)? {
                let (key, value) = entry(row)?;
                let items = metadata.entry(key).or_insert_with(|| Json::Array(Vec::new()));
                if let Json::Array(list) = items {
                    list.push(value);
                } else {
                    *items = value;
                }
            }
        }
        Ok(metadata)
    }

    /// The next record: of the tables while they have one, then of the log.
    fn record(&mut self) -> Result<Option<Record>, Problem> {
        loop {
            let next: Option<(i64, String)> = self
                .connection
                .prepare_cached(NEXT)
                .and_then(|mut statement| {
                    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
                    statement
                        .query_row((&self.segments.metadata, self.after), row)
                        .optional()
                })
                .map_err(sqlite)?;
            let Some((row, id)) = next else { break };
            self.after = row;
            let metadata = match self.pending.remove(&id) {
                None => self.metadata(row)?,
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
            Some(vectors) => vectors.get(&self.connection, &text, &fail)?,
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

/// A key and its value, which is in one of four columns.
pub(super) fn entry(row: &rusqlite::Row<'_>) -> Result<(String, Json), Problem> {
    let key: String = row.get(0).map_err(sqlite)?;
    if let Some(text) = row.get::<_, Option<String>>(1).map_err(sqlite)? {
        return Ok((key, Json::String(text)));
    }
    if let Some(number) = row.get::<_, Option<i64>>(2).map_err(sqlite)? {
        return Ok((key, Json::from(number)));
    }
    if let ValueRef::Real(number) = row.get_ref(3).map_err(sqlite)? {
        let Some(number) = Number::from_f64(number) else {
            return Err(Problem::NotFinite {
                value: number.to_string(),
            });
        };
        return Ok((key, Json::Number(number)));
    }
    let flag: Option<bool> = row.get(4).map_err(sqlite)?;
    Ok((key, flag.map_or(Json::Null, Json::Bool)))
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
                let changed = Stamp::changed(self.segments.stamp.as_ref(), &self.path)?;
                return Some(Err(RowError::new(whole(&self.file), changed)));
            }
            Ok(Some((id, metadata))) => self.point(id, metadata),
            Err(problem) => Err(RowError::new(place, problem)),
        };
        self.number += 1;
        self.ended = point.is_err();
        Some(point)
    }
}

#[cfg(test)]
mod tests;
