//! Which tokens does a text have, and what is it worth in BM25?
//!
//! ```text
//! text -> split (pieces) -> normalize (case, fold) -> stopwords -> stem -> length -> tokens with positions
//!                                                                                \-> bm25: token -> id, count -> weight
//! ```
//!
//! [`Analyzer`] calls back with each token of a document or of a query; what is a token, an [`AnalyzerConfig`] says. Texts
//! are never wrong. [`Bm25`] makes sparse vectors of tokens. Everything is a pure function of configuration and text.
//!
//! ```
//! use vdb_text::{Analyzer, AnalyzerConfig, Bm25, Bm25Config, Language, Scratch, token_id};
//!
//! let analyzer = Analyzer::new(&AnalyzerConfig::for_language(Language::English))?;
//! let mut tokens = Vec::new();
//! analyzer.for_each_document_token(&mut Scratch::default(), "The quick foxes, jumping.", |token| {
//!     tokens.push(format!("{}@{}", token.text, token.position));
//! });
//! assert_eq!(tokens, ["quick@0", "fox@1", "jump@2"]);
//!
//! let bm25 = Bm25::new(&Bm25Config::default())?;
//! let (document, query) = (bm25.document("a fox, another fox"), bm25.query("foxes"));
//! assert_eq!(query.indices, [token_id("fox")]);
//! assert!(document.indices.contains(&query.indices[0]));
//! # Ok::<(), vdb_text::Error>(())
//! ```
//!
//! Files, bottom up; a module imports only from those above it:
//!
//! | file | what it holds |
//! |---|---|
//! | `error.rs` | the one error enum |
//! | `language.rs` | [`Language`] and its names |
//! | `fold.rs` | Latin letters to ASCII |
//! | `normalize.rs` | case and folding of one token |
//! | `stopwords.rs` | lists by language, and the set that tokens are looked up in |
//! | `stem.rs` | Snowball stemmers by language |
//! | `config.rs` | [`AnalyzerConfig`], [`Tokenizer`], [`Stopwords`], their limits |
//! | `split.rs` | words, fields, and runs of scripts without spaces |
//! | `analyzer.rs` | [`Analyzer`]: the steps in their order, prefixes, pairs of characters |
//! | `murmur3.rs` | the hash behind token ids |
//! | `bm25.rs` | [`Bm25`]: weights of documents and queries |
//!
//! Depends on no other crate of the workspace. Which libraries it stands on, and why, is in `docs/design.md`.

#![forbid(unsafe_code)]

mod error;
mod language;

mod fold;
mod normalize;

mod stem;
mod stopwords;

mod config;
mod split;

mod analyzer;

mod murmur3;

mod bm25;

pub use analyzer::{Analyzer, Scratch, Token};
pub use bm25::{Bm25, Bm25Config, TokenWeights, token_id};
pub use config::{AnalyzerConfig, MAX_PREFIX_LEN, MAX_STOPWORD_BYTES, MAX_STOPWORDS, Stopwords, Tokenizer};
pub use error::{Error, Result};
pub use language::Language;
pub use stem::MAX_STEMMED_BYTES;
