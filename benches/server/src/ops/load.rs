//! Many connections that read and write at once, for as long as asked: is every answer right, does memory stay flat?

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde::Serialize;
use vdb_benches::Result;
use vdb_measure::{Memory, percentile, rounded};

use super::Dice;
use super::speaker::{MOST, Speaker, Transport};

/// Points of a connection, written again and again: what the server holds stops growing when all are there.
const IDS: u64 = 128;
/// How far the ids of two connections lie apart.
const APART: u64 = 1 << 20;
/// Points that a call writes.
const BATCH: u64 = 4;
/// The collection.
const NAME: &str = "loaded";
/// Errors that are told in words.
const TOLD: usize = 10;

/// What is done.
#[derive(Clone, Debug)]
pub struct Load {
    /// Connections, every second by gRPC.
    pub connections: u64,
    /// How long.
    pub time: Duration,
    /// Numbers in a vector.
    pub dim: usize,
    /// Process number of the server, if it runs here.
    pub pid: Option<u32>,
    /// Decides what is asked.
    pub seed: u64,
}

/// One kind of call by one transport.
#[derive(Clone, Debug, Serialize)]
pub struct CallLine {
    /// `grpc` or `rest`.
    pub transport: &'static str,
    /// The kind.
    pub call: &'static str,
    /// How many were answered.
    pub count: usize,
    /// Half of them within so many microseconds,
    pub p50_us: f64,
    /// 99 of 100,
    pub p99_us: f64,
    /// all but one in a thousand,
    pub p999_us: f64,
    /// all.
    pub max_us: f64,
}

/// What it came to.
#[derive(Clone, Debug, Serialize)]
pub struct LoadLine {
    /// Connections.
    pub connections: u64,
    /// Seconds.
    pub seconds: f64,
    /// Calls a second, of all kinds.
    pub calls_per_s: f64,
    /// All calls.
    pub p50_us: f64,
    /// All calls.
    pub p99_us: f64,
    /// Calls that failed.
    pub errors: u64,
    /// Answers that were not what had been written.
    pub wrong: u64,
    /// The first of both, in words.
    pub told: Vec<String>,
    /// Megabytes resident in the server, each second.
    pub rss_mb: Vec<f64>,
    /// Megabytes by which its memory grew in the second half.
    pub late_growth_mb: Option<f64>,
    /// By transport and kind.
    pub calls: Vec<CallLine>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Call {
    Search,
    Upsert,
    Get,
    Scroll,
    Note,
    Count,
    Delete,
}

impl Call {
    /// Of 100 calls about as many as programs make: reads are most.
    fn draw(dice: &mut Dice) -> Call {
        match dice.below(100) {
            0..40 => Call::Search,
            40..65 => Call::Upsert,
            65..77 => Call::Get,
            77..85 => Call::Scroll,
            85..92 => Call::Note,
            92..95 => Call::Count,
            _ => Call::Delete,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Call::Search => "search",
            Call::Upsert => "upsert",
            Call::Get => "get",
            Call::Scroll => "scroll",
            Call::Note => "payload",
            Call::Count => "count",
            Call::Delete => "delete",
        }
    }
}

/// What one connection saw.
#[derive(Debug, Default)]
struct Seen {
    times: BTreeMap<Call, Vec<f64>>,
    errors: u64,
    wrong: u64,
    told: Vec<String>,
}

/// A connection with its own points.
struct Worker {
    speaker: Speaker,
    number: u64,
    dice: Dice,
    given: u64,
    points: BTreeMap<u64, u64>,
    seen: Seen,
}

impl Worker {
    fn ids(&mut self) -> Vec<u64> {
        let first = self.dice.below(IDS);
        (0..BATCH)
            .map(|at| self.number * APART + (first + at) % IDS)
            .collect()
    }

    /// Makes one call. True when the answer agrees with what was written.
    fn call(&mut self, call: Call) -> Result<bool> {
        match call {
            Call::Search => {
                let value = self.dice.below(MOST);
                self.speaker.search(value, 10).map(|found| found <= 10)
            }
            Call::Scroll => {
                let from = self.number * APART;
                self.speaker.scroll(from, 20).map(|found| found <= 20)
            }
            Call::Count => self.speaker.count(100).map(|_| true),
            Call::Upsert => {
                let ids = self.ids();
                let points: Vec<(u64, u64)> = ids.into_iter().zip(self.given + 1..).collect();
                self.given = (self.given + BATCH) % (MOST - BATCH);
                self.speaker.upsert(&points)?;
                self.points.extend(points);
                Ok(true)
            }
            Call::Delete => {
                let ids = self.ids();
                self.speaker.delete(&ids)?;
                self.points.retain(|id, _| !ids.contains(id));
                Ok(true)
            }
            Call::Note => {
                let ids: Vec<u64> = self.points.keys().copied().take(BATCH as usize).collect();
                if ids.is_empty() {
                    return Ok(true);
                }
                self.speaker.note(&ids, self.given).map(|()| true)
            }
            Call::Get => {
                let ids = self.ids();
                let found = self.speaker.get(&ids)?;
                let kept = ids.iter().filter_map(|id| Some((*id, *self.points.get(id)?)));
                Ok(found == kept.collect())
            }
        }
    }

