//! From a text and the values that it should have to the text that has them, by the smallest changes that do it.
//!
//! Changes that stand apart from each other are made together, and the text is read again before the next ones: files are
//! small, and nothing has to be kept up to date. How often it is read depends on how much has to be changed in one place, and
//! not on in how many places.

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

/// Changes that are made one at a time, where several at once have led to nothing.
const MOST_SINGLE: usize = 64;

/// The text with `target` in it. Equal values are left as they are written.
pub(super) fn reconcile(text: &str, target: &Value) -> Result<String, Fault> {
    let fault = match approach(text, target, usize::MAX, true) {
        Ok(text) => return Ok(text),
        Err(fault) => fault,
    };
    approach(text, target, MOST_SINGLE, false).map_err(|_| fault)
}

/// With at most so many steps, of one change each or of all that stand apart from each other.
fn approach(text: &str, target: &Value, most: usize, together: bool) -> Result<String, Fault> {
    let mut text = text.to_owned();
    // Each change has to bring the text nearer, or at least to one that was not there before: which item of a list is taken
    // for which may change on the way. So there is an end, and what comes of it is held against the target.
    let mut farthest = usize::MAX;
    let mut seen = HashSet::new();
    let mut changed_at = 0;
    for _ in 0..most {
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
        let step = Step { page: &page, aliases: &aliases, together };
        let splices = match &root.kind {
            Kind::Empty => step.whole(target)?,
            Kind::BlockMap(_) | Kind::FlowMap(_) => step.within(None, &root, &present, target)?,
            _ => return Err(Fault::Layout(root.start)),
        };
        changed_at = splices.iter().map(|splice| splice.start).min().unwrap_or_default();
        text = apply(&text, splices).ok_or(Fault::Layout(changed_at))?;
    }
    Err(Fault::Layout(changed_at))
}

