//! All of it in order: upload, wait for the index, ask.

use std::time::{Duration, Instant};

use vdb_benches::{Cells, Dataset, Error, INDEXES, IngestPlan, Question, Result, ingest};
use vdb_measure::{IngestLine, Line, Measured, Memory, Setting, rounded};

use crate::load::load;
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
    /// Whether searches with filters are measured too.
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
    make_room(*first, course.replace)?;
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
        ..Line::default()
    };
    let truth = set.truth(LIMIT);
    for server in servers {
        for connections in &course.connections {
            let mut open = connect(*server, *connections)?;
            for setting in &course.settings {
                let measured = ask(&mut open, &set.queries, &truth, *setting, None, course)?;
                let line = line(&known, *server, *connections, *setting, set.queries.len());
                tell(line.measured(measured))?;
            }
        }
        let asked = &set.queries[..course.filtered_queries.min(set.queries.len())];
        for cell in cells.iter().flat_map(|cells| cells.named(&[])) {
            let truth = set.nearest(asked, LIMIT, Some(&cell.among));
            for connections in &course.connections {
                let mut open = connect(*server, *connections)?;
                for setting in &course.settings {
                    let measured = ask(&mut open, asked, &truth, *setting, Some(&cell.filter), course)?;
                    let line = Line {
                        filter: Some(cell.name.clone()),
                        share: Some(rounded(cell.share(), 5)),
                        ..line(&known, *server, *connections, *setting, asked.len())
                    };
                    tell(line.measured(measured))?;
                }
            }
        }
    }
    if course.keep { Ok(()) } else { first.delete() }
}

/// Removes a collection of the name, if it may be replaced.
fn make_room(server: &dyn Server, replace: bool) -> Result<()> {
    if !server.exists()? {
        return Ok(());
    }
    if !replace {
        let message = "it holds a collection of this name; name another, or --replace it";
        return Err(Error::peer(&server.name()?, message));
    }
    server.delete()
}

/// Writes to each of the servers in turns, which are all one by different transports, with `wait=true`. A collection of the
/// name goes only where it may be replaced; in the end there is none.
pub fn write(
    servers: &[&dyn Server],
    set: &Dataset,
    plan: &IngestPlan,
    replace: bool,
    tell: &mut dyn FnMut(IngestLine) -> Result<()>,
) -> Result<()> {
    let Some(first) = servers.first() else {
        return Ok(());
    };
    make_room(*first, replace)?;
    let writers = servers.iter().map(|server| server.writer(set));
    let writers = writers.collect::<Result<Vec<_>>>()?;
    // A server keeps its data elsewhere.
    ingest(set, &std::env::temp_dir(), &writers, plan, tell)?;
    first.delete()
}

/// What is known before a setting is measured.
fn line(known: &Line, server: &dyn Server, connections: usize, setting: Setting, queries: usize) -> Line {
    Line {
        setting: setting.to_string(),
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
) -> Result<Measured> {
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
