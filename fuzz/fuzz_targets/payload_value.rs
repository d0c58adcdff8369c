//! Encoded payloads: any bytes decode to a value or to an error, and what decodes is encoded to what decodes alike.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vdb_storage::payload::{ObjectRef, ValueRef, decode_payload, encode_payload, encode_value};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = ValueRef::decode(bytes) {
        let json = value.to_json();
        assert_eq!(json.is_ok(), value.check().is_ok());
        if let Ok(json) = json {
            let mut encoded = Vec::new();
            encode_value(&json, &mut encoded).expect("a value that was stored");
            let again = ValueRef::decode(&encoded).and_then(ValueRef::to_json);
            assert_eq!(again.ok(), Some(json));
        }
    }
    let Ok(object) = ObjectRef::from_payload(bytes) else {
        return;
    };
    // Looking a key up stops early, so it may succeed in a payload whose end is damaged.
    for entry in object.iter().take(1000) {
        let Ok((key, _)) = entry else { break };
        let _ = object.get(key);
    }
    if let Ok(payload) = decode_payload(bytes) {
        let encoded = encode_payload(&payload).expect("a payload that was stored");
        assert_eq!(decode_payload(&encoded).ok(), Some(payload));
    }
});
