//! Writes of points.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use vdb::{Collection, Control, Durability, Error, Operation, Target};

use super::error::{Result, ServiceError};
use super::read::ReadOptions;
use super::{Inner, Service};

/// In which order writes take effect. There is one order here, the strongest, whatever is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ordering {
    /// Any.
    #[default]
    Weak,
    /// That of one leader at a time.
    Medium,
    /// That of one leader.
    Strong,
}

/// How a write is carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Answer when reads see it, with its errors. Otherwise when it is safe, and then what depends on the points that are there
    /// (an id that is not) is not reported.
    pub wait: bool,
    /// In which order it takes effect.
    pub ordering: Ordering,
    /// How long to wait; then the answer says that the write goes on.
    pub timeout: Option<Duration>,
}

impl WriteOptions {
    /// How what is to be written may be made of what a caller sent: in the time that he waits, without an end where he does not
    /// say.
    pub(crate) fn making(&self) -> ReadOptions {
        ReadOptions {
            timeout: Some(self.timeout.unwrap_or(Duration::MAX)),
            since: None,
        }
    }
}

/// How far a write is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateStatus {
    /// Safe.
    Acknowledged,
    /// Safe, and seen by reads.
    Completed,
    /// On its way.
    WaitTimeout,
}

/// What a write got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct UpdateResult {
    /// Its sequence number in the collection; none while that is not known.
    pub operation_id: Option<u64>,
    /// How far it is.
    pub status: UpdateStatus,
}

impl Service {
    /// Carries out one operation.
    ///
    /// # Errors
    /// When there is no such collection, a vector does not fit it, a quota is exceeded, or, with `wait`, a point is missing.
    pub async fn update(
        &self,
        collection: &str,
        operation: Operation,
        options: WriteOptions,
    ) -> Result<UpdateResult> {
        let mut results = self.update_batch(collection, vec![operation], options).await?;
        let last = results.pop();
        last.ok_or_else(|| ServiceError::internal("an operation has no result"))
    }

    /// Carries out operations in order, each on its own: what came before one that fails stays.
    ///
    /// # Errors
    /// That of the first operation that fails, as [`update`](Self::update); those after it are not carried out.
    pub async fn update_batch(
        &self,
        collection: &str,
        operations: Vec<Operation>,
        options: WriteOptions,
    ) -> Result<Vec<UpdateResult>> {
        let (name, count) = (collection.to_owned(), operations.len());
        let is_long = operations.iter().any(is_long);
        let work = move |inner: &Inner| {
            let collection = inner.collection(&name)?;
            let mut results = Vec::with_capacity(operations.len());
            for operation in operations {
                // Deleting is the way back below a quota; to take a field of a point away is to write the rest again.
                if !matches!(operation, Operation::Delete { .. }) {
                    inner.quotas.admit()?;
                }
                results.push(carry_out(&collection, operation, options.wait)?);
            }
            Ok(results)
        };
        let late = UpdateResult {
            operation_id: None,
            status: UpdateStatus::WaitTimeout,
        };
        let late = vec![late; count];
        if is_long {
            within(options, self.all_to_the_end(work), late).await
        } else {
            within(options, self.to_the_end(work), late).await
        }
    }
}

/// What `work` gives, or, when that takes longer than a caller will wait for it, `late`; it then goes on without him.
pub(super) async fn within<T: Send + 'static>(
    options: WriteOptions,
    work: impl Future<Output = Result<T>>,
    late: T,
) -> Result<T> {
    match options.timeout.filter(|_| options.wait) {
        // Dropping the future drops nothing of the work, which is on a thread of its own or waits for one.
        Some(limit) => tokio::time::timeout(limit, work).await.unwrap_or(Ok(late)),
        None => work.await,
    }
}

/// Whether it names its points and names none, which nobody means.
fn is_empty(operation: &Operation) -> bool {
    match operation {
        Operation::Upsert { points, .. } => points.is_empty(),
        Operation::UpdateVectors { points, .. } => points.is_empty(),
        Operation::Delete { target }
        | Operation::SetPayload { target, .. }
        | Operation::OverwritePayload { target, .. }
        | Operation::DeletePayload { target, .. }
        | Operation::ClearPayload { target }
        | Operation::DeleteVectors { target, .. } => {
            matches!(target, Target::Ids(ids) if ids.is_empty())
        }
        _ => false,
    }
}

/// Points that an operation names before it counts as one on any number of them.
const FEW: usize = 4096;

/// Whether it may touch so many points that others have to wait for it.
fn is_long(operation: &Operation) -> bool {
    match operation {
        Operation::Delete { target }
        | Operation::SetPayload { target, .. }
        | Operation::OverwritePayload { target, .. }
        | Operation::DeletePayload { target, .. }
        | Operation::ClearPayload { target }
        | Operation::DeleteVectors { target, .. } => match target {
            Target::Ids(ids) => ids.len() > FEW,
            Target::Filter(_) => true,
        },
        Operation::UpdateVectors { points, .. } => points.len() > FEW,
        // Whole points are written at once.
        Operation::Upsert { .. } | _ => false,
    }
}

/// Points that are not there refuse nothing: the others are written all the same, and who waits is told of the first. Of many
/// points some thousand are written at a time, which takes no more memory than the write buffer has; the number of the operation
/// is that of the last ones.
fn carry_out(collection: &Collection, operation: Operation, wait: bool) -> Result<UpdateResult> {
    if is_empty(&operation) {
        return Err(ServiceError::bad_request("Empty update request"));
    }
    let ticket = collection.submit_in_steps(operation, Durability::Sync, &Control::none())?;
    let operation_id = Some(ticket.result().sequence());
    if !wait {
        ticket.wait_durable()?;
        return Ok(UpdateResult {
            operation_id,
            status: UpdateStatus::Acknowledged,
        });
    }
    let missing = ticket.result().missing;
    ticket.wait_visible()?;
    match missing {
        Some(id) => Err(Error::PointNotFound { id }.into()),
        None => Ok(UpdateResult {
            operation_id,
            status: UpdateStatus::Completed,
        }),
    }
}
