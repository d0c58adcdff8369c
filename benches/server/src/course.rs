//! All of it in order: upload, wait for the index, ask.

use std::time::{Duration, Instant};

use vdb_benches::{Cells, Dataset, Error, INDEXES, Question, Result, Setting};
use vdb_measure::{Line, Memory, rounded};

use crate::load::{Load, load};
use crate::server::{Connection, Params, Server};

/// Neighbours asked for.
const LIMIT: usize = 10;
/// Rows that are uploaded together.
const BATCH: usize = 1000;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Course {
    /// Walk on 8-bit codes.
    pub int8: bool,
    /// Settings of the searches.
    pub settings: Vec<Setting>,
    /// How many connections ask at the same time, one measurement each.
    pub connections: Vec<usize>,
    /// How often every query is asked.
    pub passes: usize,
    /// Whether searches with filters are measured too, over the first number of connections.
    pub filters: bool,
    /// How many of the queries are asked with a filter.
    pub filtered_queries: usize,
    /// Time between two looks at whether the index is complete.
    pub pause: Duration,
    /// How long is waited for it.
    pub patience: Duration,
    /// Process number of the server, if it runs here: its memory is told.
    pub pid: Option<u32>,
    /// Replace a collection of the same name.
    pub replace: bool,
    /// Leave the collection there.
    pub keep: bool,
}

/// What is done with each measurement.
pub type Sink<'a> = &'a mut dyn FnMut(Line) -> Result<()>;

/// Loads the data by the first of the servers, which are all one by different transports, and asks each of them.
pub fn run(servers: &[&dyn Server], set: &Dataset, course: &Course, tell: Sink<'_>) -> Result<()> {
    let Some(first) = servers.first() else {
        return Ok(());
    };
    let name = first.name()? + if course.int8 { " sq8 rescore x2" } else { "" };
    if first.exists()? {
        if !course.replace {
            let message = "it holds a collection of this name; name another, or --replace it";
            return Err(Error::peer(&name, message));
        }
        first.delete()?;
    }
    let cells = course.filters.then(|| Cells::of(set));
    let (load_s, build_s) = upload(*first, set, course, cells.as_ref())?;
    let memory = course.pid.and_then(Memory::of);
    let mb = |part: fn(&Memory) -> u64| memory.as_ref().map(|m| rounded(part(m) as f64 / 1e6, 1));
    let known = Line {
        system: name,
        build_s: Some(rounded(build_s, 3)),
        load_s: Some(rounded(load_s, 3)),
        rss_mb: mb(|m| m.total),
        rss_anon_mb: mb(|m| m.anonymous),
        rss_file_mb: mb(|m| m.file),
        rows: Some(set.len() as u64),
        data: Some(set.name.clone()),
        passes: Some(course.passes),
        ..Line::default()
    };
    let truth = set.truth(LIMIT);
    for server in servers {
        for connections in &course.connections {
            let mut open = connect(*server, *connections)?;
            for setting in &course.settings {
                let load = ask(&mut open, &set.queries, &truth, *setting, None, course)?;
                tell(line(
                    &known,
                    *server,
                    *connections,
                    *setting,
                    &load,
                    set.queries.len(),
                ))?;
            }
        }
        let Some(connections) = course.connections.first() else {
            continue;
        };
        let asked = &set.queries[..course.filtered_queries.min(set.queries.len())];
        let mut open = connect(*server, *connections)?;
        for cell in cells.iter().flat_map(|cells| cells.named(&[])) {
            let mut truth = set.nearest(LIMIT, Some(&cell.among));
            truth.truncate(asked.len());
            for setting in &course.settings {
                let load = ask(&mut open, asked, &truth, *setting, Some(&cell.filter), course)?;
                tell(Line {
                    filter: Some(cell.name.clone()),
                    share: Some(rounded(cell.share(), 5)),
                    ..line(&known, *server, *connections, *setting, &load, asked.len())
                })?;
            }
        }
    }
    if course.keep { Ok(()) } else { first.delete() }
}

fn line(
    known: &Line,
    server: &dyn Server,
    connections: usize,
    setting: Setting,
    load: &Load,
    queries: usize,
) -> Line {
    Line {
        setting: setting.to_string(),
        recall: load.recall,
        qps: load.qps,
        p50_us: Some(load.p50_us),
        p95_us: Some(load.p95_us),
        p99_us: Some(load.p99_us),
        transport: Some(server.transport().to_owned()),
        connections: Some(connections),
        queries: Some(queries),
        ..known.clone()
    }
}

/// Seconds for writing all rows, and from then on until the index is complete.
fn upload(server: &dyn Server, set: &Dataset, course: &Course, cells: Option<&Cells>) -> Result<(f64, f64)> {
    server.create(&Params {
        dim: set.dim,
        distance: set.distance,
        int8: course.int8,
    })?;
    if cells.is_some() {
        for (path, kind) in INDEXES {
            server.index(path, kind)?;
        }
    }
    let started = Instant::now();
    for first in (0..set.len()).step_by(BATCH) {
        let rows = first..set.len().min(first + BATCH);
        let payloads = cells.and_then(|cells| cells.payloads.get(rows.clone()));
        let vectors: Vec<&[f32]> = rows.map(|row| set.vector(row)).collect();
        server.upsert(first as u64, &vectors, payloads.unwrap_or_default())?;
    }
    let loaded = Instant::now();
    let load_s = loaded.duration_since(started).as_secs_f64();
    // An optimizer may not have begun yet when the collection is first looked at: green counts when it is seen twice.
    let (mut green, mut since) = (0, loaded);
    while green < 2 {
        let state = server.state()?;
        if !state.green {
            green = 0;
        } else {
            if green == 0 {
                since = Instant::now();
            }
            green += 1;
        }
        if state.points > set.len() as u64 {
            let message = format!("{} points, of {} that were written", state.points, set.len());
            return Err(Error::peer(server.transport(), message));
        }
        if green < 2 && loaded.elapsed() > course.patience {
            let message = "its index is not complete; give it more --patience";
            return Err(Error::peer(server.transport(), message));
        }
        if green < 2 {
            std::thread::sleep(course.pause);
        }
    }
    Ok((load_s, since.duration_since(loaded).as_secs_f64()))
}

fn connect(server: &dyn Server, connections: usize) -> Result<Vec<Box<dyn Connection>>> {
    (0..connections).map(|_| server.connect()).collect()
}

fn ask(
    connections: &mut [Box<dyn Connection>],
    queries: &[Vec<f32>],
    truth: &[Vec<u64>],
    setting: Setting,
    filter: Option<&serde_json::Value>,
    course: &Course,
) -> Result<Load> {
    for connection in connections.iter_mut() {
        connection.clear();
        for vector in queries {
            let question = Question {
                vector,
                limit: LIMIT,
                setting,
                filter,
            };
            connection.prepare(&question, course.int8)?;
        }
    }
    load(connections, truth, course.passes)
}
