//! `vdb bench search`: recall and speed of searches.
//!
//! | file | what |
//! |---|---|
//! | `args.rs` | what the command takes, and its help |
//! | `database.rs` | the database that is searched, and the true neighbours |
//! | `cold.rs` | only a part of it in memory |
//! | `lines.rs` | what was measured, for programs and for people |

mod args;
mod cold;
mod database;
mod lines;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use vdb::{Collection, Database, PointId, Quantization, SearchRequest};
use vdb_measure::{
    Line, Measured, Memory, Plan, Setting, Split, Stopwatch, directory_bytes, in_turns, rounded, watching,
};

pub(super) use self::args::Args;
use self::cold::Cold;
use self::database::{COLLECTION, Made, request};
use self::lines::{CLIENT_COLUMNS, COLD_COLUMNS, COLUMNS, Column, Lines};
use super::origin::Origin;
use crate::failure::{Failure, Outcome};
use crate::open::Home;
use crate::out::Out;
use crate::{interrupt, open, parse};

pub(super) fn run(args: &Args, out: &mut Out) -> Outcome {
    args.check()?;
    interrupt::watch();
    let rows = database::row_count(&args.data)?;
    let split = Split::new(rows, args.queries, args.split.as_deref())?;
    // Refused before any work is done for those that come first.
    for ef_construct in &args.ef_construct {
        if let Some(db) = kept(args, *ef_construct).filter(|db| db.exists()) {
            Origin::new(&args.data, rows, &split, &args.params(1, *ef_construct)).check(&db)?;
        }
    }
    let queries = database::read_queries(args, &split)?;
    for ef_construct in &args.ef_construct {
        let scratch = tempfile::Builder::new().prefix("vdb-bench-").tempdir();
        let scratch =
            scratch.map_err(|e| Failure::failed(format!("cannot make a temporary directory: {e}")))?;
        let keep = kept(args, *ef_construct);
        let dir = keep.clone().unwrap_or_else(|| scratch.path().join("db"));
        let before = Memory::now();
        let (made, peak) = if dir.exists() {
            (Made::default(), None)
        } else {
            let made = make(args, *ef_construct, &split, &dir, out)?;
            if keep.is_some() {
                let params = args.params(1, *ef_construct);
                Origin::new(&args.data, rows, &split, &params).keep(&dir)?;
            }
            made
        };
        let bench = Bench::open(args, &dir, &queries, before, out)?;
        let known = Line {
            build_s: made.build_s,
            load_s: made.load_s,
            merge_s: made.merge_s,
            make_rss_anon_mb: Memory::growth_mb(peak, before, |m| m.anonymous),
            ..bench.known.clone()
        };
        let bench = Bench { known, ..bench };
        bench.run(out)?;
    }
    Ok(())
}

/// Where a database is kept, if it is.
fn kept(args: &Args, ef_construct: u16) -> Option<PathBuf> {
    let db = args.db.clone()?;
    Some(if args.ef_construct.len() > 1 {
        db.join(format!("efc{ef_construct}"))
    } else {
        db
    })
}

/// Makes the database; the most memory meanwhile.
fn make(
    args: &Args,
    ef_construct: u16,
    split: &Split,
    dir: &Path,
    out: &Out,
) -> Outcome<(Made, Option<Memory>)> {
    if let Some(parent) = dir.parent() {
        std::fs::create_dir_all(parent)
            .map_err(|e| Failure::failed(format!("{}: cannot be made: {e}", parent.display())))?;
    }
    let builder = open::builder().threads(args.threads);
    let (made, peak) = watching(|| {
        Home::at(dir).with(builder, |db| {
            // A database that is half made would be searched as it is the next time.
            database::make(db, args, ef_construct, split, out).inspect_err(|_| {
                let _ = db.drop_collection(COLLECTION);
            })
        })
    });
    Ok((made?, peak))
}

/// A database that is there, with the queries and what is known.
struct Bench<'a> {
    args: &'a Args,
    dir: &'a Path,
    queries: &'a [Vec<f32>],
    truth: Vec<Vec<PointId>>,
    before: Option<Memory>,
    known: Line,
}

