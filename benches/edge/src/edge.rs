//! A shard of `qdrant-edge` as a system that is measured.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use qdrant_edge::{
    EdgeConfig, EdgeShard, Filter, NamedQuery, PointId, PointInsertOperations, PointOperations, PointStruct,
    QueryEnum, QueryRequest, ScoringQuery, SearchParams, UpdateOperation, VectorInternal,
};
use serde_json::{Map, Value, json};
use vdb_benches::{Dataset, Error, INDEXES, Made, Question, Result, System};
use vdb_measure::{Memory, Setting, rounded, watching};

const NAME: &str = "qdrant-edge";
/// Rows that are written together.
const BATCH: usize = 1000;

/// How a shard keeps its vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// As its defaults have it: `f32` only.
    Default,
    /// Walks on 8-bit codes in memory, scaled to the 99 % in the middle.
    Int8,
}

/// How 8-bit codes are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rescore {
    /// Whatever the system does when it is not told.
    Unsaid,
    /// Twice as many candidates as results, scored again in full.
    Twice,
}

/// A shard that has been made, opened anew.
pub(crate) struct Edge {
    name: String,
    // Two ways to ask share one: a shard is open once.
    shard: Arc<EdgeShard>,
    rescore: Rescore,
}

/// What the core said.
pub(crate) fn failed(error: impl std::fmt::Display) -> Error {
    Error::peer(NAME, error)
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(failed)
}

impl Edge {
    /// Makes a shard in `dir`.
    pub(crate) fn make(
        dir: &Path,
        set: &Dataset,
        payloads: Option<&[Map<String, Value>]>,
        storage: Storage,
    ) -> Result<Made> {
        let before = Memory::now();
        let (made, peak) = watching(|| fill(dir, set, payloads, storage));
        Ok(Made {
            peak_anon_mb: Memory::growth_mb(peak, before, |memory| memory.anonymous),
            ..made?
        })
    }

    /// Opens what `make` left.
    pub(crate) fn open(dir: &Path, name: &str, rescore: Rescore) -> Result<Edge> {
        Ok(Edge {
            name: name.to_owned(),
            shard: Arc::new(EdgeShard::load(dir, None).map_err(failed)?),
            rescore,
        })
    }

    /// The same shard, asked in another way.
    pub(crate) fn otherwise(&self, name: &str, rescore: Rescore) -> Edge {
        Edge {
            name: name.to_owned(),
            shard: Arc::clone(&self.shard),
            rescore,
        }
    }
}

impl System for Edge {
    type Request = QueryRequest;

    fn name(&self) -> &str {
        &self.name
    }

    fn request(&self, question: &Question<'_>) -> Result<QueryRequest> {
        let mut params = Map::new();
        match question.setting {
            Setting::Default => {}
            Setting::Ef(ef) => {
                params.insert("hnsw_ef".to_owned(), json!(ef));
            }
            Setting::Exact => {
                params.insert("exact".to_owned(), json!(true));
            }
        }
        if self.rescore == Rescore::Twice {
            params.insert(
                "quantization".to_owned(),
                json!({"rescore": true, "oversampling": 2.0}),
            );
        }
        let params: SearchParams = from_json(Value::Object(params))?;
        let filter: Option<Filter> = question.filter.cloned().map(from_json).transpose()?;
        let vector = VectorInternal::Dense(question.vector.to_vec());
        let query = QueryEnum::Nearest(NamedQuery {
            query: vector,
            using: None,
        });
        Ok(QueryRequest {
            query: Some(ScoringQuery::Vector(query)),
            filter,
            params: Some(params),
            ..QueryRequest::new(question.limit)
        })
    }

    fn ask(&self, request: QueryRequest) -> Result<Vec<u64>> {
        let found = self.shard.query(request).map_err(failed)?;
        let number = |id: &PointId| match id {
            PointId::NumId(number) => *number,
            PointId::Uuid(_) => u64::MAX,
        };
        Ok(found.iter().map(|point| number(&point.id)).collect())
    }
}

/// How the shard calls a data set's distance.
pub(crate) fn distance(set: &Dataset) -> &'static str {
    match set.distance {
        vdb::Distance::Cosine => "Cosine",
        vdb::Distance::Dot => "Dot",
        vdb::Distance::Euclid => "Euclid",
        vdb::Distance::Manhattan => "Manhattan",
    }
}

/// A new shard in `dir`, which is made.
pub(crate) fn create(dir: &Path, set: &Dataset, storage: Storage) -> Result<EdgeShard> {
    let distance = distance(set);
    let mut config = json!({"vectors": {"": {"size": set.dim, "distance": distance}}});
    if storage == Storage::Int8 {
        config["quantization_config"] =
            json!({"scalar": {"type": "int8", "quantile": 0.99, "always_ram": true}});
    }
    let config: EdgeConfig = from_json(config)?;
    std::fs::create_dir_all(dir).map_err(Error::file(dir))?;
    EdgeShard::new(dir, config).map_err(failed)
}

/// Writes rows, the first of which has this number.
pub(crate) fn upsert<'a>(
    first: usize,
    vectors: impl Iterator<Item = &'a [f32]>,
    payload: impl Fn(usize) -> Map<String, Value>,
) -> UpdateOperation {
    let points = (first..).zip(vectors).map(|(row, vector)| {
        PointStruct::new(row as u64, vector.to_vec(), Value::Object(payload(row))).into()
    });
    let points = PointInsertOperations::PointsList(points.collect());
    UpdateOperation::PointOperation(PointOperations::UpsertPoints(points))
}

fn fill(
    dir: &Path,
    set: &Dataset,
    payloads: Option<&[Map<String, Value>]>,
    storage: Storage,
) -> Result<Made> {
    let shard = create(dir, set, storage)?;
    if payloads.is_some() {
        for (path, kind) in INDEXES {
            let index = json!({"create_index": {"field_name": path, "field_schema": kind}});
            let operation = UpdateOperation::FieldIndexOperation(from_json(index)?);
            shard.update(operation).map_err(failed)?;
        }
    }
    let started = Instant::now();
    for first in (0..set.len()).step_by(BATCH) {
        let rows = first..set.len().min(first + BATCH);
        let payload = |row: usize| payloads.and_then(|all| all.get(row)).cloned().unwrap_or_default();
        let operation = upsert(first, rows.map(|row| set.vector(row)), payload);
        shard.update(operation).map_err(failed)?;
    }
    let load_s = started.elapsed().as_secs_f64();
    let started = Instant::now();
    shard.optimize().map_err(failed)?;
    let build_s = started.elapsed().as_secs_f64();
    shard.flush().map_err(failed)?;
    Ok(Made {
        load_s: Some(rounded(load_s, 3)),
        merge_s: None,
        build_s: Some(rounded(build_s, 3)),
        peak_anon_mb: None,
    })
}
