//! Texts under any configuration: no panic, tokens in order, a text and each of its fields find it as queries,
//! and BM25 gives vectors that an index takes.
#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use vdb_fuzz::Input;
use vdb_text::{Analyzer, AnalyzerConfig, Bm25, Bm25Config, Language, Scratch, Stopwords, Tokenizer};

/// A configuration and what is left of the input; wrong ones, too.
fn config(input: &mut Input<'_>) -> AnalyzerConfig {
    let flags = input.byte();
    let flag = |bit: u8| flags >> bit & 1 == 1;
    let language = |byte: u8| Language::ALL[usize::from(byte) % Language::ALL.len()];
    let word = |length: u8, bytes: [u8; 8]| {
        String::from_utf8_lossy(&bytes[..usize::from(length % 9)]).into_owned()
    };
    AnalyzerConfig {
        tokenizer: Tokenizer::ALL[usize::from(flags & 3)],
        min_token_len: flag(2).then(|| usize::from(input.byte())),
        max_token_len: flag(3).then(|| usize::from(input.byte())),
        lowercase: flag(4),
        ascii_folding: flag(5),
        stopwords: match flag(6) {
            true => Stopwords {
                languages: [language(input.byte())].into(),
                custom: vec![word(input.byte(), input.long().to_le_bytes())],
            },
            false => Stopwords::default(),
        },
        stemmer: flag(7).then(|| language(input.byte())),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input(bytes);
    let analyzer_config = config(&mut input);
    let text = String::from_utf8_lossy(input.0);
    let analyzer = match Analyzer::new(&analyzer_config) {
        Ok(analyzer) => analyzer,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let mut scratch = Scratch::default();
    let mut found = BTreeSet::new();
    let mut last = 0;
    analyzer.for_each_document_token(&mut scratch, &text, |token| {
        assert!(!token.text.is_empty() && token.position >= last);
        last = token.position;
        found.insert((token.text.to_owned(), token.position));
    });
    last = 0;
    analyzer.for_each_query_token(&mut scratch, &text, |token| {
        assert!(token.position >= last);
        last = token.position;
        assert!(found.contains(&(token.text.to_owned(), token.position)), "{token:?}");
    });
    let words: BTreeSet<_> = found.into_iter().map(|(token, _)| token).collect();
    for field in text.split_whitespace() {
        analyzer.for_each_query_token(&mut scratch, field, |token| {
            assert!(words.contains(token.text), "{token:?} of {field:?}");
        });
    }

    let bm25 = Bm25::new(&Bm25Config {
        analyzer: analyzer_config,
        ..Default::default()
    });
    let bm25 = bm25.expect("the analyzer was made");
    let (document, query) = (bm25.document(&text), bm25.query(&text));
    assert!(document.indices.len() <= words.len() && document.indices.len() == document.values.len());
    assert!(document.indices.is_sorted_by(|a, b| a < b) && query.indices.is_sorted_by(|a, b| a < b));
    assert!(document.values.iter().all(|weight| weight.is_finite() && *weight > 0.0));
    assert!(query.values.iter().all(|&weight| weight == 1.0));
    assert!(query.indices.iter().all(|id| document.indices.binary_search(id).is_ok()));
});
