//! A data set on its way in: up to four IDX files, decoded as they come, shared by REST and gRPC.

use experiments::{Idx, IdxDecoder, IdxError, images_from_idx};
use store::Dataset;
use tokio::{sync::SemaphorePermit, task::spawn_blocking};

use crate::{
    app::{App, cut},
    builtin::new_dataset,
    fault::{Fault, Kind},
};

/// Longest name of a data set, and of its attribution.
const NAME_BYTES: usize = 128;
const ATTRIBUTION_CHARS: usize = 1024;

/// What is said of a data set beside its files.
#[derive(Debug, Default)]
pub(crate) struct About {
    pub(crate) name: Option<String>,
    /// Greatest value of a pixel.
    pub(crate) max: Option<u8>,
    pub(crate) attribution: Option<String>,
}

/// Which of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum File {
    Images,
    Labels,
    TestImages,
    TestLabels,
}

impl File {
    pub(crate) const ALL: [Self; 4] = [Self::Images, Self::Labels, Self::TestImages, Self::TestLabels];

    /// As the field of a form is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Labels => "labels",
            Self::TestImages => "test_images",
            Self::TestLabels => "test_labels",
        }
    }
}

/// An upload that is under way; holds no more than the decoded data.
pub(crate) struct Upload<'a> {
    app: &'a App,
    // Each upload may hold a whole data set: only so many at once.
    _permit: SemaphorePermit<'a>,
    decoded: [Option<Idx>; 4],
    open: Option<(File, IdxDecoder)>,
    decoded_bytes: u64,
    received: u64,
}

impl<'a> Upload<'a> {
    pub(crate) fn begin(app: &'a App) -> Result<Self, Fault> {
        app.accepts_work()?;
        let busy = |_| Fault::new(Kind::Busy, "other data sets are being uploaded; try again in a second");
        let permit = app.uploads.try_acquire().map_err(busy)?;
        Ok(Self {
            app,
            _permit: permit,
            decoded: Default::default(),
            open: None,
            decoded_bytes: 0,
            received: 0,
        })
    }

    /// Takes the next bytes of a file; files come one after the other.
    pub(crate) fn push(&mut self, file: File, bytes: &[u8]) -> Result<(), Fault> {
        self.received += bytes.len() as u64;
        let most = self.app.config.max_dataset_bytes;
        if self.received > most + (1 << 20) {
            return Err(Fault::new(
                Kind::TooLarge,
                format!("the upload is too large; it must be at most {most} bytes"),
            ));
        }
        if self.open.as_ref().is_none_or(|(open, _)| *open != file) {
            self.close_file()?;
            if self.decoded[file as usize].is_some() {
                let detail = format!("`{}` comes twice; it must come once", file.name());
                return Err(Fault::invalid_field(format!("/{}", file.name()), detail));
            }
            self.open = Some((file, IdxDecoder::new(most.saturating_sub(self.decoded_bytes))));
        }
        let (_, decoder) = self.open.as_mut().expect("opened above");
        decoder.push(bytes).map_err(|error| refused(file, &error))
    }

    /// Puts the data set together and stores it.
    pub(crate) async fn finish(mut self, about: About) -> Result<Dataset, Fault> {
        self.close_file()?;
        let name = checked_name(about.name)?;
        let attribution = checked_attribution(about.attribution)?;
        let max = about.max.unwrap_or(255);
        if max == 0 {
            return Err(Fault::invalid_field("/max", "`max` is 0; it must be 1 to 255"));
        }
        let [images, labels, test_images, test_labels] = self.decoded;
        let images =
            images.ok_or_else(|| Fault::invalid_field("/images", "`images` is absent; it must be given"))?;
        if test_images.is_none() && test_labels.is_some() {
            let detail = "`test_labels` is given; it must come with `test_images`";
            return Err(Fault::invalid_field("/test_labels", detail));
        }
        let test = test_images.map(|images| (images, test_labels));
        let assemble = move || {
            let data = images_from_idx(images, labels, test, max)
                .map_err(|error| Fault::invalid_field("/images", error.to_string()))?;
            new_dataset(&name, &data, attribution)
        };
        let dataset = spawn_blocking(assemble).await.map_err(Fault::internal)??;
        Ok(self.app.store.put_dataset(dataset, self.app.clock.now()).await?)
    }

    fn close_file(&mut self) -> Result<(), Fault> {
        let Some((file, decoder)) = self.open.take() else { return Ok(()) };
        let decoded = decoder.finish().map_err(|error| refused(file, &error))?;
        self.decoded_bytes += decoded.1.len() as u64;
        self.decoded[file as usize] = Some(decoded);
        Ok(())
    }
}

fn refused(file: File, error: &IdxError) -> Fault {
    let detail = format!("file `{}`: {error}", file.name());
    match error {
        IdxError::TooLarge { .. } | IdxError::Bomb => Fault::new(Kind::TooLarge, detail),
        _ => Fault::invalid_field(format!("/{}", file.name()), detail),
    }
}

fn checked_name(name: Option<String>) -> Result<String, Fault> {
    let name = name.ok_or_else(|| Fault::invalid_field("/name", "`name` is absent; it must be given"))?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.is_empty() || name.len() > NAME_BYTES || name.starts_with('.') || !name.bytes().all(allowed) {
        let rule = format!("it must be 1 to {NAME_BYTES} of A-Z a-z 0-9 . _ - and not begin with a dot");
        return Err(Fault::invalid_field("/name", format!("`name` is `{}`; {rule}", cut(&name))));
    }
    Ok(name)
}

fn checked_attribution(attribution: Option<String>) -> Result<Option<String>, Fault> {
    let attribution = attribution.filter(|text| !text.is_empty());
    if attribution.as_ref().is_some_and(|text| text.chars().count() > ATTRIBUTION_CHARS) {
        let detail =
            format!("`attribution` is too long; it must have at most {ATTRIBUTION_CHARS} characters");
        return Err(Fault::invalid_field("/attribution", detail));
    }
    Ok(attribution)
}
