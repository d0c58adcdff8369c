//! How to open a log.

use crate::Lsn;

/// How to open a log.
#[derive(Clone, Debug)]
pub struct WalOptions {
    /// Length at which a file is finished and the next one begun, in bytes. A record longer than this gets a file of
    /// its own. Default: 64 MiB.
    pub segment_bytes: u64,
    /// The next LSN is at least this. For LSNs that were in use, but may have been lost because they were not synced;
    /// they are never given out again.
    pub next_lsn_floor: Lsn,
    /// Recovery hands out records from this LSN on; files wholly below are not read. With 0, the oldest record there
    /// is comes first, and older ones are taken to be released.
    pub replay_from: Lsn,
}

impl Default for WalOptions {
    fn default() -> Self {
        WalOptions {
            segment_bytes: 64 << 20,
            next_lsn_floor: 0,
            replay_from: 0,
        }
    }
}
