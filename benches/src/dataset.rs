//! A data set in memory: rows that are searched, queries, payloads.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use vdb::Distance;
use vdb_interop::{ReadOptions, RowSource};
use vdb_measure::{Line, Split};

use crate::error::{Error, Result};
use crate::mixtures::mixtures;
use crate::truth::{Rows, nearest};

/// What is read, and which of it are queries.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// `.npy`, `.fvecs`, `.bvecs`, or `.hdf5` as ann-benchmarks has them.
    pub data: PathBuf,
    /// JSON Lines, the payload of each row.
    pub payload: Option<PathBuf>,
    /// Row numbers of the queries (`.npy`); else the last `queries` of a seeded permutation.
    pub split: Option<PathBuf>,
    /// How many rows are queries; of a file that has its own, the first so many.
    pub queries: usize,
    /// Only the first so many rows that are not queries.
    pub rows: Option<usize>,
    /// How nearness is measured; `None` for what the file says, or Cosine.
    pub distance: Option<Distance>,
}

/// Rows, queries and payloads; vectors are of length one under Cosine.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The file's name without its folder and endings.
    pub name: String,
    /// Numbers in a vector.
    pub dim: usize,
    /// How nearness is measured.
    pub distance: Distance,
    /// `len() x dim` numbers, row-major: what is searched. A row's id is its number here.
    pub vectors: Vec<f32>,
    /// What is asked.
    pub queries: Vec<Vec<f32>>,
    /// The payload of each row; empty when there are none.
    pub payloads: Vec<Map<String, Value>>,
    /// The payload of each query; empty when there are none.
    pub asked: Vec<Map<String, Value>>,
    /// The true neighbours of each query, nearest first, where the file has them; for all of its rows only.
    pub known: Vec<Vec<u64>>,
}

impl Dataset {
    /// Reads all of it.
    pub fn read(source: &Source) -> Result<Dataset> {
        let mut set = if is_hdf5(&source.data) {
            if source.payload.is_some() || source.split.is_some() {
                return Err(Error::data(
                    &source.data,
                    "a file that brings its own queries takes no payloads and no split",
                ));
            }
            let file = crate::ann::read(&source.data, source.queries, source.distance)?;
            Dataset {
                name: Line::data_name(&source.data),
                dim: file.dim,
                distance: file.distance,
                vectors: file.vectors,
                queries: file.queries,
                payloads: Vec::new(),
                asked: Vec::new(),
                known: file.neighbors,
            }
        } else {
            read_rows(source)?
        };
        if let Some(rows) = source.rows.filter(|rows| *rows < set.len()) {
            set.vectors.truncate(rows * set.dim);
            set.payloads.truncate(rows);
            set.known.clear();
        }
        if set.distance == Distance::Cosine {
            set.vectors.chunks_exact_mut(set.dim).for_each(normalise);
            set.queries.iter_mut().for_each(|query| normalise(query));
        }
        Ok(set)
    }

    /// Adds [`mixtures`] of its rows until there are `rows`. Queries stay; payloads and known neighbours are let go, as
    /// the new rows have none.
    ///
    /// # Errors
    /// Those of [`mixtures`].
    pub fn grow(&mut self, rows: usize) -> Result<()> {
        let mut made = Vec::with_capacity(rows.saturating_sub(self.len()) * self.dim);
        self.more(rows, |vector| {
            made.extend_from_slice(vector);
            Ok(())
        })?;
        self.vectors.append(&mut made);
        self.payloads.clear();
        self.known.clear();
        Ok(())
    }

    /// Hands the vectors that [`Dataset::grow`] adds to `take`, in order, without keeping them.
    ///
    /// # Errors
    /// Those of [`mixtures`], and what `take` answers.
    pub fn more(&self, rows: usize, mut take: impl FnMut(&[f32]) -> Result<()>) -> Result<()> {
        let mut made = vec![0.0; self.dim];
        let more = rows.saturating_sub(self.len());
        mixtures(&self.vectors, self.dim, more, 0, |vector| {
            made.copy_from_slice(vector);
            if self.distance == Distance::Cosine {
                normalise(&mut made);
            }
            take(&made)
        })
    }

