//! The log that both segments of a collection follow.

use std::marker::PhantomData;

use rusqlite::Connection;
use serde_json::{Map, Value as Json};

use super::hnsw::numbers;
use crate::error::Problem;
use crate::json;
use crate::misfit::Lossy;

/// What a record of the log does to the record of its id. Adding what is there and changing what is not do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Update,
    Upsert,
    Delete,
}

impl Operation {
    fn from_code(code: i64) -> Option<Operation> {
        Some(match code {
            0 => Operation::Add,
            1 => Operation::Update,
            2 => Operation::Upsert,
            3 => Operation::Delete,
            _ => return None,
        })
    }

    /// Whether it does anything to a record that is there, or is not.
    pub(super) fn applies(self, is_there: bool) -> bool {
        match self {
            Operation::Add => !is_there,
            Operation::Update | Operation::Delete => is_there,
            Operation::Upsert => true,
        }
    }
}

/// One record of the log.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) seq: i64,
    pub(super) operation: Operation,
    pub(super) id: String,
    pub(super) has_vector: bool,
    /// JSON, which Python wrote.
    metadata: Option<String>,
}

impl Entry {
    /// Keys with their new values; null for those that go. What JSON has no number for is none either, so that its key goes, too.
    pub(super) fn metadata(&self, lossy: &mut Lossy) -> Result<Map<String, Json>, Problem> {
        let Some(text) = &self.metadata else {
            return Ok(Map::new());
        };
        let parse = |text: &[u8]| json::parse(text, PhantomData::<Option<Json>>).map_err(json::of_payload);
        let mut parsed = parse(text.as_bytes());
        if lossy.is_allowed && parsed.as_ref().is_err_and(json::is_mendable) {
            let (mended, changed) = json::mended(text.as_bytes(), |_| true);
            parsed = parse(&mended);
            lossy.changed += if parsed.is_ok() { changed } else { 0 };
        }
        match parsed {
            Ok(Some(Json::Object(map))) => Ok(map),
            Ok(None) => Ok(Map::new()),
            Ok(Some(_)) => Err(wrong(self.seq, "its metadata is no object")),
            Err(problem) => Err(wrong(self.seq, format_args!("its metadata: {problem}"))),
        }
    }
}

pub(super) fn sqlite(error: rusqlite::Error) -> Problem {
    Problem::Sqlite(error.to_string())
}

fn wrong(seq: i64, what: impl std::fmt::Display) -> Problem {
    Problem::Collection(format!("record {seq} of the log (embeddings_queue): {what}"))
}

/// Hands the records of a collection that follow `after` to `take`, in their order.
pub(super) fn read<E: From<Problem>>(
    connection: &Connection,
    collection: &str,
    after: i64,
    mut take: impl FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    // A topic is the id of its collection, behind tenant and database.
    let select = "SELECT seq_id, operation, id, vector IS NOT NULL, metadata FROM embeddings_queue \
         WHERE seq_id > ?1 AND substr(topic, -length(?2)) = ?2 ORDER BY seq_id";
    let mut statement = connection.prepare(select).map_err(sqlite)?;
    let mut rows = statement.query((after, collection)).map_err(sqlite)?;
    while let Some(row) = rows.next().map_err(sqlite)? {
        let seq = row.get(0).map_err(sqlite)?;
        let code: i64 = row.get(1).map_err(sqlite)?;
        take(Entry {
            seq,
            operation: Operation::from_code(code)
                .ok_or_else(|| wrong(seq, format_args!("there is no operation {code}")))?,
            id: row.get(2).map_err(sqlite)?,
            has_vector: row.get(3).map_err(sqlite)?,
            metadata: row.get(4).map_err(sqlite)?,
        })?;
    }
    Ok(())
}

/// The vector of a record of the log.
pub(super) fn vector(connection: &Connection, seq: i64, dim: usize) -> Result<Vec<f32>, Problem> {
    let select = "SELECT vector, encoding FROM embeddings_queue WHERE seq_id = ?1";
    let mut statement = connection.prepare_cached(select).map_err(sqlite)?;
    let (bytes, encoding): (Vec<u8>, Option<String>) = statement
        .query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(sqlite)?;
    if encoding.as_deref() != Some("FLOAT32") {
        let encoding = encoding.unwrap_or_default();
        return Err(wrong(
            seq,
            format_args!("its vector is stored as {encoding:?}, expected FLOAT32"),
        ));
    }
    if bytes.len() != 4 * dim {
        let found = bytes.len();
        return Err(wrong(
            seq,
            format_args!("its vector has {found} bytes, where the collection has {dim} numbers"),
        ));
    }
    Ok(numbers(&bytes))
}
