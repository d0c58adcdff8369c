//! Everything a database holds, read back through its public interface.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use vdb::{
    Collection, CollectionConfig, Database, NamedVectorParams, PayloadIndexKind, PointId, Result,
    ScrollRequest, Select,
};

use super::collection::{OracleCollection, OraclePoint};
use super::database::OracleDatabase;

/// Everything in a collection.
#[derive(Clone, Debug, PartialEq)]
pub struct CollectionDump {
    /// Points by id.
    pub points: BTreeMap<PointId, OraclePoint>,
    /// Named vectors.
    pub vectors: BTreeMap<String, NamedVectorParams>,
    /// Payload indexes.
    pub indexes: BTreeMap<String, PayloadIndexKind>,
    /// As they are told.
    pub settings: Map<String, Value>,
}

/// Everything in a database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dump {
    /// Collections by name.
    pub collections: BTreeMap<String, CollectionDump>,
    /// Collections' names by alias.
    pub aliases: BTreeMap<String, String>,
}

fn named(config: &CollectionConfig) -> BTreeMap<String, NamedVectorParams> {
    let dense = config.vectors.iter();
    let dense = dense.map(|(name, params)| (name.clone(), params.clone().into()));
    let sparse = config.sparse_vectors.iter();
    dense
        .chain(sparse.map(|(name, params)| (name.clone(), (*params).into())))
        .collect()
}

impl CollectionDump {
    /// Reads a collection, page by page.
    pub fn read(collection: &Collection) -> Result<CollectionDump> {
        let mut points = BTreeMap::new();
        let mut request = ScrollRequest::new().limit(37).select(Select::all());
        loop {
            let page = collection.scroll(&request)?;
            for record in page.points {
                let vectors = record.vectors.unwrap_or_default().0;
                let payload = record.payload.unwrap_or_default();
                let point = OraclePoint {
                    version: record.version,
                    payload,
                    vectors,
                };
                assert!(
                    points.insert(record.id, point).is_none(),
                    "{} came twice",
                    record.id
                );
            }
            match page.next_offset {
                Some(next) => request = request.offset(next),
                None => break,
            }
        }
        let info = collection.info()?;
        assert_eq!(
            (info.points, collection.count(None)?),
            (points.len() as u64, points.len() as u64)
        );
        Ok(CollectionDump {
            points,
            vectors: named(&info.config),
            indexes: info
                .payload_indexes
                .into_iter()
                .map(|(path, params)| (path, params.kind))
                .collect(),
            settings: info.config.settings_json(),
        })
    }
}

impl Dump {
    /// Reads a database.
    pub fn read(db: &Database) -> Result<Dump> {
        let one = |name: String| Ok((name.clone(), CollectionDump::read(&db.collection(&name)?)?));
        let collections = db.collections().into_iter().map(one).collect::<Result<_>>()?;
        Ok(Dump {
            collections,
            aliases: db.aliases().into_iter().collect(),
        })
    }

    /// What a database of this content should read as.
    pub fn expect(oracle: &OracleDatabase) -> Dump {
        let dump = |c: &OracleCollection| CollectionDump {
            points: c.points.clone(),
            vectors: named(&c.config),
            indexes: c.indexes.clone(),
            settings: c.config.settings_json(),
        };
        let collections = oracle
            .names
            .iter()
            .map(|(name, &n)| (name.clone(), dump(&oracle.collections[n])));
        let name_of = |n: usize| oracle.names.iter().find(|(_, m)| **m == n).unwrap().0.clone();
        let aliases = oracle
            .aliases
            .iter()
            .map(|(alias, &n)| (alias.clone(), name_of(n)));
        Dump {
            collections: collections.collect(),
            aliases: aliases.collect(),
        }
    }

    /// The first difference, for people.
    pub fn difference(&self, other: &Dump) -> Option<String> {
        if self.aliases != other.aliases {
            return Some(format!("aliases {:?} and {:?}", self.aliases, other.aliases));
        }
        if !self.collections.keys().eq(other.collections.keys()) {
            return Some(format!(
                "collections {:?} and {:?}",
                self.collections.keys(),
                other.collections.keys()
            ));
        }
        let pairs = self.collections.iter().zip(other.collections.values());
        for ((name, a), b) in pairs {
            if a.indexes != b.indexes {
                return Some(format!("{name}: indexes {:?} and {:?}", a.indexes, b.indexes));
            }
            if a.vectors != b.vectors {
                return Some(format!("{name}: vectors {:?} and {:?}", a.vectors, b.vectors));
            }
            if a.settings != b.settings {
                return Some(format!("{name}: settings {:?} and {:?}", a.settings, b.settings));
            }
            for id in a.points.keys().chain(b.points.keys()) {
                let (a, b) = (a.points.get(id), b.points.get(id));
                if a != b {
                    return Some(format!("{name}: point {id}: {a:?} and {b:?}"));
                }
            }
        }
        None
    }
}
