//! `vdb create`: an empty database or collection.

use std::path::PathBuf;

use serde_json::json;
use vdb::{CollectionConfig, Distance, Element, HnswParams, VectorParams};

use crate::failure::{Failure, Outcome};
use crate::out::Out;
use crate::{open, parse};

const AFTER: &str = "\
Examples:
  vdb create my.db                                  an empty database
  vdb create my.db words --dim 384                  one unnamed vector a point, cosine, f32
  vdb create my.db pages --vector title:384 --vector image:512:euclid:f16";

/// Create a database, or an empty collection in it
///
/// The database is created where there is none; the collection must not exist yet.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub(crate) struct Args {
    /// Directory of the database
    db: PathBuf,

    /// Name of the new collection
    #[arg(requires = "shape")]
    collection: Option<String>,

    /// Numbers in a vector
    #[arg(long, value_name = "N", group = "shape", requires = "collection")]
    dim: Option<usize>,

    /// A named vector; may be repeated
    #[arg(
        long = "vector",
        value_name = "NAME:DIM[:DISTANCE[:ELEMENT]]",
        group = "shape",
        requires = "collection"
    )]
    #[arg(value_parser = named)]
    vectors: Vec<(String, VectorParams)>,

    /// How nearness is measured
    #[arg(long, default_value = "cosine", value_parser = parse::distance())]
    distance: Distance,

    /// How a number is stored
    #[arg(long, default_value = "f32", value_parser = parse::element())]
    element: Element,

    /// Links a node of the graph; level 0 has twice as many
    #[arg(long, value_name = "N")]
    m: Option<u16>,

    /// Width of the beam that finds a new node's neighbours
    #[arg(long, value_name = "N")]
    ef_construct: Option<u16>,
}

fn named(text: &str) -> Result<(String, VectorParams), String> {
    let mut parts = text.split(':');
    let (Some(name), Some(dim)) = (parts.next(), parts.next()) else {
        return Err("expected NAME:DIM, for example title:384".to_owned());
    };
    let dim = dim
        .parse()
        .map_err(|_| format!("the dimension {dim:?} is not a number"))?;
    let distance = parts
        .next()
        .map_or(Ok(Distance::Cosine), str::parse)
        .map_err(|e| e.to_string())?;
    let element = parts
        .next()
        .map_or(Ok(Element::F32), vdb::parse_element)
        .map_err(|e| e.to_string())?;
    match parts.next() {
        None => Ok((name.to_owned(), VectorParams::new(dim, distance).element(element))),
        Some(more) => Err(format!(
            "{more:?} is one part too many: NAME:DIM:DISTANCE:ELEMENT"
        )),
    }
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    if args.collection.is_none() && open::builder().create(false).open(&args.db).is_ok() {
        return Err(Failure::failed(format!(
            "{}: there is a database already",
            args.db.display()
        )));
    }
    let db = open::open(open::builder(), &args.db)?;
    if let Some(name) = &args.collection {
        let mut hnsw = HnswParams::default();
        hnsw.m = args.m.unwrap_or(hnsw.m);
        hnsw.ef_construct = args.ef_construct.unwrap_or(hnsw.ef_construct);
        let mut config = CollectionConfig::default();
        if let Some(dim) = args.dim {
            config = config.vector(
                "",
                VectorParams::new(dim, args.distance)
                    .element(args.element)
                    .hnsw(hnsw),
            );
        }
        for (vector, params) in &args.vectors {
            config = config.vector(vector, params.clone().hnsw(hnsw));
        }
        db.create_collection(name, config)?;
    }
    db.close()?;
    let answer = json!({"database": args.db.display().to_string(), "collection": args.collection});
    out.answer(&answer, || match &args.collection {
        Some(name) => format!("created the collection {name} in {}", args.db.display()),
        None => format!("created the database {}", args.db.display()),
    })
}
