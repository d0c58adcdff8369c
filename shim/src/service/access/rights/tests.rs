use vdb::{LookupFrom, Query, VectorInput};

use super::*;

fn rules() -> Access {
    let rule = |collection: &str, access| Rule {
        collection: collection.to_owned(),
        access,
    };
    Access::Collections(vec![
        rule("r", CollectionAccess::Read),
        rule("prw", CollectionAccess::WritePoints),
        rule("rw", CollectionAccess::Write),
        // The first one counts.
        rule("r", CollectionAccess::Write),
    ])
}

#[test]
fn rights_are_ordered() {
    let all = [Right::Read, Right::WritePoints, Right::Write, Right::Manage];
    let reach = |access: &Access, collection: &str| {
        let reached = all.map(|right| access.on(collection, right).is_ok());
        reached.iter().filter(|&&reached| reached).count()
    };
    for (collection, most) in [("r", 1), ("prw", 2), ("rw", 3), ("other", 0)] {
        assert_eq!(reach(&rules(), collection), most, "{collection}");
        assert_eq!(rules().sees(collection), most > 0, "{collection}");
    }
    assert_eq!(reach(&Access::Manage, "any"), 4);
    assert_eq!(reach(&Access::Read, "any"), 1);
    assert_eq!(reach(&Access::nothing(), "any"), 0);
    assert!(rules().everywhere(Right::Read).is_err());
    assert!(Access::Read.everywhere(Right::Read).is_ok());
    assert!(Access::Read.everywhere(Right::Write).is_err());
}

#[test]
fn who_may_not_is_told_what_is_missing() {
    let told =
        |access: &Access, collection: &str, right| access.on(collection, right).unwrap_err().to_string();
    assert_eq!(
        told(&rules(), "other", Right::Read),
        "Forbidden: Access to collection other is required"
    );
    assert_eq!(
        told(&rules(), "r", Right::WritePoints),
        "Forbidden: Write access to collection r is required"
    );
    assert_eq!(
        told(&rules(), "rw", Right::Manage),
        "Forbidden: Global access is required"
    );
    assert_eq!(
        told(&Access::Read, "r", Right::Write),
        "Forbidden: Global manage access is required"
    );
}

#[test]
fn collections_that_vectors_are_taken_from_must_be_readable_however_deep() {
    let from = |collection: &str| {
        Some(LookupFrom {
            collection: collection.to_owned(),
            vector: None,
        })
    };
    let query = || Query::Nearest(VectorInput::Id(1u64.into()));
    let mut request = QueryRequest::new(query());
    assert!(rules().lookups(&request).is_ok());
    request.lookup_from = from("rw");
    assert!(rules().lookups(&request).is_ok());
    let mut inner = Prefetch::new(query());
    inner.lookup_from = from("secret");
    let mut outer = Prefetch::new(query());
    outer.prefetch.push(inner);
    request.prefetch.push(outer);
    let refused = rules().lookups(&request).unwrap_err().to_string();
    assert!(refused.contains("secret"), "{refused}");
    assert!(Access::Read.lookups(&request).is_ok());
}
