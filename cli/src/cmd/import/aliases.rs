//! Aliases of collections that are imported.

use vdb::Database;

use crate::out::Out;

/// Makes the aliases of collections that were imported.
pub(super) fn add(db: &Database, aliases: &[(String, String)], out: &Out) -> Vec<String> {
    let mut made = Vec::new();
    for (alias, collection) in aliases {
        let outcome = match taken(&db.aliases(), alias, collection) {
            Taken::By(why) => Err(why),
            Taken::AsAsked => Ok(()),
            Taken::Not => db
                .create_alias(alias, collection)
                .map_err(|error| error.to_string()),
        };
        match outcome {
            Ok(()) => made.push(alias.clone()),
            Err(why) => out.warn(format_args!(
                "the alias {alias} of {collection} was not made: {why}"
            )),
        }
    }
    made
}

/// Those that an import would make, beside the collections that it would, `names`, and what is in the database `db`.
pub(super) fn would_be(
    db: Option<&Database>,
    names: &[&str],
    aliases: &[(String, String)],
    out: &Out,
) -> Vec<String> {
    let (known, mut collections) = db.map_or_else(Default::default, |db| (db.aliases(), db.collections()));
    collections.extend(names.iter().map(|name| (*name).to_owned()));
    let mut made = Vec::new();
    for (alias, collection) in aliases {
        let why = match taken(&known, alias, collection) {
            Taken::By(why) => Some(why),
            Taken::AsAsked => None,
            Taken::Not => collections
                .contains(alias)
                .then(|| "a collection has this name".to_owned()),
        };
        match why {
            None => made.push(alias.clone()),
            Some(why) => out.warn(format_args!(
                "the alias {alias} of {collection} would not be made: {why}"
            )),
        }
    }
    made
}

/// Whether there is an alias already.
enum Taken {
    Not,
    /// Of the collection that it is to be of.
    AsAsked,
    /// Why not: an alias that is there keeps its meaning.
    By(String),
}

fn taken(known: &[(String, String)], alias: &str, collection: &str) -> Taken {
    match known.iter().find(|(there, _)| there == alias) {
        None => Taken::Not,
        Some((_, of)) if of == collection => Taken::AsAsked,
        Some((_, of)) => Taken::By(format!("it is one of {of}")),
    }
}
