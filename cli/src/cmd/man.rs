//! `vdb man`: manual pages.

use std::path::PathBuf;

use clap::CommandFactory;
use clap_mangen::Man;

use super::Cli;
use crate::failure::{Failure, Outcome};
use crate::out::Out;

const AFTER: &str = "\
Examples:
  vdb man | man -l -
  vdb man --dir ~/.local/share/man/man1";

/// Print the manual page, or write one for every command
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Write the pages of all commands to this directory
    #[arg(long)]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    if out.json {
        return Err(Failure::usage(
            "--json: there is no answer here that could be JSON",
        ));
    }
    let command = Cli::command();
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        let rendered = Man::new(command).render(&mut page);
        rendered.map_err(|e| Failure::failed(format!("cannot make the manual page: {e}")))?;
        return out.bytes(&page);
    };
    let failed = |e| Failure::failed(format!("{}: cannot write manual pages: {e}", dir.display()));
    std::fs::create_dir_all(dir).map_err(failed)?;
    clap_mangen::generate_to(command, dir).map_err(failed)?;
    out.note(format_args!("wrote the manual pages to {}", dir.display()));
    Ok(())
}
