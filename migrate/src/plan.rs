//! Which collections, under which names, and what happens to each.

use std::collections::{BTreeMap, BTreeSet};

use qdrant_client::qdrant as proto;

use crate::error::{MigrateError, Result};
use crate::journal::{Entry, Journal, Stage};
use crate::options::{Existing, Options};
use crate::patience::persist;
use crate::report::Action;
use crate::schema::Schema;
use crate::settings::{Place, Settings};
use crate::sides::Sides;
use crate::store::Store;

/// A collection that is migrated.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Its name at the source.
    pub(crate) name: String,
    /// Its name at the target.
    pub(crate) target: String,
    pub(crate) info: proto::CollectionInfo,
    pub(crate) schema: Schema,
    pub(crate) settings: Settings,
    /// Most points of a page, and of a write, by the limits that the target has set.
    pub(crate) target_limits: (Option<u32>, Option<u64>),
    /// Points of the source.
    pub(crate) points: u64,
    pub(crate) action: Action,
    pub(crate) warnings: Vec<String>,
}

/// All of them, and the aliases of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) parts: Vec<Part>,
    /// Aliases, with the collections of the target that they are to stand for.
    pub(crate) aliases: Vec<(String, String)>,
    /// What each alias of the target stands for.
    pub(crate) known_aliases: BTreeMap<String, String>,
}

impl Plan {
    /// Looks at both sides, and changes neither.
    pub(crate) async fn make<S: Store, T: Store>(sides: &Sides<S, T>, journal: &Journal) -> Result<Self> {
        let options = &sides.options;
        let names = sides.collections(&*sides.source).await?;
        let aliases = aliases(sides, &*sides.source).await?;
        let chosen = choose(options, &names, &aliases)?;
        let there: BTreeSet<String> = sides.collections(&*sides.target).await?.into_iter().collect();
        let known_aliases = self::aliases(sides, &*sides.target).await?;
        let mut parts = Vec::with_capacity(chosen.len());
        let mut conflicts = Vec::new();
        for (name, target) in &chosen {
            sides.go_on()?;
            if let Some(of) = known_aliases.get(target) {
                conflicts.push(format!(
                    "{target} is an alias of {of} at {}; --rename or --prefix gives {name} another name",
                    sides.target.shown()
                ));
                continue;
            }
            match decide(
                sides,
                journal.entry(name),
                (name.as_str(), target.as_str()),
                there.contains(target),
            ) {
                Ok(action) => {
                    parts.push(part(sides, journal, (name.as_str(), target.as_str()), action).await?)
                }
                Err(conflict) => conflicts.push(conflict),
            }
        }
        if !conflicts.is_empty() {
            return Err(MigrateError::Conflict(conflicts.join("\n  ")));
        }
        let of_chosen = |(alias, of): (String, String)| Some((alias, chosen.get(&of)?.clone()));
        Ok(Plan {
            parts,
            aliases: if options.aliases {
                aliases.into_iter().filter_map(of_chosen).collect()
            } else {
                Vec::new()
            },
            known_aliases,
        })
    }
}

async fn aliases<S: Store, T: Store, C: Store>(
    sides: &Sides<S, T>,
    store: &C,
) -> Result<BTreeMap<String, String>> {
    let doing = || format!("listing the aliases of {}", store.shown());
    let answer = persist(sides.options.patience, &sides.watch, doing, || {
        store.list_aliases()
    })
    .await?;
    let pair = |one: proto::AliasDescription| (one.alias_name, one.collection_name);
    Ok(answer.aliases.into_iter().map(pair).collect())
}

/// The collections that are meant, with their names at the target.
fn choose(
    options: &Options,
    names: &[String],
    aliases: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    let resolve = |name: &String| {
        let of = aliases.get(name).unwrap_or(name);
        if names.contains(of) {
            return Ok(of.clone());
        }
        let known = if names.is_empty() {
            "it has none".to_owned()
        } else {
            format!("it has {}", names.join(", "))
        };
        Err(MigrateError::Usage(format!(
            "the source has no collection {name:?}; {known}"
        )))
    };
    let resolve_all = |list: &[String]| list.iter().map(resolve).collect::<Result<BTreeSet<String>>>();
    let mut chosen = resolve_all(&options.collections)?;
    if options.collections.is_empty() {
        chosen = names.iter().cloned().collect();
    }
    for excluded in resolve_all(&options.exclude)? {
        chosen.remove(&excluded);
    }
    let mut renamed = BTreeMap::new();
    for (old, new) in &options.rename {
        let old = resolve(old)?;
        if !chosen.contains(&old) {
            return Err(MigrateError::Usage(format!("{old} is renamed and not migrated")));
        }
        if renamed.insert(old.clone(), new.clone()).is_some() {
            return Err(MigrateError::Usage(format!("{old} is renamed twice")));
        }
    }
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut all = BTreeMap::new();
    for name in chosen {
        let target = renamed
            .remove(&name)
            .unwrap_or_else(|| format!("{}{name}", options.prefix));
        if let Some(other) = taken.insert(target.clone(), name.clone()) {
            return Err(MigrateError::Usage(format!(
                "{other} and {name} would both become {target}"
            )));
        }
        all.insert(name, target);
    }
    Ok(all)
}