    fn run(mut self, stop: &AtomicBool, made: &AtomicU64) -> Seen {
        while !stop.load(Relaxed) {
            let call = Call::draw(&mut self.dice);
            let started = Instant::now();
            match self.call(call) {
                Ok(right) => {
                    let took = started.elapsed().as_secs_f64() * 1e6;
                    self.seen.times.entry(call).or_default().push(took);
                    self.seen.wrong += u64::from(!right);
                    if !right {
                        self.tell(format!("{}: another answer than was written", call.name()));
                    }
                }
                Err(error) => {
                    self.seen.errors += 1;
                    self.tell(format!("{}: {error}", call.name()));
                }
            }
            made.fetch_add(1, Relaxed);
        }
        self.seen
    }

    fn tell(&mut self, what: String) {
        if self.seen.told.len() < TOLD {
            self.seen.told.push(what);
        }
    }
}

/// Loads a server at two URLs; `each_second` is told how many calls there were so far, and the server's megabytes.
pub fn load(
    rest: &str,
    grpc: &str,
    plan: &Load,
    each_second: &mut dyn FnMut(u64, Option<f64>),
) -> Result<LoadLine> {
    let connect = |number: u64| -> Result<Worker> {
        let transport = if number.is_multiple_of(2) {
            Transport::Grpc
        } else {
            Transport::Rest
        };
        Ok(Worker {
            speaker: Speaker::new(transport, rest, grpc, NAME, plan.dim)?,
            number,
            dice: Dice::new(plan.seed ^ (number + 1).wrapping_mul(0x5851_f42d_4c95_7f2d)),
            given: 0,
            points: BTreeMap::new(),
            seen: Seen::default(),
        })
    };
    Speaker::new(Transport::Rest, rest, grpc, NAME, plan.dim)?.create()?;
    let workers: Vec<Worker> = (0..plan.connections).map(connect).collect::<Result<_>>()?;
    let (stop, made) = (AtomicBool::new(false), AtomicU64::new(0));
    let transports: Vec<Transport> = workers.iter().map(|worker| worker.speaker.transport()).collect();
    let started = Instant::now();
    let mut rss = Vec::new();
    let seen: Vec<Seen> = std::thread::scope(|scope| {
        let running: Vec<_> = workers
            .into_iter()
            .map(|worker| scope.spawn(|| worker.run(&stop, &made)))
            .collect();
        while let Some(left) = plan
            .time
            .checked_sub(started.elapsed())
            .filter(|left| !left.is_zero())
        {
            std::thread::sleep(left.min(Duration::from_secs(1)));
            let now = plan
                .pid
                .and_then(Memory::of)
                .map(|memory| rounded(memory.total as f64 / 1e6, 1));
            rss.extend(now);
            each_second(made.load(Relaxed), now);
        }
        stop.store(true, Relaxed);
        let join = |thread: std::thread::ScopedJoinHandle<'_, Seen>| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        running.into_iter().map(join).collect()
    });
    let seconds = started.elapsed().as_secs_f64();
    Ok(summed(plan, seconds, rss, transports.into_iter().zip(seen)))
}

fn summed(
    plan: &Load,
    seconds: f64,
    rss_mb: Vec<f64>,
    seen: impl Iterator<Item = (Transport, Seen)>,
) -> LoadLine {
    let mut by_call: BTreeMap<(Transport, Call), Vec<f64>> = BTreeMap::new();
    let (mut errors, mut wrong, mut told) = (0, 0, Vec::new());
    for (transport, seen) in seen {
        for (call, times) in seen.times {
            by_call.entry((transport, call)).or_default().extend(times);
        }
        errors += seen.errors;
        wrong += seen.wrong;
        told.extend(seen.told);
    }
    told.truncate(TOLD);
    let mut all: Vec<f64> = by_call.values().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let calls = by_call.into_iter().map(|((transport, call), mut times)| {
        times.sort_by(f64::total_cmp);
        CallLine {
            transport: transport.name(),
            call: call.name(),
            count: times.len(),
            p50_us: rounded(percentile(&times, 50.0), 1),
            p99_us: rounded(percentile(&times, 99.0), 1),
            p999_us: rounded(percentile(&times, 99.9), 1),
            max_us: rounded(percentile(&times, 100.0), 1),
        }
    });
    LoadLine {
        connections: plan.connections,
        seconds: rounded(seconds, 1),
        calls_per_s: rounded(all.len() as f64 / seconds, 1),
        p50_us: rounded(percentile(&all, 50.0), 1),
        p99_us: rounded(percentile(&all, 99.0), 1),
        errors,
        wrong,
        told,
        late_growth_mb: late_growth(&rss_mb),
        rss_mb,
        calls: calls.collect(),
    }
}

/// By how much the last quarter lies above the third one, in the mean: filling up is over by then.
fn late_growth(rss_mb: &[f64]) -> Option<f64> {
    let quarter = rss_mb.len() / 4;
    if quarter == 0 {
        return None;
    }
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (third, last) = rss_mb.get(rss_mb.len() - 2 * quarter..)?.split_at(quarter);
    Some(rounded(mean(last) - mean(third), 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_that_of_the_end() {
        assert_eq!(late_growth(&[1.0, 2.0]), None);
        assert_eq!(late_growth(&[1.0, 50.0, 60.0, 60.0]), Some(0.0));
        assert_eq!(late_growth(&[1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 7.0, 7.0]), Some(2.0));
    }

    #[test]
    fn every_kind_of_call_is_drawn() {
        let mut dice = Dice::new(1);
        let drawn: std::collections::BTreeSet<Call> = (0..1_000).map(|_| Call::draw(&mut dice)).collect();
        assert_eq!(drawn.len(), 7);
    }
}
