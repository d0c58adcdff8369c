//! The command line of `server-ops`.

#![forbid(unsafe_code)]

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use vdb_bench_server::{
    Cores, Floor, Grpc, Kill, Load, Many, Own, Rest, Server, floor, kill, load, many, random, served_by, tell,
};
use vdb_benches::{Dataset, Error, Result, Source};
use vdb_measure::Setting;

/// Operate a server: many collections, load, kills, what a call costs
///
/// Each prints one JSON object a line. Exit code 1 where an answer was wrong, a call failed, or something acknowledged is not
/// there.
#[derive(Debug, Parser)]
#[command(name = "server-ops", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make many small collections, start the server again: time to be ready, memory and disk a collection
    Many(ManyArgs),
    /// Read and write over many connections at once: percentiles, errors, memory over time
    Load(LoadArgs),
    /// Kill the server under load again and again, and look for everything acknowledged
    Kill(KillArgs),
    /// What a search costs over gRPC and REST, beside the same search in one process and behind a bare socket, a call that does
    /// nothing, and the same questions to ten points
    Floor(FloorArgs),
}

/// The server that is started.
#[derive(Debug, Args)]
struct OwnArgs {
    /// The program `vdb` whose `serve` is started
    #[arg(long, value_name = "PROGRAM", default_value = "target/release/vdb")]
    own: PathBuf,

    /// Below which directory its data go; a temporary one when left out
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Processors of the server, where the system allows it, as 0,1
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    server_cores: Vec<usize>,

    /// Processors of this program
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    client_cores: Vec<usize>,
}

impl OwnArgs {
    fn home(&self) -> Result<tempfile::TempDir> {
        let builder = |dir: Option<&PathBuf>| match dir {
            Some(dir) => tempfile::Builder::new().prefix("server-ops-").tempdir_in(dir),
            None => tempfile::tempdir(),
        };
        builder(self.dir.as_ref()).map_err(|error| Error::Program(format!("no directory for data: {error}")))
    }

    fn cores(&self) -> Cores {
        Cores {
            server: self.server_cores.clone(),
            client: self.client_cores.clone(),
        }
    }
}

#[derive(Debug, Args)]
struct ManyArgs {
    #[command(flatten)]
    own: OwnArgs,

    #[arg(long, value_name = "N", default_value_t = 1000)]
    collections: u64,

    /// Points of each
    #[arg(long, value_name = "N", default_value_t = 10)]
    points: u64,

    /// Numbers in a vector
    #[arg(long, value_name = "N", default_value_t = 128)]
    dim: usize,

    /// Kill the server instead of stopping it before it is started again
    #[arg(long)]
    killed: bool,
}

#[derive(Debug, Args)]
struct LoadArgs {
    #[command(flatten)]
    own: OwnArgs,

    /// The REST of a server that runs already, as http://localhost:6333, in place of --own
    #[arg(long, value_name = "URL", requires = "grpc")]
    rest: Option<String>,

    /// Its gRPC, as http://localhost:6334
    #[arg(long, value_name = "URL", requires = "rest")]
    grpc: Option<String>,

    /// Its process number, if it runs here
    #[arg(long, value_name = "PID", requires = "rest")]
    pid: Option<u32>,

    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=4096))]
    connections: u64,

    #[arg(long, value_name = "S", default_value_t = 60)]
    seconds: u64,

    /// Numbers in a vector
    #[arg(long, value_name = "N", default_value_t = 128)]
    dim: usize,

    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

#[derive(Debug, Args)]
struct KillArgs {
    #[command(flatten)]
    own: OwnArgs,

    #[arg(long, value_name = "N", default_value_t = 50)]
    rounds: u64,

    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=1024))]
    connections: u64,

    /// A server lives at most so long
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 2000)]
    longest: u64,

    /// Numbers in a vector
    #[arg(long, value_name = "N", default_value_t = 32)]
    dim: usize,

    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

#[derive(Debug, Args)]
struct FloorArgs {
    #[command(flatten)]
    own: OwnArgs,

    /// The REST of a server that runs already, in place of --own
    #[arg(long, value_name = "URL")]
    rest: Option<String>,

    /// The gRPC of a server that runs already, in place of --own
    #[arg(long, value_name = "URL")]
    grpc: Option<String>,

    /// Vectors: .npy, .fvecs, .bvecs, .hdf5; random ones when left out
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,

    /// Use only the first N rows; that many random ones
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    rows: usize,

    /// Numbers in a random vector
    #[arg(long, value_name = "N", default_value_t = 128)]
    dim: usize,

    #[arg(long, value_name = "N", default_value_t = 500)]
    queries: usize,

    /// Width of the beam, default, or exact
    #[arg(long, value_name = "EF", default_value = "default")]
    ef: Setting,

