use super::*;

#[test]
fn a_catalog_grows_to_its_limits_and_one_beyond_them_may_shrink() {
    let with = |collections: usize, aliases: usize| {
        let mut catalog = Catalog::default();
        let collection = |id: u32| CollectionRecord {
            id,
            name: format!("c{id}"),
        };
        catalog.collections = (0..collections as u32).map(collection).collect();
        let alias = |number: usize| AliasRecord {
            name: format!("a{number}"),
            collection_id: 0,
        };
        catalog.aliases = (0..aliases).map(alias).collect();
        catalog
    };
    let full = with(MAX_COLLECTIONS, MAX_ALIASES);
    check_size(&with(0, 0), &full).unwrap();
    for (next, limit) in [
        (with(MAX_COLLECTIONS + 1, MAX_ALIASES), MAX_COLLECTIONS),
        (with(MAX_COLLECTIONS, MAX_ALIASES + 1), MAX_ALIASES),
    ] {
        let refused = check_size(&full, &next);
        assert!(
            matches!(refused, Err(Error::Limit { limit: told, found, .. }) if told == limit && found == limit + 1),
            "{refused:?}"
        );
        check_size(&with(MAX_COLLECTIONS + 2, MAX_ALIASES + 2), &next).unwrap();
    }
}
