//! Any answer of any provider: see `chain429_fuzz::classify`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chain429_fuzz::classify::check(bytes));
