//! Where every value stands in the text, to the byte: the parser's own tokens as a tree, with the end of each value.
//!
//! [`Document`](super::super::document::Document) knows what the file says and where each value begins. Editing also has
//! to know where it ends, in which style it is written, and where the signs around it are.

use yaml_rust2::scanner::{Scanner, TScalarStyle, Token, TokenType};

use super::scalar;

/// As deep as `document` allows, and some more for pairs in lists.
const DEEPEST: usize = 70;

/// One value in the text.
#[derive(Debug)]
pub(super) struct Piece {
    /// With its anchor and tag.
    pub(super) start: usize,
    /// Without them.
    pub(super) content: usize,
    pub(super) end: usize,
    pub(super) anchor: Option<String>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// Nothing is written: `start` is behind the sign that asks for a value.
    Empty,
    Scalar(TScalarStyle),
    Alias(String),
    FlowList(Vec<Piece>),
    FlowMap(Vec<Member>),
    BlockList(Vec<Item>),
    BlockMap(Vec<Member>),
}

/// An item with its `-`.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) dash: usize,
    pub(super) value: Piece,
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) key: Piece,
    /// `None` where the key stands alone.
    pub(super) colon: Option<usize>,
    pub(super) value: Piece,
}

impl Piece {
    pub(super) fn is_flow(&self) -> bool {
        matches!(self.kind, Kind::FlowList(_) | Kind::FlowMap(_))
    }

    pub(super) fn is_block(&self) -> bool {
        matches!(self.kind, Kind::BlockList(_) | Kind::BlockMap(_))
    }

    pub(super) fn members(&self) -> &[Member] {
        match &self.kind {
            Kind::BlockMap(members) | Kind::FlowMap(members) => members,
            _ => &[],
        }
    }

    pub(super) fn items(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::BlockList(items) => items.iter().map(|item| &item.value).collect(),
            Kind::FlowList(items) => items.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// This piece and all in it, keys included.
    pub(super) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        visit(self);
        for member in self.members() {
            member.key.walk(visit);
            member.value.walk(visit);
        }
        for item in self.items() {
            item.walk(visit);
        }
    }
}

/// `None` where the text is not laid out as this module expects: then nothing in it can be edited.
pub(super) fn read(text: &str) -> Option<Piece> {
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mark = text.len() - bare.len();
    let mut offsets: Vec<usize> = bare.char_indices().map(|(offset, _)| mark + offset).collect();
    offsets.push(text.len());
    let mut scanner = Scanner::new(bare.chars());
    let mut tokens = Vec::new();
    for Token(at, token) in scanner.by_ref() {
        // The end of the stream may lie behind the end of the text.
        tokens.push((offsets.get(at.index()).copied().unwrap_or(text.len()), token));
    }
    if scanner.get_error().is_some() {
        return None;
    }
    let mut reader = Reader { text, tokens, next: 0, last: 0, depth: 0 };
    while matches!(
        reader.peek()?,
        TokenType::StreamStart(_)
            | TokenType::VersionDirective(..)
            | TokenType::TagDirective(..)
            | TokenType::DocumentStart
    ) {
        let start = reader.skip()?;
        if text.get(start..)?.starts_with("---") {
            reader.last = start + 3;
        }
    }
    let root = reader.node(false, false)?;
    while matches!(reader.peek()?, TokenType::DocumentEnd) {
        reader.skip()?;
    }
    matches!(reader.peek()?, TokenType::StreamEnd).then_some(root)
}

