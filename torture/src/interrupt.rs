//! Ctrl-C and SIGTERM: the first asks for the figures so far, the second ends at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on a signal raises a flag.
pub(crate) fn watch() {
    ASKED.get_or_init(|| {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag down. Where signals cannot be watched they end the process.
            let _ = flag::register_conditional_shutdown(signal, 130, asked.clone());
            let _ = flag::register(signal, asked.clone());
        }
        asked
    });
}

/// Whether a signal has come.
pub(crate) fn asked_to_stop() -> bool {
    ASKED.get().is_some_and(|asked| asked.load(Ordering::Relaxed))
}
