//! What a call is measured by, in one process as over a wire.

use std::time::{Duration, Instant};

use serde::Serialize;
use vdb_benches::{Dataset, Error, Question, Result};
use vdb_measure::{Measured, Setting};

use super::Cores;
use crate::load::load;
use crate::server::{Connection, State};

/// Neighbours asked for.
pub(super) const LIMIT: usize = 10;
/// Time between two looks at whether an index is complete.
const PAUSE: Duration = Duration::from_millis(500);

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
    /// Where the thread that searches behind a bare socket is kept, and the one that asks it.
    pub cores: Cores,
}

/// One of the measurements.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FloorLine {
    /// `search`, `health` (a call that does nothing), `small` (the questions of the searches, to ten points) or `upsert`.
    pub what: &'static str,
    /// `embedded`, `socket` (a bare one), `grpc` or `rest`.
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
    /// Segments that are searched, the rows in memory as one of them: each is a search of its own.
    pub segments: Option<u64>,
    /// Microseconds that the half of the calls takes longer than in this process, on one connection.
    pub over_embedded_us: Option<f64>,
    /// Of these, what the half of the calls that do nothing does not take as well: what the server adds to a search.
    pub over_health_us: Option<f64>,
    /// Microseconds that the half of the calls takes longer than behind a bare socket: what the protocol and the server add.
    pub over_socket_us: Option<f64>,
    /// Microseconds that the half of the calls takes longer than with ten points: what the search takes where the server makes it.
    pub over_small_us: Option<f64>,
}

impl FloorLine {
    pub(super) fn of(what: &'static str, by: &'static str, connections: usize, measured: &Measured) -> Self {
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
pub(super) struct Health<'a>(pub(super) Box<dyn Connection + 'a>);

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

/// What is measured by, and who is told.
pub(super) struct Measuring<'a> {
    pub(super) set: &'a Dataset,
    pub(super) truth: &'a [Vec<u64>],
    pub(super) plan: &'a Floor,
    pub(super) tell: &'a mut dyn FnMut(&FloorLine) -> Result<()>,
}

impl Measuring<'_> {
    pub(super) fn load(&self, connections: &mut [Box<dyn Connection + '_>]) -> Result<Measured> {
        load(connections, self.truth, self.plan.passes)
    }

    pub(super) fn tell(&mut self, line: &FloorLine) -> Result<()> {
        (self.tell)(line)
    }
}

pub(super) fn prepare(connection: &mut dyn Connection, set: &Dataset, plan: &Floor) -> Result<()> {
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

/// Waits until the index is complete: green, seen twice. How many segments there are then.
pub(super) fn settle(
    who: &str,
    set: &Dataset,
    plan: &Floor,
    look: impl Fn() -> Result<State>,
) -> Result<u64> {
    let (mut green, started) = (0, Instant::now());
    loop {
        let state = look()?;
        green = if state.green && state.points == set.len() as u64 {
            green + 1
        } else {
            0
        };
        if green == 2 {
            return Ok(state.segments);
        }
        if started.elapsed() > plan.patience {
            let message = "its index is not complete; give it more --patience";
            return Err(Error::peer(who, message));
        }
        std::thread::sleep(PAUSE);
    }
}
