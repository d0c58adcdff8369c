//! One file a command: its arguments and what it does with them.
//!
//! A command opens what it needs, calls the engine, and prints an answer: [`run`] is the whole dispatch. `load/`,
//! `bench/` and `demo.rs` are the only ones that do more than that.

mod bench;
mod collections;
mod compact;
mod completions;
mod count;
mod create;
mod delete;
mod demo;
mod get;
mod index;
mod info;
mod load;
mod man;
mod optimize;
mod query;
mod restore;
mod scroll;
mod snapshot;
mod verify;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::out::Out;

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(create::Args),
    Load(load::Args),
    Query(query::Args),
    Get(get::Args),
    Scroll(scroll::Args),
    Count(count::Args),
    Delete(delete::Args),
    Info(info::Args),
    Collections(collections::Args),
    Index(index::Args),
    Compact(compact::Args),
    Verify(verify::Args),
    Snapshot(snapshot::Args),
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
        Command::Query(args) => query::run(args, out),
        Command::Get(args) => get::run(&args, out),
        Command::Scroll(args) => scroll::run(args, out),
        Command::Count(args) => count::run(&args, out),
        Command::Delete(args) => delete::run(args, out),
        Command::Info(args) => info::run(&args, out),
        Command::Collections(args) => collections::run(args, out),
        Command::Index(args) => index::run(&args, out),
        Command::Compact(args) => compact::run(&args, out),
        Command::Verify(args) => verify::run(&args, out),
        Command::Snapshot(args) => snapshot::run(&args, out),
        Command::Restore(args) => restore::run(&args, out),
        Command::Bench(args) => bench::run(args, out),
        Command::Demo(args) => demo::run(&args, out),
        Command::Completions(args) => completions::run(&args, out),
        Command::Man(args) => man::run(&args, out),
    }
}
