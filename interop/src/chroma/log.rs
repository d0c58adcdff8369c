//! The log that both segments of a collection follow.

use rusqlite::Connection;
use serde_json::{Map, Value as Json};

use super::hnsw::numbers;
use crate::error::Problem;

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
    /// Keys with their new values; null for those that go.
    pub(super) metadata: Map<String, Json>,
}

pub(super) fn sqlite(error: rusqlite::Error) -> Problem {
    Problem::Sqlite(error.to_string())
}

fn wrong(seq: i64, what: impl std::fmt::Display) -> Problem {
    Problem::Collection(format!("record {seq} of the log (embeddings_queue): {what}"))
}

/// Hands the records of a collection that follow `after` to `take`, in their order.
pub(super) fn read(
    connection: &Connection,
    collection: &str,
    after: i64,
    mut take: impl FnMut(Entry) -> Result<(), Problem>,
) -> Result<(), Problem> {
    // A topic is the id of its collection, behind tenant and database.
    let select = "SELECT seq_id, operation, id, vector IS NOT NULL, metadata FROM embeddings_queue \
         WHERE seq_id > ?1 AND substr(topic, -length(?2)) = ?2 ORDER BY seq_id";
    let mut statement = connection.prepare(select).map_err(sqlite)?;
    let mut rows = statement.query((after, collection)).map_err(sqlite)?;
    while let Some(row) = rows.next().map_err(sqlite)? {
        let seq = row.get(0).map_err(sqlite)?;
        let code: i64 = row.get(1).map_err(sqlite)?;
        let metadata: Option<String> = row.get(4).map_err(sqlite)?;
        let metadata = match metadata.as_deref() {
            None => Map::new(),
            Some(text) => match serde_json::from_str(text) {
                Ok(Some(Json::Object(map))) => map,
                Ok(None) => Map::new(),
                Ok(Some(_)) => return Err(wrong(seq, "its metadata is no object")),
                Err(error) => return Err(wrong(seq, format_args!("its metadata: {error}"))),
            },
        };
        take(Entry {
            seq,
            operation: Operation::from_code(code)
                .ok_or_else(|| wrong(seq, format_args!("there is no operation {code}")))?,
            id: row.get(2).map_err(sqlite)?,
            has_vector: row.get(3).map_err(sqlite)?,
            metadata,
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
