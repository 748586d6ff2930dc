//! All providers: those of the faults, and those that do nothing wrong.

use crate::faults::{FAULTS, KEY};
use crate::manner::Manner;
use crate::step::Step::{self, Answer, Bulk, Done, End, Good, Open, Say, Stop, Wait};

/// A good stream.
pub(crate) const GOOD_STREAM: &[Step] = &[Open, Say, Wait(4), Say, Wait(4), Say, Wait(4), Say, Stop, Done, End];

/// A good answer of another kind.
pub(crate) const GOOD_ANSWER: &[Step] = &[Good];

/// What whoever comes with a dead key is told.
pub(crate) const REJECTS: &[Step] = &[Answer(401, "", KEY)];

const SLOW_ANSWER: &[Step] = &[Wait(200), Good];

const SLOW_STREAM: &[Step] =
    &[Wait(50), Open, Say, Wait(30), Say, Wait(30), Say, Wait(30), Say, Wait(30), Say, Wait(30), Say, Stop, Done, End];

/// Those that serve whatever comes.
pub(crate) const GOOD: &[Manner] = &[
    Manner::each("good-one", GOOD_ANSWER, GOOD_STREAM).always(),
    Manner::each("good-two", GOOD_ANSWER, GOOD_STREAM).always(),
    Manner::each("slow", SLOW_ANSWER, SLOW_STREAM).always(),
    Manner::each("long", GOOD_ANSWER, &[Open, Bulk(300), Stop, Done, End]).always(),
    Manner::each("busy", SLOW_ANSWER, SLOW_STREAM).always().limits("rateLimits: { concurrentRequests: 3 }"),
];

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Manner> {
    FAULTS.iter().chain(GOOD)
}

/// The one of this name.
pub(crate) fn named(name: &str) -> Option<&'static Manner> {
    all().find(|manner| manner.name == name)
}
