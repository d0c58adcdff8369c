//! Backups, written.
