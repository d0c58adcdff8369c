//! A collection at the target: made before the points come, completed once they are there, and then named by aliases.

use qdrant_client::QdrantError;
use qdrant_client::qdrant as proto;
use tonic::Code;
use vdb::Database;

use crate::error::{MigrateError, Result, told};
use crate::journal::{Entry, Journal, Slice, Stage};
use crate::options::Existing;
use crate::patience::{is_refusal, persist, tried};
use crate::plan::{Part, Plan};
use crate::report::Action;
use crate::settings::{Place, indexes};
use crate::sides::Sides;
use crate::store::Store;
use crate::write::finished;

/// Fewer points than this are not worth a slice of their own.
const SLICE: u64 = 500;

/// Makes of the target what the part begins with, and gives what the journal then says of it.
pub(crate) async fn prepare<S: Store, T: Store>(
    sides: &Sides<S, T>,
    journal: &Journal,
    part: &mut Part,
) -> Result<Entry> {
    let before = journal.entry(&part.name);
    let created = match part.action {
        Action::Create | Action::Replace => true,
        Action::Append => false,
        Action::Sync | Action::Resume | Action::Done => before.as_ref().is_some_and(|entry| entry.created),
    };
    if let (Action::Resume, Some(mut entry)) = (part.action, before.clone()) {
        let there = sides.count(&*sides.target, &part.target).await?;
        if there < entry.acknowledged() {
            sides.watch.remark(format!(
                "{} of {} has {there} points and had {}: all are copied again",
                part.target,
                sides.target.shown(),
                entry.acknowledged()
            ));
            entry.begin_again();
            journal.keep(&part.name, entry.clone())?;
        }
        // The run before this one may have ended before it made them all.
        make_indexes(sides, part).await?;
        return Ok(entry);
    }
    let deferred = match part.action {
        Action::Create | Action::Replace => sides.options.defer_graphs && sides.place() == Place::Server,
        Action::Sync => before.is_some_and(|entry| entry.deferred),
        Action::Append | Action::Resume | Action::Done => false,
    };
    let entry = Entry {
        target: part.target.clone(),
        schema: part.schema.told(),
        created,
        added_to: part.action == Action::Append,
        deferred,
        stage: Stage::Copying,
        slices: vec![Slice::default(); slices(sides, part.points)],
    };
    if part.action == Action::Replace {
        let doing = || format!("dropping {} of {}", part.target, sides.target.shown());
        let call = || sides.target.delete_collection(&part.target);
        persist(sides.options.patience, &sides.watch, doing, call).await?;
    }
    // First the journal: a collection that is made and not in it would be a stranger to the next run.
    journal.keep(&part.name, entry.clone())?;
    if matches!(part.action, Action::Create | Action::Replace) {
        match create(sides, part, deferred).await {
            Ok(()) => {}
            Err(Unmade::Refused(error)) => {
                journal.forget(&part.name)?;
                return Err(error);
            }
            // It may have been made, and then it is of this migration.
            Err(Unmade::Unknown(error)) => return Err(error),
        }
    }
    make_indexes(sides, part).await?;
    Ok(entry)
}

/// How many slices are copied at once.
fn slices<S: Store, T: Store>(sides: &Sides<S, T>, points: u64) -> usize {
    // In this process the next page is there at once, and a slice would be looked for among all points.
    if sides.source.database().is_some() || !sides.source_slices {
        return 1;
    }
    let worth = u32::try_from(points / SLICE).unwrap_or(u32::MAX);
    sides.options.parallel.min(worth).max(1) as usize
}

/// Why there is no answer that a collection was made.
enum Unmade {
    /// It was not made.
    Refused(MigrateError),
    /// It may have been made.
    Unknown(MigrateError),
}

async fn create<S: Store, T: Store>(sides: &Sides<S, T>, part: &Part, deferred: bool) -> Result<(), Unmade> {
    let doing = || format!("making {} at {}", part.target, sides.target.shown());
    if let (Some(from), Some(to)) = (sides.source.database(), sides.target.database()) {
        return create_alike(from, to, part).map_err(|error| {
            Unmade::Refused(MigrateError::Call {
                doing: doing(),
                problem: error.to_string(),
            })
        });
    }
    let message = part.settings.create(&part.target, &sides.options, deferred);
    let mut tries = 0;
    let call = || {
        tries += 1;
        sides.target.create_collection(message.clone())
    };
    match tried(sides.options.patience, &sides.watch, call).await {
        Ok(_) => Ok(()),
        // A try whose answer was lost has made it.
        Err(_) if tries > 1 && sides.info(&*sides.target, &part.target).await.is_ok() => Ok(()),
        Err(error) if tries == 1 && is_refusal(&error) => {
            Err(Unmade::Refused(MigrateError::call(doing(), &error)))
        }
        Err(error) => Err(Unmade::Unknown(MigrateError::call(doing(), &error))),
    }
}