    /// How many connections ask at the same time
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,4,16")]
    connections: Vec<usize>,

    /// How often every query is asked
    #[arg(long, value_name = "N", default_value_t = 5)]
    passes: usize,

    /// Points of a batch that is written
    #[arg(long, value_name = "N", default_value_t = 500)]
    batch: usize,

    /// Seconds to wait for the index
    #[arg(long, value_name = "S", default_value_t = 600)]
    patience: u64,
}

fn main() -> ExitCode {
    let sound = match Cli::parse().command {
        Command::Many(args) => run_many(&args),
        Command::Load(args) => run_load(&args),
        Command::Kill(args) => run_kill(&args),
        Command::Floor(args) => run_floor(&args),
    };
    match sound {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            remark(&format!("server-ops: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run_many(args: &ManyArgs) -> Result<bool> {
    let home = args.own.home()?;
    let plan = Many {
        collections: args.collections,
        points: args.points,
        dim: args.dim,
        killed: args.killed,
    };
    let line = many(&served_by(&args.own.own), &home.path().join("db"), &plan)?;
    tell(&line).map(|()| true)
}

fn run_load(args: &LoadArgs) -> Result<bool> {
    let home = args.own.home()?;
    let own = match &args.rest {
        Some(_) => None,
        None => Some(
            args.own
                .cores()
                .there(|| Own::start(&served_by(&args.own.own), &home.path().join("db")))?,
        ),
    };
    let (rest, grpc) = match (&own, &args.rest, &args.grpc) {
        (Some(own), ..) => (own.rest(), own.grpc()),
        (None, rest, grpc) => (rest.clone().unwrap_or_default(), grpc.clone().unwrap_or_default()),
    };
    let plan = Load {
        connections: args.connections,
        time: Duration::from_secs(args.seconds),
        dim: args.dim,
        pid: own.as_ref().map(Own::pid).or(args.pid),
        seed: args.seed,
    };
    let mut second = 0;
    let line = load(&rest, &grpc, &plan, &mut |calls, rss| {
        second += 1;
        if second % 10 == 0 {
            let rss = rss.map_or(String::new(), |mb| format!(", {mb} MB resident"));
            remark(&format!("{second} s: {calls} calls{rss}"));
        }
    })?;
    tell(&line)?;
    own.map_or(Ok(()), Own::stop)?;
    Ok(line.errors == 0 && line.wrong == 0)
}

fn run_kill(args: &KillArgs) -> Result<bool> {
    let home = args.own.home()?;
    let plan = Kill {
        rounds: args.rounds,
        connections: args.connections,
        life: (
            Duration::from_millis(50),
            Duration::from_millis(args.longest.max(50)),
        ),
        dim: args.dim,
        seed: args.seed,
    };
    let line = kill(
        &served_by(&args.own.own),
        &home.path().join("db"),
        &plan,
        &mut |line| {
            remark(&format!(
                "{} kills, {} calls acknowledged",
                line.kills, line.acknowledged
            ));
        },
    )?;
    tell(&line)?;
    if !line.lost.is_empty() {
        remark(&format!("kept: {}", home.keep().display()));
    }
    Ok(line.lost.is_empty())
}

fn run_floor(args: &FloorArgs) -> Result<bool> {
    let home = args.own.home()?;
    let set = match &args.data {
        Some(data) => Dataset::read(&Source {
            data: data.clone(),
            payload: None,
            split: None,
            queries: args.queries,
            distance: None,
            rows: Some(args.rows),
        })?,
        None => random(args.rows, args.dim, args.queries),
    };
    let running = args.rest.is_some() || args.grpc.is_some();
    let own = match running {
        true => None,
        false => Some(
            args.own
                .cores()
                .there(|| Own::start(&served_by(&args.own.own), &home.path().join("db")))?,
        ),
    };
    let url = |of: fn(&Own) -> String, given: &Option<String>| own.as_ref().map(of).or_else(|| given.clone());
    let grpc = url(Own::grpc, &args.grpc).map(|url| Grpc::new(&url, "floor"));
    let rest = url(Own::rest, &args.rest).map(|url| Rest::new(&url, "floor"));
    let grpc = grpc.iter().map(|server| server as &dyn Server);
    let rest = rest.iter().map(|server| server as &dyn Server);
    let servers: Vec<&dyn Server> = grpc.chain(rest).collect();
    let plan = Floor {
        connections: args.connections.clone(),
        passes: args.passes,
        batch: args.batch,
        setting: args.ef,
        patience: Duration::from_secs(args.patience),
        cores: args.own.cores(),
    };
    floor(&servers, &set, &home.path().join("here"), &plan, &mut |line| {
        tell(line)
    })?;
    own.map_or(Ok(()), Own::stop)?;
    Ok(true)
}

fn remark(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
