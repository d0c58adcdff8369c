//! Files of JSON lines, as the harnesses and the scripts of others write them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use vdb_benches::{Error, Result};
use vdb_measure::{IngestLine, Line};

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lines {
    /// Searches.
    pub(crate) lines: Vec<Line>,
    /// Writes.
    pub(crate) ingests: Vec<IngestLine>,
    /// What programs said instead of a measurement: the system and its error.
    pub(crate) failures: Vec<String>,
}

impl Lines {
    /// The measurements in `text`: a line with `vectors_per_s` is of writes, one with `qps` of searches. Empty lines count
    /// for nothing; a line with an `error` says what could not be measured; any other is refused.
    pub(crate) fn parse(text: &str, file: &Path) -> Result<Lines> {
        let mut found = Lines::default();
        for (number, text) in (1..).zip(text.lines()) {
            if text.trim().is_empty() {
                continue;
            }
            let wrong = |what: String| Error::data(file, format!("line {number}: {what}"));
            let value: Value = serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?;
            let system = value.get("system").and_then(Value::as_str).unwrap_or_default();
            if let Some(error) = value.get("error") {
                let error = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
                found.failures.push(format!("{system}: {error}"));
                continue;
            }
            if value.get("vectors_per_s").is_some() {
                let line = IngestLine::deserialize(value).map_err(|e| wrong(e.to_string()))?;
                found.ingests.push(line);
                continue;
            }
            if system.is_empty() || value.get("recall").is_none() || value.get("qps").is_none() {
                return Err(wrong("a measurement has system, recall and qps".to_owned()));
            }
            let line = Line::deserialize(value).map_err(|e| wrong(e.to_string()))?;
            found.lines.push(line);
        }
        Ok(found)
    }

    /// Those of a file.
    pub(crate) fn read(file: &Path) -> Result<Lines> {
        let text = std::fs::read_to_string(file).map_err(Error::file(file))?;
        Lines::parse(&text, file)
    }

    /// Refuses lines of several data sets: side by side they would say nothing.
    pub(crate) fn check(&self) -> Result<()> {
        let searches = self.lines.iter().filter_map(|line| line.data.as_deref());
        let writes = self.ingests.iter().filter_map(|line| line.data.as_deref());
        let sets: BTreeSet<&str> = searches.chain(writes).collect();
        if sets.len() < 2 {
            return Ok(());
        }
        let names: Vec<&str> = sets.into_iter().collect();
        let message = format!(
            "the lines are of several data sets ({}); report each alone",
            names.join(", ")
        );
        Err(Error::Program(message))
    }

    /// Leaves what is of systems called, or if none is called so, whose name begins with, one of `names`; refuses a name that no
    /// system begins with.
    pub(crate) fn leave(&mut self, names: &[String]) -> Result<()> {
        let searches = self.lines.iter().map(|line| line.system.clone());
        let writes = self.ingests.iter().map(|line| line.system.clone());
        let failed = self
            .failures
            .iter()
            .filter_map(|failure| failure.split_once(": "));
        let failed = failed.map(|(system, _)| system.to_owned());
        let systems: BTreeSet<String> = searches.chain(writes).chain(failed).collect();
        let mut named = BTreeSet::new();
        for name in names {
            if systems.contains(name) {
                named.insert(name.clone());
                continue;
            }
            let begin: Vec<&String> = systems.iter().filter(|system| system.starts_with(name)).collect();
            if begin.is_empty() {
                let known: Vec<&str> = systems.iter().map(String::as_str).collect();
                return Err(Error::Program(format!(
                    "no system has a name that begins with {name:?}; there are {}",
                    known.join(", ")
                )));
            }
            named.extend(begin.into_iter().cloned());
        }
        self.lines.retain(|line| named.contains(&line.system));
        self.ingests.retain(|line| named.contains(&line.system));
        self.failures.retain(|failure| {
            failure
                .split_once(": ")
                .is_some_and(|(system, _)| named.contains(system))
        });
        Ok(())
    }

    /// Adds what others hold.
    pub(crate) fn extend(&mut self, other: Lines) {
        self.lines.extend(other.lines);
        self.ingests.extend(other.ingests);
        self.failures.extend(other.failures);
    }
}

/// Writes measurements and failures to a file, in place of what it held.
pub(crate) fn write(file: &Path, lines: &Lines) -> Result<()> {
    let mut out = File::create(file).map_err(Error::file(file))?;
    let searches = lines.lines.iter().map(serde_json::to_string);
    for text in searches.chain(lines.ingests.iter().map(serde_json::to_string)) {
        let text = text.map_err(|e| Error::data(file, e.to_string()))?;
        writeln!(out, "{text}").map_err(Error::file(file))?;
    }
    for failure in &lines.failures {
        let (system, error) = failure.split_once(": ").unwrap_or(("", failure));
        let line = serde_json::json!({"system": system, "error": error});
        writeln!(out, "{line}").map_err(Error::file(file))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
