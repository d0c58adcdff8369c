//! A handle to one collection: its settings, writes and upkeep; what is read through it lies in `reads.rs`.

mod reads;

use std::sync::Arc;

use vdb_index::Control;
use vdb_storage::PointId;

use crate::config::vectors::NamedVectorParams;
use crate::config::{CollectionConfig, Durability};
use crate::core::Core;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::follower::Follower;
use crate::handle::Handle;
use crate::info::CollectionInfo;
use crate::payload::{PayloadIndexKind, PayloadIndexParams};
use crate::point::{Payload, Point, Vectors};
use crate::settings::CollectionUpdate;
use crate::strict::{self, Strict};
use crate::tables::{Tables, View};
use crate::ttl::Ttl;
use crate::write::batch::{Entry, Operation, Target, UpsertMode};
use crate::write::steps::{StepSize, in_steps};
use crate::write::ticket::{Ticket, WriteResult};

/// A handle to one collection of an open database. Cheap to clone and safe to share between threads.
///
/// Every write is atomic and is acknowledged as the database's [`Durability`] says. Every read sees the writes
/// acknowledged before it started, and none of a write that is still on its way.
///
/// ```
/// use vdb::{CollectionConfig, Database, Distance, Filter, Point, ScrollRequest, Select, VectorParams};
/// use serde_json::json;
///
/// let db = Database::builder().open_in_memory()?;
/// let words = db.create_collection("words", CollectionConfig::new(VectorParams::new(2, Distance::Dot)))?;
/// words.upsert(vec![
///     Point::new(1, [1.0, 0.0]).payload(json!({"pos": "noun"}))?,
///     Point::new(2, [0.0, 1.0]).payload(json!({"pos": "verb"}))?,
/// ])?;
/// let verbs = Filter::from_json(&json!({"must": [{"key": "pos", "match": {"value": "verb"}}]}))?;
/// assert_eq!(words.count(Some(&verbs))?, 1);
/// let page = words.scroll(&ScrollRequest::new().filter(verbs).select(Select::payload()))?;
/// assert_eq!(page.points[0].id, 2.into());
/// # Ok::<_, vdb::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Collection {
    handle: Arc<Handle>,
    core: Arc<Core>,
    name: Arc<str>,
}

impl Collection {
    pub(crate) fn new(handle: Arc<Handle>, core: Arc<Core>, name: &str) -> Self {
        Collection {
            handle,
            core,
            name: name.into(),
        }
    }

