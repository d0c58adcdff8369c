//! `vdb create`: an empty database or collection.

use std::path::PathBuf;

use serde_json::json;
use vdb::{
    CollectionConfig, CollectionUpdate, Distance, Element, HnswConfig, Modifier, MultiVectorComparator,
    Quantization, QuantizationConfig, SparseVectorParams, Ttl, VectorParams,
};

use crate::failure::{Failure, Outcome};
use crate::open::{self, Home};
use crate::out::Out;
use crate::parse;

const AFTER: &str = "\
With --json the answer is {\"database\": DIR, \"collection\": NAME or null}.

Examples:
  vdb create my.db                                  an empty database
  vdb create my.db words --dim 384                  one unnamed vector a point, cosine, f32
  vdb create my.db pages --vector title:384 --vector image:512:euclid:f16
  vdb create my.db pages --vector tokens:128:dot:multi             any number of vectors a point (ColBERT)
  vdb create my.db pages --vector text:384 --sparse words:idf      for hybrid search by BM25 (`vdb query --help`)
  vdb create my.db words --dim 384 --set '{\"metadata\": {\"owner\": \"me\"}}'";

/// Create a database, or an empty collection in it
///
/// The database is created where there is none; the collection must not exist yet.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
#[command(group = clap::ArgGroup::new("shape").multiple(true).args(["dim", "vectors", "sparse_vectors"]))]
pub(crate) struct Args {
    /// Directory of the database
    db: PathBuf,

    /// Name of the new collection
    #[arg(requires = "shape")]
    collection: Option<String>,

    /// Numbers in a vector
    #[arg(long, value_name = "N", conflicts_with = "vectors", requires = "collection", allow_negative_numbers = true, value_parser = parse::dimension)]
    dim: Option<usize>,

    /// A named vector; may be repeated. The parts after DIM in any order; with multi a point has any number of such vectors,
    /// compared by MaxSim
    #[arg(
        long = "vector",
        value_name = "NAME:DIM[:DISTANCE][:ELEMENT][:multi]",
        requires = "collection"
    )]
    #[arg(value_parser = named)]
    vectors: Vec<Named>,

    /// A named sparse vector; may be repeated. With idf weights of queries are multiplied by how rare a dimension is
    #[arg(long = "sparse", value_name = "NAME[:idf]", requires = "collection", value_parser = sparse)]
    sparse_vectors: Vec<(String, SparseVectorParams)>,

    /// A point has any number of unnamed vectors, compared by MaxSim
    // The conflict has to be said: what --dim is at odds with takes its requirement away.
    #[arg(long, requires = "dim", conflicts_with = "vectors")]
    multi: bool,

    /// How nearness is measured, for --dim and where --vector does not say [default: cosine]
    #[arg(long, requires = "collection", value_parser = parse::distance())]
    distance: Option<Distance>,

    /// How a number is stored, for --dim and where --vector does not say [default: f32]
    #[arg(long, requires = "collection", value_parser = parse::element())]
    element: Option<Element>,

    /// Links a node of the graph; level 0 has twice as many
    #[arg(long, value_name = "N", requires = "collection", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(2..=256))]
    m: Option<u16>,

    /// Width of the beam that finds a new node's neighbours
    #[arg(long, value_name = "N", requires = "collection", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    ef_construct: Option<u16>,

    /// What graph walks read of each vector before the best are scored in full: codes of 8, 4, 2 or 1 bits, or full vectors
    /// [default: auto]
    #[arg(long, requires = "collection", value_parser = parse::quantization())]
    quantization: Option<Quantization>,

    /// Further settings, as `vdb config --help` lists them
    #[arg(long, value_name = "JSON", requires = "collection", value_parser = settings)]
    set: Option<CollectionUpdate>,
    /// Points end when the time in this payload field is past (see `vdb ttl --help`)
    #[arg(long, value_name = "FIELD", requires = "collection")]
    ttl: Option<String>,
}

/// A named vector as it is given: what it does not say is said by the other options.
#[derive(Debug, Clone)]
struct Named {
    name: String,
    dim: usize,
    distance: Option<Distance>,
    element: Option<Element>,
    multi: bool,
}

/// A change of settings on the command line.
pub(super) fn settings(text: &str) -> Result<CollectionUpdate, String> {
    let change = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
    CollectionUpdate::from_json(&change).map_err(|error| error.to_string())
}

fn named(text: &str) -> Result<Named, String> {
    let mut parts = text.split(':');
    let (Some(name), Some(dim)) = (parts.next(), parts.next()) else {
        return Err("expected NAME:DIM, for example title:384".to_owned());
    };
    if name.is_empty() {
        return Err("the name is missing; the vector without one is made by --dim".to_owned());
    }
    let mut vector = Named {
        name: name.to_owned(),
        dim: parse::dimension(dim)?,
        distance: None,
        element: None,
        multi: false,
    };
    for part in parts {
        let twice = if let Ok(distance) = part.parse() {
            vector.distance.replace(distance).is_some()
        } else if let Ok(element) = vdb::parse_element(part) {
            vector.element.replace(element).is_some()
        } else if part == "multi" {
            std::mem::replace(&mut vector.multi, true)
        } else {
            return Err(format!(
                "{part:?} is no distance (cosine, dot, euclid, manhattan), no element (f32, f16, u8) and not multi"
            ));
        };
        if twice {
            return Err(format!(
                "{part:?} is one part too many: NAME:DIM:DISTANCE:ELEMENT:multi, each once"
            ));
        }
    }
    Ok(vector)
}