impl<'a> Bench<'a> {
    /// Opens the database for the true neighbours and for what it says of itself, and closes it.
    fn open(
        args: &'a Args,
        dir: &'a Path,
        queries: &'a [Vec<f32>],
        before: Option<Memory>,
        out: &Out,
    ) -> Outcome<Bench<'a>> {
        let mut bench = Bench {
            args,
            dir,
            queries,
            truth: Vec::new(),
            before,
            known: Line {
                disk_mb: Some(rounded(directory_bytes(dir) as f64 / 1e6, 1)),
                queries: Some(queries.len()),
                data: Some(Line::data_name(&args.data)),
                ..Line::default()
            },
        };
        let started = Instant::now();
        let db = bench.database()?;
        let collection = open::collection(&db, COLLECTION)?;
        bench.known.open_ms = Some(rounded(started.elapsed().as_secs_f64() * 1e3, 2));
        bench.known.rows = Some(collection.count(None)?);
        bench.known.system = system_name(&collection);
        bench.truth = database::ground_truth(&collection, queries, out)?;
        drop(collection);
        db.close()?;
        Ok(bench)
    }

    fn database(&self) -> Outcome<Database> {
        open::open(open::builder().threads(self.args.threads), self.dir)
    }

    fn run(&self, out: &mut Out) -> Outcome {
        let mut lines = Lines::new(self.columns());
        if self.args.cached.is_empty() {
            // Opened once more, so that what was mapped for exact search does not count as memory of the graph's.
            let db = self.database()?;
            let collection = open::collection(&db, COLLECTION)?;
            for setting in &self.args.ef {
                for line in self.warm(&collection, *setting)? {
                    lines.add(line, out)?;
                }
            }
        }
        if !self.args.cached.is_empty() {
            self.cold(&mut lines, out)?;
        }
        lines.end(&self.known, out)
    }

    fn columns(&self) -> &'static [Column] {
        match (self.args.cached.is_empty(), self.args.clients.is_empty()) {
            (false, _) => &COLD_COLUMNS,
            (true, false) => &CLIENT_COLUMNS,
            (true, true) => &COLUMNS,
        }
    }

    fn requests(&self, setting: Setting) -> Vec<SearchRequest> {
        let vectors = self.queries.iter();
        vectors.map(|vector| request(setting, vector)).collect()
    }

    /// What is known of a setting before it is measured.
    fn known(&self, setting: Setting) -> Line {
        Line {
            setting: setting.to_string(),
            ..self.known.clone()
        }
    }

    /// A part of the files in memory: every share with every setting.
    fn cold(&self, lines: &mut Lines, out: &mut Out) -> Outcome {
        let first = self.queries.iter().take(1);
        let first: Vec<SearchRequest> = first
            .flat_map(|vector| [Setting::Default, Setting::Exact].map(|setting| request(setting, vector)))
            .collect();
        let open = || self.database();
        let cold = Cold::new(self.dir, &open, &first)?;
        let plan = self.args.plan(cold::PLAN);
        for share in &self.args.cached {
            for setting in &self.args.ef {
                let questions = cold::Questions {
                    requests: &self.requests(*setting),
                    truth: &self.truth,
                };
                let known = self.known(*setting);
                lines.add(
                    cold.measure(*share, self.args.cached_by, questions, &plan, known, out)?,
                    out,
                )?;
            }
        }
        Ok(())
    }

    /// All in memory: one thread, or as many as are asked for.
    fn warm(&self, collection: &Collection, setting: Setting) -> Outcome<Vec<Line>> {
        let requests = self.requests(setting);
        let plan = self.args.plan(Plan::default());
        let measured = if self.args.clients.is_empty() {
            let alone = measure(collection, &requests, &self.truth, &plan, self.args.raw)?;
            vec![(None, alone)]
        } else {
            let once = Plan {
                passes: 1,
                time: Duration::ZERO,
                ..plan
            };
            let recall = measure(collection, &requests, &self.truth, &once, false)?.recall;
            let ask = |query: usize| match requests.get(query) {
                Some(request) if !interrupt::asked_to_stop() => collection.search(request).map(|_| ()),
                Some(_) | None => Ok(()),
            };
            let told = in_turns(&self.args.clients, requests.len(), recall, &plan, ask)?;
            interrupt::check()?;
            let told = told.into_iter();
            told.map(|one| (Some(one.clients), one.measured)).collect()
        };
        let one = measured.iter().find(|(clients, _)| *clients == Some(1));
        let one = one.map(|(_, measured)| measured.qps);
        let now = Memory::now();
        let lines = measured.into_iter().map(|(clients, measured)| {
            let known = Line {
                clients,
                over_one: clients.and(one).map(|one| rounded(measured.qps / one, 2)),
                ..self.known(setting)
            };
            known.measured(measured).grown(now, self.before)
        });
        Ok(lines.collect())
    }
}

fn system_name(collection: &Collection) -> String {
    let config = collection.config();
    let params = config
        .vectors
        .first()
        .and_then(|(_, params)| Some((params.graph(&config)?, parse::element_name(params.element))));
    match params {
        Some((hnsw, element)) => {
            let graph = format!("vdb {element} M{} efc{}", hnsw.m, hnsw.ef_construct);
            if hnsw.quantization == Quantization::Auto {
                graph
            } else {
                format!("{graph} {}", hnsw.quantization.name())
            }
        }
        None => "vdb".to_owned(),
    }
}

/// Asks requests whose true neighbours are known; `raw` keeps every time.
fn measure(
    collection: &Collection,
    requests: &[SearchRequest],
    truth: &[Vec<PointId>],
    plan: &Plan,
    raw: bool,
) -> Outcome<Measured> {
    for request in requests.iter().take(plan.warm_up) {
        collection.search(request)?;
    }
    let mut watch = Stopwatch::new(requests.len(), truth.iter().map(Vec::len).sum(), raw);
    while !watch.is_done(plan) {
        // A pass over a thousand queries takes seconds when they are exact and the data is large, and a signal waits
        // for it; looking in between would be part of what is timed.
        interrupt::check()?;
        watch.pass(
            |query| &requests[query],
            |request| collection.search(request),
            |query, found| {
                found
                    .iter()
                    .filter(|point| truth[query].contains(&point.id))
                    .count()
            },
        )?;
    }
    Ok(watch.finish())
}
