//! Extractors whose refusals are faults.

use axum::{
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::{
    app::App,
    fault::{Fault, Kind},
};

/// The query, all of its fields known.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, app).await;
        query
            .map(|query| Self(query.0))
            .map_err(|error| Fault::malformed(format!("query: {}", error.body_text())))
    }
}

/// A part of the path; what cannot be read names nothing.
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Path<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, app).await;
        path.map(|path| Self(path.0)).map_err(|error| Fault::not_found(error.body_text()))
    }
}

/// The bytes of a JSON body within the limit; not yet parsed.
pub(super) struct JsonBytes(pub(super) Bytes);

impl FromRequest<App> for JsonBytes {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        if !is_json(request.headers()) {
            let detail = "Content-Type must be application/json";
            return Err(Fault::new(Kind::UnsupportedMedia, detail));
        }
        let limit = app.config.max_json_bytes;
        let too_large =
            || Fault::new(Kind::TooLarge, format!("the body is too large; it must be at most {limit} bytes"));
        let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        if announced.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > limit as u64)
        {
            return Err(too_large());
        }
        to_bytes(request.into_body(), limit).await.map(Self).map_err(|error| {
            let source = std::error::Error::source(&error);
            if source.is_some_and(|source| source.is::<http_body_util::LengthLimitError>()) {
                too_large()
            } else {
                Fault::malformed(format!("the body broke off: {error}"))
            }
        })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

/// Whether the client asks for this media type by name.
pub(super) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let is_refused = |part: &str| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0));
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case(media_type)) && !parts.any(is_refused)
    })
}
