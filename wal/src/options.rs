//! How to open a log.

/// How to open a log.
#[derive(Clone, Debug)]
pub struct WalOptions {
    /// Length at which a file is finished and the next one begun, in bytes. A record longer than this gets a file of
    /// its own. Default: 64 MiB.
    pub segment_bytes: u64,
}

impl Default for WalOptions {
    fn default() -> Self {
        WalOptions {
            segment_bytes: 64 << 20,
        }
    }
}
