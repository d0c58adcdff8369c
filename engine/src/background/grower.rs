//! The graphs of memtables grow with them.

use std::time::Duration;

use crate::live::lives_on;
use crate::maintenance::grow;
use crate::shared::Shared;

/// How long a memtable that fills too fast is left alone.
const LOOK: Duration = Duration::from_millis(500);

/// The body of the thread.
pub(crate) fn run(shared: &Shared) {
    let mut put_off = false;
    loop {
        if !shared.grower.sleep(put_off.then_some(LOOK)) {
            return;
        }
        put_off = false;
        for core in shared.open_cores() {
            if shared.grower.is_stopped() {
                return;
            }
            let full = shared.options.memtable_share();
            put_off |= grow::grow(shared, &core, |table| {
                lives_on(table.created.elapsed(), table.bytes(), full)
            });
        }
    }
}
