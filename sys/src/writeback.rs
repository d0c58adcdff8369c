//! Asking the system to start writing a file out.

use std::fs::File;

/// Starts writing bytes `offset .. offset + len` of `file` to the disk and returns without waiting for them, so that a
/// later sync finds less to do. A hint: it makes nothing durable, errors are not reported, and systems without such a
/// call do nothing.
pub fn start(file: &File, offset: u64, len: u64) {
    #[cfg(target_os = "linux")]
    if let (Ok(offset), Ok(len)) = (offset.try_into(), len.try_into()) {
        use std::os::fd::AsRawFd;
        // SAFETY: the call touches no memory of this process, and the descriptor is open for as long as `file` is
        // borrowed. A range that the system does not like is an error, which is of no interest here.
        let _ = unsafe { libc::sync_file_range(file.as_raw_fd(), offset, len, libc::SYNC_FILE_RANGE_WRITE) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, offset, len);
}

#[cfg(test)]
mod tests {
    use super::start;
    use std::io::Write;

    #[test]
    fn bytes_stay_as_they_are_whatever_the_range() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&[7; 10_000]).unwrap();
        for (offset, len) in [
            (0, 10_000),
            (4096, 1),
            (0, 0),
            (1 << 40, 5),
            (u64::MAX, u64::MAX),
            (5, u64::MAX),
        ] {
            start(file.as_file(), offset, len);
        }
        assert_eq!(std::fs::read(file.path()).unwrap(), [7; 10_000]);
    }
}
