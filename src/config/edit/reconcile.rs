//! From a text and the values that it should have to the text that has them, by the smallest changes that do it.
//!
//! One change at a time, and the text is read again after each: files are small, and nothing has to be kept up to date.

use std::collections::HashSet;

use super::super::document::Document;
use super::layout::{self, Kind, Piece};
use super::lines;
use super::render::Style;
use super::splice::{Fault, Holder, Page, Slot, Splice, apply};
use super::value::Value;

/// In which order keys are written. What is not in it goes to the end.
const ORDER: [&str; 20] = [
    "version",
    "settings",
    "id",
    "name",
    "provider",
    "model",
    "type",
    "strategy",
    "apiKey",
    "apiKeys",
    "apiKeyFile",
    "baseUrl",
    "timeout",
    "enabled",
    "headers",
    "rateLimits",
    "models",
    "entries",
    "providers",
    "chains",
];

/// Changes that bring a text no nearer to its target.
const MOST_DETOURS: usize = 32;

/// The text with `target` in it. Equal values are left as they are written.
pub(super) fn reconcile(text: &str, target: &Value) -> Result<String, Fault> {
    let mut text = text.to_owned();
    // Each change has to bring the text nearer, or at least to one that was not there before: which item of a list is taken
    // for which may change on the way. So there is an end, and what comes of it is held against the target.
    let mut farthest = usize::MAX;
    let mut seen = HashSet::new();
    let mut changed_at = 0;
    loop {
        let document = Document::parse(&text).ok().filter(|(_, problems)| problems.is_empty());
        let (document, _) = document.ok_or(Fault::Layout(changed_at))?;
        let present = Value::of(&document.root);
        let distance = distance(&present, target);
        if distance == 0 {
            return Ok(text);
        }
        if distance >= farthest && (seen.len() >= MOST_DETOURS || !seen.insert(text.clone())) {
            return Err(Fault::Layout(changed_at));
        }
        farthest = distance.min(farthest);
        let root = layout::read(&text).ok_or(Fault::Layout(0))?;
        let mut aliases = HashSet::new();
        root.walk(&mut |piece| {
            if let Kind::Alias(name) = &piece.kind {
                aliases.insert(name.as_str());
            }
        });
        let page = Page { text: &text, style: Style::of(&text, &root) };
        let step = Step { page: &page, aliases: &aliases };
        let splices = match &root.kind {
            Kind::Empty => step.whole(target)?,
            Kind::BlockMap(_) | Kind::FlowMap(_) => step.within(None, &root, &present, target)?,
            _ => return Err(Fault::Layout(root.start)),
        };
        changed_at = splices.iter().map(|splice| splice.start).min().unwrap_or_default();
        text = apply(&text, splices).ok_or(Fault::Layout(changed_at))?;
    }
}

/// How much has to be changed, in some measure: 0 only where nothing has to be.
fn distance(old: &Value, new: &Value) -> usize {
    match (old, new) {
        _ if old.same(new) => 0,
        (Value::Map(own), Value::Map(members)) if !own.is_empty() && !members.is_empty() => {
            let wanted =
                members.iter().map(|(key, value)| old.get(key).map_or_else(|| size(value), |old| distance(old, value)));
            let gone = own.iter().filter(|(key, _)| new.get(key).is_none()).map(|(_, value)| size(value));
            wanted.chain(gone).sum()
        }
        (Value::List(items), Value::List(others)) if !items.is_empty() && !others.is_empty() => {
            let pairs = pair(items, others);
            let wanted = others.iter().zip(&pairs).map(|(value, at)| {
                at.and_then(|at| items.get(at)).map_or_else(|| size(value), |old| distance(old, value))
            });
            let gone = (0..items.len()).filter(|at| !pairs.contains(&Some(*at)));
            let in_order = pairs.iter().flatten().is_sorted();
            wanted.sum::<usize>()
                + gone.filter_map(|at| items.get(at)).map(size).sum::<usize>()
                + usize::from(!in_order)
        }
        _ => size(old) + size(new),
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Text(_) => 1,
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(members) => 1 + members.iter().map(|(_, value)| size(value)).sum::<usize>(),
    }
}

