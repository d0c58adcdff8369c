//! Kills under load: is everything there that was acknowledged?
//!
//! Each connection writes points of its own, one call at a time, and keeps a plain model of what was acknowledged. When the
//! server dies, the call that was under way may have happened or not, but not in part. All points are read after each restart
//! and compared.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use vdb_benches::{Error, Result};
use vdb_measure::rounded;

use super::Dice;
use super::speaker::{MOST, Speaker, Transport};
use crate::own::{Launch, Own};

/// Points of a connection.
const IDS: u64 = 64;
/// Most points that a call writes.
const BATCH: u64 = 8;
/// How far the ids of two connections lie apart.
const APART: u64 = 1 << 20;
/// The collection.
const NAME: &str = "killed";

/// What is done.
#[derive(Clone, Debug)]
pub struct Kill {
    /// How often the server is killed.
    pub rounds: u64,
    /// Connections that write, every second by gRPC.
    pub connections: u64,
    /// A server lives at least and at most so long once it is ready.
    pub life: (Duration, Duration),
    /// Numbers in a vector.
    pub dim: usize,
    /// Decides what is written and when it is killed.
    pub seed: u64,
}

/// What it came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct KillLine {
    /// Kills.
    pub kills: u64,
    /// Connections.
    pub connections: u64,
    /// Calls that were acknowledged.
    pub acknowledged: u64,
    /// Points that were looked for after kills.
    pub checked: u64,
    /// What was not as it was acknowledged: the first of it, in words.
    pub lost: Vec<String>,
    /// The longest that a server took to be ready again, in milliseconds.
    pub slowest_ready_ms: f64,
}

/// What a call makes of points: a value, or nothing.
type Change = Vec<(u64, Option<u64>)>;

/// The points of one connection as they were acknowledged.
#[derive(Debug)]
struct Writer {
    number: u64,
    dice: Dice,
    /// Values that were given.
    given: u64,
    points: BTreeMap<u64, u64>,
    /// What was under way when the server died.
    pending: Option<Change>,
    acknowledged: u64,
}

impl Writer {
    fn new(number: u64, seed: u64) -> Self {
        Writer {
            number,
            dice: Dice::new(seed ^ (number + 1).wrapping_mul(0x5851_f42d_4c95_7f2d)),
            given: 0,
            points: BTreeMap::new(),
            pending: None,
            acknowledged: 0,
        }
    }

    fn transport(&self) -> Transport {
        if self.number.is_multiple_of(2) {
            Transport::Grpc
        } else {
            Transport::Rest
        }
    }

    fn ids(&self) -> Vec<u64> {
        (0..IDS).map(|id| self.number * APART + id).collect()
    }

    /// The next call. Values are never given twice by one connection, so that an older state cannot pass for a newer one.
    fn draw(&mut self) -> Change {
        let count = 1 + self.dice.below(BATCH);
        let first = self.dice.below(IDS);
        let deletes = self.dice.below(4) == 0;
        let ids = (0..count).map(|at| self.number * APART + (first + at) % IDS);
        let given = &mut self.given;
        ids.map(|id| {
            *given += 1;
            (id, (!deletes).then_some(*given % MOST))
        })
        .collect()
    }

    fn send(&self, speaker: &Speaker, change: &Change) -> Result<()> {
        let upserts: Vec<(u64, u64)> = change
            .iter()
            .filter_map(|&(id, value)| Some((id, value?)))
            .collect();
        if upserts.is_empty() {
            let ids: Vec<u64> = change.iter().map(|&(id, _)| id).collect();
            speaker.delete(&ids)
        } else {
            speaker.upsert(&upserts)
        }
    }

    fn apply(&mut self, change: &Change) {
        for &(id, value) in change {
            match value {
                Some(value) => self.points.insert(id, value),
                None => self.points.remove(&id),
            };
        }
    }

    /// Writes until the server does not answer.
    fn write(&mut self, rest: &str, grpc: &str, dim: usize) {
        let Ok(speaker) = Speaker::new(self.transport(), rest, grpc, NAME, dim) else {
            return;
        };
        loop {
            let change = self.draw();
            if self.send(&speaker, &change).is_err() {
                self.pending = Some(change);
                return;
            }
            self.apply(&change);
            self.acknowledged += 1;
        }
    }

    /// What is not as it must be. What was under way has happened from here on, or has not.
    fn check(&mut self, speaker: &Speaker) -> Result<Vec<String>> {
        let found = speaker.get(&self.ids())?;
        if let Some(pending) = self.pending.take() {
            let before = self.points.clone();
            self.apply(&pending);
            if self.points == found {
                return Ok(Vec::new());
            }
            self.points = before;
        }
        let differs = |id: &u64| self.points.get(id) != found.get(id);
        let lost = self.ids().into_iter().filter(differs);
        let told = lost.map(|id| {
            let (kept, there) = (self.points.get(&id), found.get(&id));
            format!(
                "connection {}: point {id} was acknowledged as {kept:?} and is {there:?}",
                self.number
            )
        });
        Ok(told.collect())
    }
}

/// Kills a server again and again, on an empty directory.
pub fn kill(
    launch: Launch<'_>,
    dir: &Path,
    plan: &Kill,
    tell: &mut dyn FnMut(&KillLine),
) -> Result<KillLine> {
    let mut dice = Dice::new(plan.seed);
    let mut writers: Vec<Writer> = (0..plan.connections).map(|n| Writer::new(n, plan.seed)).collect();
    let mut line = KillLine {
        connections: plan.connections,
        ..KillLine::default()
    };
    let (least, most) = (plan.life.0.as_millis() as u64, plan.life.1.as_millis() as u64);
    for round in 0..=plan.rounds {
        let started = Instant::now();
        let own = Own::start(launch, dir)?;
        let took = rounded(started.elapsed().as_secs_f64() * 1e3, 1);
        line.slowest_ready_ms = line.slowest_ready_ms.max(took);
        let (rest, grpc) = (own.rest(), own.grpc());
        if round == 0 {
            Speaker::new(Transport::Rest, &rest, &grpc, NAME, plan.dim)?.create()?;
        }
        for writer in &mut writers {
            let speaker = Speaker::new(writer.transport(), &rest, &grpc, NAME, plan.dim)?;
            line.lost.extend(writer.check(&speaker)?);
            line.checked += IDS;
        }
        if !line.lost.is_empty() || round == plan.rounds {
            own.stop()?;
            break;
        }
        let life = Duration::from_millis(least + dice.below(most.saturating_sub(least) + 1));
        let killed = std::thread::scope(|scope| {
            for writer in &mut writers {
                let (rest, grpc) = (&rest, &grpc);
                scope.spawn(move || writer.write(rest, grpc, plan.dim));
            }
            std::thread::sleep(life);
            own.kill()
        });
        killed?;
        line.kills += 1;
        line.acknowledged = writers.iter().map(|writer| writer.acknowledged).sum();
        tell(&line);
    }
    if line.acknowledged == 0 && plan.rounds > 0 {
        return Err(Error::Program("nothing was ever acknowledged".to_owned()));
    }
    Ok(line)
}

#[cfg(test)]
mod tests;
