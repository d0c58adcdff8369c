//! What collections are created with that do not say.

use serde_json::{Map, Value};

use super::{CollectionSettings, HnswSettings, OptimizerSettings, QuantizationSettings};
use crate::service::error::Result;

/// Settings of collections that are created without them. What is `None` has no default but the usual one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CollectionDefaults {
    /// Parameters of graphs, each by itself.
    pub hnsw: HnswSettings,
    /// When segments are indexed and merged, each by itself.
    pub optimizers: OptimizerSettings,
    /// Whether payloads stay on disk.
    pub on_disk_payload: Option<bool>,
    /// Whether dense vectors do.
    pub vectors_on_disk: Option<bool>,
    /// Copies of each shard.
    pub replication_factor: Option<u32>,
    /// Copies that must have a write.
    pub write_consistency_factor: Option<u32>,
    /// What walks read of each vector.
    pub quantization: Option<QuantizationSettings>,
    /// Limits on what may be asked for, each by itself.
    pub strict_mode: Option<Map<String, Value>>,
}

impl CollectionDefaults {
    /// Whether collections can be created with them: every value is of its type and in its range.
    ///
    /// # Errors
    /// Of the kind [`Validation`](crate::service::ErrorKind::Validation), with all that is out of its range; of another kind, with
    /// the first that the engine does not take.
    pub fn validate(&self) -> Result<()> {
        let mut settings = CollectionSettings::default();
        self.fill(&mut settings);
        settings.validate()?;
        // Limits of strict mode have no types before the engine reads them.
        settings.to_config().map(drop)
    }

    /// Says what settings do not.
    pub fn fill(&self, settings: &mut CollectionSettings) {
        below(&self.hnsw, &mut settings.hnsw_config, HnswSettings::overlay);
        below(
            &self.optimizers,
            &mut settings.optimizers_config,
            OptimizerSettings::overlay,
        );
        if settings.payload.is_none() {
            settings.on_disk_payload = settings.on_disk_payload.or(self.on_disk_payload);
        }
        for vector in settings.vectors.0.values_mut().filter(|v| v.memory.is_none()) {
            vector.on_disk = vector.on_disk.or(self.vectors_on_disk);
        }
        settings.replication_factor = settings.replication_factor.or(self.replication_factor);
        settings.write_consistency_factor = settings
            .write_consistency_factor
            .or(self.write_consistency_factor);
        if settings.quantization_config.is_none() {
            settings.quantization_config.clone_from(&self.quantization);
        }
        if let Some(limits) = &self.strict_mode {
            let mut limits = limits.clone();
            limits.extend(settings.strict_mode_config.take().unwrap_or_default());
            settings.strict_mode_config = Some(limits);
        }
    }
}

/// Puts what is given over the defaults, if there are any.
fn below<T: Clone + Default + PartialEq>(defaults: &T, given: &mut Option<T>, overlay: fn(&mut T, &T)) {
    if *defaults == T::default() {
        return;
    }
    let mut whole = defaults.clone();
    if let Some(given) = given {
        overlay(&mut whole, given);
    }
    *given = Some(whole);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(value: Value) -> CollectionSettings {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_is_given_comes_before_defaults() {
        let defaults = CollectionDefaults {
            hnsw: HnswSettings {
                m: Some(8),
                ef_construct: Some(50),
                ..HnswSettings::default()
            },
            vectors_on_disk: Some(true),
            strict_mode: json!({"enabled": true, "max_query_limit": 5})
                .as_object()
                .cloned(),
            ..CollectionDefaults::default()
        };
        let mut given = settings(json!({
            "vectors": {
                "a": {"size": 2, "distance": "Dot"},
                "b": {"size": 2, "distance": "Dot", "on_disk": false},
                "c": {"size": 2, "distance": "Dot", "memory": "cold"},
            },
            "hnsw_config": {"m": 4},
            "strict_mode_config": {"max_query_limit": 7},
        }));
        defaults.fill(&mut given);
        let hnsw = given.hnsw_config.unwrap();
        assert_eq!((hnsw.m, hnsw.ef_construct), (Some(4), Some(50)));
        let on_disk = given.vectors.0.values().map(|vector| vector.on_disk);
        assert!(on_disk.eq([Some(true), Some(false), None]));
        let limits = json!({"enabled": true, "max_query_limit": 7});
        assert_eq!(given.strict_mode_config.map(Value::Object), Some(limits));
        // What has no default is not told as if it had been given.
        assert_eq!(given.optimizers_config, None);
    }

    #[test]
    fn no_defaults_change_nothing() {
        let mut given = settings(json!({"vectors": {"size": 2, "distance": "Dot"}}));
        let before = given.clone();
        CollectionDefaults::default().fill(&mut given);
        assert_eq!(given, before);
    }
}
