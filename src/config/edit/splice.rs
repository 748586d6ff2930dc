//! The smallest changes that a text can undergo. Each leaves everything else as it is, to the byte.

use super::layout::{Item, Kind, Member, Piece};
use super::lines;
use super::render::{self, Style};
use super::scalar::{self, Wish};
use super::value::Value;
use yaml_rust2::scanner::TScalarStyle;

/// Replaces the bytes from `start` to `end`.
#[derive(Debug)]
pub(super) struct Splice {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) with: String,
}

/// Why a text is left alone, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The value is an alias, or repeated by one.
    Aliased(usize),
    /// It is written in a way that this module cannot change without changing more.
    Layout(usize),
}

/// `None` if they overlap or do not fit the text.
pub(super) fn apply(text: &str, mut splices: Vec<Splice>) -> Option<String> {
    splices.sort_by_key(|splice| (splice.start, splice.end));
    let mut new = String::with_capacity(text.len() + 256);
    let mut done = 0;
    for splice in splices {
        new.push_str(text.get(done..splice.start)?);
        new.push_str(&splice.with);
        done = splice.end;
    }
    new.push_str(text.get(done..)?);
    Some(new)
}

/// What a value hangs on: a key in a mapping, or a `-`.
pub(super) struct Holder<'a> {
    /// The key that the value belongs to, or its list does.
    pub(super) key: &'a str,
    /// Behind the `:` or `-`.
    pub(super) sign: usize,
    /// Of the key or the `-`.
    pub(super) column: usize,
    /// The value stands within brackets or braces.
    pub(super) flow: bool,
}

/// Where an item of a list comes from.
pub(super) enum Slot<'a> {
    /// It is there already.
    Old(usize),
    New(&'a Value),
}

/// A text and how it is laid out.
pub(super) struct Page<'a> {
    pub(super) text: &'a str,
    pub(super) style: Style,
}

