//! One file a command: its arguments and what it does with them.
//!
//! A command opens what it needs, calls the engine, and prints an answer: [`run`] is the whole dispatch. `load/`,
//! `import/`, `export/`, `bench/` and `demo.rs` are the only ones that do more than that.

mod aggregate;
mod bench;
mod collections;
mod compact;
mod completions;
mod config;
mod count;
mod create;
mod delete;
mod demo;
mod export;
mod get;
mod import;
mod index;
mod info;
mod load;
mod man;
#[cfg(feature = "serve")]
mod migrate;
mod optimize;
mod query;
mod repair;
mod restore;
mod scroll;
#[cfg(feature = "serve")]
mod serve;
mod snapshot;
mod sort;
mod ttl;
mod verify;

use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::failure::Outcome;
use crate::out::Out;
use crate::parse;

const AFTER: &str = "\
Exit codes:
  0  done
  1  failed; standard error says what was wrong, where, and what to do
  2  the command line is wrong
  124  the time of --timeout is up
  130  interrupted (Ctrl-C, SIGTERM); standard error says what is done

One process at a time changes a database. query, get, scroll, sort, export, count, aggregate, info, collections list, config \
without --set, verify and delete \
--dry-run only read: they work beside it, see what it has committed, and change nothing, so that they work in a \
directory that may not be written to as well.

Answers go to standard output, remarks and progress to standard error. With --json answers are JSON, one value \
a line. Progress bars appear only on a terminal.

Examples:
  vdb load my.db words vectors.npy --payload words.jsonl
  vdb query my.db words --match words=owl --limit 5
  vdb count my.db words --filter '{\"must\": [{\"key\": \"pos\", \"match\": {\"value\": \"verb\"}}]}'";

/// Load, query and look after vector databases, each a directory.
#[derive(Debug, Parser)]
#[command(name = "vdb", version, after_help = AFTER, propagate_version = true, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print answers as JSON for programs, one value a line
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,

    /// No progress bars and no remarks; errors and warnings are still told
    #[arg(long, short, global = true, help_heading = "Global options")]
    pub(crate) quiet: bool,

    /// Wait so long for a database that another process has open, before changing it (reading need not wait)
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        default_value = "0",
        hide_default_value = true
    )]
    #[arg(help_heading = "Global options", allow_negative_numbers = true, value_parser = parse::seconds)]
    pub(crate) wait: Duration,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(create::Args),
    Load(load::Args),
    Import(import::Args),
    Export(export::Args),
    #[cfg(feature = "serve")]
    Migrate(migrate::Args),
    Query(query::Args),
    Get(get::Args),
    Scroll(scroll::Args),
    Sort(sort::Args),
    Count(count::Args),
    Aggregate(aggregate::Args),
    Delete(delete::Args),
    Ttl(ttl::Args),
    Info(info::Args),
    Collections(collections::Args),
    Config(config::Args),
    Index(index::Args),
    Compact(compact::Args),
    Verify(verify::Args),
    Repair(repair::Args),
    Snapshot(snapshot::Args),
    #[cfg(feature = "serve")]
    Serve(serve::Args),
    Restore(restore::Args),
    Bench(bench::Args),
    Demo(demo::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Carries out a command.
pub(crate) fn run(command: Command, out: &mut Out) -> Outcome {
    match command {
        Command::Create(args) => create::run(&args, out),
        Command::Load(args) => load::run(&args, out),
        Command::Import(args) => import::run(&args, out),
        Command::Export(args) => export::run(&args, out),
        #[cfg(feature = "serve")]
        Command::Migrate(args) => migrate::run(&args, out),
        Command::Query(args) => query::run(args, out),
        Command::Get(args) => get::run(&args, out),
        Command::Scroll(args) => scroll::run(args, out),
        Command::Sort(args) => sort::run(args, out),
        Command::Count(args) => count::run(&args, out),
        Command::Aggregate(args) => aggregate::run(&args, out),
        Command::Delete(args) => delete::run(args, out),
        Command::Ttl(args) => ttl::run(&args, out),
        Command::Info(args) => info::run(&args, out),
        Command::Collections(args) => collections::run(args, out),
        Command::Config(args) => config::run(&args, out),
        Command::Index(args) => index::run(&args, out),
        Command::Compact(args) => compact::run(&args, out),
        Command::Verify(args) => verify::run(&args, out),
        Command::Repair(args) => repair::run(&args, out),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(&args, out),
        Command::Snapshot(args) => snapshot::run(&args, out),
        Command::Restore(args) => restore::run(&args, out),
        Command::Bench(args) => bench::run(args, out),
        Command::Demo(args) => demo::run(&args, out),
        Command::Completions(args) => completions::run(&args, out),
        Command::Man(args) => man::run(&args, out),
    }
}
