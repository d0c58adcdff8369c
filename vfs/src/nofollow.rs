//! Files below a root, and nothing that links lead to.

use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// Opens a file that is no symbolic link: a directory may come from a stranger, and a link in it would lead to files of
/// its finder, the lock file included.
pub(crate) fn open_below(options: &mut fs::OpenOptions, path: &Path) -> io::Result<fs::File> {
    // The bits of open(2) are signed there and not here.
    let opened = options.custom_flags(OFlags::NOFOLLOW.bits() as i32).open(path);
    opened.map_err(|e| match Errno::from_io_error(&e) {
        Some(Errno::LOOP) => refusal(),
        _ => e,
    })
}

/// What is said of a link.
pub(crate) fn refusal() -> io::Error {
    io::Error::other(
        "it is a symbolic link, which leads out of the database: put the file itself in its place",
    )
}