impl Page<'_> {
    fn slice(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// Lines that go in at `at`, the beginning of a line or the end of the text.
    fn insert_lines(&self, at: usize, lines: &str) -> Splice {
        let with = match at > 0 && !self.slice(0, at).ends_with('\n') {
            true => format!("{}{}", self.style.eol, lines.trim_end_matches(['\r', '\n'])),
            false => lines.to_owned(),
        };
        Splice { start: at, end: at, with }
    }

    /// `new` in place of `start..end`, within a line whose comment stays in its column if there is room.
    fn inline(&self, start: usize, end: usize, new: String) -> Splice {
        let after = self.slice(end, lines::end(self.text, end));
        let gap = after.len() - after.trim_start_matches(' ').len();
        let has_comment = after.trim_start_matches(' ').starts_with('#') && gap > 1;
        let one_line = !self.slice(start, end).contains('\n');
        if !(has_comment && one_line) {
            return Splice { start, end, with: new };
        }
        let (old_width, new_width) = (self.slice(start, end).chars().count(), new.chars().count());
        let room = (old_width + gap).saturating_sub(new_width).max(1);
        Splice { start, end: end + gap, with: format!("{new}{}", " ".repeat(room)) }
    }

    /// A scalar in place of another, quoted in the same way. Anchor and tag stay.
    pub(super) fn set_scalar(&self, piece: &Piece, key: &str, flow: bool, text: &str) -> Splice {
        let wish = match piece.kind {
            Kind::Scalar(TScalarStyle::SingleQuoted) => Wish { flow, single: true, quoted: true },
            Kind::Scalar(TScalarStyle::DoubleQuoted) => Wish { flow, single: false, quoted: true },
            _ => render::wish(text, key, flow),
        };
        self.inline(piece.content, piece.end, scalar::write(text, wish))
    }

    /// Any value in place of any other.
    pub(super) fn set_value(&self, holder: &Holder<'_>, old: &Piece, new: &Value) -> Result<Vec<Splice>, Fault> {
        if old.is_block() && old.start != old.content {
            return Err(Fault::Layout(old.start));
        }
        if holder.flow || render::is_short(new) {
            let written = render::inline(new, holder.key, holder.flow);
            return Ok(match &old.kind {
                Kind::Empty => vec![self.inline(old.end, old.end, format!(" {written}"))],
                Kind::BlockList(_) | Kind::BlockMap(_) => {
                    let below = self.below(holder, old)?;
                    vec![self.inline(holder.sign, holder.sign, format!(" {written}")), below]
                }
                _ => vec![self.inline(old.start, old.end, written)],
            });
        }
        let lines = self.style.below(holder.column, holder.key, new);
        if old.is_block() {
            let below = self.below(holder, old)?;
            return Ok(vec![Splice { with: self.insert_lines(below.start, &lines).with, ..below }]);
        }
        let end = lines::end(self.text, old.end);
        let mut splices = vec![self.insert_lines(end, &lines)];
        if !matches!(old.kind, Kind::Empty) {
            let rest = self.slice(old.end, end);
            let blank = self.slice(holder.sign, old.start).trim().is_empty();
            let start = if rest.trim().is_empty() && blank { holder.sign } else { old.start };
            let width = self.slice(start, old.end).chars().count();
            let with = if start == holder.sign { String::new() } else { " ".repeat(width) };
            splices.push(Splice { start, end: old.end, with });
        }
        Ok(splices)
    }

    /// Takes away the lines of a value that stands below its key.
    fn below(&self, holder: &Holder<'_>, old: &Piece) -> Result<Splice, Fault> {
        let start = lines::end(self.text, holder.sign);
        if old.start < start {
            return Err(Fault::Layout(old.start));
        }
        Ok(Splice { start, end: lines::tail(self.text, old.end, holder.column), with: String::new() })
    }

    /// A new key behind `after`, or at the end.
    pub(super) fn insert_member(
        &self,
        map: &Piece,
        after: Option<usize>,
        key: &str,
        value: &Value,
    ) -> Result<Splice, Fault> {
        let members = map.members();
        let Some(last) = after.and_then(|at| members.get(at)).or(members.last()) else {
            return Ok(Splice {
                start: map.content,
                end: map.end,
                with: format!("{{ {} }}", render::pair(key, value)),
            });
        };
        if matches!(map.kind, Kind::FlowMap(_)) {
            let at = last.value.end.max(last.key.end);
            return Ok(Splice { start: at, end: at, with: format!(", {}", render::pair(key, value)) });
        }
        let column = self.column_of(members).ok_or(Fault::Layout(map.start))?;
        let at = lines::tail(self.text, last.value.end.max(last.key.end), column);
        Ok(self.insert_lines(at, &self.style.member(column, key, value)))
    }

    /// In which column the keys of a mapping stand: one that is alone in its line tells.
    fn column_of(&self, members: &[Member]) -> Option<usize> {
        let alone = members.iter().find(|member| lines::is_first_in_line(self.text, member.key.start));
        let spaces =
            |member: &&Member| lines::before(self.text, member.key.start).bytes().all(|it| b" -".contains(&it));
        let member = alone.or_else(|| members.first().filter(spaces))?;
        Some(lines::column(self.text, member.key.start))
    }

    /// Takes a key out that is not the only one. Comments above it stay: they may be about more than this key.
    pub(super) fn remove_member(&self, map: &Piece, at: usize) -> Result<Splice, Fault> {
        let members = map.members();
        let Some(member) = members.get(at) else { return Err(Fault::Layout(map.start)) };
        let next = members.get(at + 1).map(|next| next.key.start);
        let cut = |start, end| match self.slice(start, end).contains('#') {
            true => Err(Fault::Layout(start)),
            false => Ok(Splice { start, end, with: String::new() }),
        };
        let end = member.value.end.max(member.key.end);
        if matches!(map.kind, Kind::FlowMap(_)) {
            if let Some(next) = next {
                cut(end, next)?;
                return Ok(Splice { start: member.key.start, end: next, with: String::new() });
            }
            let previous = at.checked_sub(1).and_then(|at| members.get(at)).ok_or(Fault::Layout(map.start))?;
            let previous = previous.value.end.max(previous.key.end);
            cut(previous, member.key.start)?;
            return Ok(Splice { start: previous, end, with: String::new() });
        }
        let column = lines::column(self.text, member.key.start);
        if lines::is_first_in_line(self.text, member.key.start) {
            let start = lines::start(self.text, member.key.start);
            return Ok(self.cut_lines(start, lines::tail(self.text, end, column)));
        }
        // Behind a `-`: the next key takes its place.
        let next = next.ok_or(Fault::Layout(member.key.start))?;
        cut(lines::end(self.text, end), next)?;
        Ok(Splice { start: member.key.start, end: next, with: String::new() })
    }

    /// Whole lines. If they are the last and have no line break, the one before has none either from now on.
    fn cut_lines(&self, start: usize, end: usize) -> Splice {
        let unended = end == self.text.len() && !self.text.ends_with('\n');
        let before = self.slice(0, start);
        let start = if unended { before.trim_end_matches(['\r', '\n']).len() } else { start };
        Splice { start, end, with: String::new() }
    }

    /// A list that is not empty, with its items in the order of `slots`, at least one.
    pub(super) fn arrange(&self, holder: &Holder<'_>, list: &Piece, slots: &[Slot<'_>]) -> Result<Splice, Fault> {
        match &list.kind {
            Kind::BlockList(items) => self.arrange_block(holder, items, slots),
            Kind::FlowList(items) => self.arrange_flow(holder, list, items, slots),
            _ => Err(Fault::Layout(list.start)),
        }
    }

    /// A list without its items: `key: []`. Comments that belong to nobody stay below it.
    pub(super) fn empty(&self, holder: &Holder<'_>, items: &[Item]) -> Result<Vec<Splice>, Fault> {
        let below = self.arrange_block(holder, items, &[])?;
        let mut splices = vec![self.inline(holder.sign, holder.sign, " []".to_owned())];
        match below.with.is_empty() {
            true => splices.push(self.cut_lines(below.start, below.end)),
            false => splices.push(below),
        }
        Ok(splices)
    }

    fn arrange_block(&self, holder: &Holder<'_>, items: &[Item], slots: &[Slot<'_>]) -> Result<Splice, Fault> {
        let Some(first) = items.first() else { return Err(Fault::Layout(holder.sign)) };
        let column = lines::column(self.text, first.dash);
        let floor = lines::end(self.text, holder.sign);
        let mut gaps = Vec::new();
        let mut bodies = Vec::new();
        let mut reached = floor;
        for item in items {
            if !lines::is_first_in_line(self.text, item.dash) || item.dash < floor {
                return Err(Fault::Layout(item.dash));
            }
            let head = lines::head(self.text, lines::start(self.text, item.dash), reached);
            let tail = lines::tail(self.text, item.value.end.max(item.dash + 1), column);
            gaps.push(self.slice(reached, head));
            let body = self.slice(head, tail);
            bodies.push(if body.ends_with('\n') { body.to_owned() } else { format!("{body}{}", self.style.eol) });
            reached = tail;
        }
        // As short as those that are there.
        let flow = items.iter().all(|item| !item.value.is_block());
        let block = |value: &Value| self.style.item(column, holder.key, value, flow);
        let mut with = String::new();
        for (gap, slot) in order(&gaps, slots, lines::detached).into_iter().zip(slots) {
            with.push_str(&gap);
            match slot {
                Slot::Old(at) => with.push_str(bodies.get(*at).ok_or(Fault::Layout(holder.sign))?),
                Slot::New(value) => with.push_str(&block(value)),
            }
        }
        with.push_str(&left_over(&gaps, slots));
        if reached == self.text.len() && !self.text.ends_with('\n') {
            with.truncate(with.trim_end_matches(['\r', '\n']).len());
        }
        Ok(Splice { start: floor, end: reached, with })
    }

    fn arrange_flow(
        &self,
        holder: &Holder<'_>,
        list: &Piece,
        items: &[Piece],
        slots: &[Slot<'_>],
    ) -> Result<Splice, Fault> {
        let (Some(first), Some(last)) = (items.first(), items.last()) else { return Err(Fault::Layout(list.start)) };
        let between: Vec<&str> =
            items.windows(2).filter_map(|two| Some(self.slice(two.first()?.end, two.last()?.start))).collect();
        let usual = between.first().copied().filter(|gap| !gap.contains('#')).unwrap_or(", ");
        let in_place =
            slots.iter().take(items.len()).enumerate().all(|(at, slot)| matches!(slot, Slot::Old(old) if *old == at));
        let added: Option<Vec<&Value>> = slots
            .iter()
            .skip(items.len())
            .map(|slot| match slot {
                Slot::New(value) => Some(*value),
                Slot::Old(_) => None,
            })
            .collect();
        if let Some(added) = added.filter(|_| in_place && slots.len() > items.len()) {
            let with =
                added.into_iter().map(|value| format!("{usual}{}", render::inline(value, holder.key, true))).collect();
            return Ok(Splice { start: last.end, end: last.end, with });
        }
        // Nobody can tell whose comments they are.
        let around = [self.slice(list.content, first.start), self.slice(last.end, list.end)];
        if between.iter().chain(&around).any(|gap| gap.contains('#')) {
            return Err(Fault::Layout(list.start));
        }
        let mut with = String::new();
        for (at, slot) in slots.iter().enumerate() {
            if at > 0 {
                with.push_str(between.get(at - 1).copied().unwrap_or(usual));
            }
            match slot {
                Slot::Old(old) => {
                    let item = items.get(*old).ok_or(Fault::Layout(list.start))?;
                    with.push_str(self.slice(item.start, item.end));
                }
                Slot::New(value) => with.push_str(&render::inline(value, holder.key, true)),
            }
        }
        Ok(Splice { start: first.start, end: last.end, with })
    }
}

