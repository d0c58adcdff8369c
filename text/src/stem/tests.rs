use proptest::prelude::*;

use super::*;

#[test]
fn stems_are_those_of_the_language() {
    for (language, word, stem) in [
        (Language::English, "fruitlessly", "fruitless"),
        (Language::English, "running", "run"),
        (Language::German, "häuser", "haus"),
        (Language::French, "chantaient", "chant"),
        (Language::Spanish, "corriendo", "corr"),
        (Language::Italian, "abbandonata", "abbandon"),
        (Language::Russian, "бегущие", "бегущ"),
        (Language::Swedish, "flickorna", "flick"),
        (Language::Greek, "άνθρωποι", "ανθρωπ"),
        (Language::Armenian, "ուսանողներից", "ուսանող"),
    ] {
        assert_eq!(Stemmer::new(language).unwrap().stem(word), stem, "{language}");
    }
}

#[test]
fn nineteen_languages_have_a_stemmer() {
    assert_eq!(with_stemmer().count(), 19);
    let text = Stemmer::new(Language::Chinese).unwrap_err().to_string();
    assert!(
        text.starts_with("stemmer is chinese: there is no stemmer for it; there is one for arabic, "),
        "{text}"
    );
}

#[test]
fn the_words_that_once_were_trouble_have_stems() {
    let greek = Stemmer::new(Language::Greek).unwrap();
    assert!(!greek.stem("ισαισαν").is_empty());
}

#[test]
fn no_length_takes_long() {
    // English marks each y in turn, which copies the token: quadratic if it were done.
    let long = "y".repeat(4 << 20);
    let english = Stemmer::new(Language::English).unwrap();
    assert_eq!(english.stem(&long), long);
    assert_eq!(
        english.stem(&"y".repeat(MAX_STEMMED_BYTES)).len(),
        MAX_STEMMED_BYTES
    );
}

proptest! {
    #[test]
    fn any_token_has_a_stem(
        token in "(\\PC|[a-zA-Z'’yi]|ing|ed|ισα|αν|[α-ω]|[а-я]|[ա-և]|[஀-௿]|[ء-ي]|[çğıöşü]){0,24}",
    ) {
        for language in with_stemmer() {
            let stemmer = Stemmer::new(language).unwrap();
            prop_assert!(stemmer.stem(&token).len() <= 2 * token.len() + 8, "{}", language);
        }
    }
}
