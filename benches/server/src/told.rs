//! What the programs print.

use std::io::Write;

use serde::Serialize;
use vdb_benches::{Error, Result};

/// One line of JSON on standard output, at once.
///
/// # Errors
/// When nobody reads it, or it has no JSON.
pub fn tell(line: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string(line).map_err(|e| Error::Program(e.to_string()))?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")
        .and_then(|()| out.flush())
        .map_err(Error::file("standard output".as_ref()))
}
