//! Having the system write a file out bit by bit, before a sync asks for all of it.

use std::fs::File;
use std::io;

/// Starts writing bytes `offset .. offset + len` of `file` to the disk and returns without waiting for them, so that a
/// later sync finds less to do. A hint: it makes nothing durable, errors are left for the sync to report, and systems
/// without such a call do nothing.
pub fn start(file: &File, offset: u64, len: u64) {
    #[cfg(target_os = "linux")]
    let _ = sync_file_range(file, offset, len, libc::SYNC_FILE_RANGE_WRITE);
    #[cfg(not(target_os = "linux"))]
    let _ = (file, offset, len);
}

/// Waits until what [`start`] has begun of these bytes is with the disk, which bounds how much of it others queue
/// behind. Makes nothing durable.
///
/// # Errors
/// Those of writing. They count: the system reports a failed write once, and a later sync may return without it.
pub fn wait(file: &File, offset: u64, len: u64) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    return sync_file_range(file, offset, len, libc::SYNC_FILE_RANGE_WAIT_BEFORE);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (file, offset, len);
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn sync_file_range(file: &File, offset: u64, len: u64, flags: libc::c_uint) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let (Ok(offset), Ok(len)) = (offset.try_into(), len.try_into()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    // SAFETY: the call touches no memory of this process, and the descriptor is open for as long as `file` is
    // borrowed. A range that the system does not like is an error.
    match unsafe { libc::sync_file_range(file.as_raw_fd(), offset, len, flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::{start, wait};
    use std::io::Write;

    #[test]
    fn bytes_stay_as_they_are_whatever_the_range() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&[7; 10_000]).unwrap();
        for (offset, len) in [(0, 10_000), (4096, 1), (0, 0), (1 << 40, 5)] {
            start(file.as_file(), offset, len);
            wait(file.as_file(), offset, len).unwrap();
        }
        for (offset, len) in [(u64::MAX, u64::MAX), (5, u64::MAX)] {
            start(file.as_file(), offset, len);
            let _ = wait(file.as_file(), offset, len);
        }
        assert_eq!(std::fs::read(file.path()).unwrap(), [7; 10_000]);
    }
}
