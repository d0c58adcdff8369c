//! The `vdb` command: what can be done with a database from a shell?
//!
//! ```text
//! argv -> cmd/mod.rs (clap) -> cmd/NAME.rs -> vdb (the engine) and vdb-interop (files) -> out.rs -> stdout, stderr
//! ```
//!
//! | file | what |
//! |---|---|
//! | `args.rs` | what several commands share of their command lines |
//! | `parse.rs` | values on the command line: vectors, filters, names of distances |
//! | `failure.rs` | exit codes |
//! | `interrupt.rs` | Ctrl-C, for work that can stop where nothing is half done |
//! | `out.rs` | the only writer to standard output and standard error |
//! | `progress.rs` | bars on standard error |
//! | `open.rs` | databases and collections that must exist |
//! | `points.rs`, `table.rs` | points as JSON and as tables |
//! | `cmd/` | the command line as a whole, and one file a command |
//!
//! Depends on the engine and on `vdb-interop`, and holds no logic that either could.

#![forbid(unsafe_code)]

mod args;
mod cmd;
mod failure;
mod interrupt;
mod open;
mod out;
mod parse;
mod points;
mod progress;
mod table;

use std::process::ExitCode;

use clap::Parser;

use cmd::Cli;
use out::Out;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut out = Out::new(cli.json, cli.quiet);
    open::set_wait(cli.wait);
    let outcome = cmd::run(cli.command, &mut out);
    // What a failed command found out before it failed is still handed over.
    let flushed = out.flush();
    match outcome.and(flushed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(message) = failure.message() {
                out::error(message);
            }
            failure.exit_code()
        }
    }
}
