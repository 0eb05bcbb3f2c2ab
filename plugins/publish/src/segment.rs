//! Text of any kind as part of a file name.

/// The most bytes that a value may fill; file systems allow 255 for a whole name.
const VALUE_BYTES_MAX: usize = 100;

/// A value as part of a segment. If something had to be replaced or cut, a digest of the whole value is added, so
/// that values that differ stay different.
pub(crate) fn exact(value: &str) -> String {
    let kept = limited(&dashed(value, |c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')));
    let digest = || format!("{:08x}", digest(value));
    match kept.as_str() {
        "" => digest(),
        _ if kept == value => kept,
        _ => format!("{kept}-{}", digest()),
    }
}

/// The name of a file as part of a segment; its extension stays at the end.
pub(crate) fn file_name(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !extension.is_empty() && extension.chars().all(char::is_alphanumeric) => {
            format!("{}.{}", exact(stem), limited(extension))
        }
        _ => exact(name),
    }
}

/// A title as words in lower case with dashes between; `untitled` if it has none.
pub(crate) fn slug(title: &str) -> String {
    let slug = limited(&dashed(&title.to_lowercase(), char::is_alphanumeric));
    if slug.is_empty() { "untitled".to_string() } else { slug }
}

/// What may stay stays, each run of the rest becomes a dash, and no dash or dot stands at an end.
fn dashed(value: &str, stays: impl Fn(char) -> bool) -> String {
    let mut kept = String::with_capacity(value.len());
    for c in value.chars() {
        if stays(c) {
            kept.push(c);
        } else if !kept.ends_with('-') {
            kept.push('-');
        }
    }
    kept.trim_matches(['-', '.']).replace("..", "-")
}

fn limited(value: &str) -> String {
    let mut end = value.len().min(VALUE_BYTES_MAX);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    value[..end].trim_matches(['-', '.']).to_string()
}

/// FNV-1a, 32 bits: enough to tell the keys of one backlog apart, and short enough to read.
fn digest(value: &str) -> u32 {
    value.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
