//! Whether both sides are one place under two names, as a server is that is known by its address and by its host, or a directory
//! and the server that serves it. What then took the target's collection away would take the source's.

use std::hash::{BuildHasher, Hasher, RandomState};

use qdrant_client::qdrant as proto;

use crate::error::{MigrateError, Result, told};
use crate::options::Existing;
use crate::patience::{is_refusal, tried};
use crate::plan::Plan;
use crate::report::Action;
use crate::sides::Sides;
use crate::store::Store;

/// How often the source is looked at: the nodes of a cluster may hear of a new collection a little later than the one that made it.
const LOOKS: u32 = 3;

/// What came of the try to make a collection.
enum Made {
    Yes,
    /// The target does not let this caller make one.
    Refused(String),
}

/// Proves that what is written to the target is not written to the source: an empty collection that is made at the target, under a
/// name that nobody else has, is not at the source. It is dropped again. Where the target lets this caller make no collection, what is
/// about to be changed is compared with what the source has of its name. Nothing is done where no collection of the target may be
/// changed.
///
/// # Errors
/// When both are one place, and when a call fails: then it cannot be known.
pub(crate) async fn prove<S: Store, T: Store>(sides: &Sides<S, T>, plan: &Plan) -> Result<()> {
    let options = &sides.options;
    if options.existing == Existing::Refuse || options.dry_run || options.two_places {
        return Ok(());
    }
    if sides.collections(&*sides.target).await?.is_empty() {
        return Ok(());
    }
    sides.go_on()?;
    let name = format!("vdb-migrate-probe-{:016x}", random());
    let seen = match make(sides, &name).await {
        Ok(Made::Yes) => is_at_source(sides, &name).await,
        Ok(Made::Refused(why)) => return prove_by_looking(sides, plan, &why).await,
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

async fn make<S: Store, T: Store>(sides: &Sides<S, T>, name: &str) -> Result<Made> {
    let message = proto::CreateCollection {
        collection_name: name.to_owned(),
        ..proto::CreateCollection::default()
    };
    let call = || sides.target.create_collection(message.clone());
    let Err(error) = tried(sides.options.patience, &sides.watch, call).await else {
        return Ok(Made::Yes);
    };
    // A try whose answer was lost has made it.
    let there = sides.collections(&*sides.target).await?;
    if there.iter().any(|one| one == name) {
        return Ok(Made::Yes);
    }
    if is_refusal(&error) {
        return Ok(Made::Refused(told(&error)));
    }
    let place = sides.target.shown();
    let doing =
        format!("making an empty collection at {place}, to see that it is not the source under another name");
    Err(MigrateError::call(doing, &error))
}

/// Proves the same without writing: of a collection that is about to be changed the source has none of this name, or another one.
/// What is written then is not what is read.
async fn prove_by_looking<S: Store, T: Store>(sides: &Sides<S, T>, plan: &Plan, why: &str) -> Result<()> {
    refresh(sides)?;
    let at_source = sides.collections(&*sides.source).await?;
    let mut alike = Vec::new();
    for part in &plan.parts {
        let is_changed = matches!(part.action, Action::Append | Action::Replace | Action::Sync);
        if !is_changed || !at_source.contains(&part.target) {
            continue;
        }
        if differs(sides, &part.target).await? {
            return Ok(());
        }
        alike.push(part.target.as_str());
    }
    if alike.is_empty() {
        return Ok(());
    }
    Err(MigrateError::Conflict(format!(
        "{} may be {} under another name: both have {} with as many points, and an empty collection that would show the \
         difference cannot be made ({why}); --two-places says that they are two",
        sides.target.shown(),
        sides.source.shown(),
        alike.join(", ")
    )))
}

/// Whether both sides have different numbers of points in the collection of one name, and keep to them while they are looked at.
async fn differs<S: Store, T: Store>(sides: &Sides<S, T>, name: &str) -> Result<bool> {
    let (source, target) = counts(sides, name).await?;
    for _ in 0..LOOKS {
        if counts(sides, name).await? != (source, target) {
            return Ok(false);
        }
    }
    Ok(source != target)
}

/// How many points the source and the target have now in the collection of one name.
async fn counts<S: Store, T: Store>(sides: &Sides<S, T>, name: &str) -> Result<(u64, u64)> {
    refresh(sides)?;
    let source = sides.count(&*sides.source, name).await?;
    let target = sides.count(&*sides.target, name).await?;
    Ok((source, target))
}

/// Looks at a source that is a directory anew: it is seen as it was when it was opened, and another process may write to it.
fn refresh<S: Store, T: Store>(sides: &Sides<S, T>) -> Result<()> {
    let Some(database) = sides.source.database() else {
        return Ok(());
    };
    database.refresh().map(drop).map_err(|error| MigrateError::Call {
        doing: format!("reading {} again", sides.source.shown()),
        problem: error.to_string(),
    })
}

async fn is_at_source<S: Store, T: Store>(sides: &Sides<S, T>, name: &str) -> Result<bool> {
    for look in 0..LOOKS {
        if look > 0 && sides.target.database().is_none() {
            tokio::time::sleep(sides.options.patience.first).await;
        }
        refresh(sides)?;
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
