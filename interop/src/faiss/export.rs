//! A collection as the two files of the wrapper.

use std::io::{self, Seek, Write};

use serde_json::Value as Json;
use vdb::{Distance, Payload, PointId};

use super::layout::FaissMetric;
use super::metadata::MetadataWriter;
use super::store::{INDEX, METADATA};
use super::write::FaissWriter;

/// What becomes of ids: the vectors of a flat index have positions only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaissIds {
    /// Ids are positions: 0, 1, 2, ...
    Positions,
    /// An `IndexIDMap2` around the index, and metadata by id instead of by position.
    Map,
    /// Positions, and each id under this key of its metadata.
    Key(String),
}

/// Why a point cannot be in the files.
#[derive(Debug, thiserror::Error)]
pub enum FaissWriteError {
    /// Writing failed.
    #[error("cannot be written: {0}")]
    Io(#[from] io::Error),
    /// Ids of an index are numbers of 63 bits.
    #[error(
        "point {0}: an index of FAISS has ids from 0 to 2^63-1; --id-key NAME numbers the vectors and keeps the ids in the \
         metadata"
    )]
    Id(PointId),
    /// A position was promised.
    #[error("point {id} is number {position} of the collection, and its id was to be its position")]
    Position {
        /// The point.
        id: PointId,
        /// How many came before it.
        position: u64,
    },
    /// The payload has the key that ids were to have.
    #[error("point {id}: its payload has a key {key:?} already; name another one with --id-key")]
    Key {
        /// The point.
        id: PointId,
        /// The key.
        key: String,
    },
}

/// Writes the files point by point.
#[derive(Debug)]
pub struct FaissExport<I: Write + Seek, M> {
    index: FaissWriter<I>,
    metadata: MetadataWriter<M>,
    ids: FaissIds,
    dim: usize,
}

impl<I: Write + Seek, M: Write> FaissExport<I, M> {
    /// The names of the files in their directory: the index, and the metadata.
    pub const FILES: [&'static str; 2] = [INDEX, METADATA];

    /// Begins both files. Under cosine distance vectors have length 1, so that the inner product is what they are compared by.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn new(index: I, metadata: M, dim: usize, distance: Distance, ids: FaissIds) -> io::Result<Self> {
        let metric = match distance {
            Distance::Cosine | Distance::Dot => FaissMetric::InnerProduct,
            Distance::Euclid => FaissMetric::L2,
            Distance::Manhattan => FaissMetric::L1,
        };
        let index = match ids {
            FaissIds::Map => FaissWriter::with_ids(index, dim, metric)?,
            FaissIds::Positions | FaissIds::Key(_) => FaissWriter::new(index, dim, metric)?,
        };
        Ok(FaissExport {
            index,
            metadata: MetadataWriter::new(metadata)?,
            ids,
            dim,
        })
    }

    /// Adds a point. Every vector has an entry, as the wrapper writes them.
    ///
    /// # Errors
    /// A point whose id has no place, or what writing says.
    pub fn point(&mut self, id: PointId, vector: &[f32], payload: &Payload) -> Result<(), FaissWriteError> {
        let position = self.index.rows();
        let number = match id {
            PointId::Num(number) => i64::try_from(number).ok(),
            PointId::Uuid(_) => None,
        };
        match &self.ids {
            FaissIds::Positions if id != PointId::Num(position) => {
                Err(FaissWriteError::Position { id, position })
            }
            FaissIds::Positions => {
                self.index.push(0, vector)?;
                Ok(self.metadata.entry(position, payload)?)
            }
            FaissIds::Map => {
                let number = number.ok_or(FaissWriteError::Id(id))?;
                self.index.push(number, vector)?;
                Ok(self.metadata.entry(number.unsigned_abs(), payload)?)
            }
            FaissIds::Key(key) if payload.contains_key(key) => {
                Err(FaissWriteError::Key { id, key: key.clone() })
            }
            FaissIds::Key(key) => {
                let mut payload = payload.clone();
                let given = match id {
                    PointId::Num(number) => Json::from(number),
                    PointId::Uuid(_) => Json::from(id.to_string()),
                };
                payload.insert(key.clone(), given);
                self.index.push(0, vector)?;
                Ok(self.metadata.entry(position, &payload)?)
            }
        }
    }

    /// Ends both files, and hands back what they were written to.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn finish(self) -> io::Result<(I, M)> {
        let rows = self.index.rows();
        Ok((self.index.finish()?, self.metadata.finish(rows, self.dim)?))
    }
}
