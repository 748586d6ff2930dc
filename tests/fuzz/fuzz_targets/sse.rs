//! Any event stream, cut anywhere: see `chain429_fuzz::sse`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chain429_fuzz::sse::check(bytes));
