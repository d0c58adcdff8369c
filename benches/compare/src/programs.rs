//! Programs that measure other systems and print JSON lines.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use vdb_benches::{Error, Result};

use crate::lines::Lines;

/// What programs are told so that they measure for as short as they can.
pub(crate) const SMOKE: [(&str, &str); 2] = [("--passes", "2"), ("--seconds", "0")];

/// Runs a program to its end and reads what it printed; its messages go to standard error. One that fails counts for
/// what it measured until then, and is told of among the failures.
pub(crate) fn run(program: &Path, arguments: &[OsString]) -> Result<Lines> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = command.output().map_err(Error::file(program))?;
    let mut found = Lines::parse(&String::from_utf8_lossy(&output.stdout), program)?;
    if !output.status.success() {
        let arguments: Vec<_> = arguments.iter().map(|one| one.to_string_lossy()).collect();
        let failure = format!("{} {}: {}", program.display(), arguments.join(" "), output.status);
        found.failures.push(failure);
    }
    Ok(found)
}