struct Step<'a> {
    page: &'a Page<'a>,
    aliases: &'a HashSet<&'a str>,
}

impl Step<'_> {
    /// A file that holds nothing but comments.
    fn whole(&self, target: &Value) -> Result<Vec<Splice>, Fault> {
        let text = self.page.text;
        let lines: String = target.members().iter().map(|(key, value)| self.page.style.member(0, key, value)).collect();
        let break_before = if text.is_empty() || text.ends_with('\n') { "" } else { self.page.style.eol };
        Ok(vec![Splice { start: text.len(), end: text.len(), with: format!("{break_before}{lines}") }])
    }

    /// The next change in `piece`, whose value is `old` and should be `new`, which differs.
    fn within(
        &self,
        holder: Option<&Holder<'_>>,
        piece: &Piece,
        old: &Value,
        new: &Value,
    ) -> Result<Vec<Splice>, Fault> {
        if piece.anchor.as_deref().is_some_and(|name| self.aliases.contains(name)) {
            return Err(Fault::Aliased(piece.start));
        }
        match (&piece.kind, old, new) {
            (Kind::Alias(_), Value::List(_) | Value::Map(_), _) => Err(Fault::Aliased(piece.start)),
            (Kind::BlockMap(_) | Kind::FlowMap(_), Value::Map(_), Value::Map(members)) if !members.is_empty() => {
                self.within_map(piece, old, new)
            }
            (Kind::BlockList(_) | Kind::FlowList(_), Value::List(present), Value::List(items))
                if !items.is_empty() && !present.is_empty() =>
            {
                let holder = holder.ok_or(Fault::Layout(piece.start))?;
                self.within_list(holder, piece, present, items)
            }
            (Kind::BlockList(items), Value::List(_), Value::List(none))
                if none.is_empty() && piece.start == piece.content =>
            {
                self.check_anchors(piece)?;
                self.page.empty(holder.ok_or(Fault::Layout(piece.start))?, items)
            }
            (Kind::Scalar(_), Value::Text(_), Value::Text(text)) => {
                let holder = holder.ok_or(Fault::Layout(piece.start))?;
                Ok(vec![self.page.set_scalar(piece, holder.key, holder.flow, text)])
            }
            _ => {
                self.check_anchors(piece)?;
                self.page.set_value(holder.ok_or(Fault::Layout(piece.start))?, piece, new)
            }
        }
    }

    fn within_map(&self, piece: &Piece, old: &Value, new: &Value) -> Result<Vec<Splice>, Fault> {
        let flow = piece.is_flow();
        let members = piece.members();
        for member in members {
            let (Some(present), Some(wanted)) = (old.get(&member.name), new.get(&member.name)) else { continue };
            if present.same(wanted) {
                continue;
            }
            let column = lines::column(self.page.text, member.key.start);
            let Some(colon) = member.colon else {
                // `{ key }`
                let written = super::render::inline(wanted, &member.name, flow);
                return Ok(vec![Splice { start: member.key.end, end: member.key.end, with: format!(": {written}") }]);
            };
            let holder = Holder { key: &member.name, sign: colon + 1, column, flow };
            return self.within(Some(&holder), &member.value, present, wanted);
        }
        let rank = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
        if let Some((key, value)) = new.members().iter().find(|(key, _)| old.get(key).is_none()) {
            let after =
                (rank(key) < ORDER.len()).then(|| members.iter().rposition(|member| rank(&member.name) < rank(key)));
            return Ok(vec![self.page.insert_member(piece, after.flatten(), key, value)?]);
        }
        let gone = members.iter().position(|member| new.get(&member.name).is_none());
        let at = gone.ok_or(Fault::Layout(piece.start))?;
        if let Some(member) = members.get(at) {
            self.check_anchors(&member.value)?;
        }
        Ok(vec![self.page.remove_member(piece, at)?])
    }

    fn within_list(
        &self,
        holder: &Holder<'_>,
        piece: &Piece,
        old: &[Value],
        new: &[Value],
    ) -> Result<Vec<Splice>, Fault> {
        let pairs = pair(old, new);
        let pieces = piece.items();
        for (wanted, at) in new.iter().zip(&pairs) {
            let Some((present, item, at)) = at.and_then(|at| Some((old.get(at)?, *pieces.get(at)?, at))) else {
                continue;
            };
            if present.same(wanted) {
                continue;
            }
            let dash = match &piece.kind {
                Kind::BlockList(items) => items.get(at).map(|item| item.dash),
                _ => None,
            };
            let column = lines::column(self.page.text, dash.unwrap_or(item.start));
            let sign = dash.map_or(item.start, |dash| dash + 1);
            let holder = Holder { key: holder.key, sign, column, flow: piece.is_flow() };
            return self.within(Some(&holder), item, present, wanted);
        }
        for (at, item) in pieces.iter().enumerate() {
            if !pairs.contains(&Some(at)) {
                self.check_anchors(item)?;
            }
        }
        let slots: Vec<Slot<'_>> =
            new.iter().zip(&pairs).map(|(value, at)| at.map_or(Slot::New(value), Slot::Old)).collect();
        Ok(vec![self.page.arrange(holder, piece, &slots)?])
    }

    /// What others repeat cannot go.
    fn check_anchors(&self, piece: &Piece) -> Result<(), Fault> {
        let mut found = None;
        piece.walk(&mut |piece| {
            if piece.anchor.as_deref().is_some_and(|name| self.aliases.contains(name)) {
                found = found.or(Some(piece.start));
            }
        });
        found.map_or(Ok(()), |at| Err(Fault::Aliased(at)))
    }
}

