use super::*;

fn chosen(options: &Options) -> Result<Vec<(String, String)>> {
    let names = ["birds", "fish", "trees"].map(str::to_owned);
    let aliases = BTreeMap::from([("animals".to_owned(), "birds".to_owned())]);
    Ok(choose(options, &names, &aliases)?.into_iter().collect())
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn all_are_meant_unless_somebody_says_which() {
    let all = Options::default();
    assert_eq!(
        chosen(&all).unwrap(),
        pairs(&[("birds", "birds"), ("fish", "fish"), ("trees", "trees")])
    );
    let some = Options {
        collections: strings(&["animals", "fish"]),
        exclude: strings(&["fish"]),
        ..Options::default()
    };
    assert_eq!(chosen(&some).unwrap(), pairs(&[("birds", "birds")]));
}

#[test]
fn names_change_by_hand_or_by_a_prefix() {
    let options = Options {
        rename: pairs(&[("birds", "aves")]),
        prefix: "new-".to_owned(),
        ..Options::default()
    };
    assert_eq!(
        chosen(&options).unwrap(),
        pairs(&[("birds", "aves"), ("fish", "new-fish"), ("trees", "new-trees")])
    );
}

#[test]
fn names_that_cannot_be_meant_are_refused() {
    let cases = [
        (
            Options {
                collections: strings(&["stones"]),
                ..Options::default()
            },
            "birds, fish, trees",
        ),
        (
            Options {
                exclude: strings(&["stones"]),
                ..Options::default()
            },
            "stones",
        ),
        (
            Options {
                rename: pairs(&[("birds", "fish")]),
                ..Options::default()
            },
            "both become fish",
        ),
        (
            Options {
                rename: pairs(&[("birds", "a"), ("animals", "b")]),
                ..Options::default()
            },
            "twice",
        ),
        (
            Options {
                exclude: strings(&["birds"]),
                rename: pairs(&[("birds", "a")]),
                ..Options::default()
            },
            "not migrated",
        ),
    ];
    for (options, expected) in cases {
        let told = chosen(&options).unwrap_err().to_string();
        assert!(told.contains(expected), "{told}");
    }
}