    /// The vectors of a file as they are, one after another, and how many numbers each has.
    pub fn vectors_of(data: &Path) -> Result<(Vec<f32>, usize)> {
        read_all(data, None).map(|all| (all.vectors, all.dim))
    }

    /// The true `limit` neighbours of each query: those that the file has, else computed.
    pub fn truth(&self, limit: usize) -> Vec<Vec<u64>> {
        if !self.known.is_empty() && self.known.iter().all(|rows| rows.len() >= limit) {
            return self.known.iter().map(|rows| rows[..limit].to_vec()).collect();
        }
        self.nearest(&self.queries, limit, None)
    }

    /// The `limit` rows nearest to each of these queries by exact search; of those for which `among` is set, if it is given.
    pub fn nearest(&self, queries: &[Vec<f32>], limit: usize, among: Option<&[bool]>) -> Vec<Vec<u64>> {
        let rows = Rows {
            distance: self.distance,
            dim: self.dim,
            vectors: &self.vectors,
        };
        nearest(rows, queries, limit, among)
    }

    /// How many rows are searched.
    pub fn len(&self) -> usize {
        self.vectors.len() / self.dim.max(1)
    }

    /// Whether there is nothing to search.
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }

    /// The vector of a row; panics beyond the last.
    pub fn vector(&self, row: usize) -> &[f32] {
        &self.vectors[row * self.dim..][..self.dim]
    }
}

pub(crate) fn is_hdf5(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ending.eq_ignore_ascii_case("hdf5") || ending.eq_ignore_ascii_case("h5")
}

/// Everything that is in a file of vectors, and in one of payloads beside it.
struct All {
    /// One after another.
    vectors: Vec<f32>,
    dim: usize,
    payloads: Vec<Map<String, Value>>,
}

fn read_all(data: &Path, payload: Option<&Path>) -> Result<All> {
    let options = ReadOptions::default();
    let mut rows: Box<dyn RowSource> = match payload {
        Some(payload) => vdb_interop::open_with_payload(data, payload, &options)?,
        None => vdb_interop::open(data, &options)?,
    };
    let (mut all, mut payloads, mut dim) = (Vec::new(), Vec::new(), None);
    for row in rows.by_ref() {
        let mut row = row?;
        if payload.is_some() {
            payloads.push(row.payload.take().unwrap_or_default());
        }
        let place = row.place.clone();
        let vector = row.into_dense().unwrap_or_default();
        if *dim.get_or_insert(vector.len()) != vector.len() || vector.is_empty() {
            let message = format!("{place}: its vector is empty or not as long as the first");
            return Err(Error::data(data, message));
        }
        all.extend(vector);
    }
    let dim = dim.ok_or_else(|| Error::data(data, "no vectors in it"))?;
    Ok(All {
        vectors: all,
        dim,
        payloads,
    })
}

fn read_rows(source: &Source) -> Result<Dataset> {
    let All {
        vectors: all,
        dim,
        mut payloads,
    } = read_all(&source.data, source.payload.as_deref())?;
    let split = Split::new((all.len() / dim) as u64, source.queries, source.split.as_deref())?;
    let mut row = 0..;
    let mut is_base = || row.next().is_some_and(|row| !split.is_query(row));
    let of_query = |row: &u64| payloads.get(*row as usize).cloned();
    let asked = split.queries.iter().filter_map(of_query).collect();
    payloads.retain(|_| is_base());
    let vector = |row: u64| all.get(row as usize * dim..)?.get(..dim);
    let queries = split
        .queries
        .iter()
        .filter_map(|row| vector(*row))
        .map(<[f32]>::to_vec);
    let vectors = (0_u64..)
        .zip(all.chunks_exact(dim))
        .filter(|(row, _)| !split.is_query(*row));
    Ok(Dataset {
        name: Line::data_name(&source.data),
        dim,
        distance: source.distance.unwrap_or(Distance::Cosine),
        queries: queries.collect(),
        vectors: vectors.flat_map(|(_, vector)| vector).copied().collect(),
        payloads,
        asked,
        known: Vec::new(),
    })
}

fn normalise(vector: &mut [f32]) {
    let square: f64 = vector.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    if square > 0.0 {
        let length = square.sqrt();
        vector
            .iter_mut()
            .for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
}

#[cfg(test)]
mod tests;
