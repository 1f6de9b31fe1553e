//! `/datasets`.

use std::time::Duration;

use axum::{
    Json,
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State, multipart::Field},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use super::{
    answer::tagged,
    body::{Dataset, Datasets, UploadForm},
    extract::Path,
};
use crate::{
    app::{App, cut},
    fault::{Fault, Kind},
    upload::{About, File, Upload},
};

/// Longest text field of a form.
const TEXT_BYTES: usize = 4096;

/// Lists data sets.
#[utoipa::path(
    get, path = "/datasets", operation_id = "list_datasets", tag = "datasets",
    responses((status = 200, body = Datasets, description = "All data sets"), (status = 304)),
)]
pub(super) async fn list_datasets(State(app): State<App>, headers: HeaderMap) -> Result<Response, Fault> {
    let datasets = app.store.datasets().await?.into_iter().map(Dataset::from).collect();
    tagged(&headers, &Datasets { datasets })
}

/// Reads what is known of a data set.
#[utoipa::path(
    get, path = "/datasets/{name}", operation_id = "get_dataset", tag = "datasets",
    params(("name" = String, Path, description = "Name or `blake3:…`", min_length = 1, max_length = 128,
            pattern = "^[A-Za-z0-9_:-][A-Za-z0-9._:-]*$")),
    responses((status = 200, body = Dataset, description = "The data set"), (status = 304), (status = 404)),
)]
pub(super) async fn get_dataset(
    State(app): State<App>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Result<Response, Fault> {
    tagged(&headers, &Dataset::from(dataset(&app, &name).await?))
}

/// A data set by name or hash.
pub(crate) async fn dataset(app: &App, name: &str) -> Result<store::Dataset, Fault> {
    let none = || Fault::not_found(format!("there is no data set `{}`", cut(name)));
    app.store.dataset(name).await?.ok_or_else(none)
}

/// Uploads a data set: images, a Bayesian network, a table, or recordings.
///
/// Images are IDX files of bytes, plain or gzip; both give the same hash. A network is one BIF file, `bif`; a table is one CSV
/// file, `table`; recordings are one tar archive of WAV files, plain or gzip, `audio`. The form is read as it comes and never held as a whole.
#[utoipa::path(
    post, path = "/datasets", operation_id = "put_dataset", tag = "datasets",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, body = Dataset, description = "Stored", headers(("location" = String))),
        (status = 200, body = Dataset, description = "Known content", headers(("location" = String))),
        (status = 409), (status = 413), (status = 415), (status = 422), (status = 507),
    ),
)]
pub(super) async fn put_dataset(State(app): State<App>, mut request: Request) -> Result<Response, Fault> {
    // The decoders bound what is taken: the framework's limit is for bodies that are held as a whole.
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &app).await.map_err(|error| {
        Fault::new(
            Kind::UnsupportedMedia,
            format!("Content-Type must be multipart/form-data: {}", error.body_text()),
        )
    })?;
    let stored = match read(&app, &mut form).await {
        Ok(stored) => stored,
        Err(fault) => {
            // Who is still sending when the connection closes may never read why.
            let _ = timeout(LINGER, drain(form)).await;
            return Err(fault);
        }
    };
    let status = if stored.created { StatusCode::CREATED } else { StatusCode::OK };
    let location = format!("/api/v1/datasets/{}", stored.hash);
    let mut response = (status, Json(Dataset::from(stored))).into_response();
    response
        .headers_mut()
        .insert(header::LOCATION, HeaderValue::from_str(&location).map_err(Fault::internal)?);
    Ok(response)
}

/// How long the rest of a refused form is read.
const LINGER: Duration = Duration::from_secs(5);

/// Reads what is left of a form and forgets it.
async fn drain(mut form: Multipart) {
    while let Ok(Some(mut field)) = form.next_field().await {
        while let Ok(Some(_)) = field.chunk().await {}
    }
}

async fn read(app: &App, form: &mut Multipart) -> Result<store::Dataset, Fault> {
    let mut upload = Upload::begin(app).await?;
    let mut about = About::default();
    let mut seen = Vec::new();
    while let Some(mut field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if seen.contains(&name) {
            return Err(Fault::invalid_field(
                format!("/{name}"),
                format!("`{name}` comes twice; it must come once"),
            ));
        }
        match name.as_str() {
            "name" => about.name = Some(text(&mut field).await?),
            "attribution" => about.attribution = Some(text(&mut field).await?),
            "max" => about.max = Some(max(&text(&mut field).await?)?),
            other => {
                let Some(file) = File::ALL.into_iter().find(|file| file.name() == other) else {
                    let name = cut(other);
                    let rule = "it must be name, max, attribution, images, labels, test_images, test_labels, bif, table or audio";
                    return Err(Fault::invalid_field(
                        format!("/{name}"),
                        format!("a field is `{name}`; {rule}"),
                    ));
                };
                // An empty file is a file all the same: its decoder says what is missing.
                upload.push(file, &[])?;
                while let Some(bytes) = field.chunk().await.map_err(broken)? {
                    upload.push(file, &bytes)?;
                }
            }
        }
        seen.push(name);
    }
    upload.finish(about).await
}

async fn text(field: &mut Field<'_>) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    while let Some(more) = field.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&more);
        if bytes.len() > TEXT_BYTES {
            let field = field.name().map(cut).unwrap_or_default();
            let detail = format!("`{field}` is too long; it must be at most {TEXT_BYTES} bytes");
            return Err(Fault::invalid_field(format!("/{field}"), detail));
        }
    }
    String::from_utf8(bytes).map_err(|_| Fault::malformed("a text field is not UTF-8"))
}

fn max(text: &str) -> Result<u8, Fault> {
    let wrong = |_| Fault::invalid_field("/max", format!("`max` is `{}`; it must be 1 to 255", cut(text)));
    text.parse().map_err(wrong)
}

fn broken(error: axum::extract::multipart::MultipartError) -> Fault {
    Fault::malformed(format!("the form cannot be read: {}", error.body_text()))
}
