//! Payload indexes, both ways: the client's `payload_schema`.
//!
//! Every version of the client loads a kind of index and how texts become tokens, as far as its oldest classes say it. What came
//! later says what an index is for or where it lies, or has classes that older clients lack; it is read, and not written.

use serde_json::{Map, Value as Json};
use vdb::{PayloadIndexKind, PayloadIndexParams};

use super::models::{Field, Model};

/// Options of texts that are written.
const NUMBERS: [&str; 2] = ["min_token_len", "max_token_len"];
const SWITCHES: [&str; 3] = ["lowercase", "ascii_folding", "phrase_matching"];
const TOKENIZER: &str = "tokenizer";
/// The tokenizers of every client.
const TOKENIZERS: [&str; 4] = ["prefix", "whitespace", "word", "multilingual"];
const TYPE: &str = "type";

/// Options of an index as JSON, none where only its kind was said.
fn options(params: &PayloadIndexParams) -> Map<String, Json> {
    if let Json::Object(options) = params.to_json() {
        options
    } else {
        Map::new()
    }
}

/// Whether an option is written.
fn is_written(kind: PayloadIndexKind, option: &str, value: &Json) -> bool {
    let has_place = NUMBERS.contains(&option)
        || SWITCHES.contains(&option)
        || option == TOKENIZER && value.as_str().is_some_and(|name| TOKENIZERS.contains(&name));
    option == TYPE || kind == PayloadIndexKind::Text && has_place
}

/// Whether the oldest client has the kind.
fn has_kind(kind: PayloadIndexKind) -> bool {
    kind != PayloadIndexKind::Uuid
}

/// What is not written of indexes, each with its path.
pub(super) fn unsaid(indexes: &[(String, PayloadIndexParams)]) -> Vec<String> {
    let mut unsaid = Vec::new();
    for (path, params) in indexes {
        let kind = params.kind;
        if !has_kind(kind) {
            unsaid.push(format!(
                "the payload index {path:?} of kind {} is not in the backup",
                kind.name()
            ));
            continue;
        }
        let options = options(params);
        let lost = options
            .iter()
            .filter(|(name, value)| !is_written(kind, name, value));
        unsaid.extend(
            lost.map(|(name, _)| format!("{name} of the payload index {path:?} is not in the backup")),
        );
    }
    unsaid
}

/// `payload_schema`, with how many points an index has taken for all of them.
pub(super) fn schema(indexes: &[(String, PayloadIndexParams)], points: u64) -> Field {
    let written = indexes.iter().filter(|(_, params)| has_kind(params.kind));
    let info = |(path, params): &(String, PayloadIndexParams)| {
        let fields = vec![
            (
                "data_type",
                Field::Member("PayloadSchemaType", params.kind.name()),
            ),
            ("params", of_texts(params)),
            ("points", Field::Number(points)),
        ];
        (path.clone(), Model::new("PayloadIndexInfo", fields))
    };
    Field::Models(written.map(info).collect())
}

/// How texts become tokens, where that was said.
fn of_texts(params: &PayloadIndexParams) -> Field {
    let options = options(params);
    let said = |name: &str| {
        options
            .get(name)
            .filter(|value| is_written(params.kind, name, value))
    };
    let names = NUMBERS.iter().chain(&SWITCHES).chain(&[TOKENIZER]);
    if names.clone().all(|name| said(name).is_none()) {
        return Field::None;
    }
    let tokenizer = said(TOKENIZER).and_then(Json::as_str);
    let tokenizer = TOKENIZERS.into_iter().find(|known| Some(*known) == tokenizer);
    let mut fields = vec![
        (TYPE, Field::Member("TextIndexType", params.kind.name())),
        (
            TOKENIZER,
            tokenizer.map_or(Field::None, |name| Field::Member("TokenizerType", name)),
        ),
    ];
    let number = |name| {
        said(name)
            .and_then(Json::as_u64)
            .map_or(Field::None, Field::Number)
    };
    let switch = |name| {
        said(name)
            .and_then(Json::as_bool)
            .map_or(Field::None, Field::Bool)
    };
    fields.extend(NUMBERS.map(|name| (name, number(name))));
    fields.extend(SWITCHES.map(|name| (name, switch(name))));
    for unset in [
        "stopwords",
        "on_disk",
        "memory",
        "stemmer",
        "enable_hnsw",
        "scoring",
        "nested",
    ] {
        fields.push((unset, Field::None));
    }
    Field::Model(Model::new("TextIndexParams", fields))
}

/// Reads what `payload_schema` says of one index. What of it is not kept goes to `unkept`.
///
/// # Errors
/// Why there cannot be such an index.
pub(super) fn read(info: &Json, unkept: &mut Vec<String>) -> Result<PayloadIndexParams, String> {
    let kind = info.get("data_type").unwrap_or(&Json::Null);
    let plain = PayloadIndexParams::from_json(kind).map_err(|error| error.to_string())?;
    let Some(Json::Object(params)) = info.get("params") else {
        return Ok(plain);
    };
    let mut said = Map::from_iter([(TYPE.to_owned(), kind.clone())]);
    for (option, value) in params
        .iter()
        .filter(|(option, value)| *option != TYPE && !value.is_null())
    {
        if PayloadIndexParams::knows(plain.kind, option) {
            said.insert(option.clone(), value.clone());
        } else {
            unkept.push(option.clone());
        }
    }
    if said.len() == 1 {
        return Ok(plain);
    }
    PayloadIndexParams::from_json(&Json::Object(said)).map_err(|error| error.to_string())
}
