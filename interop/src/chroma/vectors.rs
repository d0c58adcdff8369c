//! Which id has which vector: the folder, with the log on top.

use std::collections::HashMap;
use std::path::Path;

use rusqlite::Connection;

use super::hnsw::Hnsw;
use super::log::{self, Operation};
use super::store::Segments;
use crate::error::{Problem, RowError};
use crate::pickle::Limits;

/// Where the newest vector of an id is.
#[derive(Clone, Copy, Debug)]
enum Newest {
    /// At a place of the folder.
    Element(u64),
    /// In a record of the log.
    Record(i64),
}

/// The vectors of a collection. Memory holds the ids, not the vectors.
#[derive(Debug)]
pub(super) struct Vectors {
    hnsw: Option<Hnsw>,
    newest: HashMap<String, Newest>,
    dim: usize,
}

impl Vectors {
    /// Finds the vectors of a collection of `dim` numbers. `fail` says where a problem of the tables is.
    pub(super) fn open(
        connection: &Connection,
        folder: &Path,
        segments: &Segments,
        dim: usize,
        limits: &Limits,
        fail: &dyn Fn(Problem) -> RowError,
    ) -> Result<Vectors, RowError> {
        // The name becomes part of a path.
        if uuid::Uuid::try_parse(&segments.vector).is_err() {
            let why = format!("the segment {:?} is no UUID", segments.vector);
            return Err(fail(Problem::Collection(why)));
        }
        let opened = Hnsw::open(&folder.join(&segments.vector), dim, segments.is_cosine, limits)?;
        let (hnsw, places) = opened.map_or((None, HashMap::new()), |(hnsw, places)| (Some(hnsw), places));
        let of_folder = hnsw.as_ref().and_then(|hnsw| hnsw.followed);
        let after = segments.vector_seq.or(of_folder).unwrap_or(0);
        let mut newest: HashMap<String, Newest> = places
            .into_iter()
            .map(|(id, place)| (id, Newest::Element(place)))
            .collect();
        log::read(connection, &segments.collection, after, |entry| {
            if !entry.operation.applies(newest.contains_key(&entry.id)) {
                return Ok(());
            }
            if entry.operation == Operation::Delete {
                newest.remove(&entry.id);
            } else if entry.has_vector {
                newest.insert(entry.id, Newest::Record(entry.seq));
            }
            Ok::<_, Problem>(())
        })
        .map_err(fail)?;
        Ok(Vectors { hnsw, newest, dim })
    }

    /// The vector of an id, as it was given, if it has one.
    pub(super) fn get(
        &mut self,
        connection: &Connection,
        id: &str,
        fail: &dyn Fn(Problem) -> RowError,
    ) -> Result<Option<Vec<f32>>, RowError> {
        match (self.newest.get(id), &mut self.hnsw) {
            (Some(Newest::Record(seq)), _) => log::vector(connection, *seq, self.dim).map(Some).map_err(fail),
            (Some(Newest::Element(place)), Some(hnsw)) => hnsw.vector(*place).map(Some),
            (Some(Newest::Element(_)) | None, _) => Ok(None),
        }
    }
}