    /// The name or alias this handle was asked for by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds, and its settings as they are now.
    pub fn config(&self) -> CollectionConfig {
        self.core.tables().schema.config()
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(crate) fn shared(&self) -> &Arc<crate::shared::Shared> {
        &self.handle.shared
    }

    /// Runs a call on the collection, unless it was dropped. What finds that out later only knows its number.
    fn call<T>(&self, call: impl FnOnce() -> Result<T>) -> Result<T> {
        let gone = || Error::CollectionNotFound {
            name: self.name.to_string(),
        };
        if self.core.dropped.load(vdb_sys::sync::atomic::Ordering::Acquire) {
            // Who only reads lets go of what turns out damaged.
            let damage = self.shared().damaged.lock().get(&self.core.id).cloned();
            return Err(damage.map_or_else(gone, |damage| self.shared().refusal(self.core.id, damage)));
        }
        let outcome = call();
        if matches!(outcome, Err(Error::CollectionNotFound { .. })) {
            return Err(gone());
        }
        outcome
    }

    /// Refuses a request that the strict mode of the collection does not allow.
    fn admit(&self, ask: impl FnOnce(&Strict<'_>) -> Result<()>) -> Result<()> {
        self.call(|| strict::admit(&self.shared().options, &self.core, ask))
    }

    fn view(&self) -> Result<View> {
        // The next owner of the directory may be ahead of what this handle would show.
        self.shared().check_open()?;
        let _turn = self.shared().follower().map(Follower::hold);
        self.call(|| Ok(self.core.view(&self.shared().visibility)))
    }

    /// Answers from what is there now. Derived files that turn out damaged on the way are built again.
    fn read<T>(&self, answer: impl FnOnce(&View) -> Result<T>) -> Result<T> {
        let view = self.view()?;
        let outcome = answer(&view);
        self.mend(&view.tables);
        outcome
    }

    fn mend(&self, tables: &Tables) {
        // All are asked, each tells once.
        let damaged = tables.segments.iter().filter(|s| s.wants_mending()).count();
        if damaged > 0 {
            self.shared().optimizer.wake();
        }
    }

    /// Carries out one operation and waits as the database's durability says.
    ///
    /// All of its effects are in memory at a time, up to [`MAX_BATCH_BYTES`](crate::MAX_BATCH_BYTES), and with a change of
    /// payloads the vectors of its points are: of very many points it is refused.
    /// [`apply_in_steps`](Self::apply_in_steps) is for those.
    ///
    /// # Errors
    /// When the operation is refused; nothing of it takes effect.
    pub fn apply(&self, operation: Operation) -> Result<WriteResult> {
        self.submit(operation, self.shared().options.durability)?
            .acknowledge()
    }

    /// As [`apply`](Self::apply), watched: `control` may stop it while its points are being found, which a filter without
    /// an index makes long and which other writers wait for. Rows are not reported.
    ///
    /// ```
    /// # use vdb::{CollectionConfig, Condition, Database, Distance, VectorParams};
    /// use std::time::Duration;
    /// use vdb::{Control, Error, Filter, Operation};
    /// # let db = Database::builder().open_in_memory()?;
    /// # let c = db.create_collection("c", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
    /// let old = Filter::must([Condition::range("year", ..1900.0)]);
    /// let control = Control::none().timeout(Duration::from_millis(50));
    /// match c.apply_with(Operation::Delete { target: old.into() }, &control) {
    ///     Err(Error::Timeout { .. }) => println!("nothing is deleted"),
    ///     done => println!("operation {}", done?.sequences[0]),
    /// }
    /// # Ok::<_, vdb::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`apply`](Self::apply), and [`Error::Cancelled`] or [`Error::Timeout`] when `control` says so before the operation
    /// is in the log; nothing of it takes effect.
    pub fn apply_with(&self, operation: Operation, control: &Control<'_>) -> Result<WriteResult> {
        self.enter(
            Entry::Operation(operation),
            self.shared().options.durability,
            control,
        )?
        .acknowledge()
    }

    /// Puts one operation in its place in the order and into the log without waiting for the disk.
    ///
    /// # Errors
    /// When the operation is refused; nothing of it takes effect.
    pub fn submit(&self, operation: Operation, durability: Durability) -> Result<Ticket> {
        self.enter(Entry::Operation(operation), durability, &Control::none())
    }

    /// As [`submit`](Self::submit), but ids that do not exist do not refuse the operation: it takes effect on the points that
    /// do, and [`WriteResult::missing`] names the first that does not.
    ///
    /// # Errors
    /// When the operation is refused; nothing of it takes effect.
    pub fn submit_on_existing(&self, operation: Operation, durability: Durability) -> Result<Ticket> {
        self.enter(Entry::OnExisting(operation), durability, &Control::none())
    }

    /// Carries out one operation that may touch any number of points, in steps of some thousand each, and waits as the
    /// database's durability says: what takes more memory, or more of the log, than one atomic write may. As
    /// [`submit_in_steps`](Self::submit_in_steps), which says what can be relied upon.
    ///
    /// ```
    /// # use vdb::{CollectionConfig, Database, Distance, Point, VectorParams};
    /// use vdb::{Control, Filter, Operation};
    /// # let db = Database::builder().open_in_memory()?;
    /// # let c = db.create_collection("c", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
    /// # c.upsert((0u64..10_000).map(|id| Point::new(id, [1.0])).collect())?;
    /// let everything = Operation::Delete { target: Filter::default().into() };
    /// let result = c.apply_in_steps(everything, &Control::none())?;
    /// assert_eq!((result.points, result.sequences.len(), c.count(None)?), (10_000, 3, 0));
    /// # Ok::<_, vdb::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`submit_in_steps`](Self::submit_in_steps).
    pub fn apply_in_steps(&self, operation: Operation, control: &Control<'_>) -> Result<WriteResult> {
        self.submit_in_steps(operation, self.shared().options.durability, control)?
            .acknowledge()
    }

    /// As [`apply_in_steps`](Self::apply_in_steps), without waiting for the disk after the last step.
    ///
    /// Each step is an atomic write with a sequence number of its own; all of them together are none. Readers see the steps
    /// one by one, and other writes may come in between; so may the end of the process, after which the steps that were in
    /// the log are there. Points that come to match, or cease to, while it is on may be met or not. Of two operations
    /// in several steps on one collection, the second begins when the first has ended. An operation on few points is one
    /// step. Ids that do not exist do not refuse it, and [`WriteResult::missing`] names the first. Whole points
    /// ([`Operation::Upsert`]) are written at once.
    ///
    /// # Errors
    /// [`Error::Unfinished`] when a step is refused, by `control` or otherwise, after others were not: it says how many points
    /// were changed, and why no more. Where the first step is refused the error is the reason itself; nothing takes effect then.
    pub fn submit_in_steps(
        &self,
        operation: Operation,
        durability: Durability,
        control: &Control<'_>,
    ) -> Result<Ticket> {
        let shared = self.shared();
        let ticket = self.call(|| {
            strict::admit_operation(&shared.options, &self.core, &operation)?;
            let size = StepSize::new(&shared.options);
            in_steps(shared, &self.core, operation, size, durability, control)
        });
        self.mend(&self.core.tables());
        ticket
    }

    fn enter(&self, entry: Entry, durability: Durability, control: &Control<'_>) -> Result<Ticket> {
        let entries = vec![(self.core.clone(), entry)];
        let ticket = self.call(|| {
            strict::admit_writes(&self.shared().options, &entries)?;
            self.shared().submit(entries, durability, control)
        });
        self.mend(&self.core.tables());
        ticket
    }

    /// Writes whole points: vectors and payload not given disappear. Of several points with one id the last wins.
    ///
    /// # Errors
    /// When a vector has the wrong length, an unknown name or a number that is not finite; when a payload is too
    /// deep; when the disk fails. Nothing is then written.
    pub fn upsert(&self, points: Vec<Point>) -> Result<WriteResult> {
        self.apply(Operation::Upsert {
            points,
            mode: UpsertMode::Upsert,
            update_filter: None,
        })
    }

    /// Deletes points by id or by filter. Ids that do not exist are fine.
    ///
    /// # Errors
    /// When the filter is not valid or the disk fails.
    pub fn delete(&self, target: impl Into<Target>) -> Result<WriteResult> {
        self.apply(Operation::Delete {
            target: target.into(),
        })
    }

    /// Merges keys into the payload of points; a null removes its key.
    ///
    /// # Errors
    /// When an id does not exist, when the filter is not valid, or when the disk fails; [`Error::Damaged`] when what a point keeps
    /// is not what was written.
    pub fn set_payload(&self, payload: Payload, target: impl Into<Target>) -> Result<WriteResult> {
        self.apply(Operation::SetPayload {
            payload,
            target: target.into(),
            key: None,
        })
    }

    /// Replaces the payload of points.
    ///
    /// # Errors
    /// As [`set_payload`](Self::set_payload).
    pub fn overwrite_payload(&self, payload: Payload, target: impl Into<Target>) -> Result<WriteResult> {
        self.apply(Operation::OverwritePayload {
            payload,
            target: target.into(),
        })
    }

    /// Removes payload paths from points. One that ends in `[]` empties the array, one that ends in `[n]` removes nothing.
    ///
    /// # Errors
    /// As [`set_payload`](Self::set_payload), and when a path is not valid.
    pub fn delete_payload(&self, keys: Vec<String>, target: impl Into<Target>) -> Result<WriteResult> {
        self.apply(Operation::DeletePayload {
            keys,
            target: target.into(),
        })
    }

    /// Removes the whole payload of points.
    ///
    /// # Errors
    /// As [`set_payload`](Self::set_payload).
    pub fn clear_payload(&self, target: impl Into<Target>) -> Result<WriteResult> {
        self.apply(Operation::ClearPayload {
            target: target.into(),
        })
    }

    /// Replaces the vectors given and keeps the others.
    ///
    /// # Errors
    /// When an id does not exist, a vector is not valid, or the disk fails; [`Error::Damaged`] when what a point keeps is not what
    /// was written.
    pub fn update_vectors(&self, points: Vec<(PointId, Vectors)>) -> Result<WriteResult> {
        self.apply(Operation::UpdateVectors {
            points,
            update_filter: None,
        })
    }

    /// Removes vectors by name.
    ///
    /// # Errors
    /// When an id or a name does not exist, or the disk fails; [`Error::Damaged`] when what a point keeps is not what was written.
    pub fn delete_vectors(&self, names: Vec<String>, target: impl Into<Target>) -> Result<WriteResult> {
        self.apply(Operation::DeleteVectors {
            names,
            target: target.into(),
        })
    }

    /// Adds a named vector, dense, multi or sparse, which no point has yet. False when it is there with the same parameters.
    ///
    /// # Errors
    /// When there is a vector of that name with other parameters, when name or parameters are not valid, when there are too
    /// many, or when the disk fails.
    pub fn create_vector(&self, name: &str, params: impl Into<NamedVectorParams>) -> Result<bool> {
        self.call(|| {
            crate::maintenance::schema::create_vector(self.shared(), &self.core, name, params.into())
        })
    }

    /// Drops a named vector, which no point has from then on. False when there is none of that name.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn delete_vector(&self, name: &str) -> Result<bool> {
        self.call(|| crate::maintenance::schema::delete_vector(self.shared(), &self.core, name))
    }

    /// Indexes a payload path, so that filters on it need not read payloads. A kind will do, and options may be given with
    /// it ([`PayloadIndexParams`]). The same index again changes nothing; one of another kind on the same path replaces
    /// it. Returns when the index is in use.
    ///
    /// # Errors
    /// When the path or an option is not valid, or the disk fails.
    ///
    /// ```
    /// # use vdb::{CollectionConfig, Database, Distance, VectorParams};
    /// use vdb::{Condition, Filter, PayloadIndexKind};
    /// # let db = Database::builder().open_in_memory()?;
    /// # let books = db.create_collection("books", CollectionConfig::new(VectorParams::new(2, Distance::Dot)))?;
    /// books.create_payload_index("author.name", PayloadIndexKind::Keyword)?;
    /// books.create_payload_index("year", PayloadIndexKind::Integer)?;
    /// assert_eq!(books.count(Some(&Filter::must([Condition::range("year", 1900.0..)])))?, 0);
    /// # Ok::<_, vdb::Error>(())
    /// ```
    pub fn create_payload_index(&self, path: &str, params: impl Into<PayloadIndexParams>) -> Result<()> {
        self.create_payload_index_with(path, params, &Control::none())
    }

    /// As [`create_payload_index`](Self::create_payload_index), watched: `control` is told rows, and may stop the work.
    /// The index belongs to the collection even then: filters read payloads where it is not built yet, and it is built
    /// on in the background or by another such call.
    ///
    /// # Errors
    /// [`Error::Cancelled`] or [`Error::Timeout`] when `control` says so (what was finished stays), when the path is not valid, or when the
    /// disk fails.
    pub fn create_payload_index_with(
        &self,
        path: &str,
        params: impl Into<PayloadIndexParams>,
        control: &Control<'_>,
    ) -> Result<()> {
        self.admit(|strict| strict.payload_index(path))?;
        self.call(|| {
            let outcome = crate::maintenance::payload_index::create(
                self.shared(),
                &self.core,
                path,
                params.into(),
                control,
            );
            Error::by(outcome, control, "building a payload index")
        })
    }

    /// Indexed payload paths, and what their indexes were created with.
    pub fn payload_indexes(&self) -> Vec<(String, PayloadIndexParams)> {
        let indexes = &self.core.tables().schema.payload_indexes;
        indexes
            .iter()
            .map(|i| (i.path.clone(), i.params.clone()))
            .collect()
    }

    /// True when strict mode bounds how often the collection is read: a read that is begun again counts twice.
    pub fn counts_reads(&self) -> bool {
        let tables = self.core.tables();
        let limits = tables
            .schema
            .strict_mode()
            .filter(|_| self.shared().options.strict_mode);
        limits.is_some_and(|limits| limits.read_rate_limit.is_some())
    }

    /// Refuses a read of the collection that may take so long, where strict mode says how long one may at most. A request that
    /// has a timeout of its own is asked about it anyway; this is for callers who bound theirs by a [`Control`].
    ///
    /// # Errors
    /// [`Error::StrictMode`] when it may not.
    pub fn check_timeout(&self, asked: std::time::Duration) -> Result<()> {
        self.admit(|strict| strict.timeout(Some(asked)))
    }

    /// Refuses a read that is to be exact where strict mode allows none. Searches and queries that ask for it are asked about it
    /// anyway; this is for callers who count points or values.
    ///
    /// # Errors
    /// [`Error::StrictMode`] when it may not.
    pub fn check_exact(&self) -> Result<()> {
        self.admit(|strict| strict.exact())
    }

    /// The fields of a filter that no payload index serves, each with the kinds of which one would: what of it is looked up in
    /// the payloads themselves.
    ///
    /// ```
    /// # use vdb::{CollectionConfig, Database, Distance, VectorParams};
    /// use vdb::{Condition, Filter, PayloadIndexKind};
    /// # let db = Database::builder().open_in_memory()?;
    /// # let books = db.create_collection("books", CollectionConfig::new(VectorParams::new(1, Distance::Dot)))?;
    /// books.create_payload_index("year", PayloadIndexKind::Integer)?;
    /// let filter = Filter::must([Condition::range("year", 1500.0..), Condition::matches("loaned", true)]);
    /// let lacking = books.unindexed(&filter);
    /// assert_eq!(lacking, [("loaned".to_owned(), vec![PayloadIndexKind::Bool])]);
    /// # Ok::<_, vdb::Error>(())
    /// ```
    pub fn unindexed(&self, filter: &Filter) -> Vec<(String, Vec<PayloadIndexKind>)> {
        strict::unindexed(&self.core.tables(), filter)
    }

    /// Drops the index of a payload path. False when there is none.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn drop_payload_index(&self, path: &str) -> Result<bool> {
        self.call(|| crate::maintenance::payload_index::drop_index(self.shared(), &self.core, path))
    }

