//! The time of day, for points that end by themselves.

use std::fmt;
use std::sync::Arc;

use vdb_sys::sync::SystemTime;

use crate::filter::Datetime;

/// Where a database takes the time of day from.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> Datetime + Send + Sync>);

impl Clock {
    pub(crate) fn new(now: impl Fn() -> Datetime + Send + Sync + 'static) -> Self {
        Clock(Arc::new(now))
    }

    pub(crate) fn now(&self) -> Datetime {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Clock::new(|| {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            // A clock that is off by centuries ends nothing.
            let micros = since.map_or(0, |time| i64::try_from(time.as_micros()).unwrap_or(0));
            Datetime::from_micros(micros).unwrap_or(Datetime::MIN)
        })
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