/// What happens to a collection, or why nothing may.
fn decide<S: Store, T: Store>(
    sides: &Sides<S, T>,
    entry: Option<Entry>,
    (name, target): (&str, &str),
    is_there: bool,
) -> std::result::Result<Action, String> {
    let existing = sides.options.existing;
    let Some(entry) = entry else {
        return match (is_there, existing) {
            (false, _) => Ok(Action::Create),
            (true, Existing::Append) => Ok(Action::Append),
            (true, Existing::Replace) => Ok(Action::Replace),
            (true, Existing::Sync) => Ok(Action::Sync),
            (true, Existing::Refuse) => Err(format!(
                "{target} is at {} already, and not from this migration: --existing append, replace or sync says what is \
                 to happen, --rename or --prefix gives {name} another name",
                sides.target.shown()
            )),
        };
    };
    if entry.target != target {
        return Err(format!(
            "{name} was being migrated to {}, not to {target}: finish that first, or name another file with --state",
            entry.target
        ));
    }
    Ok(match (is_there, existing, entry.stage) {
        (false, ..) => {
            // Where nothing was written it may not have been made at all.
            if entry.acknowledged() > 0 {
                sides.watch.remark(format!(
                    "{target} was removed from {} meanwhile, and is made anew",
                    sides.target.shown()
                ));
            }
            Action::Create
        }
        (true, Existing::Sync, _) => Action::Sync,
        (true, Existing::Replace, Stage::Copied) => Action::Replace,
        (true, Existing::Replace, _) if entry.added_to => Action::Replace,
        (true, _, Stage::Done) => Action::Done,
        (true, _, Stage::Copying | Stage::Copied) => Action::Resume,
    })
}

async fn part<S: Store, T: Store>(
    sides: &Sides<S, T>,
    journal: &Journal,
    (name, target): (&str, &str),
    action: Action,
) -> Result<Part> {
    let info = sides.info(&*sides.source, name).await?;
    let unknown = |problem: String| MigrateError::Conflict(format!("{name}: {problem}"));
    let schema = Schema::of(&info).map_err(unknown)?;
    let (settings, mut warnings) = Settings::of(&info, sides.place());
    if settings.has_shard_keys() && sides.place() == Place::Server {
        return Err(MigrateError::Conflict(format!(
            "{name} has shard keys, which are not migrated from server to server: move it by a snapshot, or leave it out \
             with --exclude {name}"
        )));
    }
    if let (Action::Resume | Action::Done, Some(entry)) = (action, journal.entry(name))
        && let Some(change) = schema.change_since(&entry.schema)
    {
        return Err(MigrateError::Conflict(format!(
            "{name} has changed since its migration began: {change}; --existing replace begins anew once the collection at \
             the target and the state are removed"
        )));
    }
    let mut target_limits = (None, None);
    if matches!(
        action,
        Action::Resume | Action::Done | Action::Append | Action::Sync
    ) {
        let there = sides.info(&*sides.target, target).await?;
        let held = Schema::of(&there).map_err(unknown)?;
        if let Some(change) = held.change_since(&schema.told()) {
            return Err(MigrateError::Conflict(format!(
                "{target} of {} does not hold what {name} has: {change}",
                sides.target.shown()
            )));
        }
        target_limits = Settings::of(&there, sides.place()).0.limits();
    }
    warnings.extend(untold(sides, name));
    Ok(Part {
        name: name.to_owned(),
        target: target.to_owned(),
        points: sides.count(&*sides.source, name).await?,
        info,
        schema,
        settings,
        target_limits,
        action,
        warnings,
    })
}

/// What the engine has of a collection that a server has no words for.
fn untold<S: Store, T: Store>(sides: &Sides<S, T>, name: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    let (Some(database), None) = (sides.source.database(), sides.target.database()) else {
        return warnings;
    };
    let Ok(collection) = database.collection(name) else {
        return warnings;
    };
    let config = collection.config();
    if let Some(ttl) = &config.ttl {
        warnings.push(format!(
            "points end by the time in {:?} (vdb ttl), which servers do not do: they stay there",
            ttl.field
        ));
    }
    // What Qdrant's calls have set is told by them, and is no loss.
    let mut hints = config.hints.keys().filter(|key| *key != "qdrant").peekable();
    if hints.peek().is_some() {
        let names = hints.map(String::as_str).collect::<Vec<_>>().join(", ");
        warnings.push(format!(
            "hints that programs keep with the collection are left out: {names}"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests;
