//! What is measured, part by part: each has a file of lines of its own, so that one can be measured again without the
//! others, and a run that was cut short goes on where it was.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use vdb_benches::{DataArgs, Error, Result, TaskKind};

use crate::lines::{self, Lines};

/// A kind of measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Searches without a filter
    Plain,
    /// Searches with filters
    Filters,
    /// Searches over other numbers of rows (--sizes; --sizes-peers for scripts)
    Sizes,
    /// A default and a quick build, each asked by itself as scripts ask theirs (needs --vdb)
    Builds,
    /// Several threads at once (needs --vdb)
    Clients,
    /// A part of the files in memory (needs --vdb)
    Cold,
    /// Writes, each waiting for its acknowledgement
    Ingest,
    /// Points counted under every kind of condition (needs --payload)
    Counts,
    /// Texts by BM25 over sparse vectors (needs --payload)
    Sparse,
    /// Dense vectors and texts together (needs --payload)
    Hybrid,
    /// Scripts that measure others (--peers)
    Peers,
}

impl Part {
    /// What ours and others are asked instead of the nearest vectors.
    pub(crate) fn task(self) -> Option<TaskKind> {
        match self {
            Part::Counts => Some(TaskKind::Counts),
            Part::Sparse => Some(TaskKind::Sparse),
            Part::Hybrid => Some(TaskKind::Hybrid),
            Part::Plain
            | Part::Filters
            | Part::Sizes
            | Part::Builds
            | Part::Clients
            | Part::Cold
            | Part::Ingest
            | Part::Peers => None,
        }
    }

    /// As the command line has it.
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |name| name.get_name().to_owned())
    }
}

/// A measurement that is made in one go.
pub(crate) struct Step {
    pub(crate) part: Part,
    /// The name of its file.
    pub(crate) name: String,
    pub(crate) work: Work,
}

/// Who does the work.
pub(crate) enum Work {
    /// Ours in this process, asked.
    Here { rows: Option<usize>, filtered: bool },
    /// Ours in this process, written to.
    Write,
    /// Ours in this process, asked other things.
    Task(TaskKind),
    /// Another program, with these arguments.
    Program(PathBuf, Vec<OsString>),
    /// A script that measures others, over so many rows.
    Script { script: PathBuf, rows: usize },
}

impl Step {
    /// `vdb bench search` with options of its own.
    pub(crate) fn vdb(part: Part, vdb: &Path, data: &DataArgs, options: &[(&str, String)]) -> Step {
        let mut arguments: Vec<OsString> = vec!["bench".into(), "search".into(), "--json".into()];
        arguments.extend(data.vectors_only());
        arguments.extend(
            options
                .iter()
                .flat_map(|(name, value)| [(*name).into(), value.into()]),
        );
        Step {
            part,
            name: part.name(),
            work: Work::Program(vdb.to_owned(), arguments),
        }
    }
}

/// The files of all parts in one folder.
pub(crate) struct Kept {
    dir: PathBuf,
}

impl Kept {
    /// Those in `dir`, which is made.
    pub(crate) fn at(dir: PathBuf) -> Result<Kept> {
        std::fs::create_dir_all(&dir).map_err(Error::file(&dir))?;
        Ok(Kept { dir })
    }

    fn file(&self, step: &Step) -> PathBuf {
        self.dir.join(format!("{}.jsonl", step.name))
    }

    /// What was measured before; none where the part was never measured to its end.
    pub(crate) fn read(&self, step: &Step) -> Result<Option<Lines>> {
        let file = self.file(step);
        if !file.exists() {
            return Ok(None);
        }
        Lines::read(&file).map(Some)
    }

    /// Keeps a part that is measured, in place of an older one.
    pub(crate) fn keep(&self, step: &Step, lines: &Lines) -> Result<()> {
        let (file, half) = (self.file(step), self.dir.join("half"));
        lines::write(&half, lines)?;
        std::fs::rename(&half, &file).map_err(Error::file(&file))
    }
}

#[cfg(test)]
mod tests;