/// How much has to be changed, in some measure: 0 only where nothing has to be.
fn distance(old: &Value, new: &Value) -> usize {
    match (old, new) {
        _ if old.same(new) => 0,
        (Value::Map(own), Value::Map(members)) if !own.is_empty() && !members.is_empty() => {
            let wanted = members.iter().enumerate().map(|(at, (key, value))| {
                old.get_near(at, key).map_or_else(|| size(value), |old| distance(old, value))
            });
            let gone = own.iter().enumerate().filter(|(at, (key, _))| new.get_near(*at, key).is_none());
            let gone = gone.map(|(_, (_, value))| size(value));
            wanted.chain(gone).sum()
        }
        (Value::List(items), Value::List(others)) if !items.is_empty() && !others.is_empty() => {
            let pairs = pair(items, others);
            let wanted = others.iter().zip(&pairs).map(|(value, at)| {
                at.and_then(|at| items.get(at)).map_or_else(|| size(value), |old| distance(old, value))
            });
            let taken: HashSet<usize> = pairs.iter().flatten().copied().collect();
            let gone = (0..items.len()).filter(|at| !taken.contains(at));
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
    /// Whether all changes that stand apart are made at once.
    together: bool,
}

/// Changes that stand apart from each other, in the order of the text.
#[derive(Default)]
struct Together {
    splices: Vec<Splice>,
    end: usize,
}

impl Together {
    /// Takes one more, unless it touches the one before: then its turn comes when the text is read again.
    fn take(&mut self, change: Vec<Splice>) {
        let start = change.iter().map(|splice| splice.start).min().unwrap_or_default();
        // What goes may go together with what stands next to it.
        let goes = |splice: &Splice| splice.with.is_empty();
        let next = start == self.end && change.iter().all(goes) && self.splices.last().is_some_and(goes);
        if self.splices.is_empty() || start > self.end || next {
            self.end = change.iter().map(|splice| splice.end).max().unwrap_or_default();
            self.splices.extend(change);
        }
    }
}

impl Step<'_> {
    /// A file that holds nothing but comments.
    fn whole(&self, target: &Value) -> Result<Vec<Splice>, Fault> {
        let text = self.page.text;
        let lines: String = target.members().iter().map(|(key, value)| self.page.style.member(0, key, value)).collect();
        let break_before = if text.is_empty() || text.ends_with('\n') { "" } else { self.page.style.eol };
        Ok(vec![Splice { start: text.len(), end: text.len(), with: format!("{break_before}{lines}") }])
    }

    /// The next changes in `piece`, whose value is `old` and should be `new`, which differs.
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
        let mut changes = Together::default();
        for (at, member) in members.iter().enumerate() {
            let values = (old.get_near(at, &member.name), new.get_near(at, &member.name));
            let (Some(present), Some(wanted)) = values else { continue };
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
            changes.take(self.within(Some(&holder), &member.value, present, wanted)?);
            if !self.together {
                break;
            }
        }
        if !changes.splices.is_empty() {
            return Ok(changes.splices);
        }
        let rank = |name: &str| ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len());
        let wanted = new.members().iter().enumerate();
        let mut added = wanted.filter(|(at, (key, _))| old.get_near(*at, key).is_none()).map(|(_, member)| member);
        if let Some((key, value)) = added.next() {
            let after = |key: &str| {
                let known =
                    (rank(key) < ORDER.len()).then(|| members.iter().rposition(|it| rank(&it.name) < rank(key)));
                known.flatten()
            };
            let mut splice = self.page.insert_member(piece, after(key), key, value)?;
            // Those of which the order does not matter go to the same place.
            let alike = added.filter(|_| self.together && rank(key) == ORDER.len() && splice.start == splice.end);
            let alike: Vec<_> = alike.filter(|(key, _)| rank(key) == ORDER.len()).collect();
            for (key, value) in alike {
                splice.with.push_str(&self.page.insert_member(piece, None, key, value)?.with);
            }
            return Ok(vec![splice]);
        }
        for (at, member) in members.iter().enumerate() {
            if new.get_near(at, &member.name).is_some() {
                continue;
            }
            self.check_anchors(&member.value)?;
            changes.take(vec![self.page.remove_member(piece, at)?]);
            if !self.together {
                break;
            }
        }
        match changes.splices.is_empty() {
            true => Err(Fault::Layout(piece.start)),
            false => Ok(changes.splices),
        }
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
        let mut changes = Vec::new();
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
            changes.push((at, self.within(Some(&holder), item, present, wanted)?));
            if !self.together {
                break;
            }
        }
        if !changes.is_empty() {
            changes.sort_by_key(|(at, _)| *at);
            let mut together = Together::default();
            changes.into_iter().for_each(|(_, change)| together.take(change));
            return Ok(together.splices);
        }
        let taken: HashSet<usize> = pairs.iter().flatten().copied().collect();
        for (at, item) in pieces.iter().enumerate() {
            if !taken.contains(&at) {
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
    let take = |free: &mut [bool], pairs: &mut [Option<usize>], at: usize, candidate: usize| {
        let is_free = free.get(candidate).copied().unwrap_or(false) && pairs.get(at).is_some_and(Option::is_none);
        if is_free {
            free.get_mut(candidate).into_iter().for_each(|free| *free = false);
            pairs.get_mut(at).into_iter().for_each(|pair| *pair = Some(candidate));
        }
    };
    for (at, value) in new.iter().enumerate() {
        if old.get(at).is_some_and(|old| old.same(value)) {
            take(&mut free, &mut pairs, at, at);
        }
    }
    let passes: [fn(&Value, &Value) -> bool; 2] =
        [Value::same, |old, new| identity(old).is_some_and(|id| identity(new) == Some(id))];
    for fits in passes {
        for (at, value) in new.iter().enumerate() {
            if pairs.get(at).is_some_and(Option::is_none) {
                let found = free.iter().zip(old).position(|(free, old)| *free && fits(old, value));
                found.into_iter().for_each(|candidate| take(&mut free, &mut pairs, at, candidate));
            }
        }
    }
    let left: Vec<usize> = free.iter().enumerate().filter(|(_, free)| **free).map(|(at, _)| at).collect();
    let wanting: Vec<usize> = pairs.iter().enumerate().filter(|(_, pair)| pair.is_none()).map(|(at, _)| at).collect();
    if left.len() == wanting.len() && (left.len() == 1 || left == wanting) {
        for (candidate, at) in left.into_iter().zip(wanting) {
            let alike = match (old.get(candidate), new.get(at)) {
                (Some(Value::Text(_)), Some(Value::Text(_))) => true,
                (Some(Value::Map(old)), Some(Value::Map(new))) => !old.is_empty() && !new.is_empty(),
                _ => false,
            };
            if alike {
                take(&mut free, &mut pairs, at, candidate);
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

#[cfg(test)]
mod tests;
