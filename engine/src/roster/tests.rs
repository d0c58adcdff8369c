use vdb_storage::manifest::{AliasRecord, Catalog, CollectionRecord};

use super::*;

#[test]
fn names_and_aliases_are_found_and_follow_the_catalog() {
    let name = |name: &str| name.to_owned();
    let mut catalog = Catalog {
        collections: vec![CollectionRecord {
            id: 3,
            name: name("words"),
        }],
        aliases: vec![AliasRecord {
            name: name("w"),
            collection_id: 3,
        }],
        ..Catalog::default()
    };
    let roster = Roster::new(&catalog);
    assert_eq!(
        (roster.find("words"), roster.find("w"), roster.find("x")),
        (Some(3), Some(3), None)
    );
    catalog.collections.push(CollectionRecord {
        id: 4,
        name: name("birds"),
    });
    catalog.aliases[0].collection_id = 4;
    assert_eq!(roster.find("birds"), None);
    roster.follow(&catalog);
    assert_eq!((roster.find("birds"), roster.find("w")), (Some(4), Some(4)));
}
