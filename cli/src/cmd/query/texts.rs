//! Searches by what texts say, alone or together with a vector.

use vdb::bm25::{Bm25, Options};
use vdb::text::Language;
use vdb::{Collection, Fusion, PayloadIndexKind, Prefetch, Query, QueryRequest, SparseVector};

use super::Args;
use crate::failure::{Failure, Outcome};
use crate::parse;

/// How many times as many points as asked for both searches give to be fused, at least...
const CANDIDATES: usize = 4;
/// ...and so many.
const LEAST_CANDIDATES: usize = 50;

/// The options that say what texts are looked for.
#[derive(Debug, clap::Args)]
pub(super) struct Texts {
    /// Search by what texts say: the points with the words of this text, the rarest words counting most. With --vector, --id or
    /// --match as well, points that are near and points whose texts fit are found and fused by their ranks
    #[arg(long, value_name = "TEXT", conflicts_with = "vectors")]
    pub(super) text: Option<String>,

    /// The same over sparse vectors that BM25 made of texts, whose modifier should be idf: no index of payloads is needed
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["vectors", "text"])]
    pub(super) bm25: Option<String>,

    /// The field of --text or the sparse vector of --bm25, unless there is but one
    #[arg(long, value_name = "NAME", conflicts_with = "vectors")]
    field: Option<String>,

    /// Whose stop words and stems --bm25 goes by; none for words as they are [default: english]
    #[arg(long, value_name = "LANGUAGE", requires = "bm25", value_parser = language)]
    language: Option<Spoken>,
}

/// A language, or none.
#[derive(Clone, Copy, Debug)]
struct Spoken(Option<Language>);

fn language(name: &str) -> Result<Spoken, String> {
    if name == "none" {
        return Ok(Spoken(None));
    }
    parse::language(name).map(|language| Spoken(Some(language)))
}

impl Texts {
    /// Whether there are any to look for.
    pub(super) fn is_given(&self) -> bool {
        self.text.is_some() || self.bm25.is_some()
    }

    /// Refuses a field that would be of no effect.
    pub(super) fn check(&self) -> Outcome {
        if self.field.is_some() && !self.is_given() {
            return Err(Failure::usage(
                "--field is for --text and --bm25: add one, or name a vector with --using",
            ));
        }
        Ok(())
    }

    /// What is asked, and the name it is asked of. `using` is that of the whole query, if it is about texts alone.
    fn query(&self, collection: &Collection, using: &str) -> Outcome<(Query, String)> {
        let named = self
            .field
            .as_deref()
            .or(Some(using))
            .filter(|name| !name.is_empty());
        let Some(text) = &self.bm25 else {
            let text = self.text.clone().unwrap_or_default();
            return Ok((
                Query::text(text),
                named.map_or_else(|| text_field(collection), |name| Ok(name.to_owned()))?,
            ));
        };
        let options = match self.language {
            Some(Spoken(language)) => Options {
                language,
                ..Options::default()
            },
            None => Options::default(),
        };
        let tokens = Bm25::new(&options)?.query(text);
        let vector = SparseVector::new(tokens.indices, tokens.values);
        let name = named.map_or_else(|| sparse_vector(collection), |name| Ok(name.to_owned()))?;
        Ok((Query::nearest(vector), name))
    }

    /// A query by texts alone.
    pub(super) fn alone(&self, args: &Args, collection: &Collection) -> Outcome<QueryRequest> {
        if args.ef.is_some() || args.exact {
            return Err(Failure::usage(
                "--ef and --exact are for searches by a vector: all texts are looked at anyway",
            ));
        }
        if self.field.is_some() && !args.using.is_empty() {
            return Err(Failure::usage(
                "--field and --using say the same without a vector: leave one out",
            ));
        }
        let (query, using) = self.query(collection, &args.using)?;
        Ok(QueryRequest {
            query: Some(query),
            using,
            ..args.request(Vec::<f32>::new()).into()
        })
    }

    /// A query by texts and by `near`, which is about a vector.
    pub(super) fn together(
        &self,
        args: &Args,
        collection: &Collection,
        near: Query,
    ) -> Outcome<QueryRequest> {
        let wanted = (args.limit + args.offset).saturating_mul(CANDIDATES);
        let candidates = wanted.clamp(LEAST_CANDIDATES, vdb::MAX_LIMIT);
        let whole: QueryRequest = args.request(Vec::<f32>::new()).into();
        let (query, field) = self.query(collection, "")?;
        let texts = Prefetch::new(query).using(field).limit(candidates);
        let near = Prefetch::new(near)
            .using(&args.using)
            .params(whole.params.clone())
            .limit(candidates);
        Ok(QueryRequest {
            query: Some(Query::Fusion(Fusion::rrf())),
            using: String::new(),
            params: vdb::QueryParams::default(),
            ..whole
        }
        .prefetch(near)
        .prefetch(texts))
    }
}

/// The one field with an index of texts.
fn text_field(collection: &Collection) -> Outcome<String> {
    let indexes = collection.info()?.payload_indexes.into_iter();
    let texts = indexes.filter(|(_, params)| params.kind == PayloadIndexKind::Text);
    let none = "--text needs an index of texts: `vdb index DB COLLECTION FIELD --kind text` makes one";
    only(texts.map(|(path, _)| path).collect(), none, "indexes of texts")
}

/// The one sparse vector.
fn sparse_vector(collection: &Collection) -> Outcome<String> {
    let vectors = collection.config().sparse_vectors.into_iter();
    let none = "--bm25 needs a sparse vector: `vdb create DB COLLECTION --sparse NAME:idf` makes a collection with one";
    only(vectors.map(|(name, _)| name).collect(), none, "sparse vectors")
}

fn only(mut names: Vec<String>, none: &str, what: &str) -> Outcome<String> {
    match names.as_slice() {
        [_] => Ok(names.remove(0)),
        [] => Err(Failure::failed(none)),
        several => Err(Failure::failed(format!(
            "there are several {what}; choose one with --field: {}",
            several.join(", ")
        ))),
    }
}
