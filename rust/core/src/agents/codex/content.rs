//! Content lists: the texts and images of messages, reasoning and outputs.

use super::super::event::{lit, Block, Draft, Lit};
use super::super::rest::write_rest;
use super::twins::{key, Key};
use super::CodexMapper;
use crate::json::Value;

/// The blocks of a content list (or of a plain string); the draft's marks know what they hold.
pub fn blocks<'a>(content: Value<'a>, draft: &mut Draft<'a>) -> Vec<Block<'a>> {
    if content.is_string() {
        draft.used(content);
        return text(content).into_iter().collect();
    }
    if !content.is_array() {
        return Vec::new();
    }
    content.items().filter_map(|item| block(item, draft)).collect()
}

fn block<'a>(item: Value<'a>, draft: &mut Draft<'a>) -> Option<Block<'a>> {
    if item.is_string() {
        draft.used(item);
        return text(item);
    }
    let (mut kind, mut said, mut image) = (None, None, None);
    for (name, member) in item.members() {
        match name.literal() {
            b"type" => kind = Some(member),
            b"text" | b"refusal" if member.is_string() => said = Some(member),
            b"image_url" => image = Some(member),
            _ => {}
        }
    }
    let name = kind.map(|k| k.literal()).unwrap_or_default();
    match (name, said, image.and_then(address)) {
        (b"input_text" | b"output_text" | b"text" | b"summary_text" | b"reasoning_text", Some(said), _) => {
            draft.used(said);
            kind.into_iter().for_each(|k| draft.used(k));
            text(said)
        }
        // The type stays in the rest: nothing else says that this is a refusal.
        (b"refusal", Some(said), _) => {
            draft.used(said);
            text(said)
        }
        (b"input_image" | b"image", _, Some(url)) => {
            draft.used(url);
            kind.into_iter().for_each(|k| draft.used(k));
            Some(image_block(url))
        }
        _ => {
            draft
                .unknown_blocks
                .push(kind.and_then(|k| k.string()).filter(|k| !k.is_empty()).unwrap_or("untyped".into()));
            draft.used(item);
            Some(Block::Json(item))
        }
    }
}

/// A text of no characters is no block.
fn text(value: Value<'_>) -> Option<Block<'_>> {
    (!value.literal().is_empty()).then(|| Block::Text(value.canonical_literal()))
}

/// `"image_url": "data:…"`, or `{"url": "data:…"}`.
fn address(image: Value<'_>) -> Option<Value<'_>> {
    let url = if image.is_string() { image } else { image.get_str("url")? };
    (!url.literal().is_empty()).then_some(url)
}

pub fn image_block(url: Value<'_>) -> Block<'_> {
    let url = url.canonical_literal();
    Block::Image { mime: mime(&url), url }
}

/// The media type of a data address; of any other, what its ending says.
fn mime(url: &[u8]) -> Lit<'static> {
    if let Some(data) = url.strip_prefix(b"data:") {
        let end = data.iter().take(64).position(|c| matches!(c, b';' | b','));
        if let Some(end) = end.filter(|&end| end > 0) {
            return Lit::Owned(data[..end].to_vec());
        }
    }
    let ending = url.rsplit(|&c| c == b'.').next().unwrap_or_default().to_ascii_lowercase();
    lit(match ending.as_slice() {
        b"jpg" | b"jpeg" => "image/jpeg",
        b"gif" => "image/gif",
        b"webp" => "image/webp",
        b"svg" => "image/svg+xml",
        _ => "image/png",
    })
}

/// What twins of a message are looked for by: its texts, or its images where it has no text.
pub fn keys(blocks: &[Block<'_>]) -> Vec<Key> {
    let texts: Vec<Key> = blocks
        .iter()
        .filter_map(|b| match b {
            Block::Text(text) => Some(key(text)),
            _ => None,
        })
        .collect();
    if !texts.is_empty() {
        texts
    } else {
        images(blocks).map(|(_, key)| key).collect()
    }
}

/// The images among blocks: where they stand, and their keys.
pub fn images<'b>(blocks: &'b [Block<'_>]) -> impl Iterator<Item = (usize, Key)> + 'b {
    blocks.iter().enumerate().filter_map(|(n, b)| match b {
        Block::Image { url, .. } => Some((n, key(url))),
        _ => None,
    })
}

impl CodexMapper {
    /// A block of what is left of `payload`, if anything is; the rest of the record then has nothing of it.
    pub(super) fn payload_block<'a>(&mut self, payload: Value<'a>, draft: &mut Draft<'a>) -> Option<Block<'a>> {
        // `type` always stands in the raw type.
        draft.take(payload, "type");
        let held = |value: Value<'a>, draft: &Draft<'a>| draft.marks.is_out(value);
        let left = payload.members().any(|(_, member)| !held(member, draft));
        draft.used(payload);
        left.then_some(Block::Json(payload))
    }

    /// Let what is left of JSON that stood inside the string `place` stand in its place.
    pub(super) fn replace<'a>(
        &mut self,
        place: Value<'a>,
        inner: Value<'_>,
        mut marks: super::super::event::Marks,
        draft: &mut Draft<'a>,
    ) {
        marks.finish();
        let mut left = Vec::new();
        if write_rest(inner, &marks, &mut left, &mut self.sorter) {
            draft.marks.replace(place.id(), left);
        } else {
            draft.used(place);
        }
    }
}
