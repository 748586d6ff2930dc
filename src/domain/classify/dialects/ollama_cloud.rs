//! Ollama Cloud: one model at a time, a session of five hours, and a week. Texts only: "you (name) have reached your
//! weekly usage limit". Both allowances belong to the account.

use crate::domain::classify::limited;
use crate::domain::classify::ruling::Ruling;
use crate::domain::classify::signs::Signs;
use crate::domain::hints::window::Window;
use crate::domain::outcome::Target;

pub(super) fn rule(signs: &Signs<'_>) -> Option<Ruling> {
    if signs.status != 429 {
        return None;
    }
    let window = if signs.says(&["weekly usage limit"]) {
        Window::Week
    } else if signs.says(&["session usage limit"]) {
        Window::Session
    } else {
        return None;
    };
    Some(limited::hit(window, Target::Key))
}
