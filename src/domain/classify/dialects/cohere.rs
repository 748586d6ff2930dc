//! Cohere's compatibility endpoint. Limits of a trial key hold for all its models; a 429 carries no header, its text
//! names the window: "limited to 20 API calls / minute", "1000 API calls / month".

use crate::domain::classify::ruling::Ruling;
use crate::domain::classify::signs::Signs;
use crate::domain::classify::{denied, limited};
use crate::domain::outcome::{CooldownClass, Target};

pub(super) fn rule(signs: &Signs<'_>) -> Option<Ruling> {
    match signs.status {
        // "Trial token rate limit exceeded" is per minute as well; slots return one by one (58 s measured).
        429 => Some(limited::hit_or(limited::window(signs), Target::Key, CooldownClass::Minute)),
        // A deny-listed word in the prompt. At Groq the same status means capacity.
        498 => Some(denied::MODERATED.into()),
        _ => None,
    }
}