/// Between two directories nothing is lost: the engine's own settings go along. What would delete points or refuse requests comes
/// at the end.
fn create_alike(from: &Database, to: &Database, part: &Part) -> vdb::Result<()> {
    let mut config = from.collection(&part.name)?.config();
    config.ttl = None;
    config.strict_mode = None;
    to.create_collection(&part.target, config).map(drop)
}

/// Indexes payload paths while there is little to index: graphs that are built later then know them.
async fn make_indexes<S: Store, T: Store>(sides: &Sides<S, T>, part: &mut Part) -> Result<()> {
    for message in indexes(&part.info, &part.target) {
        sides.go_on()?;
        let path = message.field_name.clone();
        let call = || async {
            sides
                .target
                .create_field_index(message.clone())
                .await
                .and_then(finished)
        };
        match tried(sides.options.patience, &sides.watch, call).await {
            Ok(_) => {}
            // An index is no data: one that the target does not know is left out.
            Err(error) if code(&error) == Some(Code::Unimplemented) => {
                let why = told(&error);
                let warning = format!("the payload path {path} is not indexed: {why}");
                part.warnings.push(warning);
            }
            Err(error) => {
                let (target, store) = (&part.target, sides.target.shown());
                let doing = format!("indexing the payload path {path} of {target} of {store}");
                return Err(MigrateError::call(doing, &error));
            }
        }
    }
    Ok(())
}

/// Gives the collection what waited for its points: graphs, limits on requests, and between directories the end of points.
pub(crate) async fn complete<S: Store, T: Store>(
    sides: &Sides<S, T>,
    part: &Part,
    entry: &Entry,
) -> Result<()> {
    if !entry.created {
        return Ok(());
    }
    let doing = || format!("setting up {} of {}", part.target, sides.target.shown());
    if let Some(message) = part.settings.finish(&part.target, entry.deferred) {
        let call = || sides.target.update_collection(message.clone());
        persist(sides.options.patience, &sides.watch, doing, call).await?;
    }
    if let (Some(from), Some(to)) = (sides.source.database(), sides.target.database()) {
        complete_alike(from, to, part).map_err(|error| MigrateError::Call {
            doing: doing(),
            problem: error.to_string(),
        })?;
    }
    Ok(())
}

fn complete_alike(from: &Database, to: &Database, part: &Part) -> vdb::Result<()> {
    if let Some(ttl) = from.collection(&part.name)?.config().ttl {
        to.collection(&part.target)?.set_ttl(Some(ttl))?;
    }
    Ok(())
}

/// What became of aliases.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aliases {
    pub(crate) made: Vec<String>,
    pub(crate) missing: Vec<String>,
    /// Why, one for each that is missing.
    pub(crate) warnings: Vec<String>,
}

/// Makes the aliases of the collections that are done.
pub(crate) async fn make_aliases<S: Store, T: Store>(
    sides: &Sides<S, T>,
    plan: &Plan,
    is_done: impl Fn(&str) -> bool,
) -> Result<Aliases> {
    let mut all = Aliases::default();
    for (alias, collection) in &plan.aliases {
        let mut refuse = |why: &str| {
            all.missing.push(alias.clone());
            all.warnings
                .push(format!("the alias {alias} of {collection} was not made: {why}"));
        };
        if !is_done(collection) {
            refuse("the collection is not the same as at the source");
            continue;
        }
        let takes_over = matches!(sides.options.existing, Existing::Replace | Existing::Sync);
        match plan.known_aliases.get(alias) {
            Some(of) if of == collection => {
                all.made.push(alias.clone());
                continue;
            }
            Some(of) if !takes_over => {
                refuse(&format!("it is one of {of}"));
                continue;
            }
            Some(_) | None => {}
        }
        let message = proto::CreateAlias {
            collection_name: collection.clone(),
            alias_name: alias.clone(),
        };
        let call = || sides.target.create_alias(message.clone());
        match tried(sides.options.patience, &sides.watch, call).await {
            Ok(_) => all.made.push(alias.clone()),
            Err(error) if is_taken(&error) => refuse(&told(&error)),
            Err(error) => {
                return Err(MigrateError::call(
                    format!("making the alias {alias} at {}", sides.target.shown()),
                    &error,
                ));
            }
        }
    }
    Ok(all)
}

/// Whether the name is that of a collection.
fn is_taken(error: &QdrantError) -> bool {
    matches!(code(error), Some(Code::AlreadyExists | Code::InvalidArgument))
}

fn code(error: &QdrantError) -> Option<Code> {
    let QdrantError::ResponseError { status } = error else {
        return None;
    };
    Some(status.code())
}
