//! What a call costs over the same call in one process.
//!
//! Four things on one machine, with one and the same data: a call that does nothing (the health check), the search in this
//! process, the search over gRPC and over REST, by several numbers of connections. And writes that wait, in batches.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use vdb::{CollectionConfig, Control, Database, Point, SearchRequest, VectorParams};
use vdb_benches::{Dataset, Error, Question, Result};
use vdb_measure::{Measured, Setting, rounded};

use crate::load::load;
use crate::server::{Connection, Server, renew};

/// Neighbours asked for.
const LIMIT: usize = 10;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Floor {
    /// How many connections ask at the same time.
    pub connections: Vec<usize>,
    /// How often every query is asked.
    pub passes: usize,
    /// Points of a batch that is written.
    pub batch: usize,
    /// Width of the beam.
    pub setting: Setting,
    /// How long is waited for the index.
    pub patience: Duration,
}

/// One of the measurements.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FloorLine {
    /// `health`, `search` or `upsert`.
    pub what: &'static str,
    /// `embedded`, `grpc` or `rest`.
    pub by: &'static str,
    /// Connections at the same time.
    pub connections: usize,
    /// Calls a second of all connections; of writes, points.
    pub per_s: f64,
    /// Microseconds of a call.
    pub p50_us: f64,
    /// Microseconds of a call.
    pub p99_us: f64,
    /// Of the ten nearest.
    pub recall: Option<f64>,
    /// Microseconds that the half of the calls takes longer than in this process, on one connection.
    pub over_embedded_us: Option<f64>,
    /// Of these, what the half of the calls that do nothing does not take as well: what the server itself adds to a search.
    pub over_health_us: Option<f64>,
}

impl FloorLine {
    fn of(what: &'static str, by: &'static str, connections: usize, measured: &Measured) -> Self {
        FloorLine {
            what,
            by,
            connections,
            per_s: measured.qps,
            p50_us: measured.p50_us,
            p99_us: measured.p99_us,
            ..FloorLine::default()
        }
    }
}

/// A connection that asks how the server is.
struct Health<'a>(Box<dyn Connection + 'a>);

impl Connection for Health<'_> {
    fn prepare(&mut self, question: &Question<'_>, int8: bool) -> Result<()> {
        self.0.prepare(question, int8)
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn ask(&mut self, _: usize) -> Result<Vec<u64>> {
        self.0.health().map(|()| Vec::new())
    }

    fn health(&mut self) -> Result<()> {
        self.0.health()
    }
}

/// A search in this process, as a connection.
struct Embedded<'a> {
    collection: &'a vdb::Collection,
    requests: Vec<SearchRequest>,
}

