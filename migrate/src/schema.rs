//! What of a collection decides whether points fit: its vectors.

use std::collections::BTreeMap;
use std::fmt;

use qdrant_client::qdrant as proto;
use qdrant_client::qdrant::vectors_config::Config;

/// The vectors of a collection, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schema(pub(crate) BTreeMap<String, Kind>);

/// What the vectors of a name are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Dense {
        size: u64,
        distance: proto::Distance,
        datatype: proto::Datatype,
        multi: bool,
    },
    Sparse {
        datatype: proto::Datatype,
        idf: bool,
    },
}

impl Schema {
    /// That of a collection, or what this program does not know of it.
    pub(crate) fn of(info: &proto::CollectionInfo) -> Result<Self, String> {
        let params = info.config.as_ref().and_then(|config| config.params.as_ref());
        let params = params.ok_or("the server does not say what its vectors are")?;
        let mut schema = BTreeMap::new();
        let dense = params
            .vectors_config
            .as_ref()
            .and_then(|config| config.config.as_ref());
        match dense {
            None => {}
            Some(Config::Params(one)) => drop(schema.insert(String::new(), dense_kind(one)?)),
            Some(Config::ParamsMap(map)) => {
                for (name, one) in &map.map {
                    schema.insert(name.clone(), dense_kind(one)?);
                }
            }
        }
        for (name, one) in params.sparse_vectors_config.iter().flat_map(|sparse| &sparse.map) {
            let datatype = one.index.as_ref().and_then(|index| index.datatype);
            let kind = Kind::Sparse {
                datatype: self::datatype(datatype)?,
                idf: one.modifier == Some(proto::Modifier::Idf.into()),
            };
            schema.insert(name.clone(), kind);
        }
        Ok(Schema(schema))
    }

    /// As it is kept: a text for each name.
    pub(crate) fn told(&self) -> BTreeMap<String, String> {
        let told = self.0.iter();
        told.map(|(name, kind)| (name.clone(), kind.to_string()))
            .collect()
    }

    /// What has changed since `before` was told of it, if anything has.
    pub(crate) fn change_since(&self, before: &BTreeMap<String, String>) -> Option<String> {
        let now = self.told();
        let known = |name: &String| format!("vector {name:?}");
        for (name, was) in before {
            match now.get(name) {
                Some(is) if is == was => {}
                Some(is) => return Some(format!("{} was {was} and is {is}", known(name))),
                None => return Some(format!("{} ({was}) is gone", known(name))),
            }
        }
        let new = now.iter().find(|(name, _)| !before.contains_key(*name));
        new.map(|(name, is)| format!("{} ({is}) is new", known(name)))
    }
}

fn dense_kind(params: &proto::VectorParams) -> Result<Kind, String> {
    Ok(Kind::Dense {
        size: params.size,
        distance: proto::Distance::try_from(params.distance)
            .map_err(|_| format!("the distance {} is not known to this version", params.distance))?,
        datatype: datatype(params.datatype)?,
        multi: params.multivector_config.is_some(),
    })
}

fn datatype(code: Option<i32>) -> Result<proto::Datatype, String> {
    let code = code.unwrap_or_default();
    match proto::Datatype::try_from(code) {
        Ok(proto::Datatype::Default) => Ok(proto::Datatype::Float32),
        Ok(known) => Ok(known),
        Err(_) => Err(format!("the datatype {code} is not known to this version")),
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Dense {
                size,
                distance,
                datatype,
                multi,
            } => {
                let multi = if *multi { "many of " } else { "" };
                let (datatype, distance) = (datatype.as_str_name(), distance.as_str_name());
                write!(f, "{multi}{size} {datatype}, {distance}")
            }
            Kind::Sparse { datatype, idf } => {
                let idf = if *idf { ", idf" } else { "" };
                write!(f, "sparse {}{idf}", datatype.as_str_name())
            }
        }
    }
}
