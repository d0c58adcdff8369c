//! Payload indexes. Between message and engine stands the JSON of the REST interface, whose names the options share, so that
//! the engine alone knows which kind has which option.

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::payload_index_params::IndexParams;
use qdrant_client::qdrant::stemming_algorithm::StemmingParams;
use serde_json::{Map, Value, json};
use vdb::PayloadIndexParams;

use super::rejection::{Rejection, Result, variant};
use crate::service::IndexDescription;

/// The index that is asked for: by the name of a kind, or with options.
pub(crate) fn read(
    kind: Option<i32>,
    params: Option<proto::PayloadIndexParams>,
) -> Result<PayloadIndexParams> {
    let named = kind
        .map(|code| variant("field_type", code))
        .transpose()?
        .map(kind_name);
    let params = params.and_then(|params| params.index_params);
    let json = match (named, params) {
        (None, None) => {
            return Err(Rejection::invalid(
                "field_type",
                "is required: say which kind of index it is",
            ));
        }
        (Some(name), None) => name.into(),
        (named, Some(params)) => {
            let (name, options) = options(params)?;
            if named.is_some_and(|named| named != name) {
                let problem = format_args!("the parameters are those of an index of the kind {name}");
                return Err(Rejection::invalid("field_type", problem));
            }
            let mut map = Map::from_iter([("type".to_owned(), name.into())]);
            map.extend(
                options
                    .into_iter()
                    .filter_map(|(key, value)| Some((key.to_owned(), value?))),
            );
            Value::Object(map)
        }
    };
    PayloadIndexParams::from_json(&json).map_err(|error| Rejection::invalid("field_index_params", error))
}

fn kind_name(kind: proto::FieldType) -> &'static str {
    match kind {
        proto::FieldType::Keyword => "keyword",
        proto::FieldType::Integer => "integer",
        proto::FieldType::Float => "float",
        proto::FieldType::Geo => "geo",
        proto::FieldType::Text => "text",
        proto::FieldType::Bool => "bool",
        proto::FieldType::Datetime => "datetime",
        proto::FieldType::Uuid => "uuid",
    }
}

