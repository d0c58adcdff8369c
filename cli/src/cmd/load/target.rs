//! The collection that is loaded into.

use vdb::{Collection, CollectionConfig, Database, Distance, Element, Error, VectorParams};

use super::Args;
use crate::failure::{Failure, Outcome};
use crate::parse;

/// The collection if it is there, else a new one with vectors of these names and dimensions, which come from the
/// first row of `file`. True when it is new.
pub(super) fn collection(
    db: &Database,
    args: &Args,
    shape: Vec<(String, usize)>,
    file: &str,
) -> Outcome<(Collection, bool)> {
    match db.collection(&args.collection) {
        Ok(collection) => {
            check(&collection.config(), args)?;
            Ok((collection, false))
        }
        Err(Error::CollectionNotFound { .. }) => {
            if shape.is_empty() {
                return Err(Failure::failed(format!(
                    "{file}: no vector in it tells the dimension of the new collection {:?}; \
                     make it with `vdb create` first",
                    args.collection
                )));
            }
            let mut config = CollectionConfig::default();
            let distance = args.distance.unwrap_or(Distance::Cosine);
            let element = args.element.unwrap_or(Element::F32);
            for (name, dim) in shape {
                config = config.vector(name, VectorParams::new(dim, distance).element(element));
            }
            Ok((db.create_collection(&args.collection, config)?, true))
        }
        Err(error) => Err(error.into()),
    }
}

/// Refuses options for a new collection that an existing one contradicts.
fn check(config: &CollectionConfig, args: &Args) -> Outcome {
    let refuse = |option: &str, asked: &str, found: &str| {
        Err(Failure::failed(format!(
            "the collection {:?} is there already, with {option} {found} and not {asked}; \
             leave the option out or load into another collection",
            args.collection
        )))
    };
    for (_, params) in &config.vectors {
        if let Some(asked) = args.distance.filter(|asked| *asked != params.distance) {
            return refuse("--distance", asked.name(), params.distance.name());
        }
        if let Some(asked) = args.element.filter(|asked| *asked != params.element) {
            return refuse(
                "--element",
                parse::element_name(asked),
                parse::element_name(params.element),
            );
        }
    }
    Ok(())
}
