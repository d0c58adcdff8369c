//! Which processors the two ends of a measurement are kept to.

use std::process::Command;

use vdb_benches::{Error, Result};

/// Processors of the server and of this program; anywhere where none is named.
#[derive(Clone, Debug, Default)]
pub struct Cores {
    /// Those of what answers.
    pub server: Vec<usize>,
    /// Those of what asks.
    pub client: Vec<usize>,
}

impl Cores {
    /// Runs `start` on the server's processors, which whatever it starts inherits, and goes on with this program's. For the
    /// thread that the program began with: others are left where they are.
    ///
    /// # Errors
    /// Those of `start`; when threads cannot be kept to processors.
    pub fn there<T>(&self, start: impl FnOnce() -> Result<T>) -> Result<T> {
        // As many as this program had before.
        let all: Vec<usize> = (0..std::thread::available_parallelism().map_or(1, usize::from)).collect();
        pin(&self.server)?;
        let started = start();
        let back = if self.client.is_empty() && !self.server.is_empty() {
            &all
        } else {
            &self.client
        };
        pin(back)?;
        started
    }
}

/// Keeps this thread, and what it starts, to processors; anywhere where none is named.
fn pin(cores: &[usize]) -> Result<()> {
    if cores.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = cores.iter().map(usize::to_string).collect();
    let (list, own) = (list.join(","), std::process::id().to_string());
    let told = Command::new("taskset").args(["-cp", &list, &own]).output();
    let told = told.map_err(|error| Error::Program(format!("taskset, which pins to processors: {error}")))?;
    if told.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&told.stderr).trim().to_owned();
    Err(Error::Program(format!("processors {list}: {why}")))
}
