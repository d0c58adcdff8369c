//! What a call costs over the same call in one process, and what of that is whose.
//!
//! On one machine, with one and the same data, written in the same batches and left to settle: the search in this process; the
//! same behind a bare socket, which is what the way to another thread and back takes, and what the search takes where other
//! things are done in between; a call that does nothing (the health check); the questions of the searches to a collection of ten
//! points, which is all the work of the protocol and next to none of the search; the searches, by several numbers of connections.
//! And writes that wait, in batches.

use std::path::Path;
use std::time::Instant;

use vdb_benches::{Dataset, Result};
use vdb_measure::{Measured, rounded};

use super::here::{Here, here};
use super::measuring::{Floor, FloorLine, Health, LIMIT, Measuring, prepare, settle};
use crate::server::{Connection, Server, renew};

/// Measures all of it. `scratch` is where the database of this process goes.
pub fn floor(
    servers: &[&dyn Server],
    set: &Dataset,
    scratch: &Path,
    plan: &Floor,
    tell: &mut dyn FnMut(&FloorLine) -> Result<()>,
) -> Result<()> {
    let truth = set.truth(LIMIT);
    let mut measuring = Measuring {
        set,
        truth: &truth,
        plan,
        tell,
    };
    let here = here(&mut measuring, scratch)?;
    let mut idle = Vec::new();
    for server in servers {
        idle.push(measuring.health(*server)?);
    }
    for (server, health_us) in servers.iter().zip(idle) {
        let written = write(*server, set, plan)?;
        measuring.tell(&written)?;
        let small_us = measuring.small(*server)?;
        measuring.search(*server, &here, health_us, small_us)?;
        server.delete()?;
    }
    Ok(())
}

impl Measuring<'_> {
    /// Microseconds of the half of the calls that do nothing, of one connection.
    fn health(&mut self, server: &dyn Server) -> Result<Option<f64>> {
        let mut alone = None;
        for &connections in &self.plan.connections {
            let mut open: Vec<_> = connect(server, connections, self.set, self.plan)?
                .into_iter()
                .map(|connection| Box::new(Health(connection)) as Box<dyn Connection + '_>)
                .collect();
            let measured = self.load(&mut open)?;
            if connections == 1 {
                alone = Some(measured.p50_us);
            }
            let line = FloorLine::of("health", server.transport(), connections, &measured);
            self.tell(&line)?;
        }
        Ok(alone)
    }

    /// Microseconds of the half of the questions, asked of ten points: as much to say, to read and to answer.
    fn small(&mut self, server: &dyn Server) -> Result<f64> {
        let beside = server.beside("floor-small");
        renew(&*beside, self.set)?;
        let few = 0..self.set.len().min(LIMIT);
        let vectors: Vec<&[f32]> = few.map(|row| self.set.vector(row)).collect();
        beside.upsert(0, &vectors, &[])?;
        let mut open = connect(&*beside, 1, self.set, self.plan)?;
        let measured = self.load(&mut open)?;
        drop(open);
        beside.delete()?;
        self.tell(&FloorLine::of("small", server.transport(), 1, &measured))?;
        Ok(measured.p50_us)
    }

    fn search(
        &mut self,
        server: &dyn Server,
        here: &Here,
        health_us: Option<f64>,
        small_us: f64,
    ) -> Result<()> {
        let segments = settle(server.transport(), self.set, self.plan, || server.state())?;
        for &connections in &self.plan.connections {
            let mut open = connect(server, connections, self.set, self.plan)?;
            let measured = self.load(&mut open)?;
            let over = |us: f64| (connections == 1).then(|| rounded(measured.p50_us - us, 1));
            self.tell(&FloorLine {
                recall: Some(measured.recall),
                segments: Some(segments),
                over_embedded_us: over(here.embedded_us),
                over_health_us: health_us.and_then(|health| over(here.embedded_us + health)),
                over_socket_us: over(here.socket_us),
                over_small_us: over(small_us),
                ..FloorLine::of("search", server.transport(), connections, &measured)
            })?;
        }
        Ok(())
    }
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
