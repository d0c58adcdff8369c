//! Our database as a system that is asked more than for the nearest vectors.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use vdb::{
    Collection, CollectionConfig, Control, Database, Filter, Fusion, Modifier, PayloadIndexParams, Point,
    Prefetch, Query, QueryRequest, SparseVectorParams, VectorParams, Vectors,
};

use crate::conditions::indexes;
use crate::error::{Error, Result};
use crate::ours::number;
use crate::tasks::{Corpus, DENSE, LIMIT, Performer, RRF_K, Task, WORDS};

const COLLECTION: &str = "tasks";
/// Rows that are written together.
const BATCH: usize = 1000;

/// A database for [tasks](crate::measure_tasks).
pub struct OursTasks {
    collection: Collection,
    // Behind the collection: a handle goes before what it is a handle of.
    _db: Database,
}

impl OursTasks {
    /// Makes a database in `dir` with all that a corpus has, in one segment with all its indexes, and opens it anew.
    pub fn make(dir: &Path, corpus: &Corpus<'_>) -> Result<OursTasks> {
        fill(dir, corpus)?;
        OursTasks::open(dir)
    }

    /// Opens what [`make`](Self::make) left.
    pub fn open(dir: &Path) -> Result<OursTasks> {
        let db = Database::builder().create(false).open(dir)?;
        Ok(OursTasks {
            collection: db.collection(COLLECTION)?,
            _db: db,
        })
    }
}

fn fill(dir: &Path, corpus: &Corpus<'_>) -> Result<()> {
    let set = corpus.set;
    let db = Database::builder().open(dir)?;
    let config = CollectionConfig::default()
        .vector(DENSE, VectorParams::new(set.dim, set.distance))
        .sparse_vector(WORDS, SparseVectorParams::new().modifier(Modifier::Idf));
    let collection = db.create_collection(COLLECTION, config)?;
    for (path, index) in indexes() {
        collection.create_payload_index(path, PayloadIndexParams::from_json(&index)?)?;
    }
    for first in (0..set.len()).step_by(BATCH) {
        let points = (first..set.len().min(first + BATCH)).map(|row| {
            let vectors = Vectors::default().with(DENSE, set.vector(row));
            let vectors = match corpus.texts.documents.get(row) {
                Some(words) if !words.indices.is_empty() => vectors.with(WORDS, words.clone()),
                Some(_) | None => vectors,
            };
            let payload = corpus.payloads.get(row).cloned().unwrap_or_default();
            Point::new(row as u64, vectors).payload(Value::Object(payload))
        });
        collection.upsert(points.collect::<Result<_, _>>()?)?;
    }
    collection.flush()?;
    collection.optimize(&Control::none())?;
    db.close()?;
    Ok(())
}

/// A question as the embedded interface takes it.
#[derive(Clone, Debug)]
pub enum OurRequest {
    /// How many match.
    Count(Arc<Filter>),
    /// The best points.
    Query(Arc<QueryRequest>),
}

impl Performer for OursTasks {
    type Request = OurRequest;

    fn name(&self) -> &str {
        "vdb"
    }

    fn request(&self, task: Task<'_>) -> Result<OurRequest> {
        let mut limit = LIMIT;
        let query = match task {
            Task::Count(filter) => {
                let filter = Filter::from_json(filter).map_err(vdb::Error::from)?;
                return Ok(OurRequest::Count(Arc::new(filter)));
            }
            Task::Dense(vector, wanted) => {
                limit = wanted;
                QueryRequest::new(Query::nearest(vector.to_vec())).using(DENSE)
            }
            Task::Sparse(vector) => QueryRequest::new(Query::nearest(vector.clone())).using(WORDS),
            Task::Hybrid(dense, words, each) => {
                let fusion = Fusion::Rrf {
                    k: RRF_K,
                    weights: None,
                };
                let dense = Prefetch::new(Query::nearest(dense.to_vec())).using(DENSE);
                let words = Prefetch::new(Query::nearest(words.clone())).using(WORDS);
                QueryRequest::new(Query::Fusion(fusion))
                    .prefetch(dense.limit(each))
                    .prefetch(words.limit(each))
            }
        };
        Ok(OurRequest::Query(Arc::new(query.limit(limit))))
    }

    fn perform(&self, request: OurRequest) -> Result<Vec<u64>> {
        match request {
            OurRequest::Count(filter) => Ok(vec![self.collection.count(Some(&filter))?]),
            OurRequest::Query(request) => {
                let found = self.collection.query(&request).map_err(Error::from)?;
                Ok(found.iter().map(|point| number(&point.id)).collect())
            }
        }
    }
}