impl Connection for Embedded<'_> {
    fn prepare(&mut self, question: &Question<'_>, _: bool) -> Result<()> {
        let request = SearchRequest::new(question.vector.to_vec()).limit(question.limit);
        self.requests.push(match question.setting {
            Setting::Default => request,
            Setting::Ef(ef) => request.ef(ef),
            Setting::Exact => request.exact(true),
        });
        Ok(())
    }

    fn clear(&mut self) {
        self.requests.clear();
    }

    fn ask(&mut self, question: usize) -> Result<Vec<u64>> {
        let none = || Error::Program("a question that was not prepared".to_owned());
        let request = self.requests.get(question).ok_or_else(none)?;
        let hits = self
            .collection
            .search(request)
            .map_err(|error| Error::Database(Box::new(error)))?;
        let id = |hit: &vdb::ScoredPoint| match hit.id {
            vdb::PointId::Num(number) => Some(number),
            vdb::PointId::Uuid(_) => None,
        };
        Ok(hits.iter().filter_map(id).collect())
    }

    fn health(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Measures all of it. `scratch` is where the database of this process goes.
pub fn floor(
    servers: &[&dyn Server],
    set: &Dataset,
    scratch: &Path,
    plan: &Floor,
    tell: &mut dyn FnMut(&FloorLine) -> Result<()>,
) -> Result<()> {
    let truth = set.truth(LIMIT);
    let embedded = search_here(set, scratch, plan, &truth)?;
    tell(&embedded)?;
    let mut idle = Vec::new();
    for server in servers {
        for &connections in &plan.connections {
            let mut open = connect(*server, connections, set, plan)?
                .into_iter()
                .map(|connection| Box::new(Health(connection)) as Box<dyn Connection + '_>)
                .collect::<Vec<_>>();
            let measured = load(&mut open, &truth, plan.passes)?;
            if connections == 1 {
                idle.push((server.transport(), measured.p50_us));
            }
            tell(&FloorLine::of(
                "health",
                server.transport(),
                connections,
                &measured,
            ))?;
        }
    }
    for server in servers {
        tell(&write(*server, set, plan)?)?;
        wait(*server, set, plan)?;
        for &connections in &plan.connections {
            let mut open = connect(*server, connections, set, plan)?;
            let measured = load(&mut open, &truth, plan.passes)?;
            let over = (connections == 1).then_some(measured.p50_us - embedded.p50_us);
            let floor = idle.iter().find(|(by, _)| *by == server.transport());
            let added = over.zip(floor).map(|(over, (_, floor))| over - floor);
            tell(&FloorLine {
                recall: Some(measured.recall),
                over_embedded_us: over.map(|us| rounded(us, 1)),
                over_health_us: added.map(|us| rounded(us, 1)),
                ..FloorLine::of("search", server.transport(), connections, &measured)
            })?;
        }
        server.delete()?;
    }
    Ok(())
}

fn connect<'a>(
    server: &'a dyn Server,
    connections: usize,
    set: &Dataset,
    plan: &Floor,
) -> Result<Vec<Box<dyn Connection + 'a>>> {
    let open = |_| {
        let mut connection = server.connect()?;
        prepare(&mut *connection, set, plan)?;
        Ok(connection as Box<dyn Connection + 'a>)
    };
    (0..connections).map(open).collect()
}

fn prepare(connection: &mut dyn Connection, set: &Dataset, plan: &Floor) -> Result<()> {
    for vector in &set.queries {
        let question = Question {
            vector,
            limit: LIMIT,
            setting: plan.setting,
            filter: None,
        };
        connection.prepare(&question, false)?;
    }
    Ok(())
}

fn search_here(set: &Dataset, scratch: &Path, plan: &Floor, truth: &[Vec<u64>]) -> Result<FloorLine> {
    let ours = |error: vdb::Error| Error::Database(Box::new(error));
    let database = Database::open(scratch).map_err(ours)?;
    let config = CollectionConfig::new(VectorParams::new(set.dim, set.distance));
    let collection = database.create_collection("floor", config).map_err(ours)?;
    for first in (0..set.len()).step_by(plan.batch.max(1)) {
        let rows = first..set.len().min(first + plan.batch.max(1));
        let points = rows.map(|row| Point::new(row as u64, set.vector(row).to_vec()));
        collection.upsert(points.collect()).map_err(ours)?;
    }
    collection.optimize(&Control::none()).map_err(ours)?;
    let mut here = Embedded {
        collection: &collection,
        requests: Vec::new(),
    };
    prepare(&mut here, set, plan)?;
    let mut open: Vec<Box<dyn Connection + '_>> = vec![Box::new(here)];
    let measured = load(&mut open, truth, plan.passes)?;
    drop(open);
    database.close().map_err(ours)?;
    Ok(FloorLine {
        recall: Some(measured.recall),
        ..FloorLine::of("search", "embedded", 1, &measured)
    })
}

/// Writes all rows over one connection, each batch when the one before it is done.
fn write(server: &dyn Server, set: &Dataset, plan: &Floor) -> Result<FloorLine> {
    renew(server, set)?;
    let batch = plan.batch.max(1);
    let (mut times, started) = (Vec::new(), Instant::now());
    for first in (0..set.len()).step_by(batch) {
        let vectors: Vec<&[f32]> = (first..set.len().min(first + batch))
            .map(|row| set.vector(row))
            .collect();
        let before = Instant::now();
        server.upsert(first as u64, &vectors, &[])?;
        times.push(before.elapsed().as_secs_f64() * 1e6);
    }
    let seconds = started.elapsed().as_secs_f64();
    let measured = Measured::of(times, 0.0, 1);
    Ok(FloorLine {
        per_s: rounded(set.len() as f64 / seconds, 1),
        ..FloorLine::of("upsert", server.transport(), 1, &measured)
    })
}

/// Waits until the index is complete: green, seen twice.
fn wait(server: &dyn Server, set: &Dataset, plan: &Floor) -> Result<()> {
    let (mut green, started) = (0, Instant::now());
    while green < 2 {
        let state = server.state()?;
        green = if state.green && state.points == set.len() as u64 {
            green + 1
        } else {
            0
        };
        if started.elapsed() > plan.patience {
            return Err(Error::peer(
                server.transport(),
                "its index is not complete; give it more --patience",
            ));
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    Ok(())
}

/// Rows and queries around some centres, as embeddings lie: of length one, the same for the same numbers.
pub fn random(rows: usize, dim: usize, queries: usize) -> Dataset {
    const CENTRES: usize = 256;
    let mut dice = super::Dice::new(rows as u64 + 31 * dim as u64);
    // The sum of a few even draws is near enough to a normal one.
    let mut draw = || {
        (0..4)
            .map(|_| dice.below(1 << 20) as f32 / (1 << 20) as f32 - 0.5)
            .sum::<f32>()
    };
    let centres: Vec<f32> = (0..CENTRES * dim).map(|_| draw()).collect();
    let mut near = |number: usize| -> Vec<f32> {
        let centre = centres.iter().skip(number % CENTRES * dim).take(dim);
        let vector: Vec<f32> = centre.map(|middle| middle + 0.6 * draw()).collect();
        let length = vector
            .iter()
            .map(|number| number * number)
            .sum::<f32>()
            .sqrt()
            .max(f32::MIN_POSITIVE);
        vector.into_iter().map(|number| number / length).collect()
    };
    Dataset {
        name: "random".to_owned(),
        dim,
        distance: vdb::Distance::Cosine,
        vectors: (0..rows).flat_map(&mut near).collect(),
        queries: (0..queries).map(|query| near(7 * query)).collect(),
        payloads: Vec::new(),
        asked: Vec::new(),
        known: Vec::new(),
    }
}
