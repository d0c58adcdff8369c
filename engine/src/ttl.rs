//! Points that end by themselves.

use crate::error::Result;
use crate::filter::{Condition, Datetime, Filter, PayloadPath};

/// Which points end by themselves, and when: those with a time in a field of their payload, once that is past.
///
/// A time is a string that spells a [`Datetime`], or a number of seconds since 1970 UTC. Of several the earliest counts; a
/// point without one stays. What is past its time is deleted in the background, by ordinary deletions that are in the log, within
/// [`DatabaseBuilder::sweep_interval`](crate::DatabaseBuilder::sweep_interval) while its collection is in use, or by
/// [`Collection::sweep`](crate::Collection::sweep); until then it is still found. Who must not see it for so long asks with
/// [`alive`](Ttl::alive). With an index on the field, of datetimes or numbers, only what ends is read; without, every payload
/// at each look.
///
/// ```
/// use serde_json::json;
/// use vdb::{CollectionConfig, Control, Database, Datetime, Distance, Point, Ttl, VectorParams};
///
/// let noon: Datetime = "2024-05-01T12:00:00Z".parse()?;
/// let db = Database::builder().clock(move || noon).background(false).open_in_memory()?;
/// let config = CollectionConfig::new(VectorParams::new(1, Distance::Dot)).ttl(Ttl::new("until"));
/// let c = db.create_collection("sessions", config)?;
/// c.upsert(vec![
///     Point::new(1, [1.0]).payload(json!({"until": "2024-05-01T11:59:00Z"}))?,
///     Point::new(2, [1.0]).payload(json!({"until": noon.micros() / 1_000_000 + 60}))?,
/// ])?;
/// let alive = c.config().ttl.map(|ttl| ttl.alive(noon));
/// assert_eq!((c.count(alive.as_ref())?, c.count(None)?), (1, 2));
/// assert_eq!(c.sweep(&Control::none())?, 1);
/// assert_eq!(c.count(None)?, 1);
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ttl {
    /// The payload path of the time.
    pub field: String,
}

impl Ttl {
    /// By the time at this payload path.
    pub fn new(field: impl Into<String>) -> Self {
        Ttl { field: field.into() }
    }

    /// The points whose time is past at `now`, or just then.
    pub fn ended(&self, now: Datetime) -> Filter {
        let seconds = now.micros() as f64 / 1e6;
        Filter::should([
            Condition::datetime_range(&self.field, ..=now),
            Condition::range(&self.field, ..=seconds),
        ])
    }

    /// All other points.
    pub fn alive(&self, now: Datetime) -> Filter {
        Filter::must_not([Condition::Filter(Box::new(self.ended(now)))])
    }

    pub(crate) fn validate(&self) -> Result<()> {
        PayloadPath::parse(&self.field)?;
        Ok(())
    }
}
