//! The SHA-256 of a file, and where it is kept.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Bytes read at a time.
const CHUNK: usize = 1 << 18;

/// Hexadecimal digits of a checksum.
const DIGITS: usize = 64;

/// Whether a text can be a checksum.
pub(super) fn is_wellformed(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The checksum of what a file holds.
pub(super) fn compute(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        hash.update(chunk.get(..read).unwrap_or_default());
    }
    let mut text = String::with_capacity(DIGITS);
    for byte in hash.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// Computes the checksum of a file and keeps it beside it. Where that fails, it is computed when it is asked for.
pub(super) fn keep(path: &Path) {
    if let Ok(checksum) = compute(path) {
        let _ = fs::write(beside(path), checksum);
    }
}

/// The checksum of a file, as it is kept, else computed.
pub(super) fn of(path: &Path) -> Option<String> {
    let kept = fs::read_to_string(beside(path)).ok();
    kept.filter(|text| is_wellformed(text))
        .or_else(|| compute(path).ok())
}

/// Removes what is kept beside a file.
pub(super) fn forget(path: &Path) {
    let _ = fs::remove_file(beside(path));
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".checksum");
    name.into()
}
