use super::*;

fn refused(config: &AnalyzerConfig) -> String {
    config.check().unwrap_err().to_string()
}

#[test]
fn names_are_read_as_they_are_written() {
    for tokenizer in Tokenizer::ALL {
        assert_eq!(tokenizer.to_string().parse(), Ok(tokenizer));
    }
    for language in Language::ALL {
        assert_eq!(language.to_string().parse(), Ok(language));
    }
    assert!(
        Language::ALL
            .windows(2)
            .all(|pair| pair[0].name() < pair[1].name())
    );
}

#[test]
fn a_wrong_name_is_told_the_right_ones() {
    assert_eq!(
        "ngram".parse::<Tokenizer>().unwrap_err().to_string(),
        "\"ngram\" is no tokenizer; known are word, whitespace, prefix, multilingual"
    );
    let text = "klingon"
        .repeat(1000)
        .parse::<Language>()
        .unwrap_err()
        .to_string();
    assert!(
        text.len() < 500 && text.contains("is no language; known are arabic, armenian, "),
        "{text}"
    );
}

#[test]
fn lengths_that_leave_nothing_are_refused() {
    let with = |tokenizer, min_token_len, max_token_len| AnalyzerConfig {
        tokenizer,
        min_token_len,
        max_token_len,
        ..Default::default()
    };
    for sound in [
        with(Tokenizer::Word, None, None),
        with(Tokenizer::Word, Some(0), Some(1)),
        with(Tokenizer::Word, Some(3), Some(3)),
        with(Tokenizer::Word, Some(usize::MAX), Some(usize::MAX)),
        with(Tokenizer::Prefix, Some(MAX_PREFIX_LEN), Some(usize::MAX)),
    ] {
        assert_eq!(sound.check(), Ok(()));
    }
    assert!(refused(&with(Tokenizer::Word, None, Some(0))).starts_with("max_token_len is 0: "));
    assert!(refused(&with(Tokenizer::Word, Some(5), Some(4))).starts_with("min_token_len is 5: it is above"));
    let text = refused(&with(Tokenizer::Prefix, Some(MAX_PREFIX_LEN + 1), None));
    assert!(text.contains(&MAX_PREFIX_LEN.to_string()), "{text}");
}

#[test]
fn stop_words_are_bounded() {
    let with = |custom| AnalyzerConfig {
        stopwords: Stopwords {
            custom,
            ..Default::default()
        },
        ..Default::default()
    };
    assert_eq!(with(vec!["a".to_owned(); MAX_STOPWORDS]).check(), Ok(()));
    assert_eq!(
        refused(&with(vec!["a".to_owned(); MAX_STOPWORDS + 1])),
        "custom stop words: at most 65536, not 65537"
    );
    assert_eq!(
        refused(&with(vec!["a".repeat(MAX_STOPWORD_BYTES), "b".to_owned()])),
        "bytes of custom stop words: at most 1048576, not 1048577"
    );
}

#[test]
fn a_language_brings_what_it_has() {
    let english = AnalyzerConfig::for_language(Language::English);
    assert_eq!(english.stopwords, Language::English.into());
    assert_eq!(english.stemmer, Some(Language::English));
    assert_eq!(AnalyzerConfig::for_language(Language::Chinese).stemmer, None);
    let armenian = AnalyzerConfig::for_language(Language::Armenian);
    assert_eq!(armenian.stopwords, Stopwords::default());
    assert_eq!(armenian.stemmer, Some(Language::Armenian));
}
