//! Any text as a configuration: see `chain429_fuzz::config`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chain429_fuzz::config::check(bytes));
