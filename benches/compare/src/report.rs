//! Everything that was measured, sorted by kind; tables of it and plots.

mod growth;
mod plots;
mod tables;
mod tasks;
mod writes;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use vdb_benches::{Error, Result};
use vdb_measure::{IngestLine, Line};

use crate::curve::{Curve, LEVELS};
use crate::lines::Lines;

/// Which system all others are compared with: the one whose name starts with this.
pub(crate) const OURS: &str = "vdb";

/// Lines of one system under one condition.
struct Entry<'a> {
    system: &'a str,
    lines: Vec<&'a Line>,
    curve: Curve,
}

impl Entry<'_> {
    fn is_ours(&self) -> bool {
        self.system.starts_with(OURS)
    }

    /// The first line that knows something.
    fn known(&self, what: impl Fn(&Line) -> Option<f64>) -> Option<f64> {
        self.lines.iter().find_map(|line| what(line))
    }

    /// The fastest line that reaches a level.
    fn reaching(&self, level: f64) -> Option<&Line> {
        let reaching = self.lines.iter().filter(|line| line.recall >= level);
        reaching.copied().max_by(|a, b| a.qps.total_cmp(&b.qps))
    }
}

/// The systems among some lines, ours first, then by their speed at the first level that they reach.
fn entries<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Vec<Entry<'a>> {
    let mut groups: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        groups.entry(&line.system).or_default().push(line);
    }
    let mut entries: Vec<Entry<'_>> = groups
        .into_iter()
        .map(|(system, lines)| Entry {
            system,
            curve: Curve::of(lines.iter().copied()),
            lines,
        })
        .collect();
    let speed = |entry: &Entry<'_>| entry.curve.at(LEVELS[0]).map_or(0.0, |speed| speed.qps);
    entries.sort_by(|a, b| {
        let ours_first = b.is_ours().cmp(&a.is_ours());
        ours_first.then(speed(b).total_cmp(&speed(a)))
    });
    entries
}

/// The number of rows that most systems were measured at; the largest of several.
fn usual_rows<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Option<u64> {
    let mut systems: BTreeMap<u64, BTreeSet<&str>> = BTreeMap::new();
    for line in lines {
        if let Some(rows) = line.rows {
            systems.entry(rows).or_default().insert(&line.system);
        }
    }
    let most = systems
        .into_iter()
        .max_by_key(|(rows, systems)| (systems.len(), *rows));
    most.map(|(rows, _)| rows)
}

/// What was measured, by kind.
pub(crate) struct Report<'a> {
    /// Searches without a filter in one process, of the number of rows that most systems were measured at.
    plain: Vec<Entry<'a>>,
    /// The same of every number of rows, if there are several.
    sizes: BTreeMap<u64, Vec<Entry<'a>>>,
    /// Searches with each filter, from the one that most rows match.
    filtered: Vec<(&'a str, f64, Vec<Entry<'a>>)>,
    /// Searches over connections.
    served: Vec<&'a Line>,
    /// Searches from several threads at once.
    together: Vec<&'a Line>,
    /// Searches with a part of the files in memory.
    cold: Vec<&'a Line>,
    /// Counts, sparse and hybrid searches.
    tasks: Vec<&'a Line>,
    /// Writes that waited for their acknowledgement.
    ingests: &'a [IngestLine],
    failures: &'a [String],
}

impl<'a> Report<'a> {
    /// Sorts lines into their kinds. A line that does not say of how many rows it is belongs to the number that most systems
    /// were measured at.
    pub(crate) fn new(all: &'a Lines) -> Report<'a> {
        let lines = &all.lines;
        let served = |line: &&Line| line.connections.is_some();
        let together = |line: &&Line| line.clients.is_some();
        let cold = |line: &&Line| line.cached.is_some();
        let task = |line: &&Line| line.task.is_some();
        let usual = |line: &&Line| !served(line) && !together(line) && !cold(line) && !task(line);
        let unfiltered = || lines.iter().filter(|line| usual(line) && line.filter.is_none());
        let most = usual_rows(unfiltered());
        let mut sizes: BTreeMap<u64, Vec<&Line>> = BTreeMap::new();
        for line in unfiltered() {
            sizes
                .entry(line.rows.or(most).unwrap_or(0))
                .or_default()
                .push(line);
        }
        let mut filters: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
        for line in lines.iter().filter(usual) {
            if let Some(filter) = &line.filter {
                filters.entry(filter).or_default().push(line);
            }
        }
        let mut filtered: Vec<(&str, f64, Vec<Entry<'_>>)> = filters
            .into_iter()
            .map(|(name, lines)| {
                let share = lines.iter().find_map(|line| line.share).unwrap_or(f64::NAN);
                (name, share, entries(lines))
            })
            .collect();
        filtered.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        Report {
            plain: entries(unfiltered().filter(|line| line.rows.is_none() || line.rows == most)),
            sizes: match sizes.len() {
                0 | 1 => BTreeMap::new(),
                _ => sizes
                    .into_iter()
                    .map(|(rows, lines)| (rows, entries(lines)))
                    .collect(),
            },
            filtered,
            served: lines.iter().filter(served).collect(),
            together: lines.iter().filter(together).collect(),
            cold: lines.iter().filter(cold).collect(),
            tasks: lines.iter().filter(task).collect(),
            ingests: &all.ingests,
            failures: &all.failures,
        }
    }

    /// Writes the tables as `report.md` and the plots into `dir`; the tables.
    pub(crate) fn write(&self, dir: &Path) -> Result<String> {
        self.plots(dir)?;
        let (file, text) = (dir.join("report.md"), self.markdown());
        std::fs::write(&file, &text).map_err(Error::file(&file))?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
