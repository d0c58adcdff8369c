//! Messages of the gRPC interface: any bytes are a request or an error, whatever the call, and reading one again says the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for (name, read) in vdb_qdrant::inputs::messages() {
        let understood = read(bytes);
        assert_eq!(read(bytes), understood, "{name}");
    }
});
