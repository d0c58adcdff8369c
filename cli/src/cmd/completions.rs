//! `vdb completions`: scripts for shells.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use crate::failure::{Failure, Outcome};
use crate::out::Out;

const AFTER: &str = "\
Examples:
  vdb completions bash > ~/.local/share/bash-completion/completions/vdb
  vdb completions zsh > ~/.zfunc/_vdb
  vdb completions fish > ~/.config/fish/completions/vdb.fish";

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Which shell
    shell: Shell,
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    if out.json {
        return Err(Failure::usage(
            "--json: there is no answer here that could be JSON",
        ));
    }
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "vdb", &mut script);
    out.bytes(&script)
}
