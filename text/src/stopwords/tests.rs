use super::*;

const AS_IS: Normalizer = Normalizer {
    lowercase: false,
    folding: false,
    is_cut: false,
};
const BOTH: Normalizer = Normalizer {
    lowercase: true,
    folding: true,
    is_cut: false,
};

#[test]
fn every_language_but_one_has_a_list() {
    for language in Language::ALL {
        let words = language.stopwords();
        assert_eq!(words.is_none(), language == Language::Armenian, "{language}");
        assert!(words.is_none_or(|words| words.len() > 40), "{language}");
    }
}

#[test]
fn lists_are_those_of_their_language() {
    for (language, word) in [
        (Language::English, "the"),
        (Language::German, "und"),
        (Language::French, "avec"),
        (Language::Russian, "чтобы"),
        (Language::Chinese, "一下"),
        (Language::Japanese, "の"),
        (Language::Hinglish, "aap"),
        (Language::Slovene, "ali"),
        (Language::Turkish, "ama"),
        (Language::Norwegian, "ikke"),
        (Language::Portuguese, "não"),
    ] {
        assert!(
            language.stopwords().unwrap().contains(&word),
            "{language}: {word}"
        );
    }
}

#[test]
fn words_are_compared_in_the_form_of_tokens() {
    let custom = ["Déjà", "acme"];
    let plain = StopwordSet::new([], custom, AS_IS).unwrap();
    assert!(plain.contains("Déjà") && plain.contains("acme"));
    assert!(!plain.contains("deja"));
    let normal = StopwordSet::new([], custom, BOTH).unwrap();
    assert!(normal.contains("deja"));
    assert!(!normal.contains("Déjà"));
}

#[test]
fn lists_and_own_words_add_up() {
    let languages = [Language::English, Language::German];
    let set = StopwordSet::new(languages, ["acme"], BOTH).unwrap();
    for word in ["the", "und", "acme", "fur"] {
        assert!(set.contains(word), "{word}");
    }
    assert!(!set.contains("vector"));
}

#[test]
fn the_list_of_a_language_is_made_once() {
    let set = |normalizer| StopwordSet::new([Language::French, Language::German], [], normalizer).unwrap();
    let (one, other, folded) = (set(AS_IS), set(AS_IS), set(BOTH));
    for (at, list) in one.lists.iter().enumerate() {
        assert!(std::ptr::eq(*list, other.lists[at]));
        assert!(!std::ptr::eq(*list, folded.lists[at]));
    }
    assert!(one.contains("été") && !one.contains("ete") && folded.contains("ete"));
}

#[test]
fn every_language_has_its_own_list() {
    for (place, language) in Language::ALL.into_iter().enumerate() {
        assert_eq!(place, language as usize, "{language}");
    }
}

#[test]
fn a_language_without_a_list_is_an_error() {
    let error = StopwordSet::new([Language::Armenian], [], BOTH).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("stopwords is armenian: there is no list of stop words for it"),
        "{text}"
    );
    assert!(text.contains("english") && !text.contains("armenian,"), "{text}");
}
