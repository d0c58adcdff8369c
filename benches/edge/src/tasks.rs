//! A shard of `qdrant-edge` that is asked more than for the nearest vectors: counts, sparse and hybrid searches.

use std::path::Path;

use qdrant_edge::{
    CountRequest, EdgeConfig, EdgeShard, Filter, Fusion, NamedQuery, PointId, PointInsertOperations,
    PointOperations, PointStruct, Prefetch, QueryEnum, QueryRequest, ScoringQuery, SparseVector,
    UpdateOperation, Vector, VectorInternal, Vectors,
};
use serde_json::{Value, json};
use vdb_benches::{
    Contender, Corpus, DENSE, Error, LIMIT, OursTasks, Performer, RRF_K, Result, Task, TaskKind,
    WORDS, measure_tasks, task_indexes,
};
use vdb_measure::Plan;

use crate::edge::{failed, from_json};
use crate::tell;

/// Rows that are written together.
const BATCH: usize = 1000;

/// A shard with all that a corpus has, opened anew.
struct EdgeTasks {
    shard: EdgeShard,
}

impl EdgeTasks {
    fn open(dir: &Path) -> Result<EdgeTasks> {
        let shard = EdgeShard::load(dir, None).map_err(failed)?;
        Ok(EdgeTasks { shard })
    }
}

/// Its settings are the defaults, but for links of the graph by payload: no filtered search is asked, and with an index on
/// every field they would take long to build.
fn fill(dir: &Path, corpus: &Corpus<'_>) -> Result<()> {
    let set = corpus.set;
    let distance = crate::edge::distance(set);
    let config: EdgeConfig = from_json(json!({
        "vectors": {DENSE: {"size": set.dim, "distance": distance}},
        "sparse_vectors": {WORDS: {"modifier": "idf"}},
        "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000, "payload_m": 0},
    }))?;
    std::fs::create_dir_all(dir).map_err(Error::file(dir))?;
    let shard = EdgeShard::new(dir, config).map_err(failed)?;
    for (path, kind) in task_indexes() {
        let index = json!({"create_index": {"field_name": path, "field_schema": kind}});
        let operation = UpdateOperation::FieldIndexOperation(from_json(index)?);
        shard.update(operation).map_err(failed)?;
    }
    for first in (0..set.len()).step_by(BATCH) {
        let rows = first..set.len().min(first + BATCH);
        let points = rows.map(|row| {
            let mut vectors = vec![(DENSE, Vector::from(set.vector(row)))];
            if let Some(words) = corpus
                .texts
                .documents
                .get(row)
                .filter(|words| !words.indices.is_empty())
            {
                let words = Vector::new_sparse(words.indices.clone(), words.values.clone());
                vectors.push((WORDS, words.map_err(failed)?));
            }
            let payload = corpus.payloads.get(row).cloned().unwrap_or_default();
            let vectors = Vectors::new_named(vectors);
            Ok(PointStruct::new(row as u64, vectors, Value::Object(payload)).into())
        });
        let points = PointInsertOperations::PointsList(points.collect::<Result<Vec<_>>>()?);
        let operation = UpdateOperation::PointOperation(PointOperations::UpsertPoints(points));
        shard.update(operation).map_err(failed)?;
    }
    shard.optimize().map_err(failed)?;
    shard.flush().map_err(failed)
}

/// A question as the shard takes it.
#[derive(Clone)]
enum Request {
    Count(CountRequest),
    Query(QueryRequest),
}

fn nearest(using: &str, query: VectorInternal) -> ScoringQuery {
    ScoringQuery::Vector(QueryEnum::Nearest(NamedQuery::new(query, using)))
}

fn dense(vector: &[f32]) -> ScoringQuery {
    nearest(DENSE, VectorInternal::Dense(vector.to_vec()))
}

fn words(vector: &vdb::SparseVector) -> Result<ScoringQuery> {
    let words = SparseVector::new(vector.indices.clone(), vector.values.clone()).map_err(failed)?;
    Ok(nearest(WORDS, VectorInternal::Sparse(words)))
}

fn prefetch(query: ScoringQuery, limit: usize) -> Prefetch {
    Prefetch {
        query: Some(query),
        ..Prefetch::new(limit)
    }
}

impl Performer for EdgeTasks {
    type Request = Request;

    fn name(&self) -> &str {
        "qdrant-edge"
    }

    fn request(&self, task: Task<'_>) -> Result<Request> {
        let mut limit = LIMIT;
        let (query, prefetches) = match task {
            Task::Count(filter) => {
                let filter: Filter = from_json(filter.clone())?;
                return Ok(Request::Count(CountRequest {
                    filter: Some(filter),
                    exact: true,
                }));
            }
            Task::Dense(vector, wanted) => {
                limit = wanted;
                (dense(vector), Vec::new())
            }
            Task::Sparse(vector) => (words(vector)?, Vec::new()),
            Task::Hybrid(vector, texts, each) => {
                let fusion = Fusion::Rrf {
                    k: RRF_K as usize,
                    weights: None,
                };
                let both = vec![prefetch(dense(vector), each), prefetch(words(texts)?, each)];
                (ScoringQuery::Fusion(fusion), both)
            }
        };
        Ok(Request::Query(QueryRequest {
            query: Some(query),
            prefetches,
            ..QueryRequest::new(limit)
        }))
    }

    fn perform(&self, request: Request) -> Result<Vec<u64>> {
        match request {
            Request::Count(request) => Ok(vec![self.shard.count(request).map_err(failed)? as u64]),
            Request::Query(request) => {
                let found = self.shard.query(request).map_err(failed)?;
                let number = |id: &PointId| match id {
                    PointId::NumId(number) => *number,
                    PointId::Uuid(_) => u64::MAX,
                };
                Ok(found.iter().map(|point| number(&point.id)).collect())
            }
        }
    }
}

/// Makes what is not there yet in `home`; a folder without its note is what an earlier run left half done.
fn made(home: &Path, make: impl FnOnce() -> Result<()>) -> Result<()> {
    let note = home.with_extension("made");
    if home.exists() && note.exists() {
        return Ok(());
    }
    if home.exists() {
        std::fs::remove_dir_all(home).map_err(Error::file(home))?;
    }
    eprintln!("making {}", home.display());
    make()?;
    std::fs::write(&note, "").map_err(Error::file(&note))
}

/// Asks ours and a shard in turns, whose databases are in `dir` or are made there.
pub(crate) fn run(corpus: &Corpus<'_>, dir: &Path, kinds: &[TaskKind], plan: &Plan) -> Result<()> {
    let (ours, edge) = (dir.join("vdb-tasks"), dir.join("edge-tasks"));
    made(&ours, || OursTasks::make(&ours, corpus).map(drop))?;
    made(&edge, || fill(&edge, corpus))?;
    let (ours, edge) = (OursTasks::open(&ours)?, EdgeTasks::open(&edge)?);
    let contenders: [&dyn Contender; 2] = [&ours, &edge];
    measure_tasks(corpus, kinds, &contenders, plan, &mut |line| tell(&line))
}
