//! Where does the newest file end, and is what lies behind a torn tail or damage?
//!
//! The rule: every frame carries the greatest LSN that was known to be synced when it was written. The greatest such
//! number in the file, whether before or behind bad bytes, is what must be readable. A frame at or below it that
//! cannot be found is damage; the first bad frame above it is where the tail begins, and everything from there on is
//! dropped, sound frames included, because unsynced writes may reach the disk in any order.

use crate::Lsn;
use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::format::{FILE_HEADER_BYTES, FRAME_HEADER_BYTES, FrameHeader};

/// The verdict on the newest file.
#[derive(Debug)]
pub(crate) struct Tail {
    /// Last LSN that stands; one below the file's first when none does.
    pub(crate) last: Lsn,
    /// Where the next frame goes.
    pub(crate) end: u64,
    /// Everything from here on is not part of the log: `end`, or behind the mark of a clean close.
    pub(crate) cut: u64,
    /// Greatest LSN known to have been synced.
    pub(crate) synced: Lsn,
    /// Where the standing frames above `synced` begin; `end` when there are none.
    pub(crate) unsynced_at: u64,
    /// The log was closed and nothing was written since.
    pub(crate) closed: bool,
    /// Bytes behind `cut` up to the last that is not zero; 0 for a clean end.
    pub(crate) torn_bytes: u64,
    /// Frame headers among the torn bytes that are sound.
    pub(crate) torn_frames: u64,
    /// The first place where a synced frame is missing. `last` is `synced` then.
    pub(crate) fault: Option<Error>,
}

/// The frame at `at` if it is the one that follows `last`, or the mark of a clean close behind `last`.
pub(crate) fn following(cursor: &mut Cursor, salt: u32, at: u64, last: Lsn) -> Result<Option<FrameHeader>> {
    Ok(cursor
        .frame_header(at, Some(salt))?
        .filter(|header| follows(header, last)))
}

fn follows(header: &FrameHeader, last: Lsn) -> bool {
    if header.is_closed_mark() {
        header.lsn == last
    } else {
        header.lsn == last + 1
    }
}

/// Judges the newest file of a log; `path` is for messages.
pub(crate) fn judge(cursor: &mut Cursor, salt: u32, first: Lsn, path: &str) -> Result<Tail> {
    let before = first - 1;
    let (mut at, mut last, mut synced, mut closed) = (FILE_HEADER_BYTES as u64, before, before, false);
    loop {
        let found = following(cursor, salt, at, last)?;
        let Some(header) = found else {
            let behind = synced_behind(cursor, salt, at, last)?;
            // A writer in another process may have written this very frame, then those behind it, after we looked:
            // look once more before calling it damage.
            let written_meanwhile = behind > last
                && cursor
                    .frame_header_afresh(at, salt)?
                    .is_some_and(|header| follows(&header, last));
            if written_meanwhile {
                continue;
            }
            synced = synced.max(behind);
            break;
        };
        synced = synced.max(header.synced);
        if header.is_closed_mark() {
            closed = true;
            break;
        }
        last = header.lsn;
        at += header.frame_bytes();
    }
    let mut tail = Tail {
        last,
        end: at,
        cut: at,
        synced,
        unsynced_at: at,
        closed,
        torn_bytes: 0,
        torn_frames: 0,
        fault: None,
    };
    if synced > last {
        let what = format!(
            "no record {} there, though the log was synced up to record {synced}; the records between are lost",
            last + 1
        );
        tail.fault = Some(Error::Corrupt {
            path: path.to_owned(),
            offset: at,
            what,
        });
        tail.last = synced;
        return Ok(tail);
    }
    check_unsynced(cursor, salt, before, &mut tail)?;
    if closed {
        tail.cut = tail.end + FRAME_HEADER_BYTES as u64;
    }
    tail.torn_bytes = cursor.written_end(tail.cut)? - tail.cut;
    if tail.torn_bytes > 0 {
        let mut at = tail.cut;
        while let Some((offset, header)) = cursor.seek(at, Some(salt))? {
            tail.torn_frames += 1;
            at = offset + header.frame_bytes();
        }
    }
    Ok(tail)
}

/// The greatest LSN that frames at or behind `at` know to be synced; 0 when there are no such frames.
fn synced_behind(cursor: &mut Cursor, salt: u32, mut at: u64, last: Lsn) -> Result<Lsn> {
    let mut synced = 0;
    while let Some((offset, header)) = cursor.seek(at, Some(salt))? {
        if header.lsn > last {
            synced = synced.max(header.synced);
        }
        at = offset + header.frame_bytes();
    }
    Ok(synced)
}

/// Ends the tail at the first frame above the synced LSN whose body is not what was written.
fn check_unsynced(cursor: &mut Cursor, salt: u32, before: Lsn, tail: &mut Tail) -> Result<()> {
    let (mut at, mut last) = (FILE_HEADER_BYTES as u64, before);
    while last < tail.last {
        let Some(header) = following(cursor, salt, at, last)? else {
            break;
        };
        if header.lsn > tail.synced {
            if last == tail.synced {
                tail.unsynced_at = at;
            }
            if !cursor.check_body(at, &header)? {
                tail.last = last;
                tail.end = at;
                tail.cut = at;
                break;
            }
        }
        last = header.lsn;
        at += header.frame_bytes();
    }
    Ok(())
}

#[cfg(test)]
mod tests;
