//! A row as bytes: a record of numbered fields, without what its id, its trail or the usual case already say.
//!
//! Numbers are never used for anything else again; a field that is new is one that earlier rows do not have.

use std::borrow::Cow;

use super::{Request, key};
use crate::domain::ids::{ModelId, ProviderId};
use crate::domain::outcome::Reason;
use crate::domain::time::Wall;
use crate::domain::trail::{StepOutcome, StepView};
use crate::domain::usage::Usage;
use crate::store::error::Fault;
use crate::store::wire::{Fields, Torn, Value, Writer, unzigzag, zigzag};

/// Fields of a row. Those up to 15 take one byte.
mod row {
    pub(super) const CHAIN: u64 = 1;
    pub(super) const CLIENT: u64 = 2;
    /// What was asked for; absent when that is what the route is called.
    pub(super) const MODEL: u64 = 3;
    /// Who served it, where the trail does not say so.
    pub(super) const SERVED_BY: u64 = 4;
    pub(super) const FLAGS: u64 = 5;
    pub(super) const STEP: u64 = 6;
    /// Absent when it is 200.
    pub(super) const STATUS: u64 = 7;
    pub(super) const CODE: u64 = 8;
    pub(super) const USAGE: u64 = 9;
    pub(super) const WAITED: u64 = 10;
    pub(super) const FIRST_TOKEN: u64 = 11;
    pub(super) const MS: u64 = 12;
    pub(super) const BYTES_IN: u64 = 13;
    pub(super) const BYTES_OUT: u64 = 14;
    /// As a difference from what the id says.
    pub(super) const ARRIVED: u64 = 15;
}

/// Bits of [`row::FLAGS`].
mod flag {
    pub(super) const STREAM: u64 = 1;
    /// It was served by the first step of the trail that says so.
    pub(super) const AS_TRAIL_SAYS: u64 = 2;
}

/// Fields of a step.
mod step {
    pub(super) const PROVIDER: u64 = 1;
    pub(super) const MODEL: u64 = 2;
    /// Absent when it served.
    pub(super) const OUTCOME: u64 = 3;
    pub(super) const KEY: u64 = 4;
    pub(super) const REASON: u64 = 5;
    pub(super) const STATUS: u64 = 6;
    pub(super) const MESSAGE: u64 = 7;
    /// As a difference from the arrival.
    pub(super) const RETRY_AT: u64 = 8;
    pub(super) const MS: u64 = 9;
}

/// Fields of usage.
mod usage {
    pub(super) const PROMPT: u64 = 1;
    pub(super) const COMPLETION: u64 = 2;
    /// As a difference from the sum of both.
    pub(super) const TOTAL: u64 = 3;
    pub(super) const CACHED: u64 = 4;
    pub(super) const REASONING: u64 = 5;
    pub(super) const ESTIMATED: u64 = 6;
}

const OK: u16 = 200;

/// The row without its id.
pub(super) fn encode(request: &Request) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.text(row::CHAIN, &request.chain);
    if !request.client.is_empty() {
        writer.text(row::CLIENT, &request.client);
    }
    if request.model != request.chain {
        writer.text(row::MODEL, &request.model);
    }
    let as_trail_says = request.served_by.is_some() && request.served_by == served_in(&request.trail);
    if let Some(entry) = request.served_by.as_ref().filter(|_| !as_trail_says) {
        writer.text(row::SERVED_BY, entry);
    }
    let flags = (u64::from(request.stream) * flag::STREAM) | (u64::from(as_trail_says) * flag::AS_TRAIL_SAYS);
    writer.count_if_any(row::FLAGS, flags);
    for step in &request.trail {
        writer.record(row::STEP, |inner| write_step(inner, step, request.arrived));
    }
    if request.status != OK {
        writer.count(row::STATUS, request.status.into());
    }
    if let Some(code) = &request.code {
        writer.text(row::CODE, code);
    }
    if let Some(usage) = &request.usage {
        writer.record(row::USAGE, |inner| write_usage(inner, usage));
    }
    writer.count_if_any(row::WAITED, request.waited_ms);
    if let Some(ms) = request.first_token_ms {
        writer.count(row::FIRST_TOKEN, ms);
    }
    writer.count_if_any(row::MS, request.ms);
    writer.count_if_any(row::BYTES_IN, request.bytes_in);
    writer.count_if_any(row::BYTES_OUT, request.bytes_out);
    writer.count_if_any(row::ARRIVED, zigzag(request.arrived.0, key::time_of(&request.id)));
    writer.finish()
}

fn write_step(writer: &mut Writer, it: &StepView, arrived: Wall) {
    writer.text(step::PROVIDER, it.provider.as_str());
    writer.text(step::MODEL, it.model.as_str());
    let outcome = match it.outcome {
        StepOutcome::Served => 0,
        StepOutcome::Failed => 1,
        StepOutcome::Skipped => 2,
        StepOutcome::Able => 3,
    };
    writer.count_if_any(step::OUTCOME, outcome);
    if let Some(key) = it.key {
        writer.count(step::KEY, key as u64);
    }
    if let Some(reason) = it.reason {
        writer.text(step::REASON, reason.name());
    }
    writer.count_if_any(step::STATUS, it.status.into());
    if let Some(message) = &it.message {
        writer.text(step::MESSAGE, message);
    }
    if let Some(time) = it.retry_at {
        writer.count(step::RETRY_AT, zigzag(time.0, arrived.0));
    }
    writer.count_if_any(step::MS, it.ms.unwrap_or_default());
}