/// What stands in front of each item. The space between items stays where it is; a new item gets as much as the last one.
fn order<'a>(gaps: &[&'a str], slots: &[Slot<'_>], detached: fn(&'a str) -> (&'a str, &'a str)) -> Vec<String> {
    let mut kept: Vec<usize> = slots.iter().filter_map(old).collect();
    kept.sort_unstable();
    let mut kept = kept.into_iter();
    let usual = if gaps.len() > 1 { gaps.last().map_or("", |gap| detached(gap).1) } else { "" };
    let mut dropped = 0;
    let mut before = Vec::new();
    for (at, slot) in slots.iter().enumerate() {
        let mut gap = String::new();
        let own = match slot {
            Slot::Old(_) => kept.next(),
            Slot::New(_) => None,
        };
        let first = at == 0;
        if first {
            gap.push_str(gaps.first().copied().unwrap_or_default());
        }
        match own {
            Some(own) => {
                // Comments that belong to nobody outlive the items around them.
                for gap_of in dropped..own {
                    if gap_of > 0 {
                        gap.push_str(detached(gaps.get(gap_of).copied().unwrap_or_default()).0);
                    }
                }
                let text = gaps.get(own).copied().unwrap_or_default();
                match (first, own) {
                    (true, 0) => {}
                    (true, _) => gap.push_str(detached(text).0),
                    (false, 0) => gap.push_str(usual),
                    (false, _) => gap.push_str(text),
                }
                dropped = own + 1;
            }
            None if !first => gap.push_str(usual),
            None => {}
        }
        before.push(gap);
    }
    before
}

/// Detached comments that stood before items at the end which are gone.
fn left_over(gaps: &[&str], slots: &[Slot<'_>]) -> String {
    let behind = slots.iter().filter_map(old).max().map_or(1, |last| last + 1);
    let behind = if slots.is_empty() { 0 } else { behind.max(1) };
    gaps.iter().skip(behind).map(|gap| lines::detached(gap).0).collect()
}

fn old(slot: &Slot<'_>) -> Option<usize> {
    match slot {
        Slot::Old(at) => Some(*at),
        Slot::New(_) => None,
    }
}
