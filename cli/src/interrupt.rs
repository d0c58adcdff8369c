//! Ctrl-C and SIGTERM, for work that can stop where nothing is half done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::failure::{Failure, INTERRUPTED, Outcome};

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on a signal only asks the work to stop; a second one ends the process at once. Commands that never call
/// this end at the first.
pub(crate) fn watch() {
    ASKED.get_or_init(|| {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the first signal finds the flag down and raises it. Where signals cannot be watched
            // they end the process, as they do without this.
            let _ = flag::register_conditional_shutdown(signal, INTERRUPTED.into(), asked.clone());
            let _ = flag::register(signal, asked.clone());
        }
        asked
    });
}

/// Ends work that has nothing to tell about how far it came.
pub(crate) fn check() -> Outcome {
    if asked_to_stop() {
        return Err(Failure::Interrupted("interrupted".to_owned()));
    }
    Ok(())
}

/// Whether a signal came since [`watch`].
pub(crate) fn asked_to_stop() -> bool {
    ASKED.get().is_some_and(|asked| asked.load(Ordering::Relaxed))
}
