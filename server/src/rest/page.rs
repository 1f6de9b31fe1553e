//! The page: three files inside the program, and the headers that keep foreign script out.

use axum::{
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};

const HTML: &str = include_str!("../page/index.html");
const STYLE: &str = include_str!("../page/page.css");
const SCRIPT: &str = include_str!("../page/page.js");

/// Everything only from here, no frames, no plug-ins.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; object-src 'none'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The page itself.
pub(super) async fn page() -> Response {
    file("text/html; charset=utf-8", HTML)
}

/// Its looks.
pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", STYLE)
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