fn write_usage(writer: &mut Writer, it: &Usage) {
    writer.count_if_any(usage::PROMPT, it.prompt_tokens);
    writer.count_if_any(usage::COMPLETION, it.completion_tokens);
    writer.count_if_any(usage::TOTAL, zigzag(it.total_tokens, it.prompt_tokens.wrapping_add(it.completion_tokens)));
    if let Some(tokens) = it.cached_tokens {
        writer.count(usage::CACHED, tokens);
    }
    if let Some(tokens) = it.reasoning_tokens {
        writer.count(usage::REASONING, tokens);
    }
    writer.count_if_any(usage::ESTIMATED, it.estimated.into());
}

/// The row with this id.
///
/// # Errors
/// When the bytes are none.
pub(super) fn decode(id: String, bytes: &[u8]) -> Result<Request, Fault> {
    match read(&id, bytes) {
        Ok(row) => Ok(Request { id, ..row }),
        Err(torn) => Err(damaged(&id, torn)),
    }
}

fn damaged(id: &str, torn: Torn) -> Fault {
    Fault::Damaged(format!("the row of the request {id}: {torn}"))
}

fn read(id: &str, bytes: &[u8]) -> Result<Request, Torn> {
    let mut request = Request { status: OK, arrived: Wall(key::time_of(id)), ..Request::default() };
    let (mut model, mut flags) = (None, 0);
    // The times of steps are told from the arrival, which comes behind them.
    let mut steps = Vec::new();
    for field in Fields::of(bytes) {
        let (field, value) = field?;
        match field {
            row::CHAIN => request.chain = owned(value)?,
            row::CLIENT => request.client = owned(value)?,
            row::MODEL => model = Some(owned(value)?),
            row::SERVED_BY => request.served_by = Some(owned(value)?),
            row::FLAGS => flags = value.count()?,
            row::STEP => steps.push(value.record()?),
            row::STATUS => request.status = small(value)?,
            row::CODE => request.code = Some(Cow::Owned(owned(value)?)),
            row::USAGE => request.usage = Some(read_usage(value.record()?)?),
            row::WAITED => request.waited_ms = value.count()?,
            row::FIRST_TOKEN => request.first_token_ms = Some(value.count()?),
            row::MS => request.ms = value.count()?,
            row::BYTES_IN => request.bytes_in = value.count()?,
            row::BYTES_OUT => request.bytes_out = value.count()?,
            row::ARRIVED => request.arrived = Wall(unzigzag(value.count()?, request.arrived.0)),
            _ => {}
        }
    }
    request.model = model.unwrap_or_else(|| request.chain.clone());
    request.stream = flags & flag::STREAM != 0;
    request.trail = steps.into_iter().map(|fields| read_step(fields, request.arrived)).collect::<Result<_, Torn>>()?;
    if flags & flag::AS_TRAIL_SAYS != 0 {
        request.served_by = served_in(&request.trail);
    }
    Ok(request)
}

fn read_step(fields: Fields<'_>, arrived: Wall) -> Result<StepView, Torn> {
    let (mut provider, mut model) = (None, None);
    let mut outcome = StepOutcome::Served;
    let (mut key, mut reason, mut status, mut message, mut retry_at, mut ms) = (None, None, 0, None, None, 0);
    for field in fields {
        let (field, value) = field?;
        match field {
            step::PROVIDER => provider = Some(ProviderId::new(value.text()?)),
            step::MODEL => model = Some(ModelId::new(value.text()?)),
            step::OUTCOME => outcome = outcome_of(value.count()?)?,
            step::KEY => key = Some(usize::try_from(value.count()?).map_err(|_| Torn)?),
            step::REASON => reason = Some(reason_of(value.text()?)),
            step::STATUS => status = small(value)?,
            step::MESSAGE => message = Some(owned(value)?),
            step::RETRY_AT => retry_at = Some(Wall(unzigzag(value.count()?, arrived.0))),
            step::MS => ms = value.count()?,
            _ => {}
        }
    }
    let (Some(provider), Some(model)) = (provider, model) else { return Err(Torn) };
    Ok(StepView { provider, model, outcome, key, reason, status, message, retry_at, ms: Some(ms) })
}

fn read_usage(fields: Fields<'_>) -> Result<Usage, Torn> {
    let mut read = Usage::default();
    let mut difference = 0;
    for field in fields {
        let (field, value) = field?;
        match field {
            usage::PROMPT => read.prompt_tokens = value.count()?,
            usage::COMPLETION => read.completion_tokens = value.count()?,
            usage::TOTAL => difference = value.count()?,
            usage::CACHED => read.cached_tokens = Some(value.count()?),
            usage::REASONING => read.reasoning_tokens = Some(value.count()?),
            usage::ESTIMATED => read.estimated = value.count()? != 0,
            _ => {}
        }
    }
    read.total_tokens = unzigzag(difference, read.prompt_tokens.wrapping_add(read.completion_tokens));
    Ok(read)
}

/// `provider/model` of the first step that served.
fn served_in(trail: &[StepView]) -> Option<String> {
    trail.iter().find(|step| step.outcome == StepOutcome::Served).map(StepView::label)
}

fn outcome_of(number: u64) -> Result<StepOutcome, Torn> {
    match number {
        0 => Ok(StepOutcome::Served),
        1 => Ok(StepOutcome::Failed),
        2 => Ok(StepOutcome::Skipped),
        3 => Ok(StepOutcome::Able),
        _ => Err(Torn),
    }
}

/// A reason that only a later version knows is an unknown one.
fn reason_of(name: &str) -> Reason {
    Reason::ALL.into_iter().find(|reason| reason.name() == name).unwrap_or(Reason::Unknown)
}

fn owned(value: Value<'_>) -> Result<String, Torn> {
    value.text().map(str::to_owned)
}

fn small(value: Value<'_>) -> Result<u16, Torn> {
    u16::try_from(value.count()?).map_err(|_| Torn)
}

#[cfg(test)]
mod tests;
