//! The command line of `server-bench`.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use vdb_bench_server::{Course, Grpc, Rest, Server, run, tell, write};
use vdb_benches::{DataArgs, Dataset, Error, IngestPlan, Result};
use vdb_measure::{Memory, Setting};

/// Measure a Qdrant server over gRPC and REST
///
/// Makes a collection, uploads the rows, waits until the index is complete, and asks all queries over 1, 4 and 16
/// connections. Prints one JSON line a transport, number of connections and setting: qps of all connections together,
/// p50_us, p95_us and p99_us over all calls, recall of the ten nearest, load_s, build_s (from the last write until
/// green), and with --pid the server's memory. With --filters also searches with filters, over
/// each number of connections.
///
/// With --ingest nothing is asked: rows are written with wait=true in batches of 1, 100 and 1000 from 1 and 16 threads, each
/// round into a collection made anew. An answer comes when the rows are in the server's log and segments; the log is synced in
/// the background (flush_interval_sec), so a power cut can take what was acknowledged since. The server may index meanwhile.
#[derive(Debug, Parser)]
#[command(name = "server-bench", version)]
struct Args {
    /// The server's gRPC, as http://localhost:6334
    #[arg(long, value_name = "URL", required_unless_present = "rest")]
    grpc: Option<String>,

    /// The server's REST, as http://localhost:6333
    #[arg(long, value_name = "URL")]
    rest: Option<String>,

    /// Name of the collection that is made
    #[arg(long, value_name = "NAME", default_value = "vdb-bench")]
    collection: String,

    /// Replace the collection if it is there
    #[arg(long)]
    replace: bool,

    /// Leave the collection there
    #[arg(long)]
    keep: bool,

    #[command(flatten)]
    data: DataArgs,

    /// Search, or write, only the first N rows that are not queries; with --ingest 20000 unless given
    #[arg(long, value_name = "N")]
    rows: Option<usize>,

    /// Walk on 8-bit codes in memory, rescoring twice as many candidates as asked for
    #[arg(long)]
    int8: bool,

    /// Measure writes instead of searches
    #[arg(long, conflicts_with_all = ["keep", "int8", "filters", "ef", "connections", "patience", "pid"])]
    ingest: bool,

    /// Measure searches with filters too
    #[arg(long)]
    filters: bool,

    /// How many of the queries are asked with a filter
    #[arg(long, value_name = "N", default_value_t = 300, requires = "filters")]
    filtered_queries: usize,

    /// Settings: widths of the beam, default, exact
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "16,64,128,256"
    )]
    ef: Vec<Setting>,

    /// How many connections ask at the same time
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,4,16", value_parser = connections)]
    connections: Vec<usize>,

    /// How often every query is asked, or every row written
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = connections)]
    passes: usize,

    /// Seconds to wait for the index
    #[arg(long, value_name = "S", default_value_t = 3600)]
    patience: u64,

    /// Process number of the server, if it runs here: its memory is told
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
}

/// A thread stands behind each connection.
const MOST: usize = 1024;

fn connections(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=MOST).contains(number));
    number.ok_or_else(|| format!("{text}: expected 1 to {MOST}"))
}

fn main() -> ExitCode {
    match bench(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "server-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Refuses options that would be of no effect.
fn check(args: &Args) -> Result<()> {
    if args.data.payload.is_some() && !args.filters {
        let message = "--payload is for searches with filters: add --filters";
        return Err(Error::Program(message.to_owned()));
    }
    match args.pid {
        Some(pid) if Memory::of(pid).is_none() => Err(Error::Program(format!(
            "--pid {pid}: this machine tells no memory of such a process; leave it out for a server elsewhere"
        ))),
        Some(_) | None => Ok(()),
    }
}

fn bench(args: &Args) -> Result<()> {
    check(args)?;
    let usual = IngestPlan::default();
    let rows = args.rows.or(args.ingest.then_some(usual.rows));
    let set = Dataset::read(&args.data.source(rows))?;
    let grpc = args.grpc.as_ref().map(|url| Grpc::new(url, &args.collection));
    let rest = args.rest.as_ref().map(|url| Rest::new(url, &args.collection));
    let grpc = grpc.iter().map(|server| server as &dyn Server);
    let rest = rest.iter().map(|server| server as &dyn Server);
    let servers: Vec<_> = grpc.chain(rest).collect();
    if args.ingest {
        let plan = IngestPlan {
            rows: set.len(),
            rounds: args.passes,
            ..usual
        };
        return write(&servers, &set, &plan, args.replace, &mut |line| tell(&line));
    }
    let course = Course {
        int8: args.int8,
        settings: args.ef.clone(),
        connections: args.connections.clone(),
        passes: args.passes,
        filters: args.filters,
        filtered_queries: args.filtered_queries,
        pause: Duration::from_secs(1),
        patience: Duration::from_secs(args.patience),
        pid: args.pid,
        replace: args.replace,
        keep: args.keep,
    };
    run(&servers, &set, &course, &mut |line| tell(&line))
}

#[cfg(test)]
mod tests;
