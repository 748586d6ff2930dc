//! Groq. Requests per minute and tokens per day appear in no header: only the error text names them.

use crate::domain::classify::ruling::Ruling;
use crate::domain::classify::signs::Signs;
use crate::domain::classify::unwell;

pub(super) fn rule(signs: &Signs<'_>) -> Option<Ruling> {
    // 498 is the flex tier at capacity; elsewhere it is no known status.
    (signs.status == 498).then(|| unwell::OVERLOADED.into())
}
