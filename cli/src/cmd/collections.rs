//! `vdb collections`: list, drop, rename, alias.

use std::path::PathBuf;

use clap::Subcommand;
use comfy_table::Cell;
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::{open, table};

const AFTER: &str = "\
Answers with --json: list {\"collections\": [{\"name\", \"points\" or \"error\", \"aliases\"}]}, drop {\"dropped\"}, rename \
{\"renamed\", \"to\"}, alias {\"alias\", \"collection\", \"before\"}, unalias {\"removed\"}.

Examples:
  vdb collections list my.db
  vdb collections rename my.db words old-words
  vdb collections alias my.db current words
  vdb collections unalias my.db current
  vdb collections drop my.db old-words";

/// List, drop, rename collections, and manage their aliases
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List collections and aliases
    List {
        /// Directory of the database
        db: PathBuf,
    },
    /// Drop a collection with all its points and aliases
    Drop {
        /// Directory of the database
        db: PathBuf,
        /// The collection (not an alias)
        collection: String,
    },
    /// Give a collection another name; its aliases stay with it
    Rename {
        /// Directory of the database
        db: PathBuf,
        /// The present name
        from: String,
        /// The new name
        to: String,
    },
    /// Make an alias stand for a collection; one that exists is pointed elsewhere
    Alias {
        /// Directory of the database
        db: PathBuf,
        /// The alias
        alias: String,
        /// The collection
        collection: String,
    },
    /// Remove an alias
    Unalias {
        /// Directory of the database
        db: PathBuf,
        /// The alias
        alias: String,
    },
}

pub(crate) fn run(args: Args, out: &mut Out) -> Outcome {
    match args.action {
        Action::List { db } => list(&open::read_only(&db)?, out),
        Action::Drop { db, collection } => {
            let db = open::database(&db)?;
            if !db.drop_collection(&collection)? {
                if let Some((_, of)) = db.aliases().iter().find(|(alias, _)| *alias == collection) {
                    return Err(Failure::failed(format!(
                        "{collection:?} is an alias of {of}; drop that, or remove the alias with `vdb collections \
                         unalias`"
                    )));
                }
                return Err(Failure::failed(format!(
                    "there is no collection {collection:?}; {}",
                    open::known(&db)
                )));
            }
            db.close()?;
            out.answer(&json!({ "dropped": collection }), || {
                format!("dropped {collection}")
            })
        }
        Action::Rename { db, from, to } => {
            let db = open::database(&db)?;
            db.rename_collection(&from, &to)?;
            db.close()?;
            out.answer(&json!({"renamed": from, "to": to}), || {
                format!("renamed {from} to {to}")
            })
        }
        Action::Alias {
            db,
            alias,
            collection,
        } => {
            let db = open::database(&db)?;
            let was = db.aliases().into_iter().find(|(known, _)| *known == alias);
            let was = was.map(|(_, of)| of).filter(|of| *of != collection);
            db.create_alias(&alias, &collection)?;
            db.close()?;
            out.answer(
                &json!({"alias": alias, "collection": collection, "before": was}),
                || match &was {
                    Some(was) => format!("{alias} stands for {collection} now, and no longer for {was}"),
                    None => format!("{alias} stands for {collection}"),
                },
            )
        }
        Action::Unalias { db, alias } => {
            let db = open::database(&db)?;
            if !db.aliases().iter().any(|(known, _)| *known == alias) {
                return Err(Failure::failed(format!(
                    "there is no alias {alias:?}; {}",
                    aliases(&db)
                )));
            }
            db.delete_alias(&alias)?;
            db.close()?;
            out.answer(&json!({ "removed": alias }), || {
                format!("removed the alias {alias}")
            })
        }
    }
}

/// Which aliases there are.
fn aliases(db: &vdb::Database) -> String {
    let names: Vec<String> = db.aliases().into_iter().map(|(alias, _)| alias).collect();
    if names.is_empty() {
        "the database has none".to_owned()
    } else {
        format!("there is {}", names.join(", "))
    }
}

fn list(db: &vdb::Database, out: &mut Out) -> Outcome {
    let aliases = db.aliases();
    let mut answer = Vec::new();
    let mut text = table::with_header(&["collection", "points", "aliases"]);
    let mut damage = Vec::new();
    for name in db.collections() {
        let of: Vec<&str> = aliases
            .iter()
            .filter(|(_, target)| *target == name)
            .map(|(alias, _)| alias.as_str())
            .collect();
        // One damaged collection does not hide the others.
        let points = db.collection(&name).and_then(|collection| collection.count(None));
        let cell = match &points {
            Ok(count) => table::number(table::count(*count)),
            Err(error) => {
                damage.push(format!("{}: {error}", table::plain(&name)));
                Cell::new("damaged")
            }
        };
        table::push(
            &mut text,
            [
                Cell::new(table::plain(&name)),
                cell,
                Cell::new(table::plain(&of.join(", "))),
            ],
        );
        answer.push(match points {
            Ok(count) => json!({"name": name, "points": count, "aliases": of}),
            Err(error) => json!({"name": name, "error": error.to_string(), "aliases": of}),
        });
    }
    let empty = answer.is_empty();
    out.answer(&json!({ "collections": answer }), || {
        if empty {
            "no collections".to_owned()
        } else {
            table::with_damage(&text, &damage)
        }
    })
}
