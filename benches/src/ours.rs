//! Our database as a system that is measured.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use serde_json::{Map, Value};
use vdb::{
    Collection, CollectionConfig, Control, Database, Filter, PayloadIndexKind, Point, PointId, SearchRequest,
    VectorParams,
};
use vdb_measure::{Memory, Setting, rounded, watching};

use crate::cells::INDEXES;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::system::{Made, Question, System};

const COLLECTION: &str = "bench";
/// Rows that are written together.
const BATCH: usize = 1000;

/// A database that has been made, opened anew.
pub struct Ours {
    name: String,
    collection: Collection,
    // Behind the collection: a handle goes before what it is a handle of.
    _db: Database,
}

impl Ours {
    /// Makes a database in `dir` from the data set, with one graph and with payload indexes where payloads are given.
    /// `threads` build the graph; 0 for one a core.
    pub fn make(
        dir: &Path,
        set: &Dataset,
        payloads: Option<&[Map<String, Value>]>,
        threads: usize,
    ) -> Result<Made> {
        let before = Memory::now();
        let (made, peak) = watching(|| fill(dir, set, payloads, threads));
        Ok(Made {
            peak_anon_mb: Memory::growth_mb(peak, before, |memory| memory.anonymous),
            ..made?
        })
    }

    /// Opens what `make` left.
    pub fn open(dir: &Path) -> Result<Ours> {
        let db = Database::builder().create(false).open(dir)?;
        let collection = db.collection(COLLECTION)?;
        let config = collection.config();
        let params = config
            .vectors
            .first()
            .and_then(|(_, params)| params.graph(&config));
        let name = params.map_or_else(
            || "vdb".to_owned(),
            |hnsw| format!("vdb f32 M{} efc{}", hnsw.m, hnsw.ef_construct),
        );
        Ok(Ours {
            name,
            collection,
            _db: db,
        })
    }
}

impl System for Ours {
    type Request = Arc<SearchRequest>;

    fn name(&self) -> &str {
        &self.name
    }

    fn request(&self, question: &Question<'_>) -> Result<Self::Request> {
        let request = SearchRequest::new(question.vector).limit(question.limit);
        let request = match question.setting {
            Setting::Default => request,
            Setting::Ef(ef) => request.ef(ef),
            Setting::Exact => request.exact(true),
        };
        Ok(Arc::new(match question.filter {
            Some(filter) => request.filter(Filter::from_json(filter).map_err(vdb::Error::from)?),
            None => request,
        }))
    }

    fn ask(&self, request: Self::Request) -> Result<Vec<u64>> {
        let found = self.collection.search(&request)?;
        Ok(found.iter().map(|point| number(&point.id)).collect())
    }
}

/// Ids are row numbers; one that is not belongs to no row.
pub(crate) fn number(id: &PointId) -> u64 {
    match id {
        PointId::Num(number) => *number,
        PointId::Uuid(_) => u64::MAX,
    }
}

fn index_kind(kind: &str) -> Option<PayloadIndexKind> {
    match kind {
        "keyword" => Some(PayloadIndexKind::Keyword),
        "integer" => Some(PayloadIndexKind::Integer),
        _ => None,
    }
}

fn fill(dir: &Path, set: &Dataset, payloads: Option<&[Map<String, Value>]>, threads: usize) -> Result<Made> {
    let db = Database::builder().threads(threads).open(dir)?;
    let config = CollectionConfig::new(VectorParams::new(set.dim, set.distance));
    let collection = db.create_collection(COLLECTION, config)?;
    if payloads.is_some() {
        for (path, kind) in INDEXES {
            let kind = index_kind(kind).ok_or_else(|| Error::peer("vdb", format!("no index of {kind}")))?;
            collection.create_payload_index(path, kind)?;
        }
    }

    let started = Instant::now();
    for first in (0..set.len()).step_by(BATCH) {
        let points = (first..set.len().min(first + BATCH)).map(|row| {
            let point = Point::new(row as u64, set.vector(row));
            match payloads.and_then(|all| all.get(row)) {
                Some(payload) => point.payload(Value::Object(payload.clone())),
                None => Ok(point),
            }
        });
        collection.upsert(points.collect::<Result<_, _>>()?)?;
    }
    collection.flush()?;
    let load_s = started.elapsed().as_secs_f64();

    // One segment needs no merge: all the time goes into its graph. Several are merged before the graph begins to
    // report how far it is.
    let segments = collection.info()?.segments.len();
    let (started, begun) = (Instant::now(), OnceLock::new());
    let report = |_: u64, _: u64| {
        begun.get_or_init(Instant::now);
    };
    collection.optimize(&Control::new(&|| false, &report))?;
    let total_s = started.elapsed().as_secs_f64();
    let merge_s = match begun.get() {
        Some(begun) if segments > 1 => begun.duration_since(started).as_secs_f64(),
        Some(_) | None => 0.0,
    };
    db.close()?;
    let seconds = |s: f64| Some(rounded(s, 3));
    Ok(Made {
        load_s: seconds(load_s),
        merge_s: seconds(merge_s),
        build_s: seconds(total_s - merge_s),
        peak_anon_mb: None,
    })
}