struct Reader<'a> {
    text: &'a str,
    tokens: Vec<(usize, TokenType)>,
    next: usize,
    /// The end of what was read last.
    last: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<&TokenType> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    /// Takes a token that is one character long.
    fn skip(&mut self) -> Option<usize> {
        let start = self.tokens.get(self.next)?.0;
        self.next += 1;
        Some(start)
    }

    fn sign(&mut self, sign: char) -> Option<usize> {
        let start = self.skip()?;
        self.text.get(start..)?.starts_with(sign).then_some(())?;
        self.last = start + sign.len_utf8();
        Some(start)
    }

    /// Its token tells where the item begins. It is the next sign behind what was read last, but for comments.
    fn dash(&mut self) -> Option<usize> {
        self.next += 1;
        let mut at = self.last;
        loop {
            let rest = self.text.get(at..)?;
            at += blank(rest);
            let rest = rest.trim_start();
            if rest.starts_with('-') {
                self.last = at + 1;
                return Some(at);
            }
            rest.starts_with('#').then_some(())?;
            at = super::lines::end(self.text, at);
        }
    }

    fn empty(&self) -> Piece {
        Piece { start: self.last, content: self.last, end: self.last, anchor: None, kind: Kind::Empty }
    }

    fn node(&mut self, indentless: bool, flow: bool) -> Option<Piece> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let mut anchor = None;
        let mut start = None;
        while let TokenType::Anchor(_) | TokenType::Tag(..) = self.peek()? {
            let (at, token) = self.tokens.get(self.next)?.clone();
            self.next += 1;
            start.get_or_insert(at);
            self.last = at + scalar::word(self.text.get(at..)?, flow);
            if let TokenType::Anchor(name) = token {
                anchor = Some(name);
            }
        }
        let (at, token) = self.tokens.get(self.next)?.clone();
        let mut piece = match token {
            TokenType::Alias(name) => {
                self.next += 1;
                self.last = at + scalar::word(self.text.get(at..)?, flow);
                Piece { start: at, content: at, end: self.last, anchor: None, kind: Kind::Alias(name) }
            }
            TokenType::Scalar(style, value) => {
                self.next += 1;
                // Its token tells where the text begins, behind the head.
                let at = match style {
                    TScalarStyle::Literal | TScalarStyle::Folded => self.last + blank(self.text.get(self.last..)?),
                    _ => at,
                };
                self.last = at + scalar::length(self.text, at, style, &value, flow)?;
                Piece { start: at, content: at, end: self.last, anchor: None, kind: Kind::Scalar(style) }
            }
            TokenType::FlowSequenceStart => self.flow_list()?,
            TokenType::FlowMappingStart => self.flow_map()?,
            TokenType::BlockSequenceStart => {
                self.next += 1;
                self.block_list(true)?
            }
            TokenType::BlockEntry if indentless => self.block_list(false)?,
            TokenType::BlockMappingStart => self.block_map()?,
            _ => self.empty(),
        };
        piece.anchor = anchor;
        piece.start = start.unwrap_or(piece.start);
        self.depth -= 1;
        Some(piece)
    }

    fn block_list(&mut self, has_end: bool) -> Option<Piece> {
        let mut items = Vec::new();
        while matches!(self.peek()?, TokenType::BlockEntry) {
            let dash = self.dash()?;
            let value = match self.peek()? {
                TokenType::BlockEntry | TokenType::BlockEnd | TokenType::Key | TokenType::Value => self.empty(),
                _ => self.node(false, false)?,
            };
            items.push(Item { dash, value });
        }
        if has_end {
            matches!(self.peek()?, TokenType::BlockEnd).then_some(())?;
            self.next += 1;
        }
        let start = items.first()?.dash;
        Some(Piece { start, content: start, end: self.last, anchor: None, kind: Kind::BlockList(items) })
    }

    fn block_map(&mut self) -> Option<Piece> {
        self.next += 1;
        let mut members = Vec::new();
        while !matches!(self.peek()?, TokenType::BlockEnd) {
            let before = self.next;
            members.push(self.member(false)?);
            (self.next > before).then_some(())?;
        }
        self.next += 1;
        let start = members.first()?.key.start;
        Some(Piece { start, content: start, end: self.last, anchor: None, kind: Kind::BlockMap(members) })
    }

    fn member(&mut self, flow: bool) -> Option<Member> {
        if matches!(self.peek()?, TokenType::Key) {
            let at = self.skip()?;
            // Keys behind a `?` could be anything, and nobody writes them.
            let explicit = self.text.get(at..)?.starts_with('?');
            if explicit && !matches!(self.tokens.get(self.next)?, (key, _) if *key == at) {
                return None;
            }
        }
        let name = match self.tokens.get(self.next..)?.iter().find(|(_, token)| is_content(token))? {
            (_, TokenType::Scalar(_, name)) => name.clone(),
            _ => return None,
        };
        let key = self.node(false, flow)?;
        let mut colon = None;
        let mut value = self.empty();
        if matches!(self.peek()?, TokenType::Value) {
            colon = Some(self.sign(':')?);
            value = match self.peek()? {
                TokenType::Key | TokenType::Value | TokenType::BlockEnd if !flow => self.empty(),
                TokenType::FlowEntry | TokenType::FlowMappingEnd | TokenType::FlowSequenceEnd if flow => self.empty(),
                _ => self.node(!flow, flow)?,
            };
        }
        Some(Member { name, key, colon, value })
    }

    fn flow_list(&mut self) -> Option<Piece> {
        let start = self.sign('[')?;
        let mut items = Vec::new();
        while !matches!(self.peek()?, TokenType::FlowSequenceEnd) {
            let before = self.next;
            match self.peek()? {
                TokenType::FlowEntry => _ = self.sign(',')?,
                // A pair without braces is a mapping of its own; nobody writes it here.
                TokenType::Key | TokenType::Value => return None,
                _ => items.push(self.node(false, true)?),
            }
            (self.next > before).then_some(())?;
        }
        self.sign(']')?;
        Some(Piece { start, content: start, end: self.last, anchor: None, kind: Kind::FlowList(items) })
    }

    fn flow_map(&mut self) -> Option<Piece> {
        let start = self.sign('{')?;
        let mut members = Vec::new();
        while !matches!(self.peek()?, TokenType::FlowMappingEnd) {
            let before = self.next;
            match self.peek()? {
                TokenType::FlowEntry => _ = self.sign(',')?,
                TokenType::Value => return None,
                _ => members.push(self.member(true)?),
            }
            (self.next > before).then_some(())?;
        }
        self.sign('}')?;
        Some(Piece { start, content: start, end: self.last, anchor: None, kind: Kind::FlowMap(members) })
    }
}

fn blank(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// Not an anchor or tag before it.
fn is_content(token: &TokenType) -> bool {
    !matches!(token, TokenType::Anchor(_) | TokenType::Tag(..))
}

#[cfg(test)]
mod tests;
