//! Scripts that measure others: over the data with all that they know, and with some systems over other numbers of rows.
//!
//! The same rows and queries as ours, whatever their number: of fewer rows than the data has, a script takes the first
//! itself (`--rows`); where there are more, it reads them from a file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use vdb_benches::{DataArgs, Dataset, Error, Result, Source};
use vdb_interop::write_row_numbers;

use crate::grow::Fvecs;
use crate::lines::Lines;
use crate::options::Args;
use crate::parts::{Part, Step, Work};
use crate::programs::{self, SMOKE};

/// All that there is to measure: each script over every number of rows, if systems are named for that, and over the data.
///
/// `data` is that of `args` in a form that scripts read.
pub(crate) fn steps(args: &Args, data: &DataArgs) -> Vec<Step> {
    let mut steps = Vec::new();
    for script in &args.peers {
        let name = script.file_stem().unwrap_or_default().display();
        let sizes = args.sizes.iter().filter(|_| !args.sizes_peers.is_empty());
        steps.extend(sizes.map(|rows| Step {
            part: Part::Sizes,
            name: format!("rows-{rows}-script-{name}"),
            work: Work::Script {
                script: script.clone(),
                rows: *rows,
            },
        }));
        steps.push(Step {
            part: Part::Peers,
            name: format!("script-{name}"),
            work: Work::Program(args.python.clone(), arguments(args, script, data, None)),
        });
    }
    steps
}

/// What the systems that are named come to over `rows` rows: the first of the data, or those that it is grown to.
///
/// `data` is that of `args` in a form that scripts read.
pub(crate) fn measure(args: &Args, data: &DataArgs, script: &Path, rows: usize) -> Result<Lines> {
    let set = Dataset::read(&Source {
        payload: None,
        ..args.data.source(None)
    })?;
    let grown = match rows > set.len() {
        true => Some(Written::grown(&set, rows, &args.out.join("grown"))?),
        false => None,
    };
    // The script may need the memory.
    drop(set);
    let data = grown.as_ref().map_or(data, |grown| &grown.data);
    let mut found = programs::run(&args.python, &arguments(args, script, data, Some(rows)))?;
    for failure in &mut found.failures {
        failure.push_str(&format!(" (over {rows} rows)"));
    }
    Ok(found)
}

/// What a script is given.
fn arguments(args: &Args, script: &Path, data: &DataArgs, rows: Option<usize>) -> Vec<OsString> {
    let mut arguments = vec![script.into()];
    arguments.extend(data.vectors_only());
    if args.smoke {
        arguments.extend(SMOKE.iter().flat_map(|(name, value)| [name.into(), value.into()]));
    }
    arguments.extend(args.peers_arg.iter().cloned());
    // After a --only of those: the last one counts.
    if let Some(rows) = rows {
        let only = args.sizes_peers.join(",");
        arguments.extend([
            "--only".into(),
            only.into(),
            "--rows".into(),
            rows.to_string().into(),
        ]);
    }
    arguments
}

/// A set as files that every program reads. They go with it; those that a killed run left are overwritten.
pub(crate) struct Written {
    dir: PathBuf,
    /// Rows and then queries in one file, and which of them are queries in another.
    pub(crate) data: DataArgs,
}

impl Written {
    /// What programs are given that read no HDF5: where the data is in such a file and there is such a program to be run, the
    /// same set as another one.
    pub(crate) fn for_programs(args: &Args) -> Result<Option<Written>> {
        let is_asked = |part: &Part| match part {
            Part::Builds | Part::Clients | Part::Cold => args.vdb.is_some(),
            Part::Peers => !args.peers.is_empty(),
            Part::Sizes => !args.sizes_peers.is_empty(),
            Part::Plain | Part::Filters | Part::Ingest | Part::Counts | Part::Sparse | Part::Hybrid => false,
        };
        if !args.data.is_hdf5() || !args.parts.iter().any(is_asked) {
            return Ok(None);
        }
        let set = Dataset::read(&args.data.source(None))?;
        Written::grown(&set, set.len(), &args.out.join("data")).map(Some)
    }

    /// Writes `set`, grown to `rows`, to files in `dir`; never holds the new rows.
    fn grown(set: &Dataset, rows: usize, dir: &Path) -> Result<Written> {
        let dir = dir.to_owned();
        std::fs::create_dir_all(&dir).map_err(Error::file(&dir))?;
        // Lines name their data by the file, and must name the same as those of ours.
        let vectors = dir.join(format!("{}.fvecs", set.name));
        let split = dir.join("queries.npy");
        // From here on an error takes the files away again.
        let grown = Written {
            data: DataArgs {
                data: vectors.clone(),
                payload: None,
                split: Some(split.clone()),
                queries: set.queries.len(),
                distance: Some(set.distance),
            },
            dir,
        };
        let mut file = Fvecs::create(&vectors)?;
        for vector in set.vectors.chunks_exact(set.dim) {
            file.push(vector)?;
        }
        set.more(rows, |vector| file.push(vector))?;
        for query in &set.queries {
            file.push(query)?;
        }
        file.finish()?;
        let queries: Vec<u64> = (rows as u64..).take(set.queries.len()).collect();
        let mut bytes = Vec::new();
        let written = write_row_numbers(&mut bytes, &queries).and_then(|()| std::fs::write(&split, bytes));
        written.map_err(Error::file(&split))?;
        Ok(grown)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // What cannot be removed, the next run overwrites.
        for file in std::iter::once(&self.data.data).chain(&self.data.split) {
            let _ = std::fs::remove_file(file);
        }
        let _ = std::fs::remove_dir(&self.dir);
    }
}

#[cfg(test)]
mod tests;
