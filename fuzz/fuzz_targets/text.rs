//! Small texts: points in time, payload paths, ids, names of files. Any text is a value or an error, and a value that is
//! written is read as the same value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vdb::{Datetime, Distance, PayloadPath, PointId, parse_element};
use vdb_storage::SegmentFile;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Some(time) = Datetime::parse(text) {
        assert!((Datetime::MIN..=Datetime::MAX).contains(&time));
        assert_eq!(Datetime::parse(&time.to_string()), Some(time));
        assert_eq!(Datetime::from_micros(time.micros()), Some(time));
    }
    if let Ok(path) = PayloadPath::parse(text) {
        let written = path.to_string();
        assert_eq!(PayloadPath::parse(&written).as_ref(), Ok(&path), "{written:?}");
    }
    if let Ok(id) = text.parse::<PointId>() {
        assert_eq!(id.to_string().parse::<PointId>().ok(), Some(id));
    }
    if let Some(file) = SegmentFile::parse(text) {
        assert_eq!(file.to_string(), text);
    }
    let _ = (
        text.parse::<Distance>(),
        parse_element(text),
        vdb_wal::is_log_file(text),
    );
    let _ = vdb_vfs::path::check(text);
});
