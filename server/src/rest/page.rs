//! The page: two files inside the program, and the headers that keep foreign script out.

use axum::{
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};

const HTML: &str = include_str!("../page/index.html");
const SCRIPT: &str = include_str!("../page/page.js");

/// Script only from here, no frames, no plug-ins; styles may stand in the page.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// The page itself.
pub(super) async fn page() -> Response {
    file("text/html; charset=utf-8", HTML)
}

/// Its script.
pub(super) async fn script() -> Response {
    file("text/javascript; charset=utf-8", SCRIPT)
}

fn file(kind: &'static str, text: &'static str) -> Response {
    const REFERRER: HeaderName = header::REFERRER_POLICY;
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}
