//! Files under other names until they are complete and synced.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};
use vdb_interop::faiss::FaissExport;

use super::{Args, Format};
use crate::failure::{Failure, Outcome};

pub(super) const PREFIX: &str = ".vdb-export-";
const BUFFER: usize = 1 << 20;

/// The names of the files in a directory for FAISS.
const FAISS: [&str; 2] = FaissExport::<File, File>::FILES;

/// What the points are written to.
pub(super) type Target = BufWriter<File>;

/// Where an export goes, and where it is until then. Dropped before it is finished, it leaves nothing behind.
pub(super) enum Place {
    /// Files, each with the name that it is to have.
    Files(Vec<(NamedTempFile, PathBuf)>),
    /// Files in a directory with the name that it is to have.
    Directory {
        dir: TempDir,
        to: PathBuf,
        files: Vec<File>,
    },
}

fn failed(error: io::Error) -> Failure {
    Failure::failed(format!("cannot be written: {error}"))
}

/// The directory that a path is in.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if dir != Path::new("") => dir,
        Some(_) | None => Path::new("."),
    }
}

impl Place {
    /// Makes files beside `to`, which is refused when it is there and may not be replaced.
    pub(super) fn new(to: &Path, args: &Args) -> Outcome<Place> {
        refuse(to, args)?;
        if args.format == Format::Faiss {
            let dir = TempDir::with_prefix_in(PREFIX, parent(to)).map_err(failed)?;
            let make = |name: &&str| File::create_new(dir.path().join(name));
            let files = FAISS
                .iter()
                .map(make)
                .collect::<io::Result<_>>()
                .map_err(failed)?;
            return Ok(Place::Directory {
                dir,
                to: to.to_owned(),
                files,
            });
        }
        let mut files = Vec::new();
        for to in [Some(to), args.rows.as_deref()].into_iter().flatten() {
            refuse(to, args)?;
            let part = NamedTempFile::with_prefix_in(PREFIX, parent(to)).map_err(failed)?;
            files.push((part, to.to_owned()));
        }
        Ok(Place::Files(files))
    }

    /// The files to write to, in the order of the format.
    pub(super) fn targets(&self) -> Outcome<Vec<Target>> {
        let buffered = |file: &File| Ok(BufWriter::with_capacity(BUFFER, file.try_clone()?));
        let targets: io::Result<Vec<Target>> = match self {
            Place::Files(files) => files.iter().map(|(part, _)| buffered(part.as_file())).collect(),
            Place::Directory { files, .. } => files.iter().map(buffered).collect(),
        };
        targets.map_err(failed)
    }

    /// Syncs everything and gives it its name; the bytes written.
    pub(super) fn finish(self, replaces: bool) -> Outcome<u64> {
        match self {
            Place::Files(files) => {
                let mut bytes = 0;
                // The last file is for who reads the first: it is there before it.
                for (part, to) in files.into_iter().rev() {
                    bytes += synced(part.as_file()).map_err(failed)?;
                    readable(part.path(), 0o644).map_err(failed)?;
                    if replaces {
                        part.persist(&to).map_err(|error| failed(error.error))?;
                    } else {
                        part.persist_noclobber(&to).map_err(|error| failed(error.error))?;
                    }
                    sync_directory(parent(&to)).map_err(failed)?;
                }
                Ok(bytes)
            }
            Place::Directory { dir, to, files } => {
                let sizes: io::Result<Vec<u64>> = files.iter().map(synced).collect();
                let bytes = sizes.map_err(failed)?.into_iter().sum();
                readable(dir.path(), 0o755)
                    .and_then(|()| sync_directory(dir.path()))
                    .and_then(|()| move_directory(dir, &to))
                    .and_then(|()| sync_directory(parent(&to)))
                    .map_err(failed)?;
                Ok(bytes)
            }
        }
    }
}

/// Refuses what is there already, unless it may be replaced. A directory is replaced only if nothing else is in it.
fn refuse(to: &Path, args: &Args) -> Outcome {
    let Ok(there) = to.symlink_metadata() else {
        return Ok(());
    };
    if !there.is_file() && !there.is_dir() {
        return Err(Failure::failed(
            "there is a link, a pipe or a device, and an export gets its name as a whole once it is complete; `vdb scroll DB \
             COLLECTION --all --with-vectors --json` prints points as lines",
        ));
    }
    if !args.force {
        let what = if there.is_dir() { "directory" } else { "file" };
        return Err(Failure::failed(format!(
            "there is a {what} {} already; --force replaces it",
            to.display()
        )));
    }
    if there.is_dir() != (args.format == Format::Faiss) {
        return Err(Failure::failed(
            "there is something of another kind already, which is not replaced",
        ));
    }
    if there.is_dir() {
        for entry in fs::read_dir(to).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            if !FAISS.iter().any(|known| name == *known) {
                return Err(Failure::failed(format!(
                    "there is a directory with {name:?} in it, which is not replaced"
                )));
            }
        }
    }
    Ok(())
}

fn synced(file: &File) -> io::Result<u64> {
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn sync_directory(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Gives the directory its name. One that is there changes its name with it in one step, and goes after that; where the system does not
/// do that, it is moved aside first.
fn move_directory(dir: TempDir, to: &Path) -> io::Result<()> {
    if to.symlink_metadata().is_err() {
        fs::rename(dir.path(), to)?;
        // It is no temporary directory any more.
        let _ = dir.keep();
        return Ok(());
    }
    if exchange(dir.path(), to)? {
        return gone_after_sync(dir, to);
    }
    move_aside(dir, to)
}

/// Two directories get each other's name; false where the system or the file system cannot do that.
#[cfg(target_os = "linux")]
fn exchange(one: &Path, other: &Path) -> io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::NOSYS | Errno::INVAL | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn exchange(_one: &Path, _other: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Moves what is there aside, and back if its name cannot be given to the new one. It is deleted only after the new one has its name.
fn move_aside(dir: TempDir, to: &Path) -> io::Result<()> {
    let aside = TempDir::with_prefix_in(PREFIX, parent(to))?;
    let old = aside.path().join("old");
    fs::rename(to, &old)?;
    if let Err(error) = fs::rename(dir.path(), to) {
        if fs::rename(&old, to).is_err() {
            let kept = aside.keep().join("old");
            let why = format!("{error}; what was there is now {}", kept.display());
            return Err(io::Error::new(error.kind(), why));
        }
        return Err(error);
    }
    let _ = dir.keep();
    gone_after_sync(aside, to)
}

/// Deletes what was replaced once the new name is durable; else it stays.
fn gone_after_sync(old: TempDir, to: &Path) -> io::Result<()> {
    if let Err(error) = sync_directory(parent(to)) {
        let _ = old.keep();
        return Err(error);
    }
    old.close()
}

/// Temporary files are for their owner alone; what was asked for is a file like others.
#[cfg(unix)]
fn readable(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn readable(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
