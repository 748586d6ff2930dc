//! Any body of a request: see `chain429_fuzz::request`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chain429_fuzz::request::check(bytes));
