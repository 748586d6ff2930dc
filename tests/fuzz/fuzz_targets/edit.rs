//! Any edit of any text: see `chain429_fuzz::edit`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chain429_fuzz::edit::check(bytes));
