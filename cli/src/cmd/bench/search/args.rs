//! What the command takes.

use std::path::PathBuf;
use std::time::Duration;

use vdb::{Distance, Element, HnswParams, Quantization, VectorParams};
use vdb_measure::{Plan, Setting};

use super::cold::{self, By};
use crate::failure::{Failure, Outcome};
use crate::parse;

const AFTER: &str = "\
Rows of the file are loaded into a new database with their numbers as ids, except the queries; one graph is built, \
and every query is asked on one thread, one a call, ids only, by the embedded API. Recall is the share of the ten \
nearest that exact search finds. Per query the fastest of at least --passes passes and --seconds seconds counts.

The queries are the rows that --split lists (an .npy of whole numbers), or the last --queries rows of \
numpy.random.default_rng(42).permutation(rows).

--ef-construct quick is a beam of 64: most of the default's recall in a fraction of its time. Give several, as in \
--ef-construct default,quick, to see seconds of building beside speed at a recall.

--clients N: that many threads ask at once, each all queries and each beginning at another; passes of one number of \
clients take turns with those of the others, and the best pass of each counts. qps is that of all together, \
percentiles are of all calls of that pass.

--cached P: only P per cent of the bytes of the database's mapped files can be in memory. With --cached-by group the \
process enters a memory control group (version 2, else 1) with that limit and 8 MiB more for itself. With drop, before any query \
that finds more than the share in memory the database is closed, its pages are dropped from the system's cache, and it is opened \
anew and what that reads ahead dropped too, which is not timed: so between nothing and the share is in memory. auto takes a group where one can be made. Every query is \
asked once without being timed; then all calls count, not the fastest. A share that cannot be kept is an error. What lies below \
the system's cache, as that of a virtual machine's host, is not emptied.

Fields with --json, one line a setting: system, setting, build_s (graph alone), rss_mb (growth until the setting was \
measured, on a database opened anew), disk_mb, recall, qps, p50_us, p99_us, p95_us, rss_anon_mb and rss_file_mb (the two parts \
of rss_mb: its own, and pages of mapped files), make_rss_anon_mb (most of its own while loading and building), \
load_s, merge_s, open_ms, rows, queries, passes, data, and raw_us with --raw. With --clients also clients and over_one (qps over \
that of one thread, if 1 is among them). With --cached also cached (the share, 0 to 1), cached_by (cgroup v2, cgroup v1, dropped when full; \
nothing for 100), mapped_mb, resident_mb (most of it that was seen in memory), read_kb (read from the disk a query) and drops.

Examples:
  vdb bench search --data vectors.npy
  vdb bench search --data vectors.npy --ef default,32,64,128,exact --threads 2 --json
  vdb bench search --data vectors.npy --ef-construct default,quick
  vdb bench search --data vectors.npy --ef default --clients 1,2
  vdb bench search --data vectors.npy --ef default --cached 100,50,25";

