//! Payload indexes.

use vdb::{Error, PayloadIndexParams};

use super::Service;
use super::error::Result;
use super::write::{UpdateResult, UpdateStatus, WriteOptions, within};

/// What a change of indexes got, if it is not known yet.
const LATE: UpdateResult = UpdateResult {
    operation_id: None,
    status: UpdateStatus::WaitTimeout,
};

impl Service {
    /// Indexes a payload path. The same index again changes nothing, another one replaces it. Queries know of it when the
    /// call returns, whether or not it is waited for.
    ///
    /// # Errors
    /// When there is no such collection, a quota is exceeded, or the path or an option is not valid.
    pub async fn create_index(
        &self,
        collection: &str,
        path: &str,
        params: PayloadIndexParams,
        options: WriteOptions,
    ) -> Result<UpdateResult> {
        let (name, path) = (collection.to_owned(), path.to_owned());
        let work = self.to_the_end(move |inner| {
            let collection = inner.collection(&name)?;
            inner.quotas.admit()?;
            // It belongs to the collection from the start: without waiting, it is built in the background.
            let wait = options.wait;
            let stop = || !wait;
            let control = vdb::Control::cancelled_by(&stop);
            match collection.create_payload_index_with(&path, params, &control) {
                Err(Error::Cancelled) if !wait => {}
                done => done?,
            }
            inner.issues.settle(&inner.resolve(&name), &path);
            result(collection.info()?.last_sequence, wait)
        });
        within(options, work, LATE).await
    }

    /// Drops the index of a payload path; one that is not there is fine.
    ///
    /// # Errors
    /// When there is no such collection.
    pub async fn delete_index(
        &self,
        collection: &str,
        path: &str,
        options: WriteOptions,
    ) -> Result<UpdateResult> {
        let (name, path) = (collection.to_owned(), path.to_owned());
        let work = self.to_the_end(move |inner| {
            let collection = inner.collection(&name)?;
            collection.drop_payload_index(&path)?;
            result(collection.info()?.last_sequence, options.wait)
        });
        within(options, work, LATE).await
    }
}

fn result(sequence: u64, wait: bool) -> Result<UpdateResult> {
    let status = if wait {
        UpdateStatus::Completed
    } else {
        UpdateStatus::Acknowledged
    };
    Ok(UpdateResult {
        operation_id: Some(sequence),
        status,
    })
}
