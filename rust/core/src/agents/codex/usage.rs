//! `token_count`: what the last answer used, and what the session used until then.

use super::super::event::{lit, Draft, Event};
use super::{slot, CodexMapper};
use crate::json::Value;

/// Totals of the token count before.
#[derive(Debug, Default)]
pub struct Usage {
    total: Option<[Option<u64>; 3]>,
}

/// One usage object: members that are no unsigned integers count as missing.
#[derive(Default)]
struct Tokens<'a> {
    input: Option<Value<'a>>,
    cached: Option<Value<'a>>,
    output: Option<Value<'a>>,
    reasoning: Option<Value<'a>>,
    total: Option<Value<'a>>,
}

impl<'a> Tokens<'a> {
    fn of(usage: Value<'a>) -> Tokens<'a> {
        let mut tokens = Tokens::default();
        for (key, member) in usage.members() {
            let place = match key.literal() {
                b"input_tokens" | b"input" | b"prompt_tokens" => &mut tokens.input,
                b"cached_input_tokens" => &mut tokens.cached,
                b"output_tokens" | b"output" | b"completion_tokens" => &mut tokens.output,
                b"reasoning_output_tokens" => &mut tokens.reasoning,
                b"total_tokens" => &mut tokens.total,
                _ => continue,
            };
            if place.is_none() && member.u64().is_some() {
                *place = Some(member);
            }
        }
        tokens
    }

    fn key(&self) -> [Option<u64>; 3] {
        [self.input, self.output, self.total].map(|v| v.and_then(|v| v.u64()))
    }

    fn any(&self) -> bool {
        self.input.is_some() || self.output.is_some()
    }

    /// The sum says nothing that its parts do not.
    fn drop_sum(&self, draft: &mut Draft<'a>) {
        if let [Some(input), Some(output), Some(total)] = self.key() {
            if input.checked_add(output) == Some(total) {
                self.total.into_iter().for_each(|t| draft.used(t));
            }
        }
    }
}

fn count<'a>(event: &mut Event<'a>, name: &'static str, tokens: Option<Value<'a>>, draft: &mut Draft<'a>) {
    if let Some(tokens) = tokens {
        if let Some(number) = tokens.u64() {
            event.attributes.push((name, super::super::event::Attribute::Number(number)));
            draft.used(tokens);
        }
    }
}

impl CodexMapper {
    /// Early versions had the members of the last usage (or the totals) beside `type`, later ones have `info`.
    pub(super) fn token_count<'a>(&mut self, message: Value<'a>, draft: &mut Draft<'a>) {
        let mut event = Event::custom(lit("token_count"));
        event.duration_ms = message.get("duration_ms").and_then(|d| draft_number(d, draft));
        let info = message.get("info").filter(|i| i.is_object()).unwrap_or(message);
        let total = info.get("total_token_usage").map(Tokens::of).unwrap_or_default();
        let last_value = ["last_token_usage", "usage"].iter().find_map(|key| info.get(key)).filter(|v| v.is_object());
        let last = last_value.map_or_else(|| Tokens::of(info), Tokens::of);
        let repeated = total.any() && self.usage.total == Some(total.key());
        if repeated {
            // It counts nothing, so what it says of the last answer is left out only if it was said before.
            if let Some(value) = last_value {
                self.envelope.pass(slot::LAST_USAGE, value, draft);
            }
            for name in ["input_tokens", "output_tokens", "cache_read_tokens"] {
                event = event.count(name, 0);
            }
        } else {
            if let Some(value) = last_value {
                self.envelope.remember(slot::LAST_USAGE, value);
            }
            count(&mut event, "input_tokens", last.input, draft);
            count(&mut event, "output_tokens", last.output, draft);
            count(&mut event, "cache_read_tokens", last.cached, draft);
            count(&mut event, "reasoning_tokens", last.reasoning, draft);
            last.drop_sum(draft);
        }
        if total.any() {
            self.usage.total = Some(total.key());
            count(&mut event, "input_tokens_total", total.input, draft);
            count(&mut event, "output_tokens_total", total.output, draft);
            total.drop_sum(draft);
        }
        for (slot, holder, key) in
            [(slot::LIMITS, message, "rate_limits"), (slot::WINDOW, info, "model_context_window")]
        {
            if let Some(member) = holder.get(key) {
                self.envelope.pass(slot, member, draft);
            }
        }
        draft.push(event);
    }
}

fn draft_number<'a>(value: Value<'a>, draft: &mut Draft<'a>) -> Option<u64> {
    let number = value.u64()?;
    draft.used(value);
    Some(number)
}
