//! `vdb collections`: list, drop, rename, alias.

use std::path::PathBuf;

use clap::Subcommand;
use comfy_table::Cell;
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::{open, table};

const AFTER: &str = "\
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
        Action::List { db } => list(&open::database(&db)?, out),
        Action::Drop { db, collection } => {
            let db = open::database(&db)?;
            if !db.drop_collection(&collection)? {
                let known = db.collections().join(", ");
                return Err(Failure::failed(format!(
                    "there is no collection {collection:?}; there is {known}"
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
            db.create_alias(&alias, &collection)?;
            db.close()?;
            out.answer(&json!({"alias": alias, "collection": collection}), || {
                format!("{alias} stands for {collection}")
            })
        }
        Action::Unalias { db, alias } => {
            let db = open::database(&db)?;
            if !db.aliases().iter().any(|(known, _)| *known == alias) {
                return Err(Failure::failed(format!("there is no alias {alias:?}")));
            }
            db.delete_alias(&alias)?;
            db.close()?;
            out.answer(&json!({ "removed": alias }), || {
                format!("removed the alias {alias}")
            })
        }
    }
}

fn list(db: &vdb::Database, out: &mut Out) -> Outcome {
    let aliases = db.aliases();
    let mut answer = Vec::new();
    let mut text = table::with_header(&["collection", "points", "aliases"]);
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
            Err(error) => Cell::new(error.to_string()),
        };
        table::push(&mut text, [Cell::new(&name), cell, Cell::new(of.join(", "))]);
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
            text.trim_fmt()
        }
    })
}