/// Measure recall and speed of searches
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Vectors: .npy, .fvecs or .bvecs
    #[arg(long, value_name = "FILE")]
    pub(super) data: PathBuf,

    /// How many rows are queries
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1000,
        conflicts_with = "split",
        allow_negative_numbers = true
    )]
    pub(super) queries: usize,

    /// Numbers of the rows that are queries
    #[arg(long, value_name = "ROWS.npy")]
    pub(super) split: Option<PathBuf>,

    /// Threads that build the graph; 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = threads)]
    pub(super) threads: usize,

    /// How nearness is measured
    #[arg(long, default_value = "cosine", value_parser = parse::distance())]
    pub(super) distance: Distance,

    /// How a number is stored
    #[arg(long, default_value = "f32", value_parser = parse::element())]
    pub(super) element: Element,

    /// Links a node of the graph
    #[arg(long, value_name = "N", default_value_t = 16, allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(2..=256))]
    pub(super) m: u16,

    /// Widths of the beam that builds the graph, default or quick; a database is made and searched for each
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "default", allow_negative_numbers = true, value_parser = ef_construct)]
    pub(super) ef_construct: Vec<u16>,

    /// What graph walks read of each vector
    #[arg(long, default_value = "auto", value_parser = parse::quantization())]
    pub(super) quantization: Quantization,

    /// Settings: widths of the beam, default, exact
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = setting)]
    #[arg(default_value = "default,16,24,32,48,64,96,128,200,300,500")]
    pub(super) ef: Vec<Setting>,

    /// Print the time of every call as well (with --json)
    #[arg(long, requires = "json")]
    pub(super) raw: bool,

    /// Several threads ask at once: how many
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = clients, conflicts_with_all = ["cached", "raw"])]
    pub(super) clients: Vec<usize>,

    /// Only a part of the database's files can be in memory: percentages of their bytes
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = cold::share, conflicts_with = "raw")]
    pub(super) cached: Vec<f64>,

    /// What holds them to it
    #[arg(long, value_name = "HOW", default_value = "auto", requires = "cached")]
    pub(super) cached_by: By,

    /// Every query is asked at least so often [default: 3, with --cached 2]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    passes: Option<u16>,

    /// A setting is measured for at least so long
    #[arg(long, value_name = "SECONDS", default_value = "4", allow_negative_numbers = true, value_parser = parse::seconds)]
    seconds: Duration,

    /// Make the database here and keep it; one that was made here from the same data and settings is searched as it is.
    /// With several values of --ef-construct, each in a folder of its own
    #[arg(long, value_name = "DIR")]
    pub(super) db: Option<PathBuf>,
}

impl Args {
    /// How long a setting is measured: as `usual`, unless told otherwise.
    pub(super) fn plan(&self, usual: Plan) -> Plan {
        Plan {
            passes: self.passes.map_or(usual.passes, usize::from),
            time: self.seconds,
            ..usual
        }
    }

    /// Refuses options that would be of no effect.
    pub(super) fn check(&self) -> Outcome {
        if self.cached_by != By::Auto && self.cached.iter().all(|share| *share >= 1.0) {
            return Err(Failure::usage(
                "--cached-by holds files to a part of memory, and --cached names no part: add a share below 100",
            ));
        }
        Ok(())
    }

    /// The collection's vector, of `dim` numbers.
    pub(super) fn params(&self, dim: usize, ef_construct: u16) -> VectorParams {
        let hnsw = HnswParams {
            m: self.m,
            ef_construct,
            quantization: self.quantization,
            ..HnswParams::default()
        };
        VectorParams::new(dim, self.distance)
            .element(self.element)
            .hnsw(hnsw)
    }
}

fn setting(text: &str) -> Result<Setting, String> {
    let setting: Option<Setting> = text.parse().ok();
    let setting = setting.filter(|setting| !matches!(setting, Setting::Ef(ef) if *ef > vdb::MAX_EF));
    setting.ok_or_else(|| format!("expected 1 to {}, default or exact", vdb::MAX_EF))
}

/// Threads beyond these would only wait for each other, and a thousand of them for memory.
const THREADS_A_CORE: usize = 4;

fn threads(text: &str) -> Result<usize, String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let most = cores * THREADS_A_CORE;
    let threads = text.parse().ok().filter(|threads| *threads <= most);
    threads.ok_or_else(|| format!("expected 0 to {most}: this machine has {cores} cores"))
}

/// A thread stands behind each client.
const MOST_CLIENTS: usize = 1024;

fn clients(text: &str) -> Result<usize, String> {
    let clients = text
        .parse()
        .ok()
        .filter(|clients| (1..=MOST_CLIENTS).contains(clients));
    clients.ok_or_else(|| format!("expected 1 to {MOST_CLIENTS}"))
}

/// The beam of a quick build.
const QUICK_EF_CONSTRUCT: u16 = 64;

fn ef_construct(text: &str) -> Result<u16, String> {
    match text {
        "default" => Ok(HnswParams::default().ef_construct),
        "quick" => Ok(QUICK_EF_CONSTRUCT),
        _ => text
            .parse()
            .ok()
            .filter(|ef| *ef > 0)
            .ok_or_else(|| format!("expected 1 to {}, default or quick", u16::MAX)),
    }
}
