//! A query by text, checked and cut into tokens.

use std::sync::Arc;

use crate::error::{Error, Result, within};
use crate::filter::{PayloadPath, TextAnalysis};
use crate::limits::MAX_TEXT_TOKENS;
use crate::schema::Schema;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextQuery<'a> {
    /// The payload path, which has an index of texts.
    pub(crate) path: &'a str,
    pub(crate) text: &'a str,
    /// How much a token counts that is there again.
    pub(crate) k1: f64,
    /// How much a long text is held against a point.
    pub(crate) b: f64,
}

/// A query made ready.
pub(super) struct Prepared<'a> {
    pub(super) number: u16,
    pub(super) path: PayloadPath,
    pub(super) analysis: &'a Arc<TextAnalysis>,
    /// Different ones, ascending.
    pub(super) tokens: Vec<String>,
    pub(super) k1: f64,
    pub(super) b: f64,
}

pub(super) fn prepare<'a>(schema: &'a Schema, query: TextQuery<'_>) -> Result<Prepared<'a>> {
    let path = PayloadPath::parse(query.path)?;
    let text = path.to_string();
    let of_texts = || {
        schema
            .payload_indexes
            .iter()
            .filter_map(|index| Some((index, index.analysis.as_ref()?)))
    };
    let Some((index, analysis)) = of_texts().find(|(index, _)| index.path == text) else {
        let known: Vec<String> = of_texts().map(|(index, _)| format!("{:?}", index.path)).collect();
        return Err(Error::InvalidRequest(format!(
            "a query by text needs an index of the kind text on the payload path that `using` names: there is none on {text:?}; \
             indexes of texts: {}",
            if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            }
        )));
    };
    let tokens = analysis.query_tokens(query.text);
    within(
        "different tokens in a query by text",
        MAX_TEXT_TOKENS,
        tokens.len(),
    )?;
    Ok(Prepared {
        number: index.number,
        path,
        analysis,
        tokens,
        k1: query.k1,
        b: query.b,
    })
}