/// For each new item the old one that it was, if any: the same value, else the same thing by its name, else what is left
/// over on both sides.
fn pair(old: &[Value], new: &[Value]) -> Vec<Option<usize>> {
    let mut pairs: Vec<Option<usize>> = vec![None; new.len()];
    let mut free: Vec<bool> = vec![true; old.len()];
    let mut take = |pairs: &mut Vec<Option<usize>>, at: usize, candidate: usize| {
        let is_free = free.get(candidate).copied().unwrap_or(false) && pairs.get(at).is_some_and(Option::is_none);
        if is_free {
            free.get_mut(candidate).into_iter().for_each(|free| *free = false);
            pairs.get_mut(at).into_iter().for_each(|pair| *pair = Some(candidate));
        }
        is_free
    };
    for (at, value) in new.iter().enumerate() {
        if old.get(at).is_some_and(|old| old.same(value)) {
            take(&mut pairs, at, at);
        }
    }
    let passes: [fn(&Value, &Value) -> bool; 2] =
        [Value::same, |old, new| identity(old).is_some_and(|id| identity(new) == Some(id))];
    for fits in passes {
        for (at, value) in new.iter().enumerate() {
            _ = (0..old.len()).any(|candidate| {
                old.get(candidate).is_some_and(|old| fits(old, value)) && take(&mut pairs, at, candidate)
            });
        }
    }
    let left: Vec<usize> = (0..old.len()).filter(|at| !pairs.contains(&Some(*at))).collect();
    let wanting: Vec<usize> = pairs.iter().enumerate().filter(|(_, pair)| pair.is_none()).map(|(at, _)| at).collect();
    if left.len() == wanting.len() && (left.len() == 1 || left == wanting) {
        for (candidate, at) in left.into_iter().zip(wanting) {
            let alike = match (old.get(candidate), new.get(at)) {
                (Some(Value::Text(_)), Some(Value::Text(_))) => true,
                (Some(Value::Map(old)), Some(Value::Map(new))) => !old.is_empty() && !new.is_empty(),
                _ => false,
            };
            if alike {
                take(&mut pairs, at, candidate);
            }
        }
    }
    pairs
}

/// What makes an item of a list the one it is.
fn identity(item: &Value) -> Option<(&str, &str)> {
    let named = ["id", "name", "key"].into_iter().find_map(|key| Some((key, item.text(key)?)));
    named.or_else(|| Some((item.text("provider")?, item.text("model")?)))
}
