//! Metadata of records, out of the tables and the log.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Number, Value as Json};

use super::log::{self, Operation, sqlite};
use super::store::{Segments, flag_of, has_column};
use crate::error::Problem;
use crate::misfit::{Lossy, Misfit};

/// The next row of a segment. By an index SQLite would find and sort all rows of the segment for each one that is asked for.
pub(super) const NEXT: &str = "SELECT id, embedding_id FROM embeddings NOT INDEXED \
                               WHERE segment_id = ?1 AND id > ?2 ORDER BY id LIMIT 1";

/// Records that the log changed and the tables do not have yet, and what they are; none for those that are gone.
pub(super) type Pending = BTreeMap<String, Option<Map<String, Json>>>;

/// The tables of a collection.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) connection: Connection,
    segments: Segments,
    has_lists: bool,
    /// How the booleans of metadata are selected.
    flag: &'static str,
}

impl Tables {
    pub(super) fn of(connection: Connection, segments: Segments) -> Result<Tables, Problem> {
        Ok(Tables {
            has_lists: has_column(&connection, "embedding_metadata_array", "key")?,
            flag: flag_of(&connection, "embedding_metadata")?,
            connection,
            segments,
        })
    }

    /// How many records they have.
    pub(super) fn count(&self) -> Result<u64, Problem> {
        let count = "SELECT count(*) FROM embeddings WHERE segment_id = ?1";
        let rows: rusqlite::Result<i64> =
            self.connection
                .query_row(count, [&self.segments.metadata], |row| row.get(0));
        Ok(u64::try_from(rows.map_err(sqlite)?).unwrap_or(0))
    }

    /// The first record behind a row: its row, and its id.
    pub(super) fn next(&self, after: i64) -> Result<Option<(i64, String)>, Problem> {
        let mut statement = self.connection.prepare_cached(NEXT).map_err(sqlite)?;
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let found = statement.query_row((&self.segments.metadata, after), row);
        found.optional().map_err(sqlite)
    }

    /// What the log says of records that the tables do not have yet.
    pub(super) fn pending(&self, lossy: &mut Lossy) -> Result<Pending, Misfit> {
        let mut pending = BTreeMap::new();
        log::read(
            &self.connection,
            &self.segments.collection,
            self.segments.metadata_seq,
            |entry| {
                let known = match pending.remove(&entry.id) {
                    Some(known) => known,
                    None => self.stored(&entry.id, lossy)?,
                };
                let changed = if !entry.operation.applies(known.is_some()) {
                    known
                } else if entry.operation == Operation::Delete {
                    None
                } else {
                    let mut merged = known.unwrap_or_default();
                    for (key, value) in entry.metadata(lossy)? {
                        if value.is_null() {
                            merged.shift_remove(&key);
                        } else {
                            merged.insert(key, value);
                        }
                    }
                    Some(merged)
                };
                pending.insert(entry.id, changed);
                Ok::<_, Misfit>(())
            },
        )?;
        Ok(pending)
    }

    /// What the tables have of an id.
    fn stored(&self, id: &str, lossy: &mut Lossy) -> Result<Option<Map<String, Json>>, Misfit> {
        let select = "SELECT id FROM embeddings WHERE segment_id = ?1 AND embedding_id = ?2";
        let row: Option<i64> = self
            .connection
            .query_row(select, [&self.segments.metadata, id], |row| row.get(0))
            .optional()
            .map_err(sqlite)?;
        row.map(|row| self.metadata(row, lossy)).transpose()
    }

    /// The keys of metadata that records of the tables have.
    pub(super) fn keys(&self) -> Result<BTreeSet<String>, Problem> {
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
        Ok(used)
    }

    /// Keys and values of a row of the tables.
    pub(super) fn metadata(&self, row: i64, lossy: &mut Lossy) -> Result<Map<String, Json>, Misfit> {
        let values = format!("key, string_value, int_value, float_value, {}", self.flag);
        let mut metadata = Map::new();
        let select = format!("SELECT {values} FROM embedding_metadata WHERE id = ?1 ORDER BY key");
        let mut statement = self.connection.prepare_cached(&select).map_err(sqlite)?;
        let mut rows = statement.query([row]).map_err(sqlite)?;
        while let Some(row) = rows.next().map_err(sqlite)? {
            let (key, value) = entry(row, lossy)?;
            metadata.insert(key, value);
        }
        if self.has_lists {
            let select =
                format!("SELECT {values} FROM embedding_metadata_array WHERE id = ?1 ORDER BY key, rowid");
            let mut statement = self.connection.prepare_cached(&select).map_err(sqlite)?;
            let mut rows = statement.query([row]).map_err(sqlite)?;
            while let Some(row) = rows.next().map_err(sqlite)? {
                let (key, value) = entry(row, lossy)?;
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
}

/// A key and its value, which is in one of four columns.
pub(super) fn entry(row: &rusqlite::Row<'_>, lossy: &mut Lossy) -> Result<(String, Json), Misfit> {
    let key: String = row.get(0).map_err(sqlite)?;
    if let Some(text) = row.get::<_, Option<String>>(1).map_err(sqlite)? {
        return Ok((key, Json::String(text)));
    }
    if let Some(number) = row.get::<_, Option<i64>>(2).map_err(sqlite)? {
        return Ok((key, Json::from(number)));
    }
    // There is no NaN: SQLite keeps it as NULL.
    if let ValueRef::Real(number) = row.get_ref(3).map_err(sqlite)? {
        let value = match Number::from_f64(number) {
            Some(finite) => Json::Number(finite),
            None => lossy
                .change(number.to_string(), "null", Json::Null)
                .map_err(|misfit| misfit.within(&format!(".{key}")))?,
        };
        return Ok((key, value));
    }
    let flag: Option<bool> = row.get(4).map_err(sqlite)?;
    Ok((key, flag.map_or(Json::Null, Json::Bool)))
}

#[cfg(test)]
mod tests;
