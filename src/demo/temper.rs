//! How a simulated provider misbehaves: one runs out of quota, one never does, one fails now and then.

use super::quota::{Headers, Quota};
use super::refusal::Refusal;
use super::simulated::Simulated;
use crate::domain::time::Mono;

/// A provider's standing from call to call.
#[derive(Debug)]
pub(crate) enum Temper {
    /// A quota for each model.
    Limited(Vec<(&'static str, Quota)>),
    /// Serves whatever comes.
    Steady,
    /// Fails every third call, with another fault each time.
    Moody {
        /// Calls so far.
        calls: u64,
    },
}

/// A call at the door.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) model: &'static str,
    /// Tokens that it asks for: the prompt and its output budget.
    pub(crate) requested: u64,
    /// Tokens that it will use.
    pub(crate) used: u64,
}

impl Temper {
    /// That of `simulated`, before its first call.
    pub(crate) fn of(simulated: Simulated) -> Self {
        match simulated {
            Simulated::Groq => {
                Self::Limited(simulated.chat_models().iter().map(|model| (*model, Quota::new())).collect())
            }
            Simulated::OpenRouter => Self::Steady,
            Simulated::Gemini => Self::Moody { calls: 0 },
        }
    }

    /// Lets a call through or refuses it, and says which headers its answer carries either way.
    pub(crate) fn admit(&mut self, call: Call, now: Mono) -> (Result<(), Refusal>, Headers) {
        match self {
            Self::Steady => (Ok(()), Headers::new()),
            Self::Moody { calls } => {
                *calls += 1;
                (mood(*calls, call.model), Headers::new())
            }
            Self::Limited(quotas) => match quotas.iter_mut().find(|(model, _)| *model == call.model) {
                None => (Ok(()), Headers::new()),
                Some((model, quota)) => {
                    let admitted = quota.admit(call.requested, call.used, now);
                    let refused = admitted.map_err(|limited| Refusal::Limited { model, limited });
                    (refused, quota.headers(now))
                }
            },
        }
    }
}

/// What becomes of the n-th call.
fn mood(call: u64, model: &'static str) -> Result<(), Refusal> {
    match call % 6 {
        3 => Err(Refusal::Overloaded),
        0 => Err(Refusal::QuotaExceeded { model }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Call = Call { model: "m", requested: 10, used: 10 };

    #[test]
    fn gemini_fails_every_third_call_with_two_faults_in_turn() {
        let mut gemini = Temper::of(Simulated::Gemini);
        let refused: Vec<_> = (1..=12).filter_map(|call| Some((call, gemini.admit(CALL, Mono(0)).0.err()?))).collect();
        assert!(matches!(
            refused.as_slice(),
            [
                (3, Refusal::Overloaded),
                (6, Refusal::QuotaExceeded { .. }),
                (9, Refusal::Overloaded),
                (12, Refusal::QuotaExceeded { .. })
            ]
        ));
    }

    #[test]
    fn each_groq_model_has_its_own_quota() {
        let mut groq = Temper::of(Simulated::Groq);
        let [first, second] = Simulated::Groq.chat_models() else { panic!("two models") };
        for _ in 0..4 {
            groq.admit(Call { model: first, ..CALL }, Mono(0)).0.unwrap();
        }
        assert!(groq.admit(Call { model: first, ..CALL }, Mono(0)).0.is_err());
        let (admitted, headers) = groq.admit(Call { model: second, ..CALL }, Mono(0));
        assert!(admitted.is_ok());
        assert_eq!(headers.len(), 6);
    }

    #[test]
    fn openrouter_serves_everything_and_tells_nothing() {
        let mut openrouter = Temper::of(Simulated::OpenRouter);
        for _ in 0..1_000 {
            let (admitted, headers) = openrouter.admit(CALL, Mono(0));
            assert!(admitted.is_ok() && headers.is_empty());
        }
    }
}
