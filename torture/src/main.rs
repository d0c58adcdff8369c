//! How often can a database be killed? As often as it is asked for.
//!
//! ```text
//! crash: seeds -> a script each, on a simulated disk -> power cuts, failing calls, full disks -> what is lost (0)
//! soak:  a child process writes -> SIGKILL -> everything acknowledged is looked for -> what is lost (0)
//! ```
//!
//! | file | what |
//! |---|---|
//! | `interrupt.rs` | Ctrl-C |
//! | `panics.rs` | checks that failed, in whatever thread |
//! | `report.rs` | tables and JSON |
//! | `crash.rs` | the command `crash` |
//! | `soak.rs` | the command `soak` |
//!
//! What is done and what is checked is in `tests/torture/`, which `cargo test` uses too; here are loops and figures.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command")]

mod crash;
mod interrupt;
mod panics;
mod report;
mod soak;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Crashes, failing disks and killed processes, and what was lost
#[derive(Parser)]
#[command(name = "vdb-torture")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Crash(crash::Args),
    Soak(soak::Args),
    #[command(hide = true)]
    SoakChild(soak::ChildArgs),
}

fn main() -> ExitCode {
    interrupt::watch();
    let sound = match Args::parse().command {
        Command::Crash(args) => crash::run(&args),
        Command::Soak(args) => soak::run(&args),
        Command::SoakChild(args) => soak::write(&args),
    };
    if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