    /// Changes settings of the collection while it is in use: graphs, codes, modifiers of sparse vectors, optimizer, strict mode,
    /// metadata. All of the change takes effect, and is durable, when this returns, or none of it. What is built in another way afterwards is built in
    /// the background, and searches use what is there until then; [`optimize`](Self::optimize) returns when it is done, and
    /// [`info`](Self::info) says whether it is.
    ///
    /// # Errors
    /// When a vector is named that is not there, a setting is not allowed, or the disk fails.
    pub fn update_config(&self, update: &CollectionUpdate) -> Result<()> {
        self.call(|| crate::maintenance::schema::update(self.shared(), &self.core, update))
    }

    /// Says by which field points end by themselves, or that none do. What is past its time already is deleted at the next look.
    ///
    /// # Errors
    /// When the path is not valid, or the disk fails.
    pub fn set_ttl(&self, ttl: Option<Ttl>) -> Result<()> {
        self.call(|| crate::maintenance::sweep::set_ttl(self.shared(), &self.core, ttl))
    }

    /// Deletes the points that are past their time now, as the background does from time to time; answers how many were found
    /// to be. No read that begins afterwards sees them.
    ///
    /// # Errors
    /// [`Error::Cancelled`] or [`Error::Timeout`] when `control` says so (what was deleted stays so), or when the disk fails.
    pub fn sweep(&self, control: &Control<'_>) -> Result<u64> {
        self.call(|| {
            let outcome = crate::maintenance::sweep::sweep(self.shared(), &self.core, control);
            Error::by(outcome, control, "sweeping")
        })
    }

    /// Turns everything written so far into segments.
    ///
    /// # Errors
    /// When the disk fails; nothing is lost. Where that is about files of this collection, it takes no more writes until a flush
    /// succeeds.
    pub fn flush(&self) -> Result<()> {
        self.call(|| crate::maintenance::flush::flush_all(self.shared(), &self.core))
    }

    /// Flushes, merges all segments into as few as allowed, drops deleted rows, and builds graphs and indexes that
    /// are missing. Returns when searches use the result.
    ///
    /// # Errors
    /// [`Error::Cancelled`] or [`Error::Timeout`] when `control` says so (what was finished stays), or when the disk fails.
    pub fn optimize(&self, control: &Control<'_>) -> Result<()> {
        self.call(|| {
            let outcome = crate::maintenance::optimize::optimize(self.shared(), &self.core, control);
            Error::by(outcome, control, "optimizing")
        })
    }

    /// Sizes, settings and what goes on in the background.
    ///
    /// # Errors
    /// When the collection was dropped.
    pub fn info(&self) -> Result<CollectionInfo> {
        let view = self.view()?;
        crate::info::collect(self.shared(), &self.core, &view)
    }
}
