//! Whether both sides are one place under two names, as a server is that is known by its address and by its host, or a directory
//! and the server that serves it. What then took the target's collection away would take the source's.

use std::hash::{BuildHasher, Hasher, RandomState};

use qdrant_client::qdrant as proto;

use crate::error::{MigrateError, Result};
use crate::options::Existing;
use crate::patience::persist;
use crate::sides::Sides;
use crate::store::Store;

/// How often the source is looked at: the nodes of a cluster may hear of a new collection a little later than the one that made it.
const LOOKS: u32 = 3;

/// Proves that what is written to the target is not written to the source: an empty collection that is made at the target, under a
/// name that nobody else has, is not at the source. It is dropped again. Nothing is done where no collection of the target may be
/// changed.
///
/// # Errors
/// When both are one place, and when a call fails: then it cannot be known.
pub(crate) async fn prove<S: Store, T: Store>(sides: &Sides<S, T>) -> Result<()> {
    if sides.options.existing == Existing::Refuse || sides.options.dry_run {
        return Ok(());
    }
    if sides.collections(&*sides.target).await?.is_empty() {
        return Ok(());
    }
    sides.go_on()?;
    let name = format!("vdb-migrate-probe-{:016x}", random());
    let made = make(sides, &name).await;
    let seen = match made {
        Ok(()) => is_at_source(sides, &name).await,
        Err(error) => Err(error),
    };
    // Also where the answer that it was made is lost. This ends by itself, whoever asked for the end.
    let dropped = sides.target.delete_collection(&name).await;
    if seen? {
        return Err(MigrateError::Usage(format!(
            "{} and {} are the same place under two names: nothing was changed",
            sides.source.shown(),
            sides.target.shown()
        )));
    }
    dropped.map(drop).map_err(|error| {
        let place = sides.target.shown();
        MigrateError::call(
            format!(
                "dropping the empty collection {name} of {place}, which showed that it is not the source"
            ),
            &error,
        )
    })
}

async fn make<S: Store, T: Store>(sides: &Sides<S, T>, name: &str) -> Result<()> {
    let message = proto::CreateCollection {
        collection_name: name.to_owned(),
        ..proto::CreateCollection::default()
    };
    let doing = || {
        let place = sides.target.shown();
        format!("making an empty collection at {place}, to see that it is not the source under another name")
    };
    let call = || sides.target.create_collection(message.clone());
    match persist(sides.options.patience, &sides.watch, doing, call).await {
        Ok(_) => Ok(()),
        // A try whose answer was lost has made it.
        Err(error) => {
            let there = sides.collections(&*sides.target).await?;
            there.iter().any(|one| one == name).then_some(()).ok_or(error)
        }
    }
}

async fn is_at_source<S: Store, T: Store>(sides: &Sides<S, T>, name: &str) -> Result<bool> {
    for look in 0..LOOKS {
        if look > 0 && sides.target.database().is_none() {
            tokio::time::sleep(sides.options.patience.first).await;
        }
        if let Some(database) = sides.source.database() {
            // A directory is seen as it was when it was opened.
            database.refresh().map_err(|error| MigrateError::Call {
                doing: format!("reading {} again", sides.source.shown()),
                problem: error.to_string(),
            })?;
        }
        if sides
            .collections(&*sides.source)
            .await?
            .iter()
            .any(|one| one == name)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A number that nobody else has drawn: the keys of a hasher come from the system.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
