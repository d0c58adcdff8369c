//! Which files of a directory this process has mapped, how much of them is in memory, and putting that out of it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use vdb_sys::map::Map;

/// Files below one directory that are read through mappings.
///
/// Holds a mapping of each that nothing is ever read through: it keeps no page in memory, and the system tells by it
/// which pages are.
#[derive(Debug)]
pub struct MappedFiles {
    files: Vec<(PathBuf, File, Map)>,
}

impl MappedFiles {
    /// Those below `dir` that this process has mapped now.
    ///
    /// # Errors
    /// `Unsupported` where the system does not tell a process its mappings; what it says of a file otherwise.
    pub fn below(dir: &Path) -> io::Result<MappedFiles> {
        let maps = std::fs::read_to_string("/proc/self/maps").map_err(|_| io::ErrorKind::Unsupported)?;
        let dir = dir.canonicalize()?;
        let files = paths(&maps)
            .into_iter()
            .filter(|path| path.starts_with(&dir) && path.exists());
        let files = files.map(|path| {
            let file = File::open(&path)?;
            let len = usize::try_from(file.metadata()?.len()).map_err(|_| io::ErrorKind::Unsupported)?;
            let map = Map::new(&file, len)?;
            Ok((path, file, map))
        });
        Ok(MappedFiles {
            files: files.collect::<io::Result<_>>()?,
        })
    }

    /// Bytes of all of them.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, _, map)| map.len() as u64).sum()
    }

    /// How many of these bytes are in memory, in whole pages.
    ///
    /// # Errors
    /// What the system says.
    pub fn resident_bytes(&self) -> io::Result<u64> {
        self.files.iter().map(|(_, _, map)| map.resident_bytes()).sum()
    }

    /// Asks the system to forget their pages. It keeps those that a process has mapped and read: close the database
    /// first, and see [`resident_bytes`](Self::resident_bytes) for what is left.
    ///
    /// # Errors
    /// What the system says.
    pub fn forget(&self) -> io::Result<()> {
        for (_, file, _) in &self.files {
            // Pages that are not written out yet would stay.
            file.sync_data()?;
            forget(file)?;
        }
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn forget(file: &File) -> io::Result<()> {
    Ok(rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?)
}

#[cfg(not(target_os = "linux"))]
fn forget(_file: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The files in a list of mappings, as `/proc/PID/maps` has it: a path is what follows five fields.
fn paths(maps: &str) -> BTreeSet<PathBuf> {
    let path = |line: &str| {
        let mut rest = line;
        for _ in 0..5 {
            rest = rest.trim_start().split_once(' ')?.1;
        }
        let path = rest.trim_start();
        path.starts_with('/').then(|| PathBuf::from(path))
    };
    maps.lines().filter_map(path).collect()
}

#[cfg(test)]
mod tests;
