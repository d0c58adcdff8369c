//! Whether the engine would make a collection.

use vdb::{CollectionConfig, DatabaseBuilder, PayloadIndexParams};

use crate::failure::{Failure, Outcome};
use crate::open;

/// Strict mode is for those who use a collection, and holds nobody up who brings in what is to be in it.
pub(super) fn importer() -> DatabaseBuilder {
    open::builder().strict_mode(false)
}

/// Refuses a collection that the engine would not make, before anything is written: it is made in memory.
pub(super) fn may_be(
    name: &str,
    config: &CollectionConfig,
    indexes: &[(String, PayloadIndexParams)],
) -> Outcome {
    let trial = importer().open_in_memory()?;
    let made = trial
        .create_collection(name, config.clone())
        .and_then(|collection| {
            for (path, params) in indexes {
                collection.create_payload_index(path, params.clone())?;
            }
            Ok(())
        });
    trial.close()?;
    made.map_err(|error| Failure::from(error).within(name))
}
