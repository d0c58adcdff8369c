//! Files below a root, and nothing that links lead to.
//!
//! A directory may come from a stranger: a link in it would lead to files of its finder, the lock file included, and a
//! pipe would keep them waiting.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;

/// `path` below `root`, where no directory on the way is a symbolic link. The root itself may be reached by one.
pub(crate) fn below(root: &Path, path: &str) -> io::Result<PathBuf> {
    let mut at = root.to_path_buf();
    let (dirs, name) = crate::path::split(path);
    for dir in dirs.split('/').filter(|dir| !dir.is_empty()) {
        at.push(dir);
        refuse_link(&at)?;
    }
    if !name.is_empty() {
        at.push(name);
    }
    Ok(at)
}

/// Fails on a symbolic link; what is not there is none.
pub(crate) fn refuse_link(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(refusal()),
        _ => Ok(()),
    }
}

/// Opens a file that is neither a symbolic link nor anything else but a file: every use of a directory would fail later
/// and less clearly.
pub(crate) fn open(options: &mut fs::OpenOptions, path: &Path) -> io::Result<fs::File> {
    // A file is never waited for. The bits of open(2) are signed there and not here.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = options.custom_flags(flags.bits() as i32).open(path);
    let file = opened.map_err(|e| match Errno::from_io_error(&e) {
        Some(Errno::LOOP) => refusal(),
        _ => e,
    })?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        return Err(io::Error::other("it is no file: a pipe, a socket or a device"));
    }
    Ok(file)
}

/// What is said of a link.
fn refusal() -> io::Error {
    io::Error::other(
        "it is a symbolic link, which leads out of the database: put the file itself in its place",
    )
}
