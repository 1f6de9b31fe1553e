//! Answers that several handlers give: tagged JSON, accepted wishes, pages.

use axum::{
    Json,
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::{config::Config, fault::Fault};

/// Which part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// At most that many, as far as the server's own limit allows.
    #[param(minimum = 1, maximum = 1_000, default = 100, nullable = false)]
    pub(super) limit: Option<u32>,
    // Each list describes its own.
    #[param(ignore)]
    pub(super) cursor: Option<String>,
}

impl Part {
    /// How many there are on the page.
    pub(super) fn limit(&self, config: &Config) -> Result<u32, Fault> {
        page_size("limit", self.limit, config)
    }
}

/// Most entries of any page: what the description of the API says.
const MOST_ENTRIES: u32 = 1_000;

/// How many entries a page has for a caller who asks for so many, or does not say.
pub(crate) fn page_size(name: &str, asked: Option<u32>, config: &Config) -> Result<u32, Fault> {
    let asked = asked.map(|size| within(name, size, 1, MOST_ENTRIES)).transpose()?;
    Ok(asked.unwrap_or(config.page_size).clamp(1, config.max_page_size.clamp(1, MOST_ENTRIES)))
}

/// `value` if it is within bounds.
pub(super) fn within(name: &str, value: u32, least: u32, most: u32) -> Result<u32, Fault> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(Fault::malformed(format!("`{name}` is {value}; it must be {least} to {most}")))
}

/// Largest step or number that a request may name: JSON numbers are exact up to here in every language.
pub(super) const MOST: u64 = (1 << 53) - 1;

/// A step or number of an event, written in digits.
pub(super) fn number(name: &str, text: &str) -> Result<u64, Fault> {
    let digits = (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = if digits { text.parse().ok() } else { None };
    at_most(
        name,
        value.ok_or_else(|| {
            let text = crate::app::cut(text);
            Fault::malformed(format!("`{name}` is `{text}`; it must be a number of 0 to {MOST}"))
        })?,
    )
}

/// `value` unless it is larger than any step or number.
pub(super) fn at_most(name: &str, value: u64) -> Result<u64, Fault> {
    if value <= MOST {
        return Ok(value);
    }
    Err(Fault::malformed(format!("`{name}` is {value}; it must be at most {MOST}")))
}

/// JSON with a weak ETag; 304 if the client has it already.
pub(super) fn tagged<T: Serialize>(request: &HeaderMap, body: &T) -> Result<Response, Fault> {
    let bytes = serde_json::to_vec(body).map_err(Fault::internal)?;
    Ok(tagged_bytes(request, "application/json", bytes))
}

/// Bytes with a weak ETag; 304 if the client has them already.
pub(super) fn tagged_bytes(request: &HeaderMap, media_type: &'static str, bytes: Vec<u8>) -> Response {
    let tag = etag(&bytes);
    let known = request.get_all(header::IF_NONE_MATCH).iter().any(|tags| matches(tags, &tag));
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(bytes));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        response
    };
    response.headers_mut().insert(header::ETAG, tag);
    // Ask again each time: a tag answers whether anything moved.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// 202: on its way; ask again in a second.
pub(super) fn accepted<T: Serialize>(body: T) -> Response {
    let mut response = (StatusCode::ACCEPTED, Json(body)).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// Weak: equal content may be written in other bytes by another version.
pub(super) fn etag(bytes: &[u8]) -> HeaderValue {
    let tag = format!("W/\"{}\"", &blake3::hash(bytes).to_hex()[..16]);
    HeaderValue::from_str(&tag).expect("hex digits and quotes are visible ASCII")
}

fn matches(tags: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(tags), Ok(tag)) = (tags.to_str(), tag.to_str()) else { return false };
    let strong = tag.trim_start_matches("W/");
    tags.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == strong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_found_among_several_strong_or_weak() {
        let tag = etag(b"content");
        let text = tag.to_str().expect("visible");
        let strong = text.trim_start_matches("W/");
        for tags in [text.to_owned(), strong.to_owned(), format!("\"a\", {text}"), "*".to_owned()] {
            assert!(matches(&HeaderValue::from_str(&tags).expect("visible"), &tag), "{tags}");
        }
        assert!(!matches(&HeaderValue::from_static("\"a\""), &tag));
    }
}
