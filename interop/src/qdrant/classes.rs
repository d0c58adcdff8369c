//! The classes of qdrant-client 1.9 to 1.20 that its pickles name.

use crate::pickle::{Class, Classes, Kind};

/// The one module that all of them are in.
pub(super) const MODELS: &str = "qdrant_client.http.models.models";

const fn model(name: &'static str) -> Class {
    Class {
        module: MODELS,
        name,
        kind: Kind::Model,
    }
}

const fn enumeration(name: &'static str) -> Class {
    Class {
        module: MODELS,
        name,
        kind: Kind::Enumeration,
    }
}

static CLASSES: &[Class] = &[
    model("Record"),
    model("PointStruct"),
    model("SparseVector"),
    model("CollectionInfo"),
    model("CollectionConfig"),
    model("CollectionParams"),
    model("VectorParams"),
    model("SparseVectorParams"),
    model("SparseIndexParams"),
    model("HnswConfig"),
    model("HnswConfigDiff"),
    model("OptimizersConfig"),
    model("WalConfig"),
    model("MultiVectorConfig"),
    model("ScalarQuantization"),
    model("ScalarQuantizationConfig"),
    model("ProductQuantization"),
    model("ProductQuantizationConfig"),
    model("BinaryQuantization"),
    model("BinaryQuantizationConfig"),
    model("StrictModeConfig"),
    model("StrictModeConfigOutput"),
    model("StrictModeMultivector"),
    model("StrictModeMultivectorOutput"),
    model("StrictModeSparse"),
    model("StrictModeSparseOutput"),
    // What only servers tell, whose collections are backed up in the same way.
    model("TurboQuantization"),
    model("TurboQuantQuantizationConfig"),
    model("PayloadStorageParams"),
    model("IdTrackerParams"),
    model("PayloadIndexInfo"),
    model("KeywordIndexParams"),
    model("IntegerIndexParams"),
    model("FloatIndexParams"),
    model("GeoIndexParams"),
    model("TextIndexParams"),
    model("BoolIndexParams"),
    model("DatetimeIndexParams"),
    model("UuidIndexParams"),
    model("StopwordsSet"),
    model("SnowballParams"),
    model("DisabledStemmerParams"),
    model("TextScoringParams"),
    model("OptimizersStatusOneOf1"),
    model("CollectionWarning"),
    model("UpdateQueueInfo"),
    enumeration("Distance"),
    enumeration("CollectionStatus"),
    enumeration("OptimizersStatusOneOf"),
    enumeration("Datatype"),
    enumeration("Modifier"),
    enumeration("ScalarType"),
    enumeration("MultiVectorComparator"),
    enumeration("CompressionRatio"),
    enumeration("TurboQuantBitSize"),
    enumeration("BinaryQuantizationEncoding"),
    enumeration("BinaryQuantizationQueryEncoding"),
    enumeration("Memory"),
    enumeration("ShardingMethod"),
    enumeration("PayloadSchemaType"),
    enumeration("KeywordIndexType"),
    enumeration("IntegerIndexType"),
    enumeration("FloatIndexType"),
    enumeration("GeoIndexType"),
    enumeration("TextIndexType"),
    enumeration("BoolIndexType"),
    enumeration("DatetimeIndexType"),
    enumeration("UuidIndexType"),
    enumeration("TokenizerType"),
    enumeration("Language"),
    enumeration("Snowball"),
    enumeration("SnowballLanguage"),
    enumeration("NoStemmer"),
    enumeration("TextScoringType"),
];

/// The classes of a backup and of a local directory.
pub const ALL: Classes = Classes {
    format: "qdrant-client's collections",
    classes: CLASSES,
};