type Options = Vec<(&'static str, Option<Value>)>;

/// The options that every kind has.
fn common(
    on_disk: Option<bool>,
    enable_hnsw: Option<bool>,
    memory: Option<i32>,
    nested: Option<String>,
) -> Result<Options> {
    if nested.is_some() {
        return Err(Rejection::unimplemented(
            "nested",
            "elements of arrays are not indexed on their own; index the path with [] in it",
        ));
    }
    let memory = memory.map(|code| variant("memory", code)).transpose()?;
    let memory = memory.and_then(|memory| match memory {
        proto::Memory::Unknown => None,
        proto::Memory::Cold => Some("cold"),
        proto::Memory::Cached => Some("cached"),
        proto::Memory::Pinned => Some("pinned"),
    });
    Ok(vec![
        ("on_disk", on_disk.map(Value::from)),
        ("enable_hnsw", enable_hnsw.map(Value::from)),
        ("memory", memory.map(Value::from)),
    ])
}

#[expect(deprecated, reason = "clients still send `on_disk`")]
fn options(params: IndexParams) -> Result<(&'static str, Options)> {
    let (name, shared, own): (_, _, Options) = match params {
        IndexParams::KeywordIndexParams(of) => (
            "keyword",
            common(of.on_disk, of.enable_hnsw, of.memory, of.nested)?,
            vec![
                ("is_tenant", of.is_tenant.map(Value::from)),
                (
                    "prefix",
                    of.prefix.map(|proto::KeywordPrefixParams {}| true.into()),
                ),
            ],
        ),
        IndexParams::IntegerIndexParams(of) => (
            "integer",
            common(of.on_disk, of.enable_hnsw, of.memory, of.nested)?,
            vec![
                ("lookup", of.lookup.map(Value::from)),
                ("range", of.range.map(Value::from)),
                ("is_principal", of.is_principal.map(Value::from)),
            ],
        ),
        IndexParams::FloatIndexParams(of) => (
            "float",
            common(of.on_disk, of.enable_hnsw, of.memory, of.nested)?,
            vec![("is_principal", of.is_principal.map(Value::from))],
        ),
        IndexParams::DatetimeIndexParams(of) => (
            "datetime",
            common(of.on_disk, of.enable_hnsw, of.memory, of.nested)?,
            vec![("is_principal", of.is_principal.map(Value::from))],
        ),
        IndexParams::UuidIndexParams(of) => (
            "uuid",
            common(of.on_disk, of.enable_hnsw, of.memory, of.nested)?,
            vec![("is_tenant", of.is_tenant.map(Value::from))],
        ),
        IndexParams::GeoIndexParams(of) => (
            "geo",
            common(of.on_disk, of.enable_hnsw, of.memory, of.nested)?,
            Vec::new(),
        ),
        IndexParams::BoolIndexParams(of) => (
            "bool",
            common(of.on_disk, of.enable_hnsw, of.memory, of.nested)?,
            Vec::new(),
        ),
        IndexParams::TextIndexParams(of) => {
            let shared = common(of.on_disk, of.enable_hnsw, of.memory, of.nested.clone())?;
            ("text", shared, text(of)?)
        }
    };
    Ok((name, shared.into_iter().chain(own).collect()))
}

fn text(of: proto::TextIndexParams) -> Result<Options> {
    // Every text index can be scored, so that it asks for nothing.
    if let Some(scoring) = of.scoring {
        let proto::TextScoringType::Bm25 = variant("scoring.type", scoring.r#type)?;
    }
    let tokenizer = match variant("tokenizer", of.tokenizer)? {
        proto::TokenizerType::Unknown => None,
        proto::TokenizerType::Prefix => Some("prefix"),
        proto::TokenizerType::Whitespace => Some("whitespace"),
        proto::TokenizerType::Word => Some("word"),
        proto::TokenizerType::Multilingual => Some("multilingual"),
        proto::TokenizerType::Code => {
            let problem = "there are word, whitespace, prefix and multilingual";
            return Err(Rejection::unimplemented("tokenizer", problem));
        }
    };
    let stemmer = of
        .stemmer
        .and_then(|stemmer| stemmer.stemming_params)
        .map(|params| match params {
            StemmingParams::Snowball(of) => json!({"type": "snowball", "language": of.language}),
            StemmingParams::Disabled(proto::DisabledStemmer {}) => json!({"type": "none"}),
        });
    let stopwords = of
        .stopwords
        .map(|set| json!({"languages": set.languages, "custom": set.custom}));
    Ok(vec![
        ("tokenizer", tokenizer.map(Value::from)),
        ("lowercase", of.lowercase.map(Value::from)),
        ("ascii_folding", of.ascii_folding.map(Value::from)),
        ("min_token_len", of.min_token_len.map(Value::from)),
        ("max_token_len", of.max_token_len.map(Value::from)),
        ("phrase_matching", of.phrase_matching.map(Value::from)),
        ("stopwords", stopwords),
        ("stemmer", stemmer),
    ])
}

/// The message of an index.
pub(crate) fn to_proto(index: IndexDescription) -> proto::PayloadSchemaInfo {
    let kind = match index.data_type.as_str() {
        "keyword" => proto::PayloadSchemaType::Keyword,
        "integer" => proto::PayloadSchemaType::Integer,
        "float" => proto::PayloadSchemaType::Float,
        "geo" => proto::PayloadSchemaType::Geo,
        "text" => proto::PayloadSchemaType::Text,
        "bool" => proto::PayloadSchemaType::Bool,
        "datetime" => proto::PayloadSchemaType::Datetime,
        "uuid" => proto::PayloadSchemaType::Uuid,
        _ => proto::PayloadSchemaType::UnknownType,
    };
    let options = index.params.and_then(|params| match params {
        Value::Object(map) => Some(map),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    });
    proto::PayloadSchemaInfo {
        data_type: kind.into(),
        params: options.map(|options| proto::PayloadIndexParams {
            index_params: params_to_proto(kind, &Told(options)),
        }),
        points: Some(index.points),
    }
}

/// Options as they were given.
struct Told(Map<String, Value>);

impl Told {
    fn truth(&self, name: &str) -> Option<bool> {
        self.0.get(name)?.as_bool()
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    fn memory(&self) -> Option<i32> {
        let memory = match self.text("memory")? {
            "cold" => proto::Memory::Cold,
            "cached" => proto::Memory::Cached,
            "pinned" => proto::Memory::Pinned,
            _ => return None,
        };
        Some(memory.into())
    }
}

#[expect(deprecated, reason = "it is told as it was sent")]
fn params_to_proto(kind: proto::PayloadSchemaType, told: &Told) -> Option<IndexParams> {
    use proto::PayloadSchemaType as Kind;
    let (on_disk, enable_hnsw) = (told.truth("on_disk"), told.truth("enable_hnsw"));
    let (memory, nested) = (told.memory(), None);
    let (is_tenant, is_principal) = (told.truth("is_tenant"), told.truth("is_principal"));
    Some(match kind {
        Kind::UnknownType => return None,
        Kind::Keyword => IndexParams::KeywordIndexParams(proto::KeywordIndexParams {
            is_tenant,
            on_disk,
            enable_hnsw,
            prefix: told
                .truth("prefix")
                .filter(|&on| on)
                .map(|_| proto::KeywordPrefixParams {}),
            memory,
            nested,
        }),
        Kind::Integer => IndexParams::IntegerIndexParams(proto::IntegerIndexParams {
            lookup: told.truth("lookup"),
            range: told.truth("range"),
            is_principal,
            on_disk,
            enable_hnsw,
            memory,
            nested,
        }),
        Kind::Float => IndexParams::FloatIndexParams(proto::FloatIndexParams {
            on_disk,
            is_principal,
            enable_hnsw,
            memory,
            nested,
        }),
        Kind::Geo => IndexParams::GeoIndexParams(proto::GeoIndexParams {
            on_disk,
            enable_hnsw,
            memory,
            nested,
        }),
        Kind::Bool => IndexParams::BoolIndexParams(proto::BoolIndexParams {
            on_disk,
            enable_hnsw,
            memory,
            nested,
        }),
        Kind::Datetime => IndexParams::DatetimeIndexParams(proto::DatetimeIndexParams {
            on_disk,
            is_principal,
            enable_hnsw,
            memory,
            nested,
        }),
        Kind::Uuid => IndexParams::UuidIndexParams(proto::UuidIndexParams {
            is_tenant,
            on_disk,
            enable_hnsw,
            memory,
            nested,
        }),
        Kind::Text => IndexParams::TextIndexParams(proto::TextIndexParams {
            tokenizer: tokenizer_to_proto(told.text("tokenizer")).into(),
            lowercase: told.truth("lowercase"),
            min_token_len: told.number("min_token_len"),
            max_token_len: told.number("max_token_len"),
            on_disk,
            stopwords: told.0.get("stopwords").map(stopwords_to_proto),
            phrase_matching: told.truth("phrase_matching"),
            stemmer: told.0.get("stemmer").map(stemmer_to_proto),
            ascii_folding: told.truth("ascii_folding"),
            enable_hnsw,
            memory,
            scoring: Some(proto::TextScoringParams {
                r#type: proto::TextScoringType::Bm25.into(),
            }),
            nested,
        }),
    })
}

fn tokenizer_to_proto(name: Option<&str>) -> proto::TokenizerType {
    match name {
        Some("prefix") => proto::TokenizerType::Prefix,
        Some("whitespace") => proto::TokenizerType::Whitespace,
        Some("multilingual") => proto::TokenizerType::Multilingual,
        // What it is where nobody says.
        Some(_) | None => proto::TokenizerType::Word,
    }
}

/// Stop words: the name of a language, or lists of names and of words.
fn stopwords_to_proto(value: &Value) -> proto::StopwordsSet {
    let texts = |value: Option<&Value>| -> Vec<String> {
        let list = value.and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    match value.as_str() {
        Some(language) => proto::StopwordsSet {
            languages: vec![language.to_owned()],
            custom: Vec::new(),
        },
        None => proto::StopwordsSet {
            languages: texts(value.get("languages")),
            custom: texts(value.get("custom")),
        },
    }
}

fn stemmer_to_proto(value: &Value) -> proto::StemmingAlgorithm {
    let language = value.get("language").and_then(Value::as_str);
    let params = match language {
        Some(language) => StemmingParams::Snowball(proto::SnowballParams {
            language: language.to_owned(),
        }),
        None => StemmingParams::Disabled(proto::DisabledStemmer {}),
    };
    proto::StemmingAlgorithm {
        stemming_params: Some(params),
    }
}

#[cfg(test)]
mod tests;
