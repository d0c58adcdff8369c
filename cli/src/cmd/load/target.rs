//! The collection that is loaded into.

use vdb::{
    Collection, CollectionConfig, Database, Distance, Element, Error, MultiVectorComparator,
    SparseVectorParams, VectorParams,
};

use super::Args;
use super::read::Rules;
use super::source::{Shape, Source};
use crate::failure::{Failure, Outcome};
use crate::{parse, table};

/// The collection if it is there, else what it will be. It is made with its first batch, so that a load which writes
/// nothing leaves nothing behind.
pub(super) struct Target {
    name: String,
    pub(super) config: CollectionConfig,
    collection: Option<Collection>,
    created: bool,
}

impl Target {
    /// Looks for the collection. A new one has vectors of the names and kinds of `shape`, which come from the
    /// first row of `source`. Without a database there is no collection yet.
    pub(super) fn find(
        db: Option<&Database>,
        args: &Args,
        shape: Vec<(String, Shape)>,
        source: &Source,
    ) -> Outcome<Target> {
        let name = args.collection.clone();
        let collection = match db.map(|db| db.collection(&name)) {
            Some(Ok(collection)) => collection,
            None | Some(Err(Error::CollectionNotFound { .. })) => {
                let config = config(args, shape, source)?;
                check_distance(&config, args)?;
                check_cast(&config, args)?;
                check_said(source, &config, args)?;
                return Ok(Target {
                    name,
                    config,
                    collection: None,
                    created: false,
                });
            }
            Some(Err(error)) => return Err(error.into()),
        };
        check(&collection.config(), args)?;
        check_distance(&collection.config(), args)?;
        check_cast(&collection.config(), args)?;
        check_said(source, &collection.config(), args)?;
        let points = collection.count(None)?;
        if points > 0 && args.reading.start_id.is_none() && source.is_numbered() {
            return Err(Failure::failed(numbers_in_the_way(source.name(), &name, points)));
        }
        Ok(Target {
            name,
            config: collection.config(),
            collection: Some(collection),
            created: false,
        })
    }

    /// How many points it has; none where it is not there yet.
    pub(super) fn points(&self) -> Outcome<u64> {
        match &self.collection {
            Some(there) => Ok(there.count(None)?),
            None => Ok(0),
        }
    }

    /// What its rows are checked against.
    pub(super) fn rules(&self, args: &Args) -> Outcome<Rules> {
        let points = self.points()?;
        Ok(Rules {
            collection: self.name.clone(),
            config: self.config.clone(),
            batch_rows: args.batch,
            skip_bad: args.skip_bad,
            cast: args.cast,
            in_the_way: args.reading.start_id.is_none().then_some(points),
        })
    }

    /// The collection, made now if it was not there; true when it is new.
    pub(super) fn get(&mut self, db: &Database) -> Outcome<(Collection, bool)> {
        let collection = match self.collection.take() {
            Some(collection) => collection,
            None => {
                let made = db.create_collection(&self.name, self.config.clone())?;
                self.created = true;
                made
            }
        };
        self.collection = Some(collection.clone());
        Ok((collection, self.created))
    }

    /// Takes a collection away again that this call made and that nothing was written to. Should that fail, it stays
    /// empty, and what went wrong before is the better thing to tell.
    pub(super) fn undo(&mut self, db: &Database) {
        if self.created {
            self.collection = None;
            let _ = db.drop_collection(&self.name);
        }
    }
}

/// What to say where numbered rows could take the places of points.
pub(super) fn numbers_in_the_way(place: &str, collection: &str, points: u64) -> String {
    format!(
        "{place}: rows without ids are numbered, and {collection} holds {} already, whose places they could take; \
         say with --start-id N from where to number them, or give each row an id (in a CSV file --id-column names the \
         column)",
        table::counted(points, "point")
    )
}

/// What a new collection will be: as the file says, else as its first row is; how vectors compare and are stored as the caller says.
fn config(args: &Args, shape: Vec<(String, Shape)>, source: &Source) -> Outcome<CollectionConfig> {
    if let Some(mut said) = source.config() {
        for (_, params) in &mut said.vectors {
            params.distance = args.distance.unwrap_or(params.distance);
            params.element = args.element.unwrap_or(params.element);
        }
        for (_, params) in &mut said.sparse_vectors {
            params.element = args.element.unwrap_or(params.element);
        }
        return Ok(said);
    }
    let file = source.name();
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
    for (name, shape) in shape {
        let params = |dim| VectorParams::new(dim, distance).element(element);
        config = match shape {
            Shape::Dense(dim) => config.vector(name, params(dim)),
            Shape::Multi(dim) => config.vector(name, params(dim).multivector(MultiVectorComparator::MaxSim)),
            Shape::Sparse => config.sparse_vector(name, SparseVectorParams::new().element(element)),
        };
    }
    Ok(config)
}

/// Refuses `--distance` where no vector compares by one.
fn check_distance(config: &CollectionConfig, args: &Args) -> Outcome {
    if args.distance.is_none() || !config.vectors.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "--distance is for dense vectors, and the collection {:?} has none: sparse ones compare by the dot product",
        args.collection
    )))
}

/// Refuses `--cast` where there is nothing to be cut.
fn check_cast(config: &CollectionConfig, args: &Args) -> Outcome {
    let is_u8 = |(_, params): &(String, VectorParams)| params.element == Element::U8;
    if !args.cast || config.vectors.iter().any(is_u8) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "--cast is for u8 vectors, and the collection {:?} has none: leave it out, or make a new collection with --element u8",
        args.collection
    )))
}

/// Refuses files whose vectors are of another length than the collection's, or compare otherwise, unless the caller said how.
fn check_said(source: &Source, config: &CollectionConfig, args: &Args) -> Outcome {
    for said in source.said() {
        for (name, params) in &said.config.vectors {
            let there = config.vectors.iter().find(|(known, _)| known == name);
            // A vector that the collection lacks is told with the first row that has it.
            let Some((_, there)) = there else { continue };
            let (file, collection) = (&said.file, &args.collection);
            let vector = if name.is_empty() {
                "its vectors".to_owned()
            } else {
                format!("its vectors {name:?}")
            };
            if params.size != there.size {
                return Err(Failure::failed(format!(
                    "{file}: {vector} have {} numbers, and those of the collection {collection:?} {}: load the file into a collection \
                     of its own",
                    params.size, there.size
                )));
            }
            if params.distance != there.distance && args.distance.is_none() {
                return Err(Failure::failed(format!(
                    "{file}: {vector} compare by {}, and those of the collection {collection:?} by {distance}: load the file into a \
                     collection of its own, or say --distance {distance} if they are to be compared so",
                    params.distance.name(),
                    distance = there.distance.name(),
                )));
            }
        }
    }
    Ok(())
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
    // Beside dense vectors sparse ones may well be of another element.
    let alone = config.sparse_vectors.iter().filter(|_| config.vectors.is_empty());
    for (_, params) in alone {
        if let Some(asked) = args.element.filter(|asked| *asked != params.element) {
            let [asked, found] = [asked, params.element].map(parse::element_name);
            return refuse("--element", asked, found);
        }
    }
    Ok(())
}
