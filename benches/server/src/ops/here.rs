//! The searches without a server: in this process, and by another thread of it behind a bare socket.

use std::path::Path;

use vdb::{Collection, CollectionConfig, Database, Point, SearchRequest, Status, VectorParams};
use vdb_benches::{Error, Question, Result};
use vdb_measure::Setting;

use super::bare::{Asking, Bare};
use super::measuring::{FloorLine, Health, LIMIT, Measuring, prepare, settle};
use crate::server::{Connection, State};

/// Microseconds of the half of the searches.
pub(super) struct Here {
    pub(super) embedded_us: f64,
    pub(super) socket_us: f64,
}

/// A search in this process, as a connection.
struct Embedded<'a> {
    collection: &'a Collection,
    requests: Vec<SearchRequest>,
}

fn request(vector: &[f32], limit: usize, setting: Setting) -> SearchRequest {
    let request = SearchRequest::new(vector.to_vec()).limit(limit);
    match setting {
        Setting::Default => request,
        Setting::Ef(ef) => request.ef(ef),
        Setting::Exact => request.exact(true),
    }
}

/// The ids of what a search finds.
fn found(collection: &Collection, request: &SearchRequest) -> Result<Vec<u64>> {
    let hits = collection.search(request).map_err(ours)?;
    let id = |hit: &vdb::ScoredPoint| match hit.id {
        vdb::PointId::Num(number) => Some(number),
        vdb::PointId::Uuid(_) => None,
    };
    Ok(hits.iter().filter_map(id).collect())
}

fn ours(error: vdb::Error) -> Error {
    Error::Database(Box::new(error))
}

impl Connection for Embedded<'_> {
    fn prepare(&mut self, question: &Question<'_>, _: bool) -> Result<()> {
        self.requests
            .push(request(question.vector, question.limit, question.setting));
        Ok(())
    }

    fn clear(&mut self) {
        self.requests.clear();
    }

    fn ask(&mut self, question: usize) -> Result<Vec<u64>> {
        let none = || Error::Program("a question that was not prepared".to_owned());
        let request = self.requests.get(question).ok_or_else(none)?;
        found(self.collection, request)
    }

    fn health(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Measures them. `scratch` is where the database goes.
pub(super) fn here(measuring: &mut Measuring<'_>, scratch: &Path) -> Result<Here> {
    let (set, plan) = (measuring.set, measuring.plan);
    let database = Database::open(scratch).map_err(ours)?;
    let config = CollectionConfig::new(VectorParams::new(set.dim, set.distance));
    let collection = database.create_collection("floor", config).map_err(ours)?;
    for first in (0..set.len()).step_by(plan.batch.max(1)) {
        let rows = first..set.len().min(first + plan.batch.max(1));
        let points = rows.map(|row| Point::new(row as u64, set.vector(row).to_vec()));
        collection.upsert(points.collect()).map_err(ours)?;
    }
    // As in a server, nobody says when to merge.
    let segments = settle("this process", set, plan, || {
        let info = collection.info().map_err(ours)?;
        Ok(State {
            green: info.status == Status::Ready,
            points: info.points,
            segments: info.segments.len() as u64 + 1,
        })
    })?;
    let mut embedded = Embedded {
        collection: &collection,
        requests: Vec::new(),
    };
    prepare(&mut embedded, set, plan)?;
    let embedded = measuring.load(&mut [Box::new(embedded)])?;
    measuring.tell(&FloorLine {
        recall: Some(embedded.recall),
        segments: Some(segments),
        ..FloorLine::of("search", "embedded", 1, &embedded)
    })?;
    let socket_us = behind_a_socket(measuring, &collection, segments)?;
    database.close().map_err(ours)?;
    Ok(Here {
        embedded_us: embedded.p50_us,
        socket_us,
    })
}

/// Microseconds of the half of the searches that another thread makes.
fn behind_a_socket(measuring: &mut Measuring<'_>, collection: &Collection, segments: u64) -> Result<f64> {
    let (set, plan) = (measuring.set, measuring.plan);
    let bare = Bare::listen()?;
    // Both are there before anybody answers: one that is not asked in the end is gone, and nobody waits for it.
    let (mut idle, mut busy) = (
        Asking::connect(bare.address()?)?,
        Asking::connect(bare.address()?)?,
    );
    prepare(&mut idle, set, plan)?;
    prepare(&mut busy, set, plan)?;
    std::thread::scope(|scope| {
        let search = |vector: &[f32]| found(collection, &request(vector, LIMIT, plan.setting));
        let answer = move || bare.answer(search).and_then(|()| bare.answer(search));
        let answering = plan.cores.there(|| Ok(scope.spawn(answer)))?;
        let nothing = measuring.load(&mut [Box::new(Health(Box::new(idle)))])?;
        measuring.tell(&FloorLine::of("health", "socket", 1, &nothing))?;
        let measured = measuring.load(&mut [Box::new(busy)])?;
        answering
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        measuring.tell(&FloorLine {
            recall: Some(measured.recall),
            segments: Some(segments),
            ..FloorLine::of("search", "socket", 1, &measured)
        })?;
        Ok(measured.p50_us)
    })
}
