//! Values that every row which matches has.

use serde_json::json;
use vdb_index::postings::Kind;

use super::Segment;
use crate::filter::fixture::NoTexts;
use crate::filter::plan::required;
use crate::filter::{CompiledFilter, Condition, Filter};

#[test]
fn values_that_every_match_has_are_those_of_conditions_that_must_hold() {
    let payloads = [
        json!({"word": "owl", "n": 1, "flag": true, "a": [{"b": "x"}, {"b": "y"}]}),
        json!({"word": "wren", "n": 2.5, "flag": 3}),
    ];
    let kinds = [
        ("word", Kind::Keyword),
        ("n", Kind::Integer),
        ("flag", Kind::Bool),
        ("a[].b", Kind::Keyword),
    ];
    let segment = Segment::new(&payloads, &kinds);
    let of = |filter: &Filter| -> Vec<(String, bool)> {
        let compiled = CompiledFilter::new(filter, &NoTexts).unwrap();
        let found = required(&compiled, &segment).unwrap();
        found
            .iter()
            .map(|found| (found.path.to_owned(), found.is_all))
            .collect()
    };
    let owl = || Condition::matches("word", "owl");
    let one = |path: &str, is_all| vec![(path.to_owned(), is_all)];
    assert_eq!(of(&Filter::must([owl()])), one("word", true));
    assert_eq!(of(&Filter::must([Condition::matches("n", 1)])), one("n", true));
    assert_eq!(
        of(&Filter::must([Condition::matches("flag", true)])),
        one("flag", true)
    );
    assert_eq!(
        of(&Filter::must([Condition::from(Filter::must([owl()]))])),
        one("word", true)
    );
    assert_eq!(
        of(&Filter::must([owl(), Condition::matches("n", 1)])),
        [("word".to_owned(), false), ("n".to_owned(), false)]
    );
    for filter in [
        Filter::must([owl()]).and_should([Condition::matches("n", 1)]),
        Filter::must([owl()]).and_must_not([Condition::matches("n", 1)]),
        Filter::must([owl(), Condition::matches("other", 1)]),
    ] {
        assert_eq!(of(&filter), one("word", false), "{filter:?}");
    }
    let nested = |conditions: Vec<Condition>| Condition::nested("a", Filter::must(conditions));
    let b = |value| Condition::matches("b", value);
    assert_eq!(of(&Filter::must([nested(vec![b("x")])])), one("a[].b", true));
    assert_eq!(
        of(&Filter::must([nested(vec![b("x"), b("y")])])),
        [("a[].b".to_owned(), false), ("a[].b".to_owned(), false)]
    );
    for filter in [
        Filter::should([owl()]),
        Filter::must_not([owl()]),
        Filter::must([Condition::range("n", 1.0..=1.0)]),
        Filter::must([Condition::matches("n", "owl")]),
        Filter::must([Condition::matches_any("word", vec!["owl", "wren"])]),
        Filter::must([Condition::matches_except("word", vec!["owl"])]),
        Filter::must([Condition::is_empty("word")]),
    ] {
        assert_eq!(of(&filter), [], "{filter:?}");
    }
}