fn sparse(text: &str) -> Result<(String, SparseVectorParams), String> {
    let (name, modifier) = text.split_once(':').unwrap_or((text, "none"));
    let modifier = match modifier {
        "idf" => Modifier::Idf,
        "none" => Modifier::None,
        other => return Err(format!("{other:?} is no modifier: NAME or NAME:idf")),
    };
    if name.is_empty() {
        return Err("a sparse vector needs a name, for example words:idf".to_owned());
    }
    Ok((name.to_owned(), SparseVectorParams::new().modifier(modifier)))
}

impl Args {
    /// Refuses what every --vector says otherwise: it would be of no effect.
    fn check(&self) -> Outcome {
        let unused = |given: bool, said: fn(&Named) -> bool| {
            given && self.collection.is_some() && self.dim.is_none() && self.vectors.iter().all(said)
        };
        let given = [
            (
                "--distance",
                unused(self.distance.is_some(), |vector| vector.distance.is_some()),
            ),
            (
                "--element",
                unused(self.element.is_some(), |vector| vector.element.is_some()),
            ),
        ];
        match given.into_iter().find(|(_, unused)| *unused) {
            None => self.check_graphs(),
            Some((option, _)) => Err(Failure::usage(format!(
                "{option} is for vectors that do not say it: leave it out here, or there where --vector does"
            ))),
        }
    }

    /// Refuses to say how graphs are built that there are not, or that --set says, too.
    fn check_graphs(&self) -> Outcome {
        let set = self.set.clone().unwrap_or_default();
        let given = [
            ("--m", self.m.is_some(), "hnsw_config.m", set.hnsw.m.is_some()),
            (
                "--ef-construct",
                self.ef_construct.is_some(),
                "hnsw_config.ef_construct",
                set.hnsw.ef_construct.is_some(),
            ),
            (
                "--quantization",
                self.quantization.is_some(),
                "quantization_config",
                set.quantization.is_some(),
            ),
        ];
        let has_none = self.dim.is_none() && self.vectors.is_empty();
        for (option, _, key, is_set) in given.into_iter().filter(|(_, is_given, ..)| *is_given) {
            if has_none {
                return Err(Failure::usage(format!(
                    "{option} is for graphs, and sparse vectors have none: leave it out, or add --dim or --vector"
                )));
            }
            if is_set {
                return Err(Failure::usage(format!(
                    "{option} and {key} of --set say the same: leave one of them out"
                )));
            }
        }
        Ok(())
    }

    fn config(&self) -> Outcome<CollectionConfig> {
        let distance = self.distance.unwrap_or(Distance::Cosine);
        let element = self.element.unwrap_or(Element::F32);
        let params = |dim, distance, element, multi| {
            let params = VectorParams::new(dim, distance).element(element);
            if multi {
                params.multivector(MultiVectorComparator::MaxSim)
            } else {
                params
            }
        };
        let mut config = CollectionConfig::default().hnsw(HnswConfig {
            m: self.m,
            ef_construct: self.ef_construct,
            ..HnswConfig::default()
        });
        if let Some(codes) = self.quantization.filter(|codes| *codes != Quantization::Auto) {
            config = config.quantization(QuantizationConfig::Codes(codes));
        }
        if let Some(dim) = self.dim {
            config = config.vector("", params(dim, distance, element, self.multi));
        }
        for vector in &self.vectors {
            let distance = vector.distance.unwrap_or(distance);
            let element = vector.element.unwrap_or(element);
            config = config.vector(&vector.name, params(vector.dim, distance, element, vector.multi));
        }
        for (name, params) in &self.sparse_vectors {
            config = config.sparse_vector(name, *params);
        }
        if let Some(set) = &self.set {
            config.update(set)?;
        }
        config.ttl = self.ttl.as_ref().map(Ttl::new);
        Ok(config)
    }
}

pub(crate) fn run(args: &Args, out: &mut Out) -> Outcome {
    args.check()?;
    let home = Home::at(&args.db);
    if args.collection.is_none() && !home.is_new() && open::database(&args.db).is_ok() {
        return Err(Failure::failed(format!(
            "{}: there is a database already",
            args.db.display()
        )));
    }
    home.with(open::builder(), |db| {
        if let Some(name) = &args.collection {
            db.create_collection(name, args.config()?)?;
        }
        Ok(())
    })?;
    let answer = json!({"database": args.db.display().to_string(), "collection": args.collection});
    out.answer(&answer, || match &args.collection {
        Some(name) => format!("created the collection {name} in {}", args.db.display()),
        None => format!("created the database {}", args.db.display()),
    })
}
