//! YAML as JSON values. JSON is YAML, too.

use serde_json::{Map, Number, Value};
use yaml_rust2::{Yaml, YamlLoader};

/// Reads a document; an empty one is an empty object.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    match documents.into_iter().next() {
        None | Some(Yaml::Null) => Ok(Value::Object(Map::new())),
        Some(document) => convert(document),
    }
}

fn convert(yaml: Yaml) -> Result<Value, String> {
    match yaml {
        Yaml::Real(text) => {
            let number = text.parse().ok().and_then(Number::from_f64);
            Ok(number.map_or(Value::String(text), Value::Number))
        }
        Yaml::Integer(number) => Ok(number.into()),
        Yaml::String(text) => Ok(text.into()),
        Yaml::Boolean(truth) => Ok(truth.into()),
        Yaml::Array(list) => list.into_iter().map(convert).collect(),
        Yaml::Hash(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let Yaml::String(key) = key else {
                    return Err("every key must be a text".to_owned());
                };
                map.insert(key, convert(value)?);
            }
            Ok(Value::Object(map))
        }
        Yaml::Null => Ok(Value::Null),
        Yaml::Alias(_) | Yaml::BadValue => Err("a reference that leads nowhere".to_owned()),
    }
}
